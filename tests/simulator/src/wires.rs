//! What lies between the nodes: connections with a delay, a width, lanes that overtake each other, and cuts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use p2p::core::{Lane, PeerId, Wire};

use crate::dice::Dice;

/// Lanes of a connection: those of the core, and gossip's.
pub const LANES: usize = 5;
/// The lane of transactions' gossip.
pub const GOSSIP: usize = 3;
/// The lane of blocks' gossip.
pub const BLOCKS: usize = 4;
/// Bytes a second that a connection carries.
const BYTES_PER_SECOND: i64 = 4_000_000;

/// One end of a connection: which node, in which of its runs, and its name for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// The node.
    pub node: usize,
    /// Its run.
    pub run: u32,
    /// The connection, as the node names it.
    pub peer: PeerId,
}

/// A frame under way.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its lane.
    pub lane: usize,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Way {
    /// When the line is free again.
    free: i64,
    /// When the last frame of each lane arrives.
    last: [i64; LANES],
    /// What waits for a cut to end.
    stuck: VecDeque<(Frame, i64)>,
}

/// A connection.
#[derive(Debug)]
pub struct Link {
    /// Who dialled, and who was dialled.
    pub ends: [End; 2],
    /// What carries it.
    pub encrypted: bool,
    delay_us: i64,
    ways: [Way; 2],
}

/// When something of a frame happens.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The sender hears that it was sent.
    pub written: i64,
    /// The receiver has it.
    pub arrives: i64,
}

/// All connections.
#[derive(Debug, Default)]
pub struct Wires {
    links: BTreeMap<u64, Link>,
    by_end: BTreeMap<(usize, u32, PeerId), (u64, usize)>,
    count: u64,
    /// Which nodes cannot reach each other.
    sides: Option<Vec<bool>>,
    /// Delays between nodes.
    delays: BTreeMap<(usize, usize), i64>,
}

impl Wires {
    /// Delays of each pair of nodes, in microseconds.
    pub fn new(nodes: usize, dice: &mut Dice) -> Self {
        let slowest = [5_000, 30_000, 120_000][dice.below(3)];
        let mut delays = BTreeMap::new();
        for one in 0..nodes {
            for other in 0..one {
                delays.insert((other, one), dice.between(500, slowest));
            }
        }
        Self { delays, ..Self::default() }
    }

    /// How long it takes from one node to another.
    pub fn delay(&self, one: usize, other: usize) -> i64 {
        self.delays.get(&(one.min(other), one.max(other))).copied().unwrap_or(100)
    }

    /// Whether nodes can reach each other.
    pub fn reach(&self, one: usize, other: usize) -> bool {
        self.sides.as_ref().is_none_or(|sides| sides[one] == sides[other])
    }

    /// Cuts the network in two, or heals it.
    pub fn cut(&mut self, sides: Option<Vec<bool>>) {
        self.sides = sides;
    }

    /// A connection is there.
    pub fn connect(&mut self, ends: [End; 2], encrypted: bool) -> u64 {
        self.count += 1;
        for (side, end) in ends.iter().enumerate() {
            self.by_end.insert((end.node, end.run, end.peer), (self.count, side));
        }
        let delay_us = self.delay(ends[0].node, ends[1].node);
        self.links.insert(self.count, Link { ends, encrypted, delay_us, ways: Default::default() });
        self.count
    }

    /// A number that no connection has.
    pub fn next_peer(&self) -> PeerId {
        self.count * 2 + 1
    }

    /// The other end of a connection.
    pub fn other(&self, node: usize, run: u32, peer: PeerId) -> Option<(u64, End)> {
        let (link, side) = *self.by_end.get(&(node, run, peer))?;
        Some((link, self.links.get(&link)?.ends[1 - side]))
    }

    /// Whether an end of a connection is still open.
    pub fn is_open(&self, end: End) -> bool {
        self.by_end.contains_key(&(end.node, end.run, end.peer))
    }

    /// A frame goes in at an end: when it does what. Nothing while a cut holds it up.
    pub fn send(&mut self, from: End, frame: Frame, now: i64, later: i64, dice: &mut Dice) -> Option<(End, Times)> {
        let (link, side) = *self.by_end.get(&(from.node, from.run, from.peer))?;
        let to = self.links.get(&link)?.ends[1 - side];
        let cut = !self.reach(from.node, to.node);
        let link = self.links.get_mut(&link)?;
        if cut {
            link.ways[side].stuck.push_back((frame, later));
            return None;
        }
        let times = link.times(side, &frame, now, later, dice);
        Some((to, times))
    }

    /// What a cut held up, with when it arrives now that it is over.
    pub fn released(&mut self, now: i64, dice: &mut Dice) -> Vec<(End, End, Frame, Times)> {
        let mut released = Vec::new();
        for link in self.links.values_mut() {
            for side in 0..2 {
                let stuck = std::mem::take(&mut link.ways[side].stuck);
                for (frame, later) in stuck {
                    let times = link.times(side, &frame, now, later, dice);
                    released.push((link.ends[side], link.ends[1 - side], frame, times));
                }
            }
        }
        released
    }

    /// One end is closed. When the other end hears of it, if it is still there and can be reached.
    pub fn close(&mut self, node: usize, run: u32, peer: PeerId, now: i64) -> Option<(End, i64)> {
        let (number, side) = self.by_end.remove(&(node, run, peer))?;
        let link = self.links.get(&number)?;
        let other = link.ends[1 - side];
        let there = self.is_open(other);
        let at = link.ways[side].last.iter().copied().max().unwrap_or(0).max(now + link.delay_us);
        if !there {
            self.links.remove(&number);
            return None;
        }
        Some((other, at))
    }

    /// The connections of a node's run.
    pub fn of(&self, node: usize, run: u32) -> Vec<PeerId> {
        let mine = self.by_end.range((node, run, 0)..=(node, run, PeerId::MAX));
        mine.map(|((.., peer), _)| *peer).collect()
    }

    /// All connections between nodes that cannot reach each other.
    pub fn severed(&self) -> Vec<[End; 2]> {
        let cut = self.links.values().filter(|link| !self.reach(link.ends[0].node, link.ends[1].node));
        cut.map(|link| link.ends).collect()
    }

    /// The encrypted connections of a node's run.
    pub fn encrypted(&self, node: usize, run: u32) -> Vec<PeerId> {
        let encrypted = |peer: &PeerId| {
            let link = self.by_end.get(&(node, run, *peer)).and_then(|(link, _)| self.links.get(link));
            link.is_some_and(|link| link.encrypted)
        };
        self.of(node, run).into_iter().filter(encrypted).collect()
    }
}

impl Link {
    fn times(&mut self, side: usize, frame: &Frame, now: i64, later: i64, dice: &mut Dice) -> Times {
        // nodeos' wire has one stream for everything.
        let lane = if self.encrypted { frame.lane } else { 0 };
        let way = &mut self.ways[side];
        let written = now.max(way.free) + frame.bytes.len() as i64 * 1_000_000 / BYTES_PER_SECOND;
        way.free = written;
        let jitter = dice.between(0, self.delay_us);
        let arrives = (written + self.delay_us + jitter + later).max(way.last[lane] + 1);
        // What is late is late by itself; what follows it is not.
        if later == 0 {
            way.last[lane] = arrives;
        }
        Times { written, arrives }
    }
}

/// The lane of the core's.
pub fn lane_number(lane: Lane) -> usize {
    Lane::ALL.iter().position(|each| *each == lane).unwrap_or(0)
}

/// The core's lane of a number; gossip has none.
pub fn lane_of(number: usize) -> Option<Lane> {
    Lane::ALL.get(number).copied()
}

/// A node's identity on encrypted wires.
pub fn identity_of(node: usize) -> String {
    let keys = libp2p::identity::Keypair::ed25519_from_bytes([node as u8 + 1; 32]).expect("32 bytes are a secret");
    keys.public().to_peer_id().to_string()
}

/// How an end names what carries it.
pub fn wire_to(node: usize, encrypted: bool) -> Wire {
    if encrypted { Wire::Libp2p { identity: identity_of(node) } } else { Wire::Nodeos }
}
