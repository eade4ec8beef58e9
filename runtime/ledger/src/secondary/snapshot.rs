//! Secondary indexes in snapshots: five groups behind the primary rows of their table.

use codec::VarUint32;
use primitives::Name;
use statedb::Stamp;

use super::{Float64, Float128, Key128, Key256, SecondaryKey, SecondaryRow};
use crate::Ledger;
use crate::keys::TableId;
use crate::snapshot::rows::{Rows, size_of_group};
use crate::snapshot::sections::{Result, Section};

/// Writes the rows of a table's indexes, kind by kind.
pub(crate) fn write_groups(ledger: &Ledger, table: TableId, rows: &mut Rows<'_>) {
    write_group::<u64>(ledger, table, rows);
    write_group::<Key128>(ledger, table, rows);
    write_group::<Key256>(ledger, table, rows);
    write_group::<Float64>(ledger, table, rows);
    write_group::<Float128>(ledger, table, rows);
}

fn write_group<K: SecondaryKey>(ledger: &Ledger, table: TableId, rows: &mut Rows<'_>) {
    let group = ledger.secondaries_by_primary::<K>(table);
    rows.pack(&size_of_group(group.len()));
    for row in group {
        rows.pack(&(row.primary, row.payer, row.secondary));
    }
}

/// Reads the rows of a table's indexes, kind by kind.
pub(crate) fn read_groups(ledger: &mut Ledger, table: TableId, section: &mut Section<'_>) -> Result<()> {
    read_group::<u64>(ledger, table, section)?;
    read_group::<Key128>(ledger, table, section)?;
    read_group::<Key256>(ledger, table, section)?;
    read_group::<Float64>(ledger, table, section)?;
    read_group::<Float128>(ledger, table, section)
}

fn read_group<K: SecondaryKey>(ledger: &mut Ledger, table: TableId, section: &mut Section<'_>) -> Result<()> {
    let VarUint32(size) = section.row()?;
    for _ in 0..size {
        let (primary, payer, secondary): (u64, Name, K) = section.row()?;
        section.ensure(ledger.find_account(payer).is_some(), || format!("payer {payer} does not exist"))?;
        let twice = ledger.secondary_find_primary::<K>(table, primary).is_some();
        section.ensure(!twice, || format!("row {primary} of an index is there twice"))?;
        ledger.put_secondary(SecondaryRow { primary, payer, secondary, table, stamp: Stamp::default() });
    }
    Ok(())
}
