//! The benchmarks. Peers take turns, so that a machine that grows slower is slower for both.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;

use crate::peers::{Peer, Peers, Running};
use crate::report::Report;
use crate::{Arguments, load, process, workload};

/// After the last answer, until the last transfer is in a block.
const SETTLE: Duration = Duration::from_millis(1600);
/// After the start, until memory is read.
const IDLE: Duration = Duration::from_secs(4);
const GENESIS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/genesis.json");
const MICROSECONDS: f64 = 1e6;

/// Transfers over HTTP on both, then the replay of nodeos' chain on both.
pub fn transfers(arguments: &Arguments, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    for round in 0..arguments.rounds {
        for peer in arguments.peers() {
            let folder = tempfile::tempdir()?;
            over_http(arguments, peers, peer, folder.path(), report)?;
            if peer == Peer::Nodeos {
                replays(peers, &folder.path().join("blocks/blocks.log"), round == 0, report)?;
            }
        }
    }
    Ok(())
}

fn over_http(
    arguments: &Arguments,
    peers: &Peers,
    peer: Peer,
    folder: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut options = vec!["--genesis-json", GENESIS, "--max-transaction-time", "499", "--max-body-size", "33554432"];
    options.extend(["--disable-subjective-api-billing", "1", "--chain-state-db-size-mb", "4096"]);
    let node = peers.start(peer, folder, &options)?;
    workload::set_up(&node.api, &peers.contract("eosio.token"))?;
    let bodies = workload::transfers(&node.api, arguments.transfers)?;
    let (first, cpu_before) = (node.head()?, node.process.cpu_seconds()?);
    let begin = Instant::now();
    let sent = load::send(&node.address, &bodies, arguments.connections)?;
    let wall = begin.elapsed().as_secs_f64();
    let cpu = node.process.cpu_seconds()? - cpu_before;
    if let Some(refusal) = &sent.refusal {
        report.remark(format!("{peer:?} refused {} transfers, the first with {refusal}", sent.refused));
    }
    std::thread::sleep(SETTLE);
    let included = included(&node, first, node.head()?)?;
    ensure!(included + sent.refused == arguments.transfers, "{included} transfers are in blocks: some were lost");
    let count = included as f64;
    report.add("HTTP: transfers a second", peer, count / wall);
    report.add("HTTP: CPU us per transfer", peer, cpu * MICROSECONDS / count);
    report.add("HTTP: median latency, ms", peer, percentile(&sent.latencies, 50) * 1e3);
    report.add("HTTP: 99th percentile, ms", peer, percentile(&sent.latencies, 99) * 1e3);
    report.add("HTTP: memory after it, MB", peer, node.process.resident_bytes()? as f64 / MICROSECONDS);
    node.process.stop()?;
    Ok(())
}

fn percentile(ascending: &[Duration], percent: usize) -> f64 {
    ascending.get(ascending.len() * percent / 100).map_or(f64::NAN, Duration::as_secs_f64)
}

/// Executed transactions in the blocks after `first` to `last`.
fn included(node: &Running, first: u64, last: u64) -> anyhow::Result<usize> {
    let mut count = 0;
    for number in first + 1..=last {
        let block = node.api.call("/v1/chain/get_block", &json!({ "block_num_or_id": number }))?;
        let transactions = block["transactions"].as_array().context("a block has transactions")?;
        count += transactions.iter().filter(|transaction| transaction["status"] == "executed").count();
    }
    Ok(count)
}

/// Both replay the chain that nodeos recorded, trusted and, where asked, with all checks; these on one core, too.
fn replays(peers: &Peers, log: &Path, all_checks: bool, report: &mut Report) -> anyhow::Result<()> {
    let names = ["replay: seconds", "replay: CPU us per transfer"];
    replay(peers, log, &[], Cores::All, names, report)?;
    if all_checks {
        let names = ["replay, all checks: seconds", "replay, all checks: CPU us per transfer"];
        replay(peers, log, &["--force-all-checks"], Cores::All, names, report)?;
        let names = ["replay, all checks, one core: seconds", "replay, all checks, one core: CPU us per transfer"];
        replay(peers, log, &["--force-all-checks"], Cores::One, names, report)?;
    }
    Ok(())
}

/// The cores that a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cores {
    All,
    One,
}

/// A command with its arguments, bound to so many cores.
fn bound(command: Command, cores: Cores) -> Command {
    if cores == Cores::All {
        return command;
    }
    let mut bound = Command::new("taskset");
    bound.args(["--cpu-list", "0"]).arg(command.get_program()).args(command.get_args());
    bound
}

fn replay(
    peers: &Peers,
    log: &Path,
    options: &[&str],
    cores: Cores,
    [seconds, each]: [&'static str; 2],
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut command = peers.command(Peer::Boreas);
    command.args(["replay", "--json", "--blocks-log"]).arg(log).args(options);
    let begin = Instant::now();
    let (status, ours, text) = process::run(bound(command, cores))?;
    let our_wall = begin.elapsed();
    ensure!(status.success(), "boreasd replay: {text}");
    let result: serde_json::Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    let (head, count) = (result["head_block_num"].to_string(), result["transactions"].as_f64().unwrap_or(f64::NAN));

    let folder = tempfile::tempdir()?;
    let blocks = folder.path().join("blocks");
    std::fs::create_dir(&blocks)?;
    for file in ["blocks.log", "blocks.index"] {
        std::fs::copy(log.with_file_name(file), blocks.join(file))?;
    }
    let mut command = peers.command(Peer::Nodeos);
    command.arg("--data-dir").arg(folder.path()).arg("--config-dir").arg(folder.path().join("config"));
    command.args(["--http-server-address", "", "--p2p-listen-endpoint", "127.0.0.1:0"]);
    command.args(["--replay-blockchain", "--integrity-hash-on-stop", "--chain-state-db-size-mb", "4096"]);
    command.args(["--terminate-at-block", &head]).args(options);
    let begin = Instant::now();
    let (_, theirs, text) = process::run(bound(command, cores))?;
    let their_wall = begin.elapsed();
    let hash = result["integrity_hash"].as_str().context("a replay ends with a hash")?;
    ensure!(text.contains(hash), "the two replays end on different states; nodeos said:\n{text}");
    for (peer, cpu, wall) in [(Peer::Nodeos, theirs, their_wall), (Peer::Boreas, ours, our_wall)] {
        report.add(seconds, peer, wall.as_secs_f64());
        report.add(each, peer, cpu * MICROSECONDS / count);
    }
    Ok(())
}

/// Start on an empty folder, memory at rest, stop.
pub fn start(arguments: &Arguments, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    for _ in 0..arguments.rounds {
        for peer in arguments.peers() {
            let folder = tempfile::tempdir()?;
            let node = peers.start(peer, folder.path(), &[])?;
            report.add("first block after start, s", peer, node.first_block.as_secs_f64());
            std::thread::sleep(IDLE);
            report.add("idle memory, MB", peer, node.process.resident_bytes()? as f64 / MICROSECONDS);
            report.add("stop, s", peer, node.process.stop()?.as_secs_f64());
        }
    }
    Ok(())
}

/// From the start of a process to its first answer: a development chain of ours beside an empty chain of nodeos. Cold is
/// the first start ever, which compiles the contracts and boots the chain; with code, a new chain whose contracts were
/// compiled for another one; again, the same chain once more.
pub fn first_answers(arguments: &Arguments, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    for _ in 0..arguments.starts {
        for peer in arguments.peers() {
            let (folder, other, cache) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
            let mut add = |what, folder: &Path| -> anyhow::Result<()> {
                report.add(what, peer, peers.first_answer(peer, folder, cache.path())?.as_secs_f64());
                Ok(())
            };
            add("start to first answer, cold, s", folder.path())?;
            add("start to first answer, new chain with code, s", other.path())?;
            add("start to first answer, again, s", folder.path())?;
        }
    }
    Ok(())
}
