//! Host functions that ask whether authorities would be satisfied, and how permissions were used.

use primitives::{Fault, FaultKind, Name, PermissionLevel, PublicKey, ensure};
use wasm::{Intrinsics, LegacySpan, Memory};

use crate::authorization::Provided;
use crate::fault::Outcome;
use crate::intrinsics::unpack::{unpack_set, unpack_transaction};
use crate::world::World;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_aware("check_transaction_authorization", check_transaction_authorization)
        .context_aware("check_permission_authorization", check_permission_authorization)
        .context_aware("get_permission_last_used", get_permission_last_used)
        .context_aware("get_account_creation_time", get_account_creation_time);
}

/// A failed check is an answer; any other fault is a fault.
fn answer(result: Outcome) -> Outcome<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(fault) if fault.kind.is_a(FaultKind::AUTHORIZATION_EXCEPTION) => Ok(false),
        Err(fault) => Err(fault),
    }
}

fn check_transaction_authorization(
    world: &mut World,
    memory: &mut Memory<'_>,
    trx: LegacySpan,
    keys: LegacySpan,
    permissions: LegacySpan,
) -> Outcome<bool> {
    let checktime = || world.checktime();
    let trx = unpack_transaction(trx.bytes(memory), &checktime)?;
    let keys: Vec<PublicKey> = unpack_set(keys.bytes(memory), &checktime)?;
    let permissions: Vec<PermissionLevel> = unpack_set(permissions.bytes(memory), &checktime)?;
    let delay_us = i64::from(trx.header.delay_sec.0) * 1_000_000;
    let provided = Provided { keys: &keys, permissions: &permissions, delay_us, ..Provided::default() };
    answer(world.check_authorization(&trx.actions, provided))
}

fn check_permission_authorization(
    world: &mut World,
    memory: &mut Memory<'_>,
    actor: Name,
    permission: Name,
    keys: LegacySpan,
    permissions: LegacySpan,
    delay_us: u64,
) -> Outcome<bool> {
    let Ok(delay_us) = i64::try_from(delay_us) else {
        return Err(Fault::new(FaultKind::ACTION_VALIDATE_EXCEPTION, "provided delay is too large"));
    };
    let checktime = || world.checktime();
    let keys: Vec<PublicKey> = unpack_set(keys.bytes(memory), &checktime)?;
    let permissions: Vec<PermissionLevel> = unpack_set(permissions.bytes(memory), &checktime)?;
    let provided = Provided { keys: &keys, permissions: &permissions, delay_us, ..Provided::default() };
    answer(world.check_permission(PermissionLevel { actor, permission }, provided))
}

fn get_permission_last_used(world: &mut World, _: &mut Memory<'_>, actor: Name, permission: Name) -> Outcome<i64> {
    let id = world.ledger.get_permission(PermissionLevel { actor, permission })?;
    Ok(world.ledger.permission(id).last_used.0)
}

fn get_account_creation_time(world: &mut World, _: &mut Memory<'_>, account: Name) -> Outcome<i64> {
    let found = world.ledger.find_account(account);
    ensure!(found.is_some(), ACTION_VALIDATE_EXCEPTION, "account '{account}' does not exist");
    Ok(found.map_or(0, |account| world.ledger.account_info(account).creation_date.time().0))
}
