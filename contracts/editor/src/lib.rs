//! The row editor: writes rows and keys of the account that it is set on, just as they are given.
//!
//! `boreas dev set row` sets it in the contract's place for one transaction, a fork for as long as it copies. What comes is
//! taken as it is: whether rows and keys fit each other is the caller's affair.

#![no_std]

use sdk::prelude::*;
use sdk::raw;

/// The contract.
#[sdk::contract]
pub mod editor {
    use super::*;

    /// A row of a table: written where there are bytes, removed where there are none.
    #[derive(Record)]
    pub struct Row {
        /// The scope.
        pub scope: u64,
        /// The table.
        pub table: u64,
        /// Who pays for it; nobody is who paid before, or the account itself.
        pub payer: Name,
        /// The primary key.
        pub id: u64,
        /// What is in it.
        pub bytes: Option<Vec<u8>>,
    }

    /// An entry of a secondary index, which is written.
    #[derive(Record)]
    pub struct Key {
        /// The scope.
        pub scope: u64,
        /// The table, with the index' number in its last four bits.
        pub table: u64,
        /// Who pays for it.
        pub payer: Name,
        /// The primary key.
        pub id: u64,
        /// The key as contracts hand it to the chain. The kinds are told apart by `kind`, because two have 16 bytes.
        pub bytes: Vec<u8>,
        /// 0 to 4: 64 bits, 128 bits, 256 bits, double, long double.
        pub kind: u8,
    }

    /// Writes the rows {{rows}} and the keys {{keys}}.
    #[action]
    fn write(rows: Vec<Row>, keys: Vec<Key>) {
        require_auth(current_receiver());
        rows.iter().for_each(write_row);
        keys.iter().for_each(write_key);
    }

    /// Lets the account be `eosio`: the chain has set its code when this runs.
    #[action]
    fn setcode(_account: Ignore<Name>, _vmtype: Ignore<u8>, _vmversion: Ignore<u8>, _code: Ignore<[u8]>) {}

    /// Removes up to {{most}} entries of {{table}} in {{scope}}; {{turn}} tells one time from another.
    #[action]
    fn clear(scope: u64, table: u64, most: u32, turn: u32) {
        let _ = turn;
        require_auth(current_receiver());
        let mut left = most;
        clear_rows(scope, table, &mut left);
        for kind in KINDS {
            while left > 0 && kind.remove_first(scope, table) {
                left -= 1;
            }
        }
    }
}

fn write_row(row: &editor::Row) {
    let editor::Row { scope, table, payer, id, bytes } = row;
    // SAFETY: the pointers are those of a slice that is there.
    unsafe {
        let found = raw::db_find_i64(current_receiver().0, *scope, *table, *id);
        match bytes {
            None => {
                check(found >= 0, "there is no such row");
                raw::db_remove_i64(found);
            }
            Some(bytes) if found >= 0 => raw::db_update_i64(found, payer.0, bytes.as_ptr(), bytes.len() as u32),
            Some(bytes) => {
                let payer = if payer.0 == 0 { current_receiver() } else { *payer };
                raw::db_store_i64(*scope, *table, payer.0, *id, bytes.as_ptr(), bytes.len() as u32);
            }
        }
    }
}

fn write_key(key: &editor::Key) {
    let kind = KINDS.get(usize::from(key.kind));
    let Some(kind) = kind.filter(|kind| kind.bytes == key.bytes.len()) else { fail("there are no keys of this kind") };
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(key.bytes.chunks(WORD_BYTES)) {
        let mut whole = [0; WORD_BYTES];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u128::from_le_bytes(whole);
    }
    (kind.write)(key.scope, key.table, key.payer.0, key.id, words);
}

fn clear_rows(scope: u64, table: u64, left: &mut u32) {
    while *left > 0 {
        // SAFETY: nothing is pointed to.
        let row = unsafe { raw::db_lowerbound_i64(current_receiver().0, scope, table, 0) };
        if row < 0 {
            return;
        }
        // SAFETY: the row is there.
        unsafe { raw::db_remove_i64(row) };
        *left -= 1;
    }
}

/// Words of the longest key.
const WORDS: usize = 2;
/// Bytes of a word.
const WORD_BYTES: usize = 16;
/// The least key of a double and of a long double: minus infinity.
const LEAST_DOUBLE: u128 = 0xfff0 << 48;
const LEAST_LONG_DOUBLE: u128 = 0xffff << 112;

/// A kind of secondary index. Its keys are in words, the first bytes lowest.
struct Kind {
    bytes: usize,
    write: fn(u64, u64, u64, u64, [u128; WORDS]),
    first: fn(u64, u64) -> i32,
    remove: fn(i32),
}

impl Kind {
    fn remove_first(&self, scope: u64, table: u64) -> bool {
        let row = (self.first)(scope, table);
        if row >= 0 {
            (self.remove)(row);
        }
        row >= 0
    }
}

macro_rules! kind {
    ($bytes:literal, $wire:ty, $least:expr, ($($length:literal)?), $store:ident, $update:ident, $remove:ident,
     $find_primary:ident, $lowerbound:ident) => {
        Kind {
            bytes: $bytes,
            write: |scope, table, payer, id, words| {
                let (mut there, key) = ([0u128; WORDS], words.as_ptr().cast::<$wire>());
                // SAFETY: both keys have room for the longest kind.
                unsafe {
                    let code = current_receiver().0;
                    let row = raw::$find_primary(code, scope, table, there.as_mut_ptr().cast::<$wire>() $(, $length)?, id);
                    if row >= 0 {
                        raw::$update(row, payer, key $(, $length)?);
                    } else {
                        raw::$store(scope, table, payer, id, key $(, $length)?);
                    }
                }
            },
            first: |scope, table| {
                let (mut key, mut id) = ([$least, 0u128], 0);
                // SAFETY: the key has room for the longest kind.
                unsafe {
                    let key = key.as_mut_ptr().cast::<$wire>();
                    raw::$lowerbound(current_receiver().0, scope, table, key $(, $length)?, &mut id)
                }
            },
            // SAFETY: nothing is pointed to.
            remove: |row| unsafe { raw::$remove(row) },
        }
    };
}

const KINDS: [Kind; 5] = [
    kind!(8, u64, 0, (), db_idx64_store, db_idx64_update, db_idx64_remove, db_idx64_find_primary, db_idx64_lowerbound),
    kind!(
        16,
        u128,
        0,
        (),
        db_idx128_store,
        db_idx128_update,
        db_idx128_remove,
        db_idx128_find_primary,
        db_idx128_lowerbound
    ),
    kind!(
        32,
        u128,
        0,
        (2),
        db_idx256_store,
        db_idx256_update,
        db_idx256_remove,
        db_idx256_find_primary,
        db_idx256_lowerbound
    ),
    kind!(
        8,
        f64,
        LEAST_DOUBLE,
        (),
        db_idx_double_store,
        db_idx_double_update,
        db_idx_double_remove,
        db_idx_double_find_primary,
        db_idx_double_lowerbound
    ),
    kind!(
        16,
        u128,
        LEAST_LONG_DOUBLE,
        (),
        db_idx_long_double_store,
        db_idx_long_double_update,
        db_idx_long_double_remove,
        db_idx_long_double_find_primary,
        db_idx_long_double_lowerbound
    ),
];
