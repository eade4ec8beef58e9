//! What transactions did that failed: they are in no block, and their senders want to know why.

use std::collections::VecDeque;
use std::sync::Arc;

use codec::Pack;
use execution::TransactionTrace;
use parking_lot::Mutex;
use primitives::TransactionId;

/// Failed transactions that are kept at most.
const FAILURES_MAX: usize = 256;
/// Bytes of their traces at most; packed, in memory they take about twice as much.
const FAILURES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The last transactions that failed, the newest last.
#[derive(Debug, Default)]
pub struct Failures {
    is_kept: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    traces: VecDeque<(Arc<TransactionTrace>, usize)>,
    bytes: usize,
}

impl Failures {
    /// None yet, and none ever unless they are to be kept.
    pub fn new(is_kept: bool) -> Self {
        Self { is_kept, kept: Mutex::default() }
    }

    /// Keeps a trace if it is that of a failure.
    pub fn note(&self, trace: &Arc<TransactionTrace>) {
        if !self.is_kept || trace.except.is_none() {
            return;
        }
        let size = trace.packed_size();
        if size > FAILURES_BYTES_MAX {
            return;
        }
        let mut kept = self.kept.lock();
        kept.traces.retain(|(known, _)| known.id != trace.id);
        kept.traces.push_back((Arc::clone(trace), size));
        kept.bytes = kept.traces.iter().map(|(_, size)| size).sum();
        while kept.traces.len() > FAILURES_MAX || kept.bytes > FAILURES_BYTES_MAX {
            let Some((_, size)) = kept.traces.pop_front() else { break };
            kept.bytes -= size;
        }
    }

    /// The trace of a transaction's last failure.
    pub fn find(&self, id: &TransactionId) -> Option<Arc<TransactionTrace>> {
        let kept = self.kept.lock();
        kept.traces.iter().find(|(trace, _)| trace.id == *id).map(|(trace, _)| Arc::clone(trace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{Fault, FaultKind};

    fn failed(number: u16, console: usize) -> Arc<TransactionTrace> {
        let mut trace = TransactionTrace { id: TransactionId::default(), ..TransactionTrace::default() };
        trace.id.0[..2].copy_from_slice(&number.to_be_bytes());
        trace.except = Some(Box::new(Fault::new(FaultKind::TX_NO_ACTION, "x".repeat(console))));
        Arc::new(trace)
    }

    #[test]
    fn the_newest_failures_are_kept_within_bounds() {
        let failures = Failures::new(true);
        for number in 0..300 {
            failures.note(&failed(number, 1));
        }
        failures.note(&Arc::new(TransactionTrace::default()));
        assert!(failures.find(&failed(43, 1).id).is_none() && failures.find(&failed(44, 1).id).is_some());
        assert!(failures.find(&TransactionId::default()).is_none());
        for number in 0..4 {
            failures.note(&failed(number, FAILURES_BYTES_MAX / 3));
        }
        assert!(failures.find(&failed(1, 1).id).is_none() && failures.find(&failed(2, 1).id).is_some());
        let none = Failures::new(false);
        none.note(&failed(1, 1));
        assert!(none.find(&failed(1, 1).id).is_none());
    }
}
