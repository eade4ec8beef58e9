//! A writer without the node's threads and store, for whoever carries it otherwise: the simulator of whole networks steps
//! many of them in one thread, on disks and clocks of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use chain::{Chain, LiveChain, Machine};
use execution::RecoveredTransaction;
use primitives::{BlockId, Name, TransactionId};
use rustc_hash::FxHashMap;
use store::Watermark;
use tokio::sync::broadcast;

use crate::compile_queue::CompileQueue;
use crate::disk::Disk;
use crate::events::Position;
use crate::handle::{COMMAND_QUEUE_CAPACITY, Shared};
use crate::holds::Hold;
use crate::writer::{Beginning, Phase, Writer};
use crate::{Command, EngineError, Settings};

/// What a disk sees of its writer.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Shared>);

impl Reader {
    /// Runs `look` on the chain.
    pub fn read<T>(&self, look: impl FnOnce(&Chain) -> T) -> T {
        look(&self.0.chain.read())
    }

    /// Transactions from outside, once they ran well.
    pub fn subscribe_accepted(&self) -> broadcast::Receiver<Arc<RecoveredTransaction>> {
        self.0.events.subscribe_accepted()
    }

    /// The disk has the chain up to a position, with so many changes since the writer began, safe from a loss of power.
    /// [`Command::Synced`] says so to the writer.
    pub fn synced_to(&self, position: Position, changes: u64) {
        self.0.synced_to(position, changes);
    }
}

impl Writer {
    /// A writer on the disk that `disk` makes, with the commands that it is answered with. Contract code is compiled where
    /// it is needed.
    ///
    /// # Errors
    /// The schedule of snapshots is damaged.
    pub fn carried(
        chain: LiveChain,
        settings: Settings,
        watermarks: FxHashMap<Name, Watermark>,
        disk: impl FnOnce(Reader) -> Box<dyn Disk>,
    ) -> Result<(Self, Receiver<Command>), EngineError> {
        let (commands, answers) = sync_channel(COMMAND_QUEUE_CAPACITY);
        let compiling = CompileQueue::default();
        let begins = Beginning { folder: PathBuf::new(), watermarks, reapplied: Duration::ZERO, compiling, commands };
        let writer = Self::new(chain, settings, begins, |shared| Ok(disk(Reader(Arc::clone(shared)))))?;
        Ok((writer, answers))
    }

    /// Runs `look` on the chain. With a pending block its speculative state is seen.
    pub fn read<T>(&self, look: impl FnOnce(&Chain) -> T) -> T {
        look(&self.shared.chain.read())
    }

    /// Does something to the chain behind the writer's back: for producers that lie. A pending block must be pending
    /// afterwards.
    pub fn tamper<T>(&mut self, act: impl FnOnce(&mut Chain, &mut Machine) -> T) -> T {
        act(&mut self.shared.chain.write(Hold::Options), &mut self.machine)
    }

    /// Whether a block is being made that will be sealed.
    pub fn is_producing(&self) -> bool {
        matches!(self.phase, Phase::Producing { .. })
    }

    /// Whether a block waits until this node's own is sealed.
    pub fn holds(&self, id: &BlockId) -> bool {
        self.held.contains(id)
    }

    /// Whether a transaction waits for a block, ran in the pending one, or is in the chain.
    pub fn offers(&self, id: &TransactionId) -> bool {
        let ran = |chain: &Chain| {
            let pending = chain.pending();
            pending.is_some_and(|pending| pending.inputs.iter().any(|input| input.id == *id))
                || chain.ledger().is_known_transaction(id)
        };
        self.queue.contains(id) || self.read(ran)
    }
}
