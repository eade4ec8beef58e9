//! Secondary indexes: five kinds of keys, each with its own family of host functions.

use crate::digest::Checksum256;
use crate::fail::fail;
use crate::float128::Float128;
use crate::name::Name;
use crate::ordered::OrderedKey;
use crate::raw;
use crate::table::{Entry, NO_TABLE, NOT_ASKED, Row, Table, check_ascending};
use core::marker::PhantomData;
use core::ops::{Bound, RangeBounds};

/// Which index of which table; `#[table]` makes one constant of these per index.
pub struct IndexOf<R, K> {
    number: u64,
    kind: PhantomData<fn() -> (R, K)>,
}

impl<R: Row, K> IndexOf<R, K> {
    /// The index with this place in the table's list.
    pub const fn new(number: u64) -> Self {
        Self { number, kind: PhantomData }
    }

    /// The index's own table name: the table's with the place in its low bits.
    pub const fn table(&self) -> u64 {
        R::TABLE.0 & !0xf | self.number
    }
}

/// A key kept in a secondary index.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of an index",
    label = "not a key",
    note = "keys are whole numbers, bool, Name, Symbol, SymbolCode, times, f64, Float128, Checksum256 and pairs of those \
            that fit 64 bits; index(name: KEY = EXPRESSION) makes one of anything"
)]
pub trait SecondaryKey: Copy + PartialOrd {
    /// Whether two keys have the same bits (what decides whether the index is touched).
    fn same(&self, other: &Self) -> bool;
    /// Adds a key.
    fn store(&self, scope: u64, table: u64, payer: Name, id: u64) -> i32;
    /// Changes a key.
    fn update(&self, row: i32, payer: Name);
    /// Removes a key.
    fn remove(row: i32);
    /// The place of a row in the index, by its primary key.
    fn find_primary(code: Name, scope: u64, table: u64, id: u64) -> i32;
    /// The first row with exactly this key, and its primary key.
    fn find(&self, code: Name, scope: u64, table: u64) -> (i32, u64);
    /// The first row with this key or a greater one.
    fn lower_bound(&self, code: Name, scope: u64, table: u64) -> (i32, u64);
    /// The first row with a greater key.
    fn upper_bound(&self, code: Name, scope: u64, table: u64) -> (i32, u64);
    /// The row after.
    fn next(row: i32) -> (i32, u64);
    /// The row before.
    fn previous(row: i32) -> (i32, u64);
    /// The place after the last row.
    fn end(code: Name, scope: u64, table: u64) -> i32;
    /// The least key.
    fn least() -> Self;
}

macro_rules! secondary_key {
    ([$($generics:tt)*] $key:ty, $wire:ty, $to_wire:expr, $least:expr, ($($words:literal)?), $store:ident $update:ident $remove:ident
     $find_primary:ident $find:ident $lower:ident $upper:ident $next:ident $previous:ident $end:ident) => {
        #[allow(clippy::undocumented_unsafe_blocks, reason = "the host reads or writes one key and one number, which live here")]
        impl<$($generics)*> SecondaryKey for $key {
            fn same(&self, other: &Self) -> bool {
                let wire: fn(&$key) -> $wire = $to_wire;
                let (a, b) = (wire(self), wire(other));
                // SAFETY: plain numbers without padding.
                unsafe {
                    core::slice::from_raw_parts((&raw const a).cast::<u8>(), size_of::<$wire>())
                        == core::slice::from_raw_parts((&raw const b).cast::<u8>(), size_of::<$wire>())
                }
            }
            fn store(&self, scope: u64, table: u64, payer: Name, id: u64) -> i32 {
                let wire: fn(&$key) -> $wire = $to_wire;
                unsafe { raw::$store(scope, table, payer.0, id, (&raw const *&wire(self)).cast() $(, $words)?) }
            }
            fn update(&self, row: i32, payer: Name) {
                let wire: fn(&$key) -> $wire = $to_wire;
                unsafe { raw::$update(row, payer.0, (&raw const *&wire(self)).cast() $(, $words)?) }
            }
            fn remove(row: i32) {
                unsafe { raw::$remove(row) }
            }
            fn find_primary(code: Name, scope: u64, table: u64, id: u64) -> i32 {
                let mut key = <$wire>::default();
                unsafe { raw::$find_primary(code.0, scope, table, (&raw mut key).cast() $(, $words)?, id) }
            }
            fn find(&self, code: Name, scope: u64, table: u64) -> (i32, u64) {
                let wire: fn(&$key) -> $wire = $to_wire;
                let (key, mut id) = (wire(self), 0);
                (unsafe { raw::$find(code.0, scope, table, (&raw const key).cast() $(, $words)?, &mut id) }, id)
            }
            fn lower_bound(&self, code: Name, scope: u64, table: u64) -> (i32, u64) {
                let wire: fn(&$key) -> $wire = $to_wire;
                let (mut key, mut id) = (wire(self), 0);
                (unsafe { raw::$lower(code.0, scope, table, (&raw mut key).cast() $(, $words)?, &mut id) }, id)
            }
            fn upper_bound(&self, code: Name, scope: u64, table: u64) -> (i32, u64) {
                let wire: fn(&$key) -> $wire = $to_wire;
                let (mut key, mut id) = (wire(self), 0);
                (unsafe { raw::$upper(code.0, scope, table, (&raw mut key).cast() $(, $words)?, &mut id) }, id)
            }
            fn next(row: i32) -> (i32, u64) {
                let mut id = 0;
                (unsafe { raw::$next(row, &mut id) }, id)
            }
            fn previous(row: i32) -> (i32, u64) {
                let mut id = 0;
                (unsafe { raw::$previous(row, &mut id) }, id)
            }
            fn end(code: Name, scope: u64, table: u64) -> i32 {
                unsafe { raw::$end(code.0, scope, table) }
            }
            fn least() -> Self {
                $least
            }
        }
    };
}

/// A digest is ordered by its bytes: two words, each with its first byte on top.
fn words(digest: &Checksum256) -> [u128; 2] {
    let half = |at: usize| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.0[at..at + 16]);
        u128::from_be_bytes(bytes)
    };
    [half(0), half(16)]
}

secondary_key!([K: OrderedKey] K, u64, |key| key.ordered(), K::LEAST, (), db_idx64_store db_idx64_update db_idx64_remove
    db_idx64_find_primary db_idx64_find_secondary db_idx64_lowerbound db_idx64_upperbound db_idx64_next db_idx64_previous
    db_idx64_end);
secondary_key!([] f64, f64, |key| *key, f64::NEG_INFINITY, (), db_idx_double_store db_idx_double_update
    db_idx_double_remove db_idx_double_find_primary db_idx_double_find_secondary db_idx_double_lowerbound
    db_idx_double_upperbound db_idx_double_next db_idx_double_previous db_idx_double_end);
secondary_key!([] Float128, u128, |key| key.0, Float128(0xffff << 112), (), db_idx_long_double_store
    db_idx_long_double_update db_idx_long_double_remove db_idx_long_double_find_primary
    db_idx_long_double_find_secondary db_idx_long_double_lowerbound db_idx_long_double_upperbound
    db_idx_long_double_next db_idx_long_double_previous db_idx_long_double_end);
secondary_key!([] Checksum256, [u128; 2], words, Checksum256([0; 32]), (2), db_idx256_store db_idx256_update
    db_idx256_remove db_idx256_find_primary db_idx256_find_secondary db_idx256_lowerbound db_idx256_upperbound
    db_idx256_next db_idx256_previous db_idx256_end);

macro_rules! wide_keys {
    ($([$($generics:tt)*] $key:ty, $to_wire:expr, $least:expr;)+) => { $(
        secondary_key!([$($generics)*] $key, u128, $to_wire, $least, (), db_idx128_store db_idx128_update
            db_idx128_remove db_idx128_find_primary db_idx128_find_secondary db_idx128_lowerbound db_idx128_upperbound
            db_idx128_next db_idx128_previous db_idx128_end);
    )+ };
}
wide_keys! {
    [] u128, |key| *key, 0;
    [] i128, |key| *key as u128 ^ 1 << 127, i128::MIN;
    [A: OrderedKey, B: OrderedKey] (A, B), |key| u128::from(key.0.ordered()) << 64 | u128::from(key.1.ordered()),
        (A::LEAST, B::LEAST);
}

/// Says of a type that it is a key; what `#[table]` writes asks here, at the type.
pub const fn is_key<K: SecondaryKey>() {}

/// Moves a row's key when it changed; called by what `#[table]` writes.
pub fn update_key<K: SecondaryKey>(before: &K, after: &K, code: Name, scope: u64, table: u64, payer: Name, id: u64) {
    if !before.same(after) {
        after.update(K::find_primary(code, scope, table, id), payer);
    }
}

/// Removes a row's key; called by what `#[table]` writes.
pub fn remove_key<K: SecondaryKey>(code: Name, scope: u64, table: u64, id: u64) {
    let row = K::find_primary(code, scope, table, id);
    if row >= 0 {
        K::remove(row);
    }
}

/// A table in the order of one of its indexes.
pub struct Index<R, K> {
    rows: Table<R>,
    table: u64,
    key: PhantomData<fn() -> K>,
}

impl<R, K> Clone for Index<R, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, K> Copy for Index<R, K> {}

impl<R: Row, K: SecondaryKey> Index<R, K> {
    pub(crate) fn new(rows: Table<R>, index: IndexOf<R, K>) -> Self {
        Self { rows, table: index.table(), key: PhantomData }
    }

    /// The first row with exactly this key.
    pub fn find(&self, key: K) -> Option<Entry<R>> {
        self.load(key.find(self.rows.code, self.rows.scope, self.table))
    }

    /// The first row with exactly this key; fails with `message` without it.
    pub fn get(&self, key: K, message: &str) -> Entry<R> {
        match self.find(key) {
            Some(entry) => entry,
            None => fail(message),
        }
    }

    /// All rows, by ascending secondary key; `.rev()` begins at the greatest.
    pub fn iter(&self) -> IndexRows<R, K> {
        self.lower_bound(K::least())
    }

    /// The rows whose secondary key is `key` or above.
    pub fn lower_bound(&self, key: K) -> IndexRows<R, K> {
        self.from(self.first_from(key))
    }

    /// The rows whose secondary key is above `key`.
    pub fn upper_bound(&self, key: K) -> IndexRows<R, K> {
        self.from(self.first_after(key))
    }

    /// The rows whose secondary keys are in the range, as in `index.range(..=price).rev()`.
    pub fn range(&self, keys: impl RangeBounds<K>) -> IndexRows<R, K> {
        let front = match keys.start_bound() {
            Bound::Included(key) => self.first_from(*key),
            Bound::Excluded(key) => self.first_after(*key),
            Bound::Unbounded => self.first_from(K::least()),
        };
        let (after, _) = match keys.end_bound() {
            Bound::Included(key) => self.first_after(*key),
            Bound::Excluded(key) => self.first_from(*key),
            Bound::Unbounded => return self.from(front),
        };
        check_ascending(keys.start_bound(), keys.end_bound(), |a, b| a <= b);
        let back = if front.0 < 0 || front.0 == after { NOTHING } else { before::<K>(after) };
        let front = if back.0 < 0 { NOTHING } else { front };
        IndexRows { index: *self, front, back }
    }

    /// The row with the greatest secondary key.
    pub fn last(&self) -> Option<Entry<R>> {
        self.load(before::<K>(self.end()))
    }

    fn from(&self, front: (i32, u64)) -> IndexRows<R, K> {
        IndexRows { index: *self, front, back: (NOT_ASKED, 0) }
    }

    fn first_from(&self, key: K) -> (i32, u64) {
        key.lower_bound(self.rows.code, self.rows.scope, self.table)
    }

    fn first_after(&self, key: K) -> (i32, u64) {
        key.upper_bound(self.rows.code, self.rows.scope, self.table)
    }

    fn end(&self) -> i32 {
        K::end(self.rows.code, self.rows.scope, self.table)
    }

    fn load(&self, (at, id): (i32, u64)) -> Option<Entry<R>> {
        (at >= 0).then(|| self.rows.find(id)).flatten()
    }
}

/// In place of a row and its primary key.
const NOTHING: (i32, u64) = (NO_TABLE, 0);

/// The row before a row or the index's end.
fn before<K: SecondaryKey>(at: i32) -> (i32, u64) {
    if at == NO_TABLE { NOTHING } else { K::previous(at) }
}

/// Rows by ascending secondary key. The next place is taken before a row is given out, so that row may be removed.
pub struct IndexRows<R, K> {
    index: Index<R, K>,
    /// The first row not yet given out and its primary key; negative when there is none.
    front: (i32, u64),
    /// The last row not yet given out, or [`NOT_ASKED`] while that is the index's last.
    back: (i32, u64),
}

impl<R: Row, K: SecondaryKey> Iterator for IndexRows<R, K> {
    type Item = Entry<R>;

    fn next(&mut self) -> Option<Entry<R>> {
        if self.front.0 < 0 {
            return None;
        }
        let entry = self.index.load(self.front);
        self.front = if self.front.0 == self.back.0 { NOTHING } else { K::next(self.front.0) };
        entry
    }
}

impl<R: Row, K: SecondaryKey> DoubleEndedIterator for IndexRows<R, K> {
    fn next_back(&mut self) -> Option<Entry<R>> {
        if self.front.0 < 0 {
            return None;
        }
        if self.back.0 == NOT_ASKED {
            self.back = before::<K>(self.index.end());
        }
        let entry = self.index.load(self.back);
        match self.front.0 == self.back.0 {
            true => self.front = NOTHING,
            false => self.back = before::<K>(self.back.0),
        }
        entry
    }
}
