//! Host functions about the transaction that runs, and those that send more.

use codec::Pack;
use primitives::{Action, Fault, FaultKind, Name, ensure};
use wasm::{Intrinsics, LegacyPtr, LegacySpan, Memory};

use crate::fault::{Outcome, unpack_prefix};
use crate::intrinsics::copy_out;
use crate::intrinsics::unpack::unpack_transaction;
use crate::world::World;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_free_only("get_context_free_data", get_context_free_data)
        .context_aware("send_inline", send_inline)
        .context_aware("send_context_free_inline", send_context_free_inline)
        .context_aware("send_deferred", send_deferred)
        .context_aware("cancel_deferred", cancel_deferred)
        .context_free("read_transaction", read_transaction)
        .context_free("transaction_size", |world: &mut World, _: &mut Memory<'_>| {
            Ok(world.trx.parts.packed_size() as u32)
        })
        .context_free("expiration", |world: &mut World, _: &mut Memory<'_>| Ok(world.trx.parts.header.expiration.0))
        .context_free("tapos_block_num", |world: &mut World, _: &mut Memory<'_>| {
            Ok(u32::from(world.trx.parts.header.ref_block_num))
        })
        .context_free("tapos_block_prefix", |world: &mut World, _: &mut Memory<'_>| {
            Ok(world.trx.parts.header.ref_block_prefix)
        })
        .context_free("get_action", get_action);
}

fn get_context_free_data(world: &mut World, memory: &mut Memory<'_>, index: u32, buffer: LegacySpan) -> Outcome<i32> {
    let Some(data) = world.trx.parts.context_free_data.get(index as usize) else { return Ok(-1) };
    if buffer.is_empty() {
        return Ok(data.len() as i32);
    }
    Ok(copy_out(buffer.bytes_mut(memory), data) as i32)
}

fn unpack_inline(world: &World, memory: &Memory<'_>, data: LegacySpan) -> Outcome<Action> {
    ensure!(data.len() < world.config().v0.max_inline_action_size, INLINE_ACTION_TOO_BIG, "inline action too big");
    unpack_prefix(data.bytes(memory))
}

fn send_inline(world: &mut World, memory: &mut Memory<'_>, data: LegacySpan) -> Outcome {
    let act = unpack_inline(world, memory, data)?;
    world.execute_inline(act)
}

fn send_context_free_inline(world: &mut World, memory: &mut Memory<'_>, data: LegacySpan) -> Outcome {
    let act = unpack_inline(world, memory, data)?;
    world.execute_context_free_inline(act)
}

fn send_deferred(
    world: &mut World,
    memory: &mut Memory<'_>,
    sender_id: LegacyPtr<u128>,
    payer: Name,
    trx: LegacySpan,
    replace_existing: u32,
) -> Outcome {
    let trx = unpack_transaction(trx.bytes(memory), &|| world.checktime())?;
    world.schedule_deferred(sender_id.read(memory), payer, trx, replace_existing != 0)
}

fn cancel_deferred(world: &mut World, memory: &mut Memory<'_>, sender_id: LegacyPtr<u128>) -> Outcome<bool> {
    let sender = world.action.receiver;
    world.cancel_deferred(sender_id.read(memory), sender)
}

fn read_transaction(world: &mut World, memory: &mut Memory<'_>, buffer: LegacySpan) -> Outcome<u32> {
    let parts = &world.trx.parts;
    if buffer.is_empty() {
        return Ok(parts.packed_size() as u32);
    }
    Ok(copy_out(buffer.bytes_mut(memory), &parts.to_bytes()))
}

/// An action of the transaction: of kind 0 the context-free ones, of kind 1 the others. Sic: the buffer is filled
/// only when the whole action fits, and the size is the answer either way.
fn get_action(world: &mut World, memory: &mut Memory<'_>, kind: u32, index: u32, buffer: LegacySpan) -> Outcome<i32> {
    let parts = &world.trx.parts;
    let actions = match kind {
        0 => &parts.context_free_actions,
        1 => &parts.actions,
        _ => return Err(Fault::new(FaultKind::ACTION_NOT_FOUND_EXCEPTION, "action is not found")),
    };
    let Some(act) = actions.get(index as usize) else { return Ok(-1) };
    let size = act.packed_size();
    if size <= buffer.len() as usize {
        copy_out(buffer.bytes_mut(memory), &act.to_bytes());
    }
    Ok(size as i32)
}
