//! What keeps the journal small: one old value per row and block, whatever the block's transactions did meanwhile.
//!
//! Within the open block [`Ledger::squash`] drops values that only undo would pass through. What was added and removed
//! again stays as an entry without its bytes, because undo in reverse order gives rows their handles back. When the
//! finished blocks together hold too much, each becomes the list of rows that it changed, as it is after a restart.

use std::mem::size_of;

use primitives::{Authority, Bytes, Name};
use rustc_hash::FxHashSet;
use statedb::{Blob, Weigh};

use crate::Ledger;
use crate::account::AccountUndo;
use crate::code::CodeUndo;
use crate::contract::ContractUndo;
use crate::global::GlobalUndo;
use crate::keys::{AccountId, RowKey, Single};
use crate::permission::PermissionUndo;
use crate::secondary::{IndexUndo, SecondaryKey, SecondaryUndo};
use crate::undo::{LoadedRow, Undo};

/// When the journal is made smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoLimits {
    /// Bytes that the open block's entries may grow by before values between its transactions are dropped.
    pub open_bytes: usize,
    /// Bytes that the entries of finished blocks may have together before they become lists of rows.
    pub finished_bytes: usize,
}

impl Default for UndoLimits {
    fn default() -> Self {
        Self { open_bytes: 1 << 20, finished_bytes: 64 << 20 }
    }
}

/// How much there was when the journal was last made smaller: it has to grow by half before it is again, so that what
/// it costs is a constant for each change.
#[derive(Debug, Default)]
pub(crate) struct Squashed {
    pub limits: UndoLimits,
    /// Bytes of the open block's entries.
    pub open_bytes: usize,
    /// Bytes of all entries.
    pub finished_bytes: usize,
}

/// Whether `bytes` have grown by `limit` since they were `last`, and by half.
fn is_due(bytes: usize, last: usize, limit: usize) -> bool {
    bytes > last + limit.max(last / 2)
}

impl Weigh for Undo {
    fn weigh(&self) -> usize {
        size_of::<Self>() + self.heap_bytes()
    }
}

/// What an entry says the old value of.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Slot {
    Row(RowKey),
    Abi(AccountId),
    Authority(Name, Name),
}

impl Undo {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Account(undo) => undo.heap_bytes(),
            Self::Resource(undo) => undo.heap_bytes(),
            Self::Global(undo) => undo.heap_bytes(),
            Self::Code(undo) => undo.heap_bytes(),
            Self::Permission(undo) => undo.heap_bytes(),
            Self::Link(undo) => size_of_val(&**undo),
            Self::Contract(undo) => undo.heap_bytes(),
            Self::Index(undo) => undo.heap_bytes(),
            Self::Generated(undo) => size_of_val(&**undo) + undo.old.as_ref().map_or(0, |old| old.packed_trx.len()),
            Self::Dedup(undo) => undo.heap_bytes(),
            Self::Rows(rows) => rows.iter().map(LoadedRow::weigh).sum(),
        }
    }
}

impl LoadedRow {
    fn weigh(&self) -> usize {
        size_of::<Self>() + self.old.as_ref().map_or(0, Vec::len)
    }
}

/// Whether an entry of the open block is still needed, given what earlier ones of it say.
fn keep(seen: &mut FxHashSet<Slot>, entry: &mut Undo) -> bool {
    let mut first = |slot| seen.insert(slot);
    match entry {
        Undo::Contract(ContractUndo::RowInserted(_, table, primary)) => {
            first(Slot::Row(RowKey::Row(*table, *primary)));
        }
        Undo::Contract(ContractUndo::RowUpdated { table, primary, .. }) => {
            return first(Slot::Row(RowKey::Row(*table, *primary)));
        }
        Undo::Contract(ContractUndo::RowRemoved(table, row)) => {
            let known = !first(Slot::Row(RowKey::Row(*table, row.primary)));
            if known {
                row.value = Blob::default();
            }
        }
        Undo::Index(IndexUndo::Index64(undo)) => return keep_secondary(seen, undo),
        Undo::Index(IndexUndo::Index128(undo)) => return keep_secondary(seen, undo),
        Undo::Index(IndexUndo::Index256(undo)) => return keep_secondary(seen, undo),
        Undo::Index(IndexUndo::Double(undo)) => return keep_secondary(seen, undo),
        Undo::Index(IndexUndo::LongDouble(undo)) => return keep_secondary(seen, undo),
        Undo::Account(AccountUndo::Abi(account, _)) => return first(Slot::Abi(*account)),
        Undo::Global(GlobalUndo::Property(_)) => return first(Slot::Row(RowKey::Single(Single::Global))),
        Undo::Global(GlobalUndo::Protocol(_)) => return first(Slot::Row(RowKey::Single(Single::Protocol))),
        Undo::Code(CodeUndo::Created(_, key)) => {
            first(Slot::Row(RowKey::Code(*key)));
        }
        Undo::Code(CodeUndo::Removed(_, code)) => {
            let known = !first(Slot::Row(RowKey::Code(code.key())));
            if known {
                code.code = Bytes::default();
            }
        }
        Undo::Permission(PermissionUndo::Created(_, owner, name)) => {
            first(Slot::Authority(*owner, *name));
        }
        Undo::Permission(PermissionUndo::Changed(_, (owner, name), _)) => return first(Slot::Authority(*owner, *name)),
        Undo::Permission(PermissionUndo::Removed(_, row)) => {
            let known = !first(Slot::Authority(row.owner, row.name));
            if known {
                row.auth = Authority::default();
            }
        }
        Undo::Generated(undo) => {
            let known = !first(Slot::Row(RowKey::Generated(undo.key)));
            if let Some(old) = undo.old.as_mut().filter(|_| known) {
                old.packed_trx = Bytes::default();
            }
        }
        _ => {}
    }
    true
}

fn keep_secondary<K: SecondaryKey>(seen: &mut FxHashSet<Slot>, undo: &SecondaryUndo<K>) -> bool {
    let mut first = |table: u64, primary| seen.insert(Slot::Row(RowKey::Secondary(K::KIND, table, primary)));
    match undo {
        SecondaryUndo::Updated(_, table, primary, ..) => first(*table, *primary),
        SecondaryUndo::Inserted(_, table, primary) => {
            first(*table, *primary);
            true
        }
        SecondaryUndo::Removed(table, row) => {
            first(*table, row.primary);
            true
        }
    }
}

impl Ledger {
    /// Changes when the journal is made smaller.
    pub fn set_undo_limits(&mut self, limits: UndoLimits) {
        self.squashed.limits = limits;
    }

    /// Between the transactions of a block: drops old values that lie between two of its changes, if they are many.
    /// Marks inside of the block lose their meaning.
    pub fn squash(&mut self) {
        if !is_due(self.journal.newest_bytes(), self.squashed.open_bytes, self.squashed.limits.open_bytes) {
            return;
        }
        let mut seen = FxHashSet::default();
        self.journal.retain_newest(|entry| keep(&mut seen, entry));
        self.squashed.open_bytes = self.journal.newest_bytes();
    }

    /// Between blocks: if their entries hold much, each becomes the list of rows that it changed. All marks lose their
    /// meaning.
    pub(crate) fn compact_blocks(&mut self) {
        self.squashed.open_bytes = 0;
        if !is_due(self.journal.bytes(), self.squashed.finished_bytes, self.squashed.limits.finished_bytes) {
            return;
        }
        let rows = self.changed_rows();
        self.journal.replace_blocks(rows.into_iter().map(Undo::Rows).collect());
        self.squashed.finished_bytes = self.journal.bytes();
    }
}
