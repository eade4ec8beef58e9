//! Contract tables and their primary rows in checkpoints, by the order of creation of tables.

use codec::{Pack, Reader, Unpack};
use primitives::Name;
use statedb::{Rows, Stamp};

use super::{ContractUndo, Row, Table};
use crate::Ledger;
use crate::checkpoint::error::{Result, damaged, ensure, missing, unpack};
use crate::checkpoint::key::row_key;
use crate::checkpoint::row::{CheckpointKey, Handles, RowsBefore};
use crate::keys::{RowId, TableId, TableKey};

row_key! {
    /// A table's header.
    TableOrderKey { order: u64 }
}
row_key! {
    /// A primary row of the table with this order.
    ContractRowKey { table: u64, primary: u64 }
}

impl CheckpointKey for TableOrderKey {
    /// With who paid for it.
    type Image<'a> = (TableKey, Name);

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.contracts.tables.iter().map(|(_, table)| Self { order: table.order })
    }

    fn image(self, ledger: &Ledger) -> Option<(TableKey, Name)> {
        let table = ledger.table(*ledger.contracts.by_order.get(&self.order)?);
        Some((table.key, table.payer))
    }

    fn pack(image: &(TableKey, Name), _handles: &Handles<'_>) -> Vec<u8> {
        image.to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        let (key, payer) = unpack(value)?;
        let contracts = &mut ledger.contracts;
        ensure(!contracts.by_key.contains_key(&key), "a table is there twice")?;
        contracts.next_order = contracts.next_order.max(self.order.saturating_add(1));
        let (rows, secondary) = (Rows::default(), None);
        contracts.put_table(Table { order: self.order, key, payer, count: 0, rows, secondary });
        Ok(())
    }

    fn unload(self, ledger: &mut Ledger, comes_back: bool) -> Result<()> {
        let table = ledger.contracts.by_order.get(&self.order).copied();
        if let Some(id) = table.filter(|_| !comes_back) {
            ensure(ledger.table(id).count == 0, "a table that a block created has rows from before")?;
            ledger.contracts.take_table(id);
        }
        Ok(())
    }

    fn restore(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        if ledger.contracts.by_order.contains_key(&self.order) { Ok(()) } else { self.load(ledger, value) }
    }
}

impl CheckpointKey for ContractRowKey {
    /// Who paid for it, and its bytes.
    type Image<'a> = (Name, &'a [u8]);

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        let tables = ledger.contracts.tables.iter();
        tables.flat_map(|(_, table)| table.rows.iter().map(|(primary, _)| Self { table: table.order, primary }))
    }

    fn image(self, ledger: &Ledger) -> Option<(Name, &[u8])> {
        let table = ledger.table(*ledger.contracts.by_order.get(&self.table)?);
        let row = ledger.row(RowId(table.rows.get(&self.primary)?));
        Some((row.payer, row.value()))
    }

    fn pack((payer, value): &(Name, &[u8]), _handles: &Handles<'_>) -> Vec<u8> {
        [&payer.0.to_le_bytes(), *value].concat()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        let table = table_of_order(ledger, self.table)?;
        ledger.contracts.put_row(row(table, self.primary, value)?);
        Ok(())
    }

    fn unload(self, ledger: &mut Ledger, _comes_back: bool) -> Result<()> {
        let table = ledger.contracts.by_order.get(&self.table);
        if let Some(row) = table.and_then(|&table| ledger.find_row(table, self.primary)) {
            ledger.contracts.take_row(row);
        }
        Ok(())
    }
}

/// The table to which a row belongs.
pub(crate) fn table_of_order(ledger: &Ledger, order: u64) -> Result<TableId> {
    missing(ledger.contracts.by_order.get(&order).copied(), "table of a row")
}

fn row(table: TableId, primary: u64, value: &[u8]) -> Result<Row> {
    let mut input = Reader::new(value);
    let payer = Name::unpack(&mut input).map_err(damaged)?;
    Ok(Row { primary, payer, value: input.rest().into(), table, stamp: Stamp::default() })
}

/// Primary rows, most of all rows that are loaded: they are found by their keys when all have come.
#[derive(Debug, Default)]
pub(crate) struct ContractRowsLoading {
    /// Order and handle of the table to which the last row belongs.
    table: Option<(u64, TableId)>,
}

impl ContractRowsLoading {
    /// Loads a row, in the order of keys.
    #[inline]
    pub fn add(&mut self, ledger: &mut Ledger, key: ContractRowKey, value: &[u8]) -> Result<()> {
        let table = match self.table {
            Some((last, table)) if last == key.table => table,
            _ => table_of_order(ledger, key.table)?,
        };
        self.table = Some((key.table, table));
        ledger.contracts.rows.insert(row(table, key.primary, value)?);
        Ok(())
    }

    pub fn finish(self, ledger: &mut Ledger) {
        ledger.contracts.index_loaded();
    }
}

impl ContractUndo {
    /// What the rows were before this change.
    pub(crate) fn step<'a>(&'a self, then: &mut (impl RowsBefore<'a, TableOrderKey> + RowsBefore<'a, ContractRowKey>)) {
        match self {
            Self::TableCreated(_, order) => then.set(TableOrderKey { order: *order }, None),
            Self::TableRemoved(table) => {
                then.set(TableOrderKey { order: table.order }, Some((table.key, table.payer)));
            }
            Self::RowInserted(_, table, primary) => {
                then.set(ContractRowKey { table: *table, primary: *primary }, None);
            }
            Self::RowUpdated { table, primary, payer, value, .. } => {
                then.set(ContractRowKey { table: *table, primary: *primary }, Some((*payer, &**value)));
            }
            Self::RowRemoved(table, row) => {
                then.set(ContractRowKey { table: *table, primary: row.primary }, Some((row.payer, row.value())));
            }
        }
    }
}
