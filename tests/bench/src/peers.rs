//! The two nodes that are compared, and how each is started.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use client::Node;
use serde_json::{Value, json};

use crate::process::Process;

/// A node that does not answer after this is broken.
const START_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(2);
/// Lines of a node's log that are shown when it does not do what it should.
const LAST_LINES: usize = 20;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// This project's node.
    Boreas,
    /// The real nodeos.
    Nodeos,
}

/// Where the binaries are.
#[derive(Debug)]
pub struct Peers {
    boreasd: PathBuf,
    oracle: PathBuf,
}

/// A node that answers.
#[derive(Debug)]
pub struct Running {
    /// Its process.
    pub process: Process,
    /// Its HTTP API.
    pub api: Node,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// From the start of the process to the first produced block that `get_info` shows.
    pub first_block: Duration,
    log: PathBuf,
}

impl Peers {
    /// Installs nodeos under the target folder where it is not yet; `boreasd` is the one built beside this program.
    pub fn find() -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("the program's own path")?;
        let profile = own.parent().context("the program lies in a folder")?;
        let boreasd = profile.join("boreasd");
        ensure!(boreasd.exists(), "{} is missing: cargo build --release --bins", boreasd.display());
        let oracle = profile.parent().context("the profile's folder lies in the target folder")?.join("peer");
        let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peer/install");
        let status = Command::new(&install).arg(&oracle).status().context("cannot run tests/peer/install")?;
        ensure!(status.success(), "nodeos could not be installed");
        Ok(Self { boreasd, oracle })
    }

    /// The folder of a contract that CDT compiled.
    pub fn contract(&self, name: &str) -> PathBuf {
        self.oracle.join("contracts").join(name)
    }

    /// The command of a peer.
    pub fn command(&self, peer: Peer) -> Command {
        match peer {
            Peer::Boreas => Command::new(&self.boreasd),
            Peer::Nodeos => {
                let mut command = Command::new(self.oracle.join("bin/nodeos"));
                // It would stop on a disk that is nine tenths full.
                command.arg("--resource-monitor-not-shutdown-on-threshold-exceeded");
                command
            }
        }
    }

    /// Starts a node on a folder, a development chain of ours or an empty chain of nodeos, and stops it: the time from the
    /// start of the process to the first answer of `get_info`. `cache` holds the code that ours compiled.
    pub fn first_answer(&self, peer: Peer, folder: &Path, cache: &Path) -> anyhow::Result<Duration> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = self.command(peer);
        match peer {
            Peer::Boreas => command.arg("dev"),
            Peer::Nodeos => command.args(["-e", "-p", "eosio", "--plugin", "eosio::chain_api_plugin"]),
        };
        command.arg("--data-dir").arg(folder).arg("--config-dir").arg(folder.join("config"));
        command.args(["--http-server-address", &address]).env("XDG_CACHE_HOME", cache);
        if peer == Peer::Nodeos {
            command.args(["--p2p-listen-endpoint", &format!("127.0.0.1:{}", free_port()?)]);
        }
        let api = Node::new(&address, Vec::new());
        let begin = Instant::now();
        let process = Process::start(command, &folder.join("node.log"))?;
        while api.call("/v1/chain/get_info", &json!({})).is_err() {
            ensure!(begin.elapsed() < START_LIMIT, "{peer:?} does not answer");
            std::thread::sleep(POLL);
        }
        let needed = begin.elapsed();
        process.stop()?;
        Ok(needed)
    }

    /// Starts a producing node on an empty folder and waits for its first block.
    pub fn start(&self, peer: Peer, folder: &Path, arguments: &[&str]) -> anyhow::Result<Running> {
        let p2p = format!("127.0.0.1:{}", free_port()?);
        let mut all = vec!["-e", "-p", "eosio"];
        if peer == Peer::Nodeos {
            all.extend(["--p2p-listen-endpoint", &p2p]);
        }
        all.extend(arguments);
        let begin = Instant::now();
        let mut running = self.launch(peer, folder, &all)?;
        running.wait_for_block(2)?;
        running.first_block = begin.elapsed();
        Ok(running)
    }

    /// Starts a node on a folder and waits for nothing.
    pub fn launch(&self, peer: Peer, folder: &Path, arguments: &[&str]) -> anyhow::Result<Running> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = self.command(peer);
        command
            .arg("--data-dir")
            .arg(folder)
            .arg("--config-dir")
            .arg(folder.join("config"))
            .args(["--http-server-address", &address, "--http-validate-host=false"])
            .args(["--plugin", "eosio::chain_api_plugin", "--plugin", "eosio::producer_api_plugin"])
            .args(arguments);
        let log = folder.join("node.log");
        let process = Process::start(command, &log)?;
        Ok(Running { process, api: Node::new(&address, Vec::new()), address, first_block: Duration::ZERO, log })
    }
}

impl Running {
    /// `get_info`, if the node answers.
    pub fn info(&self) -> Option<Value> {
        self.api.call("/v1/chain/get_info", &json!({})).ok()
    }

    /// Waits until it has a block with this number.
    pub fn wait_for_block(&self, number: u64) -> anyhow::Result<()> {
        let begin = Instant::now();
        while self.info().is_none_or(|info| info["head_block_num"].as_u64() < Some(number)) {
            ensure!(begin.elapsed() < START_LIMIT, "no block {number}; the node's log ends:\n{}", self.log_end());
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// What it printed and logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of that.
    pub fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    /// The number of the newest block.
    pub fn head(&self) -> anyhow::Result<u64> {
        self.info().and_then(|info| info["head_block_num"].as_u64()).context("the node stopped answering")
    }
}

/// A port of loopback that nobody listens on.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
