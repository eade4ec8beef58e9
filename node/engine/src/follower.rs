//! The thread behind the writer: it syncs, settles forks, writes checkpoints, traces and deltas, so that the writer never
//! waits for the disk. It works in the order in which the writer accepted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use chain::{Applied, BlockState, ChainCheckpoint};
use primitives::block::ReceiptTransaction;
use primitives::{TransactionId, TransactionReceipt};
use store::{CheckpointHeader, CheckpointWriter, Head, Store, StoreError};

use crate::EngineError;
use crate::atomic_file::write_file;
use crate::block_log::LogKeeper;
use crate::command::Command;
use crate::events::Position;
use crate::handle::Shared;
use crate::snapshots::PendingSnapshot;
use crate::state_task::{self, Task};

/// Pieces of work that wait at most; then the writer waits too.
const WORK_QUEUE_CAPACITY: usize = 64;

/// What there is to do.
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
    /// Write the state, and say so.
    Checkpoint(Box<ChainCheckpoint>, SyncSender<()>),
    /// Write a file, under another name first.
    File {
        /// Its name.
        path: PathBuf,
        /// Its name while it is written.
        draft: PathBuf,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// Make something of the whole state, which the last checkpoint has, and say so.
    WholeState {
        /// The block of that checkpoint.
        head: Arc<BlockState>,
        /// What to make.
        task: Task,
        /// Who hears of it.
        done: SyncSender<Command>,
    },
    /// Say when all work before this is done.
    Barrier(SyncSender<()>),
    /// The block of a snapshot is irreversible, or will never be.
    FinishSnapshot {
        /// The snapshot.
        pending: PendingSnapshot,
        /// Whether the block left the chain.
        forked: bool,
    },
}

/// Makes the bytes of a block's traces for the trace API.
pub type TraceEncoder = fn(&chain::SealedBlock) -> Vec<u8>;

/// The thread and the way to it.
#[derive(Debug)]
pub struct Follower {
    work: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Follower {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system refuses it.
    pub(crate) fn start(
        shared: Arc<Shared>,
        commands: SyncSender<Command>,
        traces: Option<TraceEncoder>,
        log: Option<LogKeeper>,
    ) -> Result<Self, EngineError> {
        let (sender, receiver) = sync_channel(WORK_QUEUE_CAPACITY);
        let thread = std::thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || follow(&shared, &commands, traces, log, &receiver))
            .map_err(|source| EngineError::Thread { name: "follower", source })?;
        Ok(Self { work: Some(sender), thread: Some(thread) })
    }

    /// Hands over work.
    ///
    /// # Errors
    /// The disk refused earlier work: the node must stop.
    pub fn send(&mut self, work: Work) -> Result<(), EngineError> {
        let sent = self.work.as_ref().is_some_and(|sender| sender.send(work).is_ok());
        if sent { Ok(()) } else { self.finish() }
    }

    /// Waits until all work is done.
    ///
    /// # Errors
    /// The disk refused.
    pub fn finish(&mut self) -> Result<(), EngineError> {
        self.work = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => Ok(result?),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

fn follow(
    shared: &Shared,
    commands: &SyncSender<Command>,
    traces: Option<TraceEncoder>,
    mut log: Option<LogKeeper>,
    work: &Receiver<Work>,
) -> Result<(), StoreError> {
    let store = &shared.store;
    let mut whole_state = None::<JoinHandle<()>>;
    if let Some(log) = &mut log {
        log.follow(store);
    }
    let (mut synced, mut reached) = (true, shared.events.position());
    // Changes of the chain that came here.
    let mut accepted = 0;
    loop {
        let piece = match work.try_recv() {
            Ok(piece) => piece,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                // Blocks that came together are synced together.
                if !std::mem::replace(&mut synced, true) {
                    store.sync()?;
                    shared.health.synced();
                    shared.events.moved(reached);
                    shared.synced.store(accepted, Ordering::Release);
                    // A writer that is busy looks at the number with the next block.
                    let _ = commands.try_send(Command::Synced);
                }
                let Ok(piece) = work.recv() else { break };
                piece
            }
        };
        match piece {
            Work::Accepted { position, is_change, history } => {
                synced = false;
                accepted += u64::from(is_change);
                let settles = reached.irreversible != position.irreversible;
                reached = position;
                if let Some(applied) = history {
                    persist_history(store, traces, &applied)?;
                }
                if let Some(log) = log.as_mut().filter(|_| settles) {
                    log.follow(store);
                }
            }
            Work::Settled(blocks) => blocks.into_iter().try_for_each(|block| store.settle(block))?,
            Work::Checkpoint(checkpoint, written) => {
                write_checkpoint(store, *checkpoint)?;
                // A writer that is gone does not wait.
                let _ = written.send(());
            }
            Work::File { path, draft, bytes } => write_file(&path, &draft, &bytes),
            Work::WholeState { head, task, done } => {
                let id = head.id();
                match state_task::start(store, head, task, done.clone()) {
                    Ok(thread) => whole_state = Some(thread),
                    Err(error) => {
                        let result = Err(format!("the system gives no thread: {error}"));
                        // The writer may have ended.
                        let _ = done.send(Command::WholeStateDone { head: id, result });
                    }
                }
            }
            Work::Barrier(passed) => {
                // A writer that is gone does not wait.
                let _ = passed.send(());
            }
            Work::FinishSnapshot { pending, forked } => pending.finish(forked),
        }
    }
    if let Some(Err(panic)) = whole_state.map(JoinHandle::join) {
        std::panic::resume_unwind(panic);
    }
    store.sync()
}

/// Keeps the deltas of blocks that joined a chain, and the traces where they are wanted, in place of those of the blocks
/// that left it.
///
/// # Errors
/// The disk refuses.
pub fn persist_history(store: &Store, traces: Option<TraceEncoder>, applied: &Applied) -> Result<(), StoreError> {
    applied.undone.iter().try_for_each(|state| store.forget_deltas(state.number()))?;
    for sealed in &applied.applied {
        if let Some(deltas) = &sealed.deltas {
            store.put_deltas(sealed.state.number(), deltas)?;
        }
    }
    traces.map_or(Ok(()), |encode| persist_traces(store, encode, applied))
}

fn persist_traces(store: &Store, encode: TraceEncoder, applied: &Applied) -> Result<(), StoreError> {
    for state in &applied.undone {
        store.forget_traces(state.number(), &ids_of(state))?;
    }
    for sealed in &applied.applied {
        let transactions = ids_of(&sealed.state);
        let bytes = encode(sealed);
        let num = sealed.state.number();
        // What these blocks made irreversible was not so before.
        let now = sealed.state.header.dpos_irreversible_blocknum;
        let irreversible = applied.irreversible.first().map_or(now, |state| state.number().saturating_sub(1));
        store.put_traces(&store::BlockTraces { num, bytes: &bytes, transactions: &transactions, irreversible })?;
    }
    Ok(())
}

/// The ids of a block's transactions, scheduled ones too, in order.
fn ids_of(state: &BlockState) -> Vec<TransactionId> {
    let mut input = state.transactions.iter();
    let receipts = state.block.iter().flat_map(|block| &block.transactions);
    let id = |receipt: &TransactionReceipt| match &receipt.trx {
        ReceiptTransaction::Packed(_) => input.next().map(|transaction| transaction.id),
        ReceiptTransaction::Id(id) => Some(*id),
    };
    receipts.filter_map(id).collect()
}

/// Makes a chain's checkpoint durable.
///
/// # Errors
/// The disk refuses.
pub fn write_checkpoint(store: &Store, checkpoint: ChainCheckpoint) -> Result<(), StoreError> {
    write(store.begin_checkpoint(), checkpoint)
}

/// Makes a checkpoint of all rows durable in place of the state that is there.
///
/// # Errors
/// The disk refuses; the former state is still there.
pub fn replace_state(store: &Store, checkpoint: ChainCheckpoint) -> Result<(), StoreError> {
    write(store.begin_new_state()?, checkpoint)
}

fn write(mut writer: CheckpointWriter<'_>, checkpoint: ChainCheckpoint) -> Result<(), StoreError> {
    let ChainCheckpoint { head, root, root_header_state, rows, reversible } = checkpoint;
    for (key, value) in &rows {
        match value {
            Some(value) => writer.put(key, value),
            None => writer.delete(key),
        }
    }
    for block in &reversible {
        writer.put_reversible(block.number, &block.header);
        // Where it is left out it is on disk.
        block.undo.iter().for_each(|undo| writer.put_undo(block.number, undo));
    }
    let num = store::blocks::number_of(&head);
    writer.commit(&CheckpointHeader { num, id: head, irreversible: root, extra: root_header_state })?;
    tracing::debug!("state of block {num} written: {} rows changed, {} blocks can be undone", rows.len(), num - root);
    Ok(())
}
