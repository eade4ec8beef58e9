//! Blocks from outside: header check, fork tree, branch switching, irreversibility, replay
//! (nodeos: controller.cpp `push_block`, `maybe_switch_forks`, `log_irreversible`, `replay_push_block`).

use std::sync::Arc;

use consensus::{BlockHeaderState, ForkTree};
use execution::features::Restrictions;
use execution::{BlockMode, Machine, Outcome};
use ledger::BlockUndo;
use primitives::{BlockId, Fault, FaultKind, SignedBlock, ensure};

use crate::features::{feature_check, wtmsig_before};
use crate::prepared::{check_transaction_mroot, transaction_mroot};
use crate::{Applied, BlockState, Brought, Chain, ChainError, PrepareMode, PreparedBlock, SealedBlock};

/// Blocks applied on the way to the best branch, and the faults met there.
#[derive(Default)]
struct Switch {
    applied: Vec<SealedBlock>,
    rejected: Option<(BlockId, Fault)>,
}

/// A block of which everything was checked that can be said without executing it, on the block before it.
#[derive(Debug, Clone)]
pub struct CheckedBlock(pub(crate) Arc<BlockState>);

impl CheckedBlock {
    /// Its id.
    pub fn id(&self) -> BlockId {
        self.0.id()
    }
}

/// Checks header, signatures and the root of the receipts of a block on the block before it, as
/// [`PreparedBlock::check_header`] does. No transaction is unpacked for it.
///
/// # Errors
/// The rule that the block breaks.
pub fn check_unprepared(block: &SignedBlock, parent: &BlockState, restrictions: &Restrictions) -> Outcome {
    check_transaction_mroot(block, transaction_mroot(block))?;
    next_header(&parent.header, block, restrictions, true).map(drop)
}

impl PreparedBlock {
    /// Checks header and signatures on the block before it (`create_block_state`), with the node's restrictions of
    /// features ([`Chain::feature_restrictions`]). Needs no chain: any thread can do it.
    ///
    /// # Errors
    /// The rule that the block breaks.
    pub fn check_header(self, parent: &BlockState, restrictions: &Restrictions) -> Outcome<CheckedBlock> {
        self.check_transaction_mroot()?;
        next_state(&parent.header, self, restrictions, true).map(CheckedBlock)
    }
}

/// The state after a block on `previous`.
fn next_state(
    previous: &BlockHeaderState,
    block: PreparedBlock,
    restrictions: &Restrictions,
    verify: bool,
) -> Outcome<Arc<BlockState>> {
    let PreparedBlock { block, transactions, bytes, .. } = block;
    let header = next_header(previous, &block, restrictions, verify)?;
    Ok(Arc::new(BlockState { header, block: Some(block), transactions, bytes }))
}

/// The header state after a block on `previous`.
fn next_header(
    previous: &BlockHeaderState,
    block: &SignedBlock,
    restrictions: &Restrictions,
    verify: bool,
) -> Outcome<BlockHeaderState> {
    let header = block.header();
    let wtmsig = wtmsig_before(&previous.activated_protocol_features);
    let additional_signatures = block.additional_signatures()?;
    let pending = previous.next(header.timestamp, header.confirmed)?;
    let check = feature_check(restrictions);
    let header = pending.finish(block.signed_header.clone(), additional_signatures, wtmsig, &check)?;
    if verify {
        header.verify_signatures()?;
    }
    Ok(header)
}

impl Chain {
    /// Takes a block from a peer: [`Self::parent`], [`PreparedBlock::check_header`], [`Self::push_checked`] in one go.
    ///
    /// # Errors
    /// The block (or one before it on its branch) breaks a rule; the chain stands as before.
    pub fn push_block(&mut self, machine: &mut Machine, block: PreparedBlock) -> Result<Applied, ChainError> {
        let parent = self.parent(&block)?.clone();
        let checked = block.check_header(&parent, self.feature_restrictions())?;
        self.push_checked(machine, checked)
    }

    /// The block that a new block is built on.
    ///
    /// # Errors
    /// `unlinkable_block_exception` when it is not there, `fork_database_exception` for a block that is no news.
    pub fn parent(&self, block: &PreparedBlock) -> Result<&Arc<BlockState>, ChainError> {
        self.parent_of(&block.id, &block.block.header().previous)
    }

    /// The same of a block by its id and that of the one before it.
    ///
    /// # Errors
    /// As [`Self::parent`].
    pub fn parent_of(&self, id: &BlockId, previous: &BlockId) -> Result<&Arc<BlockState>, ChainError> {
        let unlinkable = || Fault::new(FaultKind::UNLINKABLE_BLOCK_EXCEPTION, format!("unlinkable block {id}"));
        let known =
            || Fault::new(FaultKind::FORK_DATABASE_EXCEPTION, format!("we already know about this block: {id}"));
        if self.tree.get(id).is_some() {
            return Err(known().into());
        }
        Ok(self.tree.get_or_root(previous).ok_or_else(unlinkable)?)
    }

    /// Puts a block whose header was checked into the fork tree, applies it when it makes the best branch, and switches
    /// branches when that is another one. A pending block must be aborted first.
    ///
    /// # Errors
    /// The block (or one before it on its branch) breaks a rule, or needs code that is not ready; the chain stands as
    /// before, without the block.
    pub fn push_checked(&mut self, machine: &mut Machine, block: CheckedBlock) -> Result<Applied, ChainError> {
        let applied = self.push_brought(machine, block);
        self.brought = Brought::default();
        applied
    }

    fn push_brought(&mut self, machine: &mut Machine, block: CheckedBlock) -> Result<Applied, ChainError> {
        let (before, best) = (self.head.id(), self.best().id());
        let id = self.enter(block)?;
        match self.switch_to_best(machine, &best) {
            Err(error) if error.passes() => {
                self.go_back(machine, &before)?;
                self.tree.remove(&id).map_err(ChainError::broken)?;
                Err(error)
            }
            Ok(applied) => Ok(Applied { gone: self.make_room_beside(&id)?, ..applied }),
            other => other,
        }
    }

    /// Returns to a block that was the head before. Its branch ran before, so its code is loaded, or quick to load.
    fn go_back(&mut self, machine: &mut Machine, before: &BlockId) -> Result<(), ChainError> {
        machine.load_aside(false);
        let back = self.switch_to(machine, before, &mut Switch::default());
        machine.load_aside(true);
        back?;
        if self.head.id() != *before {
            return Err(ChainError::broken("a block of the chain cannot be applied again"));
        }
        Ok(())
    }

    /// Takes a block that this node accepted before and kept, after a restart: signatures and receipts are known to be
    /// in order, so blocks prepared with [`crate::PrepareMode::Trusted`] will do.
    ///
    /// # Errors
    /// As [`Self::push_block`].
    pub fn push_kept_block(&mut self, machine: &mut Machine, block: PreparedBlock) -> Result<Applied, ChainError> {
        let parent = self.parent(&block)?.clone();
        let best = self.best().id();
        let id = self.enter(CheckedBlock(next_state(&parent.header, block, self.feature_restrictions(), false)?))?;
        if !self.settings.irreversible_only {
            self.tree.mark_valid(&id).map_err(ChainError::broken)?;
        }
        self.switch_to_best(machine, &best)
    }

    /// Takes a block of another branch into the fork tree that this node received and kept before a restart. Its
    /// header was checked then; the block itself is read again when its branch turns out the best one, and judged in
    /// full. False when the tree has it already or lacks the one before it.
    ///
    /// # Errors
    /// What was kept breaks a rule.
    pub fn recall_block(&mut self, block: Arc<SignedBlock>) -> Result<bool, ChainError> {
        let previous = self.tree.get_or_root(&block.header().previous);
        let Some(previous) = previous.filter(|_| self.tree.get_or_root(&block.id()).is_none()) else {
            return Ok(false);
        };
        let header = next_header(&previous.header, &block, self.feature_restrictions(), false)?;
        self.tree.add(Arc::new(BlockState::without_contents(header)))?;
        Ok(true)
    }

    /// Goes to the best branch, should that be another one after blocks were recalled.
    ///
    /// # Errors
    /// A block on the way there breaks a rule and no branch is better than the head's; the chain stands as before.
    pub fn switch_to_recalled(&mut self, machine: &mut Machine) -> Result<Applied, ChainError> {
        let root = self.root().id();
        self.switch_to_best(machine, &root)
    }

    fn enter(&mut self, CheckedBlock(state): CheckedBlock) -> Outcome<BlockId> {
        ensure!(
            self.pending.is_none() && self.finished.is_none(),
            BLOCK_VALIDATE_EXCEPTION,
            "it is not valid to push a block when there is a pending block"
        );
        let id = state.id();
        ensure!(
            state.header.previous() == self.best().id()
                || self.other_branches_bytes() + state.bytes <= self.settings.other_branches_bytes_max,
            FORK_DATABASE_EXCEPTION,
            "no room for block {id}, which takes {} bytes: blocks of other branches may take {} in all",
            state.bytes,
            self.settings.other_branches_bytes_max
        );
        self.tree.add(state)?;
        Ok(id)
    }

    /// Goes to the best branch. A block that turns out bad is removed with all that follows it, and the best of the
    /// rest is sought, so the chain always ends on the best valid branch. `best`: what the best branch ended with, where
    /// that is not the head.
    fn switch_to_best(&mut self, machine: &mut Machine, best: &BlockId) -> Result<Applied, ChainError> {
        if self.settings.irreversible_only {
            return self.follow_best(machine, best);
        }
        let before = self.head.id();
        let mut switch = Switch::default();
        while self.tree.pending_head().id() != self.head.id() {
            let target = self.tree.pending_head().id();
            self.switch_to(machine, &target, &mut switch)?;
        }
        if self.head.id() == before {
            return switch.rejected.map_or_else(|| Ok(Applied::default()), |(_, fault)| Err(fault.into()));
        }
        let branches = self.tree.branches(&self.head.id(), &before).map_err(ChainError::broken)?;
        switch.applied.retain(|sealed| branches.first.iter().any(|state| state.id() == sealed.state.id()));
        let irreversible = self.advance_irreversible()?;
        // Their transactions are tried again, with their keys. What cannot be read is gone.
        let with_contents = |state| self.with_block(&state, PrepareMode::Full).unwrap_or(state);
        let undone = branches.second.into_iter().map(with_contents).collect();
        self.let_go_of_contents();
        let Switch { applied, rejected } = switch;
        Ok(Applied { undone, applied, irreversible, rejected, ..Applied::default() })
    }

    /// Undoes and applies blocks until `target` is the head or a block is rejected.
    fn switch_to(&mut self, machine: &mut Machine, target: &BlockId, switch: &mut Switch) -> Result<(), ChainError> {
        let branches = self.tree.branches(target, &self.head.id()).map_err(ChainError::broken)?;
        for undone in &branches.second {
            self.undo_head()?;
            switch.applied.retain(|sealed| sealed.state.id() != undone.id());
        }
        for state in branches.first.iter().rev() {
            let mode = self.mode_of(state);
            match self.apply(machine, state, mode, true) {
                Ok(sealed) => {
                    self.tree.mark_valid(&state.id()).map_err(ChainError::broken)?;
                    switch.applied.push(sealed);
                }
                Err(ChainError::Block(fault)) => {
                    self.tree.remove(&state.id()).map_err(ChainError::broken)?;
                    switch.rejected = Some((state.id(), *fault));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Blocks that were applied before, and those that are trusted, are not checked in full.
    pub(crate) fn mode_of(&self, state: &BlockState) -> BlockMode {
        let producer = state.header.block_header().producer;
        let trusted = self.settings.trust_blocks || self.settings.trusted_producers.contains(&producer);
        if trusted || self.tree.is_valid(&state.id()) { BlockMode::Trusted } else { BlockMode::Validated }
    }

    /// Takes the head block back (`pop_block`).
    pub(crate) fn undo_head(&mut self) -> Result<(), ChainError> {
        let previous = self.tree.get_or_root(&self.head.header.previous()).cloned();
        let previous = previous.ok_or_else(|| ChainError::broken("attempt to pop beyond last irreversible block"))?;
        if let Some(number) = self.world.ledger.absent_undo() {
            self.bring_undo(number)?;
        }
        let undone = self.world.ledger.undo_block().map_err(ChainError::broken)?;
        if undone != Some(self.head.number()) {
            return Err(ChainError::broken("the ledger's newest block is not the head"));
        }
        self.head = previous;
        Ok(())
    }

    /// Reads what undoes a block of before a restart.
    fn bring_undo(&mut self, number: u32) -> Result<(), ChainError> {
        let corrupt = |cause| ChainError::Corrupt { what: "checkpoint", cause };
        let brought = self.brought.take_undo(number);
        let rows = brought.or_else(|| self.kept.as_ref().and_then(|kept| kept.undo(number)));
        let rows = rows.ok_or_else(|| corrupt(format!("what undoes block {number} cannot be read")))?;
        let brought = self.world.ledger.bring_undo(BlockUndo { number, rows });
        brought.map_err(|error| corrupt(format!("what undoes block {number}: {error}")))
    }

    /// Keeps the contents of the newest reversible blocks in memory alone.
    pub(crate) fn let_go_of_contents(&mut self) {
        if self.kept.is_none() {
            return;
        }
        let (mut bytes, mut old) = (0, Vec::new());
        // Before one without contents are none that have theirs.
        for state in self.tree.ancestors(&self.head.id()).take_while(|state| state.block.is_some()) {
            if bytes > self.settings.contents_bytes_max {
                old.push(Arc::new(BlockState::without_contents(state.header.clone())));
            }
            bytes += state.bytes;
        }
        old.into_iter().for_each(|state| self.tree.replace(state));
    }

    /// Commits blocks that became irreversible, in order, and moves the root of the tree.
    pub(crate) fn advance_irreversible(&mut self) -> Result<Vec<Arc<BlockState>>, ChainError> {
        let irreversible = self.head.header.dpos_irreversible_blocknum;
        if irreversible <= self.root().number() {
            return Ok(Vec::new());
        }
        let mut branch = self.tree.branch(&self.head.id(), irreversible);
        branch.reverse();
        if let Some(last) = branch.last() {
            self.world.ledger.commit_blocks_up_to(last.number());
            self.tree.advance_root(&last.id()).map_err(ChainError::broken)?;
        }
        Ok(branch)
    }

    /// Applies the next irreversible block. Nothing can be undone afterwards. A block that was prepared in full gets
    /// all checks, others what nodeos checks in replay.
    ///
    /// # Errors
    /// The block breaks a rule; the chain stands as before.
    pub fn replay_block(&mut self, machine: &mut Machine, block: PreparedBlock) -> Result<SealedBlock, ChainError> {
        let full = block.is_full();
        if full {
            block.check_transaction_mroot()?;
        }
        let state = next_state(&self.head.header, block, self.feature_restrictions(), full)?;
        let mode = if full { BlockMode::Validated } else { BlockMode::Trusted };
        let sealed = self.apply(machine, &state, mode, self.settings.replay_traces)?;
        self.world.ledger.commit_blocks_up_to(state.number());
        self.tree = ForkTree::new(state);
        Ok(sealed)
    }
}
