//! What is not part of a checkpoint on disk: how long a restart would take to apply it again.

use std::time::Duration;

use chain::SealedBlock;
use primitives::BlockId;

use crate::moved::{Follows, Moved};

/// Work of a transaction beside its execution: reading and unpacking it.
const TRANSACTION_WORK: Duration = Duration::from_micros(5);
/// Work of a block beside its transactions: reading it, its header and the actions of the system.
const BLOCK_WORK: Duration = Duration::from_micros(500);

/// What is not part of a checkpoint on disk.
#[derive(Debug)]
pub(crate) struct Unsaved {
    /// Work of the blocks since the last checkpoint.
    pub work: Duration,
    /// The head that the last checkpoint was taken of, since the node started.
    pub taken: Option<BlockId>,
    /// Work of the checkpoint that is on its way to the disk.
    pub writing: Duration,
}

impl Unsaved {
    /// The account of a node that had to do this work on its start.
    pub fn after_start(work: Duration) -> Self {
        Self { work, taken: None, writing: Duration::ZERO }
    }

    /// With what is on its way.
    pub fn total(&self) -> Duration {
        self.work + self.writing
    }
}

impl Follows for Unsaved {
    fn follow(&mut self, moved: &Moved<'_>) {
        self.work += moved.applied.applied.iter().map(work_of).sum::<Duration>();
    }
}

/// How long it would take to apply a block again.
pub(crate) fn work_of(block: &SealedBlock) -> Duration {
    let executed: u64 = block.traces.iter().map(|trace| u64::try_from(trace.elapsed_us).unwrap_or(0)).sum();
    let count = u32::try_from(block.traces.len()).unwrap_or(u32::MAX);
    BLOCK_WORK + TRANSACTION_WORK * count + Duration::from_micros(executed)
}
