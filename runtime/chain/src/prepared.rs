//! Blocks as other threads prepare them for the writer: unpacked, ids and digests computed, keys recovered.

use std::sync::Arc;

use primitives::{BlockId, ChainId, Checksum256, Fault, SignedBlock};

/// What to prepare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrepareMode {
    /// Recover keys and compute the transaction merkle root: for blocks from peers and replay with all checks.
    Full,
    /// Only ids: for trusted replay.
    Trusted,
}

/// A block ready for the writer. Made on any thread, without the ledger.
#[derive(Debug, Clone)]
pub struct PreparedBlock {
    /// Its id.
    pub id: BlockId,
    /// The block.
    pub block: Arc<SignedBlock>,
    /// Merkle root of its receipts; absent in [`PrepareMode::Trusted`].
    pub transaction_mroot: Option<Checksum256>,
}

impl PreparedBlock {
    /// Unpacks and prepares a block.
    ///
    /// # Errors
    /// The fault of the first thing that is malformed: the block, a packed transaction, a signature.
    pub fn from_bytes(bytes: &[u8], chain_id: &ChainId, mode: PrepareMode) -> Result<Self, Fault> {
        let _ = (bytes, chain_id, mode);
        todo!("API first")
    }

    /// Prepares a block that is unpacked already.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn from_block(block: Arc<SignedBlock>, chain_id: &ChainId, mode: PrepareMode) -> Result<Self, Fault> {
        let _ = (block, chain_id, mode);
        todo!("API first")
    }
}
