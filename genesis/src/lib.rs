//! What a new chain begins with: the embedded system contracts, and the plan that brings a chain from block 1 to a
//! running system (features, accounts, privileges, token, staking, an elected schedule) from one document.
//!
//! The plan only says what to push, in which order and signed by whom; [`LocalProducer`] carries it out on a chain
//! whose producers' keys it knows.
//!
//! - [`contracts`]: the embedded modules with their pinned hashes.
//! - [`document`]: what users write; [`Document::dev`] is the built-in one.
//! - [`parameters`]: the system contract's numbers as options.
//! - [`plan`]: a document as stages of transactions.
//! - [`takeover`]: a chain of others, with keys that this node has.
//! - [`boot`]: carrying out a plan, and building blocks for all producers of a chain.

pub mod boot;
pub mod contracts;
pub mod document;
pub mod parameters;
pub mod plan;
pub mod takeover;

pub use boot::{BootError, LocalProducer, later_features};
pub use contracts::Contract;
pub use document::{Account, Document, Preset, Producer};
pub use plan::{Plan, Stage};

/// Why a document cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// A part of the document is not what it should be.
    #[error("{part}: {reason}")]
    Document {
        /// Which part.
        part: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl GenesisError {
    pub(crate) fn new(part: impl Into<String>, reason: impl ToString) -> Self {
        Self::Document { part: part.into(), reason: reason.to_string() }
    }
}
