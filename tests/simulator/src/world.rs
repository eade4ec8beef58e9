//! The network: nodes, what travels between them, and time, which is a number. One thread, one seed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use p2p::core::standing::Key;
use p2p::core::{Charge, Input, Lane, Output, PeerId, Settings};
use p2p::limits::{BAN_US, DIAL_SECONDS, GOSSIPED_BLOCKS_MAX};
use p2p::wire::message::Point;
use p2p::wire::{BlockMessage, Message, TransactionMessage, block_frame, transaction_frame};
use primitives::time::SLOT_US;
use primitives::{BlockId, BlockTimestamp, Checksum256, Name, Sha256, TimePoint};

use crate::byzantine::{Told, Way};
use crate::dice::Dice;
use crate::disk::Disk;
use crate::node::{Effect, Identity, Later, Moment, Node};
use crate::origin::{self, BEGIN, Beginning};
use crate::planted::Planted;
use crate::scenario::{Fault, SECOND, Scenario};
use crate::watch::{Seen, Sent, Watch};
use crate::wires::{BLOCKS, End, Frame, GOSSIP, Wires, identity_of, lane_number, lane_of, wire_to};

/// How often a core hears that time passes, as the shell's driver has it.
const TICK_US: i64 = 100_000;
/// Blocks by which honest nodes may differ at the end.
const LAG_MAX: u32 = 12;
/// Of a hundred slots of honest producers in the last half minute so many have blocks at least.
const FULL_SLOTS_PERCENT: usize = 70;
/// A transaction that had so many calm microseconds is in a block.
const ENOUGH_US: i64 = 25 * SECOND;
/// Microseconds that nodes are given to find together once everything is mended.
const RECOVERY_US: i64 = 20 * SECOND;
/// How often a client looks whether the schedule that it proposed is there, and proposes it again.
const PROPOSE_US: i64 = 10 * SECOND;
/// Slots of a producer's turn, and microseconds.
const TURN_SLOTS: i64 = 12;
const TURN_US: i64 = 6 * SECOND;
/// Of a hundred blocks that go to a peer by gossip so many do not arrive, and so many others arrive later, when the peer
/// has heard of them and asked, within microseconds.
const GOSSIP_LOST_PERCENT: usize = 5;
const GOSSIP_ASKED_PERCENT: usize = 40;
const GOSSIP_ASKED_US: i64 = 400_000;
/// Slots of the last half minute in which the last schedule produced, to be looked at.
const SLOTS_MIN: usize = 12;
/// Peers that a node has at least in the end where peers tell of each other, if there are so many.
const MET_MIN: usize = 4;
/// How often each node is asked for the hash of its state.
const HASH_EVERY_SECONDS: usize = 29;

#[derive(Debug)]
enum Event {
    Tick,
    Later(Later),
    Arrives(PeerId, Frame),
    Written(PeerId, usize, usize),
    Closed(PeerId),
    Gossips(PeerId),
    Connects { address: String },
    DialFailed { address: String },
    Submit,
    Burst { count: usize, bytes: usize },
    Propose,
    Fault(Fault),
    Audit,
}

/// What a node's place holds: a running node, or a disk.
struct Host {
    identity: Identity,
    node: Option<Node>,
    disk: Option<Disk>,
    run: u32,
    skew_us: i64,
    sync_us: i64,
    frozen_until: i64,
    /// Transactions that gossip brought or took, and the hashes of such blocks.
    gossip: BTreeSet<Checksum256>,
    /// Blocks that gossip brought and has not been told about, with who gave them.
    waiting: BTreeMap<BlockId, (PeerId, Arc<[u8]>)>,
    /// Blocks of ranges that a liar has sent to each peer.
    sent_of_range: BTreeMap<PeerId, u32>,
    /// When it last started.
    started_at: i64,
}

/// A network under way.
#[allow(missing_debug_implementations, reason = "whole chains are not printed")]
pub struct World {
    scenario: Scenario,
    dice: Dice,
    now: i64,
    order: u64,
    events: BTreeMap<(i64, u64), (usize, u32, Event)>,
    hosts: Vec<Host>,
    wires: Wires,
    addresses: BTreeMap<String, (usize, bool)>,
    watch: Watch,
    count: u64,
    /// Schedules that became active of those that clients propose.
    elected: usize,
    /// Since when the network is cut, and where.
    cut: Option<(i64, Vec<bool>)>,
}

/// Runs a scenario to its end.
///
/// # Errors
/// What did not hold, and when.
pub fn run(scenario: Scenario) -> Result<Seen, String> {
    World::new(scenario).run()
}

fn address_of(node: usize, encrypted: bool) -> String {
    if encrypted { format!("/ip4/10.0.0.{node}/tcp/9876") } else { format!("node{node}:9876") }
}

/// The address of which peers tell.
fn told_address_of(node: usize) -> String {
    format!("{}/p2p/{}", address_of(node, true), identity_of(node))
}

fn host_of(node: usize) -> IpAddr {
    IpAddr::from([10, 0, 0, node as u8])
}

impl World {
    /// A network that is about to begin.
    fn new(scenario: Scenario) -> Self {
        let mut dice = Dice::new(scenario.seed ^ 0x5eed);
        let wires = Wires::new(scenario.nodes, &mut dice);
        let all = |node| {
            let [plain, encrypted] = [false, true].map(|encrypted| address_of(node, encrypted));
            [(plain, (node, false)), (told_address_of(node), (node, true)), (encrypted, (node, true))]
        };
        let addresses = (0..scenario.nodes).flat_map(all).collect();
        let begins = Beginning { producers: scenario.producers, electable: scenario.electable_nodes() };
        let first = origin::chain(begins);
        let disk = Disk::new(first.head().id(), origin::first_block(&first));
        let host = |number: usize| Host {
            identity: Identity {
                number,
                begins,
                own: (number < begins.producers.max(begins.electable)).then(|| origin::producer(number)),
                byzantine: scenario.liars.iter().find(|(liar, _)| *liar == number).map(|(_, way)| way.clone()),
                planted: scenario.planted.filter(|_| scenario.is_honest(number)),
            },
            node: None,
            disk: Some(disk.clone()),
            run: 0,
            skew_us: scenario.skews[number],
            sync_us: scenario.syncs[number],
            frozen_until: 0,
            gossip: BTreeSet::new(),
            waiting: BTreeMap::new(),
            sent_of_range: BTreeMap::new(),
            started_at: 0,
        };
        let hosts = (0..scenario.nodes).map(host).collect();
        let (events, watch) = (BTreeMap::new(), Watch::default());
        let (now, order, count, elected, cut) = Default::default();
        Self { scenario, dice, now, order, events, hosts, wires, addresses, watch, count, elected, cut }
    }

    fn run(mut self) -> Result<Seen, String> {
        for node in 0..self.hosts.len() {
            self.start(node, true);
        }
        for (at, fault) in self.scenario.faults.clone() {
            self.at(at, 0, 0, Event::Fault(fault));
        }
        for (at, count, bytes) in self.scenario.bursts.clone() {
            self.at(at, 0, 0, Event::Burst { count, bytes });
        }
        self.at(self.scenario.every, 0, 0, Event::Submit);
        if !self.scenario.schedules.is_empty() {
            self.at(SECOND, 0, 0, Event::Propose);
        }
        self.at(SECOND, 0, 0, Event::Audit);
        while let Some(((at, _), (node, run, event))) = self.events.pop_first() {
            if at > self.scenario.end {
                break;
            }
            (self.now, self.watch.now) = (at, TimePoint(BEGIN.0 + at));
            self.happen(node, run, event);
            if self.watch.failure().is_some() {
                break;
            }
        }
        if self.watch.failure().is_none() {
            self.check_end();
        }
        let seen = self.watch.seen;
        match self.watch.failure() {
            None => Ok(seen),
            Some(failure) => Err(format!("after {:.3} s: {failure}", self.now as f64 / 1e6)),
        }
    }

    fn at(&mut self, at: i64, node: usize, run: u32, event: Event) {
        self.order += 1;
        self.events.insert((at, self.order), (node, run, event));
    }

    fn happen(&mut self, node: usize, run: u32, event: Event) {
        match event {
            Event::Fault(fault) => self.fault(fault),
            Event::Submit => {
                self.at(self.now + self.scenario.every, 0, 0, Event::Submit);
                self.submit(0);
            }
            Event::Burst { count, bytes } => (0..count).for_each(|_| self.submit(bytes)),
            Event::Propose => self.propose(),
            Event::Audit => self.audit(),
            _ if self.hosts[node].run != run || self.hosts[node].node.is_none() => {}
            _ if self.hosts[node].frozen_until > self.now => {
                let until = self.hosts[node].frozen_until;
                self.at(until, node, run, event);
            }
            Event::Tick => {
                self.at(self.now + TICK_US, node, run, Event::Tick);
                self.step(node, Input::Tick);
            }
            Event::Later(what) => self.with(node, |node, moment| node.later(what, moment)),
            Event::Arrives(peer, frame) => self.arrives(node, peer, frame),
            Event::Written(peer, lane, bytes) => {
                if let Some(lane) = lane_of(lane) {
                    self.step(node, Input::Written { peer, lane, bytes });
                }
            }
            Event::Closed(peer) => {
                self.hang_up(node, peer);
                self.step(node, Input::Closed { peer });
            }
            Event::Gossips(peer) => self.step(node, Input::Gossips { peer, blocks: true }),
            Event::Connects { address } => self.connects(node, run, address),
            Event::DialFailed { address } => {
                self.step(node, Input::DialFailed { address, why: "simulated".to_owned(), turned_away: false });
            }
        }
    }

    /// Lets a node act, and carries out what follows.
    fn with(&mut self, number: usize, act: impl FnOnce(&mut Node, &mut Moment<'_>)) {
        let host = &mut self.hosts[number];
        let now = TimePoint(BEGIN.0 + self.now + host.skew_us);
        let Some(node) = &mut host.node else { return };
        let mut moment = Moment {
            now,
            sync_us: host.sync_us,
            told: self.scenario.told,
            watch: &mut self.watch,
            effects: Vec::new(),
        };
        act(node, &mut moment);
        let effects = moment.effects;
        self.carry_out(number, effects);
    }

    fn step(&mut self, node: usize, input: Input) {
        self.with(node, |node, moment| node.step(input, moment));
    }

    fn carry_out(&mut self, number: usize, effects: Vec<Effect>) {
        let run = self.hosts[number].run;
        for effect in effects {
            match effect {
                Effect::Later(us, what) => self.at(self.now + us, number, run, Event::Later(what)),
                Effect::Wire(output) => self.wire(number, run, output),
                Effect::Died => {
                    self.watch.seen.deaths += 1;
                    self.crash(number, false);
                }
            }
        }
    }

    fn wire(&mut self, node: usize, run: u32, output: Output) {
        match output {
            Output::Dial { address } => {
                let Some((to, _)) = self.addresses.get(&address).copied() else { return };
                if self.wires.reach(node, to) {
                    let at = self.now + 2 * self.wires.delay(node, to);
                    self.at(at, node, run, Event::Connects { address });
                } else {
                    let at = self.now + DIAL_SECONDS as i64 * SECOND;
                    self.at(at, node, run, Event::DialFailed { address });
                }
            }
            Output::Send { peer, lane, frame } => self.send(node, run, peer, lane_number(lane), frame, 0),
            Output::Close { peer, flushed } => {
                self.hang_up(node, peer);
                if flushed {
                    self.at(self.now + 1000, node, run, Event::Closed(peer));
                } else {
                    self.step(node, Input::Closed { peer });
                }
            }
            Output::Publish(transaction) => self.gossip(node, run, &transaction),
            Output::TransactionDone { .. } => {}
            Output::PublishBlock { id, bytes } => self.gossip_block(node, run, id, &bytes),
            Output::BlockDone { id, .. } => drop(self.hosts[node].waiting.remove(&id)),
            Output::TakeBlock { .. } | Output::TakeTransaction { .. } => unreachable!("the node does these"),
        }
    }

    /// Passes a transaction on to the encrypted peers, once.
    fn gossip(&mut self, node: usize, run: u32, transaction: &TransactionMessage) {
        self.hosts[node].gossip.insert(transaction.id);
        let frame: Arc<[u8]> = transaction_frame(&transaction.packed).into();
        for peer in self.wires.encrypted(node, run) {
            self.send(node, run, peer, GOSSIP, Arc::clone(&frame), 0);
        }
    }

    /// Passes a block on: to some encrypted peers at once, to others when they have asked for it, to some not at all.
    fn gossip_block(&mut self, node: usize, run: u32, id: BlockId, bytes: &Arc<[u8]>) {
        let host = &mut self.hosts[node];
        let source = host.waiting.remove(&id).filter(|(_, came)| came == bytes).map(|(peer, _)| peer);
        if source.is_none() && !host.gossip.insert(Sha256::of(bytes)) {
            return;
        }
        self.watch.seen.published += 1;
        self.watch.seen.passed_on += u64::from(source.is_some());
        let frame: Arc<[u8]> = block_frame(bytes).into();
        for peer in self.wires.encrypted(node, run) {
            if Some(peer) == source || self.dice.percent(GOSSIP_LOST_PERCENT) {
                continue;
            }
            let asked = self.dice.percent(GOSSIP_ASKED_PERCENT);
            let later = if asked { self.dice.between(0, GOSSIP_ASKED_US) } else { 0 };
            self.send(node, run, peer, BLOCKS, Arc::clone(&frame), later);
        }
    }

    /// A block comes by gossip, which takes none twice.
    fn gossiped(&mut self, node: usize, peer: PeerId, block: BlockMessage) {
        let host = &mut self.hosts[node];
        if !host.gossip.insert(Sha256::of(&block.bytes)) || host.waiting.contains_key(&block.id) {
            return;
        }
        host.waiting.insert(block.id, (peer, Arc::clone(&block.bytes)));
        self.step(node, Input::Gossiped { peer, block, charge: Charge::default() });
        let waiting = self.hosts[node].waiting.len();
        if waiting > GOSSIPED_BLOCKS_MAX && self.scenario.is_honest(node) {
            self.watch.fail(format!("node {node} leaves gossip waiting for {waiting} blocks"));
        }
    }

    /// Sends a frame, `late` by so many microseconds.
    fn send(&mut self, node: usize, run: u32, peer: PeerId, lane: usize, frame: Arc<[u8]>, late: i64) {
        let Some((_, to)) = self.wires.other(node, run, peer) else { return };
        let length = frame.len();
        let told = self.told(node, peer, to.node, lane, &frame);
        let (frame, later) = match told {
            Told::AsIs => (frame, 0),
            Told::Instead(other) => (other, 0),
            Told::Later(us) => (frame, us),
            Told::Nothing => return self.at(self.now, node, run, Event::Written(peer, lane, length)),
        };
        let from = End { node, run, peer };
        let sent = Frame { lane, bytes: frame };
        if let Some((to, times)) = self.wires.send(from, sent.clone(), self.now, later + late, &mut self.dice) {
            self.at(times.written, node, run, Event::Written(peer, lane, length));
            self.at(times.arrives, to.node, to.run, Event::Arrives(to.peer, sent));
        }
    }

    /// What becomes of a frame on its way out of a node.
    fn told(&mut self, node: usize, peer: PeerId, to: usize, lane: usize, frame: &Arc<[u8]>) -> Told {
        let Ok(message) = Message::read(&frame[4..]) else { return Told::AsIs };
        let host = &mut self.hosts[node];
        let own = host.identity.own.as_ref().map(|(name, _)| *name);
        let Some(byzantine) = host.identity.byzantine.clone() else {
            if let Message::Block(block) = &message {
                self.watch.block_leaves(node, own, block.id, &block.bytes);
                if host.node.as_ref().is_some_and(|node| node.may_lose(&block.id)) {
                    self.watch.fail(format!("block {} leaves node {node}, which made it, before it is safe", block.id));
                }
            }
            return Told::AsIs;
        };
        match &message {
            Message::Handshake(handshake) => byzantine.greets(handshake),
            Message::Block(block) if lane == lane_number(Lane::Asked) => {
                let count = host.sent_of_range.entry(peer).or_default();
                *count += 1;
                byzantine.gives(&block.bytes, *count)
            }
            Message::Block(block) => {
                let is_own = producer_of(&block.bytes) == own && own.is_some();
                let lies = host.node.as_ref().map(|node| &node.lies);
                if is_own {
                    byzantine.tells(block.num, to, lies.and_then(|lies| lies.get(&block.id)))
                } else {
                    Told::AsIs
                }
            }
            _ => Told::AsIs,
        }
    }

    fn arrives(&mut self, node: usize, peer: PeerId, frame: Frame) {
        let run = self.hosts[node].run;
        if !self.wires.is_open(End { node, run, peer }) {
            return;
        }
        let message = match Message::read(&frame.bytes[4..]) {
            Ok(message) => message,
            Err(error) => return self.step(node, Input::Malformed { peer, why: error.to_string() }),
        };
        let way = self.hosts[node].identity.byzantine.as_ref().map(|byzantine| byzantine.way);
        if way == Some(Way::Boasts) && matches!(message, Message::SyncRequest(_)) {
            // It cannot give what it says that it has.
            return;
        }
        let message = match message {
            Message::Block(block) if frame.lane == BLOCKS => return self.gossiped(node, peer, block),
            other => other,
        };
        if frame.lane == GOSSIP
            && let Message::Transaction(transaction) = &message
            && !self.hosts[node].gossip.insert(transaction.id)
        {
            return;
        }
        let lane = lane_of(frame.lane).unwrap_or(Lane::News);
        self.step(node, Input::Received { peer, lane, message, charge: Charge::default() });
    }

    /// An end is closed; the other end hears of it.
    fn hang_up(&mut self, node: usize, peer: PeerId) {
        let run = self.hosts[node].run;
        if let Some((other, at)) = self.wires.close(node, run, peer, self.now) {
            self.at(at, other.node, other.run, Event::Closed(other.peer));
        }
    }

    fn connects(&mut self, node: usize, run: u32, address: String) {
        let Some((to, encrypted)) = self.addresses.get(&address).copied() else { return };
        let now = TimePoint(BEGIN.0 + self.now + self.hosts[to].skew_us);
        let there = self.wires.reach(node, to) && self.hosts[to].frozen_until <= self.now;
        let Some(target) = self.hosts[to].node.as_mut().filter(|_| there) else {
            return self
                .step(node, Input::DialFailed { address, why: "connection refused".to_owned(), turned_away: false });
        };
        let admitted = target.core.admits(host_of(node), now).is_ok();
        let first = self.wires.next_peer();
        let ends = [End { node, run, peer: first }, End { node: to, run: self.hosts[to].run, peer: first + 1 }];
        self.wires.connect(ends, encrypted);
        if admitted {
            let (wire, from) = (wire_to(node, encrypted), host_of(node));
            self.step(to, Input::Connected { peer: first + 1, wire, address: from, dialled: None });
        }
        let (wire, at) = (wire_to(to, encrypted), host_of(to));
        self.step(node, Input::Connected { peer: first, wire, address: at, dialled: Some(address) });
        if !admitted {
            self.hang_up(to, first + 1);
        } else if encrypted {
            let at = self.now + 2 * self.wires.delay(node, to);
            ends.into_iter().for_each(|end| self.at(at, end.node, end.run, Event::Gossips(end.peer)));
        }
    }

    fn settings(&self, node: usize) -> Settings {
        let run = self.hosts[node].run;
        let id = Sha256::of(format!("{} {node} {run}", self.scenario.seed).as_bytes());
        let chain = origin::chain(self.hosts[node].identity.begins);
        Settings {
            chain_id: chain.chain_id(),
            node_id: Checksum256(id.0),
            server_address: address_of(node, false),
            sync_fetch_span: 20,
            peer_exchange: self.scenario.exchange,
            meshing: self.scenario.meshing,
            identity: identity_of(node),
            planted: match self.hosts[node].identity.planted {
                Some(Planted::Core(bug)) => Some(bug),
                _ => None,
            },
            ..Settings::default()
        }
    }

    fn start(&mut self, number: usize, first: bool) {
        self.hosts[number].run += 1;
        let (run, settings) = (self.hosts[number].run, self.settings(number));
        let host = &mut self.hosts[number];
        let Some(disk) = host.disk.take() else { return };
        let now = TimePoint(BEGIN.0 + self.now + host.skew_us);
        let mut moment = Moment {
            now,
            sync_us: host.sync_us,
            told: self.scenario.told,
            watch: &mut self.watch,
            effects: Vec::new(),
        };
        let mut node = Node::start(host.identity.clone(), disk, settings, first, &mut moment);
        let effects = moment.effects;
        for (from, to, encrypted) in &self.scenario.lines {
            if *from == number {
                node.core.connect(&address_of(*to, *encrypted), now);
            }
        }
        host.node = Some(node);
        host.gossip.clear();
        host.waiting.clear();
        host.started_at = self.now;
        let offset = self.dice.between(0, TICK_US);
        self.at(self.now + offset, number, run, Event::Tick);
        self.carry_out(number, effects);
        if self.scenario.exchange {
            self.step(number, Input::Listening { addresses: vec![told_address_of(number)] });
        }
    }

    fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Cut(sides) => {
                self.watch.seen.cuts += 1;
                self.cut = Some((self.now, sides.clone()));
                self.wires.cut(Some(sides));
                for ends in self.wires.severed() {
                    // Some connections are told that they are cut, others wait.
                    if self.dice.percent(50) {
                        for end in ends {
                            let at = self.now + self.dice.between(0, 3 * SECOND);
                            self.at(at, end.node, end.run, Event::Closed(end.peer));
                        }
                    }
                }
            }
            Fault::Heal => {
                if let Some((since, sides)) = self.cut.take() {
                    [true, false].iter().for_each(|side| self.check_side(since, &sides, *side));
                }
                self.wires.cut(None);
                for (from, to, frame, times) in self.wires.released(self.now, &mut self.dice) {
                    let length = frame.bytes.len();
                    self.at(times.written, from.node, from.run, Event::Written(from.peer, frame.lane, length));
                    self.at(times.arrives, to.node, to.run, Event::Arrives(to.peer, frame));
                }
            }
            Fault::Kill(node) => self.crash(node, false),
            Fault::Die(node, calls) => {
                if let Some(node) = &self.hosts[node].node {
                    node.disk.look().dies_after(calls + 1);
                }
            }
            Fault::PowerLoss(node) => self.crash(node, true),
            Fault::Restart(node) => {
                self.crash(node, false);
                self.watch.seen.restarts += 1;
                let run = self.hosts[node].run;
                for peer in self.wires.of(node, run) {
                    self.hang_up(node, peer);
                }
                self.start(node, false);
            }
            Fault::Freeze(node, us) => self.hosts[node].frozen_until = self.now + us,
            Fault::Break(node) => {
                let run = self.hosts[node].run;
                let peers = self.wires.of(node, run);
                if !peers.is_empty() {
                    let peer = peers[self.dice.below(peers.len())];
                    self.at(self.now, node, run, Event::Closed(peer));
                }
            }
        }
    }

    fn crash(&mut self, number: usize, power: bool) {
        let host = &mut self.hosts[number];
        let Some(node) = host.node.take() else { return };
        host.frozen_until = 0;
        let mut disk = node.disk.look().clone();
        disk.revive();
        if power {
            disk.lose_power();
        } else {
            disk.settle();
        }
        if let Some((name, _)) = &host.identity.own {
            self.watch.lost(*name, disk.marks().get(name).map_or(0, |mark| mark.num));
        }
        host.disk = Some(disk);
        self.watch.run_ended(number);
        if !power {
            let run = self.hosts[number].run;
            for peer in self.wires.of(number, run) {
                self.hang_up(number, peer);
            }
        }
    }

    /// A client sends a transaction to some node that is up.
    fn submit(&mut self, padding: usize) {
        let node = self.dice.below(self.hosts.len());
        let life = self.dice.between(5 * SECOND, 60 * SECOND);
        let up = self.hosts[node].node.as_ref().filter(|_| self.hosts[node].frozen_until <= self.now);
        let Some(running) = up else { return };
        self.count += 1;
        let expiration = TimePoint(BEGIN.0 + self.now).plus_us(life);
        let transaction = running.writer.read(|chain| origin::transaction(self.count, padding, chain, expiration));
        self.give(node, &transaction);
    }

    /// A client proposes the next schedule, until it is active.
    fn propose(&mut self) {
        self.at(self.now + PROPOSE_US, 0, 0, Event::Propose);
        let Some(wanted) = self.scenario.schedules.get(self.elected) else { return };
        if self.honest().any(|(_, node)| schedule_of(node) == *wanted) {
            self.elected += 1;
            self.watch.seen.schedules += 1;
            return;
        }
        let up = |(number, _): &(usize, &Node)| self.hosts[*number].frozen_until <= self.now;
        let running: Vec<(usize, &Node)> = self.honest().filter(up).collect();
        if running.is_empty() {
            return;
        }
        let (number, node) = running[self.now as usize / PROPOSE_US as usize % running.len()];
        let expiration = TimePoint(BEGIN.0 + self.now).plus_us(PROPOSE_US * 3);
        let transaction = node.writer.read(|chain| origin::proposal(wanted, chain, expiration));
        self.give(number, &transaction);
    }

    /// A client gives a node a transaction.
    fn give(&mut self, node: usize, transaction: &TransactionMessage) {
        let at = TimePoint(BEGIN.0 + self.now);
        self.watch.seen.transactions += 1;
        let expiration = TimePoint::from(transaction.expiration);
        self.watch.sent.insert(transaction.id, Sent { node, at, expiration });
        self.with(node, |node, moment| node.submit(transaction, moment));
    }

    /// Looks at all nodes.
    fn audit(&mut self) {
        self.at(self.now + SECOND, 0, 0, Event::Audit);
        let second = (self.now / SECOND) as usize;
        for number in 0..self.hosts.len() {
            let turn = (second + number).is_multiple_of(HASH_EVERY_SECONDS);
            if turn && self.hosts[number].frozen_until <= self.now {
                self.with(number, Node::hash_state);
            }
        }
        for (number, host) in self.hosts.iter().enumerate() {
            let Some(node) = host.node.as_ref().filter(|_| self.scenario.is_honest(number)) else { continue };
            let now = TimePoint(BEGIN.0 + self.now + host.skew_us);
            for (what, length, limit) in node.core.sizes() {
                if length > limit {
                    self.watch.fail(format!("node {number} keeps {length} {what}, and {limit} are the limit"));
                }
            }
            for (key, until) in node.core.banned(now) {
                if until.us_since(now) > BAN_US {
                    self.watch.fail(format!("node {number} bans {key:?} until {until}, longer than anybody is banned"));
                }
                let who = match &key {
                    Key::Host(address) => (0..self.hosts.len()).find(|other| host_of(*other) == *address),
                    Key::Dialled(address) => self.addresses.get(address).map(|(other, _)| *other),
                };
                if let Some(who) = who.filter(|who| self.scenario.is_honest(*who)) {
                    self.watch.fail(format!("node {number} bans node {who}, which did nothing wrong, until {until}"));
                }
            }
        }
    }

    fn honest(&self) -> impl Iterator<Item = (usize, &Node)> {
        let nodes = self.hosts.iter().enumerate().filter(|(number, _)| self.scenario.is_honest(*number));
        nodes.filter_map(|(number, host)| Some((number, host.node.as_ref()?)))
    }

    /// What must hold when everything has been calm for a while.
    fn check_end(&mut self) {
        use p2p::core::Blocks as _;
        let heads: Vec<(usize, Point)> =
            self.honest().map(|(number, node)| (number, node.disk.look().head())).collect();
        let (Some((first, best)), Some((last, least))) =
            (heads.iter().max_by_key(|(_, head)| head.num), heads.iter().min_by_key(|(_, head)| head.num))
        else {
            return;
        };
        if best.num - least.num > LAG_MAX {
            let what = format!("node {last} is at {}, node {first} at {}", least.num, best.num);
            return self.watch.fail(what);
        }
        let common = least.num.saturating_sub(LAG_MAX);
        let ids: BTreeSet<Option<BlockId>> = self.honest().map(|(_, node)| node.disk.id_at(common)).collect();
        if ids.len() > 1 {
            return self.watch.fail(format!("honest nodes have different blocks {common}: {ids:?}"));
        }
        let first = *first;
        self.check_progress(first);
        self.check_transactions(first);
        self.check_acquaintance();
        let mut watch = std::mem::take(&mut self.watch);
        for (number, node) in self.honest() {
            let signs = node.core.double_signs();
            let slots = signs.iter().map(|sign| (sign.first.header.producer, sign.first.header.timestamp));
            watch.check_double_signs(number, &slots.collect());
            watch.seen.bans += node.core.counts().bans;
        }
        for node in self.hosts.iter_mut().filter_map(|host| host.node.as_mut()) {
            node.writer.tamper(|chain, _| {
                chain.abort_block();
                watch.compare_state(chain);
            });
        }
        self.watch = watch;
    }

    /// The honest producers' slots of the last half minute have blocks, and irreversibility follows.
    fn check_progress(&mut self, best: usize) {
        let Some(node) = &self.hosts[best].node else { return };
        let slot = |us: i64| BlockTimestamp::at(TimePoint(BEGIN.0 + us)).0;
        let schedule = schedule_of(node);
        // To a clock that is a slot ahead no block is current: after a start such a node does not produce, as with nodeos.
        let in_time = |number: usize| self.hosts[number].skew_us < SLOT_US;
        let honest: BTreeSet<Name> = schedule
            .iter()
            .filter(|number| self.scenario.is_honest(**number) && in_time(**number))
            .map(|number| origin::producer(*number).0)
            .collect();
        let headers: Vec<_> = node.disk.look().chain().filter_map(|bytes| header_of(bytes)).collect();
        // The head's schedule produces since the last change.
        let version = headers.last().map_or(0, |header| header.schedule_version);
        let since =
            headers.iter().find(|header| header.schedule_version == version).map_or(0, |first| first.timestamp.0);
        let (from, to) = (slot(self.scenario.end - 30 * SECOND).max(since), slot(self.scenario.end - SECOND));
        let turn = |slot: u32| slot as usize % (schedule.len() * TURN_SLOTS as usize) / TURN_SLOTS as usize;
        let wanted = (from..to).filter(|slot| honest.contains(&origin::producer(schedule[turn(*slot)]).0)).count();
        let made = headers
            .iter()
            .filter(|header| (from..to).contains(&header.timestamp.0) && honest.contains(&header.producer))
            .count();
        if wanted >= SLOTS_MIN && made * 100 < wanted * FULL_SLOTS_PERCENT {
            return self.watch.fail(format!("{made} of {wanted} slots of honest producers have blocks"));
        }
        let liars = schedule.iter().filter(|number| !self.scenario.is_honest(**number)).count();
        let turns = turns_to_irreversible(schedule.len(), liars);
        let calm = self.scenario.end - self.scenario.calm - RECOVERY_US;
        let root = node.writer.read(|chain| chain.root().header.timestamp().0);
        if calm >= turns * TURN_US && i64::from(to) - i64::from(root) > turns * TURN_SLOTS {
            self.watch.fail(format!("the last irreversible block is {} slots old", to - root));
        }
    }

    /// A cut is about to end. Where two thirds of the producers and one more tell the truth, were up all the time and are
    /// connected, irreversibility went on.
    fn check_side(&mut self, since: i64, sides: &[bool], side: bool) {
        let steady = |number: &usize| {
            let host = &self.hosts[*number];
            let up = host.node.is_some() && host.started_at <= since && host.frozen_until <= since;
            up && sides[*number] == side && self.scenario.is_honest(*number)
        };
        let members: BTreeSet<usize> = (0..self.hosts.len()).filter(steady).collect();
        let Some(first) = members.first().copied() else { return };
        let mut reached = BTreeSet::from([first]);
        let pairs: Vec<(usize, usize)> = self.scenario.lines.iter().map(|(from, to, _)| (*from, *to)).collect();
        while let Some(next) =
            pairs.iter().flat_map(|(from, to)| [(*from, *to), (*to, *from)]).find_map(|(from, to)| {
                (reached.contains(&from) && members.contains(&to) && !reached.contains(&to)).then_some(to)
            })
        {
            reached.insert(next);
        }
        for number in &reached {
            let Some(node) = &self.hosts[*number].node else { continue };
            let schedule = schedule_of(node);
            let absent = schedule.iter().filter(|producer| !reached.contains(producer)).count();
            let turns = turns_to_irreversible(schedule.len(), absent);
            if schedule.len() - absent < schedule.len() * 2 / 3 + 1 || self.now - since < turns * TURN_US + RECOVERY_US
            {
                continue;
            }
            let now = i64::from(BlockTimestamp::at(TimePoint(BEGIN.0 + self.now)).0);
            let age = now - i64::from(node.writer.read(|chain| chain.root().header.timestamp().0));
            self.watch.seen.majorities += 1;
            if age > turns * TURN_SLOTS {
                let what =
                    format!("node {number}, on the side of most producers, has no irreversible block of {age} slots");
                return self.watch.fail(what);
            }
        }
    }

    /// Who knew one address has met others.
    fn check_acquaintance(&mut self) {
        if !self.scenario.exchange {
            return;
        }
        let least = MET_MIN.min(self.honest().count() - 1);
        let count = |node: &Node| {
            let (incoming, dialled) = node.core.peer_counts();
            incoming + dialled
        };
        let lonely = self.honest().map(|(number, node)| (number, count(node))).find(|(_, peers)| *peers < least);
        if let Some((number, peers)) = lonely {
            self.watch.fail(format!("node {number} has {peers} peers, and {least} are to be met"));
        }
    }

    /// Each transaction is in one block at most, and in one at least where it had the time.
    fn check_transactions(&mut self, best: usize) {
        let Some(node) = &self.hosts[best].node else { return };
        let chain: Vec<Arc<[u8]>> = node.disk.look().chain().cloned().collect();
        let found = self.watch.transactions_of(chain.iter());
        let calm = BEGIN.0 + self.scenario.calm + RECOVERY_US;
        let lost = self.watch.sent.iter().find(|(id, sent)| {
            // What a liar was given counts from when somebody honest had it.
            let honest = self.watch.accepted_at(id).filter(|(node, _)| self.scenario.is_honest(*node));
            let Some(first) = honest.map(|(_, at)| at.0).min() else { return false };
            let time = sent.expiration.0.min(BEGIN.0 + self.scenario.end) - first.max(calm);
            time >= ENOUGH_US && !found.contains(id)
        });
        if let Some((id, sent)) = lost {
            let (node, at) = (sent.node, sent.at.us_since(BEGIN) / SECOND);
            self.watch.fail(format!("transaction {id}, sent to node {node} after {at} s, is in no block"));
        }
    }
}

/// Turns within which a block becomes irreversible with so many producers, some of whom do not take part: twice two
/// thirds of them, and a turn at each end.
fn turns_to_irreversible(producers: usize, absent: usize) -> i64 {
    (producers * 2 / 3 + 1 + absent) as i64 * 2 + 2
}

/// Who produces on a node's head, as nodes.
fn schedule_of(node: &Node) -> Vec<usize> {
    let head = node.writer.read(|chain| Arc::clone(chain.head()));
    let schedule = &head.header.active_schedule.producers;
    schedule.iter().filter_map(|producer| origin::number_of(producer.producer_name)).collect()
}

fn header_of(block: &[u8]) -> Option<primitives::BlockHeader> {
    use codec::Unpack as _;
    primitives::block::SignedBlockHeader::from_prefix(block).ok().map(|header| header.header)
}

fn producer_of(block: &[u8]) -> Option<Name> {
    header_of(block).map(|header| header.producer)
}
