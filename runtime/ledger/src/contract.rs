//! Contract tables and their primary rows (`table_id_object`, `key_value_object`).
//!
//! Billing and permission belong to the host functions; here are rows, counts and order.

mod checkpoint;
mod deltas;
mod snapshot;

use primitives::Name;
use rustc_hash::FxHashMap;
use statedb::{Blob, Rows, Slab, Stamp};
use std::collections::BTreeMap;

use crate::Ledger;
use crate::keys::{RowId, TableId, TableKey};
use crate::secondary::{Secondaries, SecondaryRows};
use crate::undo::seen::Seen;

pub(crate) use checkpoint::{ContractRowKey, ContractRowsLoading, TableOrderKey};
pub(crate) use deltas::{RowDelta, TableDelta};
pub(crate) use snapshot::SECTION;

/// A contract table: header and indexes.
#[derive(Debug, Clone)]
pub struct Table {
    /// Order of creation (`table_id_object::id`).
    pub(crate) order: u64,
    /// Contract, scope and table.
    pub key: TableKey,
    /// Who paid for the header.
    pub payer: Name,
    /// Rows of all kinds.
    pub count: u32,
    pub(crate) rows: Rows,
    pub(crate) secondary: Option<Box<SecondaryRows>>,
}

impl Table {
    /// Order of creation (`table_id_object::id`): a number that no other table has had since the block began, unless
    /// this one was taken back.
    #[inline]
    pub fn order(&self) -> u64 {
        self.order
    }
}

/// A primary row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its key.
    pub primary: u64,
    /// Who pays for it.
    pub payer: Name,
    pub(crate) value: Blob,
    /// Its table.
    pub table: TableId,
    pub(crate) stamp: Stamp,
}

impl Row {
    /// The row's bytes.
    #[inline]
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

/// How a change of contract tables and primary rows is undone.
#[derive(Debug)]
pub enum ContractUndo {
    /// A table was created, with this order.
    TableCreated(TableId, u64),
    /// An empty table was removed.
    TableRemoved(Box<Table>),
    /// A row was added to the table of this order, with this key.
    RowInserted(RowId, u64, u64),
    /// A row before a change.
    RowUpdated {
        /// The row.
        row: RowId,
        /// Its table's order.
        table: u64,
        /// Its key.
        primary: u64,
        /// Who paid.
        payer: Name,
        /// What was in it.
        value: Blob,
    },
    /// A row was removed from the table of this order.
    RowRemoved(u64, Row),
}

impl ContractUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::TableRemoved(table) => size_of_val(&**table),
            Self::RowUpdated { value, .. } => value.heap_len(),
            Self::RowRemoved(_, row) => row.value.heap_len(),
            Self::TableCreated(..) | Self::RowInserted(..) => 0,
        }
    }

    /// Whether this is still needed, given what earlier entries of the block say. What gives a row its handle back is,
    /// without the row's bytes.
    pub(crate) fn is_needed(&mut self, seen: &mut impl Seen<ContractRowKey>) -> bool {
        let mut first = |table, primary| seen.first(ContractRowKey { table, primary });
        match self {
            Self::RowUpdated { table, primary, .. } => return first(*table, *primary),
            Self::RowInserted(_, table, primary) => {
                first(*table, *primary);
            }
            Self::RowRemoved(table, row) if !first(*table, row.primary) => row.value = Blob::default(),
            Self::RowRemoved(..) | Self::TableCreated(..) | Self::TableRemoved(_) => {}
        }
        true
    }
}

#[derive(Debug, Default)]
pub(crate) struct Contracts {
    pub tables: Slab<Table>,
    pub by_key: FxHashMap<TableKey, TableId>,
    pub by_order: FxHashMap<u64, TableId>,
    /// The same in order, for listings.
    pub ordered: BTreeMap<TableKey, TableId>,
    pub next_order: u64,
    pub rows: Slab<Row>,
    pub secondaries: Secondaries,
}

impl Contracts {
    pub fn put_table(&mut self, table: Table) -> TableId {
        let (key, order) = (table.key, table.order);
        let id = TableId(self.tables.insert(table));
        self.by_key.insert(key, id);
        self.by_order.insert(order, id);
        self.ordered.insert(key, id);
        id
    }

    pub fn take_table(&mut self, id: TableId) -> Table {
        let table = self.tables.remove(id.0);
        self.by_key.remove(&table.key);
        self.by_order.remove(&table.order);
        self.ordered.remove(&table.key);
        table
    }

    pub fn put_row(&mut self, row: Row) -> RowId {
        let (table, primary) = (row.table, row.primary);
        let id = self.rows.insert(row);
        let table = self.tables.row_mut(table.0);
        table.rows.insert(primary, id);
        table.count = table.count.wrapping_add(1);
        RowId(id)
    }

    /// Makes all rows found that were stored table by table, in the order of their keys, and are in no table yet.
    pub fn index_loaded(&mut self) {
        let mut rows = self.rows.iter().peekable();
        while let Some(&(_, Row { table, .. })) = rows.peek() {
            let of_table = std::iter::from_fn(|| rows.next_if(|(_, row)| row.table == *table));
            let entries: Vec<_> = of_table.map(|(handle, row)| (row.primary, handle)).collect();
            let table = self.tables.row_mut(table.0);
            table.count = table.count.wrapping_add(entries.len() as u32);
            table.rows = Rows::from_sorted(entries);
        }
    }

    pub fn take_row(&mut self, id: RowId) -> Row {
        let row = self.rows.remove(id.0);
        let table = self.tables.row_mut(row.table.0);
        table.rows.remove(&row.primary);
        table.count = table.count.wrapping_sub(1);
        row
    }

    pub fn tables_in_order(&self) -> Vec<TableId> {
        let mut ids: Vec<_> = self.tables.iter().map(|(handle, table)| (table.order, TableId(handle))).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
    }
}

impl Ledger {
    /// The table, if it has rows.
    #[inline]
    pub fn find_table(&self, code: Name, scope: Name, table: Name) -> Option<TableId> {
        self.contracts.by_key.get(&TableKey { code, scope, table }).copied()
    }

    /// A table's header.
    #[inline]
    pub fn table(&self, id: TableId) -> &Table {
        self.contracts.tables.row(id.0)
    }

    /// Whether the handle still is of the table that was created with this order.
    pub fn has_table(&self, id: TableId, order: u64) -> bool {
        self.contracts.tables.get(id.0).is_some_and(|table| table.order == order)
    }

    /// Creates an empty table. The caller bills the payer and has seen that it does not exist.
    pub fn create_table(&mut self, key: TableKey, payer: Name) -> TableId {
        debug_assert!(!self.contracts.by_key.contains_key(&key), "a new table does not exist");
        let order = self.contracts.next_order;
        self.contracts.next_order += 1;
        let id =
            self.contracts.put_table(Table { order, key, payer, count: 0, rows: Rows::default(), secondary: None });
        self.journal.push(ContractUndo::TableCreated(id, order).into());
        self.mark_dirty(TableOrderKey { order });
        id
    }

    /// Removes a table that has no rows left. The caller refunds its payer.
    ///
    /// # Panics
    /// When it has rows.
    pub fn remove_table(&mut self, id: TableId) {
        assert!(self.table(id).count == 0, "a removed table is empty");
        let table = self.contracts.take_table(id);
        self.mark_dirty(TableOrderKey { order: table.order });
        self.journal.push(ContractUndo::TableRemoved(Box::new(table)).into());
    }

    /// A primary row.
    #[inline]
    pub fn row(&self, id: RowId) -> &Row {
        self.contracts.rows.row(id.0)
    }

    /// Adds a row to a table; `None` when the key is taken. The caller bills.
    pub fn insert_row(&mut self, table: TableId, primary: u64, payer: Name, value: &[u8]) -> Option<RowId> {
        let header = self.contracts.tables.row_mut(table.0);
        if header.rows.get(&primary).is_some() {
            return None;
        }
        let mut stamp = Stamp::default();
        self.epoch.stamp(&mut stamp);
        let order = header.order;
        let id = self.contracts.put_row(Row { primary, payer, value: value.into(), table, stamp });
        self.journal.push(ContractUndo::RowInserted(id, order, primary).into());
        self.mark_dirty(ContractRowKey { table: order, primary });
        Some(id)
    }

    /// Gives a row another value and payer. The caller bills the difference.
    #[inline]
    pub fn update_row(&mut self, id: RowId, payer: Name, value: &[u8]) {
        let row = self.contracts.rows.row_mut(id.0);
        let (order, primary) = (self.contracts.tables.row(row.table.0).order, row.primary);
        let payer = std::mem::replace(&mut row.payer, payer);
        let value = std::mem::replace(&mut row.value, value.into());
        let first = self.epoch.stamp(&mut row.stamp);
        self.journal.push(ContractUndo::RowUpdated { row: id, table: order, primary, payer, value }.into());
        if first {
            self.mark_dirty(ContractRowKey { table: order, primary });
        }
    }

    /// Removes a row; the table stays, also when it is empty now. The caller refunds and removes an empty table.
    pub fn remove_row(&mut self, id: RowId) {
        let mut row = self.contracts.take_row(id);
        let order = self.contracts.tables.row(row.table.0).order;
        if self.epoch.stamp(&mut row.stamp) {
            self.mark_dirty(ContractRowKey { table: order, primary: row.primary });
        }
        self.journal.push(ContractUndo::RowRemoved(order, row).into());
    }

    /// The row with this key.
    #[inline]
    pub fn find_row(&self, table: TableId, primary: u64) -> Option<RowId> {
        self.table(table).rows.get(&primary).map(RowId)
    }

    /// The first row whose key is not below `primary`.
    pub fn row_lower_bound(&self, table: TableId, primary: u64) -> Option<RowId> {
        self.table(table).rows.lower_bound(&primary).map(|(_, row)| RowId(row))
    }

    /// The first row whose key is above `primary`.
    pub fn row_upper_bound(&self, table: TableId, primary: u64) -> Option<RowId> {
        self.table(table).rows.upper_bound(&primary).map(|(_, row)| RowId(row))
    }

    /// The row after this one in its table.
    pub fn next_row(&self, id: RowId) -> Option<RowId> {
        let row = self.row(id);
        self.row_upper_bound(row.table, row.primary)
    }

    /// The row before this one in its table.
    pub fn previous_row(&self, id: RowId) -> Option<RowId> {
        let row = self.row(id);
        self.table(row.table).rows.before(&row.primary).map(|(_, row)| RowId(row))
    }

    /// The first row of a table.
    pub fn first_row(&self, table: TableId) -> Option<RowId> {
        self.table(table).rows.first().map(|(_, row)| RowId(row))
    }

    /// The last row of a table.
    pub fn last_row(&self, table: TableId) -> Option<RowId> {
        self.table(table).rows.last().map(|(_, row)| RowId(row))
    }

    /// Tables from `from` (with it) on, in the order of (code, scope, table): for listings. Reversible.
    pub fn tables_from(&self, from: TableKey) -> impl DoubleEndedIterator<Item = (&TableKey, &Table)> {
        self.tables_between(from, TableKey { code: Name(u64::MAX), scope: Name(u64::MAX), table: Name(u64::MAX) })
    }

    /// Tables between two keys (both included), in the order of (code, scope, table): for listings. Reversible.
    pub fn tables_between(
        &self,
        first: TableKey,
        last: TableKey,
    ) -> impl DoubleEndedIterator<Item = (&TableKey, &Table)> {
        let bounds = if first <= last { Some(first..=last) } else { None };
        (bounds.into_iter())
            .flat_map(|bounds| self.contracts.ordered.range(bounds))
            .map(|(key, &id)| (key, self.table(id)))
    }

    pub(crate) fn undo_contract(&mut self, undo: ContractUndo) {
        match undo {
            ContractUndo::TableCreated(id, _) => {
                self.contracts.take_table(id);
                self.contracts.next_order -= 1;
            }
            ContractUndo::TableRemoved(table) => drop(self.contracts.put_table(*table)),
            ContractUndo::RowInserted(id, ..) => drop(self.contracts.take_row(id)),
            ContractUndo::RowUpdated { row, payer, value, .. } => {
                let row = self.contracts.rows.row_mut(row.0);
                (row.payer, row.value) = (payer, value);
            }
            // What comes back counts as unmarked: a key that is marked twice does no harm.
            ContractUndo::RowRemoved(_, row) => drop(self.contracts.put_row(Row { stamp: Stamp::default(), ..row })),
        }
    }
}
