//! Secondary indexes: `db_idx64_*`, `db_idx128_*`, `db_idx256_*`, `db_idx_double_*`, `db_idx_long_double_*`.
//!
//! One set of functions for all five kinds; a kind is how its key lies in memory.

use ledger::{Float64, Float128, Key128, Key256, SecondaryId, TableId};
use primitives::{Name, ensure};
use wasm::{Argument, F64, F128, Intrinsics, LegacyPtr, LegacySpan, Memory};

use super::check_payer;
use crate::cursors::CursorKey;
use crate::fault::{Outcome, uniqueness_violated};
use crate::world::World;

/// A secondary key as an argument.
pub trait KeyArgument: Argument {
    /// The key.
    type Key: CursorKey;
    /// Whether it has the size that it must have.
    fn check_size(self) -> Outcome {
        Ok(())
    }
    /// The key in memory; floats are numbers.
    fn read(self, memory: &Memory<'_>) -> Outcome<Self::Key>;
    /// Sets the key in memory.
    fn write(self, memory: &mut Memory<'_>, key: Self::Key);
}

impl KeyArgument for LegacyPtr<u64> {
    type Key = u64;
    fn read(self, memory: &Memory<'_>) -> Outcome<u64> {
        Ok(LegacyPtr::read(self, memory))
    }
    fn write(self, memory: &mut Memory<'_>, key: u64) {
        LegacyPtr::write(self, memory, key);
    }
}

impl KeyArgument for LegacyPtr<u128> {
    type Key = Key128;
    fn read(self, memory: &Memory<'_>) -> Outcome<Key128> {
        Ok(LegacyPtr::read(self, memory).into())
    }
    fn write(self, memory: &mut Memory<'_>, key: Key128) {
        LegacyPtr::write(self, memory, key.into());
    }
}

impl KeyArgument for LegacySpan<u128> {
    type Key = Key256;
    fn check_size(self) -> Outcome {
        ensure!(
            self.len() == 2,
            DB_API_EXCEPTION,
            "invalid size of secondary key array for idx256: given {} bytes but expected 2 bytes",
            self.len()
        );
        Ok(())
    }
    fn read(self, memory: &Memory<'_>) -> Outcome<Key256> {
        let (high, low) = self.bytes(memory).split_at(16);
        let number = |bytes: &[u8]| u128::from_le_bytes(bytes.try_into().expect("the size was checked"));
        Ok(Key256(number(high).into(), number(low).into()))
    }
    fn write(self, memory: &mut Memory<'_>, key: Key256) {
        let (high, low) = self.bytes_mut(memory).split_at_mut(16);
        high.copy_from_slice(&u128::from(key.0).to_le_bytes());
        low.copy_from_slice(&u128::from(key.1).to_le_bytes());
    }
}

const NAN: &str = "NaN is not an allowed value for a secondary key";

impl KeyArgument for LegacyPtr<F64> {
    type Key = Float64;
    fn read(self, memory: &Memory<'_>) -> Outcome<Float64> {
        let key = Float64(LegacyPtr::read(self, memory).0);
        ensure!(!key.is_nan(), TRANSACTION_EXCEPTION, "{NAN}");
        Ok(key)
    }
    fn write(self, memory: &mut Memory<'_>, key: Float64) {
        LegacyPtr::write(self, memory, F64(key.0));
    }
}

impl KeyArgument for LegacyPtr<F128> {
    type Key = Float128;
    fn read(self, memory: &Memory<'_>) -> Outcome<Float128> {
        let key = Float128(LegacyPtr::read(self, memory).0.into());
        ensure!(!key.is_nan(), TRANSACTION_EXCEPTION, "{NAN}");
        Ok(key)
    }
    fn write(self, memory: &mut Memory<'_>, key: Float128) {
        LegacyPtr::write(self, memory, F128(key.0.into()));
    }
}

/// Names of the functions of one kind.
pub type Names = [&'static str; 10];

macro_rules! names {
    ($prefix:literal) => {
        [
            concat!($prefix, "_store"),
            concat!($prefix, "_update"),
            concat!($prefix, "_remove"),
            concat!($prefix, "_find_secondary"),
            concat!($prefix, "_find_primary"),
            concat!($prefix, "_lowerbound"),
            concat!($prefix, "_upperbound"),
            concat!($prefix, "_end"),
            concat!($prefix, "_next"),
            concat!($prefix, "_previous"),
        ]
    };
}
/// Keys of 64 bits.
pub const IDX64: Names = names!("db_idx64");
/// Keys of 128 bits.
pub const IDX128: Names = names!("db_idx128");
/// Keys of 256 bits.
pub const IDX256: Names = names!("db_idx256");
/// Keys that are doubles.
pub const IDX_DOUBLE: Names = names!("db_idx_double");
/// Keys that are long doubles.
pub const IDX_LONG_DOUBLE: Names = names!("db_idx_long_double");

/// Adds the functions of one kind to the table.
pub fn add<A: KeyArgument>(table: &mut Intrinsics<World>, topic: &'static str, names: &Names) {
    table
        .topic(topic)
        .context_aware(names[0], store::<A>)
        .context_aware(names[1], update::<A>)
        .context_aware(names[2], remove::<A>)
        .context_aware(names[3], find_secondary::<A>)
        .context_aware(names[4], find_primary::<A>)
        .context_aware(names[5], lower_bound::<A>)
        .context_aware(names[6], upper_bound::<A>)
        .context_aware(names[7], end::<A>)
        .context_aware(names[8], next::<A>)
        .context_aware(names[9], previous::<A>);
}

/// RAM of a row.
const fn ram_bytes<A: KeyArgument>() -> i64 {
    <A::Key as ledger::SecondaryKey>::RAM_BYTES
}

fn store<A: KeyArgument>(
    world: &mut World,
    memory: &mut Memory<'_>,
    scope: Name,
    table: Name,
    payer: Name,
    primary: u64,
    key: A,
) -> Outcome<i32> {
    key.check_size()?;
    let key = key.read(memory)?;
    world.check_writable("store")?;
    check_payer(payer)?;
    let table = world.table_to_store_in(scope, table, payer)?;
    let row = world.ledger.insert_secondary(table, primary, payer, key).ok_or_else(uniqueness_violated)?;
    world.update_db_usage(payer, ram_bytes::<A>())?;
    Ok(world.arrive_or_end_secondary::<A::Key>(table, Some(row)))
}

fn update<A: KeyArgument>(world: &mut World, memory: &mut Memory<'_>, iterator: i32, payer: Name, key: A) -> Outcome {
    key.check_size()?;
    let key = key.read(memory)?;
    world.check_writable("update")?;
    let id = world.secondary_at::<A::Key>(iterator)?;
    let row = world.ledger.secondary::<A::Key>(id);
    let (table, old_payer) = (row.table, row.payer);
    world.check_own_table(table)?;
    let payer = if payer.is_empty() { old_payer } else { payer };
    if payer != old_payer {
        world.update_db_usage(old_payer, -ram_bytes::<A>())?;
        world.update_db_usage(payer, ram_bytes::<A>())?;
    }
    world.ledger.update_secondary(id, payer, key);
    Ok(())
}

fn remove<A: KeyArgument>(world: &mut World, _: &mut Memory<'_>, iterator: i32) -> Outcome {
    world.check_writable("remove")?;
    let id = world.secondary_at::<A::Key>(iterator)?;
    let row = world.ledger.secondary::<A::Key>(id);
    let (table, payer) = (row.table, row.payer);
    world.check_own_table(table)?;
    world.update_db_usage(payer, -ram_bytes::<A>())?;
    world.ledger.remove_secondary::<A::Key>(id);
    world.remove_table_when_empty(table)?;
    A::Key::cursors(&mut world.action.tables).remove(iterator);
    Ok(())
}

fn find_secondary<A: KeyArgument>(
    world: &mut World,
    memory: &mut Memory<'_>,
    code: Name,
    scope: Name,
    table: Name,
    key: A,
    primary: LegacyPtr<u64>,
) -> Outcome<i32> {
    key.check_size()?;
    let key = key.read(memory)?;
    let Some(table) = world.ledger.find_table(code, scope, table) else { return Ok(-1) };
    let found = world.ledger.secondary_find(table, key);
    if let Some(row) = found {
        primary.write(memory, world.ledger.secondary::<A::Key>(row).primary);
    }
    Ok(world.arrive_or_end_secondary::<A::Key>(table, found))
}

fn find_primary<A: KeyArgument>(
    world: &mut World,
    memory: &mut Memory<'_>,
    code: Name,
    scope: Name,
    table: Name,
    key: A,
    primary: u64,
) -> Outcome<i32> {
    key.check_size()?;
    let Some(table) = world.ledger.find_table(code, scope, table) else { return Ok(-1) };
    let found = world.ledger.secondary_find_primary::<A::Key>(table, primary);
    if let Some(row) = found {
        key.write(memory, world.ledger.secondary::<A::Key>(row).secondary);
    }
    Ok(world.arrive_or_end_secondary::<A::Key>(table, found))
}

fn lower_bound<A: KeyArgument>(
    world: &mut World,
    memory: &mut Memory<'_>,
    code: Name,
    scope: Name,
    table: Name,
    key: A,
    primary: LegacyPtr<u64>,
) -> Outcome<i32> {
    key.check_size()?;
    let wanted = key.read(memory)?;
    let Some(table) = world.ledger.find_table(code, scope, table) else { return Ok(-1) };
    let found = world.ledger.secondary_lower_bound(table, wanted);
    Ok(world.arrive_with_keys(memory, table, found, key, primary))
}

fn upper_bound<A: KeyArgument>(
    world: &mut World,
    memory: &mut Memory<'_>,
    code: Name,
    scope: Name,
    table: Name,
    key: A,
    primary: LegacyPtr<u64>,
) -> Outcome<i32> {
    key.check_size()?;
    let wanted = key.read(memory)?;
    let Some(table) = world.ledger.find_table(code, scope, table) else { return Ok(-1) };
    let found = world.ledger.secondary_upper_bound(table, wanted);
    Ok(world.arrive_with_keys(memory, table, found, key, primary))
}

fn end<A: KeyArgument>(world: &mut World, _: &mut Memory<'_>, code: Name, scope: Name, table: Name) -> Outcome<i32> {
    let Some(table) = world.ledger.find_table(code, scope, table) else { return Ok(-1) };
    Ok(world.arrive_or_end_secondary::<A::Key>(table, None))
}

fn next<A: KeyArgument>(
    world: &mut World,
    memory: &mut Memory<'_>,
    iterator: i32,
    primary: LegacyPtr<u64>,
) -> Outcome<i32> {
    if iterator < -1 {
        return Ok(-1);
    }
    let row = world.secondary_at::<A::Key>(iterator)?;
    let table = world.ledger.secondary::<A::Key>(row).table;
    let found = world.ledger.next_secondary::<A::Key>(row);
    if let Some(row) = found {
        primary.write(memory, world.ledger.secondary::<A::Key>(row).primary);
    }
    Ok(world.arrive_or_end_secondary::<A::Key>(table, found))
}

fn previous<A: KeyArgument>(
    world: &mut World,
    memory: &mut Memory<'_>,
    iterator: i32,
    primary: LegacyPtr<u64>,
) -> Outcome<i32> {
    let found = if iterator < -1 {
        let table = A::Key::cursors(&mut world.action.tables).table_at_end(&world.ledger, iterator)?;
        table.and_then(|table| world.ledger.last_secondary::<A::Key>(table))
    } else {
        let row = world.secondary_at::<A::Key>(iterator)?;
        world.ledger.previous_secondary::<A::Key>(row)
    };
    let Some(row) = found else { return Ok(-1) };
    let found = world.ledger.secondary::<A::Key>(row);
    primary.write(memory, found.primary);
    let table = found.table;
    Ok(world.arrive_or_end_secondary::<A::Key>(table, Some(row)))
}

impl World {
    fn secondary_at<K: CursorKey>(&mut self, iterator: i32) -> Outcome<SecondaryId> {
        K::cursors(&mut self.action.tables).row_at(iterator).map(SecondaryId::from_raw)
    }

    fn arrive_or_end_secondary<K: CursorKey>(&mut self, table: TableId, row: Option<SecondaryId>) -> i32 {
        let cursors = K::cursors(&mut self.action.tables);
        let end = cursors.end_of(&self.ledger, table);
        row.map_or(end, |row| cursors.iterator_of(row.raw()))
    }

    fn arrive_with_keys<A: KeyArgument>(
        &mut self,
        memory: &mut Memory<'_>,
        table: TableId,
        row: Option<SecondaryId>,
        key: A,
        primary: LegacyPtr<u64>,
    ) -> i32 {
        if let Some(row) = row {
            let row = self.ledger.secondary::<A::Key>(row);
            // Where the two overlap, the later one counts: the primary key, unless it was written in place.
            if primary.is_aligned() {
                primary.write(memory, row.primary);
                key.write(memory, row.secondary);
            } else {
                key.write(memory, row.secondary);
                primary.write(memory, row.primary);
            }
        }
        self.arrive_or_end_secondary::<A::Key>(table, row)
    }
}
