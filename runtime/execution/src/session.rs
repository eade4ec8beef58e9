//! What a transaction changes, until it is kept by name: the only place that undoes anything.

use std::ops::{Deref, DerefMut};

use ledger::Mark;

use crate::world::World;

/// The world while a transaction changes it. Dropped without [`Self::commit`], all changes of the ledger and the
/// digests of actions since [`Self::begin`] are reverted. Sessions nest: an inner one borrows the outer one's world.
pub(crate) struct Session<'w> {
    world: &'w mut World,
    mark: Mark,
    action_digests: usize,
    committed: bool,
}

impl<'w> Session<'w> {
    /// Notes where to return to.
    pub(crate) fn begin(world: &'w mut World) -> Self {
        Self { mark: world.ledger.mark(), action_digests: world.action_digests.len(), committed: false, world }
    }

    /// Keeps the changes, as far as sessions around this one keep them.
    pub(crate) fn commit(mut self) {
        self.committed = true;
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if !self.committed {
            self.world.ledger.undo_to(self.mark);
            self.world.action_digests.truncate(self.action_digests);
        }
    }
}

impl Deref for Session<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        self.world
    }
}

impl DerefMut for Session<'_> {
    fn deref_mut(&mut self) -> &mut World {
        self.world
    }
}
