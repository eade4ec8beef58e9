//! How much a transaction may use, and who says so: the clock while a block is built, the receipt while one is applied.

/// Tells the time in microseconds from any fixed origin. The node gives a real one; the runtime has none of its own.
pub trait Clock: Send + Sync {
    /// Microseconds since the origin.
    fn now_us(&self) -> i64;
}

/// A clock that stands still: for received and replayed blocks, whose receipts say what was used.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoppedClock;

impl Clock for StoppedClock {
    fn now_us(&self) -> i64 {
        0
    }
}

/// Where the transactions of a block come from, and so what is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlockMode {
    /// We build the block: everything is checked, this node's own limits too (`is_speculative_block`).
    #[default]
    Produced,
    /// We were given the block: everything objective is checked.
    Validated,
    /// Irreversible or already validated: authorizations and limits of input transactions are known to hold
    /// (`skip_auth_check`, `skip_trx_checks`).
    Trusted,
}

/// What kind of transaction runs (`transaction_metadata::trx_type`, and where its effects go).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransactionKind {
    /// Signed, from outside.
    #[default]
    Input,
    /// Made by the chain itself (onblock, onerror).
    Implicit,
    /// From the chain's list of deferred transactions.
    Scheduled,
    /// Runs as an input transaction would, leaves nothing, and unsatisfied authorizations do not stop it.
    DryRun,
    /// May not write; nothing is billed.
    ReadOnly,
}

impl TransactionKind {
    /// Whether nothing of it may remain.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::DryRun | Self::ReadOnly)
    }
}

/// No limit on a point in time or a duration, in microseconds.
pub const UNLIMITED_US: i64 = i64::MAX;

/// What a transaction may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// CPU to bill in microseconds: what the receipt says, or what an earlier run measured (0 for unknown).
    pub billed_cpu_us: u32,
    /// Whether `billed_cpu_us` is final (a received block says so) instead of an estimate.
    pub explicit_billed_cpu: bool,
    /// The clock's reading at which the block must be complete.
    pub block_deadline_us: i64,
    /// This node's own limit of one transaction's time.
    pub max_transaction_time_us: i64,
    /// CPU that this node counts against the account beside what the chain bills (failed transactions).
    pub subjective_cpu_bill_us: i64,
}

impl Default for Budget {
    /// Without limits of this node.
    fn default() -> Self {
        Self::metered(UNLIMITED_US, UNLIMITED_US)
    }
}

impl Budget {
    /// As a received block's receipt says.
    pub fn explicit(billed_cpu_us: u32) -> Self {
        Self { billed_cpu_us, explicit_billed_cpu: true, ..Self::metered(UNLIMITED_US, UNLIMITED_US) }
    }

    /// As the clock says, until `block_deadline_us` and for at most `max_transaction_time_us`.
    pub fn metered(block_deadline_us: i64, max_transaction_time_us: i64) -> Self {
        Self {
            billed_cpu_us: 0,
            explicit_billed_cpu: false,
            block_deadline_us,
            max_transaction_time_us,
            subjective_cpu_bill_us: 0,
        }
    }
}
