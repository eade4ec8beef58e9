//! Tables of the host of unit tests, with the iterators of the chain: a row has one number as long as the host lives, a
//! table's end another, below -1.

use std::collections::BTreeMap;

use super::{Answer, read, write};

/// Contract, scope and table (of an index: with its place in the low bits).
type Place = (u64, u64, u64);
/// A key in the order of its kind, and the row's primary key.
type Key = (Order, u64);

/// A key as two numbers that compare as the kind of the key does.
type Order = [u128; 2];

/// Rows, and the indexes of each kind: apart, because a table's first index has the table's name.
#[derive(Default)]
pub(super) struct Tables {
    rows: Family,
    indexes: [Family; FAMILIES.len()],
}

#[derive(Default)]
struct Family {
    rows: BTreeMap<Place, BTreeMap<Key, Vec<u8>>>,
    /// By the number of an iterator.
    found: Vec<(Place, Key)>,
    /// By the number of an end, which is -2 less its place here.
    ends: Vec<Place>,
}

/// The families of host functions: what their names begin with, and how a key is read.
const FAMILIES: [(&str, fn(u64) -> Order); 4] = [
    ("db_idx64_", |start| [u64::from_le_bytes(array(start)).into(), 0]),
    ("db_idx128_", |start| [u128::from_le_bytes(array(start)), 0]),
    ("db_idx256_", |start| [u128::from_le_bytes(array(start)), u128::from_le_bytes(array(start + 16))]),
    ("db_idx_double_", |start| [ascending(f64::from_le_bytes(array(start))).into(), 0]),
];

fn array<const N: usize>(start: u64) -> [u8; N] {
    read(start, N as u64).try_into().expect("so many bytes")
}

/// A number with the order of a real one.
fn ascending(value: f64) -> u64 {
    let bits = if value == 0.0 { 0 } else { value.to_bits() };
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

const NO_ROW: u64 = -1i64 as u64;

impl Tables {
    /// Answers a function of tables.
    pub(super) fn answer(&mut self, receiver: u64, name: &str, words: &[u64]) -> Answer {
        if let Some(function) = name.strip_prefix("db_").and_then(|name| name.strip_suffix("_i64")) {
            return self.rows.primary(receiver, function, words);
        }
        let kinds = self.indexes.iter_mut().zip(FAMILIES);
        let mut kinds = kinds.filter_map(|(index, (begin, key))| Some((index, name.strip_prefix(begin)?, key)));
        let kind = kinds.next();
        kind.map_or(Answer::Unknown, |(index, function, key)| index.secondary(receiver, function, words, key))
    }
}

impl Family {
    fn primary(&mut self, receiver: u64, function: &str, words: &[u64]) -> Answer {
        let key = |id: u64| ([id.into(), 0], id);
        match (function, words) {
            ("store", [scope, table, payer, id, start, length]) => {
                self.store((receiver, *scope, *table), *payer, key(*id), read(*start, *length))
            }
            ("update", [row, _, start, length]) => self.at(*row, receiver, |rows, key| {
                rows.insert(key, read(*start, *length));
            }),
            ("get", [row, start, room]) => {
                let Some((place, key)) = self.known(*row) else { return invalid() };
                let Some(bytes) = self.rows.get(&place).and_then(|rows| rows.get(&key)) else { return invalid() };
                write(bytes, *start, *room);
                // The whole size when that is asked for, else what was written: as the chain does.
                Answer::Word(if *room == 0 { bytes.len() } else { bytes.len().min(*room as usize) } as u64)
            }
            ("find", [code, scope, table, id]) => self.first((*code, *scope, *table), |k| *k == key(*id), None),
            ("lowerbound", [code, scope, table, id]) => self.first((*code, *scope, *table), |k| *k >= key(*id), None),
            ("upperbound", [code, scope, table, id]) => self.first((*code, *scope, *table), |k| *k > key(*id), None),
            _ => self.any(receiver, function, words),
        }
    }

    fn secondary(&mut self, receiver: u64, function: &str, words: &[u64], order: fn(u64) -> Order) -> Answer {
        match (function, words) {
            ("store", [scope, table, payer, id, key, ..]) => {
                self.store((receiver, *scope, *table), *payer, (order(*key), *id), Vec::new())
            }
            ("update", [row, _, key, ..]) => {
                let Some((place, (_, id))) = self.known(*row) else { return invalid() };
                let moved = (order(*key), id);
                let done = self.at(*row, receiver, |rows, key| {
                    rows.remove(&key);
                    rows.insert(moved, Vec::new());
                });
                self.found[*row as usize] = (place, moved);
                done
            }
            ("find_primary", [code, scope, table, .., id]) => {
                self.first((*code, *scope, *table), |(_, known)| known == id, None)
            }
            ("find_secondary", [code, scope, table, key, .., id]) => {
                let wanted = order(*key);
                self.first((*code, *scope, *table), |(known, _)| *known == wanted, Some(*id))
            }
            ("lowerbound", [code, scope, table, key, .., id]) => {
                let wanted = order(*key);
                self.first((*code, *scope, *table), |(known, _)| *known >= wanted, Some(*id))
            }
            ("upperbound", [code, scope, table, key, .., id]) => {
                let wanted = order(*key);
                self.first((*code, *scope, *table), |(known, _)| *known > wanted, Some(*id))
            }
            _ => self.any(receiver, function, words),
        }
    }

    /// What is the same for rows and indexes.
    fn any(&mut self, receiver: u64, function: &str, words: &[u64]) -> Answer {
        match (function, words) {
            ("remove", [row]) => self.at(*row, receiver, |rows, key| {
                rows.remove(&key);
            }),
            ("next", [row, id]) => {
                let Some((place, key)) = self.known(*row) else { return invalid() };
                self.first(place, |known| *known > key, Some(*id))
            }
            ("previous", [row, id]) => {
                let (place, below) = match self.known(*row) {
                    Some((place, key)) => (place, Some(key)),
                    None => match self.end_at(*row) {
                        Some(place) => (place, None),
                        None => return invalid(),
                    },
                };
                let rows = self.rows.get(&place).into_iter().flat_map(|rows| rows.keys());
                let before = rows.rev().find(|key| below.is_none_or(|below| **key < below)).copied();
                before.map_or(Answer::Word(NO_ROW), |key| self.give(place, key, Some(*id)))
            }
            ("end", [code, scope, table]) => Answer::Word(self.end((*code, *scope, *table))),
            _ => Answer::Unknown,
        }
    }

    fn store(&mut self, place: Place, payer: u64, key: Key, bytes: Vec<u8>) -> Answer {
        if payer == 0 {
            return Answer::Fails("must specify a valid account to pay for new record".into());
        }
        let rows = self.rows.entry(place).or_default();
        if rows.keys().any(|known| known.1 == key.1) {
            return Answer::Fails("could not insert object, a row with this key is there already".into());
        }
        rows.insert(key, bytes);
        self.give(place, key, None)
    }

    /// Changes the row with this number.
    fn at(&mut self, row: u64, receiver: u64, change: impl FnOnce(&mut BTreeMap<Key, Vec<u8>>, Key)) -> Answer {
        let Some((place, key)) = self.known(row) else { return invalid() };
        if place.0 != receiver {
            return Answer::Fails("db access violation".into());
        }
        match self.rows.get_mut(&place).filter(|rows| rows.contains_key(&key)) {
            Some(rows) => change(rows, key),
            None => return invalid(),
        }
        Answer::Word(0)
    }

    /// The first row that fits, or the table's end; its primary key is written to `id`.
    fn first(&mut self, place: Place, fits: impl Fn(&Key) -> bool, id: Option<u64>) -> Answer {
        let found = self.rows.get(&place).and_then(|rows| rows.keys().find(|key| fits(key)).copied());
        match found {
            Some(key) => self.give(place, key, id),
            None => Answer::Word(self.end(place)),
        }
    }

    /// The number of a row.
    fn give(&mut self, place: Place, key: Key, id: Option<u64>) -> Answer {
        if let Some(id) = id {
            write(&key.1.to_le_bytes(), id, 8);
        }
        let known = self.found.iter().position(|found| *found == (place, key));
        Answer::Word(known.unwrap_or_else(|| {
            self.found.push((place, key));
            self.found.len() - 1
        }) as u64)
    }

    /// The number of a table's end; -1 where no row ever was.
    fn end(&mut self, place: Place) -> u64 {
        if !self.rows.contains_key(&place) {
            return NO_ROW;
        }
        let known = self.ends.iter().position(|end| *end == place).unwrap_or_else(|| {
            self.ends.push(place);
            self.ends.len() - 1
        });
        (-2 - known as i64) as u64
    }

    fn known(&self, row: u64) -> Option<(Place, Key)> {
        self.found.get(usize::try_from(row as i32).ok()?).copied()
    }

    fn end_at(&self, row: u64) -> Option<Place> {
        self.ends.get(usize::try_from(-2 - i64::from(row as i32)).ok()?).copied()
    }
}

fn invalid() -> Answer {
    Answer::Fails("invalid iterator".into())
}
