//! Host functions about the producers.

use primitives::Name;
use wasm::{Intrinsics, LegacySpan, Memory};

use crate::fault::Outcome;
use crate::intrinsics::copy_out;
use crate::world::World;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table.context_aware("get_active_producers", get_active_producers);
}

/// The names of the active producers. Sic: the length is checked as a count of names and used as a count of bytes.
fn get_active_producers(world: &mut World, memory: &mut Memory<'_>, buffer: LegacySpan<Name>) -> Outcome<u32> {
    let producers = &world.block.active_schedule.producers;
    let names: Vec<u8> = producers.iter().flat_map(|producer| producer.producer_name.0.to_le_bytes()).collect();
    if buffer.is_empty() {
        return Ok(names.len() as u32);
    }
    let length = buffer.len() as usize;
    Ok(copy_out(&mut buffer.bytes_mut(memory)[..length], &names))
}
