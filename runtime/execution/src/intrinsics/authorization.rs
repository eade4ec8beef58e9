//! Host functions about who authorized the action, who is notified, and which accounts exist.

use codec::{Pack, VarUint32};
use primitives::{Checksum256, Name, PermissionLevel};
use wasm::{Intrinsics, Memory, Span};

use crate::fault::Outcome;
use crate::world::World;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_aware("require_auth", |world: &mut World, _: &mut Memory<'_>, account: Name| {
            world.require_authorization(account)
        })
        .context_aware("require_auth2", require_auth2)
        .context_aware("has_auth", |world: &mut World, _: &mut Memory<'_>, account: Name| {
            Ok(world.has_authorization(account))
        })
        .context_aware("require_recipient", |world: &mut World, _: &mut Memory<'_>, recipient: Name| {
            world.require_recipient(recipient);
            Ok(())
        })
        .context_aware("is_account", |world: &mut World, _: &mut Memory<'_>, account: Name| {
            Ok(world.ledger.find_account(account).is_some())
        })
        .context_aware("get_code_hash", get_code_hash)
        .since("GET_CODE_HASH");
}

fn require_auth2(world: &mut World, _: &mut Memory<'_>, actor: Name, permission: Name) -> Outcome {
    world.require_permission(PermissionLevel { actor, permission })
}

/// Packs version of the answer (only 0 is known), code sequence, code hash, kind and its version.
fn get_code_hash(
    world: &mut World,
    memory: &mut Memory<'_>,
    account: Name,
    _struct_version: u32,
    result: Span,
) -> Outcome<u32> {
    let mut answer = (0u64, Checksum256::default(), 0u8, 0u8);
    if let Some(account) = world.ledger.find_account(account) {
        let metadata = world.ledger.account_metadata(account);
        answer.0 = metadata.code_sequence;
        if let Some(code) = metadata.code {
            let code = world.ledger.code(code);
            (answer.1, answer.2, answer.3) = (code.code_hash, metadata.vm_type, metadata.vm_version);
        }
    }
    let bytes = (VarUint32(0), answer).to_bytes();
    if bytes.len() <= result.len() as usize {
        result.bytes_mut(memory)[..bytes.len()].copy_from_slice(&bytes);
    }
    Ok(bytes.len() as u32)
}
