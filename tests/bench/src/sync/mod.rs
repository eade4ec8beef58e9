//! How long an empty node takes to a chain that its peers have: ours from nodeos, ours from ours, nodeos from nodeos; with
//! a liar among the sources; and killed each second on the way.
//!
//! Reading order: [`chain`] the chain, [`liar`] a source that lies.

mod chain;
mod liar;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::peers::{Peer, Peers, Running, free_port};
use crate::report::Report;
use crate::{Arguments, process};
use chain::Made;
pub use liar::Fault;
use liar::Liar;

const GENESIS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/genesis.json");
/// A sync that takes longer has failed.
const SYNC_LIMIT: Duration = Duration::from_secs(600);
/// How often a node is asked where it is.
const POLL: Duration = Duration::from_millis(20);
/// How long a node lives that is killed on the way.
const LIFE: Duration = Duration::from_secs(1);
/// Kills after which such a node should have arrived.
const KILLS_MAX: u32 = 200;
/// What all nodes have: they share a host, and nodeos' state does not grow by itself.
const OPTIONS: [&str; 8] = [
    "--genesis-json",
    GENESIS,
    "--p2p-max-nodes-per-host",
    "20",
    "--chain-state-db-size-mb",
    "4096",
    "--plugin",
    "eosio::net_api_plugin",
];

/// Blocks of a range where one of three sources may lie: so few that each of them is asked for some.
const SPAN: [&str; 2] = ["--sync-fetch-span", "20"];

/// Measures all of it, as often as rounds are wanted.
pub fn measure(arguments: &Arguments, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    let ground = tempfile::tempdir()?;
    let (begin, token) = (Instant::now(), peers.contract("eosio.token"));
    let (transfers, per_block) = (arguments.chain_transfers, arguments.block_transfers);
    let made = chain::make(Path::new(GENESIS), &token, transfers, per_block, ground.path())?;
    let bytes = made.blocks.iter().map(|block| block.len()).sum::<usize>() as f64;
    let (count, mb, took) = (made.blocks.len(), bytes / 1e6, begin.elapsed().as_secs_f64());
    report.remark(format!("The chain: {transfers} transfers in {count} blocks, {mb:.1} MB, made in {took:.0} s."));
    let sources = Sources::start(peers, &made, ground.path())?;
    for _ in 0..arguments.rounds {
        for peer in arguments.peers() {
            let synced = sources.sync(peer, &[&sources.plain])?;
            synced.report(report, peer, "sync from one nodeos");
            if peer == Peer::Nodeos {
                // Beside which the next figures of ours stand, too.
                synced.report(report, peer, "sync from two boreasd, nodeos from one nodeos");
            }
        }
        if arguments.only == Some(Peer::Nodeos) {
            continue;
        }
        let two = [&sources.encrypted[0][..], &sources.encrypted[1]];
        sources.sync(Peer::Boreas, &two)?.report(report, Peer::Boreas, "sync from two boreasd, nodeos from one nodeos");
        let wanted = |fault: &Fault| arguments.faults.is_empty() || arguments.faults.contains(fault);
        for fault in [Fault::Honest].into_iter().chain(Fault::LIES.into_iter().filter(wanted)) {
            sources.sync_with(fault, &made, report)?;
        }
        sources.sync_killed(report)?;
    }
    Ok(())
}

/// Nodes that have the chain.
struct Sources<'a> {
    peers: &'a Peers,
    /// Where nodeos is.
    plain: String,
    /// Where ours are.
    encrypted: [String; 2],
    /// The id of the last block.
    head: String,
    /// nodeos' hash of the state there.
    integrity: String,
    /// They run as long as this is there.
    _nodes: Vec<Running>,
}

/// A sync that is over.
struct Synced {
    seconds: f64,
    cpu_seconds: f64,
    peak_bytes: u64,
    log: String,
}

impl Synced {
    fn report(&self, report: &mut Report, peer: Peer, what: &str) {
        report.add(format!("{what}: s"), peer, self.seconds);
        report.add(format!("{what}: CPU seconds"), peer, self.cpu_seconds);
        report.add(format!("{what}: peak memory, MB"), peer, self.peak_bytes as f64 / 1e6);
    }
}

impl<'a> Sources<'a> {
    fn start(peers: &'a Peers, made: &Made, folder: &Path) -> anyhow::Result<Self> {
        let (nodeos, ours) = (folder.join("nodeos"), [folder.join("first"), folder.join("second")]);
        std::fs::create_dir_all(nodeos.join("blocks"))?;
        for file in ["blocks.log", "blocks.index"] {
            std::fs::copy(made.log.with_file_name(file), nodeos.join("blocks").join(file))?;
        }
        let plain = format!("127.0.0.1:{}", free_port()?);
        let mut nodes = Vec::new();
        let options = [&OPTIONS[2..], &["--p2p-listen-endpoint", &plain, "--replay-blockchain"]].concat();
        nodes.push(peers.launch(Peer::Nodeos, &nodeos, &options)?);

        let (mut encrypted, mut end) = ([String::new(), String::new()], Value::Null);
        for (folder, address) in ours.iter().zip(&mut encrypted) {
            std::fs::create_dir_all(folder)?;
            let mut command = peers.command(Peer::Boreas);
            command.args(["replay", "--json", "--blocks-log"]).arg(&made.log).arg("--data-dir").arg(folder);
            let (status, _, text) = process::run(command)?;
            ensure!(status.success(), "boreasd replay: {text}");
            end = serde_json::from_str(text.lines().last().unwrap_or_default())?;
            *address = format!("/ip4/127.0.0.1/tcp/{}", free_port()?);
            let options = [&OPTIONS[2..], &["--p2p-listen-endpoint", address]].concat();
            nodes.push(peers.launch(Peer::Boreas, folder, &options)?);
        }
        nodes.iter().try_for_each(|node| node.wait_for_block(made.blocks.len() as u64))?;
        let info = nodes[0].info().context("nodeos answers")?;
        let head = info["head_block_id"].as_str().context("an id")?.to_owned();
        let integrity = end["integrity_hash"].as_str().context("a replay ends with a hash")?.to_owned();
        Ok(Self { peers, plain, encrypted, head, integrity, _nodes: nodes })
    }

    /// Starts an empty node, or one that was killed.
    fn launch(&self, peer: Peer, folder: &Path, from: &[&str], more: &[&str]) -> anyhow::Result<Running> {
        let mut options = [&OPTIONS, more].concat();
        if peer == Peer::Nodeos {
            options.extend(["--p2p-listen-endpoint", "127.0.0.1:0"]);
        }
        options.extend(from.iter().flat_map(|address| ["--p2p-peer-address", *address]));
        self.peers.launch(peer, folder, &options)
    }

    fn has_arrived(&self, node: &Running) -> bool {
        node.info().is_some_and(|info| info["head_block_id"] == self.head.as_str())
    }

    /// Waits for the last block, and compares the state there.
    fn arrive(&self, node: &Running, begin: Instant) -> anyhow::Result<Synced> {
        while !self.has_arrived(node) {
            ensure!(begin.elapsed() < SYNC_LIMIT, "the sync does not end; the log does:\n{}", node.log_end());
            std::thread::sleep(POLL);
        }
        let seconds = begin.elapsed().as_secs_f64();
        let (cpu_seconds, peak_bytes) = (node.process.cpu_seconds()?, node.process.peak_bytes()?);
        self.check(node)?;
        Ok(Synced { seconds, cpu_seconds, peak_bytes, log: node.log() })
    }

    fn check(&self, node: &Running) -> anyhow::Result<()> {
        let state = node.api.call("/v1/producer/get_integrity_hash", &json!({}))?;
        ensure!(state["integrity_hash"] == self.integrity.as_str(), "the sync ends on another state: {state}");
        Ok(())
    }

    fn sync(&self, peer: Peer, from: &[&str]) -> anyhow::Result<Synced> {
        self.sync_so(peer, from, &[])
    }

    fn sync_so(&self, peer: Peer, from: &[&str], more: &[&str]) -> anyhow::Result<Synced> {
        let folder = tempfile::tempdir()?;
        let begin = Instant::now();
        let node = self.launch(peer, folder.path(), from, more)?;
        let synced = self.arrive(&node, begin)?;
        node.process.stop()?;
        Ok(synced)
    }

    /// From two of ours, and a third source with a fault.
    fn sync_with(&self, fault: Fault, made: &Made, report: &mut Report) -> anyhow::Result<()> {
        let liar = Liar::start(fault, made)?;
        let from = [&liar.address[..], &self.encrypted[0], &self.encrypted[1]];
        let synced = self.sync_so(Peer::Boreas, &from, &SPAN)?;
        let what = |fault: Fault| format!("sync from three, one of them {}: s", fault.words());
        report.add(what(fault), Peer::Boreas, synced.seconds);
        if fault != Fault::Honest {
            let honest = report.median(&what(Fault::Honest), Peer::Boreas);
            let (later, told) = ((synced.seconds / honest - 1.0) * 100.0, told(&synced.log, &liar.address));
            report.remark(format!("A source with the fault \"{}\": {later:+.0} %, and {told}", fault.words()));
        }
        Ok(())
    }

    /// From two of ours, killed each second.
    fn sync_killed(&self, report: &mut Report) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let from = [&self.encrypted[0][..], &self.encrypted[1]];
        let (begin, mut kills, mut arrived) = (Instant::now(), 0, false);
        while !arrived {
            ensure!(kills < KILLS_MAX, "a node that is killed each second does not arrive");
            let (born, node) = (Instant::now(), self.launch(Peer::Boreas, folder.path(), &from, &[])?);
            while !arrived && born.elapsed() < LIFE {
                std::thread::sleep(POLL);
                arrived = self.has_arrived(&node);
            }
            if arrived {
                report.add("sync from two, killed each second: s", Peer::Boreas, begin.elapsed().as_secs_f64());
                report.add("sync from two, killed each second: kills", Peer::Boreas, f64::from(kills));
                self.check(&node)?;
            }
            kills += u32::from(!arrived);
        }
        Ok(())
    }
}

/// What a node's log says of a peer that it parted with.
fn told(log: &str, address: &str) -> String {
    let of_it = |line: &&str| line.contains(address) || line.contains(" liar:1");
    let consequences = ["is banned", "is disconnected", "is slow", "connection to "];
    let lines: Vec<_> = log.lines().filter(of_it).collect();
    let said = consequences.iter().find_map(|words| lines.iter().find(|line| line.contains(words)));
    let said = said.and_then(|line| line.split_once("] "));
    said.map_or_else(|| "the node says nothing of it".to_owned(), |(_, said)| format!("the node says: {said}"))
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn what_a_log_says_of_a_liar_is_found() {
        let log = "info  2026-11-28T09:00:00.000 net       ] connected to liar:1 - 4a4a4a4, agent judge\n\
                   warn  2026-11-28T09:00:01.000 net       ] peer liar:1 - 4a4a4a4 is banned for a while: its block\n";
        assert_eq!(told(log, "127.0.0.1:1"), "the node says: peer liar:1 - 4a4a4a4 is banned for a while: its block");
        let ended = "info  2026-11-28T09:00:02.000 net       ] connection to liar:1 - 4a4a4a4 ends";
        assert_eq!(told(ended, "127.0.0.1:1"), "the node says: connection to liar:1 - 4a4a4a4 ends");
        assert_eq!(told(log.lines().next().unwrap_or_default(), "127.0.0.1:1"), "the node says nothing of it");
    }
}
