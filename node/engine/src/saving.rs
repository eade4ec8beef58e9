//! When the state is written to disk, so that a restart has little to do however the node ended.
//!
//! A restart loads the last checkpoint and applies the blocks after it again. The writer keeps an account of how long
//! that would take, and lets it never grow beyond [`RESTART_WORK_MAX`]: past [`CHECKPOINT_WORK`] it hands the state to
//! the thread behind it, one checkpoint at a time, and past the maximum it waits until that one is on disk. What a
//! restart had to apply again stays on the account until it is part of a checkpoint, so a node that is killed over and
//! over does not have more to do each time.
//!
//! What undoes reversible blocks is part of checkpoints too, so it does not have to stay in memory: there may be hundreds
//! of them, each as large as all that a slot's transactions can rewrite.

use std::time::Duration;

use crate::EngineError;
use crate::holds::Hold;
use crate::writer::Writer;

/// Work after which the state is written.
const CHECKPOINT_WORK: Duration = Duration::from_millis(250);
/// Work that a restart may have at most.
const RESTART_WORK_MAX: Duration = Duration::from_millis(750);
/// Bytes of what undoes reversible blocks beyond which that goes to disk, and is read from there when it is needed.
pub const UNDO_KEPT_BYTES: usize = 16 << 20;
/// Bytes of what undoes reversible blocks beyond which the writer waits for the disk.
pub const UNDO_BYTES_MAX: usize = 192 << 20;

impl Writer {
    /// Begins a checkpoint when it is due, and waits for the one before when that is overdue.
    pub(crate) fn checkpoint_in_time(&mut self) -> Result<(), EngineError> {
        if !self.disk.is_writing_checkpoint() {
            self.unsaved.writing = Duration::ZERO;
            self.let_go_of_undo()?;
        }
        // Slots come first as long as there is memory for it.
        let undo_bytes = self.shared.chain.read().ledger().undo_bytes();
        if self.unsaved.total() >= RESTART_WORK_MAX || undo_bytes > UNDO_BYTES_MAX {
            self.await_checkpoint()?;
            self.let_go_of_undo()?;
        }
        let is_due = self.unsaved.work >= CHECKPOINT_WORK || undo_bytes > UNDO_KEPT_BYTES;
        if is_due && !self.disk.is_writing_checkpoint() {
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

    /// Lets go of what undoes the blocks of the checkpoint on disk; none may be on its way.
    fn let_go_of_undo(&mut self) -> Result<(), EngineError> {
        if self.shared.chain.read().ledger().undo_bytes() > UNDO_KEPT_BYTES {
            let freed = self.shared.chain.write(Hold::Checkpoint).let_go_of_undo(UNDO_KEPT_BYTES)?;
            drop(freed);
        }
        Ok(())
    }

    fn take_checkpoint(&mut self) -> Result<(), EngineError> {
        // Others may read meanwhile; nobody else changes the chain.
        let checkpoint = self.shared.chain.read_for(Hold::CopyChanges).checkpoint()?;
        let noted = self.shared.chain.write(Hold::Checkpoint).note_checkpoint();
        drop(noted);
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
