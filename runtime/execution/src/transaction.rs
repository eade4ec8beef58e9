//! The transaction that runs now: what it may use and what it has used so far (nodeos: transaction_context.hpp).

use std::sync::Arc;

use ledger::AccountId;
use primitives::{TimePoint, TransactionId};

use crate::budget::{Budget, TransactionKind};
use crate::console::ConsoleBudget;
use crate::recovered::TransactionParts;
use crate::trace::{RowBudget, TransactionTrace};

/// Which limit a deadline stands for; decides the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum DeadlineKind {
    /// CPU left in the block.
    #[default]
    Block,
    /// CPU of the transaction.
    Transaction,
    /// CPU of the account, plus leeway.
    Leeway,
    /// The block must be complete.
    WallClock,
}

/// Why a transaction's CPU is limited; ends the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CpuReason {
    #[default]
    AccountLimit,
    ChainMaximum,
    HeaderMaximum,
    NodeMaximum,
    NodeMaximumAdjusted,
}

/// Limits of one transaction, tightened in nodeos' order.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) net: u64,
    pub(crate) net_due_to_block: bool,
    pub(crate) net_due_to_greylist: bool,
    pub(crate) eager_net: u64,
    pub(crate) cpu_due_to_greylist: bool,
    pub(crate) objective_us: i64,
    pub(crate) initial_objective_us: i64,
    pub(crate) deadline_us: i64,
    pub(crate) deadline_kind: DeadlineKind,
    pub(crate) billing_kind: DeadlineKind,
    pub(crate) cpu_reason: CpuReason,
}

/// The transaction that runs.
#[derive(Debug, Default)]
pub struct TransactionState {
    pub(crate) kind: TransactionKind,
    pub(crate) parts: Arc<TransactionParts>,
    /// Hash of the packed transaction; a replaced deferred transaction is known by another id.
    pub(crate) packed_id: TransactionId,
    pub(crate) trace: TransactionTrace,
    /// What its trace may still say of changed rows.
    pub(crate) row_budget: RowBudget,
    /// What its trace may still say of what its contracts print.
    pub(crate) console_budget: ConsoleBudget,
    pub(crate) published: TimePoint,
    pub(crate) delay_us: i64,
    pub(crate) is_input: bool,
    pub(crate) enforce_lists: bool,
    /// Whether limits are checked at all (`!skip_trx_checks`).
    pub(crate) checks: bool,
    pub(crate) budget: Budget,
    pub(crate) leeway_us: i64,
    pub(crate) start_us: i64,
    pub(crate) pseudo_start_us: i64,
    /// When billing was paused, if it is.
    pub(crate) paused_us: Option<i64>,
    pub(crate) billed_cpu_us: i64,
    /// Ascending by name.
    pub(crate) bill_to: Vec<AccountId>,
    /// Accounts whose RAM grew; checked at the end.
    pub(crate) validate_ram: Vec<AccountId>,
    pub(crate) limits: Limits,
}
