//! Undoing blocks of before a restart: the rows that such a block changed are put back as they were before it.
//!
//! Rows go in the reverse order of their keys and come in the order of their keys, because a row depends only on rows
//! with smaller keys. What others refer to by handle (accounts, code, permissions, tables) is changed in place.

use codec::{Bytes, Pack, Reader, Unpack};

use super::error::{CheckpointError, Result, ensure};
use super::{BlockUndo, CheckpointRow};
use crate::Ledger;
use crate::tables::{LoadedRow, RowKey, Undo};

/// The form in which the rows of [`BlockUndo`] are kept.
pub(super) fn pack_rows(rows: impl Iterator<Item = CheckpointRow>) -> Vec<u8> {
    let mut packed = Vec::new();
    rows.for_each(|(key, value)| (Bytes(key), value.map(Bytes)).pack(&mut packed));
    packed
}

fn unpack_rows(packed: &[u8]) -> Result<Vec<LoadedRow>> {
    let mut reader = Reader::new(packed);
    let mut rows = Vec::new();
    while reader.remaining() > 0 {
        let row = <(Bytes, Option<Bytes>)>::unpack(&mut reader);
        let (key, value) = row.map_err(|cause| CheckpointError::Value { key: Vec::new(), cause })?;
        let Some(decoded) = RowKey::decode(&key) else {
            return Err(CheckpointError::Key(key.0));
        };
        rows.push(LoadedRow { key: decoded, old: value.map(|value| value.0) });
    }
    ensure(rows.is_sorted_by(|left, right| left.key < right.key), "a block's rows are not in order")?;
    Ok(rows)
}

impl Ledger {
    /// Brings the reversible blocks of a ledger that was just loaded, in ascending order.
    ///
    /// # Errors
    /// They are damaged, or not in order.
    pub fn load_undo(&mut self, blocks: impl IntoIterator<Item = BlockUndo>) -> Result<()> {
        for BlockUndo { number, rows } in blocks {
            ensure(self.newest_block().is_none_or(|newest| newest < number), "blocks are not in order")?;
            self.journal.begin_block(number);
            self.journal.push(Undo::Rows(unpack_rows(&rows)?));
            self.saved = number;
        }
        Ok(())
    }

    /// Puts back the rows that a block changed.
    pub(crate) fn put_back(&mut self, rows: Vec<LoadedRow>) -> Result<()> {
        rows.iter().rev().try_for_each(|row| row.key.unload(self, row.old.is_some()))?;
        let old = || rows.iter().filter_map(|row| Some((row.key, row.old.as_deref()?)));
        old().try_for_each(|(key, value)| key.put_back(self, value))?;
        old().try_for_each(|(key, value)| key.put_back_references(self, value))
    }
}
