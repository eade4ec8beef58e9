//! The event loop of the one thread that owns the chain. It acts on commands and on the production timer; what it
//! does then is in [`crate::producing`] and [`crate::accepting`].

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use chain::LiveChain;
use parking_lot::{Mutex, RwLock};
use primitives::{BlockTimestamp, PublicKey};
use store::Store;
use tokio::sync::oneshot;

use crate::block_log::LogKeeper;
use crate::command::{Command, answer};
use crate::compile_queue::CompileQueue;
use crate::console::ConsoleLog;
use crate::events::{Events, Position};
use crate::follower::Follower;
use crate::handle::{COMMAND_QUEUE_CAPACITY, ProducerView, Shared};
use crate::health::Health;
use crate::holds::{ChainLock, Hold};
use crate::journey::Travels;
use crate::obstacles::Obstacles;
use crate::queue::Queue;
use crate::recovered::Recovered;
use crate::retry::RetryTracker;
use crate::rules::Held;
use crate::saved_state::States;
use crate::signer::Signer;
use crate::snapshots::Snapshots;
use crate::state_task::Request;
use crate::subjective::Subjective;
use crate::transients::Transients;
use crate::turn::TurnWatch;
use crate::unsaved::Unsaved;
use crate::writer::{Phase, Writer};
use crate::{EngineError, FinalityTracker, Handle, Metrics, Settings};

/// How long the writer sleeps when nothing is planned.
const IDLE: Duration = Duration::from_secs(1);
/// Commands that were waiting together when the writer woke make it busy: it then rests for [`BUSY_PAUSE`] when it has
/// done them and takes what came meanwhile, because to be woken for each costs more than to run it.
const BUSY_COMMANDS: u32 = 2;
const BUSY_PAUSE: Duration = Duration::from_micros(250);
/// How often running contracts look at the time.
const TICK: Duration = Duration::from_millis(10);
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
}

impl Running {
    /// Asks the writer to finish and waits until everything is on disk.
    ///
    /// # Errors
    /// What went wrong on the last steps.
    pub fn stop(mut self) -> Result<(), EngineError> {
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
    let mut watermarks = rustc_hash::FxHashMap::default();
    // Also of producers whose keys are added later.
    for producer in store.signers()? {
        if let Some(mark) = store.watermark(producer)? {
            if mark.num > chain.head().number() {
                tracing::warn!(
                    "{producer} signed block {} here, and the chain ends at block {}: later blocks were lost or cut off. It \
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
    let snapshots = Snapshots::open(settings.snapshots_dir.clone())?;
    let LiveChain { chain, mut machine } = chain;
    machine.load_aside(true);
    let compiler = machine.compiler().clone();
    let view = ProducerView {
        paused: settings.pause_on_startup,
        options: settings.options,
        scheduled_features: Vec::new(),
        waiting: Vec::new(),
        snapshot_requests: snapshots.requests().to_vec(),
        watermarks,
    };
    let metrics = Metrics::default();
    metrics.stands(chain.head().number(), chain.root().number());
    let events = Events::new(Position::of(&chain));
    let began_at = chain.head_time();
    let health = Health::new(chain.best().header.timestamp().time(), settings.disk_reserve_bytes);
    health.has_room(crate::health::Disk::of(store.path()));
    let shared = Arc::new(Shared {
        chain_id: chain.chain_id(),
        began_at,
        chain: ChainLock::new(chain),
        dev: settings.dev,
        new_chain: settings.new_chain.clone(),
        producer: RwLock::new(view),
        finality: FinalityTracker::new(settings.finality),
        retry: settings.retry,
        store: Arc::clone(&store),
        metrics,
        health,
        subjective: Mutex::new(Subjective::new(settings.subjective.clone())),
        clock: settings.clock.clone(),
        events,
        recovered: Recovered::default(),
        synced: AtomicU64::new(0),
    });
    start_ticker(ticker)?;
    crate::probe::start(&shared)?;
    let (sender, receiver) = sync_channel(COMMAND_QUEUE_CAPACITY);
    let compiling = CompileQueue::start(compiler, sender.clone())?;
    let (ended_sender, ended) = oneshot::channel();
    let log = settings.block_log.as_ref().map(|log| LogKeeper::open(log, &store)).transpose()?;
    let follower = Follower::start(Arc::clone(&shared), sender.clone(), settings.traces, log)?;
    let handle = Handle { shared: Arc::clone(&shared), commands: sender.clone() };
    let writer = Writer {
        shared,
        machine,
        commands: sender,
        signing: None,
        held: Held::default(),
        queue: Queue::new(settings.incoming_transaction_queue_bytes),
        phase: Phase::Waiting,
        wake: None,
        paused: settings.pause_on_startup,
        production_enabled: settings.enable_stale_production,
        features_signaled: false,
        finished: false,
        follower,
        snapshots,
        whole_state_busy: false,
        whole_state_waiting: VecDeque::new(),
        retry: RetryTracker::new(settings.retry),
        turn: TurnWatch::default(),
        unsaved: Unsaved::after_start(reapplied),
        obstacles: Obstacles::default(),
        console: ConsoleLog::default(),
        compiling,
        transients: Transients::default(),
        given_up: BlockTimestamp::default(),
        head_slot: BlockTimestamp::at(began_at),
        counts_from: BlockTimestamp::at(settings.clock.now()),
        travels: Travels::new(),
        last_busy: 0,
        added_keys: BTreeSet::new(),
        states: States::new(),
        settings,
    };
    let thread = std::thread::Builder::new()
        .name("writer".to_owned())
        .stack_size(wasm::engine::THREAD_STACK_BYTES)
        .spawn(move || {
            // Nobody may wait for the reason any more.
            let _ = ended_sender.send(writer.run(&receiver));
        })
        .map_err(|source| EngineError::Thread { name: "writer", source })?;
    Ok(Running { handle, ended, thread: Some(thread) })
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
        self.plan()?;
        // Commands since the writer last slept.
        let mut run = 0u32;
        while !self.finished {
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
                    self.act(command)?;
                    self.run_next_transient(true)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.wake.is_some_and(|wake| wake <= self.now()) {
                self.on_time()?;
            }
        }
        self.abort();
        if self.settings.integrity_hash_on_stop {
            let hash = self.shared.chain.read_for(Hold::WholeState).integrity_hash()?;
            tracing::info!("chain database stopped with hash: {hash}");
        }
        self.checkpoint()?;
        self.shared.chain.report();
        self.follower.finish()
    }

    fn until_wake(&self) -> Duration {
        self.wake
            .map_or(IDLE, |wake| Duration::from_micros(u64::try_from(wake.0 - self.now().0).unwrap_or(0)).min(IDLE))
    }

    fn act(&mut self, command: Command) -> Result<(), EngineError> {
        match command {
            Command::Submit(submission) => self.submit(submission),
            Command::PushBlock { block, reply } => {
                let changed = self.push_block(*block, Some(reply))?;
                if changed && self.phase == Phase::Waiting { self.plan() } else { Ok(()) }
            }
            Command::CodeReady { code_hash, loaded } => self.code_ready(code_hash, loaded),
            Command::Synced => {
                self.retry.answer_settled(self.shared.synced.load(Ordering::Acquire));
                Ok(())
            }
            Command::Signed { block, at, result } => {
                self.signed(block, at, result)?;
                if self.phase == Phase::Waiting { self.plan() } else { Ok(()) }
            }
            Command::Pause(reply) => {
                self.paused = true;
                self.publish_view();
                answer(reply, ());
                Ok(())
            }
            Command::Resume(reply) => {
                self.paused = false;
                self.counts_from = BlockTimestamp::at(self.now());
                self.publish_view();
                answer(reply, ());
                if self.phase == Phase::Speculating {
                    self.abort();
                }
                if self.phase == Phase::Waiting { self.plan() } else { Ok(()) }
            }
            Command::ChangeOptions(change, reply) => {
                self.change_options(change);
                answer(reply, ());
                let replan = change.max_irreversible_block_age_s.is_some() && self.phase == Phase::Speculating;
                if replan { self.plan() } else { Ok(()) }
            }
            Command::ChangeLists(change, reply) => {
                change.apply(self.shared.chain.write(Hold::Options).execution_settings_mut());
                answer(reply, ());
                Ok(())
            }
            Command::ScheduleFeatures(features, reply) => {
                self.features_signaled = false;
                self.shared.producer.write().scheduled_features = features;
                answer(reply, ());
                Ok(())
            }
            Command::IntegrityHash(reply) => {
                self.abort();
                self.want_whole_state(Request::Hash(reply))?;
                self.plan()
            }
            Command::Snapshot(reply) => {
                self.abort();
                self.want_whole_state(Request::Snapshot(reply))?;
                self.plan()
            }
            Command::WholeStateDone { head, result } => self.whole_state_done(head, result),
            Command::ScheduleSnapshot(request, reply) => {
                let result = self.schedule_snapshot(request)?;
                answer(reply, result);
                Ok(())
            }
            Command::UnscheduleSnapshot(id, reply) => {
                let result = self.unschedule_snapshot(id)?;
                answer(reply, result);
                Ok(())
            }
            Command::EndAtTurn(turn, reply) => {
                self.turn = TurnWatch::new(turn);
                answer(reply, ());
                Ok(())
            }
            Command::Travel(journey, reply) => self.set_out(journey, reply),
            Command::SaveState { name, reply } => self.save_state(name, reply),
            Command::StateSaved { name, state, reply } => {
                self.state_saved(name, *state, reply);
                Ok(())
            }
            Command::States(reply) => {
                answer(reply, self.states.clone());
                Ok(())
            }
            Command::ForgetState { name, reply } => {
                answer(reply, self.states.remove(&name).is_some());
                Ok(())
            }
            Command::SetState { target, reply } => self.set_state(*target, reply),
            Command::AddKey { public, key, reply } => {
                let new = self.added_keys.insert(public.clone());
                if !self.settings.signers.iter().any(|(known, _)| *known == public) {
                    self.settings.signers.push((public, Signer::Key(key)));
                }
                answer(reply, new);
                if matches!(self.phase, Phase::Speculating | Phase::Waiting) { self.plan() } else { Ok(()) }
            }
            Command::RemoveKey { public, reply } => {
                let known = self.added_keys.remove(&public);
                self.settings.signers.retain(|(key, _)| !known || *key != public);
                answer(reply, known);
                Ok(())
            }
            Command::Keys(reply) => {
                let added = |key: &PublicKey| self.added_keys.contains(key);
                answer(reply, self.settings.signers.iter().map(|(key, _)| (key.clone(), added(key))).collect());
                Ok(())
            }
            Command::Stop => Ok(()),
        }
    }

    fn change_options(&mut self, change: crate::OptionsChange) {
        let options = change.applied_to(self.settings.options);
        self.settings.options = options;
        self.shared.producer.write().options = options;
        let mut chain = self.shared.chain.write(Hold::Options);
        let execution = chain.execution_settings_mut();
        execution.greylist_limit = options.greylist_limit;
        if let Some(leeway) = change.subjective_cpu_leeway_us {
            execution.subjective_cpu_leeway_us = i64::from(leeway);
        }
    }
}
