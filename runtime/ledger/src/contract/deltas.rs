//! Contract tables and primary rows in deltas: `contract_table` and `contract_row`.

use codec::Pack;
use primitives::Name;

use super::{ContractUndo, Row, Table};
use crate::Ledger;
use crate::deltas::rows::{Before, BeforeOf, ChangesOf, DeltaTable, VERSION_0, write_head};
use crate::keys::TableKey;
use crate::snapshot::rows::size_of_group;

/// `contract_table`.
pub(crate) struct TableDelta;

/// `contract_row`.
pub(crate) struct RowDelta;

/// A row that is gone.
pub(crate) struct GoneRow<'a> {
    /// Its table's order.
    table: u64,
    primary: u64,
    payer: Name,
    value: &'a [u8],
}

impl DeltaTable for TableDelta {
    const NAME: &'static str = "contract_table";
    /// Its order.
    type Key = u64;
    type Old<'a> = ();
    type Gone<'a> = &'a Table;

    fn keys(ledger: &Ledger) -> Vec<u64> {
        ledger.contracts.tables_in_order().into_iter().map(|id| ledger.table(id).order).collect()
    }

    fn write(ledger: &Ledger, order: u64, out: &mut Vec<u8>) {
        write_table(ledger.table(ledger.contracts.by_order[&order]), out);
    }

    fn write_gone(_ledger: &Ledger, gone: &&Table, _before: &Before, out: &mut Vec<u8>) {
        write_table(gone, out);
    }
}

fn write_table(table: &Table, out: &mut Vec<u8>) {
    VERSION_0.pack(out);
    table.key.pack(out);
    table.payer.pack(out);
}

impl Ledger {
    /// The key of the table of an order, which may be gone since the block began.
    pub(crate) fn key_of_table(&self, order: u64, before: &Before) -> TableKey {
        let there = self.contracts.by_order.get(&order).map(|&id| self.table(id).key);
        there.or_else(|| before.tables.get(&order).copied()).expect("a row's table is there, or went with the block")
    }
}

impl DeltaTable for RowDelta {
    const NAME: &'static str = "contract_row";
    /// Its table's order, and its primary key.
    type Key = (u64, u64);
    type Old<'a> = ();
    type Gone<'a> = GoneRow<'a>;

    /// Table by table: the order of creation is not kept.
    fn keys(ledger: &Ledger) -> Vec<(u64, u64)> {
        let tables = ledger.contracts.tables_in_order().into_iter().map(|id| ledger.table(id));
        tables.flat_map(|table| table.rows.iter().map(|(primary, _)| (table.order, primary))).collect()
    }

    fn write(ledger: &Ledger, (order, primary): (u64, u64), out: &mut Vec<u8>) {
        let table = ledger.contracts.by_order[&order];
        let row = ledger.find_row(table, primary).expect("a row that is there");
        let Row { payer, value, .. } = ledger.row(row);
        write_row(ledger.table(table).key, primary, *payer, value, out);
    }

    fn write_gone(ledger: &Ledger, row: &GoneRow<'_>, before: &Before, out: &mut Vec<u8>) {
        write_row(ledger.key_of_table(row.table, before), row.primary, row.payer, row.value, out);
    }
}

fn write_row(table: TableKey, primary: u64, payer: Name, value: &[u8], out: &mut Vec<u8>) {
    write_head(table, primary, payer, out);
    size_of_group(value.len()).pack(out);
    out.extend_from_slice(value);
}

impl ContractUndo {
    /// Says which rows this is of. How many rows a table has is not told.
    pub(crate) fn tell<'a>(&'a self, walk: &mut (impl ChangesOf<'a, TableDelta> + ChangesOf<'a, RowDelta> + BeforeOf)) {
        match self {
            Self::TableCreated(_, order) => ChangesOf::<TableDelta>::created(walk, *order),
            Self::TableRemoved(table) => {
                walk.before().tables.insert(table.order, table.key);
                ChangesOf::<TableDelta>::removed(walk, table.order, &**table);
            }
            Self::RowInserted(_, order, primary) => ChangesOf::<RowDelta>::created(walk, (*order, *primary)),
            Self::RowUpdated { table, primary, payer, value, .. } => {
                let was = GoneRow { table: *table, primary: *primary, payer: *payer, value };
                ChangesOf::<RowDelta>::changed_was(walk, (*table, *primary), was);
            }
            Self::RowRemoved(table, Row { primary, payer, value, .. }) => {
                let gone = GoneRow { table: *table, primary: *primary, payer: *payer, value };
                ChangesOf::<RowDelta>::removed(walk, (*table, *primary), gone);
            }
        }
    }
}
