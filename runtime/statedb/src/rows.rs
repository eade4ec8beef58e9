//! An ordered map from a row's key to its handle, made for very many very small tables and a few large ones.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Entries that are kept in place: most tables have one row, most accounts two permissions.
const INLINE_MAX: usize = 2;
/// Entries that are kept in one sorted array; beyond it a tree takes over.
const SMALL_MAX: usize = 32;

/// Ordered `key -> handle`.
#[derive(Debug, Clone)]
pub struct Rows<K = u64>(Store<K>);

#[derive(Debug, Clone)]
enum Store<K> {
    /// Keys and handles apart, so that two of them are no larger than a vector.
    Inline(u8, [K; INLINE_MAX], [u32; INLINE_MAX]),
    Small(Vec<(K, u32)>),
    Large(BTreeMap<K, u32>),
}

impl<K: Copy + Default> Default for Rows<K> {
    fn default() -> Self {
        Self(Store::Inline(0, [K::default(); INLINE_MAX], [0; INLINE_MAX]))
    }
}

impl<K: Ord + Copy + Default> Rows<K> {
    /// Entries in ascending order of keys, each of which is there once. A tree that is made of all of them is made in a
    /// third of the time, and its nodes are full.
    pub fn from_sorted(entries: Vec<(K, u32)>) -> Self {
        debug_assert!(entries.is_sorted_by(|left, right| left.0 < right.0), "keys ascend");
        if entries.len() > SMALL_MAX {
            return Self(Store::Large(entries.into_iter().collect()));
        }
        if entries.len() > INLINE_MAX {
            return Self(Store::Small(entries));
        }
        let (mut keys, mut handles) = ([K::default(); INLINE_MAX], [0; INLINE_MAX]);
        for (at, (key, handle)) in entries.iter().enumerate() {
            (keys[at], handles[at]) = (*key, *handle);
        }
        Self(Store::Inline(entries.len() as u8, keys, handles))
    }
}

impl<K: Ord + Copy> Rows<K> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        match &self.0 {
            Store::Inline(len, ..) => usize::from(*len),
            Store::Small(entries) => entries.len(),
            Store::Large(entries) => entries.len(),
        }
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The handle at a key.
    #[inline]
    pub fn get(&self, key: &K) -> Option<u32> {
        match &self.0 {
            Store::Inline(len, keys, handles) => {
                let at = keys[..usize::from(*len)].iter().position(|other| other == key)?;
                Some(handles[at])
            }
            Store::Small(entries) => entries.binary_search_by(|entry| entry.0.cmp(key)).ok().map(|at| entries[at].1),
            Store::Large(entries) => entries.get(key).copied(),
        }
    }

    /// Adds an entry; false, and no change, when the key is there already.
    pub fn insert(&mut self, key: K, handle: u32) -> bool {
        match &mut self.0 {
            Store::Inline(len, keys, handles) => {
                let count = usize::from(*len);
                let at = keys[..count].partition_point(|other| *other < key);
                if keys[..count].get(at) == Some(&key) {
                    return false;
                }
                if count < INLINE_MAX {
                    keys.copy_within(at..count, at + 1);
                    handles.copy_within(at..count, at + 1);
                    (keys[at], handles[at]) = (key, handle);
                    *len += 1;
                } else {
                    let mut entries: Vec<_> = keys.iter().copied().zip(handles.iter().copied()).collect();
                    entries.insert(at, (key, handle));
                    self.0 = Store::Small(entries);
                }
                true
            }
            Store::Small(entries) => {
                let Err(at) = entries.binary_search_by(|entry| entry.0.cmp(&key)) else { return false };
                entries.insert(at, (key, handle));
                if entries.len() > SMALL_MAX {
                    self.0 = Store::Large(std::mem::take(entries).into_iter().collect());
                }
                true
            }
            Store::Large(entries) => {
                let std::collections::btree_map::Entry::Vacant(slot) = entries.entry(key) else { return false };
                slot.insert(handle);
                true
            }
        }
    }

    /// Removes an entry.
    pub fn remove(&mut self, key: &K) -> Option<u32> {
        match &mut self.0 {
            Store::Inline(len, keys, handles) => {
                let count = usize::from(*len);
                let at = keys[..count].iter().position(|other| other == key)?;
                let handle = handles[at];
                keys.copy_within(at + 1..count, at);
                handles.copy_within(at + 1..count, at);
                *len -= 1;
                Some(handle)
            }
            Store::Small(entries) => {
                let at = entries.binary_search_by(|entry| entry.0.cmp(key)).ok()?;
                Some(entries.remove(at).1)
            }
            Store::Large(entries) => entries.remove(key),
        }
    }

    /// The first entry whose key is not below `key`.
    pub fn lower_bound(&self, key: &K) -> Option<(K, u32)> {
        match &self.0 {
            Store::Large(entries) => entries.range(*key..).next().map(copied),
            _ => self.at(self.position(|other| other < key)),
        }
    }

    /// The first entry whose key is above `key`.
    pub fn upper_bound(&self, key: &K) -> Option<(K, u32)> {
        match &self.0 {
            Store::Large(entries) => entries.range((Bound::Excluded(*key), Bound::Unbounded)).next().map(copied),
            _ => self.at(self.position(|other| other <= key)),
        }
    }

    /// The last entry whose key is below `key`.
    pub fn before(&self, key: &K) -> Option<(K, u32)> {
        match &self.0 {
            Store::Large(entries) => entries.range(..*key).next_back().map(copied),
            _ => self.at(self.position(|other| other < key).checked_sub(1)?),
        }
    }

    /// The first entry.
    pub fn first(&self) -> Option<(K, u32)> {
        match &self.0 {
            Store::Large(entries) => entries.first_key_value().map(copied),
            _ => self.at(0),
        }
    }

    /// The last entry.
    pub fn last(&self) -> Option<(K, u32)> {
        match &self.0 {
            Store::Large(entries) => entries.last_key_value().map(copied),
            _ => self.at(self.len().checked_sub(1)?),
        }
    }

    /// All entries in order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (K, u32)> + '_> {
        match &self.0 {
            Store::Large(entries) => Box::new(entries.iter().map(copied)),
            _ => Box::new((0..self.len()).filter_map(|at| self.at(at))),
        }
    }

    /// How many entries of an array come first: those that `is_before` holds for.
    fn position(&self, is_before: impl Fn(&K) -> bool) -> usize {
        match &self.0 {
            Store::Inline(len, keys, _) => keys[..usize::from(*len)].partition_point(is_before),
            Store::Small(entries) => entries.partition_point(|entry| is_before(&entry.0)),
            Store::Large(_) => unreachable!("a tree has no positions"),
        }
    }

    /// The entry at a position of an array.
    fn at(&self, at: usize) -> Option<(K, u32)> {
        match &self.0 {
            Store::Inline(len, keys, handles) => (at < usize::from(*len)).then(|| (keys[at], handles[at])),
            Store::Small(entries) => entries.get(at).copied(),
            Store::Large(_) => unreachable!("a tree has no positions"),
        }
    }
}

fn copied<K: Copy>((key, handle): (&K, &u32)) -> (K, u32) {
    (*key, *handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_of_all_entries_at_once_it_is_what_it_is_made_of_one_by_one() {
        for count in [0, 1, 2, 3, 31, 32, 33, 34, 500] {
            let entries: Vec<(u64, u32)> = (0..count).map(|number| (u64::from(number) * 3, 900 - number)).collect();
            let (mut all, mut each) = (Rows::from_sorted(entries.clone()), Rows::default());
            entries.iter().rev().for_each(|(key, handle)| assert!(each.insert(*key, *handle)));
            assert_eq!(format!("{all:?}"), format!("{each:?}"));
            assert!(all.insert(4, 7) && !all.insert(4, 8) && all.get(&4) == Some(7) && all.len() == entries.len() + 1);
            assert!(entries.iter().all(|(key, handle)| all.remove(key) == Some(*handle)), "{count}");
        }
    }
}
