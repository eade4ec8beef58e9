//! An ordered map from a row's key to its handle, made for very many very small tables and a few large ones.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Entries that are kept in one sorted array; beyond it a tree takes over.
const SMALL_MAX: usize = 32;

/// Ordered `key -> handle`.
#[derive(Debug, Clone)]
pub struct Rows<K = u64>(Store<K>);

#[derive(Debug, Clone)]
enum Store<K> {
    Small(Vec<(K, u32)>),
    Large(BTreeMap<K, u32>),
}

impl<K> Default for Rows<K> {
    fn default() -> Self {
        Self(Store::Small(Vec::new()))
    }
}

impl<K: Ord + Copy> Rows<K> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        match &self.0 {
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
            Store::Small(entries) => entries.binary_search_by(|entry| entry.0.cmp(key)).ok().map(|at| entries[at].1),
            Store::Large(entries) => entries.get(key).copied(),
        }
    }

    /// Adds an entry; false, and no change, when the key is there already.
    pub fn insert(&mut self, key: K, handle: u32) -> bool {
        match &mut self.0 {
            Store::Small(entries) => {
                let Err(at) = entries.binary_search_by(|entry| entry.0.cmp(&key)) else { return false };
                if entries.len() < SMALL_MAX {
                    if entries.capacity() == 0 {
                        entries.reserve_exact(1);
                    }
                    entries.insert(at, (key, handle));
                } else {
                    let mut tree: BTreeMap<K, u32> = std::mem::take(entries).into_iter().collect();
                    tree.insert(key, handle);
                    self.0 = Store::Large(tree);
                }
                true
            }
            Store::Large(entries) => match entries.entry(key) {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(handle);
                    true
                }
                std::collections::btree_map::Entry::Occupied(_) => false,
            },
        }
    }

    /// Removes an entry.
    pub fn remove(&mut self, key: &K) -> Option<u32> {
        match &mut self.0 {
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
            Store::Small(entries) => entries.get(entries.partition_point(|entry| entry.0 < *key)).copied(),
            Store::Large(entries) => entries.range(*key..).next().map(copied),
        }
    }

    /// The first entry whose key is above `key`.
    pub fn upper_bound(&self, key: &K) -> Option<(K, u32)> {
        match &self.0 {
            Store::Small(entries) => entries.get(entries.partition_point(|entry| entry.0 <= *key)).copied(),
            Store::Large(entries) => entries.range((Bound::Excluded(*key), Bound::Unbounded)).next().map(copied),
        }
    }

    /// The last entry whose key is below `key`.
    pub fn before(&self, key: &K) -> Option<(K, u32)> {
        match &self.0 {
            Store::Small(entries) => entries[..entries.partition_point(|entry| entry.0 < *key)].last().copied(),
            Store::Large(entries) => entries.range(..*key).next_back().map(copied),
        }
    }

    /// The first entry.
    pub fn first(&self) -> Option<(K, u32)> {
        match &self.0 {
            Store::Small(entries) => entries.first().copied(),
            Store::Large(entries) => entries.first_key_value().map(copied),
        }
    }

    /// The last entry.
    pub fn last(&self) -> Option<(K, u32)> {
        match &self.0 {
            Store::Small(entries) => entries.last().copied(),
            Store::Large(entries) => entries.last_key_value().map(copied),
        }
    }

    /// All entries in order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (K, u32)> + '_> {
        match &self.0 {
            Store::Small(entries) => Box::new(entries.iter().copied()),
            Store::Large(entries) => Box::new(entries.iter().map(copied)),
        }
    }
}

fn copied<K: Copy>((key, handle): (&K, &u32)) -> (K, u32) {
    (*key, *handle)
}
