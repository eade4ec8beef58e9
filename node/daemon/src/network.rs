//! The network's settings from the options, its threads, and the address that it listens at.

use anyhow::Context;
use p2p::address::Address;
use p2p::wire::message::TEXT_BYTES_MAX;
use p2p::{Allowed, Network, ShellSettings};
use primitives::{ChainId, PrivateKey, PublicKey};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::settings::net::NetArgs;

/// Bytes that an address may have that peers are told (`max_p2p_address_length`): `:trx - 1234567` follows it.
const ADDRESS_BYTES_MAX: usize = 253 + 6;

/// What the options say, checked; and the address taken, so that nothing in the folder is changed by a node that cannot
/// run.
#[derive(Debug)]
pub struct Prepared {
    runtime: Runtime,
    listener: Option<TcpListener>,
    settings: p2p::Settings,
    shell: ShellSettings,
}

/// A running network with its threads. It ends when it is dropped.
#[derive(Debug)]
pub struct RunningNetwork {
    /// The network.
    pub network: Network,
    runtime: Runtime,
}

impl Prepared {
    /// Reads the options and listens.
    ///
    /// # Errors
    /// An option is wrong, or the address cannot be listened at.
    pub fn open(args: &NetArgs, producer_keys: Vec<PublicKey>) -> anyhow::Result<Self> {
        let endpoint = args.p2p_listen_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty());
        let settings = settings(args, endpoint, producer_keys)?;
        for peer in &args.p2p_peer_address {
            peer.parse::<Address>().context("--p2p-peer-address")?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(usize::from(args.net_threads))
            .max_blocking_threads(usize::from(args.net_threads))
            .thread_name("net")
            .enable_all()
            .build()
            .context("cannot start the threads that serve peers")?;
        let listener = endpoint.map(|endpoint| runtime.block_on(listen(endpoint))).transpose()?;
        let shell = ShellSettings { peers: args.p2p_peer_address.clone(), threads: usize::from(args.net_threads) };
        Ok(Self { runtime, listener, settings, shell })
    }

    /// Starts the network of a chain.
    pub fn start(self, chain_id: ChainId, engine: &engine::Handle) -> RunningNetwork {
        let Self { runtime, listener, settings, shell } = self;
        let settings = p2p::Settings { chain_id, ..settings };
        let _inside = runtime.enter();
        let network = Network::start(settings, &shell, listener, engine.clone());
        RunningNetwork { network, runtime }
    }
}

impl RunningNetwork {
    /// Ends all connections and the threads.
    pub fn stop(self) {
        self.runtime.block_on(self.network.stop());
        // What still reads a block has to let the database go before the process ends.
        self.runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    }
}

async fn listen(endpoint: &str) -> anyhow::Result<TcpListener> {
    // As for nodeos, a port alone means every address.
    let bound = if endpoint.starts_with(':') { format!("[::]{endpoint}") } else { endpoint.to_owned() };
    let listener = TcpListener::bind(&bound)
        .await
        .with_context(|| format!("cannot listen on {endpoint} for peers; choose another --p2p-listen-endpoint"))?;
    tracing::info!("start listening on {} for peers", listener.local_addr().context("a socket has no address")?);
    Ok(listener)
}

fn settings(args: &NetArgs, endpoint: Option<&str>, producer_keys: Vec<PublicKey>) -> anyhow::Result<p2p::Settings> {
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
        (_, None) => String::new(),
    };
    anyhow::ensure!(
        server_address.len() <= ADDRESS_BYTES_MAX,
        "--p2p-listen-endpoint and --p2p-server-address may have {ADDRESS_BYTES_MAX} bytes, and {server_address} has more"
    );
    let own_key = |text: &String| -> anyhow::Result<(PublicKey, PrivateKey)> {
        let pair: (String, String) =
            serde_json::from_str(text).context("--peer-private-key is written as [\"PUBLIC\",\"PRIVATE\"]")?;
        let read = |fault| anyhow::anyhow!("--peer-private-key of {}: {fault}", pair.0);
        Ok((pair.0.parse().map_err(read)?, pair.1.parse().map_err(read)?))
    };
    let peer_key = |text: &String| {
        let key = text.trim_matches('"');
        key.parse::<PublicKey>().map_err(|fault| anyhow::anyhow!("--peer-key {key}: {fault}"))
    };
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
        redial_max_us: i64::from(args.connection_cleanup_period) * 1_000_000,
        allowed,
        peer_keys: args.peer_key.iter().map(peer_key).collect::<anyhow::Result<_>>()?,
        own_keys: args.peer_private_key.iter().map(own_key).collect::<anyhow::Result<_>>()?,
        producer_keys,
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
        Prepared::open(&args.net, Vec::new())
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
        assert!(refusal(&["--peer-key", "x"]).contains("--peer-key x"));
        assert!(refusal(&["--agent-name", &"x".repeat(400)]).contains("384"));
        assert!(refusal(&["--p2p-listen-endpoint", "256.1.1.1:1"]).contains("cannot listen"));
    }
}
