//! Transactions whose senders wait until they are some blocks deep, or irreversible (`send_transaction2` with
//! `retry_trx`). One that falls out of the chain is tried again until it expires.

use std::sync::Arc;

use chain::Applied;
use execution::{RecoveredTransaction, TransactionTrace};
use primitives::{BlockId, Fault, FaultKind, TimePoint, TransactionId, TransactionStatus, ensure};
use rustc_hash::FxHashMap;

use crate::command::{Reply, SubmitResult};

/// Bytes that are counted for a tracked transaction beside its packed form, which is there packed and unpacked.
const ENTRY_OVERHEAD_BYTES: usize = 1024;
/// Microseconds that a transaction whose block left the chain waits at least: the new branch may hold it too.
const FORK_PAUSE_US: i64 = 10_000_000;

/// When the sender is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryUntil {
    /// As many blocks after its own.
    Blocks(u16),
    /// Its block is irreversible.
    Irreversible,
}

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
    until: RetryUntil,
    included: Option<Included>,
    last_try: TimePoint,
    reply: Reply<SubmitResult>,
}

/// The block of the chain that a transaction is in.
#[derive(Debug)]
struct Included {
    num: u32,
    id: BlockId,
    trace: Arc<TransactionTrace>,
}

impl Included {
    fn trace(&self) -> Arc<TransactionTrace> {
        Arc::new(TransactionTrace { producer_block_id: Some(self.id), ..(*self.trace).clone() })
    }
}

impl Tracked {
    fn is_settled(&self, head: u32, irreversible: u32) -> bool {
        self.included.as_ref().is_some_and(|block| match self.until {
            RetryUntil::Blocks(depth) => block.num <= irreversible || block.num + u32::from(depth) <= head,
            RetryUntil::Irreversible => block.num <= irreversible,
        })
    }
}

/// The transactions that somebody waits for.
#[derive(Debug)]
pub struct RetryTracker {
    settings: RetrySettings,
    tracked: FxHashMap<TransactionId, Tracked>,
    bytes: usize,
}

impl RetryTracker {
    /// Tracks nothing yet.
    pub fn new(settings: RetrySettings) -> Self {
        Self { settings, tracked: FxHashMap::default(), bytes: 0 }
    }

    /// Tracks a transaction that was just executed in the pending block.
    ///
    /// The sender is answered at once when there is no room.
    pub fn track(
        &mut self,
        transaction: Arc<RecoveredTransaction>,
        until: RetryUntil,
        now: TimePoint,
        reply: Reply<SubmitResult>,
    ) {
        if let Err(fault) = self.check_room() {
            crate::writer::answer(reply, Err(fault.into()));
            return;
        }
        self.bytes += size(&transaction);
        let id = transaction.id;
        let old = self.tracked.insert(id, Tracked { transaction, until, included: None, last_try: now, reply });
        if let Some(old) = old {
            self.bytes -= size(&old.transaction);
        }
    }

    fn check_room(&self) -> Result<(), Fault> {
        ensure!(
            self.bytes < self.settings.bytes_max,
            TX_RESOURCE_EXHAUSTION,
            "Transaction exceeded  transaction-retry-max-storage-size-gb limit: {} bytes",
            self.bytes
        );
        Ok(())
    }

    /// Blocks joined or left the chain: whoever waited long enough is answered.
    pub fn follow(&mut self, applied: &Applied, irreversible: u32, now: TimePoint) {
        if self.tracked.is_empty() {
            return;
        }
        for state in &applied.undone {
            self.undo(state.id(), now);
        }
        for sealed in &applied.applied {
            let (num, id) = (sealed.state.number(), sealed.state.id());
            for trace in sealed.traces.iter().filter(|trace| is_executed_input(trace)) {
                if let Some(tracked) = self.tracked.get_mut(&trace.id) {
                    tracked.included = Some(Included { num, id, trace: Arc::clone(trace) });
                }
            }
        }
        if let Some(head) = applied.applied.last() {
            let head = head.state.number();
            self.answer_all(
                |tracked| tracked.is_settled(head, irreversible),
                |tracked| tracked.included.as_ref().map(|block| Ok(block.trace())),
            );
        }
        if let Some(state) = applied.irreversible.last() {
            let time = state.header.timestamp().time();
            let expired = |tracked: &Tracked| TimePoint::from(tracked.transaction.parts.header.expiration) <= time;
            self.answer_all(expired, |tracked| Some(Err(expired_fault(&tracked.transaction, time).into())));
        }
    }

    fn undo(&mut self, block: BlockId, now: TimePoint) {
        for tracked in self.tracked.values_mut() {
            if tracked.included.as_ref().is_some_and(|included| included.id == block) {
                tracked.included = None;
                if tracked.last_try.0 + self.settings.interval_us <= now.0 {
                    tracked.last_try.0 += FORK_PAUSE_US;
                }
            }
        }
    }

    fn answer_all(&mut self, ready: impl Fn(&Tracked) -> bool, result: impl Fn(&Tracked) -> Option<SubmitResult>) {
        for (_, tracked) in self.tracked.extract_if(|_, tracked| ready(tracked)) {
            self.bytes -= size(&tracked.transaction);
            if let Some(result) = result(&tracked) {
                crate::writer::answer(tracked.reply, result);
            }
        }
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
    let packed = transaction.packed.packed_trx.len() + transaction.packed.packed_context_free_data.len();
    packed * 2 + ENTRY_OVERHEAD_BYTES
}
