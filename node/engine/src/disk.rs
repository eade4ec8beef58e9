//! The door to the disk: what the writer keeps there itself, and what is done behind it. [`crate::follower`] is the real
//! one, on the store; the simulator of whole networks has another.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chain::{Applied, BlockState, ChainCheckpoint};
use primitives::BlockId;
use store::{Change, Head, StoreError};

use crate::EngineError;
use crate::events::Position;
use crate::saved_state::SavedState;
use crate::snapshots::PendingSnapshot;
use crate::state_task::Task;

/// What is done behind the writer, in the order in which it is handed over.
#[derive(Debug)]
pub enum Work {
    /// Blocks joined the chain; they are in the store already.
    Accepted {
        /// Where it stands now.
        position: Position,
        /// Whether blocks were applied.
        is_change: bool,
        /// The blocks, where something is kept of what they did: it takes much memory.
        history: Option<Box<Applied>>,
    },
    /// These blocks are irreversible: the others of their numbers may be forgotten.
    Settled(Vec<Head>),
    /// Write a file, under another name first.
    File {
        /// Its name.
        path: PathBuf,
        /// Its name while it is written.
        draft: PathBuf,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// Make something of the whole state, which the last checkpoint has, and say so with a command.
    WholeState {
        /// The block of that checkpoint.
        head: Arc<BlockState>,
        /// What to make.
        task: Task,
    },
    /// The block of a snapshot is irreversible, or will never be.
    FinishSnapshot {
        /// The snapshot.
        pending: PendingSnapshot,
        /// Whether the block left the chain.
        forked: bool,
    },
}

/// What the writer asks of the disk. A call that fails ends the node.
#[allow(clippy::missing_errors_doc, reason = "each fails when the disk refuses, now or earlier work")]
pub trait Disk: Send {
    /// Writes a change of the chain. When this returns, a process that is killed finds all of it again.
    fn ingest(&mut self, change: &Change<'_>) -> Result<(), StoreError>;

    /// The id of a block of the chain.
    fn block_id_at(&self, number: u32) -> Result<Option<BlockId>, StoreError>;

    /// A packed block of the chain.
    fn block_at(&self, number: u32) -> Result<Option<Vec<u8>>, StoreError>;

    /// Hands over work. What is synced of it is told with [`crate::Command::Synced`].
    fn follow(&mut self, work: Work) -> Result<(), EngineError>;

    /// Hands over a checkpoint. None may be on its way.
    fn checkpoint(&mut self, checkpoint: ChainCheckpoint) -> Result<(), EngineError>;

    /// Whether a checkpoint is on its way.
    fn is_writing_checkpoint(&mut self) -> bool;

    /// Waits until no checkpoint is on its way.
    fn await_checkpoint(&mut self) -> Result<(), EngineError>;

    /// Waits until all work is done, and has another state then, with the blocks that lead to it.
    fn rewind(&mut self, state: &SavedState, blocks: &BTreeMap<u32, (BlockId, Vec<u8>)>) -> Result<(), EngineError>;

    /// Waits until all work is done; no more is handed over.
    fn finish(&mut self) -> Result<(), EngineError>;
}
