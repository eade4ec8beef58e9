//! Blocks from outside: checked, joined to the chain, stored, and then told of.

use chain::{Bounds, Brought, ChainError, CheckedBlock, PreparedBlock};
use codec::Pack;
use primitives::{BlockId, BlockTimestamp, Fault, FaultKind};
use store::{Change, StoreError};

use crate::command::{Reply, answer};
use crate::health::HEAD_AGE_MAX_US;
use crate::holds::Hold;
use crate::planted::Planted;
use crate::preparing::bring;
use crate::writer::{Phase, Writer};
use crate::{EngineError, Refusal, Verdict, report, rules};

/// Ticks of 10 ms that a block may run in the first tier, beside what the optimised form of its code takes to make, before
/// it waits for that.
const FIRST_TIER_TICKS_MAX: u32 = 10;
/// Waits for code after which a block runs as it is to its end.
const WAITS_MAX: u32 = 32;

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
            Err(EngineError::Chain(ChainError::NeedsCode(missing))) => {
                let waits = if self.waits.0 == again.id { self.waits.1 + 1 } else { 1 };
                self.waits = (again.id, waits);
                if missing.optimised {
                    let hash = missing.code_hash;
                    tracing::debug!("block {} waits for the optimised form of contract code {hash}", again.id);
                }
                self.hold_for_code(*missing, again, reply);
            }
            Err(EngineError::Chain(ChainError::Stopping)) => say(reply, Verdict::Busy),
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
        let brought = self.read_ahead(&checked);
        let mut chain = self.shared.chain.write(Hold::ReceivedBlock);
        chain.bring(brought);
        let waited_enough = self.waits.0 == id && self.waits.1 >= WAITS_MAX;
        let first_tier = (!waited_enough).then_some(FIRST_TIER_TICKS_MAX);
        self.machine.bound(Some(Bounds { first_tier, all: None }));
        let pushed = chain.push_checked(&mut self.machine, checked);
        self.machine.bound(None);
        let applied = match pushed {
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
        let change = Change { blocks, joined: &joined, gone: &applied.gone, irreversible, signed: None };
        if let Err(error) = self.disk.ingest(&change) {
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
        // While blocks come one upon another, as in a sync, none is begun here.
        self.optimise_used_code();
        self.publish(applied)?;
        if rules::is_current(self.shared.chain.read().head_time(), self.now()) {
            self.allow_production();
        }
        Ok(refused.map_or(Verdict::Joined, |(_, fault)| Verdict::Refused(Box::new(fault))))
    }

    /// Reads what a change of branches needs of blocks that are not in memory, while others may read the chain.
    fn read_ahead(&self, checked: &CheckedBlock) -> Brought {
        let (absent, kept, chain_id) = {
            let chain = self.shared.chain.read();
            (chain.absent_for(checked), chain.kept_blocks(), chain.chain_id())
        };
        match kept {
            Some(kept) if !absent.is_empty() => {
                bring(&absent, &*kept, &chain_id, &self.shared.recovered, &self.shared.key_guesses)
            }
            _ => Brought::default(),
        }
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
}

/// Answers whoever offered a block; nobody waits for one that was held.
fn say(reply: Option<Reply<Verdict>>, verdict: Verdict) {
    if let Some(reply) = reply {
        answer(reply, verdict);
    }
}
