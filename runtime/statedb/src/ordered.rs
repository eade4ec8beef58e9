//! An ordered table whose every change returns what undoes it.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use crate::{Epoch, Stamp};

/// Rows in the order of their keys.
#[derive(Debug, Clone)]
pub struct OrderedTable<K, V> {
    rows: BTreeMap<K, (V, Stamp)>,
}

/// What a row was before a change: `None` for a row that was not there.
#[derive(Debug, Clone)]
pub struct RowUndo<K, V> {
    /// The row's key.
    pub key: K,
    /// Its old value.
    pub old: Option<V>,
    /// Whether the change took the row away.
    pub removed: bool,
}

impl<K, V> Default for OrderedTable<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new() }
    }
}

impl<K: Ord + Clone, V> OrderedTable<K, V> {
    /// The row at `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(|(value, _)| value)
    }

    /// Stores a row, new or changed. True when the caller has to mark the key as dirty.
    #[must_use = "the undo entry and the dirty key belong to the caller"]
    pub fn set(&mut self, epoch: Epoch, key: K, value: V) -> (RowUndo<K, V>, bool) {
        match self.rows.entry(key) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                let key = slot.key().clone();
                let mut stamp = Stamp::default();
                epoch.stamp(&mut stamp);
                slot.insert((value, stamp));
                (RowUndo { key, old: None, removed: false }, true)
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                let key = slot.key().clone();
                let (old, stamp) = slot.get_mut();
                let first = epoch.stamp(stamp);
                (RowUndo { key, old: Some(std::mem::replace(old, value)), removed: false }, first)
            }
        }
    }

    /// Removes a row. True when the caller has to mark the key as dirty.
    #[must_use = "the undo entry and the dirty key belong to the caller"]
    pub fn remove(&mut self, epoch: Epoch, key: &K) -> Option<(RowUndo<K, V>, bool)> {
        let (old, mut stamp) = self.rows.remove(key)?;
        let first = epoch.stamp(&mut stamp);
        Some((RowUndo { key: key.clone(), old: Some(old), removed: true }, first))
    }

    /// Undoes the newest change that is not yet undone. The row counts as unmarked: marking it twice does no harm.
    pub fn undo(&mut self, undo: RowUndo<K, V>) {
        match undo.old {
            Some(old) => self.rows.insert(undo.key, (old, Stamp::default())),
            None => self.rows.remove(&undo.key),
        };
    }

    /// Stores a row without undo and without marking it: for loading.
    pub fn load(&mut self, key: K, value: V) -> bool {
        self.rows.insert(key, (value, Stamp::default())).is_none()
    }

    /// Drops a row without undo and without marking it.
    pub fn unload(&mut self, key: &K) {
        self.rows.remove(key);
    }

    /// Rows within bounds, in order.
    pub fn range<R: RangeBounds<K>>(&self, bounds: R) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(bounds).map(|(key, (value, _))| (key, value))
    }

    /// All rows in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter().map(|(key, (value, _))| (key, value))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
