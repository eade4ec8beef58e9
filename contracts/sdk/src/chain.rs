//! What a contract may ask the chain: who authorised, who exists, what time it is.

use crate::action::PermissionLevel;
use crate::alloc::vec::Vec;
use crate::codec::{Pack, Writer, pack, unpack};
use crate::digest::Checksum256;
use crate::key::PublicKey;
use crate::name::Name;
use crate::raw;
use crate::time::{BlockTimestamp, TimePoint};

/// Fails the action (`missing_auth_exception`) unless `account` authorised it.
pub fn require_auth(account: Name) {
    // SAFETY: no pointers.
    unsafe { raw::require_auth(account.0) }
}

/// Fails the action unless this very permission authorised it.
pub fn require_auth_of(level: PermissionLevel) {
    // SAFETY: no pointers.
    unsafe { raw::require_auth2(level.actor.0, level.permission.0) }
}

/// Whether `account` authorised the action.
pub fn has_auth(account: Name) -> bool {
    // SAFETY: no pointers.
    unsafe { raw::has_auth(account.0) != 0 }
}

/// Whether there is such an account.
pub fn is_account(account: Name) -> bool {
    // SAFETY: no pointers.
    unsafe { raw::is_account(account.0) != 0 }
}

/// Notifies `account`: its contract gets to see this action.
pub fn require_recipient(account: Name) {
    // SAFETY: no pointers.
    unsafe { raw::require_recipient(account.0) }
}

/// The account whose contract is running.
pub fn current_receiver() -> Name {
    // SAFETY: no pointers.
    Name(unsafe { raw::current_receiver() })
}

/// The contract that sent this action inline; empty for an action of the transaction itself.
pub fn sender() -> Name {
    // SAFETY: no pointers.
    Name(unsafe { raw::get_sender() })
}

/// The time of the block being made.
pub fn current_time() -> TimePoint {
    // SAFETY: no pointers.
    TimePoint(unsafe { raw::current_time() } as i64)
}

/// The slot of the block being made.
pub fn current_block_time() -> BlockTimestamp {
    current_time().into()
}

/// When the transaction was published: the time of its block, or when a deferred one was scheduled.
pub fn publication_time() -> TimePoint {
    // SAFETY: no pointers.
    TimePoint(unsafe { raw::publication_time() } as i64)
}

/// The number of the block being made.
pub fn block_num() -> u32 {
    // SAFETY: no pointers.
    unsafe { raw::get_block_num() }
}

/// Whether a protocol feature is active.
pub fn is_feature_activated(digest: &Checksum256) -> bool {
    // SAFETY: a digest is 32 bytes.
    unsafe { raw::is_feature_activated(digest.0.as_ptr()) != 0 }
}

/// The producers of the active schedule.
pub fn active_producers() -> Vec<Name> {
    // SAFETY: a length of 0 asks for the size in bytes; a name is one number.
    unsafe {
        let size = raw::get_active_producers(core::ptr::null_mut(), 0) as u32;
        let mut names = Vec::<Name>::with_capacity(size as usize / 8);
        raw::get_active_producers(names.as_mut_ptr().cast(), size);
        names.set_len(size as usize / 8);
        names
    }
}

/// Whether these permissions (and no keys) satisfy a packed transaction.
pub fn check_transaction_authorization(transaction: &[u8], permissions: &[PermissionLevel]) -> bool {
    check_transaction_signatures(transaction, &[], permissions)
}

/// Whether signatures with these keys, together with these permissions, satisfy a packed transaction.
pub fn check_transaction_signatures(transaction: &[u8], keys: &[PublicKey], permissions: &[PermissionLevel]) -> bool {
    let (keys, permissions) = (packed_unless_empty(keys), pack(permissions));
    // SAFETY: pointers and lengths are those of live slices.
    unsafe {
        raw::check_transaction_authorization(
            transaction.as_ptr(),
            transaction.len() as u32,
            keys.as_ptr(),
            keys.len() as u32,
            permissions.as_ptr(),
            permissions.len() as u32,
        ) > 0
    }
}

/// Whether these permissions (and no keys) satisfy a permission after a delay.
pub fn check_permission_authorization(of: PermissionLevel, permissions: &[PermissionLevel], delay_us: u64) -> bool {
    check_permission_signatures(of, &[], permissions, delay_us)
}

/// Whether signatures with these keys, together with these permissions, satisfy a permission after a delay.
pub fn check_permission_signatures(
    of: PermissionLevel,
    keys: &[PublicKey],
    permissions: &[PermissionLevel],
    delay_us: u64,
) -> bool {
    let (keys, permissions) = (packed_unless_empty(keys), pack(permissions));
    // SAFETY: pointers and lengths are those of live slices.
    unsafe {
        raw::check_permission_authorization(
            of.actor.0,
            of.permission.0,
            keys.as_ptr(),
            keys.len() as u32,
            permissions.as_ptr(),
            permissions.len() as u32,
            delay_us,
        ) > 0
    }
}

/// The host takes no bytes at all for no keys.
#[inline]
fn packed_unless_empty(keys: &[PublicKey]) -> Writer {
    if keys.is_empty() { Writer::with_capacity(0) } else { pack(keys) }
}

/// When a permission was last used.
pub fn permission_last_used(of: PermissionLevel) -> TimePoint {
    // SAFETY: no pointers.
    TimePoint(unsafe { raw::get_permission_last_used(of.actor.0, of.permission.0) })
}

/// When an account was created.
pub fn account_creation_time(account: Name) -> TimePoint {
    // SAFETY: no pointers.
    TimePoint(unsafe { raw::get_account_creation_time(account.0) })
}

/// The hash of an account's code; all zeros without code.
pub fn code_hash(account: Name) -> Checksum256 {
    let mut packed = [0u8; 64];
    // SAFETY: the buffer holds the whole structure: version, sequence, hash, vm type and version.
    unsafe { raw::get_code_hash(account.0, 0, packed.as_mut_ptr(), packed.len() as u32) };
    unpack::<(crate::codec::VarUint32, u64, Checksum256)>(&packed).2
}

/// Sets what the action returns to its caller.
pub fn set_action_return_value<T: Pack>(value: &T) {
    let packed = pack(value);
    // SAFETY: pointer and length are those of a live vector.
    unsafe { raw::set_action_return_value(packed.as_ptr(), packed.len() as u32) }
}
