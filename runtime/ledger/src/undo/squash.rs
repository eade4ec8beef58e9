//! What keeps the journal small: one old value per row and block, whatever the block's transactions did meanwhile.
//!
//! Within the open block [`Ledger::squash`] drops values that only undo would pass through. What was added and removed
//! again stays as an entry without its bytes, because undo in reverse order gives rows their handles back. When the
//! latest finished blocks together hold too much, each becomes the list of rows that it changed, as it is after a restart.

use rustc_hash::FxHashSet;
use statedb::Weigh;

use super::seen::Seen;
use crate::Ledger;
use crate::tables::{RowKey, Undo};

/// Bytes of an entry of which a list of rows has nothing to spare.
const LARGE_ENTRY_BYTES: usize = 4 << 10;

/// When the journal is made smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoLimits {
    /// Bytes that the open block's entries may grow by before values between its transactions are dropped.
    pub open_bytes: usize,
    /// Bytes that the entries of finished blocks may have together before they become lists of rows. What they become
    /// stays as it is, so that this bounds how much is done at once.
    pub finished_bytes: usize,
}

impl Default for UndoLimits {
    fn default() -> Self {
        Self { open_bytes: 1 << 20, finished_bytes: 8 << 20 }
    }
}

/// How much the open block had when it was last made smaller: it has to grow by half before it is again, so that what it
/// costs is a constant for each change.
#[derive(Debug, Default)]
pub(crate) struct Squashed {
    pub limits: UndoLimits,
    /// Bytes of the open block's entries.
    pub open_bytes: usize,
}

/// Whether `bytes` have grown by `limit` since they were `last`, and by half.
fn is_due(bytes: usize, last: usize, limit: usize) -> bool {
    bytes > last + limit.max(last / 2)
}

impl Weigh for Undo {
    fn weigh(&self) -> usize {
        size_of::<Self>() + self.heap_bytes()
    }
}

impl<K: Into<RowKey>> Seen<K> for FxHashSet<RowKey> {
    fn first(&mut self, key: K) -> bool {
        self.insert(key.into())
    }
}

impl Ledger {
    /// Changes when the journal is made smaller.
    pub fn set_undo_limits(&mut self, limits: UndoLimits) {
        self.squashed.limits = limits;
    }

    /// Between the transactions of a block: drops old values that lie between two of its changes, if they are many.
    /// Marks inside of the block lose their meaning.
    pub fn squash(&mut self) {
        if !is_due(self.journal.newest_bytes(), self.squashed.open_bytes, self.squashed.limits.open_bytes) {
            return;
        }
        let mut seen = FxHashSet::default();
        self.journal.retain_newest(|entry| entry.is_needed(&mut seen));
        self.squashed.open_bytes = self.journal.newest_bytes();
    }

    /// Between blocks: if the entries of the latest ones hold much, each becomes the list of rows that it changed. All
    /// marks lose their meaning.
    pub(crate) fn compact_blocks(&mut self) {
        self.squashed.open_bytes = 0;
        let (blocks, entries, bytes) =
            self.journal.newest_while(|entry| !matches!(entry, Undo::Rows(_) | Undo::Absent));
        // Large old values take what they take: a list of them would be another copy.
        if bytes > self.squashed.limits.finished_bytes && bytes < entries * LARGE_ENTRY_BYTES {
            let rows = self.changed_rows(blocks);
            self.journal.replace_newest(rows.into_iter().map(Undo::Rows).collect());
        }
    }
}
