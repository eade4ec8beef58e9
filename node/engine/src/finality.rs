//! What became of recent transactions (`get_transaction_status`): a bounded memory, off unless it is given bytes.

use std::collections::VecDeque;

use parking_lot::Mutex;
use primitives::{BlockId, BlockTimestamp, TimePointSec, TransactionId};
use rustc_hash::FxHashMap;

/// Bytes that one remembered transaction is counted with (`finality_status_object` with its indexes).
const ENTRY_BYTES: usize = 300;
/// Slots that a transaction is remembered: 180 seconds.
const REMEMBER_SLOTS: u32 = 360;

/// A block by id and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockPoint {
    /// Its id.
    pub id: BlockId,
    /// Its slot.
    pub time: BlockTimestamp,
}

/// What is known of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionState {
    /// When it expires.
    pub expiration: TimePointSec,
    /// Its block, once it is in one.
    pub block: Option<BlockPoint>,
    /// Whether its block left the chain again.
    pub forked_out: bool,
    /// Whether it failed here.
    pub failed: bool,
    seen: BlockTimestamp,
}

/// The chain as the tracker knows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrackedChain {
    /// The head.
    pub head: BlockPoint,
    /// The last irreversible block.
    pub irreversible: BlockPoint,
    /// The first block that was tracked.
    pub earliest: BlockPoint,
}

#[derive(Debug, Default)]
struct Memory {
    chain: TrackedChain,
    states: FxHashMap<TransactionId, TransactionState>,
    order: VecDeque<TransactionId>,
}

/// The memory of what became of transactions.
#[derive(Debug)]
pub struct FinalityTracker {
    entries_max: usize,
    memory: Mutex<Memory>,
}

impl FinalityTracker {
    /// A memory of at most `bytes_max`; with 0 it is off.
    pub fn new(bytes_max: usize) -> Self {
        Self { entries_max: bytes_max / ENTRY_BYTES, memory: Mutex::default() }
    }

    /// Whether transactions are tracked at all.
    pub fn is_enabled(&self) -> bool {
        self.entries_max > 0
    }

    /// The chain, and what is known of a transaction.
    pub fn look_up(&self, id: &TransactionId) -> (TrackedChain, Option<TransactionState>) {
        let memory = self.memory.lock();
        (memory.chain, memory.states.get(id).copied())
    }

    /// A transaction ran here, or failed.
    pub fn ran(&self, id: TransactionId, expiration: TimePointSec, slot: BlockTimestamp, failed: bool) {
        if !self.is_enabled() {
            return;
        }
        let mut memory = self.memory.lock();
        let state = TransactionState { expiration, block: None, forked_out: false, failed, seen: slot };
        if memory.states.insert(id, state).is_none() {
            memory.order.push_back(id);
        }
        self.forget(&mut memory, slot);
    }

    /// A block became the head.
    pub fn accepted<I: IntoIterator<Item = (TransactionId, TimePointSec)>>(&self, block: BlockPoint, transactions: I) {
        if !self.is_enabled() {
            return;
        }
        let mut memory = self.memory.lock();
        memory.chain.head = block;
        if memory.chain.earliest == BlockPoint::default() {
            memory.chain.earliest = block;
        }
        for (id, expiration) in transactions {
            let state =
                TransactionState { expiration, block: Some(block), forked_out: false, failed: false, seen: block.time };
            if memory.states.insert(id, state).is_none() {
                memory.order.push_back(id);
            }
        }
        self.forget(&mut memory, block.time);
    }

    /// A block left the chain.
    pub fn undone(&self, block: BlockId) {
        if self.is_enabled() {
            let mut memory = self.memory.lock();
            for state in memory.states.values_mut().filter(|state| state.block.is_some_and(|at| at.id == block)) {
                state.forked_out = true;
            }
        }
    }

    /// A block became irreversible.
    pub fn irreversible(&self, block: BlockPoint) {
        if self.is_enabled() {
            self.memory.lock().chain.irreversible = block;
        }
    }

    fn forget(&self, memory: &mut Memory, now: BlockTimestamp) {
        while let Some(oldest) = memory.order.front() {
            let old = memory.states.get(oldest).is_none_or(|state| state.seen.0 + REMEMBER_SLOTS < now.0);
            if !old && memory.order.len() <= self.entries_max {
                break;
            }
            let oldest = memory.order.pop_front().expect("it was looked at above");
            memory.states.remove(&oldest);
        }
    }
}
