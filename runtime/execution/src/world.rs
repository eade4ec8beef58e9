//! The whole state of execution in one owned value: the ledger, the block being built or applied, the transaction and
//! the action that run now. Host functions get `&mut World` and nothing else.

use std::sync::Arc;

use ledger::{AccountId, Ledger};
use primitives::{Action, BlockHeader, BlockId, BlockTimestamp, Checksum256, Fault, Name, ProducerSchedule, TimePoint};

use crate::apply::ActionDigests;
use crate::budget::{BlockMode, Clock};
use crate::features::{Feature, FeatureSet};
use crate::intrinsics::db::TableCursors;
use crate::settings::Settings;
use crate::trace::{AccountDelta, RowChanges};
use crate::transaction::TransactionState;

/// What runs contracts; stands beside the [`World`], not in it.
pub type Machine = wasm::Runtime<World>;

/// An objective fault ends what is being done; it becomes a value of the trace.
pub type Outcome<T = ()> = Result<T, Fault>;

/// The block that transactions run in.
#[derive(Debug, Clone, Default)]
pub struct BlockContext {
    /// Its number: that of the head, plus one.
    pub number: u32,
    /// Its slot.
    pub time: BlockTimestamp,
    /// Who gave the order, and so what is checked.
    pub mode: BlockMode,
    /// The header of the block before it.
    pub previous: BlockHeader,
    /// The id of the block before it.
    pub previous_id: BlockId,
    /// Its own id, where known.
    pub producer_block_id: Option<BlockId>,
    /// The schedule in force.
    pub active_schedule: Arc<ProducerSchedule>,
    /// The schedule that waits to come into force; empty for none.
    pub pending_schedule: Arc<ProducerSchedule>,
}

impl BlockContext {
    /// Its time.
    pub fn time(&self) -> TimePoint {
        self.time.time()
    }

    /// Whether this node's own limits apply (`is_speculative_block`).
    pub fn is_speculative(&self) -> bool {
        self.mode == BlockMode::Produced
    }
}

/// The action that runs now, its notifications included (`apply_context`).
#[derive(Debug, Default)]
pub struct ActionState {
    /// The action.
    pub(crate) act: Arc<Action>,
    /// Who runs it.
    pub(crate) receiver: Name,
    /// Ordinal of this run.
    pub(crate) ordinal: u32,
    /// Ordinal of the first receiver's run.
    pub(crate) first_receiver_ordinal: u32,
    /// Whether it has no state.
    pub(crate) context_free: bool,
    /// Whether the receiver is privileged.
    pub(crate) privileged: bool,
    /// Receivers with their ordinals, in the order of notification.
    pub(crate) notified: Vec<(Name, u32)>,
    /// Ordinals of the inline actions sent.
    pub(crate) inline_actions: Vec<u32>,
    /// Ordinals of the context-free inline actions sent.
    pub(crate) context_free_inline_actions: Vec<u32>,
    /// RAM that this run moved, ascending by account.
    pub(crate) ram_deltas: Vec<AccountDelta>,
    /// Rows that this run changed.
    pub(crate) rows: RowChanges,
    /// What this run printed.
    pub console: Vec<u8>,
    /// What this run returned.
    pub(crate) return_value: Vec<u8>,
    /// Iterators over contract tables.
    pub(crate) tables: TableCursors,
    /// Digests that the receivers share.
    pub(crate) digests: ActionDigests,
    /// The account that the action was sent to, once it was looked up.
    pub(crate) first_receiver: Option<AccountId>,
    /// The action's authorizers in the order of their levels, looked up with the first receiver.
    pub(crate) authorizers: Vec<AccountId>,
    /// Bytes to be hashed.
    pub(crate) buffer: Vec<u8>,
}

/// Everything that execution reads and writes.
pub struct World {
    /// The tables.
    pub ledger: Ledger,
    /// This node's own limits.
    pub settings: Settings,
    /// Tells the time while blocks are built.
    pub clock: Box<dyn Clock>,
    /// The block that is being built or applied.
    pub block: BlockContext,
    /// Digests of the action receipts of the block so far: leaves of its `action_mroot`.
    pub action_digests: Vec<Checksum256>,
    /// The features that are active in this block.
    pub features: FeatureSet,
    /// The transaction that runs.
    pub(crate) trx: TransactionState,
    /// The action that runs.
    pub action: ActionState,
}

impl World {
    /// A world over `ledger`, before its first block.
    pub fn new(ledger: Ledger, settings: Settings, clock: Box<dyn Clock>) -> Self {
        let mut world = Self {
            ledger,
            settings,
            clock,
            block: BlockContext::default(),
            action_digests: Vec::new(),
            features: FeatureSet::default(),
            trx: TransactionState::default(),
            action: ActionState::default(),
        };
        world.refresh_features();
        world
    }

    /// Turns to a new block. Its transactions may run afterwards.
    pub fn begin_block(&mut self, block: BlockContext) {
        self.block = block;
        self.action_digests.clear();
        self.refresh_features();
    }

    /// Whether a feature is active in this block.
    pub fn is_active(&self, feature: Feature) -> bool {
        self.features.has(feature)
    }

    /// Notes which features the ledger says are active.
    pub fn refresh_features(&mut self) {
        let activated = &self.ledger.protocol_state().activated_protocol_features;
        self.features = FeatureSet::of_digests(activated.iter().map(|feature| &feature.feature_digest));
    }
}
