//! What the node decides for production and its queues, with nodeos' names and defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use primitives::{BlockId, Name, PublicKey};

use crate::saved_state::NewChain;
use crate::{Clock, Signer};

/// Microseconds of a slot that a producer works on a block: `cpu-effort-percent` 90 of 500 ms.
pub const CPU_EFFORT_US: i64 = 450_000;

/// Options that an operator changes while the node runs (`update_runtime_options`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuntimeOptions {
    /// Milliseconds that a transaction may run; negative for no limit.
    pub max_transaction_time_ms: i32,
    /// Seconds of age of the last irreversible block beyond which nothing is produced; negative for no limit.
    pub max_irreversible_block_age_s: i32,
    /// Microseconds of a slot that a producer works on a block.
    pub cpu_effort_us: i64,
    /// Milliseconds of a block that scheduled transactions may take; negative for no limit.
    pub max_scheduled_transaction_time_per_block_ms: i32,
    /// Microseconds that a transaction may overrun its account's CPU limit; the default's where nobody said.
    pub subjective_cpu_leeway_us: Option<i32>,
    /// Incoming transactions run for each scheduled one while both wait.
    pub incoming_defer_ratio: f64,
    /// Elastic multiplier that accounts get at most.
    pub greylist_limit: u32,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            max_transaction_time_ms: 30,
            max_irreversible_block_age_s: -1,
            cpu_effort_us: CPU_EFFORT_US,
            max_scheduled_transaction_time_per_block_ms: 100,
            subjective_cpu_leeway_us: None,
            incoming_defer_ratio: 1.0,
            greylist_limit: execution::settings::GREYLIST_LIMIT_MAX,
        }
    }
}

/// A change of options; what is not there stays.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the fields of `RuntimeOptions`")]
pub struct OptionsChange {
    pub max_transaction_time_ms: Option<i32>,
    pub max_irreversible_block_age_s: Option<i32>,
    pub cpu_effort_us: Option<i64>,
    pub max_scheduled_transaction_time_per_block_ms: Option<i32>,
    pub subjective_cpu_leeway_us: Option<i32>,
    pub incoming_defer_ratio: Option<f64>,
    pub greylist_limit: Option<u32>,
}

impl OptionsChange {
    /// The options after the change.
    pub fn applied_to(self, old: RuntimeOptions) -> RuntimeOptions {
        RuntimeOptions {
            max_transaction_time_ms: self.max_transaction_time_ms.unwrap_or(old.max_transaction_time_ms),
            max_irreversible_block_age_s: self.max_irreversible_block_age_s.unwrap_or(old.max_irreversible_block_age_s),
            cpu_effort_us: self.cpu_effort_us.unwrap_or(old.cpu_effort_us),
            max_scheduled_transaction_time_per_block_ms: self
                .max_scheduled_transaction_time_per_block_ms
                .unwrap_or(old.max_scheduled_transaction_time_per_block_ms),
            subjective_cpu_leeway_us: self.subjective_cpu_leeway_us.or(old.subjective_cpu_leeway_us),
            incoming_defer_ratio: self.incoming_defer_ratio.unwrap_or(old.incoming_defer_ratio),
            greylist_limit: self.greylist_limit.unwrap_or(old.greylist_limit),
        }
    }
}

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
