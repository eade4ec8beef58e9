//! When the state is written to disk, so that a restart has little to do however the node ended.
//!
//! A restart loads the last checkpoint and applies the blocks after it again. The writer keeps an account of how long
//! that would take, and lets it never grow beyond [`RESTART_WORK_MAX`]: past [`CHECKPOINT_WORK`] it hands the state to
//! the thread behind it, one checkpoint at a time, and past the maximum it waits until that one is on disk. What a
//! restart had to apply again stays on the account until it is part of a checkpoint, so a node that is killed over and
//! over does not have more to do each time.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use chain::SealedBlock;
use primitives::BlockId;

use crate::EngineError;
use crate::follower::Work;
use crate::holds::Hold;
use crate::writer::Writer;

/// Work after which the state is written.
const CHECKPOINT_WORK: Duration = Duration::from_millis(250);
/// Work that a restart may have at most.
const RESTART_WORK_MAX: Duration = Duration::from_millis(750);
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
    taken: Option<BlockId>,
    /// A checkpoint on its way to the disk: the work that it has, and the word that it is there.
    writing: Option<(Duration, Receiver<()>)>,
}

impl Unsaved {
    /// The account of a node that had to do this work on its start.
    pub fn after_start(work: Duration) -> Self {
        Self { work, taken: None, writing: None }
    }

    fn total(&self) -> Duration {
        self.work + self.writing.as_ref().map_or(Duration::ZERO, |(work, _)| *work)
    }
}

/// How long it would take to apply a block again.
pub(crate) fn work_of(block: &SealedBlock) -> Duration {
    let executed: u64 = block.traces.iter().map(|trace| u64::try_from(trace.elapsed_us).unwrap_or(0)).sum();
    let count = u32::try_from(block.traces.len()).unwrap_or(u32::MAX);
    BLOCK_WORK + TRANSACTION_WORK * count + Duration::from_micros(executed)
}

impl Writer {
    /// Begins a checkpoint when it is due, and waits for the one before when that is overdue.
    pub(crate) fn checkpoint_in_time(&mut self) -> Result<(), EngineError> {
        if let Some((_, written)) = &self.unsaved.writing
            && written.try_recv() != Err(TryRecvError::Empty)
        {
            self.unsaved.writing = None;
        }
        if self.unsaved.total() >= RESTART_WORK_MAX {
            self.await_checkpoint()?;
        }
        if self.unsaved.work >= CHECKPOINT_WORK && self.unsaved.writing.is_none() {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Hands what changed since the last checkpoint to the thread behind the writer.
    pub(crate) fn checkpoint(&mut self) -> Result<(), EngineError> {
        self.await_checkpoint()?;
        if self.unsaved.work.is_zero() { Ok(()) } else { self.take_checkpoint() }
    }

    /// Sees to it that the thread behind the writer has the state of the head, or gets it next.
    pub(crate) fn checkpoint_head(&mut self) -> Result<(), EngineError> {
        self.await_checkpoint()?;
        let head = self.shared.chain.read().head().id();
        if self.unsaved.taken == Some(head) { Ok(()) } else { self.take_checkpoint() }
    }

    fn take_checkpoint(&mut self) -> Result<(), EngineError> {
        let checkpoint = self.shared.chain.write(Hold::Checkpoint).take_checkpoint()?;
        self.unsaved.taken = Some(checkpoint.head);
        let (sender, written) = sync_channel(1);
        self.unsaved.writing = Some((std::mem::take(&mut self.unsaved.work), written));
        self.follower.send(Work::Checkpoint(Box::new(checkpoint), sender))
    }

    /// Waits until the checkpoint that is on its way is on disk.
    pub(crate) fn await_checkpoint(&mut self) -> Result<(), EngineError> {
        match self.unsaved.writing.take().map(|(_, written)| written.recv()) {
            // The thread ended without writing it, and knows why.
            Some(Err(_)) => self.follower.finish(),
            _ => Ok(()),
        }
    }
}
