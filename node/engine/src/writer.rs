//! The writer's state: all that the one thread that owns the chain knows. What it does with it stands by topic in files
//! above this one ([`crate::producing`], [`crate::accepting`] and others); when, in [`crate::event_loop`].

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use chain::Machine;
use primitives::{BlockTimestamp, PublicKey, TimePoint};

use crate::Settings;
use crate::command::Command;
use crate::compile_queue::CompileQueue;
use crate::console::ConsoleLog;
use crate::follower::Follower;
use crate::handle::Shared;
use crate::holds::Hold;
use crate::journey::Travels;
use crate::obstacles::Obstacles;
use crate::queue::Queue;
use crate::retry::RetryTracker;
use crate::rules::Held;
use crate::saved_state::States;
use crate::signing::Signing;
use crate::snapshots::Snapshots;
use crate::state_task::Request;
use crate::transients::Transients;
use crate::turn::TurnWatch;
use crate::unsaved::Unsaved;

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

/// The writer's own state.
pub(crate) struct Writer {
    pub shared: Arc<Shared>,
    /// What runs contracts.
    pub machine: Machine,
    pub settings: Settings,
    /// The way to the writer, for those who answer it.
    pub commands: SyncSender<Command>,
    pub queue: Queue,
    pub phase: Phase,
    /// The block of [`Phase::Signing`].
    pub signing: Option<Signing>,
    /// Blocks from outside that wait until this node's own is sealed.
    pub held: Held,
    /// When to look at production again.
    pub wake: Option<TimePoint>,
    pub paused: bool,
    /// Whether the head is fresh enough to build on, or staleness was allowed.
    pub production_enabled: bool,
    /// Whether the features that were asked for are in the pending block.
    pub features_signaled: bool,
    /// Whether the last block that was wanted is there.
    pub finished: bool,
    pub follower: Follower,
    pub snapshots: Snapshots,
    /// Whether something is made of the whole state just now.
    pub whole_state_busy: bool,
    /// Who waits for that.
    pub whole_state_waiting: VecDeque<Request>,
    pub retry: RetryTracker,
    pub turn: TurnWatch,
    pub unsaved: Unsaved,
    pub obstacles: Obstacles,
    pub console: ConsoleLog,
    pub compiling: CompileQueue,
    pub transients: Transients,
    /// The last slot whose block could not be sealed: the next block is for a later one.
    pub given_up: BlockTimestamp,
    /// The slot of the head.
    pub head_slot: BlockTimestamp,
    /// Missed slots count from here: when production began, or went on after a pause.
    pub counts_from: BlockTimestamp,
    /// Journeys through time, the first of them under way.
    pub travels: Travels,
    /// The last block that somebody may wait for.
    pub last_busy: u32,
    /// Keys that were added since the node started.
    pub added_keys: BTreeSet<PublicKey>,
    /// States that are kept, by their names.
    pub states: States,
}

impl Writer {
    /// The head is fresh enough to build on.
    pub(crate) fn allow_production(&mut self) {
        if !std::mem::replace(&mut self.production_enabled, true) {
            self.counts_from = BlockTimestamp::at(self.now());
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
}
