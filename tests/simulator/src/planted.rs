//! Bugs that tests plant, to see that the simulator finds each of them.

pub use p2p::core::planted::Planted as InCore;

/// A bug of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A block that comes while the node makes its own is taken, and not kept.
    HeldForgotten,
    /// Transactions of blocks that left the chain are not offered again.
    ResubmittedLost,
    /// A node produces before it has seen that the chain runs.
    StaleProducer,
    /// A producer confirms again what it has confirmed on another branch.
    DoubleVote,
    /// One of the core's.
    Core(InCore),
}
