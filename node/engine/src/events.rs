//! What others hear of the chain: positions, once they are on disk, and transactions that were accepted. Whoever wants
//! more pulls it from the store, so a slow listener holds up nobody.

use std::sync::Arc;

use chain::Chain;
use execution::RecoveredTransaction;
use primitives::BlockId;
use tokio::sync::{broadcast, watch};

/// Accepted transactions that a listener may be behind; then it misses the oldest.
const ACCEPTED_CAPACITY: usize = 4096;

/// Where the chain stands on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The end of the best branch, the head unless the state stands at the last irreversible block. This node's own
    /// blocks are synced.
    pub head: BlockId,
    /// The last irreversible block.
    pub irreversible: BlockId,
}

impl Position {
    /// Where a chain stands.
    pub(crate) fn of(chain: &Chain) -> Self {
        Self { head: chain.best().id(), irreversible: chain.root().id() }
    }
}

/// The ends that the writer and the thread behind it speak into.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    position: watch::Sender<Position>,
    accepted: broadcast::Sender<Arc<RecoveredTransaction>>,
}

impl Events {
    pub fn new(position: Position) -> Self {
        Self { position: watch::Sender::new(position), accepted: broadcast::Sender::new(ACCEPTED_CAPACITY) }
    }

    pub fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// The chain has moved, and that is synced.
    pub fn moved(&self, position: Position) {
        self.position.send_replace(position);
    }

    /// A transaction from outside ran well.
    pub fn accepted(&self, transaction: &Arc<RecoveredTransaction>) {
        // Nobody may listen.
        let _ = self.accepted.send(Arc::clone(transaction));
    }

    pub fn subscribe(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    pub fn subscribe_accepted(&self) -> broadcast::Receiver<Arc<RecoveredTransaction>> {
        self.accepted.subscribe()
    }
}
