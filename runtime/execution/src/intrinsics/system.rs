//! Host functions about time, features, senders, and ending an action.

use primitives::{Checksum256, Fault, FaultKind, Name};
use wasm::{Intrinsics, LegacyPtr, LegacySpan, Memory, Text};

use crate::fault::Outcome;
use crate::features::Feature;
use crate::world::World;
use primitives::message::{Part, message};

/// Bytes of an assertion's message that are kept.
const ASSERT_MESSAGE_MAX: usize = 1024;
/// Error codes from here on are nodeos' own.
const GENERIC_SYSTEM_ERROR: u64 = 10_000_000_000_000_000_000;
/// The error code of a contract that used a reserved one (`contract_restricted_error_code`).
const RESTRICTED_ERROR_CODE: u64 = 10_000_000_000_000_000_001;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_aware("current_time", |world: &mut World, _: &mut Memory<'_>| Ok(world.block.time().0))
        .context_aware("publication_time", |world: &mut World, _: &mut Memory<'_>| Ok(world.trx.published.0))
        .context_aware("is_feature_activated", is_feature_activated)
        .since("PREACTIVATE_FEATURE")
        .context_aware("get_sender", |world: &mut World, _: &mut Memory<'_>| Ok::<Name, Fault>(world.sender()))
        .since("GET_SENDER")
        .context_free("abort", abort)
        .context_free("eosio_assert", eosio_assert)
        .context_free("eosio_assert_message", eosio_assert_message)
        .context_free("eosio_assert_code", eosio_assert_code)
        .exit("eosio_exit")
        .context_free("get_block_num", |world: &mut World, _: &mut Memory<'_>| Ok(world.block.number))
        .since("GET_BLOCK_NUM");
}

fn is_feature_activated(world: &mut World, memory: &mut Memory<'_>, digest: LegacyPtr<[u8; 32]>) -> Outcome<bool> {
    let feature = Feature::by_digest(&Checksum256(digest.read(memory)));
    Ok(feature.is_some_and(|feature| world.is_active(feature)))
}

fn abort(_: &mut World, _: &mut Memory<'_>) -> Outcome {
    Err(Fault::new(FaultKind::ABORT_CALLED, "abort() called"))
}

#[cold]
fn assertion_failed(said: &[u8]) -> Fault {
    let kept = &said[..said.len().min(ASSERT_MESSAGE_MAX)];
    let text = message("assertion failure with message: ${s}", &[("s", Part::Text(kept))]);
    Fault::new(FaultKind::EOSIO_ASSERT_MESSAGE_EXCEPTION, text)
}

fn eosio_assert(_: &mut World, memory: &mut Memory<'_>, condition: bool, message: Text) -> Outcome {
    if condition { Ok(()) } else { Err(assertion_failed(message.bytes(memory))) }
}

fn eosio_assert_message(_: &mut World, memory: &mut Memory<'_>, condition: bool, message: LegacySpan) -> Outcome {
    if condition { Ok(()) } else { Err(assertion_failed(message.bytes(memory))) }
}

fn eosio_assert_code(_: &mut World, _: &mut Memory<'_>, condition: bool, code: u64) -> Outcome {
    if condition {
        return Ok(());
    }
    let (kind, message, code) = if code >= GENERIC_SYSTEM_ERROR {
        let message = format!("eosio_assert_code called with reserved error code: {code}");
        (FaultKind::RESTRICTED_ERROR_CODE_EXCEPTION, message, RESTRICTED_ERROR_CODE)
    } else {
        (FaultKind::EOSIO_ASSERT_CODE_EXCEPTION, format!("assertion failure with error code: {code}"), code)
    };
    Err(Fault::new(kind, message).with_error_code(code))
}
