//! What each block did to the rows of the state, where a node keeps that. Behind the chain as traces are: what a loss of
//! power takes with it a start makes again.

use rocksdb::WriteBatch;

use crate::StoreError;
use crate::db::{DELTAS, Store};

/// After every number of a block.
const END: [u8; 5] = [0xff; 5];

impl Store {
    /// Keeps the deltas of a block in place of those of an earlier block with its number.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn put_deltas(&self, num: u32, deltas: &[u8]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(DELTAS), num.to_be_bytes(), deltas);
        self.write(batch, false)
    }

    /// The deltas of a block.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn deltas(&self, num: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.get_large(DELTAS, num)
    }

    /// Forgets the deltas of a block that left the chain.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn forget_deltas(&self, num: u32) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.delete_cf(self.family(DELTAS), num.to_be_bytes());
        self.write(batch, false)
    }

    /// Forgets the deltas of all blocks after this one.
    pub(crate) fn forget_deltas_after(&self, num: u32, batch: &mut WriteBatch) {
        batch.delete_range_cf(self.family(DELTAS), &num.saturating_add(1).to_be_bytes()[..], &END[..]);
    }
}

#[cfg(test)]
mod tests {
    use primitives::BlockTimestamp;

    use super::*;
    use crate::{Head, StoreSettings};

    #[test]
    fn deltas_go_with_their_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreSettings { path: folder.path().to_owned() }).unwrap();
        (2..=5).for_each(|num| store.put_deltas(num, &[num as u8; 9000]).unwrap());
        store.put_deltas(3, b"another block").unwrap();
        store.forget_deltas(2).unwrap();
        store.truncate(Head { num: 4, id: primitives::Checksum256([4; 32]) }, BlockTimestamp(4)).unwrap();
        let kept = [2, 3, 4, 5].map(|num| store.deltas(num).unwrap());
        assert_eq!(kept, [None, Some(b"another block".to_vec()), Some(vec![4; 9000]), None]);
    }
}
