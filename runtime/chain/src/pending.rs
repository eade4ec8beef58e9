//! The block under construction: what it was started with and what it holds so far.

use std::sync::Arc;

use consensus::PendingHeaderState;
use execution::executed::Usage;
use execution::{ReceiptHeader, RecoveredTransaction, TransactionTrace};
use primitives::block::ReceiptTransaction;
use primitives::{BlockTimestamp, Checksum256, ProducerSchedule, TransactionReceipt};

use crate::BlockPurpose;

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

/// The block under construction (`building_block`).
#[derive(Debug)]
pub(crate) struct Pending {
    pub header: PendingHeaderState,
    pub purpose: BlockPurpose,
    /// Features that it activates.
    pub features: Vec<Checksum256>,
    /// The schedule that it announces.
    pub new_schedule: Option<Arc<ProducerSchedule>>,
    pub receipts: Vec<TransactionReceipt>,
    /// Leaves of the transaction merkle tree.
    pub receipt_digests: Vec<Checksum256>,
    /// Input transactions in it, to be tried again when it is aborted.
    pub transactions: Vec<Arc<RecoveredTransaction>>,
    /// Traces of everything in it, onblock first.
    pub traces: Vec<Arc<TransactionTrace>>,
    pub cpu_usage_us: u64,
    pub net_usage_bytes: u64,
}

impl Pending {
    pub fn new(header: PendingHeaderState, how: &StartBlock) -> Self {
        Self {
            header,
            purpose: how.purpose,
            features: how.features.clone(),
            new_schedule: None,
            receipts: Vec::new(),
            receipt_digests: Vec::new(),
            transactions: Vec::new(),
            traces: Vec::new(),
            cpu_usage_us: 0,
            net_usage_bytes: 0,
        }
    }

    /// Adds a receipt with its leaf. `id_or_digest` is what the leaf commits to: the id of a scheduled transaction or
    /// the packed digest of an input one.
    pub fn push_receipt(&mut self, header: ReceiptHeader, trx: ReceiptTransaction, id_or_digest: &Checksum256) {
        let ReceiptHeader { status, cpu_usage_us, net_usage_words } = header;
        self.receipt_digests.push(TransactionReceipt::digest_of(status, cpu_usage_us, net_usage_words, id_or_digest));
        self.receipts.push(TransactionReceipt { status, cpu_usage_us, net_usage_words, trx });
    }

    /// Adds the trace of something that ran in it.
    pub fn push_trace(&mut self, trace: &Arc<TransactionTrace>) {
        self.traces.push(trace.kept());
    }

    /// Counts what a transaction used, for the block's report.
    pub fn count(&mut self, usage: Usage) {
        self.cpu_usage_us += u64::from(usage.cpu_us);
        self.net_usage_bytes += usage.net_bytes;
    }
}
