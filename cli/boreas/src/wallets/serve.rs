//! `boreas wallet serve`: keosd's HTTP API in front of wallet files, for cleos and whatever else asks a keosd.

mod agent;
mod endpoints;
mod fault;
mod http;

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use clap::builder::BoolishValueParser;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName,
};
use tokio::net::{TcpListener, UnixListener};
use wallet::Folder;

use crate::session::note;
use agent::Agent;

/// Where keosd, and with it cleos, looks for its socket below the user's folder.
const DATA_FOLDER: &str = "eosio-wallet";

/// Options of keosd.
#[derive(Args)]
pub struct Serve {
    /// The folder of the Unix socket [default: ~/eosio-wallet, where cleos looks for it]
    #[arg(short, long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The folder of the wallet files, from the data folder on [default: this user's wallets, or --data-dir]
    #[arg(long, value_name = "DIR")]
    wallet_dir: Option<PathBuf>,
    /// The Unix socket to serve at, from the data folder on; empty for none
    #[arg(long, value_name = "FILE", default_value = "keosd.sock")]
    unix_socket_path: String,
    /// The address to serve HTTP at, such as 127.0.0.1:8900; none when not given
    #[arg(long, value_name = "HOST:PORT", default_value = "")]
    http_server_address: String,
    /// Seconds without a request after which all wallets lock themselves
    #[arg(long, value_name = "SECONDS", default_value_t = wallet::IDLE_DEFAULT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=wallet::IDLE_MAX.as_secs()))]
    unlock_timeout: u64,
    /// Turn away requests whose Host header names another machine
    #[arg(long, value_name = "BOOLEAN", default_value = "true", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    http_validate_host: bool,
    /// Another name that a Host header may have (repeatable)
    #[arg(long, value_name = "HOST")]
    http_alias: Vec<String>,
    /// The origin of web pages that may call
    #[arg(long, value_name = "ORIGIN")]
    access_control_allow_origin: Option<String>,
    /// Access-Control-Allow-Headers of answers
    #[arg(long, value_name = "HEADERS")]
    access_control_allow_headers: Option<String>,
    /// Access-Control-Max-Age of answers
    #[arg(long, value_name = "SECONDS")]
    access_control_max_age: Option<String>,
    /// Send Access-Control-Allow-Credentials: true
    #[arg(long)]
    access_control_allow_credentials: bool,
    /// Bytes that a request's body may have
    #[arg(long, value_name = "BYTES", default_value_t = 2_097_152)]
    max_body_size: usize,
    /// Tell all messages of a failure
    #[arg(long)]
    verbose_http_errors: bool,
    /// Keep connections open after an answer
    #[arg(long, value_name = "BOOLEAN", default_value = "true", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    http_keep_alive: bool,
    /// Of keosd, without meaning here: no configuration is read
    #[arg(long, hide = true)]
    config_dir: Option<PathBuf>,
    /// Of keosd, without meaning here
    #[arg(long, hide = true)]
    http_threads: Option<u16>,
    /// Of keosd, without meaning here: connections are bounded
    #[arg(long, hide = true, allow_negative_numbers = true)]
    http_max_bytes_in_flight_mb: Option<String>,
    /// Of keosd, without meaning here: connections are bounded
    #[arg(long, hide = true, allow_negative_numbers = true)]
    http_max_in_flight_requests: Option<String>,
    /// Of keosd, without meaning here
    #[arg(long, hide = true, allow_negative_numbers = true)]
    http_max_response_time_ms: Option<String>,
}

impl Serve {
    /// Serves until it is stopped.
    pub fn run(self) -> anyhow::Result<()> {
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(DATA_FOLDER);
        let data = self.data_dir.clone().unwrap_or_else(home);
        let folder = match (&self.wallet_dir, &self.data_dir) {
            (Some(wallets), _) => Folder(data.join(wallets)),
            (None, Some(_)) => Folder(data.clone()),
            (None, None) => Folder::of_user(),
        };
        let socket = (!self.unix_socket_path.is_empty()).then(|| data.join(&self.unix_socket_path));
        ensure!(
            socket.is_some() || !self.http_server_address.is_empty(),
            "there is nothing to serve at: give --unix-socket-path, or --http-server-address such as 127.0.0.1:8900"
        );
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&data)
            .with_context(|| format!("{} cannot be made", data.display()))?;
        wallet::give_memory_back();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("the server cannot start")?;
        let agent = Agent::new(folder.clone(), Duration::from_secs(self.unlock_timeout));
        runtime.block_on(async {
            let tcp = listen(&self.http_server_address).await?;
            let unix = socket.as_deref().map(listen_unix).transpose()?;
            let places = [socket.as_deref().map(|path| format!("unix://{}", path.display())), tcp_url(tcp.as_ref())];
            let places: Vec<_> = places.into_iter().flatten().collect();
            note(format!("serving the wallets of {} at {}", folder.0.display(), places.join(" and ")));
            http::Server::new(agent, self.settings()).run(tcp, unix).await.context("the server cannot go on")
        })?;
        // The socket of a server that is gone answers nobody.
        socket.map_or(Ok(()), std::fs::remove_file).or_else(|_| Ok(()))
    }

    fn settings(self) -> http::Settings {
        let credentials = self.access_control_allow_credentials.then(|| "true".to_owned());
        let headers: [(HeaderName, Option<String>); 3] = [
            (ACCESS_CONTROL_ALLOW_HEADERS, self.access_control_allow_headers),
            (ACCESS_CONTROL_MAX_AGE, self.access_control_max_age),
            (ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials),
        ];
        http::Settings {
            body_bytes_max: self.max_body_size,
            verbose_errors: self.verbose_http_errors,
            validate_host: self.http_validate_host,
            hosts: self
                .http_alias
                .into_iter()
                .chain([self.http_server_address])
                .filter(|host| !host.is_empty())
                .collect(),
            allow_origin: self.access_control_allow_origin,
            headers: headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            keep_alive: self.http_keep_alive,
        }
    }
}

fn tcp_url(listener: Option<&TcpListener>) -> Option<String> {
    Some(format!("http://{}", listener?.local_addr().ok()?))
}

async fn listen(address: &str) -> anyhow::Result<Option<TcpListener>> {
    if address.is_empty() {
        return Ok(None);
    }
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!("{address} is in use by another program: another keosd?"),
        _ => anyhow::Error::new(error).context(format!("{address} cannot be listened at")),
    })?;
    if listener.local_addr().is_ok_and(|local| !local.ip().is_loopback()) {
        note(format!(
            "warning: {address} can be reached from other machines, and HTTP is not encrypted: passwords and private keys \
             are open to who listens"
        ));
    }
    Ok(Some(listener))
}

/// Listens at a Unix socket that only its owner may use. A socket that nobody listens at any more is replaced.
fn listen_unix(path: &Path) -> anyhow::Result<UnixListener> {
    use std::os::unix::fs::FileTypeExt;

    let shown = path.display();
    match std::fs::symlink_metadata(path) {
        Ok(data) if data.file_type().is_socket() => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                bail!("{shown} is in use by another program: another keosd?");
            }
            std::fs::remove_file(path).with_context(|| format!("{shown} cannot be replaced"))?;
        }
        Ok(_) => bail!("{shown} is there, and is not a socket; name another place with --unix-socket-path"),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).with_context(|| format!("{shown} cannot be listened at"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("{shown} cannot be made private"))?;
    Ok(listener)
}
