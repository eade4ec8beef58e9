//! What the node decides for production and its queues, with nodeos' names and defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use primitives::{BlockId, BlockSigningAuthority, Name, ProducerAuthority, PublicKey};

use crate::options::RuntimeOptions;
use crate::saved_state::NewChain;
use crate::{Clock, Signer};

/// When blocks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// At their slots, as the real time comes to them.
    Slots {
        /// Only in slots that are multiples of this; 1 for all.
        every: u32,
        /// Also blocks without transactions that nothing waits for.
        empty: bool,
    },
    /// One after each transaction, in the next slot. Time stands still in between.
    OnTransaction,
    /// When they are asked for. Time stands still in between.
    OnCommand,
}

impl Blocks {
    /// As every node of a network makes them.
    pub const ALL_SLOTS: Self = Self::Slots { every: 1, empty: true };

    /// Whether the clock goes with the blocks alone.
    pub fn hold_time(self) -> bool {
        !matches!(self, Self::Slots { .. })
    }
}

/// What decides the CPU that a transaction of this node's blocks is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuBilling {
    /// The time that it took, as on every network.
    Measured,
    /// Its size and the number of its actions: the same on every machine.
    Fixed,
}

/// What the node decides for the writer.
#[derive(Clone)]
pub struct Settings {
    /// What tells the time, the same as the chain's.
    pub clock: Clock,
    /// Whether this is a development chain, on which time and state obey.
    pub dev: bool,
    /// When blocks are made.
    pub blocks: Blocks,
    /// What decides the CPU that is billed.
    pub cpu: CpuBilling,
    /// Makes the chain at its first block, where states that were not saved are to be found again.
    pub new_chain: Option<NewChain>,
    /// Producers that this node produces for.
    pub producers: BTreeSet<Name>,
    /// Keys that it signs with.
    pub signers: Vec<(PublicKey, Signer)>,
    /// Produce even if the head is old.
    pub enable_stale_production: bool,
    /// Start without producing.
    pub pause_on_startup: bool,
    /// What can be changed later.
    pub options: RuntimeOptions,
    /// Microseconds of a block's CPU that are too few to go on with the block.
    pub max_block_cpu_usage_threshold_us: u64,
    /// Bytes of a block's net that are too few to go on with the block.
    pub max_block_net_usage_threshold_bytes: u64,
    /// Bytes of transactions that may wait.
    pub incoming_transaction_queue_bytes: usize,
    /// Bytes that the disk of the data folder keeps: with less left no transactions are taken and no snapshots written.
    pub disk_reserve_bytes: u64,
    /// Where snapshots go.
    pub snapshots_dir: PathBuf,
    /// Keeps the traces of blocks for the trace API, in the form that this makes of them.
    pub traces: Option<crate::follower::TraceEncoder>,
    /// Where a block log is kept beside the database, if anywhere.
    pub block_log: Option<crate::LogSettings>,
    /// How much is remembered of what became of transactions.
    pub finality: crate::FinalitySettings,
    /// Which transactions this node bills beside what the chain bills.
    pub subjective: crate::SubjectiveSettings,
    /// How transactions are tried again whose senders wait for a block.
    pub retry: crate::RetrySettings,
    /// End after this block; 0 for no end.
    pub terminate_at_block: u32,
    /// Log the hash of the state at the end.
    pub integrity_hash_on_stop: bool,
    /// Ids that blocks with these numbers must have.
    pub block_checkpoints: BTreeMap<u32, BlockId>,
}

impl Settings {
    /// Whether the node ends after the block with this number.
    pub(crate) fn is_last(&self, number: u32) -> bool {
        self.terminate_at_block > 0 && number >= self.terminate_at_block
    }

    /// Whether this node makes the blocks of a producer: it was told so by name, was given a key of the producer while it
    /// ran, or is the only node of a development chain.
    pub(crate) fn produces_for(&self, producer: &ProducerAuthority, added_keys: &BTreeSet<PublicKey>) -> bool {
        let BlockSigningAuthority::V0 { keys, .. } = &producer.authority;
        self.dev
            || self.producers.contains(&producer.producer_name)
            || keys.iter().any(|each| added_keys.contains(&each.key))
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys are never printed.
        out.debug_struct("Settings")
            .field("producers", &self.producers)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::real(),
            dev: false,
            blocks: Blocks::ALL_SLOTS,
            cpu: CpuBilling::Measured,
            new_chain: None,
            producers: BTreeSet::new(),
            signers: Vec::new(),
            enable_stale_production: false,
            pause_on_startup: false,
            options: RuntimeOptions::default(),
            max_block_cpu_usage_threshold_us: 5000,
            max_block_net_usage_threshold_bytes: 1024,
            incoming_transaction_queue_bytes: 1024 << 20,
            disk_reserve_bytes: 0,
            snapshots_dir: PathBuf::from("snapshots"),
            traces: None,
            block_log: None,
            finality: crate::FinalitySettings::default(),
            subjective: crate::SubjectiveSettings::default(),
            retry: crate::RetrySettings::default(),
            terminate_at_block: 0,
            integrity_hash_on_stop: false,
            block_checkpoints: BTreeMap::new(),
        }
    }
}
