//! Bugs that tests plant, to see that the simulator finds each of them.

pub use engine::planted::Planted as InWriter;
pub use p2p::core::planted::Planted as InCore;

/// A bug of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// One of the writer's.
    Writer(InWriter),
    /// One of the core's.
    Core(InCore),
    /// What was signed is not written down with the block.
    WatermarkForgotten,
    /// The chain's end is written before its block.
    HeadBeforeBlock,
    /// Others hear of a block before it is safe from a loss of power.
    ReleasedUnsynced,
}
