//! A keosd: the real one, or `boreas wallet serve`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::Node;
use serde_json::{Value, json};

use crate::{Peer, binary, exchange, free_port};

/// keosd that does not answer after this is broken.
const START_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// A running keosd, killed when dropped.
#[derive(Debug)]
pub struct Keosd {
    process: Child,
    /// Its address.
    pub url: String,
    /// Its Unix socket.
    pub socket: PathBuf,
    folder: tempfile::TempDir,
}

impl Keosd {
    /// Starts the real one with a wallet that holds a key.
    ///
    /// # Panics
    /// When it does not start, or refuses the key.
    pub fn with_key(peer: &Peer, private_key: &str) -> Self {
        let keosd = Self::start(peer);
        let api = Node::new(&keosd.url, Vec::new());
        api.call("/v1/wallet/create", &json!("test")).expect("keosd makes a wallet");
        api.call("/v1/wallet/import_key", &json!(["test", private_key])).expect("keosd takes the key");
        keosd
    }

    /// Starts the real one.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(peer: &Peer) -> Self {
        Self::launch(peer.program("keosd"), &[])
    }

    /// Starts ours, with further arguments.
    ///
    /// # Panics
    /// When it does not start.
    pub fn ours(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary("boreas"));
        command.args(["wallet", "serve"]);
        Self::launch(command, arguments)
    }

    /// Kilobytes of memory that it had at its most.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn most_memory_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("the process");
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a figure");
        most.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    fn launch(mut command: Command, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let address = format!("127.0.0.1:{}", free_port());
        let socket = folder.path().join("keosd.sock");
        let process = command
            .args(["--http-server-address", &address, "--unlock-timeout", "9999", "--unix-socket-path"])
            .arg(&socket)
            .arg("--data-dir")
            .arg(folder.path())
            .arg("--config-dir")
            .arg(folder.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("keosd starts");
        let keosd = Self { process, url: format!("http://{address}"), socket, folder };
        let (api, begin) = (Node::new(&keosd.url, Vec::new()), Instant::now());
        while let Err(error) = api.call("/v1/wallet/list_wallets", &Value::Null) {
            assert!(begin.elapsed() < START_LIMIT, "keosd does not answer: {error}");
            std::thread::sleep(POLL);
        }
        keosd
    }

    /// The folder of its wallets and its socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it answers: status and body.
    ///
    /// # Panics
    /// When it does not answer in HTTP.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let address = self.url.trim_start_matches("http://");
        let host =
            if headers.to_lowercase().contains("host:") { String::new() } else { format!("Host: {address}\r\n") };
        let head =
            format!("{method} {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\nContent-Length: {}", body.len());
        let answer = exchange(address, format!("{head}\r\n\r\n{body}").as_bytes());
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        (status.expect("a status"), body.expect("a body"))
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it goes on.
    pub fn wait_for_end(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < START_LIMIT {
            if let Some(status) = self.process.try_wait().expect("the process can be asked") {
                return status.success();
            }
            std::thread::sleep(POLL);
        }
        panic!("it goes on");
    }

    /// Stops it in its tracks, or lets it go on.
    ///
    /// # Panics
    /// When it is gone.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let done = Command::new("kill").args([signal, &self.process.id().to_string()]).status().expect("kill runs");
        assert!(done.success());
    }
}

impl Drop for Keosd {
    fn drop(&mut self) {
        // Both fail where the process is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
