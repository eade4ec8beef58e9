//! A transaction that has run, as whoever gave the order gets it.

use std::sync::Arc;

use primitives::Fault;

use crate::trace::{ReceiptHeader, TransactionTrace};

/// How a transaction ended, for the block that it ran in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was executed, delayed, handled by its sender, or had expired on the chain's list: the block gets this receipt.
    Done(ReceiptHeader),
    /// It failed, what its sender does about that as well, and the chain retires it: the block gets this receipt.
    HardFailed(ReceiptHeader),
    /// It failed and left nothing behind.
    Failed,
}

/// What a transaction counts towards its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Billed CPU in microseconds; 0 of one that left nothing behind.
    pub cpu_us: u32,
    /// Net in bytes, also of one that left nothing behind.
    pub net_bytes: u64,
}

/// A transaction that has run.
#[derive(Debug, Clone)]
pub struct ExecutedTransaction {
    /// What it did.
    pub trace: Arc<TransactionTrace>,
    /// How it ended.
    pub ending: Ending,
    /// What it used.
    pub usage: Usage,
}

impl ExecutedTransaction {
    /// One that did what it should, or had expired.
    pub(crate) fn done(trace: TransactionTrace, receipt: ReceiptHeader) -> Self {
        Self::retired(trace, receipt, Ending::Done(receipt))
    }

    /// One that is retired because it failed for good.
    pub(crate) fn hard_failed(trace: TransactionTrace, receipt: ReceiptHeader) -> Self {
        Self::retired(trace, receipt, Ending::HardFailed(receipt))
    }

    fn retired(mut trace: TransactionTrace, receipt: ReceiptHeader, ending: Ending) -> Self {
        trace.receipt = Some(receipt);
        let usage = Usage { cpu_us: receipt.cpu_usage_us, net_bytes: trace.net_usage };
        Self { trace: Arc::new(trace), ending, usage }
    }

    /// One that left nothing behind; its trace says why.
    pub(crate) fn failed(trace: TransactionTrace) -> Self {
        let usage = Usage { cpu_us: 0, net_bytes: trace.net_usage };
        Self { trace: Arc::new(trace), ending: Ending::Failed, usage }
    }

    /// The head of the receipt that the block gets, if it gets one.
    pub fn receipt(&self) -> Option<ReceiptHeader> {
        match self.ending {
            Ending::Done(receipt) | Ending::HardFailed(receipt) => Some(receipt),
            Ending::Failed => None,
        }
    }

    /// Why it failed, if it did.
    pub fn fault(&self) -> Option<&Fault> {
        self.trace.except.as_deref()
    }
}
