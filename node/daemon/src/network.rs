//! The network's settings from the options, its threads, and the addresses that it listens at.

use std::path::Path;

use anyhow::Context;
use p2p::address::{PeerAddress, is_multiaddress, listening};
use p2p::wire::message::TEXT_BYTES_MAX;
use p2p::{Allowed, CheckSettings, Libp2p, Libp2pSettings, Network, ShellSettings};
use primitives::{ChainId, PrivateKey, PublicKey};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::settings::net::NetArgs;
use crate::words;

/// Bytes that an address may have that peers are told (`max_p2p_address_length`): `:trx - 1234567` follows it.
const ADDRESS_BYTES_MAX: usize = 253 + 6;
/// Niceness of the threads that recover the keys of peers' transactions: where processors are short, blocks go first.
const KEYS_NICENESS: i32 = 5;

/// What the options say, checked; and the addresses taken, so that nothing in the folder is changed by a node that cannot
/// run.
#[derive(Debug)]
pub struct Prepared {
    runtime: Runtime,
    keys: Runtime,
    listener: Option<TcpListener>,
    libp2p: Libp2p,
    settings: p2p::Settings,
    shell: ShellSettings,
}

/// A running network with its threads. It ends when it is dropped.
#[derive(Debug)]
pub struct RunningNetwork {
    /// The network.
    pub network: Network,
    runtime: Runtime,
    keys: Runtime,
}

impl Prepared {
    /// Reads the options and listens.
    ///
    /// # Errors
    /// An option is wrong, the identity in the data folder is damaged, or an address cannot be listened at.
    pub fn open(args: &NetArgs, data_dir: &Path, producer_keys: Vec<PublicKey>) -> anyhow::Result<Self> {
        let endpoints = args.p2p_listen_endpoint.iter().map(String::as_str).filter(|endpoint| !endpoint.is_empty());
        let (encrypted, plain): (Vec<_>, Vec<_>) = endpoints.partition(|endpoint| is_multiaddress(endpoint));
        anyhow::ensure!(
            plain.len() < 2,
            "--p2p-listen-endpoint may name one HOST:PORT, and these are {}",
            plain.join(", ")
        );
        let endpoint = plain.first().copied();
        let settings = settings(args, endpoint, &encrypted, producer_keys)?;
        for peer in &args.p2p_peer_address {
            peer.parse::<PeerAddress>().context("--p2p-peer-address")?;
        }
        let listen = encrypted
            .iter()
            .map(|endpoint| listening(endpoint).context("--p2p-listen-endpoint"))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers(args.net_threads))
            .max_blocking_threads(usize::from(args.net_threads))
            .thread_name("net")
            .enable_all()
            .build()
            .context("cannot start the threads that serve peers")?;
        let listener = endpoint.map(|endpoint| runtime.block_on(listen_plainly(endpoint))).transpose()?;
        let dials_encrypted = args.p2p_peer_address.iter().any(|address| is_multiaddress(address));
        let libp2p = Libp2pSettings {
            keep_identity: !listen.is_empty() || dials_encrypted || args.p2p_mdns,
            listen,
            agent: args.agent_name.clone(),
            max_clients: args.max_clients,
            mdns: args.p2p_mdns,
            peers: args.p2p_peer_address.clone(),
            accept_transactions: args.p2p_accept_transactions,
        };
        let libp2p = runtime.block_on(async { Libp2p::open(data_dir, libp2p) })?;
        let settings = p2p::Settings { identity: libp2p.identity(), ..settings };
        let keys = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(usize::from(args.net_threads))
            .thread_name("keys")
            .on_thread_start(|| engine::yield_to_others(KEYS_NICENESS))
            .build()
            .context("cannot start the threads that recover keys")?;
        let shell = ShellSettings {
            peers: args.p2p_peer_address.clone(),
            threads: usize::from(args.net_threads),
            keys: keys.handle().clone(),
        };
        Ok(Self { runtime, keys, listener, libp2p, settings, shell })
    }

    /// Keeps a new identity in the data folder, where others know the node by it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&mut self) -> anyhow::Result<()> {
        Ok(self.libp2p.save()?)
    }

    /// Starts the network of a chain.
    pub fn start(self, chain_id: ChainId, engine: &engine::Handle) -> RunningNetwork {
        let Self { runtime, keys, listener, libp2p, settings, shell } = self;
        let settings = p2p::Settings { chain_id, ..settings };
        let _inside = runtime.enter();
        let network = Network::start(settings, &shell, listener, Some(libp2p), engine.clone());
        RunningNetwork { network, runtime, keys }
    }
}

impl RunningNetwork {
    /// Ends all connections and the threads.
    pub fn stop(self) {
        self.runtime.block_on(self.network.stop());
        // What still reads a block has to let the database go before the process ends.
        self.runtime.shutdown_timeout(std::time::Duration::from_millis(500));
        self.keys.shutdown_background();
    }
}

/// Threads on which connections are served: not more than half of the processors, since the others have work of their
/// own when a block comes, and each thread that is woken for nothing costs it time.
fn workers(asked: u16) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    usize::from(asked).min(processors.div_ceil(2))
}

async fn listen_plainly(endpoint: &str) -> anyhow::Result<TcpListener> {
    // As for nodeos, a port alone means every address.
    let bound = if endpoint.starts_with(':') { format!("[::]{endpoint}") } else { endpoint.to_owned() };
    let listener = TcpListener::bind(&bound)
        .await
        .with_context(|| format!("cannot listen on {endpoint} for peers; choose another --p2p-listen-endpoint"))?;
    tracing::info!("start listening on {} for peers", listener.local_addr().context("a socket has no address")?);
    Ok(listener)
}

fn settings(
    args: &NetArgs,
    endpoint: Option<&str>,
    encrypted: &[&str],
    producer_keys: Vec<PublicKey>,
) -> anyhow::Result<p2p::Settings> {
    let allowed = allowed(&args.allowed_connection);
    anyhow::ensure!(
        !allowed.specified || !args.peer_key.is_empty(),
        "At least one peer-key must accompany 'allowed-connection=specified'"
    );
    anyhow::ensure!(
        args.agent_name.len() <= TEXT_BYTES_MAX,
        "--agent-name may have {TEXT_BYTES_MAX} bytes, and this one has {}",
        args.agent_name.len()
    );
    let server_address = match (&args.p2p_server_address, endpoint) {
        (Some(told), Some(_)) if !told.is_empty() => told.clone(),
        (_, Some(endpoint)) => public_address(endpoint),
        (_, None) => encrypted.first().map(|endpoint| (*endpoint).to_owned()).unwrap_or_default(),
    };
    anyhow::ensure!(
        server_address.len() <= ADDRESS_BYTES_MAX,
        "--p2p-listen-endpoint and --p2p-server-address may have {ADDRESS_BYTES_MAX} bytes, and {server_address} has more"
    );
    let own_key = |text: &String| -> anyhow::Result<(PublicKey, PrivateKey)> {
        let pair: (String, String) =
            serde_json::from_str(text).context("--peer-private-key is written as [\"PUBLIC\",\"PRIVATE\"]")?;
        let public = words::public_key(&pair.0).context("--peer-private-key")?;
        let private =
            pair.1.parse().map_err(|_| anyhow::anyhow!("--peer-private-key of {public} is not a valid key"))?;
        Ok((public, private))
    };
    let peer_key = |text: &String| words::public_key(text.trim_matches('"')).context("--peer-key");
    Ok(p2p::Settings {
        node_id: p2p::random_node_id(),
        server_address,
        agent: args.agent_name.clone(),
        accept_transactions: args.p2p_accept_transactions,
        max_clients: args.max_clients,
        max_nodes_per_host: args.p2p_max_nodes_per_host,
        sync_fetch_span: args.sync_fetch_span,
        sync_peer_limit: args.sync_peer_limit,
        keepalive_us: i64::from(args.p2p_keepalive_interval_ms) * 1000,
        checks: CheckSettings {
            interval_us: i64::from(args.p2p_check_interval_ms) * 1000,
            timeout_us: i64::from(args.p2p_check_timeout_ms) * 1000,
            failures_max: args.p2p_check_failures,
        },
        redial_max_us: i64::from(args.connection_cleanup_period) * 1_000_000,
        allowed,
        peer_keys: args.peer_key.iter().map(peer_key).collect::<anyhow::Result<_>>()?,
        own_keys: args.peer_private_key.iter().map(own_key).collect::<anyhow::Result<_>>()?,
        producer_keys,
        peer_exchange: args.p2p_peer_exchange,
        ..p2p::Settings::default()
    })
}

/// As nodeos reads them one after another: `none` takes back what was said before it.
fn allowed(words: &[String]) -> Allowed {
    words.iter().fold(Allowed::default(), |allowed, word| match word.as_str() {
        "any" => Allowed { any: true, ..allowed },
        "producers" => Allowed { producers: true, ..allowed },
        "specified" => Allowed { specified: true, ..allowed },
        _ => Allowed::default(),
    })
}

/// What others can call an address that is every address of this machine.
fn public_address(endpoint: &str) -> String {
    let (host, port) = endpoint.rsplit_once(':').unwrap_or((endpoint, ""));
    if !["", "0.0.0.0", "[::]"].contains(&host) {
        return endpoint.to_owned();
    }
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    format!("{}:{port}", if name.is_empty() { "localhost" } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Work, parse};

    fn open(words: &[&str]) -> anyhow::Result<Prepared> {
        let words = ["boreasd", "--config-dir", "/nonexistent"].iter().chain(words).map(Into::into);
        let Work::Node(args) = parse(&words.collect::<Vec<_>>())?.work else { unreachable!("no subcommand") };
        Prepared::open(&args.net, Path::new("/nonexistent"), Vec::new())
    }

    #[test]
    fn nobody_listens_until_an_address_is_given() {
        assert!(open(&[]).unwrap().listener.is_none());
        assert!(open(&["--p2p-listen-endpoint", ""]).unwrap().listener.is_none());
        let listening = open(&["--p2p-listen-endpoint", "127.0.0.1:0", "--p2p-server-address", "a.example:1"]).unwrap();
        assert!(listening.listener.is_some());
        assert_eq!(listening.settings.server_address, "a.example:1");
    }

    #[test]
    fn both_wires_listen_at_once() {
        let both = ["--p2p-listen-endpoint", "127.0.0.1:0", "/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
        assert!(open(&both).unwrap().listener.is_some());
        assert!(open(&["--p2p-listen-endpoint", "/ip4/127.0.0.1/tcp/0"]).unwrap().listener.is_none());
        let refusal = |words: &[&str]| format!("{:#}", open(words).unwrap_err());
        assert!(refusal(&["--p2p-listen-endpoint", "127.0.0.1:0", "127.0.0.1:0"]).contains("one HOST:PORT"));
        for wrong in ["/ip4/127.0.0.1/tcp/1/ws", "/dns4/a/tcp/1", "/ip4/127.0.0.1"] {
            assert!(refusal(&["--p2p-listen-endpoint", wrong]).contains("is not an address"), "{wrong}");
        }
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port());
        assert!(refusal(&["--p2p-listen-endpoint", &taken]).contains("cannot listen on"));
    }

    #[test]
    fn peers_are_told_an_address_that_they_can_use() {
        assert_eq!(public_address("127.0.0.1:9876"), "127.0.0.1:9876");
        for every in ["0.0.0.0:9876", ":9876", "[::]:9876"] {
            let told = public_address(every);
            assert!(told.ends_with(":9876") && told.len() > 5 && !told.starts_with("0.0.0.0"), "{told}");
        }
    }

    #[test]
    fn who_may_connect() {
        let of = |words: &[&str]| allowed(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(of(&["any"]).any);
        assert_eq!(of(&["any", "none"]), Allowed::default());
        assert_eq!(of(&["none", "producers", "specified"]), Allowed { any: false, producers: true, specified: true });
    }

    #[test]
    fn wrong_options_are_refused_in_words() {
        let refusal = |words: &[&str]| format!("{:#}", open(words).unwrap_err());
        assert!(refusal(&["--p2p-peer-address", "here"]).contains("here is not a peer's address"));
        assert!(refusal(&["--allowed-connection", "specified"]).contains("peer-key must accompany"));
        assert!(refusal(&["--peer-private-key", "x"]).contains("[\"PUBLIC\",\"PRIVATE\"]"));
        assert!(refusal(&["--peer-key", "x"]).contains("--peer-key: x does not begin as public keys do"));
        assert!(refusal(&["--agent-name", &"x".repeat(400)]).contains("384"));
        assert!(refusal(&["--p2p-listen-endpoint", "256.1.1.1:1"]).contains("cannot listen"));
    }
}
