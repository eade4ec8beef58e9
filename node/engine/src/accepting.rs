//! Blocks from outside, and what follows when blocks joined the chain: store first, then notify.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chain::{Applied, BlockState, ChainError, PreparedBlock};
use codec::Pack;
use primitives::block::ReceiptTransaction;
use primitives::{BlockId, BlockTimestamp, Fault, FaultKind, TransactionStatus};
use store::{Change, Head, StoreError};

use crate::command::{Reply, answer};
use crate::disk::Work;
use crate::events::Position;
use crate::finality::BlockPoint;
use crate::health::HEAD_AGE_MAX_US;
use crate::holds::Hold;
use crate::planted::Planted;
use crate::unsaved::work_of;
use crate::writer::{Phase, Writer};
use crate::{EngineError, Refusal, Verdict, report, rules, slots};

impl Writer {
    /// Takes a block from outside. One that is known costs a look-up; one that comes while this node makes a block is
    /// held until that is sealed.
    /// Whether the chain may have changed.
    pub(crate) fn push_block(
        &mut self,
        block: PreparedBlock,
        reply: Option<Reply<Verdict>>,
    ) -> Result<bool, EngineError> {
        if self.is_known(&block.id)? {
            say(reply, Verdict::Known);
            return Ok(false);
        }
        if self.makes_own_block() || self.compiling.holds_block() {
            let verdict = match self.hopeless(&block) {
                Some(fault) => Verdict::Refused(fault),
                None if self.plants(Planted::HeldForgotten) => Verdict::Held,
                None => self.hold(block),
            };
            say(reply, verdict);
            return Ok(false);
        }
        self.take_block(block, reply)?;
        Ok(true)
    }

    /// Why a block need not wait for this node's own: it is of the future, or follows nothing that is known. Of such
    /// ones a stranger can send any number, and they would take the room, and the time, of those that are worth it.
    fn hopeless(&self, block: &PreparedBlock) -> Option<Box<Fault>> {
        let header = block.block.header();
        if self.shared.clock.jump_us() <= 0
            && let Err(fault) = self.check_own_rules(&block.id, header.timestamp)
        {
            return Some(Box::new(fault));
        }
        // It may follow one that waits.
        if self.held.contains(&header.previous) || self.compiling.holds_block() {
            return None;
        }
        match self.shared.chain.read().parent(block) {
            Err(ChainError::Block(fault)) => Some(fault),
            _ => None,
        }
    }

    /// Takes a block that waited for code. Those that came after it are held already.
    pub(crate) fn push_first(
        &mut self,
        block: PreparedBlock,
        reply: Option<Reply<Verdict>>,
    ) -> Result<(), EngineError> {
        if !self.makes_own_block() {
            return self.take_block(block, reply);
        }
        self.held.keep_first(block);
        say(reply, Verdict::Held);
        Ok(())
    }

    fn makes_own_block(&self) -> bool {
        matches!(self.phase, Phase::Producing { .. } | Phase::Signing)
    }

    /// Whether a block is in the fork tree, or in the chain.
    fn is_known(&self, id: &BlockId) -> Result<bool, StoreError> {
        if self.shared.chain.read().fork_block(id).is_some() {
            return Ok(true);
        }
        Ok(self.disk.block_id_at(store::blocks::number_of(id))? == Some(*id))
    }

    fn hold(&mut self, block: PreparedBlock) -> Verdict {
        let (num, id) = (block.block.block_num(), block.id);
        if !self.held.keep(block) {
            return Verdict::Busy;
        }
        tracing::debug!("block #{num} {id} waits for this node's own to be sealed");
        Verdict::Held
    }

    /// Takes the blocks that were held, in the order in which they came. No block may be pending.
    pub(crate) fn take_held(&mut self) -> Result<(), EngineError> {
        while !self.compiling.holds_block()
            && let Some(block) = self.held.take()
        {
            if !self.is_known(&block.id)? {
                self.take_block(block, None)?;
            }
        }
        Ok(())
    }

    /// Checks a block, lets it join the chain or the fork tree and makes that durable.
    fn take_block(&mut self, block: PreparedBlock, reply: Option<Reply<Verdict>>) -> Result<(), EngineError> {
        let again = block.clone();
        match self.join(block) {
            Ok(Verdict::Refused(fault)) => {
                if reply.is_none() {
                    tracing::error!("block {}, which had to wait, is refused: {fault}", again.id);
                }
                say(reply, Verdict::Refused(fault));
            }
            Ok(verdict) => say(reply, verdict),
            Err(EngineError::Chain(ChainError::NeedsCode(missing))) => self.hold_for_code(*missing, again, reply),
            // The block is not to blame.
            Err(EngineError::Chain(ChainError::Shortage(what))) => {
                tracing::error!("block {} waits to be offered again: {}", again.id, Refusal::Shortage { what });
                say(reply, Verdict::Busy);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn join(&mut self, block: PreparedBlock) -> Result<Verdict, EngineError> {
        let begun = self.now();
        let slot = block.block.header().timestamp;
        match self.check_own_rules(&block.id, slot) {
            // What seems to be of the future may show that it is the present.
            Err(fault) if self.shared.clock.jump_us() <= 0 => return Ok(Verdict::Refused(Box::new(fault))),
            _ => {}
        }
        let (id, bytes) = (block.id, block.block.to_bytes());
        let (parent, restrictions) = {
            let chain = self.shared.chain.read();
            (chain.parent(&block).cloned(), chain.feature_restrictions().clone())
        };
        let checked = match parent.and_then(|parent| Ok(block.check_header(&parent, &restrictions)?)) {
            Ok(checked) => checked,
            Err(ChainError::Block(fault)) => return Ok(Verdict::Refused(fault)),
            Err(error) => return Err(error.into()),
        };
        self.shared.clock.witness(slot.time());
        let lag_us = self.now().0 - slot.time().0;
        if lag_us < HEAD_AGE_MAX_US {
            self.shared.health.came(lag_us);
        }
        if let Err(fault) = self.check_own_rules(&id, slot) {
            return Ok(Verdict::Refused(Box::new(fault)));
        }
        self.abort();
        let mut chain = self.shared.chain.write(Hold::ReceivedBlock);
        let applied = match chain.push_checked(&mut self.machine, checked) {
            Ok(applied) => applied,
            Err(ChainError::Block(fault)) => return Ok(Verdict::Refused(fault)),
            Err(error) => return Err(error.into()),
        };
        let irreversible = chain.root().number();
        let joined: Vec<BlockId> = applied.joined().map(|state| state.id()).collect();
        let new = [(id, &bytes[..])];
        // What follows on another branch than the chain's best may have gone with a bad block before it.
        let stays = chain.fork_block(&id).is_some();
        let irreversible_only = chain.is_irreversible_only();
        let blocks = if stays { &new[..] } else { &[] };
        if let Err(error) = self.disk.ingest(&Change { blocks, joined: &joined, irreversible, signed: None }) {
            // The node ends. Until then nobody may see a head that a restart will not know: the lock stays closed.
            std::mem::forget(chain);
            return Err(error.into());
        }
        drop(chain);
        if let Some((bad, fault)) = applied.rejected.as_ref().filter(|_| irreversible_only) {
            tracing::error!(
                "block {bad} became irreversible and breaks a rule: {fault}. It and what is built on it are left out; \
                 the state stays at block {irreversible} until another branch is the best"
            );
        }
        // What a block makes irreversible may be bad, and the block goes with it.
        let refused = applied.rejected.clone().filter(|(bad, _)| *bad == id || (irreversible_only && !stays));
        report::received(&applied, irreversible, begun, self.now());
        self.shared.metrics.received(&applied);
        applied.applied.iter().for_each(|sealed| self.expect_code_in(sealed));
        self.follow(applied)?;
        if rules::is_current(self.shared.chain.read().head_time(), self.now()) {
            self.allow_production();
        }
        Ok(refused.map_or(Verdict::Joined, |(_, fault)| Verdict::Refused(Box::new(fault))))
    }

    /// What this node alone demands: a time that is not far ahead, and the ids that the operator named.
    fn check_own_rules(&self, id: &BlockId, slot: BlockTimestamp) -> Result<(), Fault> {
        rules::check_time(id, slot, self.now())?;
        let number = store::blocks::number_of(id);
        match self.settings.block_checkpoints.get(&number) {
            Some(expected) if expected != id => {
                let message =
                    format!("Checkpoint does not match for block number {number}: expected: {expected} actual: {id}");
                Err(Fault::new(FaultKind::CHECKPOINT_EXCEPTION, message))
            }
            _ => Ok(()),
        }
    }

    /// Whether the node was told to end here.
    fn look_for_turn(&mut self, applied: &Applied) {
        let (head, irreversible) = {
            let chain = self.shared.chain.read();
            (Arc::clone(chain.head()), chain.root().number())
        };
        self.shared.metrics.stands(head.number(), irreversible);
        let counts_irreversible = self.turn.counts_irreversible();
        let mut sees = |state: &BlockState, slot: u32| self.turn.sees(state, BlockTimestamp(slot.saturating_add(1)));
        let ends = if counts_irreversible {
            applied.irreversible.iter().any(|state| sees(state, head.header.timestamp().0))
        } else {
            applied.applied.iter().any(|sealed| sees(&sealed.state, sealed.state.header.timestamp().0))
        };
        if ends {
            tracing::info!("shutting down: the turn of the producer that was named has come");
            self.finished = true;
        }
    }

    /// Counts the slots of this node's producers between the former head and a block on it.
    fn count_missed(&mut self, applied: &Applied) {
        let Some(last) = applied.applied.last().map(|sealed| &sealed.state) else { return };
        let (slot, after) = (last.header.timestamp(), std::mem::replace(&mut self.head_slot, last.header.timestamp()));
        self.shared.health.stands(slot.time());
        let mut before = after;
        for sealed in &applied.applied {
            self.shared.health.follows(&sealed.state, before);
            before = sealed.state.header.timestamp();
        }
        let follows = applied.undone.is_empty() && applied.applied.len() == 1;
        if !follows || self.settings.dev || self.paused || !self.production_enabled {
            return;
        }
        let slots = slots::passed(after.max(self.counts_from), slot);
        let missed = slots.filter(|slot| self.produces_for(last.header.scheduled_producer(*slot)));
        self.shared.metrics.missed(self.shared.health.missed(missed));
    }

    /// Tells the trackers and hands the rest to the thread behind the writer.
    pub(crate) fn follow(&mut self, applied: Applied) -> Result<(), EngineError> {
        let finality = &self.shared.finality;
        if finality.is_enabled() {
            applied.undone.iter().for_each(|state| finality.undone(state.id()));
            for sealed in &applied.applied {
                finality.accepted(point(&sealed.state), transactions_of(&sealed.state), self.now());
            }
            if let Some(state) = applied.irreversible.last() {
                finality.irreversible(point(state));
            }
        }
        self.look_for_turn(&applied);
        self.count_missed(&applied);
        if let Some(state) = applied.ahead.last() {
            self.shared.health.stands(state.header.timestamp().time());
        }
        let busy = |sealed: &&chain::SealedBlock| {
            sealed.state.block.as_ref().is_some_and(|block| !block.transactions.is_empty())
        };
        if let Some(last) = applied.applied.iter().rfind(busy) {
            self.last_busy = last.state.number();
        }
        for sealed in &applied.applied {
            let ids = sealed.state.transactions.iter().map(|transaction| &transaction.id);
            self.shared.subjective.lock().included(ids, self.now());
        }
        if !applied.undone.is_empty() && !self.plants(Planted::ResubmittedLost) {
            self.queue.add_forked(&applied.undone, &applied.applied);
        }
        let synced = self.shared.synced.load(Ordering::Acquire);
        self.retry.follow(&applied, self.shared.chain.read().root().number(), synced, self.now());
        self.follow_snapshots(&applied)?;
        for transaction in self.retry.due(self.now()) {
            self.queue.add_forgotten(transaction);
        }
        applied.applied.iter().for_each(|sealed| self.unsaved.work += work_of(sealed));
        let settled: Vec<_> =
            applied.irreversible.iter().map(|state| Head { num: state.number(), id: state.id() }).collect();
        // The traces of a block are kept before a checkpoint that has it: a restart applies the blocks after its
        // checkpoint again, and so has the traces of all that it may have to fill in.
        self.shared.health.wrote();
        let (position, is_change) = (Position::of(&self.shared.chain.read()), !applied.applied.is_empty());
        let has_history = self.settings.traces.is_some()
            || !applied.undone.is_empty()
            || applied.applied.iter().any(|sealed| sealed.deltas.is_some());
        let history = has_history.then(|| Box::new(applied));
        self.disk.follow(Work::Accepted { position, is_change, history })?;
        if self.shared.chain.read().is_checkpoint_undone() {
            // Blocks of the branch that was left may be forgotten from now on, also those that the state is of.
            self.checkpoint()?;
        }
        if !settled.is_empty() {
            self.disk.follow(Work::Settled(settled))?;
        }
        self.checkpoint_in_time()
    }
}

/// Answers whoever offered a block; nobody waits for one that was held.
fn say(reply: Option<Reply<Verdict>>, verdict: Verdict) {
    if let Some(reply) = reply {
        answer(reply, verdict);
    }
}

fn point(state: &chain::BlockState) -> BlockPoint {
    BlockPoint { id: state.id(), time: state.header.timestamp() }
}

/// The input transactions that were executed in a block. A block state has them recovered, in the order of the receipts.
fn transactions_of(
    state: &chain::BlockState,
) -> impl Iterator<Item = (primitives::TransactionId, primitives::TimePointSec)> + '_ {
    let receipts = state.block.iter().flat_map(|block| &block.transactions);
    let input = receipts.filter(|receipt| matches!(receipt.trx, ReceiptTransaction::Packed(_)));
    let executed = input.zip(&state.transactions).filter(|(receipt, _)| receipt.status == TransactionStatus::Executed);
    executed.map(|(_, transaction)| (transaction.id, transaction.parts.header.expiration))
}
