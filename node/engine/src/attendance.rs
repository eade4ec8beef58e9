//! Which slots have no block: those of this node's producers, and who lets turns pass.

use std::sync::Arc;

use primitives::BlockTimestamp;

use crate::handle::Shared;
use crate::moved::{Follows, Moved};
use crate::slots;

/// Counts slots without a block.
#[derive(Debug)]
pub(crate) struct Attendance {
    shared: Arc<Shared>,
    /// The slot of the head.
    head: BlockTimestamp,
    /// Missed slots count from here: when production began, or went on after a pause.
    counts_from: BlockTimestamp,
}

impl Attendance {
    /// Of a chain whose head has this slot.
    pub fn new(shared: Arc<Shared>, head: BlockTimestamp, counts_from: BlockTimestamp) -> Self {
        Self { shared, head, counts_from }
    }

    /// Production begins, or goes on.
    pub fn count_from(&mut self, slot: BlockTimestamp) {
        self.counts_from = slot;
    }
}

impl Follows for Attendance {
    fn follow(&mut self, moved: &Moved<'_>) {
        let Some(last) = moved.applied.applied.last().map(|sealed| &sealed.state) else { return };
        let slot = last.header.timestamp();
        let after = std::mem::replace(&mut self.head, slot);
        let mut before = after;
        for sealed in &moved.applied.applied {
            self.shared.health.follows(&sealed.state, before);
            before = sealed.state.header.timestamp();
        }
        if !moved.is_one_block() || self.shared.dev || !moved.produces {
            return;
        }
        let passed = slots::passed(after.max(self.counts_from), slot);
        let missed = passed.filter(|slot| (moved.produces_for)(last.header.scheduled_producer(*slot)));
        self.shared.metrics.missed(self.shared.health.missed(missed));
    }
}
