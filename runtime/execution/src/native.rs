//! Actions that every chain has before its first contract (nodeos: eosio_contract.cpp). They run at `eosio` alone,
//! before the code deployed there.

use ledger::config::{
    ACCOUNT_RAM_BYTES, ACTIVE, CODE_RAM_MULTIPLIER, EOSIO_ANY, EOSIO_CODE, OWNER, PERMISSION_LINK_RAM_BYTES,
    PERMISSION_RAM_BYTES, SYSTEM_ACCOUNT, authority_ram_bytes,
};
use ledger::{LinkKey, PermissionId};
use primitives::message::{Part, message};
use primitives::{Authority, Checksum256, Fault, FaultKind, Name, PermissionLevel, Sha256, ensure};

use crate::authorization::level_text;
use crate::deferred::sender_id_of;
use crate::fault::{Outcome, unpack_prefix};
use crate::features::Feature;
use crate::system_actions::{
    CANCELDELAY, CancelDelay, DELETEAUTH, DeleteAuth, LINKAUTH, LinkAuth, NEWACCOUNT, NewAccount, SETABI, SETCODE,
    SetAbi, SetCode, UNLINKAUTH, UPDATEAUTH, UnlinkAuth, UpdateAuth,
};
use crate::world::{Machine, World};

/// Characters of an account's name.
const ACCOUNT_NAME_LENGTH_MAX: usize = 12;

type Handler = fn(&mut Machine, &mut World, &[u8]) -> Outcome;

/// The native handler of an action, if there is one at this receiver.
pub(crate) fn handler(receiver: Name, account: Name, action: Name) -> Option<Handler> {
    if receiver != SYSTEM_ACCOUNT || account != SYSTEM_ACCOUNT {
        return None;
    }
    Some(match action {
        NEWACCOUNT => |_, world, data| newaccount(world, data),
        SETCODE => setcode,
        SETABI => |_, world, data| setabi(world, data),
        UPDATEAUTH => |_, world, data| updateauth(world, data),
        DELETEAUTH => |_, world, data| deleteauth(world, data),
        LINKAUTH => |_, world, data| linkauth(world, data),
        UNLINKAUTH => |_, world, data| unlinkauth(world, data),
        CANCELDELAY => |_, world, data| canceldelay(world, data),
        _ => return None,
    })
}

fn forbid_in_read_only(world: &World, action: &str) -> Outcome {
    ensure!(!world.is_read_only(), ACTION_VALIDATE_EXCEPTION, "{action} not allowed in read-only transaction");
    Ok(())
}

/// Accounts and permissions that an authority names must exist.
fn check_authority_precondition(world: &World, auth: &Authority) -> Outcome {
    for account in &auth.accounts {
        let PermissionLevel { actor, permission } = account.permission;
        let exists = world.ledger.find_account(actor).is_some();
        ensure!(exists, ACTION_VALIDATE_EXCEPTION, "account '{actor}' does not exist");
        if [OWNER, ACTIVE, EOSIO_CODE].contains(&permission) {
            continue;
        }
        if let Err(fault) = world.ledger.get_permission(account.permission) {
            if !fault.kind.is_a(FaultKind::PERMISSION_QUERY_EXCEPTION) {
                return Err(fault);
            }
            let level = level_text(account.permission);
            return Err(Fault::new(
                FaultKind::ACTION_VALIDATE_EXCEPTION,
                format!("permission '{level}' does not exist"),
            ));
        }
    }
    if world.trx.enforce_lists && world.block.is_speculative() {
        auth.keys.iter().try_for_each(|factor| world.check_key_list(&factor.key))?;
    }
    Ok(())
}

fn newaccount(world: &mut World, data: &[u8]) -> Outcome {
    forbid_in_read_only(world, "newaccount")?;
    let create: NewAccount = unpack_prefix(data)?;
    // nodeos adds its arguments as a second message.
    create_account(world, create).map_err(|fault| fault.with_context(""))
}

fn create_account(world: &mut World, create: NewAccount) -> Outcome {
    world.require_authorization(create.creator)?;
    ensure!(create.owner.is_valid(), ACTION_VALIDATE_EXCEPTION, "Invalid owner authority");
    ensure!(create.active.is_valid(), ACTION_VALIDATE_EXCEPTION, "Invalid active authority");
    let text = create.name.to_string();
    ensure!(!create.name.is_empty(), ACTION_VALIDATE_EXCEPTION, "account name cannot be empty");
    let short = text.len() <= ACCOUNT_NAME_LENGTH_MAX;
    ensure!(short, ACTION_VALIDATE_EXCEPTION, "account names can only be 12 chars long");
    let creator = world.known_account(create.creator)?;
    ensure!(
        world.ledger.account_metadata(creator).is_privileged() || !text.starts_with("eosio."),
        ACTION_VALIDATE_EXCEPTION,
        "only privileged accounts can have names that start with 'eosio.'"
    );
    ensure!(
        world.ledger.find_account(create.name).is_none(),
        ACCOUNT_NAME_EXISTS_EXCEPTION,
        "Cannot create account named {text}, as that name is already taken"
    );
    let account = world.ledger.create_account(create.name, world.block.time);
    for auth in [&create.owner, &create.active] {
        check_authority_precondition(world, auth)?;
    }
    let ram = ACCOUNT_RAM_BYTES
        + 2 * PERMISSION_RAM_BYTES
        + authority_ram_bytes(&create.owner)
        + authority_ram_bytes(&create.active);
    let now = world.block.time();
    let owner = world.ledger.create_permission(account, OWNER, PermissionId::NONE, create.owner, now)?;
    world.ledger.create_permission(account, ACTIVE, owner, create.active, now)?;
    world.add_ram_usage(create.name, ram)
}

fn setcode(machine: &mut Machine, world: &mut World, data: &[u8]) -> Outcome {
    forbid_in_read_only(world, "setcode")?;
    let set: SetCode = unpack_prefix(data)?;
    world.require_authorization(set.account)?;
    ensure!(set.vmtype == 0, INVALID_CONTRACT_VM_TYPE, "code should be 0");
    ensure!(set.vmversion == 0, INVALID_CONTRACT_VM_VERSION, "version should be 0");
    let code_hash = if set.code.is_empty() {
        Checksum256::default()
    } else {
        world.validate_code(machine, &set.code)?;
        Sha256::of(&set.code)
    };
    let account = world.known_account(set.account)?;
    let old = world.ledger.account_metadata(account).code;
    ensure!(!set.code.is_empty() || old.is_some(), SET_EXACT_CODE, "contract is already cleared");
    let mut old_ram = 0;
    if let Some(old) = old {
        let code = world.ledger.code(old);
        ensure!(code.code_hash != code_hash, SET_EXACT_CODE, "contract is already running this version of code");
        old_ram = code.code.len() as i64 * CODE_RAM_MULTIPLIER;
        world.ledger.remove_code_reference(old);
    }
    let new = (!set.code.is_empty()).then(|| world.ledger.add_code_reference(code_hash, &set.code, world.block.number));
    let now = world.block.time();
    world.ledger.modify_account_metadata(account, |metadata| {
        metadata.code_sequence += 1;
        metadata.code = new;
        metadata.vm_type = set.vmtype;
        metadata.vm_version = set.vmversion;
        metadata.last_code_update = now;
    });
    let new_ram = set.code.len() as i64 * CODE_RAM_MULTIPLIER;
    if new_ram == old_ram { Ok(()) } else { world.add_ram_usage(set.account, new_ram - old_ram) }
}

fn setabi(world: &mut World, data: &[u8]) -> Outcome {
    // Sic: nodeos says "ot".
    ensure!(!world.is_read_only(), ACTION_VALIDATE_EXCEPTION, "setabi ot allowed in read-only transaction");
    let set: SetAbi = unpack_prefix(data)?;
    world.require_authorization(set.account)?;
    let account = world.known_account(set.account)?;
    let old_size = world.ledger.account_info(account).abi.len() as i64;
    let new_size = set.abi.len() as i64;
    world.ledger.set_abi(account, set.abi);
    world.ledger.modify_account_metadata(account, |metadata| metadata.abi_sequence += 1);
    if new_size == old_size { Ok(()) } else { world.add_ram_usage(set.account, new_size - old_size) }
}

fn updateauth(world: &mut World, data: &[u8]) -> Outcome {
    forbid_in_read_only(world, "updateauth")?;
    let update: UpdateAuth = unpack_prefix(data)?;
    world.require_authorization(update.account)?;
    check_updateauth(world, &update)?;
    check_authority_precondition(world, &update.auth)?;
    let level = PermissionLevel { actor: update.account, permission: update.permission };
    let existing = world.ledger.find_permission(level)?;
    let parent = match update.permission {
        OWNER => PermissionId::NONE,
        _ => world.ledger.get_permission(PermissionLevel { permission: update.parent, ..level })?,
    };
    let now = world.block.time();
    let new_ram = authority_ram_bytes(&update.auth);
    let Some(permission) = existing else {
        let account = world.known_account(update.account)?;
        world.ledger.create_permission(account, update.permission, parent, update.auth, now)?;
        return world.add_ram_usage(update.account, PERMISSION_RAM_BYTES + new_ram);
    };
    ensure!(
        world.ledger.permission(permission).parent == parent,
        ACTION_VALIDATE_EXCEPTION,
        "Changing parent authority is not currently supported"
    );
    let old_ram = authority_ram_bytes(&world.ledger.permission(permission).auth);
    world.ledger.modify_permission(permission, update.auth, now)?;
    world.add_ram_usage(update.account, new_ram - old_ram)
}

fn check_updateauth(world: &World, update: &UpdateAuth) -> Outcome {
    ensure!(!update.permission.is_empty(), ACTION_VALIDATE_EXCEPTION, "Cannot create authority with empty name");
    ensure!(
        !update.permission.to_string().starts_with("eosio."),
        ACTION_VALIDATE_EXCEPTION,
        "Permission names that start with 'eosio.' are reserved"
    );
    ensure!(update.permission != update.parent, ACTION_VALIDATE_EXCEPTION, "Cannot set an authority as its own parent");
    world.known_account(update.account)?;
    if !update.auth.is_valid() {
        let auth = serde_json::to_string(&update.auth).expect("an authority is plain data");
        let text = message("Invalid authority: ${auth}", &[("auth", Part::Json(auth))]);
        return Err(Fault::new(FaultKind::ACTION_VALIDATE_EXCEPTION, text));
    }
    ensure!(
        update.permission != ACTIVE || update.parent == OWNER,
        ACTION_VALIDATE_EXCEPTION,
        "Cannot change active authority's parent from owner"
    );
    if update.permission == OWNER {
        let none = update.parent.is_empty();
        ensure!(none, ACTION_VALIDATE_EXCEPTION, "Cannot change owner authority's parent");
    } else {
        let some = !update.parent.is_empty();
        ensure!(some, ACTION_VALIDATE_EXCEPTION, "Only owner permission can have empty parent");
    }
    let max_delay = world.config().v0.max_transaction_delay;
    ensure!(
        update.auth.waits.last().is_none_or(|longest| longest.wait_sec <= max_delay),
        ACTION_VALIDATE_EXCEPTION,
        "Cannot set delay longer than max_transacton_delay, which is {max_delay} seconds"
    );
    Ok(())
}

fn deleteauth(world: &mut World, data: &[u8]) -> Outcome {
    forbid_in_read_only(world, "deleteauth")?;
    let delete: DeleteAuth = unpack_prefix(data)?;
    world.require_authorization(delete.account)?;
    ensure!(delete.permission != ACTIVE, ACTION_VALIDATE_EXCEPTION, "Cannot delete active authority");
    ensure!(delete.permission != OWNER, ACTION_VALIDATE_EXCEPTION, "Cannot delete owner authority");
    if let Some(link) = world.ledger.first_link_to(delete.account, delete.permission) {
        let message = format!(
            "Cannot delete a linked authority. Unlink the authority first. This authority is linked to {}::{}.",
            link.code, link.message_type
        );
        return Err(Fault::new(FaultKind::ACTION_VALIDATE_EXCEPTION, message));
    }
    let level = PermissionLevel { actor: delete.account, permission: delete.permission };
    let permission = world.ledger.get_permission(level)?;
    let ram = PERMISSION_RAM_BYTES + authority_ram_bytes(&world.ledger.permission(permission).auth);
    world.ledger.remove_permission(permission)?;
    world.add_ram_usage(delete.account, -ram)
}

fn linkauth(world: &mut World, data: &[u8]) -> Outcome {
    forbid_in_read_only(world, "linkauth")?;
    let link: LinkAuth = unpack_prefix(data)?;
    set_link(world, &link).map_err(|fault| fault.with_context(""))
}

fn set_link(world: &mut World, link: &LinkAuth) -> Outcome {
    let LinkAuth { account, code, action, requirement } = *link;
    ensure!(!requirement.is_empty(), ACTION_VALIDATE_EXCEPTION, "Required permission cannot be empty");
    world.require_authorization(account)?;
    let exists = world.ledger.find_account(account).is_some();
    ensure!(exists, ACCOUNT_QUERY_EXCEPTION, "Failed to retrieve account: {account}");
    let exists = world.ledger.find_account(code).is_some();
    ensure!(exists, ACCOUNT_QUERY_EXCEPTION, "Failed to retrieve code for account: {code}");
    if requirement != EOSIO_ANY {
        let exists = if world.is_active(Feature::OnlyLinkToExistingPermission) {
            let owner = world.ledger.find_account(account);
            owner.is_some_and(|owner| world.ledger.permission_of(owner, requirement).is_some())
        } else {
            any_account_has_permission(world, requirement)
        };
        ensure!(exists, PERMISSION_QUERY_EXCEPTION, "Failed to retrieve permission: {requirement}");
    }
    let existing = world.ledger.find_link(account, code, action);
    ensure!(
        existing != Some(requirement),
        ACTION_VALIDATE_EXCEPTION,
        "Attempting to update required authority, but new requirement is same as old"
    );
    world.ledger.set_link(LinkKey { account, code, message_type: action }, requirement);
    if existing.is_some() { Ok(()) } else { world.add_ram_usage(account, PERMISSION_LINK_RAM_BYTES) }
}

/// Before ONLY_LINK_TO_EXISTING_PERMISSION it was enough that somebody had a permission of that name.
fn any_account_has_permission(world: &World, permission: Name) -> bool {
    let ledger = &world.ledger;
    ledger.accounts().any(|account| ledger.permission_of(account, permission).is_some())
}

fn unlinkauth(world: &mut World, data: &[u8]) -> Outcome {
    forbid_in_read_only(world, "unlinkauth")?;
    let unlink: UnlinkAuth = unpack_prefix(data)?;
    world.require_authorization(unlink.account)?;
    let key = LinkKey { account: unlink.account, code: unlink.code, message_type: unlink.action };
    ensure!(
        world.ledger.remove_link(key),
        ACTION_VALIDATE_EXCEPTION,
        "Attempting to unlink authority, but no link found"
    );
    world.add_ram_usage(unlink.account, -PERMISSION_LINK_RAM_BYTES)
}

fn canceldelay(world: &mut World, data: &[u8]) -> Outcome {
    forbid_in_read_only(world, "canceldelay")?;
    let cancel: CancelDelay = unpack_prefix(data)?;
    world.require_authorization(cancel.canceling_auth.actor)?;
    world.cancel_deferred(sender_id_of(&cancel.trx_id), Name(0)).map(drop)
}
