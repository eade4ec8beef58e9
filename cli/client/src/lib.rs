//! A blocking client of a node's HTTP API. Works with any node that speaks `/v1/chain`.
//!
//! - [`Node`] calls endpoints and turns error bodies into [`ApiError`].
//! - [`Contracts`] packs action arguments by the ABIs that the node stores.
//! - [`Draft`] becomes a transaction bound to a recent block, signed by a [`Signer`] and sent.
//! - [`editor`] writes rows of a development chain as no key allows it; [`fork`] copies contracts there.
//!
//! No command line and no key storage here.

mod contracts;
mod draft;
pub mod editor;
pub mod fork;
mod mismatch;
mod node;
mod pool;
mod signer;
mod unix;

pub use contracts::{Contracts, base64_field};
pub use draft::{Draft, Receipt, Route, SendSettings, WaitFor, complete};
pub use mismatch::mismatch_of_chain_type;
pub use node::{ApiError, ApiFault, Connection, Message, Node};
pub use signer::{Keosd, Signer};

/// What can go wrong between a command and its receipt.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The node refused or could not be reached.
    #[error(transparent)]
    Api(#[from] Box<ApiError>),
    /// A value breaks a rule of the chain; it was found before the node was asked, and is told as a node tells it.
    #[error("{0}")]
    Refused(Box<ApiFault>),
    /// The arguments of an action are not what its ABI wants.
    #[error("{fault}\n{action}: {reason}")]
    Arguments {
        /// `contract::action`.
        action: String,
        /// Which argument, what it has to be, and what was given.
        reason: String,
        /// As a node tells it.
        fault: Box<ApiFault>,
    },
    /// The contract has no such action.
    #[error("Unknown action {name} in contract {account}; it has: {}", known.join(", "))]
    UnknownAction {
        /// The contract.
        account: primitives::Name,
        /// What was asked for.
        name: primitives::Name,
        /// What there is.
        known: Vec<String>,
    },
    /// The contract has no such table.
    #[error("{account} has no table {table} in its ABI; it has: {}", known.join(", "))]
    UnknownTable {
        /// The contract.
        account: primitives::Name,
        /// What was asked for.
        table: primitives::Name,
        /// What there is.
        known: Vec<String>,
    },
    /// A value is not what the chain wants.
    #[error("{0}")]
    Value(String),
}

impl From<ApiError> for ClientError {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<primitives::Fault> for ClientError {
    fn from(fault: primitives::Fault) -> Self {
        Self::Refused(Box::new(fault.into()))
    }
}
