//! [`Chain`]: the runtime as the node sees it.

use std::sync::Arc;

use primitives::{BlockId, BlockTimestamp, ChainId, Checksum256, Genesis, Name, Signature, TimePoint, TransactionId};

use execution::{Budget, Clock, RecoveredTransaction, TransactionTrace};

use crate::{Applied, BlockPurpose, BlockState, ChainError, PreparedBlock, SealedBlock, Settings};

/// Placeholder until `ledger` is on main: becomes `pub use ledger::Ledger`.
#[derive(Debug)]
pub struct Ledger;

/// How to start a block.
#[derive(Debug, Clone)]
pub struct StartBlock {
    /// The slot; its scheduled producer produces the block.
    pub timestamp: BlockTimestamp,
    /// Earlier blocks that the producer confirms; see [`consensus::BlockHeaderState::blocks_to_confirm`].
    pub confirmed: u16,
    /// Features to activate: all preactivated ones, and those that need no preactivation.
    pub features: Vec<Checksum256>,
    /// Why.
    pub purpose: BlockPurpose,
}

/// The block under construction, as the API shows it.
#[derive(Debug)]
pub struct PendingView<'a> {
    /// Its number.
    pub block_num: u32,
    /// Its slot.
    pub timestamp: BlockTimestamp,
    /// Its producer.
    pub producer: Name,
    /// Why it was started.
    pub purpose: BlockPurpose,
    /// The trace of onblock.
    pub onblock: &'a TransactionTrace,
    /// Receipts so far.
    pub transactions: usize,
    /// CPU billed so far, in microseconds.
    pub cpu_usage_us: u64,
    /// Net billed so far, in bytes.
    pub net_usage_bytes: u64,
}

/// The ledger, the fork tree and the block under construction, with the VM beside them.
#[derive(Debug)]
pub struct Chain {
    head: Arc<BlockState>,
    ledger: Ledger,
}

#[allow(unused_variables, clippy::todo, reason = "API first")]
impl Chain {
    // --- beginnings

    /// A new chain at block 1.
    pub fn from_genesis(genesis: &Genesis, settings: Settings, clock: Box<dyn Clock>) -> Result<Self, ChainError> {
        todo!()
    }

    /// A chain as a portable snapshot (nodeos' format, version 6 or older) describes it. Its head is irreversible.
    pub fn from_snapshot(bytes: &[u8], settings: Settings, clock: Box<dyn Clock>) -> Result<Self, ChainError> {
        todo!()
    }

    /// A chain as a checkpoint of its ledger describes it, at the irreversible block of `header_state`
    /// (see [`Self::root_header_state_bytes`]). Later blocks are applied again with [`Self::push_block`].
    ///
    /// `rows` are the rows that captures returned, in any order, the latest of each key.
    pub fn from_checkpoint(
        rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
        header_state: &[u8],
        settings: Settings,
        clock: Box<dyn Clock>,
    ) -> Result<Self, ChainError> {
        todo!()
    }

    // --- views

    /// The chain's id.
    pub fn chain_id(&self) -> ChainId {
        todo!()
    }

    /// The head block.
    pub fn head(&self) -> &Arc<BlockState> {
        &self.head
    }

    /// The last irreversible block: the root of the fork tree.
    pub fn root(&self) -> &Arc<BlockState> {
        todo!()
    }

    /// A reversible block or the root by id, on any branch.
    pub fn fork_block(&self, id: &BlockId) -> Option<&Arc<BlockState>> {
        todo!()
    }

    /// A reversible block or the root by number, on the head's branch.
    pub fn fork_block_by_num(&self, block_num: u32) -> Option<&Arc<BlockState>> {
        todo!()
    }

    /// The reversible blocks of the head's branch in order, root excluded.
    pub fn reversible_blocks(&self) -> Vec<Arc<BlockState>> {
        todo!()
    }

    /// The tables as of the pending block, or of the head without one.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The block under construction.
    pub fn pending(&self) -> Option<PendingView<'_>> {
        todo!()
    }

    /// Features that a contract has preactivated: the next block must activate them.
    pub fn preactivated_features(&self) -> Vec<Checksum256> {
        todo!()
    }

    /// Scheduled transactions that could run in the pending block, in order, at most `limit`.
    pub fn scheduled_ready(&self, limit: usize) -> Vec<TransactionId> {
        todo!()
    }

    // --- building

    /// Starts a block on the head: feature activation, schedule promotion, onblock, clearing of expired entries.
    ///
    /// # Errors
    /// A block that cannot be built there (slot not after the head, double confirmation, features missing).
    pub fn start_block(&mut self, how: &StartBlock) -> Result<(), ChainError> {
        todo!()
    }

    /// Runs a signed transaction in the pending block. A failed one leaves nothing behind and has `except` in its
    /// trace.
    ///
    /// # Errors
    /// Only when the node is broken, or no block is pending.
    pub fn push_transaction(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<TransactionTrace, ChainError> {
        todo!()
    }

    /// Runs a scheduled (deferred) transaction in the pending block. A subjective failure leaves it scheduled.
    pub fn push_scheduled(&mut self, id: &TransactionId, budget: Budget) -> Result<TransactionTrace, ChainError> {
        todo!()
    }

    /// Runs a transaction with signatures and authorisations checked, then undoes it (`compute_transaction`).
    /// Works in the pending block.
    pub fn dry_run(
        &mut self,
        transaction: &RecoveredTransaction,
        budget: Budget,
    ) -> Result<TransactionTrace, ChainError> {
        todo!()
    }

    /// Runs a transaction that may not change anything (`send_read_only_transaction`). Works in the pending block.
    pub fn read_only(
        &mut self,
        transaction: &RecoveredTransaction,
        budget: Budget,
    ) -> Result<TransactionTrace, ChainError> {
        todo!()
    }

    /// Finishes, signs and commits the pending block; it becomes the head.
    ///
    /// `signer` gets the digest and returns signatures that satisfy the producer's authority. What it signs must be
    /// recorded by the node before the block leaves it.
    ///
    /// # Errors
    /// The block is aborted.
    pub fn seal_block(
        &mut self,
        signer: &mut dyn FnMut(&Checksum256) -> Vec<Signature>,
    ) -> Result<Applied, ChainError> {
        todo!()
    }

    /// Drops the pending block and returns its input transactions in order.
    pub fn abort_block(&mut self) -> Vec<Arc<RecoveredTransaction>> {
        todo!()
    }

    // --- receiving

    /// Takes a block from a peer: checks its header, puts it into the fork tree, applies it when it makes the best
    /// branch, and switches branches when that is another one. A pending block must be aborted first.
    ///
    /// # Errors
    /// The block (or one before it on its branch) breaks a rule; the chain stands as before.
    pub fn push_block(&mut self, block: PreparedBlock) -> Result<Applied, ChainError> {
        todo!()
    }

    /// Applies the next irreversible block: replay. Nothing can be undone afterwards.
    pub fn replay_block(&mut self, block: PreparedBlock) -> Result<SealedBlock, ChainError> {
        todo!()
    }

    // --- leaving

    /// Rows changed since the last call, as of the last irreversible block: packed key with table -> packed row
    /// (`None` removes it). Together with [`Self::root_header_state_bytes`] they make a checkpoint.
    pub fn take_checkpoint(&mut self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        todo!()
    }

    /// The packed header state of the last irreversible block.
    pub fn root_header_state_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// A portable snapshot of the head (nodeos' version 6). No block may be pending.
    pub fn write_snapshot(&mut self) -> Result<Vec<u8>, ChainError> {
        todo!()
    }

    /// nodeos' hash of the whole state at the head. No block may be pending.
    pub fn integrity_hash(&mut self) -> Result<Checksum256, ChainError> {
        todo!()
    }

    /// The time of the head block.
    pub fn head_time(&self) -> TimePoint {
        self.head.header.timestamp().time()
    }
}
