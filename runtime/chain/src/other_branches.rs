//! Blocks beside the best branch: how many there may be, and what they may take in memory. A producer can sign any number
//! of blocks for its slots, and each of them is a good one until its branch is tried.

use std::collections::BTreeSet;
use std::sync::Arc;

use primitives::BlockId;

use crate::{BlockState, Chain, ChainError};

/// Blocks of one producer for one slot that are kept as ends of branches beside the best one. An older one goes for a new
/// one and is not known any more: it is taken again when something is built on it.
pub const TWINS_MAX: usize = 4;

impl Chain {
    /// About how much memory the blocks take that are not on the best branch.
    pub(crate) fn other_branches_bytes(&self) -> usize {
        let own = self.best_branch();
        self.tree.iter().filter(|state| !own.contains(&state.id())).map(|state| state.bytes).sum()
    }

    fn best_branch(&self) -> BTreeSet<BlockId> {
        self.tree.ancestors(&self.best().id()).map(|state| state.id()).collect()
    }

    /// Makes room after a block joined the tree that may be beside the best branch. What is returned is not in the tree
    /// any more.
    ///
    /// # Errors
    /// None; the tree would have to contradict itself.
    pub(crate) fn make_room_beside(&mut self, new: &BlockId) -> Result<Vec<BlockId>, ChainError> {
        if self.best().id() == *new {
            return Ok(Vec::new());
        }
        let Some(state) = self.tree.get(new).cloned() else { return Ok(Vec::new()) };
        let own = self.best_branch();
        if own.contains(new) {
            return Ok(Vec::new());
        }
        self.let_go_of_contents_beside(new, &own);
        let slot_of = |state: &BlockState| {
            let header = state.header.block_header();
            (header.timestamp, header.producer)
        };
        let twins =
            self.tree.ends(|end| slot_of(end) == slot_of(&state) && !own.contains(&end.id()) && end.id() != *new);
        let too_many = (twins.len() + 1).saturating_sub(TWINS_MAX);
        let mut gone = Vec::new();
        for twin in &twins[..too_many] {
            self.tree.remove(&twin.id()).map_err(ChainError::broken)?;
            gone.push(twin.id());
        }
        Ok(gone)
    }

    /// Keeps the contents of so much of other branches as of the own one in memory, and those of the newest block.
    fn let_go_of_contents_beside(&mut self, new: &BlockId, own: &BTreeSet<BlockId>) {
        if self.kept.is_none() {
            return;
        }
        let beside = self.tree.iter().filter(|state| state.block.is_some() && !own.contains(&state.id()));
        let beside: Vec<Arc<BlockState>> = beside.filter(|state| state.id() != *new).cloned().collect();
        if beside.iter().map(|state| state.bytes).sum::<usize>() <= self.settings.contents_bytes_max {
            return;
        }
        for state in beside {
            self.tree.replace(Arc::new(BlockState::without_contents(state.header.clone())));
        }
    }
}
