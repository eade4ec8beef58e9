//! The whole state of execution in one owned value: the ledger, the block being built or applied, the transaction and
//! the action that run now. Host functions get `&mut World` and nothing else.

use std::sync::Arc;

use ledger::{AccountId, Ledger};
use primitives::{
    BlockHeader, BlockId, BlockTimestamp, ChainConfig, Checksum256, Name, ProducerSchedule, TimePoint, TimePointSec,
};

use crate::action::ActionState;
use crate::budget::{BlockMode, Clock, TransactionKind};
use crate::fault::{Outcome, unknown_key};
use crate::features::{Feature, FeatureSet};
use crate::settings::Settings;
use crate::transaction::TransactionState;

/// Added to a time, makes its whole seconds those of the next full one.
const ROUND_UP_US: i64 = 999_999;

/// What runs contracts; stands beside the [`World`], not in it.
pub type Machine = wasm::Runtime<World>;

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

    /// Its time in whole seconds, rounded up: when what the chain makes itself expires.
    pub(crate) fn expiration(&self) -> TimePointSec {
        self.time().plus_us(ROUND_UP_US).seconds()
    }

    /// Whether this node's own limits apply (`is_speculative_block`).
    pub fn is_speculative(&self) -> bool {
        self.mode == BlockMode::Produced
    }
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

    pub(crate) fn config(&self) -> &ChainConfig {
        &self.ledger.global_property().configuration
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.trx.kind == TransactionKind::ReadOnly
    }

    /// The account called `name`.
    ///
    /// # Errors
    /// nodeos' "unknown key" where there is none.
    pub fn known_account(&self, name: Name) -> Outcome<AccountId> {
        self.ledger.find_account(name).ok_or_else(|| unknown_key(name))
    }
}
