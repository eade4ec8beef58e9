//! Undoing blocks of before a restart: the rows that such a block changed are put back as they were before it.
//!
//! Rows go in the reverse order of their keys and come in the order of their keys, because a row depends only on rows
//! with smaller keys. What others refer to by handle (accounts, code, permissions, tables) is changed in place.

use super::BlockUndo;
use super::error::{Result, ensure};
use crate::Ledger;
use crate::tables::{PackedRows, Undo};

impl Ledger {
    /// Brings the reversible blocks of a ledger that was just loaded, in ascending order.
    ///
    /// # Errors
    /// They are damaged, or not in order.
    pub fn load_undo(&mut self, blocks: impl IntoIterator<Item = BlockUndo>) -> Result<()> {
        for BlockUndo { number, rows } in blocks {
            ensure(self.newest_block().is_none_or(|newest| newest < number), "blocks are not in order")?;
            self.journal.begin_block(number);
            self.journal.push(Undo::Rows(PackedRows::from_bytes(rows)?));
            self.saved = number;
        }
        Ok(())
    }

    /// Puts back the rows that a block changed.
    pub(crate) fn put_back(&mut self, rows: &PackedRows) -> Result<()> {
        let rows: Vec<_> = rows.iter().collect();
        rows.iter().rev().try_for_each(|(key, old)| key.unload(self, old.is_some()))?;
        let old = || rows.iter().filter_map(|(key, old)| Some((*key, (*old)?)));
        old().try_for_each(|(key, value)| key.put_back(self, value))?;
        old().try_for_each(|(key, value)| key.put_back_references(self, value))
    }
}
