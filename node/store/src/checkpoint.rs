//! The state as of a block: rows under the chain's own keys, and what undoes the blocks that are still reversible. A
//! checkpoint changes rows and names its block in one atomic batch, so that the state on disk is always that of one
//! block.

use std::sync::mpsc::sync_channel;

use primitives::BlockId;
use rocksdb::{DBRawIterator, ReadOptions, WriteBatch};

use crate::db::{META, STATE, Store, UNDO};
use crate::{StoreError, log};

const CHECKPOINT: &[u8] = b"checkpoint";
const REVERSIBLE: &[u8] = b"reversible/";
/// After every key that begins so.
const REVERSIBLE_END: &[u8] = b"reversible0";
/// After every number of a block.
const UNDO_END: [u8; 5] = [0xff; 5];

/// What is asked of the disk at once where all rows are read.
const READ_AHEAD_BYTES: usize = 4 << 20;
/// Rows go from the thread that reads them in batches of about so many bytes, and so many batches wait at most.
const BATCH_BYTES: usize = 64 << 10;
const BATCHES_AHEAD: usize = 16;

/// What the state on disk is the state of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointHeader {
    /// The block's number.
    pub num: u32,
    /// The block's id.
    pub id: BlockId,
    /// The number of the last irreversible block.
    pub irreversible: u32,
    /// What the chain needs beside its tables, e.g. the packed header state. Opaque here.
    pub extra: Vec<u8>,
}

/// Gathers the changes of a checkpoint.
pub struct CheckpointWriter<'a> {
    store: &'a Store,
    batch: WriteBatch,
}

impl std::fmt::Debug for CheckpointWriter<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("CheckpointWriter").field("rows", &self.batch.len()).finish_non_exhaustive()
    }
}

impl CheckpointWriter<'_> {
    /// A row has this value now.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.batch.put_cf(self.store.family(STATE), key, value);
    }

    /// A row is gone.
    pub fn delete(&mut self, key: &[u8]) {
        self.batch.delete_cf(self.store.family(STATE), key);
    }

    /// What the chain needs of the reversible block with this number to go on.
    pub fn put_reversible(&mut self, num: u32, header: &[u8]) {
        self.batch.put_cf(self.store.family(META), reversible_key(num), header);
    }

    /// What the chain needs to go back behind it.
    pub fn put_undo(&mut self, num: u32, undo: &[u8]) {
        self.batch.put_cf(self.store.family(UNDO), num.to_be_bytes(), undo);
    }

    /// Makes the changes, synced. What was put for blocks that are irreversible now, or no part of the chain, is
    /// forgotten.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn commit(self, header: &CheckpointHeader) -> Result<(), StoreError> {
        let store = self.store;
        store.write(self.into_batch(header)?, true)?;
        // Room that a log took is given back when files are listed that have what was in it.
        log::note_extent(&store.path)
    }

    /// The changes, for a batch that has others too.
    pub(crate) fn into_batch(mut self, header: &CheckpointHeader) -> Result<WriteBatch, StoreError> {
        let parts = [&header.num.to_be_bytes()[..], &header.id.0, &header.irreversible.to_be_bytes(), &header.extra];
        let meta = self.store.family(META);
        self.batch.put_cf(meta, CHECKPOINT, parts.concat());
        if let Some(before) = self.store.checkpoint()? {
            let reversible = header.irreversible.saturating_add(1)..=header.num;
            let stale = (before.irreversible.saturating_add(1)..=before.num).filter(|num| !reversible.contains(num));
            let undo = self.store.family(UNDO);
            stale.for_each(|num| {
                self.batch.delete_cf(meta, reversible_key(num));
                self.batch.delete_cf(undo, num.to_be_bytes());
            });
        }
        Ok(self.batch)
    }
}

/// The rows of the state at some time: later checkpoints do not change them.
pub struct StateRows<'a> {
    store: &'a Store,
    rows: DBRawIterator<'a>,
}

impl std::fmt::Debug for StateRows<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("StateRows").finish_non_exhaustive()
    }
}

/// Rows on their way from the thread that reads them: their bytes in a row, and where each key and each value ends.
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<(usize, usize)>,
}

impl Batch {
    fn new() -> Self {
        Self { bytes: Vec::with_capacity(BATCH_BYTES + BATCH_BYTES / 8), ends: Vec::with_capacity(BATCH_BYTES / 32) }
    }

    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((middle, self.bytes.len()));
    }

    fn each<E>(&self, take: &mut impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut begin = 0;
        self.ends.iter().try_for_each(|&(middle, end)| {
            let row = (&self.bytes[begin..middle], &self.bytes[middle..end]);
            begin = end;
            take(row.0, row.1)
        })
    }
}

impl StateRows<'_> {
    /// Gives every row, key and value, in the order of keys, until one is refused. They are read ahead by another
    /// thread.
    ///
    /// # Errors
    /// The disk refuses, or `take` does.
    pub fn each<E: From<StoreError>>(self, mut take: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        let Self { store, mut rows } = self;
        std::thread::scope(|scope| {
            let (read, batches) = sync_channel::<Batch>(BATCHES_AHEAD);
            let reader = std::thread::Builder::new().name("state rows".to_owned());
            let reader = reader.spawn_scoped(scope, move || {
                rows.seek_to_first();
                let mut batch = Batch::new();
                while let Some((key, value)) = rows.item() {
                    batch.add(key, value);
                    if batch.bytes.len() >= BATCH_BYTES
                        && read.send(std::mem::replace(&mut batch, Batch::new())).is_err()
                    {
                        break;
                    }
                    rows.next();
                }
                // Who takes no more does not want to know.
                let _ = read.send(batch);
                rows.status()
            });
            let reader = reader.map_err(|cause| StoreError::file("start a thread that reads", &store.path, cause))?;
            batches.iter().try_for_each(|batch| batch.each(&mut take))?;
            drop(batches);
            let end = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            end.map_err(|source| store.failed("read the state", source).into())
        })
    }
}

impl Store {
    /// Begins a checkpoint.
    pub fn begin_checkpoint(&self) -> CheckpointWriter<'_> {
        CheckpointWriter { store: self, batch: WriteBatch::default() }
    }

    /// Begins a checkpoint in place of all state that is there: until it is committed that one stays.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn begin_new_state(&self) -> Result<CheckpointWriter<'_>, StoreError> {
        let mut writer = self.begin_checkpoint();
        writer.batch.delete_range_cf(self.family(META), REVERSIBLE, REVERSIBLE_END);
        writer.batch.delete_range_cf(self.family(UNDO), &[][..], &UNDO_END[..]);
        // The range ends before its last key, which is deleted beside it.
        let mut last = self.db.raw_iterator_cf(self.family(STATE));
        last.seek_to_last();
        if let Some(key) = last.key() {
            writer.batch.delete_range_cf(self.family(STATE), &[][..], key);
            writer.batch.delete_cf(self.family(STATE), key);
        }
        last.status().map_err(|source| self.failed("read the state", source))?;
        Ok(writer)
    }

    /// What the state on disk is the state of; `None` on a new chain.
    ///
    /// # Errors
    /// The disk refuses, or what is there is no checkpoint.
    pub fn checkpoint(&self) -> Result<Option<CheckpointHeader>, StoreError> {
        let Some(value) = self.get(META, CHECKPOINT)? else { return Ok(None) };
        let header = value.split_first_chunk::<4>().and_then(|(num, rest)| {
            let (id, rest) = rest.split_first_chunk::<32>()?;
            let (irreversible, extra) = rest.split_first_chunk::<4>()?;
            Some(CheckpointHeader {
                num: u32::from_be_bytes(*num),
                id: primitives::Checksum256(*id),
                irreversible: u32::from_be_bytes(*irreversible),
                extra: extra.to_vec(),
            })
        });
        header.map(Some).ok_or_else(|| self.corrupt("the checkpoint names no block"))
    }

    /// Every state row as of now.
    pub fn state_rows(&self) -> StateRows<'_> {
        let mut options = ReadOptions::default();
        options.set_readahead_size(READ_AHEAD_BYTES);
        options.fill_cache(false);
        StateRows { store: self, rows: self.db.raw_iterator_cf_opt(self.family(STATE), options) }
    }

    /// What was put for the reversible block with this number.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn reversible(&self, num: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(META, &reversible_key(num))
    }

    /// What was put for going back behind it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn undo(&self, num: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.get_large(UNDO, num)
    }
}

/// Whether a key of the single facts belongs to the state.
pub(crate) fn belongs_to_state(key: &[u8]) -> bool {
    key == CHECKPOINT || key.starts_with(REVERSIBLE)
}

fn reversible_key(num: u32) -> Vec<u8> {
    [REVERSIBLE, &num.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreSettings;

    fn rows_of(store: &Store) -> Vec<(Box<[u8]>, Box<[u8]>)> {
        let mut rows = Vec::new();
        let read = store.state_rows().each(|key, value| {
            rows.push((key.into(), value.into()));
            Ok::<_, StoreError>(())
        });
        read.unwrap();
        rows
    }

    #[test]
    fn rows_are_read_in_order_until_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings { path: folder.path().to_owned() }).unwrap();
        let mut writer = store.begin_checkpoint();
        let value = vec![7; 5000];
        (0..4000_u32).rev().for_each(|number| writer.put(&number.to_be_bytes(), &value[..number as usize]));
        let header = CheckpointHeader { num: 1, id: BlockId::default(), irreversible: 1, extra: Vec::new() };
        writer.commit(&header).unwrap();
        let rows = rows_of(&store);
        assert_eq!(rows.len(), 4000);
        let good = |(number, (key, value)): (u32, &(Box<[u8]>, Box<[u8]>))| {
            **key == number.to_be_bytes() && value.len() == number as usize
        };
        assert!((0..).zip(&rows).all(good));
        let mut taken = 0;
        let refused = store.state_rows().each(|_, _| {
            taken += 1;
            if taken < 2000 { Ok(()) } else { Err(store.corrupt("enough")) }
        });
        assert!(refused.unwrap_err().to_string().contains("enough") && taken == 2000);
    }

    #[test]
    fn a_checkpoint_replaces_rows_and_names_its_block() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings { path: folder.path().to_owned() }).unwrap();
        assert_eq!(store.checkpoint().unwrap(), None);
        let header = |num, irreversible, extra: &[u8]| CheckpointHeader {
            num,
            id: primitives::Checksum256([7; 32]),
            irreversible,
            extra: extra.to_vec(),
        };
        let mut writer = store.begin_checkpoint();
        writer.put(b"a", b"1");
        writer.put(b"b", b"2");
        (4..=8).for_each(|num| {
            writer.put_reversible(num, &[num as u8]);
            writer.put_undo(num, &vec![num as u8; 10_000]);
        });
        writer.commit(&header(8, 3, b"x")).unwrap();
        let mut writer = store.begin_checkpoint();
        writer.delete(b"a");
        writer.put(b"b", b"3");
        // A change to a shorter branch on which more is irreversible.
        writer.put_reversible(7, &[77]);
        writer.put_undo(7, &[77]);
        writer.commit(&header(7, 5, b"")).unwrap();
        assert_eq!(store.checkpoint().unwrap(), Some(header(7, 5, b"")));
        let kept = |num| store.reversible(num).unwrap();
        assert_eq!([4, 5, 6, 7, 8].map(kept), [None, None, Some(vec![6]), Some(vec![77]), None]);
        let undo = |num| store.undo(num).unwrap();
        assert_eq!([4, 5, 6, 7, 8].map(undo), [None, None, Some(vec![6; 10_000]), Some(vec![77]), None]);
        let rows = rows_of(&store);
        assert_eq!(rows, vec![(b"b".to_vec().into(), b"3".to_vec().into())]);
        let mut writer = store.begin_new_state().unwrap();
        writer.put(b"a", b"4");
        writer.put_reversible(10, &[10]);
        writer.commit(&header(10, 9, b"")).unwrap();
        assert_eq!(store.checkpoint().unwrap(), Some(header(10, 9, b"")));
        let rows = rows_of(&store);
        assert_eq!(rows, vec![(b"a".to_vec().into(), b"4".to_vec().into())]);
        assert_eq!([6, 7, 10].map(kept), [None, None, Some(vec![10])]);
        assert_eq!([6, 7].map(undo), [None, None]);
    }
}
