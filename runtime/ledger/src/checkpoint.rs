//! Checkpoints: which rows changed since the last one, how to undo the blocks that are still reversible, and the way
//! back from both to a ledger. Where they are kept is the node's business.
//!
//! While blocks run, a changed row is marked dirty by its key, once per checkpoint. A checkpoint has the present values of
//! the dirty rows, so that a restart applies again what came later, however old the last irreversible block is. For
//! each reversible block that no checkpoint has yet, it has the rows that the block changed as they were before; a ledger
//! that is loaded can undo these blocks by putting the rows back ([`restore`]).
//!
//! Each table says in its own file what its rows are, how they were before a change, and how they are loaded ([`row`]);
//! `tables` has their order.

pub(crate) mod error;
pub(crate) mod key;
mod load;
mod restore;
pub(crate) mod row;

use crate::Ledger;
use crate::tables::{AsOf, PackedRows, RowKey, SINGLES};

pub use error::CheckpointError;
pub use load::CheckpointLoader;

/// A row's key and its packed value; `None` for a row that is gone.
pub type CheckpointRow = (Vec<u8>, Option<Vec<u8>>);

/// What changed since the last checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Rows that changed, as of the newest block.
    pub rows: Vec<CheckpointRow>,
    /// How to undo the reversible blocks that no earlier checkpoint has, or has from another branch; ascending.
    pub undo: Vec<BlockUndo>,
}

/// How to undo a block after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockUndo {
    /// The block's number.
    pub number: u32,
    /// The packed rows that it changed, as they were before it.
    pub rows: Vec<u8>,
}

/// Dirty keys beyond which repetitions are taken out.
pub(crate) const DIRTY_MAX: usize = 1 << 20;

/// A row's packed key as text, for people.
pub fn describe(key: &[u8]) -> String {
    RowKey::decode(key).map_or_else(|| format!("unknown key {key:02x?}"), |key| format!("{key:?}"))
}

impl Ledger {
    /// Notes that a row changed since the last checkpoint.
    #[inline]
    pub(crate) fn mark_dirty(&mut self, key: impl Into<RowKey>) {
        if self.checkpointed {
            self.dirty.push(key.into());
            if self.dirty.len() >= self.dirty_max {
                self.forget_repetitions();
            }
        }
    }

    #[cold]
    fn forget_repetitions(&mut self) {
        self.dirty.sort_unstable();
        self.dirty.dedup();
        self.dirty_max = DIRTY_MAX.max(2 * self.dirty.len());
    }

    /// What changed since the last call. The first call on a ledger from genesis or from a snapshot returns all rows.
    /// No block may be half done.
    pub fn take_checkpoint(&mut self) -> Checkpoint {
        let checkpoint = self.checkpoint();
        drop(self.note_checkpoint());
        checkpoint
    }

    /// What changed since the last checkpoint; of a ledger from genesis or from a snapshot all rows. No block may be half
    /// done.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut keys = if self.checkpointed { self.dirty.clone() } else { RowKey::all(self) };
        keys.extend(SINGLES.map(|(key, _)| key));
        keys.sort_unstable();
        keys.dedup();
        let present = AsOf::now(self);
        let rows = keys.into_iter().map(|key| (key.encode(), present.row(key))).collect();
        Checkpoint { rows, undo: self.unsaved_undo() }
    }

    /// Notes that what [`Self::checkpoint`] gave is kept; nothing may have changed since. What is returned is memory to be
    /// freed without the chain's lock.
    pub fn note_checkpoint(&mut self) -> impl Send + Sync + use<> {
        self.saved = self.newest_block().unwrap_or(self.saved);
        self.saved_undone = false;
        self.dirty_max = DIRTY_MAX;
        self.checkpointed = true;
        self.epoch.advance();
        std::mem::take(&mut self.dirty)
    }

    /// Whether a block that is part of the last checkpoint was undone since: that checkpoint is of a branch that may
    /// be forgotten, and the next one is due.
    pub fn is_checkpoint_undone(&self) -> bool {
        self.saved_undone
    }

    /// What takes back the blocks that no checkpoint has.
    fn unsaved_undo(&self) -> Vec<BlockUndo> {
        let mut past = AsOf::now(self);
        let mut undo = Vec::new();
        for (number, entries) in self.journal.newest_first().take_while(|&(number, _)| number > self.saved) {
            let keys = past.step_block(entries);
            let rows = PackedRows::new(keys.into_iter().map(|key| (key, past.row(key))));
            undo.push(BlockUndo { number, rows: rows.into_bytes() });
        }
        undo.reverse();
        undo
    }

    /// The rows that each of the newest blocks changed, as they were before it; oldest block first.
    pub(crate) fn changed_rows(&self, blocks: usize) -> Vec<PackedRows> {
        let mut past = AsOf::now(self);
        let mut changed = Vec::with_capacity(blocks);
        for (_, entries) in self.journal.newest_first().take(blocks) {
            let keys = past.step_block(entries);
            changed.push(PackedRows::new(keys.into_iter().map(|key| (key, past.row(key)))));
        }
        changed.reverse();
        changed
    }

    /// Marks what the newest block changed, when it is in the last checkpoint: undoing it changes those rows again.
    pub(crate) fn mark_undone_block(&mut self) {
        let Some((number, entries)) = self.journal.newest_first().next().filter(|&(number, _)| number <= self.saved)
        else {
            return;
        };
        let keys = AsOf::now(self).step_block(entries);
        self.saved = number - 1;
        self.saved_undone = true;
        keys.into_iter().for_each(|key| self.mark_dirty(key));
    }
}
