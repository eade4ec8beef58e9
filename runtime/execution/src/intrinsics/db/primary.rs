//! Primary rows: `db_*_i64`.

use ledger::config::ROW_RAM_BYTES;
use ledger::{Ledger, RowId, TableId, TableKey};
use primitives::Name;
use wasm::{Intrinsics, LegacyPtr, LegacySpan, Memory};

use super::check_payer;
use crate::fault::{Outcome, uniqueness_violated};
use crate::trace::{RowChange, RowImage};
use crate::world::World;

/// Adds the functions to the table.
pub fn add(table: &mut Intrinsics<World>) {
    table
        .topic("database: primary rows")
        .context_aware("db_store_i64", store)
        .context_aware("db_update_i64", update)
        .context_aware("db_remove_i64", remove)
        .context_aware("db_get_i64", get)
        .context_aware("db_next_i64", next)
        .context_aware("db_previous_i64", previous)
        .context_aware("db_find_i64", find)
        .context_aware("db_lowerbound_i64", lower_bound)
        .context_aware("db_upperbound_i64", upper_bound)
        .context_aware("db_end_i64", end);
}

fn ram_bytes(value_size: usize) -> i64 {
    ROW_RAM_BYTES + value_size as i64
}

fn store(
    world: &mut World,
    memory: &mut Memory<'_>,
    scope: Name,
    table: Name,
    payer: Name,
    primary: u64,
    value: LegacySpan,
) -> Outcome<i32> {
    world.check_writable("store")?;
    let table = world.table_to_store_in(scope, table, payer)?;
    check_payer(payer)?;
    let value = value.bytes(memory);
    let row = world.ledger.insert_row(table, primary, payer, value).ok_or_else(uniqueness_violated)?;
    world.update_db_usage(payer, ram_bytes(value.len()))?;
    world.note_change(table, primary, |_| (None, Some(RowImage { payer, value: value.to_vec() })));
    Ok(world.arrive(table, row))
}

fn update(world: &mut World, memory: &mut Memory<'_>, iterator: i32, payer: Name, value: LegacySpan) -> Outcome {
    world.check_writable("update")?;
    let id = world.row_at(iterator)?;
    let row = world.ledger.row(id);
    let (table, primary, old_payer, old_size) = (row.table, row.primary, row.payer, ram_bytes(row.value().len()));
    world.check_own_table(table)?;
    let value = value.bytes(memory);
    let new_size = ram_bytes(value.len());
    let payer = if payer.is_empty() { old_payer } else { payer };
    if payer != old_payer {
        world.update_db_usage(old_payer, -old_size)?;
        world.update_db_usage(payer, new_size)?;
    } else if old_size != new_size {
        world.update_db_usage(payer, new_size - old_size)?;
    }
    world.note_change(table, primary, |ledger| (image(ledger, id), Some(RowImage { payer, value: value.to_vec() })));
    world.ledger.update_row(id, payer, value);
    Ok(())
}

fn remove(world: &mut World, _: &mut Memory<'_>, iterator: i32) -> Outcome {
    world.check_writable("remove")?;
    let id = world.row_at(iterator)?;
    let row = world.ledger.row(id);
    let (table, primary, payer, size) = (row.table, row.primary, row.payer, ram_bytes(row.value().len()));
    world.check_own_table(table)?;
    world.update_db_usage(payer, -size)?;
    world.note_change(table, primary, |ledger| (image(ledger, id), None));
    world.ledger.remove_row(id);
    world.remove_table_when_empty(table)?;
    world.action.tables.primary.remove(iterator);
    Ok(())
}

/// A row as it is.
fn image(ledger: &Ledger, row: RowId) -> Option<RowImage> {
    let row = ledger.row(row);
    Some(RowImage { payer: row.payer, value: row.value().to_vec() })
}

fn get(world: &mut World, memory: &mut Memory<'_>, iterator: i32, buffer: LegacySpan) -> Outcome<i32> {
    let row = world.row_at(iterator)?;
    let value = world.ledger.row(row).value();
    if buffer.is_empty() {
        return Ok(value.len() as i32);
    }
    let size = value.len().min(buffer.len() as usize);
    buffer.bytes_mut(memory)[..size].copy_from_slice(&value[..size]);
    Ok(size as i32)
}

fn next(world: &mut World, memory: &mut Memory<'_>, iterator: i32, primary: LegacyPtr<u64>) -> Outcome<i32> {
    if iterator < -1 {
        return Ok(-1);
    }
    let row = world.row_at(iterator)?;
    match world.ledger.next_row(row) {
        Some(next) => Ok(world.meet(memory, next, primary)),
        None => {
            let table = world.ledger.row(row).table;
            Ok(world.end_of(table))
        }
    }
}

fn previous(world: &mut World, memory: &mut Memory<'_>, iterator: i32, primary: LegacyPtr<u64>) -> Outcome<i32> {
    let found = if iterator < -1 {
        let table = world.action.tables.primary.table_at_end(&world.ledger, iterator)?;
        table.and_then(|table| world.ledger.last_row(table))
    } else {
        let row = world.row_at(iterator)?;
        world.ledger.previous_row(row)
    };
    Ok(found.map_or(-1, |row| world.meet(memory, row, primary)))
}

fn find(world: &mut World, _: &mut Memory<'_>, code: Name, scope: Name, table: Name, primary: u64) -> Outcome<i32> {
    let Some(table) = world.ledger.find_table(code, scope, table) else { return Ok(-1) };
    let found = world.ledger.find_row(table, primary);
    Ok(world.arrive_or_end(table, found))
}

fn lower_bound(
    world: &mut World,
    _: &mut Memory<'_>,
    code: Name,
    scope: Name,
    table: Name,
    primary: u64,
) -> Outcome<i32> {
    let Some(table) = world.ledger.find_table(code, scope, table) else { return Ok(-1) };
    let found = world.ledger.row_lower_bound(table, primary);
    Ok(world.arrive_or_end(table, found))
}

fn upper_bound(
    world: &mut World,
    _: &mut Memory<'_>,
    code: Name,
    scope: Name,
    table: Name,
    primary: u64,
) -> Outcome<i32> {
    let Some(table) = world.ledger.find_table(code, scope, table) else { return Ok(-1) };
    let found = world.ledger.row_upper_bound(table, primary);
    Ok(world.arrive_or_end(table, found))
}

fn end(world: &mut World, _: &mut Memory<'_>, code: Name, scope: Name, table: Name) -> Outcome<i32> {
    let table = world.ledger.find_table(code, scope, table);
    Ok(table.map_or(-1, |table| world.end_of(table)))
}

impl World {
    #[inline]
    fn row_at(&self, iterator: i32) -> Outcome<RowId> {
        self.action.tables.primary.row_at(iterator).map(RowId::from_raw)
    }

    /// Notes what becomes of a row for the action's trace, where that is wanted.
    #[inline]
    fn note_change(
        &mut self,
        table: TableId,
        primary: u64,
        images: impl FnOnce(&Ledger) -> (Option<RowImage>, Option<RowImage>),
    ) {
        if self.settings.trace_rows {
            let TableKey { scope, table, .. } = self.ledger.table(table).key;
            let (before, after) = images(&self.ledger);
            let change = RowChange { scope, table, primary, before, after };
            self.action.rows.add(change, &mut self.trx.row_budget);
        }
    }

    fn end_of(&mut self, table: TableId) -> i32 {
        self.action.tables.primary.end_of(&self.ledger, table)
    }

    /// The iterator of a row whose table may be new to the action.
    fn arrive(&mut self, table: TableId, row: RowId) -> i32 {
        self.end_of(table);
        self.action.tables.primary.iterator_of(row.raw())
    }

    fn arrive_or_end(&mut self, table: TableId, row: Option<RowId>) -> i32 {
        let end = self.end_of(table);
        row.map_or(end, |row| self.action.tables.primary.iterator_of(row.raw()))
    }

    /// The iterator of a neighbour, whose key the contract wants too.
    fn meet(&mut self, memory: &mut Memory<'_>, row: RowId, primary: LegacyPtr<u64>) -> i32 {
        primary.write(memory, self.ledger.row(row).primary);
        self.action.tables.primary.iterator_of(row.raw())
    }
}
