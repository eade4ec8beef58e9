//! What the node is asked for before a push, and what it brings.

use std::collections::BTreeMap;

use primitives::BlockId;

use crate::{PrepareMode, PreparedBlock};

/// What is not in memory of the blocks that a new block may undo or apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absent {
    /// Blocks, and how they are to be prepared.
    pub blocks: Vec<(BlockId, PrepareMode)>,
    /// Numbers of the blocks of the head's branch whose [`crate::KeptBlocks::undo`] is needed.
    pub undo: Vec<u32>,
}

impl Absent {
    /// Whether all is in memory.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.undo.is_empty()
    }
}

/// What was read of that. What cannot be read is left out: the chain asks for it again, and says what it means.
#[derive(Debug, Default)]
pub struct Brought {
    blocks: BTreeMap<BlockId, PreparedBlock>,
    undo: BTreeMap<u32, Vec<u8>>,
}

impl Brought {
    /// Of these blocks and these rows of before blocks.
    pub fn new(
        blocks: impl IntoIterator<Item = PreparedBlock>,
        undo: impl IntoIterator<Item = (u32, Vec<u8>)>,
    ) -> Self {
        Self { blocks: blocks.into_iter().map(|block| (block.id, block)).collect(), undo: undo.into_iter().collect() }
    }

    pub(crate) fn block(&self, id: &BlockId) -> Option<PreparedBlock> {
        self.blocks.get(id).cloned()
    }

    pub(crate) fn take_undo(&mut self, number: u32) -> Option<Vec<u8>> {
        self.undo.remove(&number)
    }
}
