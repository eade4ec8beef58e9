//! Merkle roots of transactions and actions, and the incremental root of block ids.

use codec::{Pack, Unpack};

use crate::Checksum256;

/// A merkle tree that only grows, as its root path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct IncrementalMerkle {
    /// Roots of the complete and the open subtrees (`_active_nodes`).
    pub active_nodes: Vec<Checksum256>,
    /// Number of leaves.
    pub node_count: u64,
}
