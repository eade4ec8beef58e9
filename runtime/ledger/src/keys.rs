//! What rows are found by: handles that hold while the row exists, keys of tables, and the keys that checkpoints and the
//! list of changed rows have in common.

use primitives::{Checksum256, Name, TimePointSec};

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

/// What a row is found by. The first byte of its packed form is the table; numbers follow with the highest byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RowKey {
    /// A table with one row.
    Single(Single),
    Code(CodeKey),
    /// An account's cold part, by dense index.
    AccountInfo(u32),
    /// An account's hot part, by dense index.
    AccountHot(u32),
    Permission(Name, Name),
    Link(LinkKey),
    PendingLimits(Name),
    /// A contract table's header, by order of creation.
    Table(u64),
    /// A row of the table with this order.
    Row(u64, u64),
    /// A row of a secondary index: kind, the table's order, primary key.
    Secondary(u8, u64, u64),
    Generated(u64),
    /// A chunk of the ids that expire in one second.
    Transactions(TimePointSec, u32),
    BlockSummary(u16),
}

/// Tables with one row: always part of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Single {
    Global,
    Protocol,
    Dynamic,
    ResourceConfig,
    ResourceState,
}

/// All of them.
pub(crate) const SINGLES: [Single; 5] =
    [Single::Global, Single::Protocol, Single::Dynamic, Single::ResourceConfig, Single::ResourceState];

impl Single {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Global => "global properties",
            Self::Protocol => "protocol state",
            Self::Dynamic => "global sequence",
            Self::ResourceConfig => "resource configuration",
            Self::ResourceState => "resource state",
        }
    }
}

impl RowKey {
    pub(crate) fn encode(self) -> Vec<u8> {
        let join = |table: u8, parts: &[&[u8]]| {
            let mut key = vec![table];
            parts.iter().for_each(|part| key.extend_from_slice(part));
            key
        };
        match self {
            Self::Single(single) => join(0, &[&[single as u8]]),
            Self::Code((hash, vm_type, vm_version)) => join(1, &[&hash.0, &[vm_type, vm_version]]),
            Self::AccountInfo(index) => join(2, &[&index.to_be_bytes()]),
            Self::AccountHot(index) => join(3, &[&index.to_be_bytes()]),
            Self::Permission(owner, name) => join(4, &[&owner.0.to_be_bytes(), &name.0.to_be_bytes()]),
            Self::Link(key) => {
                join(5, &[&key.account.0.to_be_bytes(), &key.code.0.to_be_bytes(), &key.message_type.0.to_be_bytes()])
            }
            Self::PendingLimits(name) => join(6, &[&name.0.to_be_bytes()]),
            Self::Table(order) => join(7, &[&order.to_be_bytes()]),
            Self::Row(order, primary) => join(8, &[&order.to_be_bytes(), &primary.to_be_bytes()]),
            Self::Secondary(kind, order, primary) => join(9, &[&[kind], &order.to_be_bytes(), &primary.to_be_bytes()]),
            Self::Generated(order) => join(10, &[&order.to_be_bytes()]),
            Self::Transactions(time, chunk) => join(11, &[&time.0.to_be_bytes(), &chunk.to_be_bytes()]),
            Self::BlockSummary(slot) => join(12, &[&slot.to_be_bytes()]),
        }
    }

    pub(crate) fn decode(key: &[u8]) -> Option<Self> {
        fn u32_of(bytes: &[u8]) -> Option<u32> {
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        }
        fn u64s<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
            let (chunks, []) = bytes.as_chunks::<8>() else {
                return None;
            };
            <[[u8; 8]; N]>::try_from(chunks).ok().map(|chunks| chunks.map(u64::from_be_bytes))
        }
        let (&table, rest) = key.split_first()?;
        Some(match table {
            0 => Self::Single(*SINGLES.get(usize::from(*rest.first()?))?),
            1 => {
                let (hash, &[vm_type, vm_version]) = rest.split_first_chunk::<32>()? else {
                    return None;
                };
                Self::Code((Checksum256(*hash), vm_type, vm_version))
            }
            2 => Self::AccountInfo(u32_of(rest)?),
            3 => Self::AccountHot(u32_of(rest)?),
            4 => u64s(rest).map(|[owner, name]| Self::Permission(Name(owner), Name(name)))?,
            5 => u64s(rest).map(|[account, code, message_type]| {
                Self::Link(LinkKey { account: Name(account), code: Name(code), message_type: Name(message_type) })
            })?,
            6 => u64s(rest).map(|[name]| Self::PendingLimits(Name(name)))?,
            7 => u64s(rest).map(|[order]| Self::Table(order))?,
            8 => u64s(rest).map(|[order, primary]| Self::Row(order, primary))?,
            9 => {
                let (&kind, rest) = rest.split_first()?;
                u64s(rest).map(|[order, primary]| Self::Secondary(kind, order, primary))?
            }
            10 => u64s(rest).map(|[order]| Self::Generated(order))?,
            11 => {
                let (time, chunk) = rest.split_at_checked(4)?;
                Self::Transactions(TimePointSec(u32_of(time)?), u32_of(chunk)?)
            }
            12 => Self::BlockSummary(u16::from_be_bytes(rest.try_into().ok()?)),
            _ => return None,
        })
    }
}
