//! Ranges of irreversible blocks from several peers at once, handed on in order. A range that is not the next one waits
//! here until those before it are whole; what waits is bounded by what its peer may have in this node.

use std::collections::VecDeque;

use primitives::{BlockId, TimePoint};

use super::Charge;
use super::peer::PeerId;
use crate::limits::{HELD_UP_US, SLOW_BLOCKS_PER_SECOND, SLOW_BYTES_PER_SECOND, STALL_US};
use crate::wire::BlockMessage;
use crate::wire::message::Point;

/// A peer that could be asked.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Who.
    pub peer: PeerId,
    /// The first block that it has.
    pub earliest: u32,
    /// Its last irreversible block.
    pub irreversible: u32,
    /// Whether it is asked only when nobody else can be.
    pub slow: bool,
}

impl Source {
    /// Whether it has all blocks of a range.
    pub fn has(&self, start: u32, end: u32) -> bool {
        self.earliest <= start && self.irreversible >= end
    }
}

/// A range that a peer is to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Whom.
    pub peer: PeerId,
    /// The first block.
    pub start: u32,
    /// The last block.
    pub end: u32,
}

/// A block for the chain, with what it holds of the receiving peer's share.
pub type Given = (PeerId, BlockMessage, Charge);

/// What became of a block from a peer.
#[derive(Debug)]
pub enum Taken {
    /// These are next, in order.
    Deliver(Vec<Given>),
    /// It waits.
    Kept,
    /// It was not asked for.
    NotAsked(BlockMessage, Charge),
    /// It does not follow the block before it, which this peer gave, or which is irreversible here; or others that were
    /// asked for are left out before it.
    Liar,
    /// A block does not follow the one before it, which another peer gave: that one as the first and as the second have
    /// it. Whose is wrong shows once a block of that number is irreversible here.
    Disagree([(PeerId, Point); 2]),
}

#[derive(Debug)]
struct Chunk {
    end: u32,
    /// The next block that is to come.
    next: u32,
    /// The block before that, and who gave it.
    last: Option<(BlockId, PeerId)>,
    source: Option<PeerId>,
    /// When it was asked for, or last looked at, and what came since.
    since: TimePoint,
    came: (u32, usize),
    /// Whether the source has given any of it: what it was asked for before comes no more then.
    begun: bool,
    /// When a block last came.
    at: TimePoint,
    waiting: VecDeque<Given>,
}

impl Chunk {
    fn is_whole(&self) -> bool {
        self.next > self.end
    }
}

/// Ranges under way.
#[derive(Debug, Default)]
pub struct Sync {
    chunks: VecDeque<Chunk>,
    /// The first block that is in no chunk.
    next: u32,
    /// The last block of the last chunk that was whole.
    last: Option<(BlockId, PeerId)>,
    /// The last block that was handed on.
    delivered: u32,
    /// The last block that the chain judged good.
    judged: u32,
    /// Counts beginnings: what was handed on before one says nothing of what comes after it.
    epoch: u64,
    active: bool,
    /// For a planted bug: what does not link is kept.
    pub keeps_any: bool,
}

impl Sync {
    /// Begins after an irreversible block.
    pub fn begin(&mut self, irreversible: Point) {
        *self = Self {
            next: irreversible.num.saturating_add(1),
            last: Some((irreversible.id, PeerId::MAX)),
            delivered: irreversible.num,
            judged: irreversible.num,
            epoch: self.epoch + 1,
            active: true,
            keeps_any: self.keeps_any,
            ..Self::default()
        };
    }

    /// Whether ranges are under way.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Which beginning this is.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Stops.
    pub fn end(&mut self) {
        self.active = false;
        self.chunks.clear();
    }

    /// Whether all blocks up to a number came and were judged good.
    pub fn has_reached(&self, target: u32) -> bool {
        self.chunks.is_empty() && self.next > target && self.judged >= self.delivered
    }

    /// The chain judged a block good.
    pub fn judged(&mut self, num: u32) {
        self.judged = self.judged.max(num.min(self.delivered));
    }

    /// Chunks that have no peer, and new ones as far as `limit`, each with a free peer; `span` blocks each.
    pub fn plan(&mut self, sources: &[Source], span: u32, limit: u32, chunks_max: usize, now: TimePoint) -> Vec<Ask> {
        let mut asks = Vec::new();
        if !self.active {
            return asks;
        }
        self.give_up_beyond(sources.iter().map(|source| source.irreversible).max().unwrap_or(0));
        let mut free: Vec<Source> = sources
            .iter()
            .filter(|source| self.chunks.iter().all(|chunk| chunk.source != Some(source.peer)))
            .copied()
            .collect();
        // Slow ones last; of the others whoever has been here longest.
        free.sort_by_key(|source| (source.slow, source.peer));
        // A slow one is not asked while another one has the blocks, though that is busy: all would wait for it again.
        let able = |source: &Source, start: u32, end: u32| {
            source.has(start, end)
                && (!source.slow || !sources.iter().any(|other| !other.slow && other.has(start, end)))
        };
        self.cut_chunks(&free);
        for chunk in self.chunks.iter_mut().filter(|chunk| chunk.source.is_none() && !chunk.is_whole()) {
            let Some(at) = free.iter().position(|source| able(source, chunk.next, chunk.end)) else { continue };
            let peer = free.remove(at).peer;
            (chunk.source, chunk.since, chunk.at) = (Some(peer), now, now);
            (chunk.came, chunk.begun) = ((0, 0), false);
            asks.push(Ask { peer, start: chunk.next, end: chunk.end });
        }
        while self.chunks.len() < chunks_max && self.next <= limit {
            let start = self.next;
            let Some(at) = free.iter().position(|source| able(source, start, start)) else { break };
            let Source { peer, irreversible, .. } = free.remove(at);
            let end = start.saturating_add(span.max(1) - 1).min(irreversible).min(limit);
            let last = if self.chunks.is_empty() { self.last } else { None };
            let chunk = Chunk {
                end,
                next: start,
                last,
                source: Some(peer),
                since: now,
                came: (0, 0),
                begun: false,
                at: now,
                waiting: VecDeque::new(),
            };
            self.chunks.push_back(chunk);
            self.next = end.saturating_add(1);
            asks.push(Ask { peer, start, end });
        }
        asks
    }

    /// Ranges that nobody can give as a whole, and somebody in part, are cut in two: who said that there is more may
    /// have lied.
    fn cut_chunks(&mut self, sources: &[Source]) {
        let mut at = 0;
        while let Some(chunk) = self.chunks.get_mut(at) {
            at += 1;
            if chunk.source.is_some() || chunk.is_whole() {
                continue;
            }
            let able = sources.iter().filter(|source| !source.slow && source.has(chunk.next, chunk.next));
            let best = able.map(|source| source.irreversible).max().unwrap_or(chunk.end);
            if best < chunk.end {
                let (next, end) = (best.saturating_add(1), chunk.end);
                chunk.end = best;
                let (came, since, at_time) = ((0, 0), chunk.since, chunk.at);
                let rest = Chunk {
                    end,
                    next,
                    last: None,
                    source: None,
                    since,
                    came,
                    begun: false,
                    at: at_time,
                    waiting: VecDeque::new(),
                };
                self.chunks.insert(at, rest);
            }
        }
    }

    /// Ranges that nobody can give any more are forgotten.
    fn give_up_beyond(&mut self, best: u32) {
        while let Some(chunk) =
            self.chunks.pop_back_if(|chunk| chunk.source.is_none() && !chunk.is_whole() && chunk.end > best)
        {
            self.next = chunk.next.saturating_sub(chunk.waiting.len() as u32);
            if self.chunks.is_empty() {
                self.last = chunk.last;
            }
        }
    }

    /// Peers that are asked for something.
    pub fn asked(&self) -> Vec<PeerId> {
        self.chunks.iter().filter_map(|chunk| chunk.source).collect()
    }

    /// A block came from a peer, in the order in which it was asked for.
    pub fn take(&mut self, peer: PeerId, block: BlockMessage, charge: Charge, now: TimePoint) -> Taken {
        let at = self.chunks.iter().position(|chunk| chunk.source == Some(peer) && chunk.next == block.num);
        let Some(at) = at else {
            let skips = |chunk: &Chunk| {
                chunk.source == Some(peer) && chunk.begun && (chunk.next..=chunk.end).contains(&block.num)
            };
            let lies = self.chunks.iter().any(skips) && !self.keeps_any;
            return if lies { Taken::Liar } else { Taken::NotAsked(block, charge) };
        };
        let chunk = &mut self.chunks[at];
        if let Some((last, giver)) = chunk.last
            && last != block.previous
            && !self.keeps_any
        {
            if giver == peer || giver == PeerId::MAX {
                return Taken::Liar;
            }
            return Taken::Disagree([(peer, Point::of(block.previous)), (giver, Point::of(last))]);
        }
        chunk.last = Some((block.id, peer));
        chunk.next += 1;
        (chunk.at, chunk.begun) = (now, true);
        chunk.came = (chunk.came.0 + 1, chunk.came.1 + block.bytes.len());
        if chunk.is_whole() {
            chunk.source = None;
        }
        chunk.waiting.push_back((peer, block, charge));
        if at > 0 {
            return Taken::Kept;
        }
        self.ready().map_or_else(Taken::Disagree, Taken::Deliver)
    }

    /// What is next of what waits, or which peers disagree about it.
    fn ready(&mut self) -> Result<Vec<Given>, [(PeerId, Point); 2]> {
        let mut given = Vec::new();
        while let Some(front) = self.chunks.front_mut() {
            given.extend(front.waiting.drain(..));
            if !front.is_whole() {
                break;
            }
            self.last = front.last;
            self.chunks.pop_front();
            let (Some((last, giver)), Some(next)) = (self.last, self.chunks.front_mut()) else { break };
            match next.waiting.front() {
                Some((peer, block, _)) if block.previous != last => {
                    return Err([(*peer, Point::of(block.previous)), (giver, Point::of(last))]);
                }
                Some(_) => {}
                None => next.last = Some((last, giver)),
            }
        }
        if let Some((_, block, _)) = given.last() {
            self.delivered = block.num;
        }
        Ok(given)
    }

    /// A peer is gone, or is not to be relied on: others are asked for what it owes.
    pub fn lose(&mut self, peer: PeerId) {
        for chunk in self.chunks.iter_mut().filter(|chunk| chunk.source == Some(peer)) {
            chunk.source = None;
        }
    }

    /// Peers that gave nothing for too long, and peers that are slower than they should be or hold up all others, where
    /// another one can be asked: who alone says that it has blocks is waited for. `busy` tells whom this node itself
    /// keeps waiting; its time does not run.
    pub fn late(
        &mut self,
        sources: &[Source],
        now: TimePoint,
        busy: impl Fn(PeerId) -> bool,
    ) -> (Vec<PeerId>, Vec<PeerId>) {
        let (mut stalled, mut slow) = (Vec::new(), Vec::new());
        for (at, chunk) in self.chunks.iter_mut().enumerate() {
            let Some(peer) = chunk.source else { continue };
            let other = |source: &Source| source.peer != peer && !source.slow && source.has(chunk.next, chunk.next);
            let replaceable = sources.iter().any(other);
            if busy(peer) {
                (chunk.at, chunk.since, chunk.came) = (now, now, (0, 0));
            } else if now.us_since(chunk.at) >= STALL_US {
                stalled.push(peer);
            } else if at == 0 && replaceable && now.us_since(chunk.at) >= HELD_UP_US {
                slow.push(peer);
            } else if now.us_since(chunk.since) >= STALL_US {
                let seconds = now.us_since(chunk.since) as f64 / 1e6;
                let (blocks, bytes) = chunk.came;
                let falls_short = f64::from(blocks) / seconds < SLOW_BLOCKS_PER_SECOND
                    && bytes as f64 / seconds < SLOW_BYTES_PER_SECOND;
                if falls_short && replaceable {
                    slow.push(peer);
                }
                // What it gave before that does not help it later.
                (chunk.since, chunk.came) = (now, (0, 0));
            }
        }
        (stalled, slow)
    }

    /// Bytes of a peer's blocks that wait here.
    pub fn waiting_bytes(&self, peer: PeerId) -> usize {
        let waiting = self.chunks.iter().flat_map(|chunk| &chunk.waiting);
        waiting.filter(|(giver, ..)| *giver == peer).map(|(_, block, _)| block.bytes.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use primitives::{BlockTimestamp, Checksum256};

    use super::*;

    fn id(num: u32, branch: u8) -> BlockId {
        let mut id = [branch; 32];
        id[..4].copy_from_slice(&num.to_be_bytes());
        Checksum256(id)
    }

    fn block(num: u32, branch: u8) -> BlockMessage {
        let (id, previous) = (id(num, branch), id(num - 1, branch));
        BlockMessage { id, num, previous, timestamp: BlockTimestamp(num), bytes: vec![0; 100].into() }
    }

    fn source(peer: PeerId, irreversible: u32) -> Source {
        Source { peer, earliest: 1, irreversible, slow: false }
    }

    fn begun() -> Sync {
        let mut sync = Sync::default();
        sync.begin(Point { num: 10, id: id(10, 1) });
        sync
    }

    fn numbers(taken: Taken) -> Vec<u32> {
        match taken {
            Taken::Deliver(given) => given.iter().map(|(_, block, _)| block.num).collect(),
            other => panic!("{other:?}"),
        }
    }

    const T: TimePoint = TimePoint(0);

    #[test]
    fn ranges_of_several_peers_are_handed_on_in_order() {
        let mut sync = begun();
        let sources = [source(1, 100), source(2, 100), source(3, 15)];
        let asks = sync.plan(&sources, 2, 100, 3, T);
        let expected = [(1, 11, 12), (2, 13, 14), (3, 15, 15)].map(|(peer, start, end)| Ask { peer, start, end });
        assert_eq!(asks, expected);
        assert!(sync.plan(&sources, 2, 100, 3, T).is_empty());
        assert!(matches!(sync.take(2, block(13, 1), Charge::default(), T), Taken::Kept));
        assert!(matches!(sync.take(3, block(15, 1), Charge::default(), T), Taken::Kept));
        assert!(matches!(sync.take(1, block(12, 1), Charge::default(), T), Taken::NotAsked(..)));
        assert_eq!(numbers(sync.take(1, block(11, 1), Charge::default(), T)), [11]);
        assert!(matches!(sync.take(2, block(14, 1), Charge::default(), T), Taken::Kept));
        assert_eq!(sync.waiting_bytes(2), 200);
        assert_eq!(numbers(sync.take(1, block(12, 1), Charge::default(), T)), [12, 13, 14, 15]);
        sync.judged(15);
        assert!(sync.has_reached(15) && !sync.has_reached(16));
        assert_eq!(sync.plan(&sources, 50, 40, 3, T), [Ask { peer: 1, start: 16, end: 40 }]);
    }

    #[test]
    fn another_peer_goes_on_where_one_was_lost() {
        let mut sync = begun();
        let sources = [source(1, 100), source(2, 100)];
        sync.plan(&sources[..1], 10, 100, 1, T);
        assert_eq!(numbers(sync.take(1, block(11, 1), Charge::default(), T)), [11]);
        let later = TimePoint(STALL_US);
        assert_eq!(sync.late(&sources, later, |_| false), (vec![1], vec![]));
        assert_eq!(sync.late(&sources, later, |_| true), (vec![], vec![]));
        sync.lose(1);
        assert_eq!(sync.plan(&sources[1..], 10, 100, 1, later), [Ask { peer: 2, start: 12, end: 20 }]);
        assert!(matches!(sync.take(1, block(12, 1), Charge::default(), T), Taken::NotAsked(..)));
        let disagree = [(2, Point::of(id(11, 2))), (1, Point::of(id(11, 1)))];
        let Taken::Disagree(found) = sync.take(2, block(12, 2), Charge::default(), T) else { panic!("they disagree") };
        assert_eq!(found, disagree);
        assert_eq!(numbers(sync.take(2, block(12, 1), Charge::default(), T)), [12]);
    }

    #[test]
    fn a_range_that_only_a_slow_peer_has_as_a_whole_is_cut() {
        let mut sync = begun();
        let liar = source(1, 4_000_000_000);
        assert_eq!(sync.plan(&[liar], 1000, 1010, 2, T), [Ask { peer: 1, start: 11, end: 1010 }]);
        let sources = [liar, source(2, 500)];
        assert!(matches!(sync.take(1, block(11, 1), Charge::default(), T), Taken::Deliver(_)));
        assert_eq!(sync.late(&sources, TimePoint(HELD_UP_US), |_| false), (vec![], vec![1]));
        sync.lose(1);
        let slow = [Source { slow: true, ..liar }, source(2, 500)];
        let asks = sync.plan(&slow, 1000, 1010, 2, TimePoint(HELD_UP_US));
        assert_eq!(asks, [Ask { peer: 2, start: 12, end: 500 }, Ask { peer: 1, start: 501, end: 1010 }]);
        assert_eq!(numbers(sync.take(2, block(12, 1), Charge::default(), T)), [12]);
    }

    #[test]
    fn what_does_not_link_is_a_lie() {
        let mut sync = begun();
        sync.plan(&[source(1, 100)], 10, 100, 1, T);
        // Another chain than what is irreversible here.
        assert!(matches!(sync.take(1, block(11, 2), Charge::default(), T), Taken::Liar));
        assert_eq!(numbers(sync.take(1, block(11, 1), Charge::default(), T)), [11]);
        let torn = BlockMessage { previous: id(11, 9), ..block(12, 1) };
        assert!(matches!(sync.take(1, torn, Charge::default(), T), Taken::Liar));
    }

    #[test]
    fn who_leaves_blocks_out_lies() {
        let mut sync = begun();
        sync.plan(&[source(1, 100)], 10, 100, 1, T);
        // Before the first one it may be of what was asked for before.
        assert!(matches!(sync.take(1, block(13, 1), Charge::default(), T), Taken::NotAsked(..)));
        assert_eq!(numbers(sync.take(1, block(11, 1), Charge::default(), T)), [11]);
        assert!(matches!(sync.take(1, block(13, 1), Charge::default(), T), Taken::Liar));
        // One beyond the range is as it is made, and of another peer nothing was asked.
        assert!(matches!(sync.take(1, block(21, 1), Charge::default(), T), Taken::NotAsked(..)));
        assert!(matches!(sync.take(2, block(13, 1), Charge::default(), T), Taken::NotAsked(..)));
    }

    #[test]
    fn who_holds_up_all_others_is_passed_over_soon() {
        let mut sync = begun();
        let sources = [source(1, 100), source(2, 100)];
        sync.plan(&sources, 2, 100, 2, T);
        let later = TimePoint(HELD_UP_US);
        assert_eq!(sync.late(&sources, TimePoint(HELD_UP_US - 1), |_| false), (vec![], vec![]));
        // Nobody else can be asked.
        for others in [&sources[..1], &[sources[0], source(2, 10)], &[sources[0], Source { slow: true, ..sources[1] }]]
        {
            assert_eq!(sync.late(others, later, |_| false), (vec![], vec![]));
        }
        // The second range is not waited for.
        assert_eq!(sync.late(&sources, later, |_| false), (vec![], vec![1]));
        sync.lose(1);
        assert!(matches!(sync.take(2, block(13, 1), Charge::default(), later), Taken::Kept));
        assert!(matches!(sync.take(2, block(14, 1), Charge::default(), later), Taken::Kept));
        let slow = [Source { slow: true, ..sources[0] }, sources[1]];
        assert_eq!(sync.plan(&slow, 2, 100, 2, later), [Ask { peer: 2, start: 11, end: 12 }]);
    }

    #[test]
    fn who_grows_slow_is_noticed() {
        let mut sync = begun();
        let sources = [source(1, 1000), source(2, 1000)];
        sync.plan(&sources, 1000, 1000, 1, T);
        let second = |count: i64| TimePoint(count * 1_000_000);
        for num in 11..=210 {
            sync.take(1, block(num, 1), Charge::default(), T);
        }
        let mut slow = Vec::new();
        for count in 1..=10 {
            sync.take(1, block(210 + count as u32, 1), Charge::default(), second(count));
            slow.push(sync.late(&sources, second(count), |_| false).1);
        }
        assert!(slow[..9].iter().all(Vec::is_empty) && slow[9] == [1], "{slow:?}");
    }

    #[test]
    fn peers_disagree_where_a_range_is_of_another_branch() {
        let mut sync = begun();
        let sources = [source(1, 100), source(2, 100)];
        sync.plan(&sources, 1, 12, 2, T);
        assert!(matches!(sync.take(2, block(12, 2), Charge::default(), T), Taken::Kept));
        let Taken::Disagree(found) = sync.take(1, block(11, 1), Charge::default(), T) else { panic!("they disagree") };
        assert_eq!(found, [(2, Point::of(id(11, 2))), (1, Point::of(id(11, 1)))]);
    }

    #[test]
    fn slow_peers_are_told_from_stalled_ones() {
        let mut sync = begun();
        let sources = [source(1, 1000), source(2, 1000)];
        sync.plan(&sources, 1000, 1000, 1, T);
        for second in 1..=6 {
            sync.take(1, block(10 + second, 1), Charge::default(), TimePoint(i64::from(second) * 1_000_000));
        }
        assert_eq!(sync.late(&sources, TimePoint(6_100_000), |_| false), (vec![], vec![1]));
    }
}
