//! Actions: what was authorised, and sending further ones from inside a contract.

use crate::Record;
use crate::alloc::vec::Vec;
use crate::codec::{Pack, Reader, Writer, pack, pack_length};
use crate::name::Name;
use crate::raw;

/// An account and one of its permissions.
#[derive(Record, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PermissionLevel {
    /// The account.
    pub actor: Name,
    /// The permission.
    pub permission: Name,
}

impl PermissionLevel {
    /// The account's `active` permission.
    pub const fn active(actor: Name) -> Self {
        Self { actor, permission: Name::new("active") }
    }
}

/// An action ready to be sent.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The contract called.
    pub account: Name,
    /// The action's name.
    pub name: Name,
    /// Who authorises it.
    pub authorization: Vec<PermissionLevel>,
    /// The packed arguments.
    pub data: Vec<u8>,
}

impl Action {
    /// Executes after the current action, in this transaction; if it fails everything fails.
    pub fn send(&self) {
        send_packed(&pack(self));
    }

    /// As [`Self::send`], without access to the chain's state; it must carry no authorization.
    pub fn send_context_free(&self) {
        let packed = pack(self);
        // SAFETY: pointer and length are those of a live vector.
        unsafe { raw::send_context_free_inline(packed.as_ptr(), packed.len() as u32) };
    }
}

/// A typed call that still lacks its authorization; made by the functions of a contract's or interface's `calls`.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    account: Name,
    name: Name,
    data: Writer,
}

impl Call {
    /// A call of `name` at `account` with packed arguments.
    pub fn new(account: Name, name: Name, data: Writer) -> Self {
        Self { account, name, data }
    }

    /// The action, authorised by these permissions.
    pub fn authorized(&self, by: &[PermissionLevel]) -> Action {
        Action { account: self.account, name: self.name, authorization: Vec::from(by), data: Vec::from(&*self.data) }
    }

    /// Sends it, authorised by these permissions; executes after the current action, in this transaction.
    pub fn send(&self, by: &[PermissionLevel]) {
        let mut packed = Writer::with_capacity(self.data.len() + 64);
        self.account.pack(&mut packed);
        self.name.pack(&mut packed);
        by.pack(&mut packed);
        pack_length(self.data.len(), &mut packed);
        packed.extend_from_slice(&self.data);
        send_packed(&packed);
    }

    /// Sends it with the `active` permission of one account.
    pub fn send_as(&self, actor: Name) {
        self.send(&[PermissionLevel::active(actor)]);
    }

    /// Sends it with the `active` permissions of two accounts.
    pub fn send_as_both(&self, first: Name, second: Name) {
        self.send(&[PermissionLevel::active(first), PermissionLevel::active(second)]);
    }
}

/// Sends an action that is packed already.
pub fn send_packed(action: &[u8]) {
    // SAFETY: pointer and length are those of a live slice.
    unsafe { raw::send_inline(action.as_ptr(), action.len() as u32) };
}

/// Takes a list of actions off a reader and gives each, still packed, to `each`. Returns how many there were.
pub fn for_each_packed(reader: &mut Reader<'_>, each: fn(&[u8])) -> usize {
    let count = reader.length();
    for _ in 0..count {
        let from = reader.rest();
        reader.take(16);
        let levels = reader.length();
        reader.take(levels.saturating_mul(16));
        let data = reader.length();
        reader.take(data);
        each(&from[..from.len() - reader.rest().len()]);
    }
    count
}
