//! The thread that carries the writer: it hands over commands as they come and wakes it when it asked for it. The writer
//! itself knows of no thread ([`crate::step`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use chain::LiveChain;
use primitives::BlockTimestamp;
use store::{EVERYBODY, Store, Watermark};
use tokio::sync::oneshot;

use crate::block_log::LogKeeper;
use crate::clock::TICK;
use crate::command::Command;
use crate::compile_queue::CompileQueue;
use crate::follower::Follower;
use crate::handle::COMMAND_QUEUE_CAPACITY;
use crate::writer::{Beginning, Writer};
use crate::{EngineError, Handle, Settings};

/// Slots from now on for which nothing is signed where it is not known what was: blocks are made ahead of their time, and
/// the clock may have been ahead.
const FORGOTTEN_SLOTS: u32 = 24;
/// How long the writer sleeps when nothing is planned.
const IDLE: Duration = Duration::from_secs(1);
/// Commands that were waiting together when the writer woke make it busy: it then rests for [`BUSY_PAUSE`] when it has
/// done them and takes what came meanwhile, because to be woken for each costs more than to run it.
const BUSY_COMMANDS: u32 = 2;
const BUSY_PAUSE: Duration = Duration::from_micros(250);
/// Bytes of stack of the thread that only sleeps and ticks.
const TICKER_STACK_BYTES: usize = 64 << 10;

/// A running writer.
#[derive(Debug)]
pub struct Running {
    /// The way to it.
    pub handle: Handle,
    /// Resolves when the writer ended: with its reason when that was a failure.
    pub ended: oneshot::Receiver<Result<(), EngineError>>,
    thread: Option<JoinHandle<()>>,
    /// Ends what runs of a block.
    stopping: Arc<AtomicBool>,
}

impl Running {
    /// Asks the writer to finish and waits until everything is on disk.
    ///
    /// # Errors
    /// What went wrong on the last steps.
    pub fn stop(mut self) -> Result<(), EngineError> {
        // A block that is being applied is undone; it comes again after the next start.
        self.stopping.store(true, Ordering::Relaxed);
        // The writer takes it, or is gone already.
        let _ = self.handle.commands.send(Command::Stop);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
        self.ended.try_recv().unwrap_or(Ok(()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stopping.store(true, Ordering::Relaxed);
            // Without [`Running::stop`] nobody waits for it. A writer that is gone needs no word.
            let _ = self.handle.commands.try_send(Command::Stop);
        }
    }
}

/// Starts the writer on a chain whose blocks are in `store`. `reapplied` is how long it took to apply the blocks after
/// the last checkpoint again.
///
/// # Errors
/// The disk, or the system refuses a thread.
pub fn start(
    chain: LiveChain,
    store: Arc<Store>,
    settings: Settings,
    reapplied: Duration,
    ticker: wasm::Ticker,
) -> Result<Running, EngineError> {
    if let Some(stored) = store.forgot_signatures()? {
        let now = BlockTimestamp::at(settings.clock.now().max(chain.head_time()));
        let mark = Watermark {
            num: stored.max(chain.head().number()),
            slot: BlockTimestamp(now.0.saturating_add(FORGOTTEN_SLOTS)),
        };
        tracing::warn!(
            "what this node signed was lost: it signs nothing for slots up to {}, and nothing before the chain has block {}",
            mark.slot,
            mark.num
        );
        store.bar_signing(mark)?;
    }
    let mut watermarks = rustc_hash::FxHashMap::default();
    // Also of producers whose keys are added later.
    for producer in store.signers()? {
        if let Some(mark) = store.watermark(producer)? {
            if mark.num > chain.head().number() {
                let who = if producer == EVERYBODY { "Some producer".to_owned() } else { producer.to_string() };
                tracing::warn!(
                    "{who} signed block {} here, and the chain ends at block {}: later blocks were lost or cut off. It \
                     signs again once the chain has passed that block and slot {}. If no other node has those blocks, \
                     --truncate-at-block {} makes the chain go on from here",
                    mark.num,
                    chain.head().number(),
                    mark.slot.0,
                    chain.head().number()
                );
            }
            watermarks.insert(producer, mark);
        }
    }
    let mut chain = chain;
    chain.machine.load_aside(true);
    let stopping = chain.machine.stop_flag();
    start_ticker(ticker)?;
    let (sender, receiver) = sync_channel(COMMAND_QUEUE_CAPACITY);
    let begins = Beginning {
        folder: store.path().to_owned(),
        watermarks,
        reapplied,
        compiling: CompileQueue::start(chain.machine.compiler().clone(), sender.clone())?,
        commands: sender.clone(),
    };
    let (traces, log) = (settings.traces, settings.block_log.clone());
    let writer = Writer::new(chain, settings, begins, |shared| {
        let log = log.as_ref().map(|log| LogKeeper::open(log, &store)).transpose()?;
        let (shared, of_disk) = (Arc::clone(shared), Arc::clone(&store));
        Ok(Box::new(Follower::start(shared, of_disk, sender.clone(), traces, log)?))
    })?;
    crate::probe::start(&writer.shared)?;
    let handle = Handle { shared: Arc::clone(&writer.shared), store, commands: sender };
    let (ended_sender, ended) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("writer".to_owned())
        .stack_size(wasm::engine::THREAD_STACK_BYTES)
        .spawn(move || {
            // Nobody may wait for the reason any more.
            let _ = ended_sender.send(writer.run(&receiver));
        })
        .map_err(|source| EngineError::Thread { name: "writer", source })?;
    Ok(Running { handle, ended, thread: Some(thread), stopping })
}

/// Lets running contracts look at the time, for as long as the process lives.
fn start_ticker(ticker: wasm::Ticker) -> Result<(), EngineError> {
    std::thread::Builder::new()
        .name("ticker".to_owned())
        .stack_size(TICKER_STACK_BYTES)
        .spawn(move || {
            loop {
                std::thread::sleep(TICK);
                ticker.tick();
            }
        })
        .map(drop)
        .map_err(|source| EngineError::Thread { name: "ticker", source })
}

impl Writer {
    fn run(mut self, commands: &Receiver<Command>) -> Result<(), EngineError> {
        self.begin()?;
        // Commands since the writer last slept.
        let mut run = 0u32;
        while !self.is_finished() {
            self.shared.health.beat();
            let next = match commands.try_recv() {
                Err(TryRecvError::Empty) if self.run_next_transient(false)? => Err(RecvTimeoutError::Timeout),
                Err(TryRecvError::Empty) => {
                    let pause = self.until_wake();
                    if std::mem::take(&mut run) >= BUSY_COMMANDS {
                        std::thread::sleep(pause.min(BUSY_PAUSE));
                        commands.try_recv().or(Err(RecvTimeoutError::Timeout))
                    } else {
                        commands.recv_timeout(pause)
                    }
                }
                other => other.map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => {
                    run += 1;
                    self.step(Some(command))?;
                }
                Err(RecvTimeoutError::Timeout) => self.step(None)?,
            }
        }
        self.end()
    }

    fn until_wake(&self) -> Duration {
        self.next_wake()
            .map_or(IDLE, |wake| Duration::from_micros(u64::try_from(wake.0 - self.now().0).unwrap_or(0)).min(IDLE))
    }
}
