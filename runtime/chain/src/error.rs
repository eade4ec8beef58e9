//! Failures at the chain's seam: an objective fault of a block, or a broken node. Faults of transactions are values in
//! traces and do not appear here.

use ledger::CheckpointError;
use primitives::{Fault, Name};
use wasm::{MissingCode, Unready};

/// Why a call of [`crate::Chain`] failed.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The block breaks a rule: every node refuses it (`unlinkable_block_exception`, `block_validate_exception`, ...).
    #[error("{}", .0.details.first().map_or(.0.what(), String::as_str))]
    Block(Box<Fault>),
    /// Code is needed that is not ready to run, and it is loaded aside ([`execution::Machine::load_aside`]). Nothing
    /// changed; once the code was handed in ([`execution::Machine::supply`]) the same call goes on.
    #[error("contract code {} is not ready to run yet", .0.code_hash)]
    NeedsCode(Box<MissingCode>),
    /// The system gives no memory or address space to run contracts. Nothing changed; the same call may go well later.
    #[error("cannot run a contract: the system does not give {0}. Give this node more memory")]
    Shortage(String),
    /// What runs at the start of a block takes longer than the machine was [told](wasm::Bounds). Nothing changed.
    #[error("{action} of contract {receiver} takes too long")]
    TooLong {
        /// Whose code ran.
        receiver: Name,
        /// For which action.
        action: Name,
    },
    /// The node ends ([`execution::Machine::stop_flag`]). Nothing changed.
    #[error("the node is stopping")]
    Stopping,
    /// A snapshot, checkpoint or block log cannot be read: what, and why.
    #[error("{what}: {cause}")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The chain's own state contradicts itself. The node must stop.
    #[error("the chain's state is inconsistent: {0}")]
    Broken(String),
}

impl From<Unready> for ChainError {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::Code(missing) => Self::NeedsCode(Box::new(missing)),
            Unready::Shortage(what) => Self::Shortage(what),
            Unready::TooLong { receiver, action } => Self::TooLong { receiver, action },
            Unready::Stopping => Self::Stopping,
        }
    }
}

impl From<CheckpointError> for ChainError {
    fn from(error: CheckpointError) -> Self {
        Self::Corrupt { what: "checkpoint", cause: error.to_string() }
    }
}

impl From<Fault> for ChainError {
    fn from(fault: Fault) -> Self {
        Self::Block(Box::new(fault))
    }
}

impl ChainError {
    /// Whether the same call may go well later: the block is not to blame.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::NeedsCode(_) | Self::Shortage(_) | Self::TooLong { .. } | Self::Stopping)
    }

    pub(crate) fn broken(what: impl ToString) -> Self {
        Self::Broken(what.to_string())
    }
}
