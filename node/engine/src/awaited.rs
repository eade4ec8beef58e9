//! Blocks that somebody may wait for though nothing would be in them.

use std::sync::Arc;

use primitives::SignedBlock;

use crate::moved::{Follows, Moved};

/// Knows the last block with transactions: until it is irreversible, those who sent them may wait for more blocks.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    last_busy: u32,
}

impl Awaited {
    /// Whether blocks are waited for, with this one irreversible.
    pub fn waits(&self, irreversible: u32) -> bool {
        irreversible < self.last_busy
    }
}

impl Follows for Awaited {
    fn follow(&mut self, moved: &Moved<'_>) {
        let mut states = moved.applied.applied.iter().map(|sealed| &sealed.state);
        let is_busy = |block: &Arc<SignedBlock>| !block.transactions.is_empty();
        if let Some(last) = states.rfind(|state| state.block.as_ref().is_some_and(is_busy)) {
            self.last_busy = last.number();
        }
    }
}
