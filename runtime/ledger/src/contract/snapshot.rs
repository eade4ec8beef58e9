//! Contract tables in snapshots: one section; behind the header of each table its primary rows and its five indexes,
//! each group with its size.

use codec::{Bytes, Pack, VarUint32};
use primitives::Name;
use statedb::{Rows as Index, Stamp};

use super::{Row, Table};
use crate::Ledger;
use crate::keys::{RowId, TableId, TableKey};
use crate::secondary::{read_groups, write_groups};
use crate::snapshot::rows::{Rows, Source, TableSection, size_of_group};
use crate::snapshot::sections::{Result, Section, Sections};

const NAME: &str = "contract_tables";

/// All rows of contracts.
pub(crate) const SECTION: TableSection = TableSection { name: NAME, write, read };

fn write(source: &Source<'_>, rows: &mut Rows<'_>) {
    let ledger = source.ledger;
    for id in ledger.contracts.tables_in_order() {
        let table = ledger.table(id);
        rows.add(|out| {
            table.key.pack(out);
            table.payer.pack(out);
            table.count.pack(out);
        });
        rows.pack(&size_of_group(table.rows.len()));
        for (_, row) in table.rows.iter() {
            let row = ledger.row(RowId(row));
            rows.add(|out| {
                row.primary.pack(out);
                row.payer.pack(out);
                size_of_group(row.value.len()).pack(out);
                out.put(&row.value);
            });
        }
        write_groups(ledger, id, rows);
    }
}

fn read(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    let mut section = sections.get(NAME)?;
    while section.rows > 0 {
        let (key, payer, count): (TableKey, Name, u32) = section.row()?;
        let TableKey { code, scope, table } = key;
        section.ensure(ledger.find_table(code, scope, table).is_none(), || format!("{key:?} is there twice"))?;
        section.ensure(ledger.find_account(payer).is_some(), || format!("payer {payer} does not exist"))?;
        let order = ledger.contracts.next_order;
        ledger.contracts.next_order += 1;
        let table = Table { order, key, payer, count: 0, rows: Index::default(), secondary: None };
        let id = ledger.contracts.put_table(table);
        read_rows(ledger, id, &mut section)?;
        read_groups(ledger, id, &mut section)?;
        let found = ledger.table(id).count;
        section.ensure(found == count && count > 0, || format!("{key:?} has {found} rows and says {count}"))?;
    }
    section.finish()
}

fn read_rows(ledger: &mut Ledger, table: TableId, section: &mut Section<'_>) -> Result<()> {
    let VarUint32(size) = section.row()?;
    for _ in 0..size {
        let (primary, payer, value): (u64, Name, Bytes) = section.row()?;
        section.ensure(ledger.find_account(payer).is_some(), || format!("payer {payer} does not exist"))?;
        section.ensure(ledger.find_row(table, primary).is_none(), || format!("row {primary} is there twice"))?;
        let value = value.0.as_slice().into();
        ledger.contracts.put_row(Row { primary, payer, value, table, stamp: Stamp::default() });
    }
    Ok(())
}
