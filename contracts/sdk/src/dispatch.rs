//! What stands between the chain's `apply` and a contract's functions; used by what `#[contract]` writes.

use crate::codec::Writer;
use crate::fail::{fail, fail_with_code};
use crate::name::Name;
use crate::raw;
use crate::text::Text;

/// The error code of an action that the contract does not have.
pub const NO_ACTION: u64 = 8_000_000_000_000_000_000;
/// The error code of a failed deferred transaction's report that no one handles.
pub const ONERROR: u64 = 8_000_000_000_000_000_001;

const EOSIO: Name = Name::new("eosio");

/// The arguments of the action, packed. They live as long as the action does.
#[inline(never)]
pub fn action_data() -> &'static [u8] {
    // SAFETY: the room has the size the host gave, and the host fills all of it.
    unsafe {
        let size = raw::action_data_size() as usize;
        let mut data = Writer::with_capacity(size);
        data.fill(size, |start| raw::read_action_data(start, size as u32) as usize);
        data.leak()
    }
}

/// Ends an action whose function returned an error: `contract::action: error`.
#[cold]
#[inline(never)]
pub fn refused<E: Text>(receiver: u64, action: u64, error: E) -> ! {
    let mut message = crate::text!(Name(receiver), "::", Name(action), ": ");
    error.write(&mut message);
    fail(&message)
}

/// An action that this contract does not have. The system account may receive any.
pub fn unknown_action(receiver: Name) {
    if receiver != EOSIO {
        fail_with_code(NO_ACTION)
    }
}

/// A notification that no handler wants. A report of a failed deferred transaction must not pass as handled.
pub fn unknown_notification(code: Name, action: Name) {
    if code == EOSIO && action == crate::name!("onerror") {
        fail_with_code(ONERROR)
    }
}
