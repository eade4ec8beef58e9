//! Host functions about the action that runs: its data, receiver and return value.

use primitives::{Name, ensure};
use wasm::{Intrinsics, LegacySpan, Memory, Span};

use crate::fault::Outcome;
use crate::intrinsics::copy_out;
use crate::world::World;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_free("read_action_data", read_action_data)
        .context_free("action_data_size", action_data_size)
        .context_free("current_receiver", current_receiver)
        .context_aware("set_action_return_value", set_action_return_value)
        .since("ACTION_RETURN_VALUE");
}

fn read_action_data(world: &mut World, memory: &mut Memory<'_>, buffer: LegacySpan) -> Outcome<u32> {
    let act = world.act();
    if buffer.is_empty() {
        return Ok(act.data.len() as u32);
    }
    Ok(copy_out(buffer.bytes_mut(memory), &act.data))
}

fn action_data_size(world: &mut World, _: &mut Memory<'_>) -> Outcome<u32> {
    Ok(world.act().data.len() as u32)
}

fn current_receiver(world: &mut World, _: &mut Memory<'_>) -> Outcome<Name> {
    Ok(world.action.receiver)
}

fn set_action_return_value(world: &mut World, memory: &mut Memory<'_>, value: Span) -> Outcome {
    let limit = world.config().max_action_return_value_size;
    ensure!(
        world.is_read_only() || value.len() <= limit,
        ACTION_RETURN_VALUE_EXCEPTION,
        "action return value size must be less or equal to {limit} bytes"
    );
    world.action.return_value.clear();
    world.action.return_value.extend_from_slice(value.bytes(memory));
    Ok(())
}
