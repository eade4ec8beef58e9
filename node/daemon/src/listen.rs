//! Where the API is served: one address for all of it, a Unix socket beside it, or addresses for parts of it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io::ErrorKind;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use api::{Category, Connections, HttpSettings, Node, Shared, Socket};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

use crate::settings::args::HttpArgs;

/// Descriptors that the database, files and everything else need beside connections.
const DESCRIPTORS_RESERVED: u64 = 256;

/// Connections that may wait until they are taken. The system answers more of them only when they try again after a
/// second, honest ones too.
const WAITING_MAX: libc::c_int = 1024;

/// The value of `--http-server-address` with which categories have addresses of their own.
const BY_CATEGORY: &str = "http-category-address";

/// A place to listen at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `HOST:PORT`; without a host every address.
    Tcp(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The places with the categories that each serves; none for all.
pub type Places = BTreeMap<Place, Option<BTreeSet<Category>>>;

/// What the options say.
///
/// # Errors
/// A category is none, or options contradict each other.
pub fn places(args: &HttpArgs, data_dir: &Path) -> anyhow::Result<Places> {
    let mut places = Places::new();
    let by_category = args.http_server_address == BY_CATEGORY;
    anyhow::ensure!(
        by_category != args.http_category_address.is_empty() && (!by_category || args.unix_socket_path.is_empty()),
        "--http-category-address goes with --http-server-address {BY_CATEGORY}, each only with the other, and without \
         --unix-socket-path"
    );
    if !by_category && !args.http_server_address.is_empty() {
        places.insert(Place::Tcp(args.http_server_address.clone()), None);
    }
    if !args.unix_socket_path.is_empty() {
        places.insert(Place::Unix(data_dir.join(&args.unix_socket_path)), None);
    }
    let mut hosts = BTreeMap::new();
    for spec in &args.http_category_address {
        let (name, address) =
            spec.split_once(',').with_context(|| format!("--http-category-address {spec} is not CATEGORY,ADDRESS"))?;
        let category = Category::named(name).with_context(|| {
            let names: Vec<_> = Category::names().collect();
            format!("--http-category-address {spec}: there is no category {name}; there are {}", names.join(", "))
        })?;
        let place = if address.starts_with(['/', '.']) {
            Place::Unix(data_dir.join(address))
        } else {
            let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
            let known = *hosts.entry(port).or_insert(host);
            anyhow::ensure!(
                known == host,
                "--http-category-address {spec}: port {port} cannot be listened to for both {known} and {host}"
            );
            Place::Tcp(address.to_owned())
        };
        places.entry(place).or_insert_with(|| Some(BTreeSet::new())).get_or_insert_default().insert(category);
    }
    Ok(places)
}

/// Sockets that listen and are not served yet: clients wait. Unix sockets are removed when this is dropped.
#[derive(Debug, Default)]
pub struct Listeners {
    /// How a client on this machine reaches the first of them.
    pub url: Option<String>,
    open: Vec<(Place, Option<BTreeSet<Category>>, Socket)>,
    files: Vec<SocketFile>,
}

/// The API being served, until dropped.
#[derive(Debug)]
pub struct Servers {
    _tasks: JoinSet<Infallible>,
    _files: Vec<SocketFile>,
}

impl Servers {
    /// Begins to serve.
    pub fn start(listeners: Listeners, node: Node, settings: &HttpSettings) -> Self {
        let mut tasks = JoinSet::new();
        let connections = Connections::new(connections_max());
        tracing::debug!("there may be {} connections", connections.max());
        let shared = Shared::new(node, connections);
        for (place, categories, socket) in listeners.open {
            let mut settings = settings.clone();
            if let Place::Tcp(address) = &place {
                settings.address.clone_from(address);
            }
            tasks.spawn(api::serve(socket, shared.clone(), settings, categories));
        }
        Self { _tasks: tasks, _files: listeners.files }
    }
}

impl Listeners {
    /// Listens at all places.
    ///
    /// # Errors
    /// A place cannot be listened at.
    pub async fn open(places: Places) -> anyhow::Result<Self> {
        let mut listeners = Self::default();
        for (place, categories) in places {
            let socket = match &place {
                Place::Tcp(address) => listeners.listen_tcp(address).await?,
                Place::Unix(path) => listeners.listen_unix(path)?,
            };
            listeners.open.push((place, categories, socket));
        }
        Ok(listeners)
    }

    async fn listen_tcp(&mut self, address: &str) -> anyhow::Result<Socket> {
        // As for nodeos, a port alone means every address.
        let bound = if address.starts_with(':') { format!("[::]{address}") } else { address.to_owned() };
        let listener = TcpListener::bind(&bound)
            .await
            .with_context(|| format!("cannot listen on {address}; choose another --http-server-address"))?;
        // SAFETY: the descriptor is that of a socket that listens already; only how many may wait changes.
        unsafe { libc::listen(listener.as_raw_fd(), WAITING_MAX) };
        let local = listener.local_addr().context("a socket has no address")?;
        tracing::info!("start listening on {local} for the HTTP API");
        if self.url.is_none() {
            let host = if local.ip().is_unspecified() { "127.0.0.1".to_owned() } else { host_of(local) };
            self.url = Some(format!("http://{host}:{}", local.port()));
        }
        Ok(Socket::Tcp(listener))
    }

    fn listen_unix(&mut self, path: &Path) -> anyhow::Result<Socket> {
        // The socket of a process that was killed is still there, and nobody answers.
        if path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket()) {
            anyhow::ensure!(
                sockets::connect(path).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused),
                "another process serves the socket {}. Stop it, or choose another --unix-socket-path",
                path.display()
            );
            std::fs::remove_file(path).with_context(|| format!("cannot remove the old socket {}", path.display()))?;
        }
        anyhow::ensure!(
            path.symlink_metadata().is_err(),
            "{} is there already and is not a socket; choose another --unix-socket-path",
            path.display()
        );
        let listener = sockets::listen(path)
            .and_then(|listener| {
                listener.set_nonblocking(true)?;
                UnixListener::from_std(listener)
            })
            .with_context(|| format!("cannot listen on the socket {}; see --unix-socket-path", path.display()))?;
        tracing::info!("start listening on {} for the HTTP API", path.display());
        self.files.push(SocketFile::new(path));
        Ok(Socket::Unix(listener))
    }
}

/// The file of a Unix socket of ours, removed when dropped unless it has become another's.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and number of the file.
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path) }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            // A socket that stays is removed by the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|file| (file.dev(), file.ino()))
}

/// As many connections as there are descriptors for, once the process has all that the system gives it.
fn connections_max() -> usize {
    let descriptors = rlimit::increase_nofile_limit(rlimit::INFINITY).unwrap_or_else(|error| {
        tracing::warn!("the limit of open files cannot be raised: {error}");
        DESCRIPTORS_RESERVED
    });
    usize::try_from(descriptors.saturating_sub(DESCRIPTORS_RESERVED)).unwrap_or(usize::MAX)
}

fn host_of(address: std::net::SocketAddr) -> String {
    if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Work, parse};

    fn places_of(words: &[&str]) -> anyhow::Result<Places> {
        let words = ["boreasd", "--config-dir", "/nonexistent"].iter().chain(words).map(Into::into);
        let Work::Node(args) = parse(&words.collect::<Vec<_>>())?.work else { unreachable!("no subcommand") };
        places(&args.http, Path::new("/data"))
    }

    #[test]
    fn one_address_or_a_socket_or_both_serve_everything() {
        let both = places_of(&["--unix-socket-path", "node.sock", "--http-server-address", ":80"]).unwrap();
        let expected = [(Place::Tcp(":80".to_owned()), None), (Place::Unix("/data/node.sock".into()), None)];
        assert_eq!(both.into_iter().collect::<Vec<_>>(), expected);
        assert!(places_of(&["--http-server-address", ""]).unwrap().is_empty());
    }

    #[test]
    fn categories_share_addresses() {
        let spec = ["chain_ro,127.0.0.1:1", "chain_rw,127.0.0.1:1", "producer_rw,./p.sock"];
        let words = spec.iter().flat_map(|spec| ["--http-category-address", spec]);
        let words: Vec<_> = ["--http-server-address", BY_CATEGORY].into_iter().chain(words).collect();
        let places = places_of(&words).unwrap();
        assert_eq!(places.len(), 2);
        assert_eq!(places[&Place::Tcp("127.0.0.1:1".to_owned())].as_ref().map(BTreeSet::len), Some(2));
    }

    #[test]
    fn contradictions_are_named() {
        let wrong = |words: &[&str]| places_of(words).unwrap_err().to_string();
        assert!(wrong(&["--http-category-address", "chain_ro,:1"]).contains("goes with"));
        assert!(wrong(&["--http-server-address", BY_CATEGORY]).contains("goes with"));
        let by_category = |specs: &[&'static str]| {
            let words = specs.iter().flat_map(|spec| ["--http-category-address", spec]);
            wrong(&["--http-server-address", BY_CATEGORY].into_iter().chain(words).collect::<Vec<_>>())
        };
        assert!(by_category(&["chain,:1"]).contains("there is no category chain"));
        assert!(by_category(&["chain_ro"]).contains("CATEGORY,ADDRESS"));
        assert!(by_category(&["chain_ro,a:1", "chain_rw,b:1"]).contains("both a and b"));
    }
}
