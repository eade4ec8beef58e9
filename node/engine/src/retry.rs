//! Transactions whose senders wait until they are some blocks deep, or irreversible (`send_transaction2` with
//! `retry_trx`), or on the disk (`wait`, our own). One that falls out of the chain is tried again until it expires.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use execution::{RecoveredTransaction, TransactionTrace};
use primitives::{BlockId, Fault, FaultKind, TimePoint, TransactionId, TransactionStatus, ensure};
use rustc_hash::FxHashMap;

use crate::command::{Patience, Reply, RetryUntil, SubmitResult, WaitFor, answer};
use crate::metrics::Load;
use crate::moved::{Follows, Moved};
use crate::{Refusal, Refused};

/// Bytes that are counted for a tracked transaction beside its packed form, which is there packed and unpacked.
const ENTRY_OVERHEAD_BYTES: usize = 1024;
/// Bytes that are counted for each client that waits for it.
const WAITER_BYTES: usize = 256;
/// Bytes of transactions that clients wait for (`wait`) where the operator allows no more for retries.
const WAITED_BYTES_MAX: usize = 64 << 20;
/// The breaker's name, as clients see it.
pub const BREAKER: &str = "waits";
/// Microseconds that a transaction whose block left the chain waits at least: the new branch may hold it too.
const FORK_PAUSE_US: i64 = 10_000_000;

/// How transactions are tried again.
#[derive(Debug, Clone, Copy)]
pub struct RetrySettings {
    /// Bytes of transactions that are tracked at most; 0 when none are.
    pub bytes_max: usize,
    /// Microseconds between two tries.
    pub interval_us: i64,
    /// Microseconds that a tracked transaction's expiration may lie ahead.
    pub expiration_max_us: i64,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { bytes_max: 0, interval_us: 20_000_000, expiration_max_us: 120_000_000 }
    }
}

/// A transaction that somebody waits for.
#[derive(Debug)]
struct Tracked {
    transaction: Arc<RecoveredTransaction>,
    included: Option<Included>,
    last_try: TimePoint,
    waiters: Vec<Waiter>,
}

/// Who waits for it: several clients may, each for something else.
#[derive(Debug)]
struct Waiter {
    patience: Patience,
    reply: Reply<SubmitResult>,
}

/// The block of the chain that a transaction is in.
#[derive(Debug)]
struct Included {
    num: u32,
    id: BlockId,
    trace: Arc<TransactionTrace>,
    /// Which change of the chain it came with, counted from the start of the node.
    change: u64,
}

impl Included {
    fn trace(&self) -> Arc<TransactionTrace> {
        Arc::new(TransactionTrace { producer_block_id: Some(self.id), ..(*self.trace).clone() })
    }
}

impl Tracked {
    fn is_settled(&self, patience: Patience, head: u32, irreversible: u32, synced: u64) -> bool {
        self.included.as_ref().is_some_and(|block| match patience {
            Patience::Retry(RetryUntil::Blocks(depth)) => {
                block.num <= irreversible || block.num + u32::from(depth) <= head
            }
            Patience::Wait(WaitFor::Block) => true,
            Patience::Wait(WaitFor::Stored) => block.change <= synced,
            Patience::Retry(RetryUntil::Irreversible) | Patience::Wait(WaitFor::Irreversible) => {
                block.num <= irreversible
            }
        })
    }

    /// Whether it is in no block, and no block can have it once there is one of this time. Before that one is irreversible
    /// retries hope for another branch. One that is in a block waits for whatever it was told to wait for.
    fn is_lost(&self, patience: Patience, time: TimePoint, irreversible: bool) -> bool {
        let expiration = TimePoint::from(self.transaction.parts.header.expiration);
        let is_over = match (irreversible, patience) {
            (true, _) => expiration <= time,
            (false, Patience::Wait(_)) => expiration < time,
            (false, Patience::Retry(_)) => false,
        };
        is_over && self.included.is_none()
    }
}

/// The transactions that somebody waits for.
#[derive(Debug)]
pub struct RetryTracker {
    settings: RetrySettings,
    tracked: FxHashMap<TransactionId, Tracked>,
    bytes: usize,
    /// Changes of the chain by which blocks joined it, so far.
    changes: u64,
    /// Head and irreversible block of the last one.
    stands: (u32, u32),
}

impl RetryTracker {
    /// Tracks nothing yet.
    pub fn new(settings: RetrySettings) -> Self {
        Self { settings, tracked: FxHashMap::default(), bytes: 0, changes: 0, stands: (0, 0) }
    }

    /// Tracks a transaction that was just executed in the pending block.
    ///
    /// The sender is answered at once when there is no room. Who waits for it already goes on to wait: a block that was
    /// never sealed lets it run a second time.
    pub fn track(
        &mut self,
        transaction: Arc<RecoveredTransaction>,
        patience: Patience,
        now: TimePoint,
        reply: Reply<SubmitResult>,
    ) {
        if let Err(refused) = self.check_room(patience) {
            answer(reply, Err(refused));
            return;
        }
        let tracked = match self.tracked.entry(transaction.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                self.bytes += size(&transaction);
                place.insert(Tracked { transaction, included: None, last_try: now, waiters: Vec::new() })
            }
        };
        self.bytes += WAITER_BYTES;
        tracked.last_try = now;
        tracked.waiters.push(Waiter { patience, reply });
    }

    fn check_room(&self, patience: Patience) -> Result<(), Refused> {
        if matches!(patience, Patience::Wait(_)) {
            let full = self.bytes >= self.waited_bytes_max();
            let reason = || format!("transactions that are waited for take {} bytes", self.bytes);
            return if full { Err(Refusal::Busy { breaker: BREAKER, reason: reason() }.into()) } else { Ok(()) };
        }
        self.check_retries().map_err(Refused::from)
    }

    fn waited_bytes_max(&self) -> usize {
        self.settings.bytes_max.max(WAITED_BYTES_MAX)
    }

    /// Bytes of transactions that are waited for, and those that may be.
    pub fn load(&self) -> Load {
        Load { used: self.bytes as u64, limit: Some(self.waited_bytes_max() as u64) }
    }

    fn check_retries(&self) -> Result<(), Fault> {
        ensure!(
            self.bytes < self.settings.bytes_max,
            TX_RESOURCE_EXHAUSTION,
            "Transaction exceeded  transaction-retry-max-storage-size-gb limit: {} bytes",
            self.bytes
        );
        Ok(())
    }

    /// The disk has the first changes of the chain: whoever waited for that is answered.
    pub fn answer_settled(&mut self, synced: u64) {
        let (head, irreversible) = self.stands;
        self.answer_all(
            |tracked, patience| tracked.is_settled(patience, head, irreversible, synced),
            |tracked| tracked.included.as_ref().map(|block| Ok(block.trace())),
        );
    }

    /// A block of this time is in the chain: whoever waits for what no block can have any more is told.
    fn give_up(&mut self, time: TimePoint, irreversible: bool) {
        self.answer_all(
            |tracked, patience| tracked.is_lost(patience, time, irreversible),
            |tracked| Some(Err(expired_fault(&tracked.transaction, time).into())),
        );
    }

    /// A block left the chain.
    pub(crate) fn undo(&mut self, block: BlockId, now: TimePoint) {
        for tracked in self.tracked.values_mut() {
            if tracked.included.as_ref().is_some_and(|included| included.id == block) {
                tracked.included = None;
                if tracked.last_try.0 + self.settings.interval_us <= now.0 {
                    tracked.last_try.0 += FORK_PAUSE_US;
                }
            }
        }
    }

    fn answer_all(
        &mut self,
        ready: impl Fn(&Tracked, Patience) -> bool,
        result: impl Fn(&Tracked) -> Option<SubmitResult>,
    ) {
        self.tracked.retain(|_, tracked| {
            let mut waiters = std::mem::take(&mut tracked.waiters);
            for waiter in waiters.extract_if(.., |waiter| ready(tracked, waiter.patience)) {
                self.bytes -= WAITER_BYTES;
                if let Some(result) = result(tracked) {
                    answer(waiter.reply, result);
                }
            }
            tracked.waiters = waiters;
            let is_waited_for = !tracked.waiters.is_empty();
            if !is_waited_for {
                self.bytes -= size(&tracked.transaction);
            }
            is_waited_for
        });
    }

    /// The transactions that are in no block and were not tried for a while.
    pub fn due(&mut self, now: TimePoint) -> Vec<Arc<RecoveredTransaction>> {
        let interval = self.settings.interval_us;
        let waiting = self.tracked.values_mut().filter(|tracked| tracked.included.is_none());
        let mut due = Vec::new();
        for tracked in waiting.filter(|tracked| tracked.last_try.0 + interval <= now.0) {
            tracked.last_try = now;
            due.push(Arc::clone(&tracked.transaction));
        }
        due
    }
}

impl Follows for RetryTracker {
    /// Whoever waited long enough is answered.
    fn follow(&mut self, moved: &Moved<'_>) {
        let applied = moved.applied;
        self.changes += u64::from(!applied.applied.is_empty());
        if self.tracked.is_empty() {
            return;
        }
        for state in &applied.undone {
            self.undo(state.id(), moved.now);
        }
        for sealed in &applied.applied {
            let (num, id) = (sealed.state.number(), sealed.state.id());
            for trace in sealed.traces.iter().filter(|trace| is_executed_input(trace)) {
                if let Some(tracked) = self.tracked.get_mut(&trace.id) {
                    tracked.included = Some(Included { num, id, trace: Arc::clone(trace), change: self.changes });
                }
            }
        }
        if let Some(head) = applied.applied.last() {
            self.stands = (head.state.number(), moved.irreversible);
            self.answer_settled(moved.synced);
            self.give_up(head.state.header.timestamp().time(), false);
        }
        if let Some(state) = applied.irreversible.last() {
            self.give_up(state.header.timestamp().time(), true);
        }
    }
}

/// Whether a trace is that of an input transaction that was executed at once.
pub(crate) fn is_executed_input(trace: &TransactionTrace) -> bool {
    !trace.scheduled && trace.receipt.is_some_and(|receipt| receipt.status == TransactionStatus::Executed)
}

fn expired_fault(transaction: &RecoveredTransaction, time: TimePoint) -> Fault {
    let (id, expiration) = (transaction.id, transaction.parts.header.expiration);
    let message = format!("expired retry transaction {id}, expiration {expiration}, block time {time}");
    Fault::new(FaultKind::EXPIRED_TX_EXCEPTION, message)
}

fn size(transaction: &RecoveredTransaction) -> usize {
    transaction.memory_bytes + ENTRY_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use primitives::{Compression, PackedTransaction, SignedTransaction, TimePointSec, Transaction};

    use super::*;

    fn transaction() -> Arc<RecoveredTransaction> {
        let mut trx = Transaction::default();
        trx.header.expiration = TimePointSec(100);
        let signed = SignedTransaction { transaction: trx.clone(), ..SignedTransaction::default() };
        let packed = PackedTransaction::new(&signed, Compression::None);
        Arc::new(RecoveredTransaction::new(packed, BlockId::default(), trx, Vec::new(), Vec::new()))
    }

    #[test]
    fn everybody_who_waits_for_a_transaction_is_answered() {
        let mut tracker = RetryTracker::new(RetrySettings::default());
        let transaction = transaction();
        let mut track = |wait| {
            let (reply, asker) = tokio::sync::oneshot::channel();
            tracker.track(Arc::clone(&transaction), Patience::Wait(wait), TimePoint(0), reply);
            asker
        };
        let (mut stored, mut irreversible) = (track(WaitFor::Stored), track(WaitFor::Irreversible));
        let mut lost = track(WaitFor::Irreversible);
        assert_eq!(tracker.due(TimePoint(30_000_000)).len(), 1, "it is tried once for all of them");
        let trace = Arc::new(TransactionTrace::default());
        tracker.tracked.get_mut(&transaction.id).unwrap().included =
            Some(Included { num: 5, id: BlockId::default(), trace, change: 7 });
        tracker.stands = (5, 4);
        tracker.answer_settled(7);
        assert!(stored.try_recv().unwrap().is_ok() && irreversible.try_recv().is_err());
        assert!(tracker.bytes > 0);
        tracker.stands = (6, 5);
        tracker.answer_settled(7);
        assert!(irreversible.try_recv().unwrap().is_ok() && lost.try_recv().unwrap().is_ok());
        assert_eq!((tracker.bytes, tracker.tracked.len()), (0, 0));
    }

    #[test]
    fn only_what_is_in_no_block_expires() {
        let mut tracked =
            Tracked { transaction: transaction(), included: None, last_try: TimePoint(0), waiters: Vec::new() };
        let seconds = |seconds: i64| TimePoint(seconds * 1_000_000);
        for (patience, reversible) in [
            (Patience::Wait(WaitFor::Stored), true),
            (Patience::Wait(WaitFor::Irreversible), true),
            (Patience::Retry(RetryUntil::Irreversible), false),
            (Patience::Retry(RetryUntil::Blocks(1)), false),
        ] {
            tracked.included = None;
            let lost = |tracked: &Tracked, time, irreversible| tracked.is_lost(patience, seconds(time), irreversible);
            assert!(!lost(&tracked, 99, true) && !lost(&tracked, 100, false));
            assert!(lost(&tracked, 100, true), "{patience:?}");
            assert_eq!(lost(&tracked, 101, false), reversible, "{patience:?}");
            // In a block that the disk does not have yet, far behind the irreversible one.
            let trace = Arc::new(TransactionTrace::default());
            tracked.included = Some(Included { num: 5, id: BlockId::default(), trace, change: 7 });
            assert!(!lost(&tracked, 3600, true) && !lost(&tracked, 3600, false), "{patience:?}");
        }
        let stored = Patience::Wait(WaitFor::Stored);
        assert!(!tracked.is_settled(stored, 1000, 900, 6) && tracked.is_settled(stored, 1000, 900, 7));
    }
}
