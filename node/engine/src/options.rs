//! Options that an operator changes while the node runs, with nodeos' names and defaults.

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
