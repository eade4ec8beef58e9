//! Takes changes back: inside a block to a mark, and whole blocks. An entry of the journal holds what a mutation replaced,
//! and no more; each table says what its entries are and how they are undone.
//!
//! A block that writes the same rows again and again keeps one old value of each (`squash`).

pub(crate) mod seen;
mod squash;

use statedb::Mark;

use crate::Ledger;
use crate::checkpoint::error::CheckpointError;
use crate::tables::Undo;

pub(crate) use squash::Squashed;
pub use squash::UndoLimits;

/// Every action makes several entries: one fits into a cache line.
const _: () = assert!(size_of::<Undo>() <= 64);

impl Ledger {
    /// A point to come back to inside the present block.
    #[inline]
    pub fn mark(&self) -> Mark {
        self.journal.mark()
    }

    /// Takes back everything since `mark`, newest first.
    pub fn undo_to(&mut self, mark: Mark) {
        while let Some(entry) = self.journal.pop_to(mark) {
            entry.revert(self);
        }
    }

    /// Starts a block: until it is committed, all changes from here on can be undone together.
    ///
    /// # Panics
    /// When the number is not above those of the blocks that can still be undone.
    pub fn begin_block(&mut self, number: u32) {
        self.compact_blocks();
        self.journal.begin_block(number);
    }

    /// Takes the newest block back; returns its number, or `None` when no block can be undone.
    ///
    /// # Errors
    /// What a checkpoint kept for undoing the block was not brought ([`Self::absent_undo`]), or does not fit the state.
    /// Blocks that were not loaded never fail.
    pub fn undo_block(&mut self) -> Result<Option<u32>, CheckpointError> {
        if self.absent_undo().is_some() {
            return Err(CheckpointError::Missing("rows of before the block that is undone"));
        }
        self.mark_undone_block();
        let Some((number, start)) = self.journal.end_newest_block() else {
            return Ok(None);
        };
        while let Some(entry) = self.journal.pop_to(start) {
            match entry {
                Undo::Rows(rows) => self.restore(&rows)?,
                entry => entry.revert(self),
            }
        }
        Ok(Some(number))
    }

    /// Makes blocks up to and including `number` final: they can no longer be undone. Blocks that are not there are
    /// nothing.
    pub fn commit_blocks_up_to(&mut self, number: u32) {
        self.journal.commit(number);
    }

    /// The newest block that can be undone (it may be open).
    pub fn newest_block(&self) -> Option<u32> {
        self.journal.newest_block()
    }

    /// The oldest block that can be undone.
    pub fn oldest_block(&self) -> Option<u32> {
        self.journal.oldest_block()
    }

    /// Number of journal entries kept: what undo could touch.
    pub fn undo_len(&self) -> usize {
        self.journal.len()
    }

    /// Bytes of memory that the journal holds: what reversible blocks cost beside the state.
    pub fn undo_bytes(&self) -> usize {
        self.journal.bytes()
    }
}
