//! A network of ours, all nodes producers, with delayed lines between them: how long a block takes to all of them, which
//! slots are missed, and what a node costs.
//!
//! Reading order: [`ground`] where the nodes run, [`journal`] when blocks came.

mod ground;
mod journal;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use client::Node;
use e2e::{Delay, Relay};
use genesis::Document;
use primitives::TimePoint;
use serde_json::{Value, json};

use crate::Arguments;
use crate::peers::{Peer, Peers, free_port};
use crate::process::{self, Process};
use crate::report::Report;
use crate::workload::{self, Binding};
use ground::Ground;
use journal::{Journal, journey};

/// What each line keeps, in each direction.
const DELAY: Delay = Delay { mean: Duration::from_millis(20), jitter: Duration::from_millis(10) };
/// What must happen has happened after this.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(100);
/// How long the mesh is watched without transfers.
const IDLE: Duration = Duration::from_secs(10);
/// After the last transfer, until production ends.
const SETTLE: Duration = Duration::from_secs(3);
/// Microseconds of a slot.
const SLOT_US: i64 = 500_000;

/// Starts it, watches it without and with transfers, and compares the nodes at the end.
pub fn measure(arguments: &Arguments, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mesh = Mesh::start(arguments, peers, folder.path())?;
    let idle = mesh.watch(|| {
        thread::sleep(IDLE);
        Ok(())
    })?;
    let (rate, seconds) = (arguments.rate, arguments.seconds);
    let bodies = mesh.transfers(usize::try_from(u64::from(rate) * seconds)?)?;
    let mut refused = Vec::new();
    let busy = mesh.watch(|| {
        refused = mesh.send(&bodies, rate)?;
        Ok(())
    })?;
    let memory: Vec<f64> = mesh.each(|member| Ok(member.process.resident_bytes()? as f64 / 1e6))?;
    thread::sleep(SETTLE);
    mesh.compare()?;
    let (nodes, degree) = (mesh.members.len(), mesh.degree);
    let places = if matches!(mesh.ground, Ground::Namespaces) { "in a namespace of its own" } else { "on loopback" };
    report.remark(format!(
        "{nodes} nodes, each {places} with {degree} peers; each line keeps bytes for 20 ms +- 10 ms; {rate} transfers a second for \
         {seconds} s, {} of {} refused{}. All ended on the same head and the same integrity hash.",
        refused.len(),
        bodies.len(),
        refused.first().map(|why| format!(" (the first: {why})")).unwrap_or_default()
    ));
    let journals = mesh.end()?;
    idle.report(report, "without transfers", &journals, degree)?;
    busy.report(report, &format!("{rate} transfers a second"), &journals, degree)?;
    report.add("memory of a node, median, MB", Peer::Boreas, percentile(&memory, 50));
    report.add("memory of a node, most, MB", Peer::Boreas, percentile(&memory, 100));
    Ok(())
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// A node.
struct Member {
    process: Process,
    /// It is asked over a Unix socket: these have no namespaces.
    api: Node,
    log: PathBuf,
}

impl Member {
    fn info(&self) -> Option<Value> {
        self.api.call("/v1/chain/get_info", &json!({})).ok()
    }

    fn head(&self) -> Option<u64> {
        self.info()?["head_block_num"].as_u64()
    }

    /// Peers that have introduced themselves.
    fn peers(&self) -> usize {
        let connections = self.api.call("/v1/net/connections", &json!({})).unwrap_or_default();
        connections.as_array().into_iter().flatten().filter(|one| one["connecting"] == false).count()
    }
}

struct Mesh {
    ground: Ground,
    document: Document,
    members: Vec<Member>,
    /// Peers of each.
    degree: usize,
    _relays: Vec<Relay>,
}

/// A block of the chain.
#[derive(Debug)]
struct Block {
    number: u32,
    id: String,
    slot: i64,
}

/// What was seen in a time.
struct Seen {
    /// The block before, and those that were made.
    blocks: Vec<Block>,
    seconds: f64,
    /// CPU of all nodes, and of this process.
    cpu_seconds: f64,
    own_cpu_seconds: f64,
}

impl Mesh {
    fn start(arguments: &Arguments, peers: &Peers, folder: &Path) -> anyhow::Result<Self> {
        let nodes = usize::from(arguments.nodes);
        let mut document = Document::dev();
        document.set_producers(nodes)?;
        boot(peers, nodes, folder)?;
        let ground = Ground::of(nodes)?;
        // Each dials those after it, so that each has as many peers, and each two are connected once.
        let dials = (arguments.links.unwrap_or(nodes) / 2).min((nodes - 1) / 2).max(1);
        let (mut members, mut relays) = (Vec::new(), Vec::new());
        for (node, producer) in document.producers.iter().enumerate() {
            let place = place(folder, node);
            let key = genesis::document::dev_key(producer.name);
            let mut command = peers.command(Peer::Boreas);
            command.arg("--data-dir").arg(&place).arg("--config-dir").arg(place.join("config"));
            command.args(["--http-server-address", "", "--unix-socket-path", "node.sock"]);
            command.args(["--plugin", "eosio::chain_api_plugin", "--plugin", "eosio::net_api_plugin"]);
            command.args(["--plugin", "eosio::producer_api_plugin", "-p", &producer.name.to_string()]);
            command.args(["--signature-provider", &format!("{}=KEY:{}", key.public_key()?, key.to_secret_text())]);
            command.args(["--p2p-listen-endpoint", &ground.listening(node), "--p2p-max-nodes-per-host", "50"]);
            // Peers are known by the relays to them alone. Whoever is the first goes on with the chain.
            command.args(["--max-clients", "50", "--p2p-peer-exchange", "false", "-e"]);
            let mut relayed = Vec::new();
            for step in 1..=dials {
                relayed.push(ground.relay(node, (node + step) % nodes));
            }
            if let Ground::Loopback(_) = ground {
                for [listening, target] in &mut relayed {
                    relays.push(Relay::between(listening, target, DELAY)?);
                    listening.clone_from(&relays[relays.len() - 1].address);
                }
            }
            for [listening, _] in &relayed {
                let (host, port) = listening.rsplit_once(':').context("an address has a port")?;
                command.args(["--p2p-peer-address", &format!("/ip4/{host}/tcp/{port}")]);
            }
            let log = place.join("node.log");
            let process = Process::start(ground.inside(node, command), &log)?;
            ground.connect(node, &process)?;
            if matches!(ground, Ground::Namespaces) {
                for [listening, target] in &relayed {
                    let relay = Relay::between(listening, target, DELAY);
                    relays.push(relay.with_context(|| format!("a relay cannot listen at {listening}"))?);
                }
            }
            let api = Node::new(&format!("unix://{}", place.join("node.sock").display()), Vec::new());
            members.push(Member { process, api, log });
        }
        let mesh = Self { ground, document, members, degree: 2 * dials, _relays: relays };
        mesh.until("peers of every node", |mesh| mesh.members.iter().all(|member| member.peers() >= mesh.degree))?;
        mesh.until("head that all have", |mesh| {
            let heads: Vec<_> = mesh.members.iter().map(Member::head).collect();
            heads.iter().all(|head| head.is_some() && head >= &heads[0].map(|head| head.saturating_sub(1)))
        })?;
        // Who was behind when his slot came has missed it.
        thread::sleep(SETTLE);
        Ok(mesh)
    }

    fn until(&self, what: &str, done: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let begin = Instant::now();
        while !done(self) {
            let last = || {
                let logs = self.members.iter().map(|member| std::fs::read(&member.log).unwrap_or_default());
                let lines = logs.map(|log| String::from_utf8_lossy(&log).lines().last().unwrap_or_default().to_owned());
                lines.collect::<Vec<_>>().join("\n")
            };
            ensure!(begin.elapsed() < PATIENCE, "no {what}; the last lines of the logs:\n{}", last());
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn each<T>(&self, what: impl Fn(&Member) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
        self.members.iter().map(what).collect()
    }

    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        Ok(self.each(|member| member.process.cpu_seconds())?.iter().sum())
    }

    fn head(&self) -> anyhow::Result<u32> {
        Ok(u32::try_from(self.members[0].head().context("the first node answers")?)?)
    }

    /// What happens while something is done.
    fn watch(&self, doing: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Seen> {
        let (first, begin) = (self.head()?, Instant::now());
        let (cpu, own_cpu) = (self.cpu_seconds()?, process::own_cpu_seconds()?);
        doing()?;
        let (cpu_seconds, own_cpu_seconds) = (self.cpu_seconds()? - cpu, process::own_cpu_seconds()? - own_cpu);
        let (seconds, last) = (begin.elapsed().as_secs_f64(), self.head()?);
        // What was the head then may be on another branch now, and what is it now soon.
        thread::sleep(SETTLE);
        let blocks = (first..=last).map(|number| self.block(number)).collect::<anyhow::Result<_>>()?;
        Ok(Seen { blocks, seconds, cpu_seconds, own_cpu_seconds })
    }

    fn block(&self, number: u32) -> anyhow::Result<Block> {
        let block = self.members[0].api.call("/v1/chain/get_block_info", &json!({ "block_num": number }))?;
        let text = |field: &str| block[field].as_str().with_context(|| format!("block {number} has a {field}"));
        let time: TimePoint = text("timestamp")?.parse()?;
        Ok(Block { number, id: text("id")?.to_owned(), slot: time.0 / SLOT_US })
    }

    /// So many transfers between the accounts of the chain.
    fn transfers(&self, count: usize) -> anyhow::Result<Vec<Value>> {
        let accounts: Vec<_> = self.document.accounts.iter().map(|account| account.name).collect();
        let node = &self.members[0].api;
        let bindings = accounts.iter().map(|account| Binding::of(node, genesis::document::dev_key(*account)));
        let bindings = bindings.collect::<anyhow::Result<Vec<_>>>()?;
        workload::by_all_cores(0..count, |index| {
            let transfer = workload::transfer_at(&accounts, index)?;
            Ok(workload::request(&bindings[index % accounts.len()].sign(vec![transfer])?))
        })
    }

    /// Sends them through all nodes in turn; why some were refused.
    fn send(&self, bodies: &[Value], rate: u32) -> anyhow::Result<Vec<String>> {
        let (begin, nodes) = (Instant::now(), self.members.len());
        let send = |first: usize| -> anyhow::Result<Vec<String>> {
            let mut refused = Vec::new();
            for number in (first..bodies.len()).step_by(nodes) {
                let due = begin + Duration::from_secs(1) * u32::try_from(number)? / rate;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if let Err(why) = self.members[first].api.call("/v1/chain/send_transaction2", &bodies[number]) {
                    refused.push(why.to_string());
                }
            }
            Ok(refused)
        };
        thread::scope(|scope| {
            let senders: Vec<_> = (0..nodes).map(|node| scope.spawn(move || send(node))).collect();
            let join = |sender: thread::ScopedJoinHandle<'_, _>| {
                sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            Ok(senders.into_iter().map(join).collect::<anyhow::Result<Vec<_>>>()?.concat())
        })
    }

    /// Ends production; all have to come to one head and one state.
    fn compare(&self) -> anyhow::Result<()> {
        self.each(|member| Ok(member.api.call("/v1/producer/pause", &json!({}))?))?;
        // The last blocks are on their way.
        let states = RefCell::new(Vec::new());
        self.until("head at which all end", |mesh| {
            let state = |member: &Member| Ok(member.api.call("/v1/producer/get_integrity_hash", &json!({}))?);
            *states.borrow_mut() = mesh.each(state).unwrap_or_default();
            let states = states.borrow();
            !states.is_empty() && states.iter().all(|state| state["head_block_id"] == states[0]["head_block_id"])
        })?;
        let states = states.into_inner();
        ensure!(states.iter().all(|state| *state == states[0]), "the nodes end on different states: {states:?}");
        Ok(())
    }

    /// Stops all nodes; what they logged.
    fn end(self) -> anyhow::Result<Vec<Journal>> {
        let stop = |member: Member| -> anyhow::Result<Journal> {
            member.process.stop()?;
            Ok(Journal::read(&String::from_utf8_lossy(&std::fs::read(&member.log)?)))
        };
        self.members.into_iter().map(stop).collect()
    }
}

impl Seen {
    fn report(&self, report: &mut Report, when: &str, journals: &[Journal], degree: usize) -> anyhow::Result<()> {
        let blocks = &self.blocks[1..];
        let journeys: Vec<_> = blocks.iter().filter_map(|block| journey(journals, block.number, &block.id)).collect();
        let lost = blocks.len() - journeys.len();
        ensure!(lost == 0, "{lost} of {} blocks are not in all logs", blocks.len());
        let ms = |place: fn(usize) -> usize| -> Vec<f64> {
            journeys.iter().map(|journey| journey.took_us[place(journey.took_us.len())] as f64 / 1e3).collect()
        };
        let (half, all) = (ms(|count| count / 2), ms(|count| count - 1));
        let mut add = |what: &str, value: f64| report.add(format!("{when}: {what}"), Peer::Boreas, value);
        add("block to all nodes, median, ms", percentile(&all, 50));
        add("block to all nodes, 99th percentile, ms", percentile(&all, 99));
        add("block to all nodes, most, ms", percentile(&all, 100));
        add("block to half of the nodes, median, ms", percentile(&half, 50));
        add("blocks", blocks.len() as f64);
        add("missed slots", self.missed() as f64);
        let included = journeys.iter().map(|journey| journey.transactions).sum::<u64>() as f64;
        add("transactions in blocks", included);
        let each = self.cpu_seconds * 1e6 / (blocks.len() * journals.len()) as f64;
        add("CPU us of a node per block", each);
        add("CPU us of a node per block and peer", each / degree as f64);
        add("cores busy with nodes", self.cpu_seconds / self.seconds);
        add("cores busy with relays and clients", self.own_cpu_seconds / self.seconds);
        Ok(())
    }

    fn missed(&self) -> i64 {
        self.blocks.windows(2).map(|pair| pair[1].slot - pair[0].slot - 1).sum()
    }
}

fn place(folder: &Path, node: usize) -> PathBuf {
    folder.join(node.to_string())
}

/// Lets a development chain elect the producers; each node gets a copy of its folder.
fn boot(peers: &Peers, nodes: usize, folder: &Path) -> anyhow::Result<()> {
    let (first, log) = (place(folder, 0), folder.join("boot.log"));
    let mut dev = peers.command(Peer::Boreas);
    dev.args(["dev", "--producers", &nodes.to_string(), "--data-dir"]).arg(&first).arg("--config-dir");
    dev.arg(first.join("config")).args(["--http-server-address", &format!("127.0.0.1:{}", free_port()?)]);
    let (process, begin) = (Process::start(dev, &log)?, Instant::now());
    // Its last words once the chain is there.
    while !std::fs::read_to_string(&log)?.contains("\nNumbers that differ") {
        ensure!(begin.elapsed() < PATIENCE, "the chain is not booted; see {}", log.display());
        thread::sleep(POLL);
    }
    process.stop()?;
    for node in 1..nodes {
        let copied = Command::new("cp").arg("-r").args([&first, &place(folder, node)]).status()?;
        ensure!(copied.success(), "{} cannot be copied", first.display());
    }
    Ok(())
}
