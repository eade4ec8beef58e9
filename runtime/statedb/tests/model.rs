//! The engine against the simplest model there is: a map, cloned at every mark.

use std::collections::BTreeMap;

use proptest::prelude::*;
use statedb::{Blob, Epoch, Journal, Mark, OrderedTable, RowUndo, Rows, Slab, Stamp, Weigh};

/// A table as the ledger builds them: rows at handles, an ordered index, one journal; and an ordered table beside it.
#[derive(Default)]
struct Store {
    journal: Journal<Undo>,
    slab: Slab<(u64, Blob)>,
    rows: Rows,
    cold: OrderedTable<u64, u64>,
    epoch: Epoch,
}

enum Undo {
    Inserted(u32),
    Updated(u32, Blob),
    Removed((u64, Blob)),
    Cold(RowUndo<u64, u64>),
}

impl Weigh for Undo {
    fn weigh(&self) -> usize {
        match self {
            Self::Inserted(handle) => 1 + *handle as usize,
            Self::Updated(_, old) | Self::Removed((_, old)) => 1 + old.len(),
            Self::Cold(_) => 1,
        }
    }
}

type Model = (BTreeMap<u64, Vec<u8>>, BTreeMap<u64, u64>);

impl Store {
    fn put(&mut self, key: u64, value: &[u8]) {
        match self.rows.get(&key) {
            Some(handle) => {
                let old = std::mem::replace(&mut self.slab.row_mut(handle).1, value.into());
                self.journal.push(Undo::Updated(handle, old));
            }
            None => {
                let handle = self.slab.insert((key, value.into()));
                assert!(self.rows.insert(key, handle) && !self.rows.insert(key, handle));
                self.journal.push(Undo::Inserted(handle));
            }
        }
    }

    fn remove(&mut self, key: u64) {
        if let Some(handle) = self.rows.remove(&key) {
            self.journal.push(Undo::Removed(self.slab.remove(handle)));
        }
    }

    fn undo_to(&mut self, mark: Mark) {
        while let Some(entry) = self.journal.pop_to(mark) {
            match entry {
                Undo::Inserted(handle) => {
                    let (key, _) = self.slab.remove(handle);
                    self.rows.remove(&key);
                }
                Undo::Updated(handle, old) => self.slab.row_mut(handle).1 = old,
                Undo::Removed((key, value)) => {
                    let handle = self.slab.insert((key, value));
                    self.rows.insert(key, handle);
                }
                Undo::Cold(undo) => self.cold.undo(undo),
            }
        }
    }

    fn model(&self) -> Model {
        let rows = self.rows.iter().map(|(key, handle)| (key, self.slab.row(handle).1.to_vec())).collect();
        (rows, self.cold.iter().map(|(&key, &value)| (key, value)).collect())
    }

    fn check_order(&self, model: &Model, key: u64) {
        let value = |found: Option<(u64, u32)>| found.map(|(key, _)| key);
        assert_eq!(value(self.rows.lower_bound(&key)), model.0.range(key..).next().map(|(&key, _)| key));
        assert_eq!(value(self.rows.before(&key)), model.0.range(..key).next_back().map(|(&key, _)| key));
        if let Some(after) = key.checked_add(1) {
            assert_eq!(value(self.rows.upper_bound(&key)), model.0.range(after..).next().map(|(&key, _)| key));
        }
        assert_eq!(value(self.rows.first()), model.0.first_key_value().map(|(&key, _)| key));
        assert_eq!(value(self.rows.last()), model.0.last_key_value().map(|(&key, _)| key));
        assert_eq!(self.rows.len(), model.0.len());
        assert_eq!(self.slab.len(), model.0.len());
    }
}

/// Operation, key, length of the value.
fn operations() -> impl Strategy<Value = Vec<(u8, u64, usize)>> {
    prop::collection::vec((0..10u8, 0..60u64, 0..40usize), 1..400)
}

proptest! {
    #[test]
    fn it_is_a_map_that_can_go_back(operations in operations()) {
        let (mut store, mut model) = (Store::default(), Model::default());
        let mut marks: Vec<(Mark, Model)> = Vec::new();
        let mut blocks: Vec<(u32, Model)> = Vec::new();
        let mut number = 0;
        for (operation, key, length) in operations {
            match operation {
                0..=2 => {
                    let value = vec![key as u8; length];
                    store.put(key, &value);
                    model.0.insert(key, value);
                }
                3 | 4 => {
                    store.remove(key);
                    model.0.remove(&key);
                }
                5 => {
                    let (undo, _) = store.cold.set(store.epoch, key, length as u64);
                    store.journal.push(Undo::Cold(undo));
                    model.1.insert(key, length as u64);
                    if let Some((undo, _)) = store.cold.remove(store.epoch, &(key / 2)) {
                        store.journal.push(Undo::Cold(undo));
                    }
                    model.1.remove(&(key / 2));
                }
                6 => marks.push((store.journal.mark(), model.clone())),
                7 => {
                    if let Some((mark, then)) = marks.pop() {
                        store.undo_to(mark);
                        model = then;
                    }
                }
                8 => {
                    marks.clear();
                    number += 1;
                    store.journal.begin_block(number);
                    blocks.push((number, model.clone()));
                }
                _ => {
                    marks.clear();
                    if key % 2 == 0 {
                        if let Some((number, then)) = blocks.pop() {
                            let (newest, start) = store.journal.end_newest_block().expect("a block is open");
                            prop_assert_eq!(newest, number);
                            store.undo_to(start);
                            model = then;
                        }
                    } else if let Some(&(oldest, _)) = blocks.first() {
                        store.journal.commit(oldest);
                        blocks.remove(0);
                        if blocks.is_empty() {
                            prop_assert!(store.journal.is_empty());
                        }
                    }
                }
            }
            let newest = store.journal.newest_first().next().map_or(0, |(_, entries)| entries.map(Weigh::weigh).sum());
            prop_assert_eq!(store.journal.newest_bytes(), newest);
            let all: usize = store.journal.newest_first().flat_map(|(_, entries)| entries.map(Weigh::weigh)).sum();
            prop_assert!(store.journal.bytes() >= all);
            prop_assert_eq!(store.model(), model.clone());
            store.check_order(&model, key);
        }
    }

    #[test]
    fn a_blob_is_its_bytes(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let blob = Blob::from(bytes.as_slice());
        prop_assert_eq!(&*blob, bytes.as_slice());
        prop_assert_eq!(blob.clone(), blob);
        prop_assert_eq!(size_of::<Blob>(), 24);
    }
}

#[test]
fn a_row_is_listed_once_in_each_epoch() {
    let (mut epoch, mut stamp) = (Epoch::default(), Stamp::default());
    assert!(epoch.stamp(&mut stamp));
    assert!(!epoch.stamp(&mut stamp));
    epoch.advance();
    assert!(epoch.stamp(&mut stamp));
    assert!(!epoch.stamp(&mut stamp));
}
