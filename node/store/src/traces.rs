//! What the transactions of each block did, for the trace API. Kept for a bounded number of blocks, behind the
//! chain: losing the last ones with a loss of power loses no block.

use primitives::TransactionId;
use rocksdb::WriteBatch;

use crate::StoreError;
use crate::db::{Store, TRACES};

const BLOCK: u8 = b'b';
const TRANSACTION: u8 = b't';

/// The traces of one block as they are kept.
#[derive(Debug)]
pub struct BlockTraces<'a> {
    /// The block's number.
    pub num: u32,
    /// The traces, in a form that the API chooses.
    pub bytes: &'a [u8],
    /// Its transactions, in order.
    pub transactions: &'a [TransactionId],
    /// The block that was irreversible before it.
    pub irreversible: u32,
}

/// Where a transaction's trace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionPosition {
    /// The block's number.
    pub num: u32,
}

impl Store {
    /// Keeps the traces of a block in place of those of an earlier block with its number.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn put_traces(&self, traces: &BlockTraces<'_>) -> Result<(), StoreError> {
        let family = self.family(TRACES);
        let mut batch = WriteBatch::default();
        batch.put_cf(family, block_key(traces.num), traces.bytes);
        for id in traces.transactions {
            // A delayed transaction is in two blocks, and one of a branch that was left may be in another block now. As
            // on nodeos it is found in the last, until one of them is irreversible.
            if self.transaction_position(id)?.is_none_or(|known| known.num > traces.irreversible) {
                batch.put_cf(family, transaction_key(id), traces.num.to_be_bytes());
            }
        }
        self.write(batch, false)
    }

    /// The traces of a block.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn traces(&self, num: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(TRACES, &block_key(num))
    }

    /// Where a transaction's trace is.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn transaction_position(&self, id: &TransactionId) -> Result<Option<TransactionPosition>, StoreError> {
        let value = self.get(TRACES, &transaction_key(id))?;
        Ok(value
            .and_then(|value| value.try_into().ok())
            .map(|num| TransactionPosition { num: u32::from_be_bytes(num) }))
    }

    /// Forgets the traces of all blocks after this one. What says where a transaction is stays, and leads nowhere.
    pub(crate) fn forget_traces_after(&self, num: u32, batch: &mut WriteBatch) {
        batch.delete_range_cf(self.family(TRACES), &block_key(num.saturating_add(1))[..], &[BLOCK + 1][..]);
    }

    /// Forgets the traces of a block; `transactions` are the ids that it held.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn forget_traces(&self, num: u32, transactions: &[TransactionId]) -> Result<(), StoreError> {
        let family = self.family(TRACES);
        let mut batch = WriteBatch::default();
        batch.delete_cf(family, block_key(num));
        for id in transactions {
            batch.delete_cf(family, transaction_key(id));
        }
        self.write(batch, false)
    }
}

fn block_key(num: u32) -> [u8; 5] {
    let [a, b, c, d] = num.to_be_bytes();
    [BLOCK, a, b, c, d]
}

fn transaction_key(id: &TransactionId) -> [u8; 33] {
    let mut key = [TRANSACTION; 33];
    key[1..].copy_from_slice(&id.0);
    key
}
