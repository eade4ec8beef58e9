//! Blocks and transactions as they come: to the chain, and to the peers that lack them.

use std::sync::Arc;

use codec::{Pack, Unpack};
use primitives::block::SignedBlockHeader;
use primitives::{BlockId, TimePoint, TransactionId};

use super::link::Wire;
use super::peer::PeerId;
use super::planted::Planted;
use super::relay::Judging;
use super::spreading::producer_of;
use super::sync::{Given, Source, Taken};
use super::{BlockJudgement, Blocks, Charge, Core, Lane, Output, Stands, TransactionJudgement};
use crate::limits::{
    GOSSIP_BYTES_MAX, JUDGED_BYTES_MAX, JUDGED_BYTES_PER_PEER_MAX, NEWS_IN_HAND_MAX, QUEUED_BYTES_FOR_TRANSACTIONS,
    TRANSACTIONS_IN_HAND_MAX, TRANSACTIONS_IN_HAND_PER_PEER_MAX,
};
use crate::wire::message::Point;
use crate::wire::{BlockMessage, Message, SyncRequest, TransactionMessage, block_frame, transaction_frame};

/// Bytes of blocks that are kept because they travel before they run.
pub(super) const RELAYED_BYTES_MAX: usize = 32 << 20;
/// Microseconds that peers are passed over which disagree about a block, unless it shows before who is right.
const DISPUTE_US: i64 = 10_000_000;
/// Microseconds before a peer is told again that it sends old blocks.
const OLD_BLOCK_US: i64 = 1_000_000;

impl Core {
    /// A block came.
    pub(super) fn block_came(
        &mut self,
        (peer, lane): (PeerId, Lane),
        block: BlockMessage,
        charge: Charge,
        now: TimePoint,
        blocks: &dyn Blocks,
    ) {
        let Some(found) = self.peers.get_mut(&peer) else { return };
        if !found.kind.has_blocks() {
            return;
        }
        found.note_gave(Point { num: block.num, id: block.id }, now);
        self.note_progress(peer, now);
        if lane == Lane::News {
            self.copy_came(peer, &block, blocks);
        }
        // A new block that was on its way when ranges were asked for says nothing of them.
        let (block, charge) = if self.sync.is_active() && lane != Lane::News {
            self.sync.keeps_any = self.plants(Planted::WrongRangeKept);
            match self.sync.take(peer, block, charge, now) {
                Taken::Kept => return,
                Taken::Deliver(given) => {
                    self.deliver(given, blocks);
                    return self.pump_sync(now);
                }
                Taken::Liar => {
                    self.blame(peer, 50.0, "its blocks do not follow each other", now);
                    self.close(peer, None, now);
                    return self.restart_sync(now);
                }
                Taken::Disagree(sides) => return self.disagree(sides, now),
                Taken::NotAsked(block, charge) => (block, charge),
            }
        } else {
            (block, charge)
        };
        self.block_news(peer, block, charge, now, blocks);
    }

    /// A block came that was not asked for: to the chain, if it is news.
    pub(super) fn block_news(
        &mut self,
        peer: PeerId,
        block: BlockMessage,
        charge: Charge,
        now: TimePoint,
        blocks: &dyn Blocks,
    ) {
        if self.is_other_form(&block) {
            // One of the two is a lie, and the first one may be it.
            if !self.in_hand.keep_other((peer, block, charge)) {
                self.brings_nothing(peer, "it sends other forms of blocks that are known", now);
            }
        } else if self.in_hand.contains(&block.id) || blocks.has(&block.id) {
            self.brings_again(peer, &block, now);
        } else if self.is_behind_of(peer, now) {
            // It comes again when this node is at the head.
        } else if block.num <= self.stands.irreversible.num {
            self.old_block(peer, now);
        } else if !self.may_follow(&block.previous, blocks) {
            self.brings_nothing(peer, "it sends blocks that follow nothing", now);
            self.gossip_done(block.id, BlockJudgement::Unlinkable);
            self.fill_gap(peer, now);
        } else if self.is_one_of_many(&block) {
            // Asked for, as what others build on, it is taken.
            self.brings_nothing(peer, "it sends more blocks of one producer for one slot than are wanted", now);
            self.gossip_done(block.id, BlockJudgement::NotNow);
        } else if self.peers.get(&peer).is_some_and(|found| found.news_in_hand >= NEWS_IN_HAND_MAX) {
            self.brings_nothing(peer, "it sends more blocks than can be judged", now);
            self.gossip_done(block.id, BlockJudgement::NotNow);
        } else {
            self.in_hand.enter(block.id);
            if let Some(found) = self.peers.get_mut(&peer) {
                found.news_in_hand += 1;
            }
            self.keep_for_relay(&block);
            if self.plants(Planted::RelayBeforeCheck) {
                self.relay_block(block.id, now);
            }
            self.out.push(Output::TakeBlock { peer, block, charge, epoch: None });
        }
    }

    /// Whether something can follow a block: one that is in the chain or a branch, is judged, or waits. The block that a
    /// snapshot was taken at is not among those that are kept.
    fn may_follow(&self, previous: &BlockId, blocks: &dyn Blocks) -> bool {
        [self.stands.head.id, self.stands.irreversible.id].contains(previous)
            || self.in_hand.contains(previous)
            || self.held.contains(previous)
            || blocks.has(previous)
    }

    /// Whether enough blocks are known for the slot of a block and its producer.
    fn is_one_of_many(&self, block: &BlockMessage) -> bool {
        SignedBlockHeader::from_prefix(&block.bytes).is_ok_and(|signed| self.double_signs.is_full(&signed.header))
    }

    /// A block came that is known. Each peer may bring it once: both may have sent it at the same time.
    fn brings_again(&mut self, peer: PeerId, block: &BlockMessage, now: TimePoint) {
        let point = Point { num: block.num, id: block.id };
        if self.peers.get_mut(&peer).is_some_and(|found| !found.note_brought(point)) {
            self.brings_nothing(peer, "it repeats blocks that are known", now);
        }
    }

    /// Whether a block is being judged, whose header is not known to be in order, and this one has other bytes.
    pub(super) fn is_other_form(&self, block: &BlockMessage) -> bool {
        let judged = self.relayed.get(&block.id).filter(|_| self.in_hand.contains(&block.id));
        judged.is_some_and(|bytes| *bytes != block.bytes)
    }

    /// A block that was not asked for and is known, or of no use now; who sends nothing else is disconnected.
    fn brings_nothing(&mut self, peer: PeerId, why: &str, now: TimePoint) {
        if self.peers.get_mut(&peer).is_some_and(|found| !found.useless_blocks.draw(now)) {
            self.blame(peer, 1.0, why, now);
        }
    }

    /// The peer takes this node for one that lacks old blocks: it is told where this node stands.
    fn old_block(&mut self, peer: PeerId, now: TimePoint) {
        self.brings_nothing(peer, "it sends blocks that are irreversible here", now);
        if self.peers.get(&peer).is_some_and(|found| now.us_since(found.greeted) >= OLD_BLOCK_US) {
            self.send(peer, &Message::SyncRequest(SyncRequest { start: 0, end: 0 }));
            self.send_handshake(peer, now);
        }
    }

    /// Hands blocks of a range to the chain, those that are known left out.
    fn deliver(&mut self, given: Vec<Given>, blocks: &dyn Blocks) {
        let epoch = Some(self.sync.epoch());
        for (peer, block, charge) in given {
            if blocks.has(&block.id) {
                self.sync.judged(block.num);
                continue;
            }
            // Also one that is in hand: it may have come before the blocks that it follows, and be refused for that.
            self.in_hand.enter(block.id);
            if let Some(found) = self.peers.get_mut(&peer) {
                found.in_hand += block.bytes.len();
            }
            self.out.push(Output::TakeBlock { peer, block, charge, epoch });
        }
    }

    /// The chain has judged a block.
    #[allow(clippy::too_many_arguments, reason = "the parts of one input")]
    pub(super) fn block_judged(
        &mut self,
        peer: PeerId,
        id: BlockId,
        bytes: usize,
        epoch: Option<u64>,
        judgement: BlockJudgement,
        why: &str,
        now: TimePoint,
        blocks: &dyn Blocks,
    ) {
        let Judging { others, header_good } = self.in_hand.leave(&id);
        if let Some(found) = self.peers.get_mut(&peer) {
            match epoch {
                Some(_) => found.in_hand = found.in_hand.saturating_sub(bytes),
                None => found.news_in_hand = found.news_in_hand.saturating_sub(1),
            }
        }
        // Those that follow nothing were counted when they came.
        if epoch.is_none() && !matches!(judgement, BlockJudgement::Good | BlockJudgement::Unlinkable) {
            self.brings_nothing(peer, "it sends blocks that do not join the chain", now);
        }
        let num = Point::of(id).num;
        let is_now = epoch == Some(self.sync.epoch()) && self.sync.is_active();
        match judgement {
            BlockJudgement::Good | BlockJudgement::Held if self.sync.is_active() => {
                self.gossip_done(id, judgement);
                self.sync.judged(num);
                return self.pump_sync(now);
            }
            // It was passed on when its header was found good, or goes on once it is in the chain.
            BlockJudgement::Held => self.held.keep(id),
            BlockJudgement::Good => {
                // Where its header could not be checked before, it travels on now.
                self.relay_block(id, now);
                return self.gossip_done(id, judgement);
            }
            BlockJudgement::NotNow => {}
            BlockJudgement::Unlinkable if epoch.is_none() => self.fill_gap(peer, now),
            BlockJudgement::Unlinkable => {}
            BlockJudgement::BadHeader => {
                self.blame(peer, 50.0, &format!("its block #{num} is not a valid one: {why}"), now)
            }
            BlockJudgement::Bad => {
                let why = format!("its block #{num} is refused: {why}");
                // Who relays blocks before they run passed it on in good faith where its producer signed it.
                match (epoch, header_good) {
                    (Some(_), _) => self.blame(peer, 50.0, &why, now),
                    (None, false) => self.doubt(peer, 10.0, &why, now),
                    (None, true) => tracing::warn!("block {id} of a peer breaks a rule: {why}"),
                }
            }
        }
        self.relayed.remove(&id);
        let is_false = matches!(judgement, BlockJudgement::BadHeader | BlockJudgement::Bad);
        if is_false && !others.is_empty() {
            self.spreading.forget_copy(&id);
            // Gossip brought one of the forms, nobody knows which.
            self.gossip_done(id, BlockJudgement::NotNow);
            for (peer, block, charge) in others {
                if self.peers.contains_key(&peer) {
                    self.block_news(peer, block, charge, now, blocks);
                }
            }
        } else if judgement != BlockJudgement::Held {
            self.gossip_done(id, judgement);
        }
        if is_now {
            self.restart_sync(now);
        }
    }

    /// Notes who signed a block whose header was checked, or that is in this node's chain.
    pub(super) fn note_signed(&mut self, block: &[u8]) {
        let Ok(header) = SignedBlockHeader::from_prefix(block) else { return };
        let (num, slot, producer) = (header.header.block_num(), header.header.timestamp, header.header.producer);
        if !self.plants(Planted::EquivocationAccepted) && self.double_signs.note(header) {
            self.counts.double_signs += 1;
            tracing::error!(
                "{producer} signed two blocks for the slot {slot}, one of them #{num}: /v1/node/double_signs has both headers"
            );
        }
    }

    fn keep_for_relay(&mut self, block: &BlockMessage) {
        self.relayed.insert(block.id, Arc::clone(&block.bytes));
        let mut bytes: usize = self.relayed.values().map(|bytes| bytes.len()).sum();
        while bytes > RELAYED_BYTES_MAX
            && let Some((_, dropped)) = self.relayed.pop_first()
        {
            bytes -= dropped.len();
        }
    }

    /// Sends a block whose header is in order to the peers that lack it.
    pub(super) fn relay_block(&mut self, id: BlockId, now: TimePoint) {
        if self.is_behind(now) {
            return;
        }
        if let Some(bytes) = self.relayed.remove(&id) {
            self.send_block(Point::of(id), &bytes, now);
        }
    }

    /// Sends a block to the peers that lack it, or has gossip do so.
    fn send_block(&mut self, block: Point, bytes: &Arc<[u8]>, now: TimePoint) {
        let by_gossip = self.reached_by_gossip(&block.id, bytes.len());
        let producer = if self.spares_peers() { producer_of(bytes) } else { None };
        self.spreading.note_sent(block.id);
        let lacks = |peer: &super::Peer| peer.takes_live_blocks() && !peer.has(block);
        let lacking: Vec<PeerId> = self.peers.iter().filter(|(_, peer)| lacks(peer)).map(|(id, _)| *id).collect();
        let (mut frame, mut published, mut told): (Option<Arc<[u8]>>, _, _) = (None, false, false);
        for peer in lacking {
            if let Some(found) = self.peers.get_mut(&peer) {
                // Who catches up gets it in its turn.
                if let Some(serving) = &mut found.serving {
                    serving.end = serving.end.max(block.num);
                    continue;
                }
                if Self::is_spared(found, producer) {
                    told = true;
                    continue;
                }
                found.note_has(block);
                if by_gossip.contains(&peer) {
                    // Nothing is known of what gossip brings it: it is told where this node stands as if it got nothing.
                    published = true;
                    continue;
                }
                found.block_at = now;
            }
            let lane = self.peers.get(&peer).map_or(Lane::News, super::Peer::lane_of_news);
            let frame = frame.get_or_insert_with(|| block_frame(bytes).into());
            self.send_frame(peer, lane, Arc::clone(frame));
        }
        if told {
            self.spreading.tell_later(block.id, bytes, now);
        }
        if published {
            self.publish_block(block.id, bytes);
        }
        self.gossip_done(block.id, BlockJudgement::Good);
    }

    /// The chain moved: blocks that peers lack are sent, what is irreversible is forgotten.
    pub(super) fn chain_moved(&mut self, stands: Stands, now: TimePoint, blocks: &dyn Blocks) {
        let before = std::mem::replace(&mut self.stands, stands);
        if before.irreversible.num != stands.irreversible.num {
            for peer in self.peers.values_mut() {
                peer.forget_up_to(stands.irreversible.num);
            }
            self.relayed.retain(|id, _| Point::of(*id).num > stands.irreversible.num);
            self.gossip_done_up_to(stands.irreversible.num);
            self.spreading.forget_up_to(stands.irreversible.num);
            self.settle_disputes(now, blocks);
        }
        let head = if before.head == stands.head { None } else { blocks.block_at(stands.head.num) };
        if let Some(Ok(signed)) = head.as_deref().map(SignedBlockHeader::from_prefix) {
            self.head_time = signed.header.timestamp.time();
        }
        if self.sync.is_active() {
            self.pump_sync(now);
        }
        if before.head == stands.head || self.is_behind(now) {
            return;
        }
        let follows = stands.head.num > before.head.num && blocks.id_at(before.head.num) == Some(before.head.id);
        if let Some(head) = head {
            self.note_signed(&head);
        }
        // After a change of branches all of the new one that is reversible may be news.
        let first = if follows { before.head.num } else { before.irreversible.num }.saturating_add(1);
        for num in first..=stands.head.num {
            let Some(id) = blocks.id_at(num) else { continue };
            let point = Point { num, id };
            // Who lacks one that was passed on is told of it.
            if !self.spreading.is_sent(&id)
                && self.peers.values().any(|peer| peer.takes_live_blocks() && !peer.has(point))
                && let Some(bytes) = blocks.block_at(num)
            {
                self.send_block(point, &bytes, now);
            }
            self.gossip_done(id, BlockJudgement::Good);
        }
    }

    /// One of two peers is wrong, or both: all is asked for from the start, of others first.
    fn disagree(&mut self, sides: [(PeerId, Point); 2], now: TimePoint) {
        let [(first, at), (second, _)] = sides;
        if first == second {
            self.blame(first, 50.0, "its blocks do not follow each other", now);
            self.close(first, None, now);
            return self.restart_sync(now);
        }
        for (peer, disputed) in sides {
            if let Some(found) = self.peers.get_mut(&peer) {
                tracing::info!("peer {} has another block #{} than another peer", found.name(), disputed.num);
                found.disputed.get_or_insert(disputed);
            }
        }
        let is_third = |source: &Source| {
            ![first, second].contains(&source.peer) && !source.slow && source.has(self.stands.irreversible.num, at.num)
        };
        let passed_over = if self.sources(now).iter().any(is_third) {
            vec![first, second]
        } else {
            // By turns: who is asked alone may be the wrong one.
            let doubted = |peer| self.peers.get(&peer).map_or(u32::MAX, |found| found.doubted);
            vec![if doubted(first) < doubted(second) { first } else { second }]
        };
        for peer in passed_over {
            if let Some(found) = self.peers.get_mut(&peer) {
                found.doubted += 1;
                found.slow_until = now.plus_us(DISPUTE_US);
            }
        }
        self.restart_sync(now);
    }

    /// Bans whoever gave another block as irreversible than the one that is irreversible here.
    fn settle_disputes(&mut self, now: TimePoint, blocks: &dyn Blocks) {
        let irreversible = self.stands.irreversible.num;
        let due = |peer: &mut super::Peer| peer.disputed.take_if(|disputed| disputed.num <= irreversible);
        let due: Vec<_> = self.peers.iter_mut().filter_map(|(id, peer)| Some((*id, due(peer)?))).collect();
        for (peer, disputed) in due {
            if blocks.id_at(disputed.num).is_some_and(|id| id != disputed.id) {
                let why = format!("its block #{} is of a branch that is given up", disputed.num);
                self.blame(peer, 50.0, &why, now);
                self.close(peer, None, now);
            } else if let Some(found) = self.peers.get_mut(&peer) {
                (found.slow_until, found.doubted) = (now, 0);
            }
        }
    }

    /// A transaction came; gossip waits to be told what becomes of one that it brought.
    pub(super) fn transaction_came(
        &mut self,
        peer: PeerId,
        transaction: TransactionMessage,
        charge: Charge,
        by_gossip: bool,
        now: TimePoint,
    ) {
        let id = transaction.id;
        if self.takes_transaction(peer, &transaction, now) {
            self.sharing.came(&id);
            self.trials.begin(peer, &transaction, by_gossip);
            if let Some(found) = self.peers.get_mut(&peer) {
                found.judged_bytes += transaction.memory_bytes;
                found.judged += 1;
            }
            self.out.push(Output::TakeTransaction { peer, transaction, charge });
        } else if let Some(trial) = self.trials.get_mut(&id) {
            trial.by_gossip |= by_gossip;
            if self.trials.is_other_form(&transaction) && !self.trials.is_hopeless(&transaction) {
                self.trials.keep_other((peer, transaction, charge));
            }
        } else if by_gossip {
            self.out.push(Output::TransactionDone { id, judgement: TransactionJudgement::NotNow });
        }
    }

    /// Whether a transaction is news that this node wants and has room for.
    fn takes_transaction(&mut self, peer: PeerId, transaction: &TransactionMessage, now: TimePoint) -> bool {
        let expiration = TimePoint::from(transaction.expiration);
        if !self.settings.accept_transactions || self.is_behind(now) {
            return false;
        }
        let clock = self.clock(now);
        if expiration < clock {
            self.is_useless(peer, "it sends transactions that have expired", now);
            return false;
        }
        if self.trials.is_hopeless(transaction) {
            self.is_useless(peer, "it sends transactions that failed before", now);
            return false;
        }
        let (new, news) = self.transactions.gave(transaction.id, expiration, peer, clock);
        if !news {
            self.is_useless(peer, "it repeats transactions", now);
        }
        if new && !self.has_room_for(peer, transaction) {
            self.counts.dropped_transactions += 1;
            self.transactions.forget(&transaction.id);
            return false;
        }
        new
    }

    fn has_room_for(&self, peer: PeerId, transaction: &TransactionMessage) -> bool {
        let (count, of_peer) = self.peers.get(&peer).map_or((0, 0), |found| (found.judged, found.judged_bytes));
        self.trials.len() < TRANSACTIONS_IN_HAND_MAX
            && count < TRANSACTIONS_IN_HAND_PER_PEER_MAX
            && self.trials.bytes() + transaction.memory_bytes <= JUDGED_BYTES_MAX
            && of_peer + transaction.memory_bytes <= JUDGED_BYTES_PER_PEER_MAX
    }

    /// Who sends nothing but transactions that nobody can use is disconnected.
    fn is_useless(&mut self, peer: PeerId, why: &str, now: TimePoint) {
        if self.peers.get_mut(&peer).is_some_and(|found| !found.useless_transactions.draw(now)) {
            self.blame(peer, 1.0, why, now);
        }
    }

    /// The chain has judged a peer's transaction. Good ones come as accepted, too, and travel on then.
    pub(super) fn transaction_judged(
        &mut self,
        peer: PeerId,
        id: TransactionId,
        judgement: TransactionJudgement,
        why: &str,
        now: TimePoint,
    ) {
        let fails = !matches!(judgement, TransactionJudgement::Accepted | TransactionJudgement::Known);
        // One that was not tried does not count.
        let trial = self.trials.end(&id, fails && judgement != TransactionJudgement::Spent);
        if let (Some(trial), Some(found)) = (&trial, self.peers.get_mut(&peer)) {
            found.judged_bytes = found.judged_bytes.saturating_sub(trial.bytes);
            found.judged = found.judged.saturating_sub(1);
        }
        if trial.as_ref().is_some_and(|trial| trial.by_gossip) {
            self.out.push(Output::TransactionDone { id, judgement });
        }
        if fails {
            // It may come again, in this form some times and in others.
            self.transactions.forget(&id);
            for (peer, transaction, charge) in trial.into_iter().flat_map(|trial| trial.others) {
                self.transaction_came(peer, transaction, charge, false, now);
            }
        }
        match judgement {
            TransactionJudgement::Accepted | TransactionJudgement::Known => {}
            TransactionJudgement::NotNow => {
                tracing::debug!("transaction {id} is not taken: {why}");
                self.is_useless(peer, "it sends transactions that are not taken", now);
            }
            // Another one may bring it; and what this one passes on may have cost nothing where it comes from.
            TransactionJudgement::Spent => {
                self.doubt(peer, 1.0, "its failed transactions take too much time", now);
            }
            TransactionJudgement::Failed => self.blame(peer, 0.02, &format!("its transaction {id} fails: {why}"), now),
            TransactionJudgement::Bad => {
                self.blame(peer, 5.0, &format!("its transaction {id} is not a valid one: {why}"), now)
            }
        }
    }

    /// Sends an accepted transaction to the peers that lack it.
    pub(super) fn relay_transaction(&mut self, transaction: &TransactionMessage, now: TimePoint) {
        self.transactions.note(transaction.id, TimePoint::from(transaction.expiration), self.clock(now));
        self.recent.keep(transaction.clone(), now);
        let small = transaction.packed.packed_size() <= GOSSIP_BYTES_MAX;
        let (mut wanting, mut ours) = (Vec::new(), false);
        for (id, peer) in self.peers.iter().filter(|(_, peer)| Self::takes_transactions(peer)) {
            match peer.wire {
                Wire::Libp2p { .. } if small => ours = true,
                _ => wanting.push(*id),
            }
        }
        if ours && self.has_gossip_share() {
            self.out.push(Output::Publish(transaction.clone()));
        } else if ours {
            self.share(transaction);
        }
        let mut frame: Option<Arc<[u8]>> = None;
        for peer in wanting {
            if self.transactions.note_has(&transaction.id, peer) {
                let frame = frame.get_or_insert_with(|| transaction_frame(&transaction.packed).into());
                self.send_frame(peer, Lane::News, Arc::clone(frame));
            }
        }
    }

    /// Sends a peer that has just introduced itself what was accepted lately. Nothing is noted of it: whoever connects
    /// again and again takes no memory here.
    pub(super) fn offer_recent(&mut self, peer: PeerId, now: TimePoint) {
        let takes = |peer: &super::Peer| peer.is_current() && peer.kind.has_transactions();
        if !self.peers.get(&peer).is_some_and(takes) {
            return;
        }
        let recent: Vec<_> = self.recent.valid(self.clock(now)).cloned().collect();
        if self.peers.get(&peer).is_some_and(|found| found.wire != Wire::Nodeos) {
            return self.send_together(peer, recent.iter());
        }
        for transaction in recent {
            if self.peers.get(&peer).is_none_or(|found| found.queued >= QUEUED_BYTES_FOR_TRANSACTIONS) {
                return;
            }
            self.send_frame(peer, Lane::News, transaction_frame(&transaction.packed).into());
        }
    }
}
