//! A state that stands at the last irreversible block: blocks after it are in the fork tree alone, their headers checked,
//! and each is applied when the best branch makes it irreversible (nodeos: `read-mode = irreversible`, controller.cpp
//! `log_irreversible`).

use std::sync::Arc;

use consensus::ForkTree;
use execution::Machine;
use primitives::BlockId;

use crate::{Applied, BlockState, Chain, ChainError, SealedBlock};

impl Chain {
    /// Whether the state stands at the last irreversible block.
    pub fn is_irreversible_only(&self) -> bool {
        self.settings.irreversible_only
    }

    /// The end of the best branch (`fork_db_head`): the head, unless the state stands at the last irreversible block.
    pub fn best(&self) -> &Arc<BlockState> {
        if self.settings.irreversible_only { self.tree.pending_head() } else { &self.head }
    }

    /// Applies what the best branch makes irreversible and the state lacks. A block that turns out bad is removed with
    /// all that follows it, and the best of the rest counts. `before`: what the best branch ended with.
    ///
    /// # Errors
    /// A block needs code that is not ready: the chain stands as before.
    pub(crate) fn follow_best(&mut self, machine: &mut Machine, before: &BlockId) -> Result<Applied, ChainError> {
        let mut done = Applied::default();
        let best = self.best().clone();
        if best.id() != *before {
            done.ahead = self.tree.branches(&best.id(), before).map_err(ChainError::broken)?.first;
            done.ahead.reverse();
        }
        while self.best().header.dpos_irreversible_blocknum > self.root().number() {
            match self.apply_irreversible(machine, &mut done) {
                Ok(true) => {}
                Ok(false) => break,
                // What was applied before it is part of the chain; the next block from outside asks again.
                Err(error) if error.passes() && done.rejected.is_some() => break,
                Err(error) => return Err(error),
            }
        }
        if done.rejected.is_some() {
            done.ahead = self.branch_anew(&done.applied);
        }
        Ok(done)
    }

    /// Applies the blocks that the best branch makes irreversible, all of them or up to a bad one, which it removes.
    /// Whether there was such a one.
    fn apply_irreversible(&mut self, machine: &mut Machine, done: &mut Applied) -> Result<bool, ChainError> {
        let best = self.best().clone();
        let mut due = self.tree.branch(&best.id(), best.header.dpos_irreversible_blocknum);
        due.reverse();
        let mut applied = Vec::new();
        let mut bad = false;
        for state in &due {
            let mode = self.mode_of(state);
            match self.apply(machine, state, mode, true) {
                Ok(sealed) => applied.push(sealed),
                Err(ChainError::Block(fault)) => {
                    self.tree.remove(&state.id()).map_err(ChainError::broken)?;
                    done.rejected = Some((state.id(), *fault));
                    bad = true;
                    break;
                }
                Err(error) => {
                    self.undo_to_root()?;
                    return Err(error);
                }
            }
        }
        if let Some(last) = applied.last() {
            let last = last.state.id();
            for sealed in &applied {
                self.tree.mark_valid(&sealed.state.id()).map_err(ChainError::broken)?;
            }
            self.world.ledger.commit_blocks_up_to(self.head.number());
            self.tree.advance_root(&last).map_err(ChainError::broken)?;
        }
        done.irreversible.extend(applied.iter().map(|sealed| sealed.state.clone()));
        done.applied.extend(applied);
        Ok(bad)
    }

    /// The best branch from the first of the blocks that were applied just now, or from the root.
    fn branch_anew(&self, applied: &[SealedBlock]) -> Vec<Arc<BlockState>> {
        let mut after = self.tree.branch(&self.best().id(), u32::MAX);
        after.reverse();
        let mut branch: Vec<_> = applied.iter().map(|sealed| sealed.state.clone()).collect();
        if branch.is_empty() {
            branch.push(self.root().clone());
        }
        branch.extend(after);
        branch
    }

    fn undo_to_root(&mut self) -> Result<(), ChainError> {
        while self.head.id() != self.root().id() {
            self.undo_head()?;
        }
        Ok(())
    }

    /// Undoes all reversible blocks and forgets those of other branches, for a state that was kept at the head and is to
    /// stand at the last irreversible block. Returns how many were undone.
    ///
    /// # Errors
    /// A block is pending, or what undoes a block is not there.
    pub fn return_to_root(&mut self) -> Result<u32, ChainError> {
        self.nothing_pending("an earlier state")?;
        let undone = self.head.number() - self.root().number();
        self.undo_to_root()?;
        self.tree = ForkTree::new(self.head.clone());
        self.world.action_digests.clear();
        self.world.refresh_features();
        Ok(undone)
    }
}
