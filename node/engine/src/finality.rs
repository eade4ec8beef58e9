//! What became of recent transactions (`get_transaction_status`): a bounded memory, off unless it is given bytes.
//! It knows what nodeos' knows: transactions that were executed here or in a block; failures leave no mark.

use std::collections::BTreeSet;

use chain::BlockState;
use parking_lot::Mutex;
use primitives::block::ReceiptTransaction;
use primitives::{BlockId, BlockTimestamp, TimePoint, TimePointSec, TransactionId, TransactionStatus};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::moved::{Follows, Moved};

/// Bytes that one remembered transaction is counted with (`finality_status_object` with its indexes).
const ENTRY_BYTES: usize = 300;
/// Share of the memory that is kept when it is full, in percent.
const KEPT_PERCENT: usize = 90;

/// How much is remembered, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct FinalitySettings {
    /// Bytes at most; 0 for nothing.
    pub bytes_max: usize,
    /// Microseconds that a transaction in a block is remembered.
    pub success_us: i64,
    /// Microseconds that a transaction outside of blocks is remembered.
    pub failure_us: i64,
}

impl Default for FinalitySettings {
    fn default() -> Self {
        Self { bytes_max: 0, success_us: 180_000_000, failure_us: 180_000_000 }
    }
}

/// A block by id and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockPoint {
    /// Its id.
    pub id: BlockId,
    /// Its slot.
    pub time: BlockTimestamp,
}

impl BlockPoint {
    /// That of a block.
    pub(crate) fn of(state: &BlockState) -> Self {
        Self { id: state.id(), time: state.header.timestamp() }
    }
}

/// What is known of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionState {
    /// When it expires.
    pub expiration: TimePointSec,
    /// Its last block, once it was in one.
    pub block: Option<BlockPoint>,
    /// Whether that block left the chain again.
    pub forked_out: bool,
    received: TimePoint,
}

impl TransactionState {
    /// Whether it is in a block of the chain.
    pub fn is_in_block(&self) -> bool {
        self.block.is_some() && !self.forked_out
    }

    fn age(&self, id: TransactionId) -> Age {
        (self.is_in_block(), self.received, id)
    }
}

/// The chain as the tracker knows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrackedChain {
    /// The head.
    pub head: BlockPoint,
    /// The last irreversible block.
    pub irreversible: BlockPoint,
    /// The block of the earliest remembered transaction that is in one.
    pub earliest: BlockId,
}

/// Whether a transaction is in a block, and since when it is known: the order in which they are forgotten.
type Age = (bool, TimePoint, TransactionId);

#[derive(Debug, Default)]
struct Memory {
    chain: TrackedChain,
    states: FxHashMap<TransactionId, TransactionState>,
    ages: BTreeSet<Age>,
}

/// The memory of what became of transactions.
#[derive(Debug)]
pub struct FinalityTracker {
    settings: FinalitySettings,
    memory: Mutex<Memory>,
}

impl FinalityTracker {
    /// A memory as `settings` say; with no bytes it is off.
    pub fn new(settings: FinalitySettings) -> Self {
        Self { settings, memory: Mutex::default() }
    }

    /// Whether transactions are tracked at all.
    pub fn is_enabled(&self) -> bool {
        self.settings.bytes_max >= ENTRY_BYTES
    }

    /// The chain, and what is known of a transaction.
    pub fn look_up(&self, id: &TransactionId) -> (TrackedChain, Option<TransactionState>) {
        let memory = self.memory.lock();
        (memory.chain, memory.states.get(id).copied())
    }

    /// An input transaction was executed in the pending block.
    pub fn ran(&self, id: TransactionId, expiration: TimePointSec, now: TimePoint) {
        if !self.is_enabled() {
            return;
        }
        let mut memory = self.memory.lock();
        let made_room = memory.make_room(self.entries_max());
        memory.put(id, expiration, None, now);
        if made_room || memory.chain.earliest == BlockId::default() {
            memory.find_earliest();
        }
    }

    /// A block became the head; `transactions` are its executed input transactions.
    pub fn accepted<I>(&self, block: BlockPoint, transactions: I, now: TimePoint)
    where
        I: IntoIterator<Item = (TransactionId, TimePointSec)>,
    {
        if !self.is_enabled() {
            return;
        }
        let mut memory = self.memory.lock();
        memory.chain.head = block;
        let mut forgot = memory.forget_until(true, TimePoint(now.0 - self.settings.success_us));
        forgot |= memory.forget_until(false, TimePoint(now.0 - self.settings.failure_us));
        for (id, expiration) in transactions {
            forgot |= memory.make_room(self.entries_max()) || memory.chain.earliest == BlockId::default();
            memory.put(id, expiration, Some(block), now);
        }
        if forgot {
            memory.find_earliest();
        }
    }

    /// A block left the chain.
    pub fn undone(&self, block: BlockId) {
        if self.is_enabled() {
            let mut memory = self.memory.lock();
            let Memory { states, ages, .. } = &mut *memory;
            for (id, state) in states.iter_mut().filter(|(_, state)| state.block.is_some_and(|at| at.id == block)) {
                ages.remove(&state.age(*id));
                state.forked_out = true;
                ages.insert(state.age(*id));
            }
        }
    }

    /// The chain was set to another state, and these blocks left it.
    pub(crate) fn rewound(&self, cut: &FxHashSet<BlockId>, head: BlockPoint, irreversible: BlockPoint) {
        if !self.is_enabled() {
            return;
        }
        let mut memory = self.memory.lock();
        let Memory { chain, states, ages } = &mut *memory;
        (chain.head, chain.irreversible) = (head, irreversible);
        for (id, state) in states.iter_mut().filter(|(_, state)| state.block.is_some_and(|at| cut.contains(&at.id))) {
            ages.remove(&state.age(*id));
            state.forked_out = true;
            ages.insert(state.age(*id));
        }
    }

    /// A block became irreversible.
    pub fn irreversible(&self, block: BlockPoint) {
        if self.is_enabled() {
            self.memory.lock().chain.irreversible = block;
        }
    }

    fn entries_max(&self) -> usize {
        self.settings.bytes_max / ENTRY_BYTES
    }
}

impl Follows for &FinalityTracker {
    fn follow(&mut self, moved: &Moved<'_>) {
        if !self.is_enabled() {
            return;
        }
        moved.applied.undone.iter().for_each(|state| self.undone(state.id()));
        for sealed in &moved.applied.applied {
            self.accepted(BlockPoint::of(&sealed.state), executed_in(&sealed.state), moved.now);
        }
        if let Some(state) = moved.applied.irreversible.last() {
            self.irreversible(BlockPoint::of(state));
        }
    }
}

/// The input transactions that were executed in a block. A block state has them recovered, in the order of the receipts.
fn executed_in(state: &BlockState) -> impl Iterator<Item = (TransactionId, TimePointSec)> + '_ {
    let receipts = state.block.iter().flat_map(|block| &block.transactions);
    let input = receipts.filter(|receipt| matches!(receipt.trx, ReceiptTransaction::Packed(_)));
    let executed = input.zip(&state.transactions).filter(|(receipt, _)| receipt.status == TransactionStatus::Executed);
    executed.map(|(_, transaction)| (transaction.id, transaction.parts.header.expiration))
}

impl Memory {
    fn put(&mut self, id: TransactionId, expiration: TimePointSec, block: Option<BlockPoint>, now: TimePoint) {
        let old = self.states.get(&id).copied();
        if let Some(old) = old {
            self.ages.remove(&old.age(id));
        }
        let received = old.map_or(now, |old| old.received);
        let state = TransactionState { expiration, block, forked_out: false, received };
        self.ages.insert(state.age(id));
        self.states.insert(id, state);
    }

    /// Forgets what is known since `time` or longer. Whether there was any.
    fn forget_until(&mut self, in_block: bool, time: TimePoint) -> bool {
        let before = self.states.len();
        let first = (in_block, TimePoint(i64::MIN), TransactionId::default());
        while let Some(age) = self.ages.range(first..).next().copied() {
            if age.0 != in_block || age.1 > time {
                break;
            }
            self.forget(age);
        }
        self.states.len() < before
    }

    /// Forgets the oldest when the memory is full. Whether it was.
    fn make_room(&mut self, entries_max: usize) -> bool {
        if self.states.len() < entries_max {
            return false;
        }
        let kept = entries_max * KEPT_PERCENT / 100;
        let mut oldest: Vec<Age> = self.ages.iter().copied().collect();
        oldest.sort_unstable_by_key(|age| age.1);
        for age in oldest.into_iter().take(self.states.len() - kept) {
            self.forget(age);
        }
        true
    }

    fn forget(&mut self, age: Age) {
        self.ages.remove(&age);
        self.states.remove(&age.2);
    }

    fn find_earliest(&mut self) {
        let first = (true, TimePoint(i64::MIN), TransactionId::default());
        let oldest = self.ages.range(first..).next().and_then(|age| self.states.get(&age.2));
        if let Some(block) = oldest.and_then(|state| state.block) {
            self.chain.earliest = block.id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Checksum256;

    fn tracker(entries: usize) -> FinalityTracker {
        FinalityTracker::new(FinalitySettings { bytes_max: entries * ENTRY_BYTES, success_us: 100, failure_us: 50 })
    }

    fn id(number: u8) -> TransactionId {
        Checksum256([number; 32])
    }

    fn block(number: u8) -> BlockPoint {
        BlockPoint { id: id(number), time: BlockTimestamp(u32::from(number)) }
    }

    const EXPIRATION: TimePointSec = TimePointSec(9);

    #[test]
    fn a_transaction_runs_joins_a_block_leaves_it_and_joins_another() {
        let tracker = tracker(10);
        let state = || tracker.look_up(&id(1)).1;
        assert_eq!(state(), None);
        tracker.ran(id(1), EXPIRATION, TimePoint(0));
        assert!(state().is_some_and(|state| state.block.is_none() && !state.is_in_block()));
        tracker.accepted(block(7), [(id(1), EXPIRATION)], TimePoint(1));
        assert!(state().is_some_and(|state| state.is_in_block() && state.received == TimePoint(0)));
        tracker.undone(id(7));
        assert!(state().is_some_and(|state| state.forked_out && !state.is_in_block()));
        tracker.accepted(block(8), [(id(1), EXPIRATION)], TimePoint(2));
        assert_eq!(state().and_then(|state| state.block), Some(block(8)));
        assert_eq!(tracker.look_up(&id(1)).0.head, block(8));
    }

    #[test]
    fn what_is_old_is_forgotten_failures_first() {
        let tracker = tracker(10);
        tracker.ran(id(1), EXPIRATION, TimePoint(0));
        tracker.accepted(block(1), [(id(2), EXPIRATION)], TimePoint(0));
        tracker.accepted(block(2), [], TimePoint(50));
        assert_eq!(tracker.look_up(&id(1)).1, None);
        assert!(tracker.look_up(&id(2)).1.is_some());
        tracker.accepted(block(3), [], TimePoint(100));
        assert_eq!(tracker.look_up(&id(2)).1, None);
    }

    #[test]
    fn a_full_memory_forgets_the_oldest() {
        let tracker = tracker(10);
        for number in 0..11 {
            tracker.ran(id(number), EXPIRATION, TimePoint(i64::from(number)));
        }
        assert_eq!(tracker.look_up(&id(0)).1, None);
        assert!(tracker.look_up(&id(1)).1.is_some() && tracker.look_up(&id(10)).1.is_some());
        let memory = tracker.memory.lock();
        assert_eq!(memory.states.len(), memory.ages.len());
    }
}
