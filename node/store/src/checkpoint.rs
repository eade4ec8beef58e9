//! The state as of a block: rows under the chain's own keys. A checkpoint changes rows and names its block in one
//! atomic batch, so that the state on disk is always that of one block.

use primitives::BlockId;
use rocksdb::{IteratorMode, WriteBatch};

use crate::StoreError;
use crate::db::{META, STATE, Store};

const CHECKPOINT: &[u8] = b"checkpoint";

/// What the state on disk is the state of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointHeader {
    /// The block's number.
    pub num: u32,
    /// The block's id.
    pub id: BlockId,
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

    /// Makes the changes, synced.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn commit(mut self, header: &CheckpointHeader) -> Result<(), StoreError> {
        let value = [&header.num.to_be_bytes()[..], &header.id.0, &header.extra].concat();
        self.batch.put_cf(self.store.family(META), CHECKPOINT, value);
        self.store.write(self.batch, true)
    }
}

impl Store {
    /// Begins a checkpoint.
    pub fn begin_checkpoint(&self) -> CheckpointWriter<'_> {
        CheckpointWriter { store: self, batch: WriteBatch::default() }
    }

    /// What the state on disk is the state of; `None` on a new chain.
    ///
    /// # Errors
    /// The disk refuses, or what is there is no checkpoint.
    pub fn checkpoint(&self) -> Result<Option<CheckpointHeader>, StoreError> {
        let Some(value) = self.get(META, CHECKPOINT)? else { return Ok(None) };
        let header = value.split_first_chunk::<4>().and_then(|(num, rest)| {
            let (id, extra) = rest.split_first_chunk::<32>()?;
            Some(CheckpointHeader {
                num: u32::from_be_bytes(*num),
                id: primitives::Checksum256(*id),
                extra: extra.to_vec(),
            })
        });
        header.map(Some).ok_or_else(|| self.corrupt("the checkpoint names no block"))
    }

    /// Every state row, in the order of the keys.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn state_rows(&self) -> impl Iterator<Item = Result<(Box<[u8]>, Box<[u8]>), StoreError>> + '_ {
        self.db
            .iterator_cf(self.family(STATE), IteratorMode::Start)
            .map(|row| row.map_err(|source| self.failed("read the state", source)))
    }

    /// Forgets the state, keeps the blocks: what `--replay-blockchain` asks for.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn forget_state(&self) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.delete_cf(self.family(META), CHECKPOINT);
        for row in self.state_rows() {
            batch.delete_cf(self.family(STATE), row?.0);
        }
        self.write(batch, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreSettings;

    #[test]
    fn a_checkpoint_replaces_rows_and_names_its_block() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings { path: folder.path().to_owned() }).unwrap();
        assert_eq!(store.checkpoint().unwrap(), None);
        let header =
            |num, extra: &[u8]| CheckpointHeader { num, id: primitives::Checksum256([7; 32]), extra: extra.to_vec() };
        let mut writer = store.begin_checkpoint();
        writer.put(b"a", b"1");
        writer.put(b"b", b"2");
        writer.commit(&header(3, b"x")).unwrap();
        let mut writer = store.begin_checkpoint();
        writer.delete(b"a");
        writer.put(b"b", b"3");
        writer.commit(&header(4, b"")).unwrap();
        assert_eq!(store.checkpoint().unwrap(), Some(header(4, b"")));
        let rows: Vec<_> = store.state_rows().map(|row| row.unwrap()).collect();
        assert_eq!(rows, vec![(b"b".to_vec().into(), b"3".to_vec().into())]);
        store.forget_state().unwrap();
        assert_eq!(store.checkpoint().unwrap(), None);
        assert_eq!(store.state_rows().count(), 0);
    }
}
