//! A change of the chain, as those hear of it who keep account of the chain for the writer.

use std::sync::Arc;

use chain::{Applied, BlockState};
use primitives::{ProducerAuthority, TimePoint};

/// A change of the chain that the disk has.
pub(crate) struct Moved<'a> {
    /// The blocks that left the chain, joined it and became irreversible.
    pub applied: &'a Applied,
    /// The block that the state stands at now.
    pub head: Arc<BlockState>,
    /// The last irreversible block's number.
    pub irreversible: u32,
    /// How many changes by which blocks joined the chain are safe from power loss, counted from the start of the node.
    pub synced: u64,
    /// When the change is told.
    pub now: TimePoint,
    /// Whether this node produces just now.
    pub produces: bool,
    /// Whether this node makes the blocks of a producer.
    pub produces_for: &'a dyn Fn(&ProducerAuthority) -> bool,
}

impl Moved<'_> {
    /// Whether nothing but one block on the former head happened.
    pub fn is_one_block(&self) -> bool {
        self.applied.undone.is_empty() && self.applied.applied.len() == 1
    }
}

/// Keeps account of the chain: told of each change once, after the disk has it and before the writer does anything else.
pub(crate) trait Follows {
    /// The chain moved.
    fn follow(&mut self, moved: &Moved<'_>);
}
