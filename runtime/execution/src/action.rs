//! The action that runs now: what it was asked, and what its receivers share.

use std::sync::Arc;

use codec::Pack;
use ledger::AccountId;
use primitives::{Action, Checksum256, Name, Sha256};

use crate::console::Console;
use crate::cursors::TableCursors;
use crate::trace::{AccountDelta, RowChanges};

/// The action that runs now, its notifications included (`apply_context`).
#[derive(Debug, Default)]
pub struct ActionState {
    /// The action.
    pub(crate) act: Arc<Action>,
    /// Who runs it.
    pub(crate) receiver: Name,
    /// Ordinal of this run.
    pub(crate) ordinal: u32,
    /// Ordinal of the first receiver's run.
    pub(crate) first_receiver_ordinal: u32,
    /// Whether it has no state.
    pub(crate) context_free: bool,
    /// Whether the receiver is privileged.
    pub(crate) privileged: bool,
    /// Receivers with their ordinals, in the order of notification.
    pub(crate) notified: Vec<(Name, u32)>,
    /// Ordinals of the inline actions sent.
    pub(crate) inline_actions: Vec<u32>,
    /// Ordinals of the context-free inline actions sent.
    pub(crate) context_free_inline_actions: Vec<u32>,
    /// RAM that this run moved, ascending by account.
    pub(crate) ram_deltas: Vec<AccountDelta>,
    /// Rows that this run changed.
    pub(crate) rows: RowChanges,
    /// What this run printed.
    pub(crate) console: Console,
    /// What this run returned.
    pub(crate) return_value: Vec<u8>,
    /// Iterators over contract tables.
    pub(crate) tables: TableCursors,
    /// Digests that the receivers share.
    pub(crate) digests: ActionDigests,
    /// The account that the action was sent to, once it was looked up.
    pub(crate) first_receiver: Option<AccountId>,
    /// The action's authorizers in the order of their levels, looked up with the first receiver.
    pub(crate) authorizers: Vec<AccountId>,
    /// Bytes to be hashed.
    pub(crate) buffer: Vec<u8>,
}

/// Parts of an action's digest that its receivers share.
#[derive(Debug, Default)]
pub(crate) struct ActionDigests {
    /// Of the whole action, where nothing was returned.
    without_return: Option<Checksum256>,
    /// Of account, name and authorization.
    base: Option<Checksum256>,
}

impl ActionDigests {
    /// The digest for the receipt; `with_return_value` after ACTION_RETURN_VALUE.
    pub(crate) fn of(
        &mut self,
        act: &Action,
        return_value: &[u8],
        with_return_value: bool,
        buffer: &mut Vec<u8>,
    ) -> Checksum256 {
        if return_value.is_empty()
            && let Some(digest) = self.without_return
        {
            return digest;
        }
        let digest = if with_return_value {
            self.with_return(act, return_value, buffer)
        } else {
            hash(buffer, |buffer| act.pack(buffer))
        };
        if return_value.is_empty() {
            self.without_return = Some(digest);
        }
        digest
    }

    fn with_return(&mut self, act: &Action, return_value: &[u8], buffer: &mut Vec<u8>) -> Checksum256 {
        let base = *self.base.get_or_insert_with(|| {
            hash(buffer, |buffer| {
                act.account.pack(buffer);
                act.name.pack(buffer);
                act.authorization.pack(buffer);
            })
        });
        let values = hash(buffer, |buffer| {
            act.data.pack(buffer);
            return_value.pack(buffer);
        });
        hash(buffer, |buffer| (base, values).pack(buffer))
    }
}

/// Hashes what is packed, all at once: many small updates of a hash cost more than a copy.
pub(crate) fn hash(buffer: &mut Vec<u8>, pack: impl FnOnce(&mut Vec<u8>)) -> Checksum256 {
    buffer.clear();
    pack(buffer);
    Sha256::of(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_shared_by_receivers_unless_they_return_something() {
        let act = Action { account: Name(1), name: Name(2), authorization: vec![], data: vec![7, 8].into() };
        let buffer = &mut Vec::new();
        let mut digests = ActionDigests::default();
        assert_eq!(digests.of(&act, &[], false, buffer), Sha256::packed(&act));
        let mut digests = ActionDigests::default();
        let (silent, returned) = (digests.of(&act, &[], true, buffer), digests.of(&act, &[1], true, buffer));
        assert_ne!(silent, returned);
        assert_eq!(digests.of(&act, &[], true, buffer), silent);
        assert_eq!(ActionDigests::default().of(&act, &[1], true, buffer), returned);
    }
}
