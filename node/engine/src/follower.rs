//! The real disk: the store, and the thread behind the writer. That syncs, settles forks, writes checkpoints, traces and deltas, so that the writer never
//! waits for the disk. It works in the order in which the writer accepted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use chain::{Applied, BlockState, ChainCheckpoint};
use primitives::block::ReceiptTransaction;
use primitives::{BlockId, TransactionId, TransactionReceipt};
use store::{Change, CheckpointHeader, CheckpointWriter, Store, StoreError};

use crate::EngineError;
use crate::atomic_file::write_file;
use crate::block_log::LogKeeper;
use crate::command::Command;
use crate::disk::{Disk, Work};
use crate::handle::Shared;
use crate::saved_state::SavedState;
use crate::state_task;

/// Pieces of work that wait at most; then the writer waits too.
const WORK_QUEUE_CAPACITY: usize = 64;

/// What the thread has to do.
#[derive(Debug)]
enum Job {
    Work(Work),
    /// Write the state, and say so.
    Checkpoint(Box<ChainCheckpoint>, SyncSender<()>),
    /// Say when all before this is done.
    Barrier(SyncSender<()>),
}

/// Makes the bytes of a block's traces for the trace API.
pub type TraceEncoder = fn(&chain::SealedBlock) -> Vec<u8>;

/// The store, the thread behind the writer and the way to it.
#[derive(Debug)]
pub struct Follower {
    store: Arc<Store>,
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<Result<(), StoreError>>>,
    /// Hears when the checkpoint on its way is on disk.
    writing: Option<Receiver<()>>,
}

impl Follower {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system refuses it.
    pub(crate) fn start(
        shared: Arc<Shared>,
        store: Arc<Store>,
        commands: SyncSender<Command>,
        traces: Option<TraceEncoder>,
        log: Option<LogKeeper>,
    ) -> Result<Self, EngineError> {
        let (sender, receiver) = sync_channel(WORK_QUEUE_CAPACITY);
        let of_thread = Arc::clone(&store);
        let thread = std::thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || follow(&shared, &of_thread, &commands, traces, log, &receiver))
            .map_err(|source| EngineError::Thread { name: "follower", source })?;
        Ok(Self { store, jobs: Some(sender), thread: Some(thread), writing: None })
    }

    fn send(&mut self, job: Job) -> Result<(), EngineError> {
        let sent = self.jobs.as_ref().is_some_and(|sender| sender.send(job).is_ok());
        if sent { Ok(()) } else { self.finish() }
    }
}

impl Disk for Follower {
    fn ingest(&mut self, change: &Change<'_>) -> Result<(), StoreError> {
        self.store.ingest(change)
    }

    fn block_id_at(&self, number: u32) -> Result<Option<BlockId>, StoreError> {
        self.store.block_id_at(number)
    }

    fn block_at(&self, number: u32) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.block_at(number)
    }

    fn follow(&mut self, work: Work) -> Result<(), EngineError> {
        self.send(Job::Work(work))
    }

    fn checkpoint(&mut self, checkpoint: ChainCheckpoint) -> Result<(), EngineError> {
        let (sender, written) = sync_channel(1);
        self.writing = Some(written);
        self.send(Job::Checkpoint(Box::new(checkpoint), sender))
    }

    fn is_writing_checkpoint(&mut self) -> bool {
        self.writing.take_if(|written| written.try_recv() != Err(TryRecvError::Empty));
        self.writing.is_some()
    }

    fn await_checkpoint(&mut self) -> Result<(), EngineError> {
        match self.writing.take().map(|written| written.recv()) {
            // The thread ended without writing it, and knows why.
            Some(Err(_)) => self.finish(),
            _ => Ok(()),
        }
    }

    fn rewind(&mut self, state: &SavedState, blocks: &BTreeMap<u32, (BlockId, Vec<u8>)>) -> Result<(), EngineError> {
        self.await_checkpoint()?;
        let (barrier, passed) = sync_channel(1);
        self.send(Job::Barrier(barrier))?;
        if passed.recv().is_err() {
            return self.finish();
        }
        Ok(state.write(&self.store, blocks)?)
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        self.jobs = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => Ok(result?),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

fn follow(
    shared: &Shared,
    store: &Arc<Store>,
    commands: &SyncSender<Command>,
    traces: Option<TraceEncoder>,
    mut log: Option<LogKeeper>,
    jobs: &Receiver<Job>,
) -> Result<(), StoreError> {
    let mut whole_state = None::<JoinHandle<()>>;
    if let Some(log) = &mut log {
        log.follow(store);
    }
    let (mut synced, mut reached) = (true, shared.events.position());
    // Changes of the chain that came here.
    let mut accepted = 0;
    loop {
        let job = match jobs.try_recv() {
            Ok(job) => job,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                // Blocks that came together are synced together.
                if !std::mem::replace(&mut synced, true) {
                    store.sync()?;
                    shared.synced_to(reached, accepted);
                    // A writer that is busy looks at the number with the next block.
                    let _ = commands.try_send(Command::Synced);
                }
                let Ok(job) = jobs.recv() else { break };
                job
            }
        };
        match job {
            Job::Checkpoint(checkpoint, written) => {
                write_checkpoint(store, *checkpoint)?;
                // A writer that is gone does not wait.
                let _ = written.send(());
            }
            Job::Barrier(passed) => {
                // A writer that is gone does not wait.
                let _ = passed.send(());
            }
            Job::Work(Work::Accepted { position, is_change, history }) => {
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
            Job::Work(Work::Settled(blocks)) => blocks.into_iter().try_for_each(|block| store.settle(block))?,
            Job::Work(Work::File { path, draft, bytes }) => write_file(&path, &draft, &bytes),
            Job::Work(Work::WholeState { head, task }) => {
                let id = head.id();
                match state_task::start(store, head, task, commands.clone()) {
                    Ok(thread) => whole_state = Some(thread),
                    Err(error) => {
                        let result = Err(format!("the system gives no thread: {error}"));
                        // The writer may have ended.
                        let _ = commands.send(Command::WholeStateDone { head: id, result });
                    }
                }
            }
            Job::Work(Work::FinishSnapshot { pending, forked }) => pending.finish(forked),
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
