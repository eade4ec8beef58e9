//! What rows are found by: handles that hold while the row exists, and keys of tables.

use primitives::{Checksum256, Name};

/// An account's dense index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub(crate) u32);

impl AccountId {
    /// The index as a number, below the number of accounts: for tables that run beside the ledger.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Handle of a stored contract; may be used again for another one after its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeId(pub(crate) u32);

/// What a contract is found by: hash, kind, version of the kind.
pub type CodeKey = (Checksum256, u8, u8);

/// Handle of a permission. 0 is nodeos' reserved one: the parent of every `owner`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionId(pub(crate) u32);

impl PermissionId {
    /// The reserved permission: as a parent it means none.
    pub const NONE: Self = Self(0);
}

/// A link's key. An empty action name means every action of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, codec::Pack, codec::Unpack)]
pub struct LinkKey {
    /// Whose link.
    pub account: Name,
    /// The contract.
    pub code: Name,
    /// The action, or empty.
    pub message_type: Name,
}

/// What a contract table is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, codec::Pack, codec::Unpack)]
pub struct TableKey {
    /// The contract.
    pub code: Name,
    /// The scope.
    pub scope: Name,
    /// The table; secondary indexes carry their number in the lowest bits.
    pub table: Name,
}

/// Handle of a contract table while it has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub(crate) u32);

/// Handle of a primary row while it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub(crate) u32);

impl RowId {
    /// The handle as a number: for tables of iterators.
    #[inline]
    pub fn raw(self) -> u32 {
        self.0
    }

    /// The handle that [`RowId::raw`] gave.
    #[inline]
    pub fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

/// Handle of a row of a secondary index while it exists; each kind counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecondaryId(pub(crate) u32);

impl SecondaryId {
    /// The handle as a number: for tables of iterators.
    #[inline]
    pub fn raw(self) -> u32 {
        self.0
    }

    /// The handle that [`SecondaryId::raw`] gave.
    #[inline]
    pub fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

/// Order of creation, which is also the handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GeneratedId(pub(crate) u64);
