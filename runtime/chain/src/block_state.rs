//! Blocks as the chain keeps them while they are reversible, and as it hands them out.

use std::sync::Arc;

use consensus::{BlockHeaderState, ForkNode};
use execution::{RecoveredTransaction, TransactionTrace};
use primitives::{BlockId, Fault, SignedBlock};

use crate::prepared::BLOCK_BYTES;

/// A block and the header state after it. The head, the root and everything reversible are of this type.
#[derive(Debug, Clone)]
pub struct BlockState {
    /// Header state: number, id, schedules, confirmations, irreversibility.
    pub header: BlockHeaderState,
    /// The block; absent for the block a snapshot was taken at, and for those that came before a restart or are not among
    /// the newest ones, which are read again if they leave the chain or are applied again.
    pub block: Option<Arc<SignedBlock>>,
    /// Its input transactions, ready to be applied again or tried in another block.
    pub transactions: Vec<Arc<RecoveredTransaction>>,
    /// About how much memory it takes.
    pub(crate) bytes: usize,
}

/// A block that was just added to the head of the chain, built here or received.
#[derive(Debug, Clone)]
pub struct SealedBlock {
    /// The block with its header state.
    pub state: Arc<BlockState>,
    /// Traces in order: onblock first, then one for each receipt.
    pub traces: Vec<Arc<TransactionTrace>>,
    /// What it did to the rows of the state, packed as nodeos' `vector<table_delta>`, where [`crate::Settings::deltas`]
    /// asks for it. The first block after genesis has all rows, as in the history of a nodeos that began with it.
    pub deltas: Option<Arc<[u8]>>,
}

/// What a pushed or sealed block did to the chain. The node stores this and then notifies.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// Blocks that left the chain (a fork switch), the former head first.
    pub undone: Vec<Arc<BlockState>>,
    /// Blocks that joined it, in order; the last one is the head. Empty when the block only joined the fork tree.
    pub applied: Vec<SealedBlock>,
    /// Blocks that became irreversible, in order; their ledger changes are committed.
    pub irreversible: Vec<Arc<BlockState>>,
    /// Blocks that joined the best branch, in order, where that does not mean that they are applied: of a chain whose
    /// state stands at the last irreversible block. The last one is the end of the branch; after a bad block it may be
    /// one that was there before.
    pub ahead: Vec<Arc<BlockState>>,
    /// Blocks that were beside the best branch and are not kept any more, since others of the same producer and slot came.
    pub gone: Vec<BlockId>,
    /// A block on the way to a better branch that broke a rule, while the chain found another branch better than its
    /// old one. Without such a branch the fault is the call's error.
    pub rejected: Option<(BlockId, Fault)>,
}

impl Applied {
    /// The blocks that are part of the best branch now, in order; the last one is its end.
    pub fn joined(&self) -> impl DoubleEndedIterator<Item = &Arc<BlockState>> {
        let applied = if self.ahead.is_empty() { &self.applied[..] } else { &[] };
        self.ahead.iter().chain(applied.iter().map(|sealed| &sealed.state))
    }
}

impl BlockState {
    /// A block of which only the header state is here.
    pub(crate) fn without_contents(header: BlockHeaderState) -> Self {
        Self { header, block: None, transactions: Vec::new(), bytes: BLOCK_BYTES }
    }

    /// The block's id.
    pub fn id(&self) -> BlockId {
        self.header.id
    }

    /// The block's number.
    pub fn number(&self) -> u32 {
        self.header.block_num
    }
}

impl ForkNode for BlockState {
    fn id(&self) -> BlockId {
        self.header.id
    }

    fn previous(&self) -> BlockId {
        self.header.previous()
    }

    fn block_num(&self) -> u32 {
        self.header.block_num
    }

    fn irreversible_block_num(&self) -> u32 {
        self.header.dpos_irreversible_blocknum
    }
}
