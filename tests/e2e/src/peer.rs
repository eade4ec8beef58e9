//! The real nodeos, cleos and keosd, from the package that `tests/peer/install` installs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::Node;
use serde_json::json;

use crate::node::FIRST_BLOCKS;
use crate::{free_port, target_dir};

/// nodeos that has not made its first blocks after this is broken.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Where they are.
#[derive(Debug)]
pub struct Peer {
    folder: PathBuf,
}

impl Peer {
    /// Installs them under the target folder where they are not yet. `None`, with a line that says so, on a system
    /// whose packages have no Python 3.11: what they come in is made for that one.
    ///
    /// # Panics
    /// When the installation fails.
    pub fn find() -> Option<Self> {
        if Command::new("python3.11").args(["-c", "import ensurepip"]).output().is_ok_and(|run| !run.status.success())
            || Command::new("python3.11").arg("--version").output().is_err()
        {
            eprintln!("SKIPPED: the real cleos and nodeos need python3.11 with venv, which this system does not have");
            return None;
        }
        let folder = target_dir().join("peer");
        let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peer/install");
        let status = Command::new(install).arg(&folder).status().expect("tests/peer/install runs");
        assert!(status.success(), "nodeos could not be installed in {}", folder.display());
        Some(Self { folder })
    }

    /// `cleos` or `keosd`; for nodeos see [`Peer::nodeos`].
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.folder.join("bin").join(name))
    }

    /// nodeos. On a disk that is nearly full it would end soon after its start.
    pub fn nodeos(&self) -> Command {
        let mut command = self.program("nodeos");
        command.arg("--resource-monitor-not-shutdown-on-threshold-exceeded");
        command
    }

    /// Starts nodeos on a new chain of its own, with a folder for its data and its log.
    ///
    /// # Panics
    /// When it does not produce.
    pub fn serve(&self, folder: &Path) -> RunningNodeos {
        self.serve_with(folder, &[])
    }

    /// The same with further arguments, on a folder that may hold a chain already.
    ///
    /// # Panics
    /// When it does not produce.
    pub fn serve_with(&self, folder: &Path, arguments: &[&str]) -> RunningNodeos {
        let peers = format!("127.0.0.1:{}", free_port());
        let running = self.join(folder, &[&["-e", "-p", "eosio", "--p2p-listen-endpoint", &peers], arguments].concat());
        let (api, begin) = (Node::new(&running.url, Vec::new()), Instant::now());
        let head = || api.call("/v1/chain/get_info", &json!({})).ok()?["head_block_num"].as_u64();
        while head() <= Some(FIRST_BLOCKS) {
            assert!(begin.elapsed() < START_LIMIT, "nodeos does not produce, see {}/nodeos.log", folder.display());
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }

    /// Starts nodeos with these arguments, a folder and an address, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn join(&self, folder: &Path, arguments: &[&str]) -> RunningNodeos {
        let address = format!("127.0.0.1:{}", free_port());
        let log_path = folder.join("nodeos.log");
        let log = std::fs::File::create(&log_path).expect("the folder can be written");
        let process = self
            .nodeos()
            .args([Path::new("--data-dir"), folder, Path::new("--config-dir"), folder])
            .args(["--plugin", "eosio::chain_api_plugin", "--eos-vm-oc-enable", "none"])
            .args(["--http-server-address", &address, "--max-transaction-time", "400"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be cloned"))
            .stderr(log)
            .spawn()
            .expect("nodeos starts");
        let running = RunningNodeos { process, log: log_path, url: format!("http://{address}") };
        let (api, begin) = (Node::new(&running.url, Vec::new()), Instant::now());
        while api.call("/v1/chain/get_info", &json!({})).is_err() {
            let log = || std::fs::read_to_string(&running.log).unwrap_or_default();
            assert!(begin.elapsed() < START_LIMIT, "nodeos does not answer:\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }

    /// The folder of a contract that CDT compiled.
    pub fn contract(&self, name: &str) -> PathBuf {
        self.folder.join("contracts").join(name)
    }
}

/// A running nodeos, killed when dropped.
#[derive(Debug)]
pub struct RunningNodeos {
    process: Child,
    log: PathBuf,
    /// The URL of its HTTP API.
    pub url: String,
}

impl RunningNodeos {
    /// SIGTERM; waits until it has written down what it knows, and gives its log.
    ///
    /// # Panics
    /// When it does not end well.
    pub fn stop(mut self) -> String {
        let signalled = Command::new("kill").arg(self.process.id().to_string()).status().expect("kill runs");
        assert!(signalled.success());
        let status = self.process.wait().expect("a child can be waited for");
        let log = std::fs::read(&self.log).expect("nodeos has a log");
        let log = String::from_utf8_lossy(&log).into_owned();
        assert!(status.success(), "nodeos ended with {status}:\n{log}");
        log
    }
}

impl Drop for RunningNodeos {
    fn drop(&mut self) {
        // Both fail where the process is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
