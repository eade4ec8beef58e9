//! Iterators that a contract holds while an action runs at its receivers (`iterator_cache`): rows are numbered from 0
//! as they are met, ends of tables from -2 downwards, and -1 is no iterator at all.

use ledger::{Float64, Float128, Key128, Key256, Ledger, SecondaryKey, TableId};
use primitives::ensure;
use rustc_hash::FxHashMap;

use crate::fault::Outcome;

/// Entries up to here are searched one by one; beyond, by hash.
const SCANNED_MAX: usize = 16;

/// Key -> position, in the order of arrival.
#[derive(Debug, Default)]
struct Numbering {
    keys: Vec<u64>,
    by_key: FxHashMap<u64, u32>,
}

impl Numbering {
    fn clear(&mut self) {
        self.keys.clear();
        self.by_key.clear();
    }

    #[inline]
    fn find(&self, key: u64) -> Option<usize> {
        if self.keys.len() <= SCANNED_MAX {
            return self.keys.iter().position(|&other| other == key);
        }
        self.by_key.get(&key).map(|&at| at as usize)
    }

    fn push(&mut self, key: u64) -> usize {
        self.keys.push(key);
        if self.keys.len() == SCANNED_MAX + 1 {
            // Numbers of dead rows were overwritten with a key that no row has.
            self.by_key.extend(self.keys.iter().enumerate().map(|(at, &key)| (key, at as u32)));
        } else if self.keys.len() > SCANNED_MAX {
            self.by_key.insert(key, self.keys.len() as u32 - 1);
        }
        self.keys.len() - 1
    }

    /// The key at a position is gone.
    fn kill(&mut self, at: usize) {
        self.by_key.remove(&self.keys[at]);
        self.keys[at] = DEAD;
    }
}

/// Stands for a removed row: row handles are 32-bit numbers.
const DEAD: u64 = u64::MAX;

/// Iterators over one kind of rows.
#[derive(Debug, Default)]
pub struct Cursors {
    rows: Numbering,
    /// Tables by their order of creation, which is never used twice while an action runs.
    tables: Numbering,
    table_ids: Vec<TableId>,
}

impl Cursors {
    fn clear(&mut self) {
        self.rows.clear();
        self.tables.clear();
        self.table_ids.clear();
    }

    /// The end iterator of a table.
    pub fn end_of(&mut self, ledger: &Ledger, table: TableId) -> i32 {
        let order = ledger.table(table).order();
        let at = self.tables.find(order).unwrap_or_else(|| {
            self.table_ids.push(table);
            self.tables.push(order)
        });
        -2 - at as i32
    }

    /// The table of an end iterator, `None` when it has been removed.
    pub fn table_at_end(&self, ledger: &Ledger, end: i32) -> Outcome<Option<TableId>> {
        let at = usize::try_from(-(i64::from(end) + 2)).unwrap_or(usize::MAX);
        let found = self.table_ids.get(at);
        ensure!(found.is_some(), INVALID_TABLE_ITERATOR, "not a valid end iterator");
        Ok(found.copied().filter(|&table| ledger.has_table(table, self.tables.keys[at])))
    }

    /// The iterator of a row.
    #[inline]
    pub fn iterator_of(&mut self, row: u32) -> i32 {
        let row = u64::from(row);
        self.rows.find(row).unwrap_or_else(|| self.rows.push(row)) as i32
    }

    /// The row of an iterator.
    #[inline]
    pub fn row_at(&self, iterator: i32) -> Outcome<u32> {
        ensure!(iterator != -1, INVALID_TABLE_ITERATOR, "invalid iterator");
        ensure!(iterator >= 0, TABLE_OPERATION_NOT_PERMITTED, "dereference of end iterator");
        let found = self.rows.keys.get(iterator as usize);
        ensure!(found.is_some(), INVALID_TABLE_ITERATOR, "iterator out of range");
        let row = found.copied().unwrap_or(DEAD);
        ensure!(row != DEAD, TABLE_OPERATION_NOT_PERMITTED, "dereference of deleted object");
        Ok(row as u32)
    }

    /// The row of an iterator has been removed.
    pub fn remove(&mut self, iterator: i32) {
        self.rows.kill(iterator as usize);
    }
}

/// The iterators of all six kinds.
#[derive(Debug, Default)]
pub struct TableCursors {
    pub(crate) primary: Cursors,
    idx64: Cursors,
    idx128: Cursors,
    idx256: Cursors,
    double: Cursors,
    long_double: Cursors,
}

impl TableCursors {
    /// Forgets all iterators: a new action begins.
    pub fn clear(&mut self) {
        let Self { primary, idx64, idx128, idx256, double, long_double } = self;
        [primary, idx64, idx128, idx256, double, long_double].into_iter().for_each(Cursors::clear);
    }
}

/// A kind of secondary key and its iterators.
pub trait CursorKey: SecondaryKey {
    /// The iterators of this kind.
    fn cursors(of: &mut TableCursors) -> &mut Cursors;
}

macro_rules! cursor_keys {
    ($($key:ty, $field:ident;)*) => {$(
        impl CursorKey for $key {
            fn cursors(of: &mut TableCursors) -> &mut Cursors {
                &mut of.$field
            }
        }
    )*};
}
cursor_keys! {
    u64, idx64;
    Key128, idx128;
    Key256, idx256;
    Float64, double;
    Float128, long_double;
}

#[cfg(test)]
mod tests {
    use ledger::TableKey;
    use ledger::genesis::GenesisArgs;
    use primitives::{Checksum256, FaultKind, Genesis, Name};

    use super::*;

    fn ledger() -> Ledger {
        let genesis = Genesis::default();
        let (chain_id, head_id) = (Checksum256::default(), Checksum256::default());
        let args = GenesisArgs { genesis: &genesis, chain_id, head_id, system_abi: &[], intrinsics: &[] };
        Ledger::from_genesis(&args).expect("the genesis is sound")
    }

    fn table(ledger: &mut Ledger, scope: u64) -> TableId {
        ledger.create_table(TableKey { code: Name(1), scope: Name(scope), table: Name(2) }, Name(1))
    }

    #[test]
    fn rows_count_up_and_ends_count_down() {
        let (mut ledger, mut cursors) = (ledger(), Cursors::default());
        let (first, second) = (table(&mut ledger, 1), table(&mut ledger, 2));
        assert_eq!(cursors.end_of(&ledger, second), -2);
        assert_eq!(cursors.end_of(&ledger, first), -3);
        assert_eq!(cursors.end_of(&ledger, second), -2);
        // More than are searched one by one.
        for row in 0..40 {
            assert_eq!(cursors.iterator_of(1000 - row), row as i32);
        }
        for row in 0..40 {
            assert_eq!(cursors.iterator_of(1000 - row), row as i32);
            assert_eq!(cursors.row_at(row as i32), Ok(1000 - row));
        }
    }

    #[test]
    fn a_removed_row_keeps_its_number_and_a_new_one_in_its_place_gets_another() {
        for count in [3, 30] {
            let mut cursors = Cursors::default();
            (0..count).for_each(|row| assert_eq!(cursors.iterator_of(row), row as i32));
            cursors.remove(1);
            let fault = cursors.row_at(1).expect_err("it is gone");
            assert_eq!(fault.kind, FaultKind::TABLE_OPERATION_NOT_PERMITTED);
            assert_eq!(fault.details, ["dereference of deleted object"]);
            assert_eq!(cursors.iterator_of(1), count as i32);
        }
    }

    #[test]
    fn what_is_no_iterator_is_a_fault() {
        let mut cursors = Cursors::default();
        cursors.iterator_of(5);
        let message = |iterator| cursors.row_at(iterator).expect_err("it is no row").details[0].clone();
        assert_eq!(message(-1), "invalid iterator");
        assert_eq!(message(-2), "dereference of end iterator");
        assert_eq!(message(i32::MIN), "dereference of end iterator");
        assert_eq!(message(1), "iterator out of range");
        let ledger = ledger();
        for end in [-2, i32::MIN] {
            let fault = cursors.table_at_end(&ledger, end).expect_err("no table was met");
            assert_eq!(fault.details, ["not a valid end iterator"]);
        }
    }

    #[test]
    fn the_end_of_a_removed_table_is_the_end_of_nothing() {
        let (mut ledger, mut cursors) = (ledger(), Cursors::default());
        let old = table(&mut ledger, 1);
        let end = cursors.end_of(&ledger, old);
        assert_eq!(cursors.table_at_end(&ledger, end), Ok(Some(old)));
        ledger.remove_table(old);
        assert_eq!(cursors.table_at_end(&ledger, end), Ok(None));
        let new = table(&mut ledger, 3);
        assert_eq!(cursors.table_at_end(&ledger, end), Ok(None));
        assert_eq!(cursors.end_of(&ledger, new), -3);
    }
}
