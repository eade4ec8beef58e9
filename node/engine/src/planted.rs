//! Bugs that the simulator of whole networks plants in the writer, to see that it finds each of them. The feature `planted`
//! is for it alone: without it there is no setting that could plant one.

/// A bug.
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
}
