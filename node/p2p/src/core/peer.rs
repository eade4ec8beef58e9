//! What is known of one peer.

use std::collections::BTreeSet;
use std::net::IpAddr;

use primitives::{BlockId, Checksum256, Name, TimePoint};

use super::checks::Checks;
use super::link::{Lane, Wire};
use super::standing::Key;
use crate::address::Kind;
use crate::limits::{KNOWN_BLOCKS_MAX, PRODUCERS_MAX, REQUESTS, USELESS_BLOCKS, USELESS_TRANSACTIONS};
use crate::wire::message::Point;
use crate::wire::{GoAway, Handshake};

/// A connection's number, never used again.
pub type PeerId = u64;

/// A bucket that fills with time and is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    level: f64,
    most: f64,
    per_second: f64,
    at: TimePoint,
}

impl Bucket {
    fn full((most, per_second): (f64, f64), now: TimePoint) -> Self {
        Self { level: most, most, per_second, at: now }
    }

    /// Takes one out. False when it is empty.
    pub fn draw(&mut self, now: TimePoint) -> bool {
        let passed = now.us_since(self.at).max(0) as f64 / 1e6;
        self.level = (self.level + passed * self.per_second).min(self.most);
        self.at = now;
        let enough = self.level >= 1.0;
        if enough {
            self.level -= 1.0;
        }
        enough
    }
}

/// Blocks that a peer asked for and gets one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serving {
    /// The next one.
    pub next: u32,
    /// The last one.
    pub end: u32,
}

/// The clocks of both sides, in nanoseconds, as [`crate::wire::Time`] has them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clocks {
    pub org: i64,
    pub rec: i64,
    pub dst: i64,
    pub xmt: i64,
}

/// A peer.
#[derive(Debug)]
pub struct Peer {
    pub wire: Wire,
    pub address: IpAddr,
    /// The address that was dialled; none for one that came to this node.
    pub dialled: Option<String>,
    /// What travels on the connection.
    pub kind: Kind,
    pub since: TimePoint,
    /// Whether it has introduced itself, and may stay.
    pub open: bool,
    /// Why it is not to be dialled again at once, or not at all.
    pub parting: Option<GoAway>,
    /// Set once the connection is given up and only what is queued is still sent.
    pub leaving: bool,
    pub version: u16,
    /// Its last handshake.
    pub said: Option<Box<Handshake>>,
    /// Number of handshakes that it got.
    pub generation: i16,
    /// When it got the last one, and what that said of this node's irreversible block.
    pub greeted: TimePoint,
    /// Whether it is far behind and gets only what it asks for.
    pub syncs_from_us: bool,
    pub irreversible: u32,
    pub head: Point,
    /// The first block that it has, as far as it said.
    pub earliest: u32,
    pub serving: Option<Serving>,
    /// Bytes that wait to be sent to it.
    pub queued: usize,
    /// Bytes of these that it asked for.
    pub queued_asked: usize,
    /// Bytes of its blocks that wait here.
    pub in_hand: usize,
    /// Blocks of it that nobody asked for and that are not judged.
    pub news_in_hand: usize,
    /// Bytes of memory that its transactions take which are judged.
    pub judged_bytes: usize,
    /// How many of them are.
    pub judged: usize,
    known: BTreeSet<BlockId>,
    /// Blocks that it brought without being asked.
    brought: BTreeSet<BlockId>,
    pub heard: TimePoint,
    /// When a block last went to it or came from it.
    pub block_at: TimePoint,
    pub beat: TimePoint,
    pub clocks: Clocks,
    pub(super) checks: Checks,
    /// Where it can be reached, as it says.
    pub addresses: Vec<String>,
    pub requests: Bucket,
    pub useless_blocks: Bucket,
    pub useless_transactions: Bucket,
    /// When it was last asked for what this node lacks.
    pub asked: TimePoint,
    /// Until when it is not asked for ranges while others can be.
    pub slow_until: TimePoint,
    /// A block that is irreversible as it says, and not as another peer does.
    pub disputed: Option<Point>,
    /// How often it was passed over because of that.
    pub doubted: u32,
    /// Whether gossip brings it blocks.
    pub gossips: bool,
    /// Producers whose blocks it gets from others: it is told of them.
    pub spared: Producers,
    /// Producers whose blocks this node gets from others, as it was told.
    pub enough: Producers,
}

/// A few producers.
#[derive(Debug, Default)]
pub struct Producers(BTreeSet<Name>);

impl Producers {
    /// Whether a producer is one of them.
    pub fn contains(&self, producer: Name) -> bool {
        self.0.contains(&producer)
    }

    /// Notes one; with too many all others are forgotten. Whether that is news.
    pub fn insert(&mut self, producer: Name) -> bool {
        if self.0.len() >= PRODUCERS_MAX && !self.0.contains(&producer) {
            self.0.clear();
        }
        self.0.insert(producer)
    }

    /// Forgets one.
    pub fn remove(&mut self, producer: Name) {
        self.0.remove(&producer);
    }
}

impl Peer {
    pub fn new(wire: Wire, address: IpAddr, dialled: Option<String>, kind: Kind, now: TimePoint) -> Self {
        Self {
            wire,
            address,
            dialled,
            kind,
            since: now,
            open: false,
            parting: None,
            leaving: false,
            version: 0,
            said: None,
            generation: 0,
            greeted: TimePoint(0),
            syncs_from_us: false,
            irreversible: 0,
            head: Point::default(),
            earliest: 0,
            serving: None,
            queued: 0,
            queued_asked: 0,
            in_hand: 0,
            news_in_hand: 0,
            judged_bytes: 0,
            judged: 0,
            known: BTreeSet::new(),
            brought: BTreeSet::new(),
            heard: now,
            block_at: now,
            beat: now,
            clocks: Clocks::default(),
            checks: Checks::default(),
            addresses: Vec::new(),
            requests: Bucket::full(REQUESTS, now),
            useless_blocks: Bucket::full(USELESS_BLOCKS, now),
            useless_transactions: Bucket::full(USELESS_TRANSACTIONS, now),
            asked: TimePoint(0),
            slow_until: TimePoint(0),
            disputed: None,
            doubted: 0,
            gossips: false,
            spared: Producers::default(),
            enough: Producers::default(),
        }
    }

    /// Whom its blame sticks to.
    pub fn key(&self) -> Key {
        self.dialled.clone().map_or(Key::Host(self.address), Key::Dialled)
    }

    /// Who it is, for the log.
    pub fn name(&self) -> String {
        if let Wire::Libp2p { identity } = &self.wire {
            return match &self.dialled {
                Some(dialled) => format!("{identity} at {dialled}"),
                None => format!("{identity} from {}", self.address),
            };
        }
        match (&self.said, &self.dialled) {
            (Some(said), _) => said.p2p_address.shown(),
            (None, Some(dialled)) => dialled.clone(),
            (None, None) => self.address.to_string(),
        }
    }

    /// Notes bytes that wait to be sent to it.
    pub fn queue(&mut self, lane: Lane, bytes: usize) {
        self.queued += bytes;
        if lane == Lane::Asked {
            self.queued_asked += bytes;
        }
    }

    /// Notes bytes that were sent.
    pub fn written(&mut self, lane: Lane, bytes: usize) {
        self.queued = self.queued.saturating_sub(bytes);
        if lane == Lane::Asked {
            self.queued_asked = self.queued_asked.saturating_sub(bytes);
        }
    }

    /// Where a new block goes: behind the blocks that the peer asked for, while some of these wait, since it follows
    /// them.
    pub fn lane_of_news(&self) -> Lane {
        if self.queued_asked > 0 { Lane::Asked } else { Lane::News }
    }

    /// Its node's id, once it has introduced itself.
    pub fn node_id(&self) -> Option<Checksum256> {
        self.said.as_ref().map(|said| said.node_id)
    }

    /// Whether blocks as they come are for it.
    pub fn takes_live_blocks(&self) -> bool {
        self.is_current() && self.kind.has_blocks()
    }

    /// Whether it has introduced itself and follows the head.
    pub fn is_current(&self) -> bool {
        self.open && !self.leaving && !self.syncs_from_us
    }

    /// Notes that it brought a block without being asked. Whether it did so for the first time.
    pub fn note_brought(&mut self, block: Point) -> bool {
        let first = self.brought.insert(block.id);
        if self.brought.len() > KNOWN_BLOCKS_MAX {
            self.brought.pop_first();
        }
        first
    }

    /// Whether it has a block, as far as is known.
    pub fn has(&self, block: Point) -> bool {
        block.num <= self.irreversible || self.known.contains(&block.id)
    }

    /// Notes that it has a block. Of too many the lowest is forgotten.
    pub fn note_has(&mut self, block: Point) {
        if block.num <= self.irreversible {
            return;
        }
        self.known.insert(block.id);
        if self.known.len() > KNOWN_BLOCKS_MAX {
            self.known.pop_first();
        }
    }

    /// Notes that it gave a block.
    pub fn note_gave(&mut self, block: Point, now: TimePoint) {
        self.block_at = now;
        self.note_has(block);
        if block.num > self.head.num {
            self.head = block;
        }
    }

    /// Forgets blocks up to a number: ids begin with their block's number.
    pub fn forget_up_to(&mut self, num: u32) {
        let mut first = [0; 32];
        first[..4].copy_from_slice(&num.saturating_add(1).to_be_bytes());
        self.known = self.known.split_off(&primitives::Checksum256(first));
        self.brought = self.brought.split_off(&primitives::Checksum256(first));
    }

    /// Number of blocks that are remembered for it.
    pub fn known_len(&self) -> usize {
        self.known.len().max(self.brought.len())
    }
}
