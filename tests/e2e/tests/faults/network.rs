//! Nodes with producers on each, every two of which are connected over relays, and what all of them agree on.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use e2e::{Load, Relay, RunningNode, ShiftedClock, free_port, genesis, producer_names};
use primitives::{BlockTimestamp, Name, TimePoint};
use serde_json::{Value, json};

use crate::late::Late;

/// What must happen has happened after this, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
/// Slots of a producer's turn.
const TURN_SLOTS: u32 = 12;
/// Blocks that nodes may be apart while blocks travel.
const APART_MAX: u64 = 2;
/// Checks of peers: between two, for an answer, and how many in a row.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
const CHECK_TIMEOUT: Duration = Duration::from_millis(1000);
const CHECK_FAILURES: u32 = 3;
/// When a peer that does not answer is given up, with room for a busy machine.
pub const FOUND_WITHIN: Duration = Duration::from_millis(3 * 1000 + 500 + 2000);
/// Megabytes of the small disk, and what its node keeps of it.
const DISK_MB: usize = 256;
const RESERVE_MB: &str = "64";

/// The node whose clock the test sets, and the one on a small disk.
pub const CLOCKED: usize = 1;
pub const CRAMPED: usize = 2;

/// Two nodes' connection.
struct Link {
    ends: [usize; 2],
    relay: Relay,
    late: Late,
}

pub struct Network {
    /// Which node each producer is on, in the order of the schedule.
    pub owners: Vec<usize>,
    nodes: Vec<Option<RunningNode>>,
    links: Vec<Link>,
    listening: Vec<String>,
    genesis: String,
    names: Vec<Name>,
    pub clock: ShiftedClock,
    /// Whether one node has a small disk: that takes rights that not everybody has.
    pub has_disk: bool,
    /// Irreversible blocks as some node showed them.
    noted: BTreeMap<u64, String>,
    folders: Vec<tempfile::TempDir>,
}

impl Network {
    /// Nodes with so many producers each.
    pub fn new(counts: &[usize]) -> Self {
        let folders: Vec<_> = counts.iter().map(|_| tempfile::tempdir().expect("temporary folder")).collect();
        let has_disk = mount(folders[CRAMPED].path());
        let mut left = counts.to_vec();
        let mut owners = Vec::new();
        while left.iter().any(|count| *count > 0) {
            for (at, left) in left.iter_mut().enumerate().filter(|(_, left)| **left > 0) {
                *left -= 1;
                owners.push(at);
            }
        }
        let ports: Vec<_> = counts.iter().map(|_| free_port()).collect();
        let links = (1..counts.len()).flat_map(|from| (0..from).map(move |to| [from, to]));
        let links = links.map(|ends| {
            let late = Late::to(&format!("127.0.0.1:{}", ports[ends[1]]));
            Link { ends, relay: Relay::to(&late.address), late }
        });
        let mut network = Self {
            names: producer_names(owners.len()),
            owners,
            nodes: counts.iter().map(|_| None).collect(),
            links: links.collect(),
            listening: ports.iter().map(|port| format!("/ip4/127.0.0.1/tcp/{port}")).collect(),
            genesis: genesis(&folders[0].path().join("genesis.json"), 10),
            clock: ShiftedClock::new(folders[CLOCKED].path()),
            has_disk,
            noted: BTreeMap::new(),
            folders,
        };
        network.begin();
        network
    }

    fn begin(&mut self) {
        self.start(0, true);
        let mut load = {
            let first = self.nodes[0].as_mut().expect("it runs");
            first.wait_until("first blocks", |info| info["head_block_num"].as_u64() > Some(4));
            Load::set_up(first.api.clone()).expect("the chain is set up")
        };
        self.names.iter().for_each(|name| drop(load.new_account(*name).expect("the account is made")));
        load.set_proposing().expect("the module is taken");
        (1..self.nodes.len()).for_each(|at| self.start(at, false));
        self.until("connections of all", |network| network.is_one());
        load.propose(&self.names).expect("the schedule is proposed");
        self.until("blocks of producers", |network| {
            network.running().all(|at| network.info(at)["head_block_producer"] != "eosio")
        });
    }

    /// Starts a node, which makes blocks before it has heard of one if it is `stale`.
    pub fn start(&mut self, at: usize, stale: bool) {
        let mut options = vec!["--genesis-json".to_owned(), self.genesis.clone()];
        options.extend(["--p2p-listen-endpoint".to_owned(), self.listening[at].clone()]);
        let check = |name: &str, number: u128| [format!("--p2p-check-{name}"), number.to_string()];
        options.extend(check("interval-ms", CHECK_INTERVAL.as_millis()));
        options.extend(check("timeout-ms", CHECK_TIMEOUT.as_millis()));
        options.extend(check("failures", CHECK_FAILURES.into()));
        options.extend(["--p2p-max-nodes-per-host", "50", "--p2p-peer-exchange", "false"].map(str::to_owned));
        for plugin in ["chain_api", "net_api", "producer_api", "prometheus"] {
            options.extend(["--plugin".to_owned(), format!("eosio::{plugin}_plugin")]);
        }
        for link in self.links.iter().filter(|link| link.ends[0] == at) {
            let (host, port) = link.relay.address.split_once(':').expect("a host and a port");
            options.extend(["--p2p-peer-address".to_owned(), format!("/ip4/{host}/tcp/{port}")]);
        }
        let own = self.names.iter().zip(&self.owners).filter(|(_, owner)| **owner == at);
        options.extend(own.flat_map(|(name, _)| ["-p".to_owned(), name.to_string()]));
        if at == 0 {
            options.extend(["-p", "eosio"].map(str::to_owned));
        }
        if at == CRAMPED {
            options.extend(["--disk-reserve-mb", RESERVE_MB].map(str::to_owned));
        }
        if stale {
            options.push("-e".to_owned());
        }
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let environment = if at == CLOCKED { self.clock.environment() } else { ":" };
        self.nodes[at] = Some(RunningNode::launch_with_limits(self.folders[at].path(), environment, &options));
    }

    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Nodes that run.
    pub fn running(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.is_some()).map(|(at, _)| at)
    }

    pub fn node(&self, at: usize) -> &RunningNode {
        self.nodes[at].as_ref().expect("it runs")
    }

    /// A node that is not counted as running any more.
    pub fn take(&mut self, at: usize) -> RunningNode {
        self.nodes[at].take().expect("it runs")
    }

    /// The folder of a node.
    pub fn folder(&self, at: usize) -> &Path {
        self.folders[at].path()
    }

    pub fn info(&self, at: usize) -> Value {
        self.node(at).info().expect("the node answers")
    }

    pub fn health(&self, at: usize) -> Value {
        self.node(at).get("/v1/node/health").1
    }

    /// Peers that a node has.
    pub fn connected(&self, at: usize) -> u64 {
        self.health(at)["peers"]["connected"].as_u64().unwrap_or(0)
    }

    /// The node of the producer whose turn it is, and slots until it ends.
    pub fn turn(&self) -> (usize, u32) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock of this century");
        let slot = BlockTimestamp::at(TimePoint(i64::try_from(since.as_micros()).expect("this century"))).0;
        let at = slot as usize % (self.owners.len() * TURN_SLOTS as usize) / TURN_SLOTS as usize;
        (self.owners[at], TURN_SLOTS - slot % TURN_SLOTS)
    }

    /// The highest head of those that run.
    pub fn highest(&self) -> u64 {
        self.running().map(|at| self.node(at).head()).max().expect("some node runs")
    }

    /// Whether nodes are on different branches: one has not what another one has at some height.
    pub fn heads_differ(&self) -> bool {
        let heads: Vec<_> = self.running().map(|at| (at, self.node(at).head())).collect();
        let least = heads.iter().map(|(_, head)| *head).min().expect("nodes");
        let ids: Vec<_> = heads.iter().map(|(at, _)| self.node(*at).block_id(least)).collect();
        ids.iter().any(|id| *id != ids[0])
    }

    /// Whether all nodes run, have each other, and are on one chain.
    pub fn is_one(&self) -> bool {
        let all = self.running().count() as u64;
        let heads: Vec<_> = self.running().map(|at| self.node(at).head()).collect();
        let (least, most) = (*heads.iter().min().expect("nodes"), *heads.iter().max().expect("nodes"));
        most - least <= APART_MAX && self.running().all(|at| self.connected(at) == all - 1) && !self.heads_differ()
    }

    /// Cuts the connections between nodes on different sides, or heals them.
    pub fn cut(&self, side: &[usize], cuts: bool) {
        for link in &self.links {
            let [one, other] = link.ends.map(|end| side.contains(&end));
            if one != other && cuts {
                link.relay.cut();
            } else {
                link.relay.heal();
            }
        }
    }

    /// Keeps what a node says and hears for a while.
    pub fn delay(&self, at: usize, delay: Duration) {
        self.links.iter().filter(|link| link.ends.contains(&at)).for_each(|link| link.late.set(delay));
    }

    /// Waits, and says how long.
    pub fn until(&self, what: &str, mut done: impl FnMut(&Self) -> bool) -> Duration {
        let begin = Instant::now();
        while !done(self) {
            assert!(begin.elapsed() < PATIENCE, "no {what}; {}", self.shown());
            std::thread::sleep(POLL);
        }
        begin.elapsed()
    }

    fn shown(&self) -> String {
        let one = |at: usize| {
            let (info, health, log) = (self.node(at).info(), self.health(at), self.node(at).log());
            let log: Vec<_> = log.lines().rev().take(30).collect();
            let info = info.unwrap_or_default();
            format!(
                "\nnode {at}: head {} {}, irreversible {}, health {health}, log, the last line first:\n{}",
                info["head_block_num"],
                info["head_block_id"],
                info["last_irreversible_block_num"],
                log.join("\n")
            )
        };
        self.running().map(one).collect()
    }

    /// Remembers what is irreversible at each node.
    pub fn note(&mut self) {
        for at in self.running().collect::<Vec<_>>() {
            let info = self.info(at);
            let number = info["last_irreversible_block_num"].as_u64().expect("a number");
            let id = info["last_irreversible_block_id"].as_str().expect("an id").to_owned();
            let before = self.noted.insert(number, id.clone());
            assert!(before.is_none_or(|before| before == id), "two irreversible blocks {number}; {}", self.shown());
        }
    }

    /// Whether all nodes have what was irreversible at some time.
    ///
    /// # Panics
    /// When one does not.
    pub fn check_noted(&self) -> usize {
        for (number, id) in &self.noted {
            for at in self.running() {
                assert_eq!(self.node(at).block_id(*number).as_ref(), Some(id), "block {number} at node {at}");
            }
        }
        self.noted.len()
    }

    /// Slots without a block in the chain after a block, and how many at most in a row.
    pub fn missed_since(&self, first: u64) -> (u64, u64) {
        let at = self.running().next().expect("some node runs");
        let slot = |number: u64| {
            let block = self.node(at).call("/v1/chain/get_block_info", &json!({ "block_num": number }));
            let time: TimePoint = block["timestamp"].as_str().expect("a time").parse().expect("a time");
            u64::from(BlockTimestamp::at(time).0)
        };
        let (mut missed, mut most, mut before) = (0, 0, slot(first));
        for number in first + 1..=self.node(at).head() {
            let now = slot(number);
            missed += now - before - 1;
            most = most.max(now - before - 1);
            before = now;
        }
        (missed, most)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.nodes.clear();
        if self.has_disk {
            // What stays mounted is told by the folder that cannot be removed.
            let _ = Command::new("umount").arg(self.folders[CRAMPED].path()).status();
        }
    }
}

/// Makes a folder a small disk; false, with a line that says so, where this may not be.
fn mount(folder: &Path) -> bool {
    let size = format!("size={DISK_MB}M");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder).output();
    let mounted = mounted.is_ok_and(|output| output.status.success());
    if !mounted {
        eprintln!("SKIPPED: a full disk needs the right to mount one");
    }
    mounted
}
