//! What is made of the whole state: a snapshot, its hash, or a copy that is kept. A task works on the checkpoint of the
//! head on a thread of its own, from rows that the database holds still for it, so that neither the chain nor the thread
//! behind the writer waits. One at a time: each takes as much memory as the state.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use chain::{BlockState, ChainError, CheckpointLoader, StateImage};
use primitives::{BlockId, Checksum256, Fault, FaultKind, Name, TimePoint};
use store::{StateRows, Store};

use crate::atomic_file::write_file;
use crate::command::{Command, Reply, answer};
use crate::saved_state::{SavedState, StateInfo, read_rows};
use crate::{EngineError, Refusal, Refused, SnapshotInfo};

/// Who wants the whole state.
#[derive(Debug)]
pub(crate) enum Request {
    /// A snapshot; the answer comes when its block is irreversible.
    Snapshot(Reply<Result<SnapshotInfo, Refused>>),
    /// nodeos' hash of it.
    Hash(Reply<Result<(BlockId, Checksum256), Refused>>),
    /// All of it, kept under a name.
    Save {
        /// The name.
        name: String,
        /// What was signed by then: producer, number and slot.
        marks: Vec<(Name, u32, u32)>,
        /// The time by then.
        time: TimePoint,
        /// Who wants to know.
        reply: Reply<Result<StateInfo, Refused>>,
    },
}

/// What is made of the whole state.
#[derive(Debug)]
pub enum Task {
    /// A file.
    Snapshot {
        /// Its name.
        path: PathBuf,
        /// Its name while it is written.
        draft: PathBuf,
    },
    /// The hash.
    Hash(Reply<Result<(BlockId, Checksum256), Refused>>),
    /// A state that is kept: see [`Request::Save`].
    #[allow(missing_docs, reason = "the fields of the request")]
    Save { name: String, marks: Vec<(Name, u32, u32)>, time: TimePoint, reply: Reply<Result<StateInfo, Refused>> },
}

impl Request {
    /// Answers that there is no room for it.
    pub fn refuse(self) {
        match self {
            Self::Snapshot(reply) => answer(reply, Err(Refusal::WholeStateBusy.into())),
            Self::Hash(reply) => answer(reply, Err(Refusal::WholeStateBusy.into())),
            Self::Save { reply, .. } => answer(reply, Err(Refusal::WholeStateBusy.into())),
        }
    }
}

/// Starts the thread that makes it. When this returns the rows are held still.
///
/// # Errors
/// The system refuses the thread.
pub(crate) fn start(
    store: &Arc<Store>,
    head: Arc<BlockState>,
    task: Task,
    done: SyncSender<Command>,
) -> std::io::Result<JoinHandle<()>> {
    let (held, is_held) = sync_channel::<()>(1);
    let store = Arc::clone(store);
    let thread = std::thread::Builder::new().name("whole state".to_owned()).spawn(move || {
        let id = head.id();
        let result = if let Task::Save { name, marks, time, reply } = task {
            let (found, rows) = (SavedState::of_store(&store), store.state_rows());
            drop(held);
            let state = found.and_then(|state| Ok(state.complete(read_rows(rows)?, marks, time)));
            // A writer that ended keeps nothing.
            let _ = done.send(Command::StateSaved { name, state: Box::new(state), reply });
            Ok(())
        } else {
            let rows = store.state_rows();
            drop(held);
            make(image(head, rows).map_err(|error| error.to_string()), id, task)
        };
        // A writer that ended does not want to know.
        let _ = done.send(Command::WholeStateDone { head: id, result });
    })?;
    // The thread says nothing: it lets go.
    let _ = is_held.recv();
    Ok(thread)
}

/// Makes the state of its rows.
fn image(head: Arc<BlockState>, rows: StateRows<'_>) -> Result<StateImage, EngineError> {
    let mut loader = CheckpointLoader::default();
    rows.each::<EngineError>(|key, value| Ok(loader.add(key, value).map_err(ChainError::from)?))?;
    Ok(StateImage::load(head, loader)?)
}

fn make(image: Result<StateImage, String>, head: BlockId, task: Task) -> Result<(), String> {
    match task {
        Task::Snapshot { path, draft } => {
            write_file(&path, &draft, &image?.snapshot());
            Ok(())
        }
        Task::Save { .. } => Ok(()),
        Task::Hash(reply) => {
            let hash = image.map(|image| (head, image.integrity_hash()));
            answer(reply, hash.map_err(|cause| Fault::new(FaultKind::EXCEPTION, cause).into()));
            Ok(())
        }
    }
}
