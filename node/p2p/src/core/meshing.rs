//! Blocks by gossip. To push each block to each peer costs a node as many copies as it has peers. So where these are
//! many, most of those that gossip reaches get blocks by it: each node passes a block on to the few of its mesh, and
//! announces its id to the others, who ask for what they lack. A block is passed on once its header and signatures are
//! in order, as one that is pushed, and whoever brought one that is not is to blame in the same way.
//!
//! Gossip says nothing of who has what: a peer that lacks a block all the same asks for it when the next one comes, or
//! when it hears where this node stands, which it does each `p2p-keepalive-interval-ms` as if it got no blocks.

use std::collections::BTreeSet;
use std::sync::Arc;

use primitives::{BlockId, TimePoint};

use super::peer::PeerId;
use super::{BlockJudgement, Blocks, Charge, Core, Output, Peer};
use crate::limits::{GOSSIP_BLOCK_BYTES_MAX, GOSSIPED_BLOCKS_MAX, PUSHED_BESIDE_GOSSIP, PUSHED_PEERS_MAX};
use crate::wire::BlockMessage;
use crate::wire::message::Point;

/// When blocks go by gossip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meshing {
    /// Peers that take blocks as they come, up to which each gets them from this node.
    pub pushed_max: usize,
    /// Of more, how many of those that gossip reaches get each block from this node all the same.
    pub beside: usize,
}

impl Default for Meshing {
    fn default() -> Self {
        Self { pushed_max: PUSHED_PEERS_MAX, beside: PUSHED_BESIDE_GOSSIP }
    }
}

/// Where a peer stands in a block's order of peers: in each block's somewhere else.
fn place(block: &BlockId, peer: PeerId) -> u64 {
    let tail = block.0.last_chunk().map_or(0, |tail| u64::from_le_bytes(*tail));
    let mixed = (tail ^ peer).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

impl Core {
    /// The peers to which a block of so many bytes goes by gossip alone: none while there are few.
    pub(super) fn reached_by_gossip(&self, block: &BlockId, bytes: usize) -> BTreeSet<PeerId> {
        let Meshing { pushed_max, beside } = self.settings.meshing;
        let takers = || self.peers.iter().filter(|(_, peer)| peer.takes_live_blocks());
        if bytes > GOSSIP_BLOCK_BYTES_MAX || takers().count() <= pushed_max {
            return BTreeSet::new();
        }
        let mut reached: Vec<PeerId> = takers().filter(|(_, peer)| peer.gossips).map(|(id, _)| *id).collect();
        reached.sort_unstable_by_key(|peer| place(block, *peer));
        reached.into_iter().skip(beside).collect()
    }

    /// Has gossip pass a block on, be it one that it brought.
    pub(super) fn publish_block(&mut self, id: BlockId, bytes: &Arc<[u8]>) {
        self.gossiped.remove(&id);
        self.counts.published_blocks += 1;
        self.out.push(Output::PublishBlock { id, bytes: Arc::clone(bytes) });
    }

    /// A block came by gossip, which passes it on, or forgets it, when it is told to.
    pub(super) fn block_gossiped(
        &mut self,
        peer: PeerId,
        block: BlockMessage,
        charge: Charge,
        now: TimePoint,
        blocks: &dyn Blocks,
    ) {
        let id = block.id;
        if self.gossiped.contains(&id) {
            // What becomes of it is not known yet, and is said once.
            return;
        }
        // Gossip may be faster than the introduction.
        let may_give = |found: &&mut Peer| found.open && !found.leaving && found.kind.has_blocks();
        let found = self.peers.get_mut(&peer).filter(may_give);
        let (Some(found), true) = (found, self.gossiped.len() < GOSSIPED_BLOCKS_MAX) else {
            self.out.push(Output::BlockDone { id, judgement: BlockJudgement::NotNow });
            return;
        };
        found.heard = now;
        found.note_gave(Point { num: block.num, id }, now);
        self.gossiped.insert(id);
        // It is no answer to what this node asked for.
        self.block_news(peer, block, charge, now, blocks);
        if !self.in_hand.contains(&id) {
            self.gossip_done(id, BlockJudgement::NotNow);
        }
    }

    /// Gossip is told that a block that it brought goes no further.
    pub(super) fn gossip_done(&mut self, id: BlockId, judgement: BlockJudgement) {
        if self.gossiped.remove(&id) {
            self.out.push(Output::BlockDone { id, judgement });
        }
    }

    /// The same of those that it waits for in vain: their number is irreversible, and they are not being judged.
    pub(super) fn gossip_done_up_to(&mut self, num: u32) {
        let is_old = |id: &&BlockId| primitives::number_of(id) <= num && !self.in_hand.contains(id);
        for id in self.gossiped.iter().filter(is_old).copied().collect::<Vec<_>>() {
            self.gossip_done(id, BlockJudgement::NotNow);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use primitives::Checksum256;

    use super::*;
    use crate::core::tests::{Chain, block_after};
    use crate::core::{Input, Lane, Settings, Stands, Wire};
    use crate::limits::{OTHER_FORMS_MAX, USELESS_BLOCKS};
    use crate::wire::message::{VERSION, VERSION_BASE};
    use crate::wire::{Handshake, Message};

    const NOW: TimePoint = TimePoint(1_000_000_000_000);

    /// A node at the head of a chain, with peers that are there, too.
    struct Stage {
        core: Core,
        chain: Chain,
    }

    fn host(peer: PeerId) -> IpAddr {
        IpAddr::from([10, 0, 0, peer as u8])
    }

    impl Stage {
        /// The first of the peers are reached by gossip, the next ones are on the same wire and are not, the last ones are
        /// on nodeos' wire.
        fn new(gossiping: u64, others: u64, plain: u64) -> Self {
            let chain = Chain::of(10);
            let mut stage = Self { core: Core::new(Settings::default(), chain.stands()), chain };
            for peer in 1..=gossiping + others + plain {
                let wire = match peer <= gossiping + others {
                    true => Wire::Libp2p { identity: format!("peer{peer}") },
                    false => Wire::Nodeos,
                };
                stage.step(Input::Connected { peer, wire, address: host(peer), dialled: None });
                if peer <= gossiping {
                    stage.step(Input::Gossips { peer, blocks: true });
                }
                stage.greets(peer, stage.chain.stands());
            }
            stage
        }

        fn step(&mut self, input: Input) -> Vec<Output> {
            self.core.step(input, NOW, &self.chain)
        }

        fn greets(&mut self, peer: PeerId, stands: Stands) {
            let handshake = Handshake {
                network_version: VERSION_BASE + VERSION,
                node_id: Checksum256([peer as u8; 32]),
                time: NOW.0 * 1000,
                p2p_address: "a:1 - 1234567".into(),
                irreversible: stands.irreversible,
                head: stands.head,
                os: "linux".into(),
                generation: 1,
                ..Handshake::default()
            };
            let message = Message::Handshake(Box::new(handshake));
            self.step(Input::Received { peer, lane: Lane::Talk, message, charge: Charge::default() });
        }

        /// The node has made a block.
        fn makes(&mut self, block: &BlockMessage) -> Relayed {
            assert!(self.chain.join(block));
            let stands = self.chain.stands();
            Relayed::of(self.step(Input::Stands(stands)))
        }

        fn next(&self) -> BlockMessage {
            block_after(self.chain.head().id, 0)
        }

        fn gossips(&mut self, peer: PeerId, block: &BlockMessage) -> Vec<Output> {
            self.step(Input::Gossiped { peer, block: block.clone(), charge: Charge::default() })
        }

        fn pushes(&mut self, peer: PeerId, block: &BlockMessage) -> Vec<Output> {
            let message = Message::Block(block.clone());
            self.step(Input::Received { peer, lane: Lane::News, message, charge: Charge::default() })
        }

        fn judged(&mut self, peer: PeerId, block: &BlockMessage, judgement: BlockJudgement) -> Vec<Output> {
            let (id, bytes) = (block.id, block.bytes.len());
            self.step(Input::BlockJudged { peer, id, bytes, epoch: None, judgement, why: String::new() })
        }
    }

    /// Who was sent a block, and what gossip was told.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Relayed {
        pushed: Vec<PeerId>,
        published: usize,
        done: Vec<BlockJudgement>,
    }

    impl Relayed {
        fn of(outputs: Vec<Output>) -> Self {
            let mut relayed = Self::default();
            for output in outputs {
                match output {
                    Output::Send { peer, frame, .. } if matches!(Message::read(&frame[4..]), Ok(Message::Block(_))) => {
                        relayed.pushed.push(peer)
                    }
                    Output::PublishBlock { .. } => relayed.published += 1,
                    Output::BlockDone { judgement, .. } => relayed.done.push(judgement),
                    _ => {}
                }
            }
            relayed
        }

        fn counts(&self) -> (usize, usize) {
            (self.pushed.len(), self.published)
        }
    }

    fn is_taken(outputs: &[Output], from: PeerId) -> bool {
        matches!(outputs, [Output::TakeBlock { peer, epoch: None, .. }] if *peer == from)
    }

    #[test]
    fn beyond_so_many_peers_most_get_blocks_by_gossip() {
        let all = PUSHED_PEERS_MAX as u64;
        for (gossiping, others, plain, expected) in [
            (all, 0, 0, (30, 0)),
            (all + 1, 0, 0, (PUSHED_BESIDE_GOSSIP, 1)),
            (60, 3, 7, (10 + PUSHED_BESIDE_GOSSIP, 1)),
            // There is nobody whom gossip would reach beside those that get it so or so.
            (PUSHED_BESIDE_GOSSIP as u64, 10, 40, (50 + PUSHED_BESIDE_GOSSIP, 0)),
        ] {
            let mut stage = Stage::new(gossiping, others, plain);
            let block = stage.next();
            let relayed = stage.makes(&block);
            assert_eq!(relayed.counts(), expected, "{gossiping} {others} {plain}");
            assert_eq!(stage.core.counts().published_blocks, expected.1 as u64);
            let pushed_to_all = (gossiping + 1..=gossiping + others + plain).all(|peer| relayed.pushed.contains(&peer));
            assert!(pushed_to_all, "{relayed:?}");
            // Nobody gets it again.
            assert_eq!(stage.makes(&block), Relayed::default());
            let next = stage.next();
            let later = stage.makes(&next);
            assert_eq!(later.counts(), expected);
            assert_eq!(later.pushed == relayed.pushed, expected.1 == 0, "other peers for each block");
        }
    }

    #[test]
    fn who_catches_up_and_what_is_large_is_not_gossiped() {
        let mut stage = Stage::new(40, 0, 0);
        // All but thirty are so far behind that they get what they ask for.
        (31..=40).for_each(|peer| stage.greets(peer, Chain::of(2).stands()));
        let block = stage.next();
        assert_eq!(stage.makes(&block).counts(), (30, 0));
        let mut stage = Stage::new(40, 0, 0);
        let mut large = stage.next();
        let bytes = [&large.bytes[..], &vec![0; GOSSIP_BLOCK_BYTES_MAX]].concat();
        large.bytes = bytes.into();
        assert_eq!(stage.makes(&large).counts(), (40, 0));
    }

    #[test]
    fn a_gossiped_block_goes_on_once_its_header_is_in_order() {
        let mut stage = Stage::new(40, 0, 0);
        let block = stage.next();
        assert!(is_taken(&stage.gossips(3, &block), 3));
        let relayed = Relayed::of(stage.step(Input::HeaderGood { id: block.id }));
        assert!(relayed.published == 1 && relayed.done.is_empty(), "{relayed:?}");
        assert!(relayed.pushed.len() >= PUSHED_BESIDE_GOSSIP - 1 && !relayed.pushed.contains(&3), "{relayed:?}");
        assert_eq!(stage.chain.judge(&block), BlockJudgement::Good);
        assert!(stage.judged(3, &block, BlockJudgement::Good).is_empty());
        let stands = stage.chain.stands();
        assert!(stage.step(Input::Stands(stands)).is_empty());
    }

    #[test]
    fn a_bad_gossiped_block_costs_its_sender() {
        let mut stage = Stage::new(40, 0, 0);
        let bad = block_after(stage.chain.head().id, 666);
        assert!(is_taken(&stage.gossips(3, &bad), 3));
        let outputs = stage.judged(3, &bad, BlockJudgement::BadHeader);
        assert!(
            matches!(
                outputs[..],
                [Output::Close { peer: 3, flushed: false }, Output::BlockDone { id, judgement: BlockJudgement::BadHeader }]
                    if id == bad.id
            ),
            "{outputs:?}"
        );
        assert_eq!(stage.core.counts().published_blocks, 0);
        assert!(stage.core.admits(host(3), NOW).unwrap_err().contains("banned"));
        assert_eq!(stage.core.peer_counts(), (39, 0));
    }

    #[test]
    fn the_true_form_of_a_block_is_not_lost_to_a_false_one() {
        let mut stage = Stage::new(8, 0, 0);
        let block = stage.next();
        // The same id with other bytes, as a block with somebody's else signature has them.
        let forged = |byte: u8| {
            let bytes = [&block.bytes[..], &[byte]].concat();
            BlockMessage { bytes: bytes.into(), ..block.clone() }
        };
        assert!(is_taken(&stage.pushes(1, &forged(1)), 1));
        assert!(stage.gossips(2, &forged(2)).is_empty() && stage.pushes(2, &block).is_empty());
        assert!(stage.pushes(3, &block).is_empty());
        // There is room for no more, nor for a second one of a peer.
        assert!(stage.pushes(4, &forged(4)).is_empty());
        assert_eq!(stage.core.in_hand.others_max(), OTHER_FORMS_MAX);
        let taken = |outputs: &[Output]| {
            let taken = outputs.iter().filter_map(|output| match output {
                Output::TakeBlock { peer, block, .. } => Some((*peer, block.bytes.len())),
                _ => None,
            });
            taken.collect::<Vec<_>>()
        };
        let length = block.bytes.len();
        let outputs = stage.judged(1, &forged(1), BlockJudgement::BadHeader);
        assert_eq!(taken(&outputs), [(2, length + 1)]);
        assert_eq!(Relayed::of(outputs).done, [BlockJudgement::NotNow], "gossip has nothing against its peer");
        assert_eq!(stage.core.in_hand.others_max(), 1);
        let outputs = stage.judged(2, &forged(2), BlockJudgement::BadHeader);
        assert_eq!(taken(&outputs), [(3, length)]);
        let relayed = Relayed::of(stage.step(Input::HeaderGood { id: block.id }));
        assert!(relayed.pushed.contains(&5) && !relayed.pushed.contains(&3), "{relayed:?}");
        // From now on others are worth nothing.
        assert!(stage.pushes(6, &forged(6)).is_empty());
        assert_eq!((stage.core.in_hand.others_max(), stage.core.peer_counts()), (0, (6, 0)));
    }

    #[test]
    fn a_block_that_came_otherwise_costs_a_look_up() {
        let mut stage = Stage::new(40, 0, 0);
        let block = stage.next();
        // Pushed, then by gossip, which waits for what becomes of it.
        assert!(is_taken(&stage.pushes(1, &block), 1));
        assert!(stage.gossips(2, &block).is_empty() && stage.gossips(3, &block).is_empty());
        let relayed = Relayed::of(stage.step(Input::HeaderGood { id: block.id }));
        assert!(relayed.published == 1 && relayed.done.is_empty(), "{relayed:?}");
        // By gossip, then pushed.
        let other = block_after(stage.chain.head().id, 1);
        assert!(is_taken(&stage.gossips(2, &other), 2));
        assert!(stage.pushes(1, &other).is_empty());
        // Known: as often as one may repeat what is known.
        let known = stage.chain.clone().block_at(stage.chain.head().num).unwrap();
        let known = BlockMessage::read(&known).unwrap();
        for _ in 0..USELESS_BLOCKS.0 as usize - 2 {
            assert_eq!(Relayed::of(stage.gossips(2, &known)).done, [BlockJudgement::NotNow]);
        }
        assert_eq!(stage.core.peer_counts(), (40, 0));
        (0..200).for_each(|_| drop(stage.gossips(2, &known)));
        assert_eq!(stage.core.peer_counts(), (39, 0));
        // Nobody knows the sender, or it has not said who it is.
        assert_eq!(Relayed::of(stage.gossips(99, &other)).done, []);
        let new = block_after(stage.chain.head().id, 2);
        assert_eq!(Relayed::of(stage.gossips(99, &new)).done, [BlockJudgement::NotNow]);
    }

    #[test]
    fn a_node_with_few_peers_pushes_what_gossip_brings() {
        let mut stage = Stage::new(3, 0, 2);
        let block = stage.next();
        stage.gossips(2, &block);
        let relayed = Relayed::of(stage.step(Input::HeaderGood { id: block.id }));
        let expected = Relayed { pushed: vec![1, 3, 4, 5], published: 0, done: vec![BlockJudgement::Good] };
        assert_eq!(relayed, expected);
    }

    #[test]
    fn gossip_does_not_wait_for_ever_nor_for_many() {
        let mut stage = Stage::new(40, 0, 0);
        let blocks: Vec<_> =
            (0..GOSSIPED_BLOCKS_MAX as u32 + 3).map(|branch| block_after(stage.chain.head().id, branch)).collect();
        let done: Vec<_> = blocks.iter().flat_map(|block| Relayed::of(stage.gossips(2, block)).done).collect();
        assert_eq!(done, [BlockJudgement::NotNow; 3]);
        assert!(stage.core.sizes().iter().all(|(what, size, limit)| size <= limit || panic!("{what}")));
        // They wait for this node's own block, and then others are built on.
        for block in &blocks[..GOSSIPED_BLOCKS_MAX] {
            assert!(stage.judged(2, block, BlockJudgement::Held).is_empty());
        }
        let next = stage.next();
        assert_eq!(next.id, blocks[0].id);
        assert!(stage.makes(&next).done.is_empty());
        let next = stage.next();
        assert_eq!(stage.makes(&next).done.len(), GOSSIPED_BLOCKS_MAX - 1);
    }
}
