//! Who of many peers of ours gets a block's bytes from this node, and who is only told of it. Where all are connected
//! each would get each block from everybody. So whoever gets a third copy of a block says so to the one that brought it,
//! and gets the blocks of that producer no more from there: what remains are, for each producer, the two peers that
//! bring its blocks first, of which the producer is one where it is a peer (Leitão and others, Epidemic Broadcast Trees,
//! SRDS 2007, with a tree for each producer).
//!
//! Those that get a block from others are told its id a while later, and ask for it if it has not come: whoever gave it
//! then gives them the blocks of that producer again. So a peer that dies, is slow or keeps blocks to itself costs the
//! others that while, once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use codec::Unpack;
use primitives::block::SignedBlockHeader;
use primitives::{BlockId, Name, TimePoint};

use super::link::Wire;
use super::peer::PeerId;
use super::{Blocks, Core, Peer};
use crate::limits::{
    COPIES_WANTED, IDS_AT_ONCE_MAX, KEPT_BLOCK_BYTES_MAX, MISSING_BLOCK_US, MISSING_BLOCKS_MAX, SHARED_WITH,
    SPREAD_BLOCKS_MAX, TELL_BLOCK_US, TELLERS_MAX, WANT_BLOCK_US,
};
use crate::wire::message::Point;
use crate::wire::{BlockMessage, Message, block_frame};

/// A block on its way.
#[derive(Debug, Default)]
struct Spread {
    /// How often it came.
    copies: u8,
    /// Whether this node has passed it on.
    sent: bool,
}

/// A block that peers told of and that has not come.
#[derive(Debug)]
struct Missing {
    since: TimePoint,
    /// Who has it and was not asked yet.
    tellers: VecDeque<PeerId>,
    asked: Option<(PeerId, TimePoint)>,
}

/// What is on its way to peers of ours, and from them.
#[derive(Debug, Default)]
pub(super) struct Spreading {
    spread: BTreeMap<BlockId, Spread>,
    /// Blocks that peers are told of, since when this node has passed them on.
    told_next: VecDeque<(TimePoint, BlockId)>,
    /// Those that they may ask for.
    kept: VecDeque<(BlockId, Arc<[u8]>)>,
    bytes: usize,
    missing: BTreeMap<BlockId, Missing>,
}

impl Spreading {
    /// Whether this node has passed a block on.
    pub fn is_sent(&self, id: &BlockId) -> bool {
        self.spread.get(id).is_some_and(|spread| spread.sent)
    }

    /// Notes that it does so now.
    pub fn note_sent(&mut self, id: BlockId) {
        self.entry(id).sent = true;
    }

    /// A copy of a block was not the block.
    pub fn forget_copy(&mut self, id: &BlockId) {
        if let Some(spread) = self.spread.get_mut(id) {
            spread.copies = spread.copies.saturating_sub(1);
        }
    }

    /// Keeps a block for peers that are told of it later.
    pub fn tell_later(&mut self, id: BlockId, bytes: &Arc<[u8]>, now: TimePoint) {
        self.told_next.push_back((now, id));
        self.bytes += bytes.len();
        self.kept.push_back((id, Arc::clone(bytes)));
        while self.bytes > KEPT_BLOCK_BYTES_MAX
            && let Some((_, dropped)) = self.kept.pop_front()
        {
            self.bytes -= dropped.len();
        }
    }

    /// Forgets what is irreversible.
    pub fn forget_up_to(&mut self, num: u32) {
        let is_young = |id: &BlockId| primitives::number_of(id) > num;
        self.spread.retain(|id, _| is_young(id));
        self.missing.retain(|id, _| is_young(id));
        self.kept.retain(|(id, _)| is_young(id));
        self.bytes = self.kept.iter().map(|(_, bytes)| bytes.len()).sum();
    }

    /// Bytes of blocks that are kept, and number of those that are missing.
    pub fn sizes(&self) -> (usize, usize) {
        (self.bytes, self.missing.len())
    }

    /// A block's entry. Of too many the lowest goes.
    fn entry(&mut self, id: BlockId) -> &mut Spread {
        if self.spread.len() >= SPREAD_BLOCKS_MAX && !self.spread.contains_key(&id) {
            self.spread.pop_first();
        }
        self.spread.entry(id).or_default()
    }
}

/// Who made a block.
pub(super) fn producer_of(block: &[u8]) -> Option<Name> {
    SignedBlockHeader::from_prefix(block).ok().map(|signed| signed.header.producer)
}

impl Core {
    /// Whether a peer may be told of blocks in place of getting them.
    fn may_be_told(peer: &Peer) -> bool {
        matches!(peer.wire, Wire::Libp2p { .. }) && peer.takes_live_blocks()
    }

    /// Whether there are so many such peers that some are only told, and not so many that gossip is cheaper.
    pub(super) fn spares_peers(&self) -> bool {
        let takers = || self.peers.values().filter(|peer| peer.takes_live_blocks());
        takers().filter(|peer| Self::may_be_told(peer)).count() > SHARED_WITH
            && takers().count() <= self.settings.meshing.pushed_max
    }

    /// A copy of a block came as news. Whoever brings one too many is told to do so no more with blocks of its producer.
    pub(super) fn copy_came(&mut self, peer: PeerId, block: &BlockMessage, blocks: &dyn Blocks) {
        if self.is_other_form(block) {
            // Which of them is the block is still to be seen.
            return;
        }
        let asked = self.spreading.missing.remove(&block.id).and_then(|missing| missing.asked);
        let spread = self.spreading.entry(block.id);
        spread.copies = spread.copies.saturating_add(1);
        let (first, many) = (spread.copies == 1, spread.copies > COPIES_WANTED);
        let was_asked = asked.is_some_and(|(asked, _)| asked == peer);
        let is_known = || self.in_hand.contains(&block.id) || blocks.has(&block.id);
        if !(was_asked && first || many && self.spares_peers() && is_known()) {
            return;
        }
        let Some(producer) = producer_of(&block.bytes) else { return };
        let Some(found) = self.peers.get_mut(&peer).filter(|found| Self::may_be_told(found)) else { return };
        if was_asked {
            // It gives the next ones without being asked.
            found.enough.remove(producer);
        } else if found.enough.insert(producer) {
            self.send(peer, &Message::Enough(producer));
        }
    }

    /// A peer gets the blocks of a producer from others.
    pub(super) fn spare(&mut self, peer: PeerId, producer: Name) {
        if let Some(found) = self.peers.get_mut(&peer) {
            found.spared.insert(producer);
        }
    }

    /// A peer says which blocks it has: it is asked for those that have not come.
    pub(super) fn told_of_blocks(&mut self, peer: PeerId, ids: &[BlockId], now: TimePoint, blocks: &dyn Blocks) {
        let irreversible = self.stands.irreversible.num;
        let Some(found) = self.peers.get_mut(&peer).filter(|found| found.kind.has_blocks()) else { return };
        for id in ids {
            found.note_gave(Point::of(*id), now);
        }
        if self.is_behind(now) {
            return;
        }
        for id in ids {
            let is_known = self.spreading.is_sent(id) || self.in_hand.contains(id) || blocks.has(id);
            if primitives::number_of(id) <= irreversible || is_known {
                continue;
            }
            if let Some(missing) = self.spreading.missing.get_mut(id) {
                if missing.tellers.len() < TELLERS_MAX && !missing.tellers.contains(&peer) {
                    missing.tellers.push_back(peer);
                }
            } else if self.spreading.missing.len() < MISSING_BLOCKS_MAX {
                let missing = Missing { since: now, tellers: VecDeque::from([peer]), asked: None };
                self.spreading.missing.insert(*id, missing);
            }
        }
        self.ask_for_missing(now);
    }

    /// Asks for blocks that have not come, of one after another of those that told of them.
    fn ask_for_missing(&mut self, now: TimePoint) {
        let mut asks: BTreeMap<PeerId, Vec<BlockId>> = BTreeMap::new();
        let peers = &self.peers;
        for (id, missing) in &mut self.spreading.missing {
            let is_there = |peer: &PeerId| peers.get(peer).is_some_and(Self::may_be_told);
            if missing.asked.is_some_and(|(peer, at)| is_there(&peer) && now.us_since(at) < WANT_BLOCK_US) {
                continue;
            }
            while let Some(peer) = missing.tellers.pop_front() {
                if is_there(&peer) {
                    missing.asked = Some((peer, now));
                    asks.entry(peer).or_default().push(*id);
                    break;
                }
            }
        }
        for (peer, ids) in asks {
            for ids in ids.chunks(IDS_AT_ONCE_MAX) {
                self.send(peer, &Message::WantBlocks(ids.to_vec()));
            }
        }
    }

    /// A peer asks for blocks that it was told of. It gets each once, and those that follow without asking.
    pub(super) fn asked_for_blocks(&mut self, peer: PeerId, ids: &[BlockId], now: TimePoint, blocks: &dyn Blocks) {
        for id in ids {
            let point = Point::of(*id);
            let kept = self.spreading.kept.iter().find(|(kept, _)| kept == id).map(|(_, bytes)| Arc::clone(bytes));
            let in_chain = || blocks.block_at(point.num).filter(|_| blocks.id_at(point.num) == Some(*id));
            let Some(bytes) = kept.or_else(in_chain) else { continue };
            let Some(found) = self.peers.get_mut(&peer).filter(|found| Self::may_be_told(found)) else { return };
            if let Some(producer) = producer_of(&bytes) {
                found.spared.remove(producer);
            }
            // Who catches up gets it in its turn.
            if found.has(point) || found.serving.is_some() {
                continue;
            }
            found.note_has(point);
            found.block_at = now;
            let lane = found.lane_of_news();
            self.send_frame(peer, lane, block_frame(&bytes).into());
        }
    }

    /// Time passes: peers are told of what went to others, and asked for what has not come.
    pub(super) fn keep_spreading(&mut self, now: TimePoint) {
        let told = &mut self.spreading.told_next;
        let due = told.iter().take_while(|(at, _)| now.us_since(*at) >= TELL_BLOCK_US).count();
        let due: Vec<Point> = told.drain(..due).map(|(_, id)| Point::of(id)).collect();
        if !due.is_empty() {
            self.tell_of(&due, now);
        }
        self.spreading.missing.retain(|_, missing| now.us_since(missing.since) < MISSING_BLOCK_US);
        self.ask_for_missing(now);
    }

    fn tell_of(&mut self, blocks: &[Point], now: TimePoint) {
        let takers = self.peers.iter().filter(|(_, peer)| Self::may_be_told(peer) && peer.serving.is_none());
        for peer in takers.map(|(id, _)| *id).collect::<Vec<_>>() {
            let Some(found) = self.peers.get_mut(&peer) else { continue };
            let lacking: Vec<_> = blocks.iter().filter(|block| !found.has(**block)).map(|block| block.id).collect();
            if lacking.is_empty() {
                continue;
            }
            found.block_at = now;
            for ids in lacking.chunks(IDS_AT_ONCE_MAX) {
                self.send(peer, &Message::HaveBlocks(ids.to_vec()));
            }
        }
    }

    /// Whether a block's bytes go to a peer later, and only if it asks.
    pub(super) fn is_spared(peer: &Peer, producer: Option<Name>) -> bool {
        producer.is_some_and(|producer| peer.spared.contains(producer)) && Self::may_be_told(peer)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::core::tests::{Chain, block_after};
    use crate::core::{BlockJudgement, Charge, Input, Lane, Output, Settings};
    use crate::limits::PRODUCERS_MAX;
    use crate::wire::Handshake;
    use crate::wire::message::{VERSION, VERSION_BASE};

    const BEGIN: TimePoint = TimePoint(1_000_000_000_000);
    const STEP_US: i64 = 10_000;
    /// Nodes hear of time each so many steps, and a frame takes two.
    const TICK_STEPS: usize = 5;
    const DELAY_US: i64 = 20_000;

    struct Node {
        core: Core,
        chain: Chain,
        /// When it had its head.
        at: TimePoint,
        copies: usize,
        asks: usize,
    }

    /// Nodes that are all connected, with delayed lines. `lost` says what does not arrive from whom at whom.
    struct Net {
        nodes: Vec<Node>,
        travelling: VecDeque<(TimePoint, usize, usize, Lane, Message)>,
        now: TimePoint,
        steps: usize,
        lost: Box<dyn Fn(usize, usize, &Message) -> bool>,
    }

    impl Net {
        fn new(count: usize) -> Self {
            let chain = Chain::of(10);
            let settings =
                || Settings { node_id: primitives::Sha256::of(b"node"), max_clients: 0, ..Settings::default() };
            let node = || {
                let core = Core::new(settings(), chain.stands());
                Node { core, chain: chain.clone(), at: BEGIN, copies: 0, asks: 0 }
            };
            let nodes = (0..count).map(|_| node()).collect();
            let mut net =
                Self { nodes, travelling: VecDeque::new(), now: BEGIN, steps: 0, lost: Box::new(|_, _, _| false) };
            for at in 0..count {
                (0..count).filter(|other| *other != at).for_each(|other| net.connect(at, other));
            }
            net
        }

        fn connect(&mut self, at: usize, other: usize) {
            let (peer, wire) = (other as PeerId, Wire::Libp2p { identity: format!("node{other}") });
            let address = IpAddr::from([10, 0, 0, other as u8 + 1]);
            self.step(at, Input::Connected { peer, wire, address, dialled: None });
            let handshake = Handshake {
                network_version: VERSION_BASE + VERSION,
                node_id: primitives::Sha256::of(&[other as u8]),
                time: self.now.0 * 1000,
                p2p_address: "a:1 - 1234567".into(),
                irreversible: self.nodes[other].chain.stands().irreversible,
                head: self.nodes[other].chain.head(),
                os: "linux".into(),
                generation: 1,
                ..Handshake::default()
            };
            self.comes(at, other, Lane::Talk, Message::Handshake(Box::new(handshake)));
        }

        fn comes(&mut self, at: usize, from: usize, lane: Lane, message: Message) {
            self.step(at, Input::Received { peer: from as PeerId, lane, message, charge: Charge::default() });
        }

        fn step(&mut self, at: usize, input: Input) {
            let node = &mut self.nodes[at];
            let outputs = node.core.step(input, self.now, &node.chain);
            for (what, size, limit) in node.core.sizes() {
                assert!(size <= limit, "{what}");
            }
            outputs.into_iter().for_each(|output| self.perform(at, output));
        }

        fn perform(&mut self, at: usize, output: Output) {
            match output {
                Output::Send { peer, lane, frame } => {
                    self.step(at, Input::Written { peer, lane, bytes: frame.len() });
                    let (to, message) = (peer as usize, Message::read(&frame[4..]).unwrap());
                    if matches!(message, Message::WantBlocks(_)) {
                        self.nodes[at].asks += 1;
                    }
                    let travels = matches!(
                        message,
                        Message::Block(_) | Message::HaveBlocks(_) | Message::WantBlocks(_) | Message::Enough(_)
                    );
                    if travels && to < self.nodes.len() && !(self.lost)(at, to, &message) {
                        self.travelling.push_back((self.now.plus_us(DELAY_US), to, at, lane, message));
                    }
                }
                Output::TakeBlock { peer, block, epoch, .. } => {
                    let (id, bytes) = (block.id, block.bytes.len());
                    let judgement = self.nodes[at].chain.judge(&block);
                    if judgement == BlockJudgement::Good {
                        self.nodes[at].at = self.now;
                        self.step(at, Input::HeaderGood { id });
                    }
                    self.step(at, Input::BlockJudged { peer, id, bytes, epoch, judgement, why: String::new() });
                    let stands = self.nodes[at].chain.stands();
                    self.step(at, Input::Stands(stands));
                }
                Output::Close { .. } => panic!("a connection ends"),
                _ => {}
            }
        }

        fn makes(&mut self, at: usize) {
            self.nodes.iter_mut().for_each(|node| (node.copies, node.asks) = (0, 0));
            self.nodes[at].chain.grow(0);
            self.nodes[at].at = self.now;
            let stands = self.nodes[at].chain.stands();
            self.step(at, Input::Stands(stands));
        }

        fn goes_on(&mut self, us: i64) {
            for _ in 0..us / STEP_US {
                self.now = self.now.plus_us(STEP_US);
                self.steps += 1;
                while self.travelling.front().is_some_and(|(due, ..)| *due <= self.now)
                    && let Some((_, to, from, lane, message)) = self.travelling.pop_front()
                {
                    self.nodes[to].copies += usize::from(matches!(message, Message::Block(_)));
                    self.comes(to, from, lane, message);
                }
                if self.steps.is_multiple_of(TICK_STEPS) {
                    (0..self.nodes.len()).for_each(|at| self.step(at, Input::Tick));
                }
            }
        }

        /// How long a block of a node takes to the last one that gets it; all have to.
        fn spread(&mut self, from: usize) -> i64 {
            let begin = self.now;
            self.makes(from);
            self.goes_on(500_000);
            let head = self.nodes[from].chain.head();
            assert!(self.nodes.iter().all(|node| node.chain.head() == head));
            self.nodes.iter().map(|node| node.at.us_since(begin)).max().unwrap()
        }

        fn most_copies(&self) -> usize {
            self.nodes.iter().map(|node| node.copies).max().unwrap()
        }
    }

    #[test]
    fn each_gets_a_block_twice_and_not_from_everybody() {
        let mut net = Net::new(21);
        assert_eq!(net.spread(3), DELAY_US);
        assert!(net.most_copies() > 10, "nobody knew it before");
        for _ in 0..20 {
            assert_eq!(net.spread(3), DELAY_US);
            assert!(net.most_copies() <= usize::from(COPIES_WANTED));
            assert!(net.nodes.iter().all(|node| node.asks == 0));
        }
    }

    #[test]
    fn a_small_network_goes_on_with_all_copies() {
        let mut net = Net::new(SHARED_WITH + 1);
        net.lost = Box::new(|_, _, message| matches!(message, Message::Enough(_)) && panic!("it is spared"));
        (0..5).for_each(|_| assert_eq!(net.spread(0), DELAY_US));
    }

    #[test]
    fn what_two_keep_back_is_asked_of_a_third() {
        let mut net = Net::new(21);
        for _ in 0..3 {
            net.spread(3);
        }
        // Node 7 gets blocks of two, and now gets none of either.
        let gives = |from: &usize| {
            let peer = net.nodes[*from].core.peers.get(&7);
            peer.is_some_and(|peer| !peer.spared.contains(Name::default()))
        };
        let givers: Vec<_> = (0..21).filter(gives).collect();
        assert!(givers.len() == usize::from(COPIES_WANTED) && givers.contains(&3), "{givers:?}");
        net.lost = Box::new(move |from, to, _| to == 7 && givers.contains(&from));
        let took = net.spread(3);
        assert!(took > TELL_BLOCK_US && took <= TELL_BLOCK_US + 50_000 + 4 * DELAY_US, "{took}");
        assert_eq!(net.nodes[7].asks, 1);
        // The one that gave it gives the next one without being asked.
        assert!(net.spread(3) <= 2 * DELAY_US);
        assert_eq!(net.nodes[7].asks, 0);
    }

    #[test]
    fn who_does_not_give_what_it_told_of_is_not_waited_for() {
        let mut net = Net::new(21);
        for _ in 0..3 {
            net.spread(3);
        }
        // Three tell node 7 of a block, and one of them gives it.
        net.lost = Box::new(|from, to, message| {
            let is_block = matches!(message, Message::Block(_));
            to == 7 && if is_block { from != 20 } else { ![10, 11, 20].contains(&from) }
        });
        let begin = net.now;
        net.makes(3);
        net.goes_on(1_000_000);
        let node = &net.nodes[7];
        assert_eq!(node.chain.head(), net.nodes[3].chain.head());
        let took = node.at.us_since(begin);
        assert!((1..=3).contains(&node.asks) && took <= 3 * WANT_BLOCK_US, "{} {took}", node.asks);
    }

    #[test]
    fn lies_cost_nothing_and_take_no_room() {
        let mut net = Net::new(7);
        net.lost = Box::new(|_, _, _| true);
        let false_ids: Vec<_> = (0..2 * MISSING_BLOCKS_MAX as u32)
            .map(|branch| block_after(net.nodes[0].chain.head().id, branch + 1).id)
            .collect();
        for ids in false_ids.chunks(IDS_AT_ONCE_MAX) {
            net.comes(0, 1, Lane::Talk, Message::HaveBlocks(ids.to_vec()));
        }
        let (_, missing) = net.nodes[0].core.spreading.sizes();
        assert_eq!(missing, MISSING_BLOCKS_MAX);
        net.goes_on(MISSING_BLOCK_US + 100_000);
        assert_eq!(net.nodes[0].core.spreading.sizes(), (0, 0));
        for number in 0..PRODUCERS_MAX as u64 + 10 {
            net.comes(0, 1, Lane::Talk, Message::Enough(Name(number)));
        }
        assert!(!net.nodes[0].core.peers[&1].spared.contains(Name(0)), "with too many the others are forgotten");
        // What is not here is not given, and what is here once.
        let head = net.nodes[0].chain.head().id;
        net.lost = Box::new(|_, _, _| false);
        (0..5).for_each(|_| net.comes(0, 1, Lane::Talk, Message::WantBlocks(vec![head, false_ids[0]])));
        net.goes_on(100_000);
        assert!(net.nodes[1].copies <= 1);
    }
}
