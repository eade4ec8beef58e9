//! When the state is written to disk, so that a restart has little to do however the node ended.
//!
//! A restart loads the last checkpoint and applies the blocks after it again. The writer keeps an account of how long
//! that would take, and lets it never grow beyond [`RESTART_WORK_MAX`]: past [`CHECKPOINT_WORK`] it hands the state to
//! the thread behind it, one checkpoint at a time, and past the maximum it waits until that one is on disk. What a
//! restart had to apply again stays on the account until it is part of a checkpoint, so a node that is killed over and
//! over does not have more to do each time.

use std::sync::mpsc::{TryRecvError, sync_channel};
use std::time::Duration;

use crate::EngineError;
use crate::follower::Work;
use crate::holds::Hold;
use crate::writer::Writer;

/// Work after which the state is written.
const CHECKPOINT_WORK: Duration = Duration::from_millis(250);
/// Work that a restart may have at most.
const RESTART_WORK_MAX: Duration = Duration::from_millis(750);

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
