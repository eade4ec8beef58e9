//! The writer's state: all that the one thread that owns the chain knows. What it does with it stands by topic in files
//! above this one ([`crate::producing`], [`crate::accepting`] and others); when, in [`crate::step`].

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use chain::{KeyGuesses, LiveChain, Machine};
use parking_lot::{Mutex, RwLock};
use primitives::{BlockId, BlockTimestamp, Name, PublicKey, TimePoint};
use rustc_hash::FxHashMap;
use store::Watermark;

use crate::attendance::Attendance;
use crate::awaited::Awaited;
use crate::command::Command;
use crate::compile_queue::CompileQueue;
use crate::console::ConsoleLog;
use crate::disk::Disk;
use crate::events::{Events, Position};
use crate::handle::{ProducerView, Shared};
use crate::health::Health;
use crate::holds::{ChainLock, Hold};
use crate::journey::Travels;
use crate::obstacles::Obstacles;
use crate::planted::Planted;
use crate::put_off::PutOff;
use crate::queue::Queue;
use crate::recovered::Recovered;
use crate::retry::RetryTracker;
use crate::rules::Held;
use crate::saved_state::States;
use crate::signing::Signing;
use crate::snapshots::Snapshots;
use crate::state_task::Request;
use crate::stuck::Stuck;
use crate::subjective::Subjective;
use crate::transients::Transients;
use crate::turn::TurnWatch;
use crate::unsaved::Unsaved;
use crate::{EngineError, FinalityTracker, Metrics, PEERS_FAILURES_US, Purse, Settings};

/// What the pending block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A block is built that will be sealed at this time.
    Producing {
        /// When it is sealed at the latest.
        deadline: TimePoint,
    },
    /// A block is finished and waits for its signatures.
    Signing,
    /// A block is built that will be dropped.
    Speculating,
    /// No block is built.
    Waiting,
}

/// What a writer begins with beside its chain.
pub(crate) struct Beginning {
    /// The folder of its data: the room on its disk is looked at.
    pub folder: PathBuf,
    /// What its producers signed last.
    pub watermarks: FxHashMap<Name, Watermark>,
    /// How long it took to apply the blocks after the last checkpoint again.
    pub reapplied: Duration,
    /// Who makes code ready.
    pub compiling: CompileQueue,
    /// The way to the writer, for those who answer it.
    pub commands: SyncSender<Command>,
}

/// The one that owns the chain. It has no thread and waits for nobody but its disk: whoever has it hands it commands
/// ([`Writer::step`]) and looks at its alarm clock ([`Writer::next_wake`]). What it does outside itself goes through doors:
/// the time is [`Settings::clock`], the disk a [`Disk`], answers go where the commands say.
pub struct Writer {
    pub(crate) shared: Arc<Shared>,
    /// What runs contracts.
    pub(crate) machine: Machine,
    pub(crate) settings: Settings,
    /// The way to the writer, for those who answer it.
    pub(crate) commands: SyncSender<Command>,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) queue: Queue,
    /// What failed transactions of all peers may take.
    pub(crate) peers_failures: Purse,
    /// Whether transactions of peers wait because that is spent: others of peers go behind them.
    pub(crate) peers_wait: bool,
    /// Scheduled transactions that are left out of blocks.
    pub(crate) put_off: PutOff,
    pub(crate) phase: Phase,
    /// The block of [`Phase::Signing`].
    pub(crate) signing: Option<Signing>,
    /// The block from outside that waited for code last, and how often.
    pub(crate) waits: (BlockId, u32),
    /// What keeps this node from making blocks until it is tried again.
    pub(crate) stuck: Stuck,
    /// Blocks from outside that wait until this node's own is sealed.
    pub(crate) held: Held,
    /// When to look at production again.
    pub(crate) wake: Option<TimePoint>,
    pub(crate) paused: bool,
    /// Whether the head is fresh enough to build on, or staleness was allowed.
    pub(crate) production_enabled: bool,
    /// Whether the features that were asked for are in the pending block.
    pub(crate) features_signaled: bool,
    /// Whether the last block that was wanted is there.
    pub(crate) finished: bool,
    pub(crate) snapshots: Snapshots,
    /// Whether something is made of the whole state just now.
    pub(crate) whole_state_busy: bool,
    /// Who waits for that.
    pub(crate) whole_state_waiting: VecDeque<Request>,
    pub(crate) retry: RetryTracker,
    pub(crate) turn: TurnWatch,
    pub(crate) unsaved: Unsaved,
    pub(crate) obstacles: Obstacles,
    pub(crate) console: ConsoleLog,
    pub(crate) compiling: CompileQueue,
    pub(crate) transients: Transients,
    /// The last slot whose block could not be sealed: the next block is for a later one.
    pub(crate) given_up: BlockTimestamp,
    pub(crate) attendance: Attendance,
    /// Journeys through time, the first of them under way.
    pub(crate) travels: Travels,
    pub(crate) awaited: Awaited,
    /// Keys that were added since the node started.
    pub(crate) added_keys: BTreeSet<PublicKey>,
    /// States that are kept, by their names.
    pub(crate) states: States,
    /// A bug that the simulator shall find.
    #[cfg(feature = "planted")]
    pub(crate) planted: Option<Planted>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Writer").field("phase", &self.phase).field("wake", &self.wake).finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer of a chain, on the disk that `disk` makes of what it tells its readers.
    ///
    /// # Errors
    /// The schedule of snapshots is damaged, or there is no disk.
    pub(crate) fn new(
        chain: LiveChain,
        settings: Settings,
        begins: Beginning,
        disk: impl FnOnce(&Arc<Shared>) -> Result<Box<dyn Disk>, EngineError>,
    ) -> Result<Self, EngineError> {
        let Beginning { folder, watermarks, reapplied, compiling, commands } = begins;
        let LiveChain { chain, machine } = chain;
        let snapshots = Snapshots::open(settings.snapshots_dir.clone())?;
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
        let began_at = chain.head_time();
        let health = Health::new(chain.best().header.timestamp().time(), settings.disk_reserve_bytes);
        health.has_room(crate::health::Disk::of(&folder));
        let shared = Arc::new(Shared {
            chain_id: chain.chain_id(),
            began_at,
            events: Events::new(Position::of(&chain)),
            chain: ChainLock::new(chain),
            dev: settings.dev,
            new_chain: settings.new_chain.clone(),
            producer: RwLock::new(view),
            finality: FinalityTracker::new(settings.finality),
            retry: settings.retry,
            folder,
            metrics,
            health,
            subjective: Mutex::new(Subjective::new(settings.subjective.clone())),
            clock: settings.clock.clone(),
            recovered: Recovered::default(),
            key_guesses: KeyGuesses::default(),
            synced: AtomicU64::new(0),
        });
        let disk = disk(&shared)?;
        let (head, now) = (BlockTimestamp::at(began_at), BlockTimestamp::at(settings.clock.now()));
        let attendance = Attendance::new(Arc::clone(&shared), head, now);
        Ok(Self {
            shared,
            machine,
            commands,
            disk,
            signing: None,
            waits: (BlockId::default(), 0),
            stuck: Stuck::default(),
            held: Held::default(),
            put_off: PutOff::default(),
            queue: Queue::new(settings.incoming_transaction_queue_bytes),
            peers_failures: Purse::new(PEERS_FAILURES_US),
            peers_wait: false,
            phase: Phase::Waiting,
            wake: None,
            paused: settings.pause_on_startup,
            production_enabled: settings.enable_stale_production,
            features_signaled: false,
            finished: false,
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
            attendance,
            travels: Travels::new(),
            awaited: Awaited::default(),
            added_keys: BTreeSet::new(),
            states: States::new(),
            #[cfg(feature = "planted")]
            planted: None,
            settings,
        })
    }

    /// The head is fresh enough to build on.
    pub(crate) fn allow_production(&mut self) {
        if !std::mem::replace(&mut self.production_enabled, true) {
            self.attendance.count_from(BlockTimestamp::at(self.now()));
        }
    }

    /// The time as this node sees it.
    pub(crate) fn now(&self) -> TimePoint {
        self.shared.clock.now()
    }

    /// Drops the pending block; its transactions wait for the next one.
    pub(crate) fn abort(&mut self) {
        if self.phase == Phase::Waiting {
            return;
        }
        let aborted = self.shared.chain.write(Hold::AbortBlock).abort_block();
        self.queue.add_aborted(aborted);
        if let Some(signing) = self.signing.take() {
            self.queue.add_aborted(signing.into_transactions());
        }
        self.phase = Phase::Waiting;
    }

    /// Shows others how production stands.
    pub(crate) fn publish_view(&self) {
        self.shared.producer.write().paused = self.paused;
    }

    /// Plants a bug, before the writer begins.
    #[cfg(feature = "planted")]
    pub fn plant(&mut self, bug: Planted) {
        self.planted = Some(bug);
        self.production_enabled |= bug == Planted::StaleProducer;
    }

    /// Whether a bug was planted.
    #[cfg(feature = "planted")]
    pub(crate) fn plants(&self, bug: Planted) -> bool {
        self.planted == Some(bug)
    }

    /// Whether a bug was planted: never.
    #[cfg(not(feature = "planted"))]
    pub(crate) fn plants(&self, _: Planted) -> bool {
        false
    }
}
