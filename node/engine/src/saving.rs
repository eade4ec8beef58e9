//! When the state is written to disk, so that a restart has little to do however the node ended.
//!
//! A restart loads the last checkpoint and applies the blocks after it again. The writer keeps an account of how long
//! that would take, and lets it never grow beyond [`RESTART_WORK_MAX`]: past [`CHECKPOINT_WORK`] it hands the state to
//! the thread behind it, one checkpoint at a time, and past the maximum it waits until that one is on disk. What a
//! restart had to apply again stays on the account until it is part of a checkpoint, so a node that is killed over and
//! over does not have more to do each time.

use std::time::Duration;

use crate::EngineError;
use crate::holds::Hold;
use crate::writer::Writer;

/// Work after which the state is written.
const CHECKPOINT_WORK: Duration = Duration::from_millis(250);
/// Work that a restart may have at most.
const RESTART_WORK_MAX: Duration = Duration::from_millis(750);

impl Writer {
    /// Begins a checkpoint when it is due, and waits for the one before when that is overdue.
    pub(crate) fn checkpoint_in_time(&mut self) -> Result<(), EngineError> {
        if !self.disk.is_writing_checkpoint() {
            self.unsaved.writing = Duration::ZERO;
        }
        if self.unsaved.total() >= RESTART_WORK_MAX {
            self.await_checkpoint()?;
        }
        if self.unsaved.work >= CHECKPOINT_WORK && !self.disk.is_writing_checkpoint() {
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
        self.unsaved.writing = std::mem::take(&mut self.unsaved.work);
        self.disk.checkpoint(checkpoint)
    }

    /// Waits until the checkpoint that is on its way is on disk.
    fn await_checkpoint(&mut self) -> Result<(), EngineError> {
        self.unsaved.writing = Duration::ZERO;
        self.disk.await_checkpoint()
    }
}
