//! What needs the whole state: a snapshot, or its hash. It is made from the checkpoint of the head on a thread of its
//! own, from rows that the database holds still for it, so that neither the chain nor the thread behind the writer
//! waits. One at a time: each takes as much memory as the state.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use chain::{BlockState, ChainError, CheckpointLoader, StateImage};
use primitives::{BlockId, Checksum256, Fault, FaultKind, Name, TimePoint};
use store::{StateRows, Store};

use crate::command::{Command, Reply, answer};
use crate::follower::Work;
use crate::saved_state::{SavedState, StateInfo, read_rows};
use crate::snapshots::write_file;
use crate::writer::Writer;
use crate::{EngineError, Refusal, Refused, SnapshotInfo};

/// Requests that wait for the whole state at most.
const WAITING_MAX: usize = 64;

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

impl Writer {
    /// Takes a request on, or lets it wait until the one before is done. No block may be pending.
    pub(crate) fn want_whole_state(&mut self, request: Request) -> Result<(), EngineError> {
        if self.whole_state_busy {
            if self.whole_state_waiting.len() < WAITING_MAX {
                self.whole_state_waiting.push_back(request);
            } else {
                request.refuse();
            }
            return Ok(());
        }
        match request {
            Request::Snapshot(reply) => self.create_snapshot(reply),
            Request::Hash(reply) => self.begin_whole_state(Task::Hash(reply)),
            Request::Save { name, marks, time, reply } => {
                self.begin_whole_state(Task::Save { name, marks, time, reply })
            }
        }
    }

    /// Has the state of the head written to disk, and something made of it there.
    pub(crate) fn begin_whole_state(&mut self, task: Task) -> Result<(), EngineError> {
        self.checkpoint_head()?;
        self.whole_state_busy = true;
        let head = Arc::clone(self.shared.chain.read().head());
        let done = self.commands.clone();
        self.follower.send(Work::WholeState { head, task, done })
    }

    /// Something was made of the whole state.
    pub(crate) fn whole_state_done(&mut self, head: BlockId, result: Result<(), String>) -> Result<(), EngineError> {
        self.whole_state_busy = false;
        self.snapshot_written(head, result)?;
        if self.whole_state_waiting.is_empty() {
            return Ok(());
        }
        self.abort();
        while !self.whole_state_busy
            && let Some(request) = self.whole_state_waiting.pop_front()
        {
            self.want_whole_state(request)?;
        }
        self.plan()
    }
}

impl Request {
    fn refuse(self) {
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
