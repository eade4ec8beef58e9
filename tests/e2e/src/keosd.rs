//! A keosd as block signer.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::Node;
use serde_json::json;

use crate::{Peer, free_port};

/// keosd that does not answer after this is broken.
const START_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// A running keosd with an unlocked wallet, killed when dropped.
#[derive(Debug)]
pub struct Keosd {
    process: Child,
    /// Its address.
    pub url: String,
    /// Its Unix socket.
    pub socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Keosd {
    /// Starts it with a wallet that holds a key.
    ///
    /// # Panics
    /// When it does not start, or refuses the key.
    pub fn with_key(peer: &Peer, private_key: &str) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let address = format!("127.0.0.1:{}", free_port());
        let socket = folder.path().join("keosd.sock");
        let process = peer
            .program("keosd")
            .args(["--http-server-address", &address, "--unlock-timeout", "9999", "--unix-socket-path"])
            .arg(&socket)
            .arg("--data-dir")
            .arg(folder.path())
            .arg("--config-dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("keosd starts");
        let keosd = Self { process, url: format!("http://{address}"), socket, _folder: folder };
        let api = Node::new(&keosd.url, Vec::new());
        let begin = Instant::now();
        while let Err(error) = api.call("/v1/wallet/create", &json!("test")) {
            assert!(begin.elapsed() < START_LIMIT, "keosd does not answer: {error}");
            std::thread::sleep(POLL);
        }
        api.call("/v1/wallet/import_key", &json!(["test", private_key])).expect("keosd takes the key");
        keosd
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
