//! Secondary indexes of contract tables, five kinds of keys (`index64_object` ... `index_long_double_object`).
//!
//! A key's order is nodeos': numbers as numbers, 256-bit keys by two 128-bit halves, floats as softfloat compares them
//! (the two zeros are equal; NaN never gets here from a contract).

mod checkpoint;
mod deltas;
mod snapshot;

use codec::{DecodeError, Pack, Reader, Sink, Unpack};
use primitives::Name;
use statedb::{Rows, Slab, Stamp};

use crate::Ledger;
use crate::keys::{SecondaryId, TableId};
use crate::undo::seen::Seen;

pub(crate) use checkpoint::IndexRowKey;
pub(crate) use deltas::IndexDelta;
pub(crate) use snapshot::{read_groups, write_groups};

/// A 128-bit unsigned number; two halves, because 16-byte alignment would widen every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key128 {
    high: u64,
    low: u64,
}

impl From<u128> for Key128 {
    fn from(value: u128) -> Self {
        Self { high: (value >> 64) as u64, low: value as u64 }
    }
}

impl From<Key128> for u128 {
    fn from(key: Key128) -> Self {
        u128::from(key.high) << 64 | u128::from(key.low)
    }
}

impl Pack for Key128 {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        u128::from(*self).pack(out);
    }
}

impl Unpack for Key128 {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(u128::unpack(input)?.into())
    }
}

/// A 256-bit key: two 128-bit numbers, the first one the more significant (`key256_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, codec::Pack, codec::Unpack)]
pub struct Key256(pub Key128, pub Key128);

/// A 64-bit float by its bits, ordered as softfloat orders it.
#[derive(Debug, Clone, Copy, Default, codec::Pack, codec::Unpack)]
pub struct Float64(pub u64);

/// A 128-bit float by its bits, ordered as softfloat orders it.
#[derive(Debug, Clone, Copy, Default, codec::Pack, codec::Unpack)]
pub struct Float128(pub Key128);

impl Float64 {
    fn rank(self) -> u64 {
        const SIGN: u64 = 1 << 63;
        match self.0 {
            SIGN => SIGN,
            negative if negative & SIGN != 0 => !negative,
            positive => positive | SIGN,
        }
    }

    /// Whether the value is not a number.
    pub fn is_nan(self) -> bool {
        self.0 & !(1 << 63) > 0x7ff0_0000_0000_0000
    }
}

impl Float128 {
    fn rank(self) -> u128 {
        const SIGN: u128 = 1 << 127;
        match self.0.into() {
            SIGN => SIGN,
            negative if negative & SIGN != 0 => !negative,
            positive => positive | SIGN,
        }
    }

    /// Whether the value is not a number.
    pub fn is_nan(self) -> bool {
        u128::from(self.0) & !(1 << 127) > 0x7fff << 112
    }
}

macro_rules! ordered_by_rank {
    ($($float:ty)*) => {$(
        impl PartialEq for $float {
            fn eq(&self, other: &Self) -> bool {
                self.rank() == other.rank()
            }
        }
        impl Eq for $float {}
        impl PartialOrd for $float {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $float {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.rank().cmp(&other.rank())
            }
        }
    )*};
}
ordered_by_rank!(Float64 Float128);

/// A row of a secondary index.
#[derive(Debug, Clone)]
pub struct SecondaryRow<K> {
    /// The primary key that it belongs to.
    pub primary: u64,
    /// Who pays for it.
    pub payer: Name,
    /// The secondary key.
    pub secondary: K,
    /// Its table.
    pub table: TableId,
    pub(crate) stamp: Stamp,
}

/// Both orders of one kind of index in one table.
#[derive(Debug, Clone)]
pub struct SecondaryIndex<K> {
    pub(crate) by_primary: Rows,
    pub(crate) by_secondary: Rows<(K, u64)>,
}

impl<K: Copy + Default> Default for SecondaryIndex<K> {
    fn default() -> Self {
        Self { by_primary: Rows::default(), by_secondary: Rows::default() }
    }
}

/// All secondary indexes of one table.
#[derive(Debug, Clone, Default)]
pub struct SecondaryRows {
    idx64: SecondaryIndex<u64>,
    idx128: SecondaryIndex<Key128>,
    idx256: SecondaryIndex<Key256>,
    double: SecondaryIndex<Float64>,
    long_double: SecondaryIndex<Float128>,
}

impl SecondaryRows {
    /// Kind and primary key of every row.
    pub(crate) fn primary_keys(&self) -> impl Iterator<Item = (u8, u64)> {
        fn of<K: SecondaryKey>(index: &SecondaryIndex<K>) -> impl Iterator<Item = (u8, u64)> {
            index.by_primary.iter().map(|(primary, _)| (K::KIND, primary))
        }
        let Self { idx64, idx128, idx256, double, long_double } = self;
        of(idx64).chain(of(idx128)).chain(of(idx256)).chain(of(double)).chain(of(long_double))
    }
}

/// All rows of secondary indexes.
#[derive(Debug, Default)]
pub struct Secondaries {
    idx64: Slab<SecondaryRow<u64>>,
    idx128: Slab<SecondaryRow<Key128>>,
    idx256: Slab<SecondaryRow<Key256>>,
    double: Slab<SecondaryRow<Float64>>,
    long_double: Slab<SecondaryRow<Float128>>,
}

/// How a change of a secondary index is undone.
#[derive(Debug)]
pub enum SecondaryUndo<K> {
    /// Remove it. Its table's order and its primary key.
    Inserted(SecondaryId, u64, u64),
    /// Give it payer and key back. Its table's order and its primary key.
    Updated(SecondaryId, u64, u64, Name, K),
    /// Put it back. Its table's order.
    Removed(u64, SecondaryRow<K>),
}

/// How a change of an index of any kind is undone.
#[derive(Debug)]
pub enum IndexUndo {
    /// Over u64.
    Index64(Box<SecondaryUndo<u64>>),
    /// Over u128.
    Index128(Box<SecondaryUndo<Key128>>),
    /// Over 256-bit keys.
    Index256(Box<SecondaryUndo<Key256>>),
    /// Over doubles.
    Double(Box<SecondaryUndo<Float64>>),
    /// Over long doubles.
    LongDouble(Box<SecondaryUndo<Float128>>),
}

impl IndexUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Index64(undo) => size_of_val(&**undo),
            Self::Index128(undo) => size_of_val(&**undo),
            Self::Index256(undo) => size_of_val(&**undo),
            Self::Double(undo) => size_of_val(&**undo),
            Self::LongDouble(undo) => size_of_val(&**undo),
        }
    }
}

impl IndexUndo {
    /// Whether this is still needed, given what earlier entries of the block say.
    pub(crate) fn is_needed(&mut self, seen: &mut impl Seen<IndexRowKey>) -> bool {
        match self {
            Self::Index64(undo) => undo.is_needed(seen),
            Self::Index128(undo) => undo.is_needed(seen),
            Self::Index256(undo) => undo.is_needed(seen),
            Self::Double(undo) => undo.is_needed(seen),
            Self::LongDouble(undo) => undo.is_needed(seen),
        }
    }
}

impl<K: SecondaryKey> SecondaryUndo<K> {
    fn is_needed(&self, seen: &mut impl Seen<IndexRowKey>) -> bool {
        let mut first = |table, primary| seen.first(IndexRowKey { kind: K::KIND, table, primary });
        match self {
            Self::Updated(_, table, primary, ..) => return first(*table, *primary),
            Self::Inserted(_, table, primary) => {
                first(*table, *primary);
            }
            Self::Removed(table, row) => {
                first(*table, row.primary);
            }
        }
        true
    }
}

/// One of the five kinds of secondary keys.
pub trait SecondaryKey: Copy + Ord + Default + Pack + Unpack + std::fmt::Debug + 'static {
    /// RAM of a row, in bytes.
    const RAM_BYTES: i64;
    /// Number of the kind: 0 for u64 to 4 for long double, nodeos' order.
    const KIND: u8;
    /// The rows of this kind.
    #[doc(hidden)]
    fn rows(of: &Secondaries) -> &Slab<SecondaryRow<Self>>;
    #[doc(hidden)]
    fn rows_mut(of: &mut Secondaries) -> &mut Slab<SecondaryRow<Self>>;
    #[doc(hidden)]
    fn index(of: &SecondaryRows) -> &SecondaryIndex<Self>;
    #[doc(hidden)]
    fn index_mut(of: &mut SecondaryRows) -> &mut SecondaryIndex<Self>;
    #[doc(hidden)]
    fn undo(undo: SecondaryUndo<Self>) -> IndexUndo;
}

macro_rules! kinds {
    ($($number:literal $key:ty, $field:ident, $undo:ident, $ram_bytes:literal;)*) => {$(
        impl SecondaryKey for $key {
            const RAM_BYTES: i64 = $ram_bytes;
            const KIND: u8 = $number;
            fn rows(of: &Secondaries) -> &Slab<SecondaryRow<Self>> {
                &of.$field
            }
            fn rows_mut(of: &mut Secondaries) -> &mut Slab<SecondaryRow<Self>> {
                &mut of.$field
            }
            fn index(of: &SecondaryRows) -> &SecondaryIndex<Self> {
                &of.$field
            }
            fn index_mut(of: &mut SecondaryRows) -> &mut SecondaryIndex<Self> {
                &mut of.$field
            }
            fn undo(undo: SecondaryUndo<Self>) -> IndexUndo {
                IndexUndo::$undo(Box::new(undo))
            }
        }
    )*};
}
kinds! {
    0 u64, idx64, Index64, 128;
    1 Key128, idx128, Index128, 144;
    2 Key256, idx256, Index256, 160;
    3 Float64, double, Double, 128;
    4 Float128, long_double, LongDouble, 144;
}

impl Ledger {
    /// A row of a secondary index.
    #[inline]
    pub fn secondary<K: SecondaryKey>(&self, id: SecondaryId) -> &SecondaryRow<K> {
        K::rows(&self.contracts.secondaries).row(id.0)
    }

    /// Adds a row; `None` when the table has one for this primary key. The caller bills.
    pub fn insert_secondary<K: SecondaryKey>(
        &mut self,
        table: TableId,
        primary: u64,
        payer: Name,
        secondary: K,
    ) -> Option<SecondaryId> {
        if self.secondary_find_primary::<K>(table, primary).is_some() {
            return None;
        }
        let mut stamp = Stamp::default();
        self.epoch.stamp(&mut stamp);
        let order = self.table(table).order;
        self.mark_dirty(IndexRowKey { kind: K::KIND, table: order, primary });
        let id = self.put_secondary(SecondaryRow { primary, payer, secondary, table, stamp });
        self.journal.push(K::undo(SecondaryUndo::Inserted(id, order, primary)).into());
        Some(id)
    }

    /// Gives a row another key and payer. The caller bills the difference.
    pub fn update_secondary<K: SecondaryKey>(&mut self, id: SecondaryId, payer: Name, secondary: K) {
        let (order, primary) = self.list_secondary::<K>(id);
        let (payer, old) = self.replace_secondary(id, payer, secondary);
        self.journal.push(K::undo(SecondaryUndo::Updated(id, order, primary, payer, old)).into());
    }

    /// Removes a row; the table stays, also when it is empty now.
    pub fn remove_secondary<K: SecondaryKey>(&mut self, id: SecondaryId) {
        let (order, _) = self.list_secondary::<K>(id);
        let row = self.take_secondary::<K>(id);
        self.journal.push(K::undo(SecondaryUndo::Removed(order, row)).into());
    }

    /// The row for a primary key.
    pub fn secondary_find_primary<K: SecondaryKey>(&self, table: TableId, primary: u64) -> Option<SecondaryId> {
        self.secondary_index::<K>(table)?.by_primary.get(&primary).map(SecondaryId)
    }

    /// The first row for exactly this secondary key.
    pub fn secondary_find<K: SecondaryKey>(&self, table: TableId, secondary: K) -> Option<SecondaryId> {
        let found = self.secondary_lower_bound(table, secondary)?;
        (self.secondary::<K>(found).secondary == secondary).then_some(found)
    }

    /// The first row whose secondary key is not below `secondary`.
    pub fn secondary_lower_bound<K: SecondaryKey>(&self, table: TableId, secondary: K) -> Option<SecondaryId> {
        self.secondary_lower_bound_at(table, secondary, 0)
    }

    /// The first row that is not below (`secondary`, `primary`).
    pub fn secondary_lower_bound_at<K: SecondaryKey>(
        &self,
        table: TableId,
        secondary: K,
        primary: u64,
    ) -> Option<SecondaryId> {
        self.secondary_index::<K>(table)?.by_secondary.lower_bound(&(secondary, primary)).map(handle)
    }

    /// The first row whose secondary key is above `secondary`.
    pub fn secondary_upper_bound<K: SecondaryKey>(&self, table: TableId, secondary: K) -> Option<SecondaryId> {
        self.secondary_index::<K>(table)?.by_secondary.upper_bound(&(secondary, u64::MAX)).map(handle)
    }

    /// The first row whose primary key is not below `primary`.
    pub fn secondary_primary_lower_bound<K: SecondaryKey>(&self, table: TableId, primary: u64) -> Option<SecondaryId> {
        self.secondary_index::<K>(table)?.by_primary.lower_bound(&primary).map(handle)
    }

    /// The first row whose primary key is above `primary`.
    pub fn secondary_primary_upper_bound<K: SecondaryKey>(&self, table: TableId, primary: u64) -> Option<SecondaryId> {
        self.secondary_index::<K>(table)?.by_primary.upper_bound(&primary).map(handle)
    }

    /// The row after this one by secondary key.
    pub fn next_secondary<K: SecondaryKey>(&self, id: SecondaryId) -> Option<SecondaryId> {
        let row = self.secondary::<K>(id);
        let key = (row.secondary, row.primary);
        self.secondary_index::<K>(row.table)?.by_secondary.upper_bound(&key).map(handle)
    }

    /// The row before this one by secondary key.
    pub fn previous_secondary<K: SecondaryKey>(&self, id: SecondaryId) -> Option<SecondaryId> {
        let row = self.secondary::<K>(id);
        let key = (row.secondary, row.primary);
        self.secondary_index::<K>(row.table)?.by_secondary.before(&key).map(handle)
    }

    /// The last row by secondary key.
    pub fn last_secondary<K: SecondaryKey>(&self, table: TableId) -> Option<SecondaryId> {
        self.secondary_index::<K>(table)?.by_secondary.last().map(handle)
    }

    /// The row after this one by primary key.
    pub fn next_secondary_by_primary<K: SecondaryKey>(&self, id: SecondaryId) -> Option<SecondaryId> {
        let row = self.secondary::<K>(id);
        self.secondary_index::<K>(row.table)?.by_primary.upper_bound(&row.primary).map(handle)
    }

    /// The row before this one by primary key.
    pub fn previous_secondary_by_primary<K: SecondaryKey>(&self, id: SecondaryId) -> Option<SecondaryId> {
        let row = self.secondary::<K>(id);
        self.secondary_index::<K>(row.table)?.by_primary.before(&row.primary).map(handle)
    }

    /// The last row by primary key.
    pub fn last_secondary_by_primary<K: SecondaryKey>(&self, table: TableId) -> Option<SecondaryId> {
        self.secondary_index::<K>(table)?.by_primary.last().map(handle)
    }

    /// Rows of a table's index of one kind, ascending by primary key.
    pub(crate) fn secondaries_by_primary<K: SecondaryKey>(&self, table: TableId) -> Vec<&SecondaryRow<K>> {
        let index = self.secondary_index::<K>(table);
        let handles = index.into_iter().flat_map(|index| index.by_primary.iter());
        handles.map(|(_, handle)| K::rows(&self.contracts.secondaries).row(handle)).collect()
    }

    fn secondary_index<K: SecondaryKey>(&self, table: TableId) -> Option<&SecondaryIndex<K>> {
        self.table(table).secondary.as_deref().map(K::index)
    }

    pub(crate) fn put_secondary<K: SecondaryKey>(&mut self, row: SecondaryRow<K>) -> SecondaryId {
        let (table, primary, secondary) = (row.table, row.primary, row.secondary);
        let id = K::rows_mut(&mut self.contracts.secondaries).insert(row);
        let table = self.contracts.tables.row_mut(table.0);
        table.count = table.count.wrapping_add(1);
        let index = K::index_mut(table.secondary.get_or_insert_default());
        index.by_primary.insert(primary, id);
        index.by_secondary.insert((secondary, primary), id);
        SecondaryId(id)
    }

    pub(crate) fn take_secondary<K: SecondaryKey>(&mut self, id: SecondaryId) -> SecondaryRow<K> {
        let row = K::rows_mut(&mut self.contracts.secondaries).remove(id.0);
        let table = self.contracts.tables.row_mut(row.table.0);
        table.count = table.count.wrapping_sub(1);
        let index = K::index_mut(table.secondary.get_or_insert_default());
        index.by_primary.remove(&row.primary);
        index.by_secondary.remove(&(row.secondary, row.primary));
        row
    }

    pub(crate) fn replace_secondary<K: SecondaryKey>(&mut self, id: SecondaryId, payer: Name, new: K) -> (Name, K) {
        let row = K::rows_mut(&mut self.contracts.secondaries).row_mut(id.0);
        let old_payer = std::mem::replace(&mut row.payer, payer);
        let old = std::mem::replace(&mut row.secondary, new);
        if old != new {
            let (table, primary) = (row.table, row.primary);
            let index = K::index_mut(self.contracts.tables.row_mut(table.0).secondary.get_or_insert_default());
            index.by_secondary.remove(&(old, primary));
            index.by_secondary.insert((new, primary), id.0);
        }
        (old_payer, old)
    }

    pub(crate) fn undo_index(&mut self, undo: IndexUndo) {
        match undo {
            IndexUndo::Index64(undo) => self.undo_secondary(*undo),
            IndexUndo::Index128(undo) => self.undo_secondary(*undo),
            IndexUndo::Index256(undo) => self.undo_secondary(*undo),
            IndexUndo::Double(undo) => self.undo_secondary(*undo),
            IndexUndo::LongDouble(undo) => self.undo_secondary(*undo),
        }
    }

    fn undo_secondary<K: SecondaryKey>(&mut self, undo: SecondaryUndo<K>) {
        match undo {
            SecondaryUndo::Inserted(id, ..) => drop(self.take_secondary::<K>(id)),
            SecondaryUndo::Updated(id, _, _, payer, key) => drop(self.replace_secondary(id, payer, key)),
            SecondaryUndo::Removed(_, row) => {
                // What comes back counts as unmarked: a key that is marked twice does no harm.
                self.put_secondary(SecondaryRow { stamp: Stamp::default(), ..row });
            }
        }
    }

    /// Lists a row; returns its table's order and its primary key.
    fn list_secondary<K: SecondaryKey>(&mut self, id: SecondaryId) -> (u64, u64) {
        let row = K::rows_mut(&mut self.contracts.secondaries).row_mut(id.0);
        let (order, primary) = (self.contracts.tables.row(row.table.0).order, row.primary);
        if self.epoch.stamp(&mut row.stamp) {
            self.mark_dirty(IndexRowKey { kind: K::KIND, table: order, primary });
        }
        (order, primary)
    }
}

fn handle<K>((_, handle): (K, u32)) -> SecondaryId {
    SecondaryId(handle)
}
