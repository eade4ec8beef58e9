//! A blocking client of a node's HTTP API. Works with any node that speaks `/v1/chain`.
//!
//! - [`Node`] calls endpoints and turns error bodies into [`ApiError`].
//! - [`Contracts`] packs action arguments by the ABIs that the node stores.
//! - [`Draft`] becomes a transaction bound to a recent block, signed and sent.
//!
//! No command line and no key storage here.

mod contracts;
mod draft;
mod node;

pub use contracts::Contracts;
pub use draft::{Draft, Receipt, Route, SendSettings};
pub use node::{ApiError, ApiFault, Message, Node};

/// What can go wrong between a command and its receipt.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The node refused or could not be reached.
    #[error(transparent)]
    Api(#[from] Box<ApiError>),
    /// A value breaks a rule of the chain; it was found before the node was asked, and is told as a node tells it.
    #[error("{0}")]
    Refused(Box<ApiFault>),
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
