//! Tables: rows by primary key, with iteration and bounds, and secondary keys kept in step.
//!
//! The rules are those of `eosio::multi_index`: who pays, which calls reach the host, and what the faults say.

use crate::codec::{Pack, Unpack, Writer, pack, unpack};
use crate::fail::{check, fail};
use crate::index::{Index, IndexOf, SecondaryKey};
use crate::name::Name;
use crate::ordered::{Lookup, Scope};
use crate::{chain, raw};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::{Bound, Deref, RangeBounds};

/// Who pays after a change stays who paid before it.
pub const SAME_PAYER: Name = Name(0);

/// What the host says instead of a row or an end when there is no table.
pub(crate) const NO_TABLE: i32 = -1;
/// In place of a row: nobody needed it yet. The host never gives it.
pub(crate) const NOT_ASKED: i32 = i32::MIN;

/// Bytes of rows that are read without asking for their size first.
const ROW_BUFFER: usize = 512;

/// A struct that is a row of a table; `#[table]` writes this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of a table",
    note = "a row is a struct with #[table(\"name\")] and a field with #[primary]"
)]
pub trait Row: Pack + for<'a> Unpack<'a> {
    /// The table's name.
    const TABLE: Name;
    /// The keys of the secondary indexes, in their order.
    type Secondary;
    /// The row's primary key.
    fn primary_key(&self) -> u64;
    /// The row's secondary keys.
    fn secondary(&self) -> Self::Secondary;
    /// Adds the row to its indexes.
    fn store_secondary(&self, _scope: u64, _payer: Name) {}
    /// Moves the row in the indexes whose key differs from `before`.
    fn update_secondary(&self, _before: &Self::Secondary, _code: Name, _scope: u64, _payer: Name) {}
    /// Takes the row out of its indexes.
    fn remove_secondary(&self, _code: Name, _scope: u64) {}
}

/// The secondary keys of a row that has none.
pub struct NoKeys;

/// The rows of one contract, table and scope.
pub struct Table<R> {
    pub(crate) code: Name,
    pub(crate) scope: u64,
    row: PhantomData<R>,
}

impl<R> Clone for Table<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Table<R> {}

impl<R> Table<R> {
    /// The table of contract `code` in `scope` (a name, a symbol code or a number).
    pub fn new(code: Name, scope: impl Scope) -> Self
    where
        R: Row, // here and not at the impl, so that the compiler says of what is not a row that it is not
    {
        Self { code, scope: scope.scope(), row: PhantomData }
    }
}

impl<R: Row> Table<R> {
    /// The row with this primary key.
    pub fn find(&self, key: impl Lookup) -> Option<Entry<R>> {
        // SAFETY: no pointers.
        let row = unsafe { raw::db_find_i64(self.code.0, self.scope, R::TABLE.0, key.key()) };
        self.load(row)
    }

    /// The row with this primary key; fails with `message` without it.
    pub fn get(&self, key: impl Lookup, message: &str) -> Entry<R> {
        match self.find(key) {
            Some(entry) => entry,
            None => fail(message),
        }
    }

    /// Whether there is a row with this primary key.
    pub fn contains(&self, key: impl Lookup) -> bool {
        // SAFETY: no pointers.
        unsafe { raw::db_find_i64(self.code.0, self.scope, R::TABLE.0, key.key()) >= 0 }
    }

    /// Adds a row that `payer` pays for. A key that is taken fails the action.
    pub fn insert(&self, payer: Name, row: R) -> Entry<R> {
        check(self.code == chain::current_receiver(), "cannot create objects in table of another contract");
        let packed = pack(&row);
        // SAFETY: pointer and length are those of a live vector.
        let iterator = unsafe {
            raw::db_store_i64(self.scope, R::TABLE.0, payer.0, row.primary_key(), packed.as_ptr(), packed.len() as u32)
        };
        row.store_secondary(self.scope, payer);
        Entry { table: *self, iterator, row }
    }

    /// All rows, by ascending key; `.rev()` begins at the greatest.
    pub fn iter(&self) -> Rows<R> {
        self.lower_bound(0u64)
    }

    /// The rows whose key is `key` or above.
    pub fn lower_bound(&self, key: impl Lookup) -> Rows<R> {
        Rows { table: *self, front: self.first_from(key.key()), back: NOT_ASKED }
    }

    /// The rows whose key is above `key`.
    pub fn upper_bound(&self, key: impl Lookup) -> Rows<R> {
        Rows { table: *self, front: self.first_after(key.key()), back: NOT_ASKED }
    }

    /// The rows whose keys are in the range, as in `table.range(10..20)` or `table.range(..=last).rev()`.
    pub fn range<K: Lookup + Copy>(&self, keys: impl RangeBounds<K>) -> Rows<R> {
        let front = match keys.start_bound() {
            Bound::Included(key) => self.first_from((*key).key()),
            Bound::Excluded(key) => self.first_after((*key).key()),
            Bound::Unbounded => self.first_from(0),
        };
        let after = match keys.end_bound() {
            Bound::Included(key) => self.first_after((*key).key()),
            Bound::Excluded(key) => self.first_from((*key).key()),
            Bound::Unbounded => return Rows { table: *self, front, back: NOT_ASKED },
        };
        check_ascending(keys.start_bound(), keys.end_bound(), |a, b| (*a).key() <= (*b).key());
        let back = if front < 0 || front == after { -1 } else { self.before(after) };
        Rows { table: *self, front: if back < 0 { -1 } else { front }, back }
    }

    /// The row with the greatest key.
    pub fn last(&self) -> Option<Entry<R>> {
        self.load(self.before(self.end()))
    }

    fn first_from(&self, key: u64) -> i32 {
        // SAFETY: no pointers.
        unsafe { raw::db_lowerbound_i64(self.code.0, self.scope, R::TABLE.0, key) }
    }

    fn first_after(&self, key: u64) -> i32 {
        // SAFETY: no pointers.
        unsafe { raw::db_upperbound_i64(self.code.0, self.scope, R::TABLE.0, key) }
    }

    fn end(&self) -> i32 {
        // SAFETY: no pointers.
        unsafe { raw::db_end_i64(self.code.0, self.scope, R::TABLE.0) }
    }

    /// The row before a row or the table's end.
    fn before(&self, iterator: i32) -> i32 {
        if iterator == NO_TABLE {
            return NO_TABLE;
        }
        // SAFETY: the host writes one number.
        unsafe { raw::db_previous_i64(iterator, &mut 0) }
    }

    /// Takes up to `limit` rows out of the table, from the least key on; how many it were. What is left is for another
    /// action: none may run longer than the chain allows.
    pub fn clear(&self, limit: usize) -> usize {
        self.iter().take(limit).map(Entry::remove).count()
    }

    /// A key greater than every key in the table: one more than the last, or 0.
    pub fn available_primary_key(&self) -> u64 {
        let next = self.last().map_or(0, |entry| entry.primary_key().saturating_add(1));
        check(next < u64::MAX - 1, "next primary key in table is at autoincrement limit");
        next
    }

    /// The table in the order of a secondary index.
    pub fn index<K: SecondaryKey>(&self, index: IndexOf<R, K>) -> Index<R, K> {
        Index::new(*self, index)
    }

    pub(crate) fn load(&self, iterator: i32) -> Option<Entry<R>> {
        (iterator >= 0).then(|| Entry { table: *self, iterator, row: read_row(iterator) })
    }
}

/// Reads a row; small ones with a single call of the host.
fn read_row<R: Row>(iterator: i32) -> R {
    let mut buffer = [MaybeUninit::<u8>::uninit(); ROW_BUFFER];
    // SAFETY: the host writes at most the given length, and only what it wrote is read.
    unsafe {
        let start = buffer.as_mut_ptr().cast::<u8>();
        let size = raw::db_get_i64(iterator, start, ROW_BUFFER as u32) as usize;
        if size < ROW_BUFFER {
            return unpack(core::slice::from_raw_parts(start, size));
        }
    }
    unpack(&read_large(iterator))
}

#[cold]
#[inline(never)]
fn read_large(iterator: i32) -> Writer {
    // SAFETY: a length of 0 asks for the size alone; then the host fills a buffer of that size.
    unsafe {
        let size = raw::db_get_i64(iterator, core::ptr::null_mut(), 0) as usize;
        let mut bytes = Writer::with_capacity(size);
        bytes.fill(size, |start| raw::db_get_i64(iterator, start, size as u32) as usize);
        bytes
    }
}

/// A row and its place in the table. Reads like the row itself.
pub struct Entry<R> {
    table: Table<R>,
    iterator: i32,
    row: R,
}

impl<R> Deref for Entry<R> {
    type Target = R;
    fn deref(&self) -> &R {
        &self.row
    }
}

impl<R: Row> Entry<R> {
    /// Changes the row; `payer` pays from now on ([`SAME_PAYER`]: as before). The primary key must stay.
    pub fn modify(&mut self, payer: Name, change: impl FnOnce(&mut R)) {
        let key = self.row.primary_key();
        let before = self.row.secondary();
        change(&mut self.row);
        check(key == self.row.primary_key(), "updater cannot change primary key when modifying an object");
        let packed = pack(&self.row);
        // SAFETY: pointer and length are those of a live vector.
        unsafe { raw::db_update_i64(self.iterator, payer.0, packed.as_ptr(), packed.len() as u32) };
        self.row.update_secondary(&before, self.table.code, self.table.scope, payer);
    }

    /// Takes the row out of the table.
    pub fn remove(self) -> R {
        // SAFETY: no pointers.
        unsafe { raw::db_remove_i64(self.iterator) };
        self.row.remove_secondary(self.table.code, self.table.scope);
        self.row
    }

    /// The row after this one by primary key.
    pub fn next(&self) -> Option<Self> {
        // SAFETY: the host writes one number.
        self.table.load(unsafe { raw::db_next_i64(self.iterator, &mut 0) })
    }

    /// The row before this one by primary key.
    pub fn previous(&self) -> Option<Self> {
        // SAFETY: the host writes one number.
        self.table.load(unsafe { raw::db_previous_i64(self.iterator, &mut 0) })
    }

    /// The row, to be changed and then [saved](Self::save). Only for rows without secondary indexes.
    pub fn row_mut(&mut self) -> &mut R
    where
        R: Row<Secondary = NoKeys>,
    {
        &mut self.row
    }

    /// Writes a row changed through [`Self::row_mut`].
    pub fn save(&mut self, payer: Name)
    where
        R: Row<Secondary = NoKeys>,
    {
        let packed = pack(&self.row);
        // SAFETY: pointer and length are those of a live vector.
        unsafe { raw::db_update_i64(self.iterator, payer.0, packed.as_ptr(), packed.len() as u32) };
    }

    /// The row alone.
    pub fn into_row(self) -> R {
        self.row
    }
}

/// Rows by ascending primary key. The place of the next row is taken before a row is given out, so that row may be removed.
pub struct Rows<R> {
    table: Table<R>,
    /// The first row not yet given out; negative when there is none.
    front: i32,
    /// The last row not yet given out, or [`NOT_ASKED`] while that is the table's last.
    back: i32,
}

impl<R: Row> Iterator for Rows<R> {
    type Item = Entry<R>;

    fn next(&mut self) -> Option<Entry<R>> {
        let entry = self.table.load(self.front)?;
        // SAFETY: the host writes one number.
        self.front = if self.front == self.back { -1 } else { unsafe { raw::db_next_i64(self.front, &mut 0) } };
        Some(entry)
    }
}

impl<R: Row> DoubleEndedIterator for Rows<R> {
    fn next_back(&mut self) -> Option<Entry<R>> {
        if self.front < 0 {
            return None;
        }
        if self.back == NOT_ASKED {
            self.back = self.table.before(self.table.end());
        }
        let entry = self.table.load(self.back);
        match self.front == self.back {
            true => self.front = -1,
            false => self.back = self.table.before(self.back),
        }
        entry
    }
}

/// Fails when a range ends before it begins, as ranges of the standard library do.
pub(crate) fn check_ascending<K>(start: Bound<&K>, end: Bound<&K>, ascending: impl Fn(&K, &K) -> bool) {
    if let (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) = (start, end)
    {
        check(ascending(start, end), "range start is greater than range end");
    }
}
