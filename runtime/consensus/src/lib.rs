//! Pure decisions on block headers: who may produce, what is confirmed, what is irreversible, which branch is best.
//! Nothing here knows a table of the ledger or executes anything.
//!
//! In reading order:
//! - [`header_state`]: what a node must remember of a block to judge the next header.
//! - [`pending`]: the step from one header state to the next.
//! - [`signing`]: the digest that producers sign, and the check of what they signed.
//! - [`fork_tree`]: the reversible blocks as a tree, and its best branch.

pub mod fork_tree;
pub mod header_state;
pub mod pending;
pub mod signing;

pub use fork_tree::{Branches, ForkNode, ForkTree, ForkTreeError};
pub use header_state::{ActivatedFeatures, BlockHeaderState, ScheduleInfo};
pub use pending::{FeatureCheck, PendingHeaderState};
