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
        blocks.into_iter().try_for_each(|BlockUndo { number, rows }| {
            let rows = PackedRows::from_bytes(rows)?;
            self.load_block(number, Undo::Rows(rows))
        })
    }

    /// The same for a block whose rows stay where they are kept until it is undone: few blocks ever are, and together
    /// they may have changed more than the state has.
    ///
    /// # Errors
    /// It does not come after those before.
    pub fn load_absent_undo(&mut self, number: u32) -> Result<()> {
        self.load_block(number, Undo::Absent)
    }

    fn load_block(&mut self, number: u32, entry: Undo) -> Result<()> {
        ensure(self.newest_block().is_none_or(|newest| newest < number), "blocks are not in order")?;
        self.journal.begin_block(number);
        self.journal.push(entry);
        self.saved = number;
        Ok(())
    }

    /// Lets go of what undoes the blocks of the last checkpoint, which has to be where checkpoints are kept: from there
    /// it is brought again. Whoever called drops what is returned. All marks lose their meaning.
    pub fn let_go_of_undo(&mut self) -> impl Send + Sync + use<> {
        self.journal.replace_oldest(self.saved, |entry| matches!(entry, Undo::Absent), || Undo::Absent)
    }

    /// The newest block that can be undone, when its rows are still where they are kept.
    pub fn absent_undo(&self) -> Option<u32> {
        let (number, mut entries) = self.journal.newest_first().next()?;
        matches!(entries.next(), Some(Undo::Absent)).then_some(number)
    }

    /// The blocks that can be undone whose rows are where they are kept, newest first.
    pub fn all_absent_undo(&self) -> impl Iterator<Item = u32> {
        let blocks = self.journal.newest_first();
        blocks.filter_map(|(number, mut entries)| matches!(entries.next(), Some(Undo::Absent)).then_some(number))
    }

    /// Brings what undoes the newest block, before it is undone.
    ///
    /// # Errors
    /// It is damaged.
    ///
    /// # Panics
    /// It is not of [`Self::absent_undo`].
    pub fn bring_undo(&mut self, BlockUndo { number, rows }: BlockUndo) -> Result<()> {
        assert_eq!(self.absent_undo(), Some(number), "rows came for a block that needs none");
        self.journal.replace_newest(vec![Undo::Rows(PackedRows::from_bytes(rows)?)]);
        Ok(())
    }

    /// Puts back the rows that a block changed.
    pub(crate) fn restore(&mut self, rows: &PackedRows) -> Result<()> {
        let rows: Vec<_> = rows.iter().collect();
        rows.iter().rev().try_for_each(|(key, old)| key.unload(self, old.is_some()))?;
        let old = || rows.iter().filter_map(|(key, old)| Some((*key, (*old)?)));
        old().try_for_each(|(key, value)| key.restore(self, value))?;
        old().try_for_each(|(key, value)| key.restore_references(self, value))
    }
}
