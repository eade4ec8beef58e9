//! [`Chain`] and what can be seen of it. What it does is in the files of the phases.

use std::sync::Arc;

use consensus::ForkTree;
use execution::{RecoveredTransaction, TransactionTrace, World};
use ledger::{GeneratedTransaction, Ledger};
use primitives::{BlockId, BlockTimestamp, ChainId, Checksum256, Name, TimePoint, TransactionId};

use crate::pending::Pending;
use crate::{BlockPurpose, BlockState, Brought, Settings};

/// Finds what the node kept of blocks: one that came before a restart may have to be applied or undone after it.
pub trait KeptBlocks: Send + Sync {
    /// The packed block with this id.
    fn block(&self, id: &BlockId) -> Option<Vec<u8>>;

    /// [`SavedBlock::undo`](crate::SavedBlock::undo) of the block with this number on the branch that was loaded.
    fn undo(&self, number: u32) -> Option<Vec<u8>>;
}

/// The ledger, the fork tree and the block under construction. The machine that runs contracts is not part of it: its one
/// owner hands it in, and readers cannot reach it.
#[allow(missing_debug_implementations, reason = "a whole chain is not printed")]
pub struct Chain {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) tree: ForkTree<Arc<BlockState>>,
    /// What the ledger shows. Differs from the tree's head only while blocks are undone and applied.
    pub(crate) head: Arc<BlockState>,
    pub(crate) pending: Option<Pending>,
    /// The block whose end the ledger shows while it waits for its signatures.
    pub(crate) finished: Option<BlockId>,
    /// Where blocks are that came before a restart.
    pub(crate) kept: Option<Arc<dyn KeptBlocks>>,
    /// What was read of them for the push that comes next.
    pub(crate) brought: Brought,
}

/// The block under construction, as the API shows it.
#[derive(Debug)]
pub struct PendingView<'a> {
    /// Its number.
    pub block_num: u32,
    /// Its slot.
    pub timestamp: BlockTimestamp,
    /// Its producer.
    pub producer: Name,
    /// Why it was started.
    pub purpose: BlockPurpose,
    /// Traces so far, onblock first.
    pub traces: &'a [Arc<TransactionTrace>],
    /// Input transactions that ran in it so far, also where nothing of them stays.
    pub inputs: &'a [Arc<RecoveredTransaction>],
    /// Number of receipts so far.
    pub transactions: usize,
    /// CPU billed so far, in microseconds.
    pub cpu_usage_us: u64,
    /// Net billed so far, in bytes.
    pub net_usage_bytes: u64,
}

impl Chain {
    /// The chain's id.
    pub fn chain_id(&self) -> ChainId {
        self.world.ledger.global_property().chain_id
    }

    /// The head block.
    pub fn head(&self) -> &Arc<BlockState> {
        &self.head
    }

    /// The time of the head block.
    pub fn head_time(&self) -> TimePoint {
        self.head.header.timestamp().time()
    }

    /// The last irreversible block: the root of the fork tree.
    pub fn root(&self) -> &Arc<BlockState> {
        self.tree.root()
    }

    /// A reversible block or the root by id, on any branch.
    pub fn fork_block(&self, id: &BlockId) -> Option<&Arc<BlockState>> {
        self.tree.get_or_root(id)
    }

    /// A reversible block or the root by number, on the best branch.
    pub fn fork_block_by_num(&self, block_num: u32) -> Option<&Arc<BlockState>> {
        self.tree.on_branch(&self.best().id(), block_num)
    }

    /// The reversible blocks of the head's branch in order, root excluded.
    pub fn reversible_blocks(&self) -> Vec<Arc<BlockState>> {
        let mut blocks = self.tree.branch(&self.head.id(), u32::MAX);
        blocks.reverse();
        blocks
    }

    /// The tables as of the pending block, or of the head without one.
    pub fn ledger(&self) -> &Ledger {
        &self.world.ledger
    }

    /// The state of execution, for reads that need more than the ledger (required keys, authorisation checks).
    pub fn world(&self) -> &World {
        &self.world
    }

    /// This node's own limits, which may be changed while it runs (greylist, white- and blacklists).
    pub fn execution_settings_mut(&mut self) -> &mut execution::Settings {
        &mut self.world.settings
    }

    /// The block under construction.
    pub fn pending(&self) -> Option<PendingView<'_>> {
        self.pending.as_ref().map(|pending| PendingView {
            block_num: pending.header.block_num,
            timestamp: pending.header.timestamp,
            producer: pending.header.producer,
            purpose: pending.purpose,
            traces: &pending.traces,
            inputs: &pending.transactions,
            transactions: pending.receipts.len(),
            cpu_usage_us: pending.cpu_usage_us,
            net_usage_bytes: pending.net_usage_bytes,
        })
    }

    /// Features that a contract has preactivated: the next block must activate them.
    pub fn preactivated_features(&self) -> Vec<Checksum256> {
        self.world.ledger.protocol_state().preactivated_protocol_features.clone()
    }

    /// Scheduled transactions that could run in the pending block: those whose delay is over, by time and order.
    /// Expired ones are among them: running them retires them. At most `limit`, of those that `may_run` says may.
    pub fn scheduled_ready(
        &self,
        limit: usize,
        may_run: impl Fn(&GeneratedTransaction) -> bool,
    ) -> Vec<ScheduledTransaction> {
        let Some(pending) = &self.pending else { return Vec::new() };
        let (now, ledger) = (pending.header.timestamp.time(), &self.world.ledger);
        let waiting = ledger.generated_by_delay().map(|id| ledger.generated(id));
        // Nothing runs in the block that sent it.
        let ready = waiting.take_while(|waiting| waiting.delay_until <= now).filter(|waiting| waiting.published < now);
        let ready = ready.filter(|waiting| may_run(waiting)).take(limit);
        ready
            .map(|GeneratedTransaction { trx_id: id, payer, expiration, .. }| ScheduledTransaction {
                id: *id,
                payer: *payer,
                expiration: *expiration,
            })
            .collect()
    }
}

/// A transaction on the chain's list that may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledTransaction {
    /// Its id.
    pub id: TransactionId,
    /// Who pays for its place on the list.
    pub payer: Name,
    /// When it is retired without having run.
    pub expiration: TimePoint,
}

/// Readers share the chain with its one writer behind a lock.
const _: fn() = || {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<Chain>();
};
