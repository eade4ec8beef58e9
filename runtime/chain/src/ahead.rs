//! What a change of branches needs of blocks that are not in memory. It is found before the chain changes, so that the
//! node reads it, and recovers keys, where nobody waits for the chain.

use std::sync::Arc;

use primitives::BlockId;

use crate::{Absent, BlockState, Brought, Chain, CheckedBlock, KeptBlocks, PrepareMode};

impl Chain {
    /// What [`Self::push_checked`] needs of a block that is not in memory, should all blocks on the way turn out good.
    pub fn absent_for(&self, CheckedBlock(state): &CheckedBlock) -> Absent {
        let previous = state.header.previous();
        if self.settings.irreversible_only {
            let irreversible = state.header.dpos_irreversible_blocknum;
            let blocks = self.tree.branch(&previous, irreversible);
            return Absent { blocks: self.without_contents(&blocks), undo: Vec::new() };
        }
        if previous == self.head.id() || !self.tree.is_preferred(state) {
            return Absent::default();
        }
        // The error is that of the push.
        let Ok(branches) = self.tree.branches(&previous, &self.head.id()) else { return Absent::default() };
        let mut blocks = self.without_contents(&branches.first);
        // Transactions of blocks that leave are tried again, with their keys.
        let left = branches.second.iter().filter(|state| state.block.is_none());
        blocks.extend(left.map(|state| (state.id(), PrepareMode::Full)));
        let ends = branches.second.last().map_or(u32::MAX, |state| state.number());
        let undo = self.world.ledger.all_absent_undo().take_while(|number| *number >= ends).collect();
        Absent { blocks, undo }
    }

    fn without_contents(&self, branch: &[Arc<BlockState>]) -> Vec<(BlockId, PrepareMode)> {
        let absent = branch.iter().filter(|state| state.block.is_none());
        absent.map(|state| (state.id(), self.mode_of_contents(state))).collect()
    }

    /// How the contents of a block are prepared to be applied.
    pub(crate) fn mode_of_contents(&self, state: &BlockState) -> PrepareMode {
        if self.tree.is_valid(&state.id()) { PrepareMode::Trusted } else { PrepareMode::Full }
    }

    /// Where blocks are that are not in memory.
    pub fn kept_blocks(&self) -> Option<Arc<dyn KeptBlocks>> {
        self.kept.clone()
    }

    /// Brings what [`Self::absent_for`] named, for the next push alone.
    pub fn bring(&mut self, brought: Brought) {
        self.brought = brought;
    }
}
