//! Chains that begin from a snapshot or a checkpoint, and what is written for them.

use std::sync::Arc;

use codec::{DecodeError, Pack, Reader, Unpack};
use consensus::{BlockHeaderState, ForkTree};
use execution::Clock;
use ledger::{BlockUndo, Checkpoint, CheckpointLoader, CheckpointRow, Ledger, Snapshot};
use primitives::{BlockId, Checksum256, TimePoint};

use crate::conductor::KeptBlocks;
use crate::{BlockState, Chain, ChainError, Settings};

/// What the node keeps of the chain's state: all changes since the last checkpoint.
#[derive(Debug, Clone)]
pub struct ChainCheckpoint {
    /// The block whose state it is.
    pub head: BlockId,
    /// The number of the last irreversible block.
    pub root: u32,
    /// The packed header state of the last irreversible block.
    pub root_header_state: Vec<u8>,
    /// Key and packed row; `None` removes it.
    pub rows: Vec<CheckpointRow>,
    /// Reversible blocks. What was kept for the same number is replaced, and what was kept for other numbers than
    /// those of reversible blocks is forgotten.
    pub reversible: Vec<SavedBlock>,
}

/// What is kept of a reversible block beside the block itself.
#[derive(Debug, Clone)]
pub struct SavedBlock {
    /// The block's number.
    pub number: u32,
    /// Its packed header state.
    pub header: Vec<u8>,
    /// The packed rows that undo it. A chain that is loaded without them asks [`KeptBlocks::undo`] for them when it comes
    /// to undoing the block.
    pub undo: Option<Vec<u8>>,
}

/// The whole state as of a checkpoint, away from the chain: for whoever writes or hashes all of it.
#[allow(missing_debug_implementations, reason = "a whole state is not printed")]
pub struct StateImage {
    head: Arc<BlockState>,
    ledger: Ledger,
}

impl StateImage {
    /// The state of `head` from the rows that checkpoints left.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn load(head: Arc<BlockState>, rows: CheckpointLoader) -> Result<Self, ChainError> {
        Ok(Self { head, ledger: rows.finish()? })
    }

    /// What [`Chain::write_snapshot`] gives.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.ledger.write_snapshot(&self.head.header.to_bytes(), self.time(), &mut out);
        out
    }

    /// What [`Chain::integrity_hash`] gives.
    pub fn integrity_hash(&self) -> Checksum256 {
        self.ledger.integrity_hash(&self.head.header.to_bytes(), self.time())
    }

    fn time(&self) -> TimePoint {
        self.head.header.timestamp().time()
    }
}

/// What the node kept of checkpoints, the latest of each row and block.
#[allow(missing_debug_implementations, reason = "a whole state is not printed")]
pub struct SavedChain {
    /// The rows.
    pub rows: CheckpointLoader,
    /// The packed header state of the block that was irreversible.
    pub root: Vec<u8>,
    /// The blocks after it up to the one whose state the rows are, in order.
    pub reversible: Vec<SavedBlock>,
    /// Where these blocks are.
    pub blocks: Arc<dyn KeptBlocks>,
}

/// A state that a chain can be set to, made away from it.
#[allow(missing_debug_implementations, reason = "a whole state is not printed")]
pub struct LoadedState {
    ledger: Ledger,
    tree: ForkTree<Arc<BlockState>>,
    head: Arc<BlockState>,
    kept: Option<Arc<dyn KeptBlocks>>,
}

impl LoadedState {
    /// Makes it of what was kept.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn load(saved: SavedChain) -> Result<Self, ChainError> {
        let corrupt = |cause: String| ChainError::Corrupt { what: "checkpoint", cause };
        let mut ledger = saved.rows.finish()?;
        let root = BlockHeaderState::from_bytes(&saved.root).map_err(|cause| corrupt(cause.to_string()))?;
        let known = |header| Arc::new(BlockState { header, block: None, transactions: Vec::new(), bytes: 0 });
        let head = known(root);
        let mut loaded = Vec::with_capacity(saved.reversible.len());
        for SavedBlock { number, header, undo } in saved.reversible {
            match undo {
                Some(rows) => ledger.load_undo([BlockUndo { number, rows }])?,
                None => ledger.load_absent_undo(number)?,
            }
            let header = BlockHeaderState::from_bytes(&header);
            loaded.push((number, header.map_err(|cause| corrupt(format!("block {number}: {cause}")))?));
        }
        let mut state = Self { ledger, tree: ForkTree::new(head.clone()), head, kept: Some(saved.blocks) };
        for (number, header) in loaded {
            if header.previous() != state.head.id() || header.block_num != number {
                return Err(corrupt(format!("block {number} does not follow the one before it")));
            }
            state.adopt(known(header)).map_err(|cause| corrupt(format!("block {number}: {cause}")))?;
        }
        Ok(state)
    }

    /// Makes a block the head whose changes the ledger has already.
    fn adopt(&mut self, state: Arc<BlockState>) -> Result<(), ChainError> {
        self.tree.add(state.clone())?;
        self.tree.mark_valid(&state.id()).map_err(ChainError::broken)?;
        self.head = state;
        Ok(())
    }
}

impl SavedBlock {
    fn new(header: &BlockHeaderState, undo: BlockUndo) -> Self {
        Self { number: undo.number, header: header.to_bytes(), undo: Some(undo.rows) }
    }

    /// Header state and rows of a block from one piece of bytes, in which the rows may be missing.
    ///
    /// # Errors
    /// It does not begin with a header state.
    pub fn split(number: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        BlockHeaderState::unpack(&mut reader)?;
        let undo = reader.rest();
        let header = bytes[..bytes.len() - undo.len()].to_vec();
        Ok(Self { number, header, undo: (!undo.is_empty()).then(|| undo.to_vec()) })
    }
}

impl Chain {
    /// A chain as a portable snapshot (nodeos' format, versions 2 to 6) describes it. Its head is irreversible.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn from_snapshot(bytes: &[u8], settings: Settings, clock: Box<dyn Clock>) -> Result<Self, ChainError> {
        let corrupt = |cause: String| ChainError::Corrupt { what: "snapshot", cause };
        let snapshot = Snapshot::read(bytes).map_err(|cause| corrupt(cause.to_string()))?;
        let read = if snapshot.head_is_legacy {
            BlockHeaderState::from_legacy_bytes(&snapshot.head_state)
        } else {
            BlockHeaderState::from_bytes(&snapshot.head_state)
        };
        let header = read.map_err(|cause| corrupt(cause.to_string()))?;
        Ok(Self::assemble(header, None, snapshot.ledger, settings, clock))
    }

    /// Changes what a chain has begun with, before a block follows: what is no chain of its own any more (a development
    /// chain) may go on with other producers' keys. The block itself stays what it was.
    ///
    /// # Errors
    /// The head is not the root, or a block is pending.
    pub fn edit_origin(&mut self, edit: impl FnOnce(&mut BlockHeaderState, &mut Ledger)) -> Result<(), ChainError> {
        self.nothing_pending("a change of the beginning")?;
        if self.head.id() != self.root().id() {
            return Err(ChainError::broken("a change of the beginning was asked for while blocks are reversible"));
        }
        let mut head = BlockState::clone(&self.head);
        let number = head.number();
        self.world.ledger.begin_block(number);
        edit(&mut head.header, &mut self.world.ledger);
        self.world.ledger.commit_blocks_up_to(number);
        self.head = Arc::new(head);
        self.tree = ForkTree::new(self.head.clone());
        Ok(())
    }

    /// A portable snapshot of the head (nodeos' version 6). A pending block must be aborted first.
    ///
    /// # Errors
    /// A block is pending.
    pub fn write_snapshot(&self) -> Result<Vec<u8>, ChainError> {
        self.nothing_pending("a snapshot")?;
        let mut out = Vec::new();
        self.world.ledger.write_snapshot(&self.head.header.to_bytes(), self.head_time(), &mut out);
        Ok(out)
    }

    /// nodeos' hash of the whole state at the head. A pending block must be aborted first.
    ///
    /// # Errors
    /// A block is pending.
    pub fn integrity_hash(&self) -> Result<Checksum256, ChainError> {
        self.nothing_pending("the integrity hash")?;
        Ok(self.world.ledger.integrity_hash(&self.head.header.to_bytes(), self.head_time()))
    }

    /// Says where blocks are that are recalled with [`Self::recall_block`]; a chain from a checkpoint knows it.
    pub fn set_kept_blocks(&mut self, kept: Arc<dyn KeptBlocks>) {
        self.kept = Some(kept);
    }

    /// A chain as checkpoints left it, at the newest block of the last one. Later blocks are applied again with
    /// [`Self::push_kept_block`].
    ///
    /// # Errors
    /// [`ChainError::Corrupt`].
    pub fn from_checkpoint(saved: SavedChain, settings: Settings, clock: Box<dyn Clock>) -> Result<Self, ChainError> {
        let LoadedState { ledger, tree, head, kept } = LoadedState::load(saved)?;
        let mut chain = Self::assemble(tree.root().header.clone(), None, ledger, settings, clock);
        (chain.tree, chain.head, chain.kept) = (tree, head, kept);
        Ok(chain)
    }

    /// Gives the chain another state, of this chain. Returns the former one, to be freed where nobody waits for it. A
    /// pending block must be aborted first.
    ///
    /// # Errors
    /// A block is pending.
    pub fn set_state(&mut self, state: LoadedState) -> Result<LoadedState, ChainError> {
        self.nothing_pending("another state")?;
        let mut state = state;
        std::mem::swap(&mut self.world.ledger, &mut state.ledger);
        std::mem::swap(&mut self.tree, &mut state.tree);
        std::mem::swap(&mut self.head, &mut state.head);
        std::mem::swap(&mut self.kept, &mut state.kept);
        self.world.action_digests.clear();
        self.world.refresh_features();
        Ok(state)
    }

    /// What changed since the last call, as of the head, and what it takes to go on from there. A pending block must
    /// be aborted first.
    ///
    /// # Errors
    /// A block is pending.
    pub fn take_checkpoint(&mut self) -> Result<ChainCheckpoint, ChainError> {
        let checkpoint = self.checkpoint()?;
        drop(self.note_checkpoint());
        Ok(checkpoint)
    }

    /// The same without taking note of it, which needs no more than to read the chain, however much changed.
    ///
    /// # Errors
    /// A block is pending.
    pub fn checkpoint(&self) -> Result<ChainCheckpoint, ChainError> {
        self.nothing_pending("a checkpoint")?;
        let Checkpoint { rows, undo } = self.world.ledger.checkpoint();
        // Both are in ascending order, and what is undone are the newest blocks.
        let blocks = self.reversible_blocks();
        let newest = &blocks[blocks.len().saturating_sub(undo.len())..];
        let reversible = newest.iter().zip(undo).map(|(state, undo)| SavedBlock::new(&state.header, undo)).collect();
        let (head, root) = (self.head.id(), self.root().number());
        Ok(ChainCheckpoint { head, root, root_header_state: self.root().header.to_bytes(), rows, reversible })
    }

    /// Notes that what [`Self::checkpoint`] gave is kept; nothing may have changed since. What is returned is memory to be
    /// freed without the chain's lock.
    pub fn note_checkpoint(&mut self) -> impl Send + Sync + use<> {
        self.world.ledger.note_checkpoint()
    }

    /// Lets go of what undoes reversible blocks, if it takes more than `bytes` of memory and as far as the last checkpoint
    /// has it. That has to be kept by now: [`KeptBlocks::undo`] gives it back when one of the blocks is undone. What is
    /// returned is memory to be freed without the chain's lock.
    ///
    /// # Errors
    /// A block is pending.
    pub fn let_go_of_undo(&mut self, bytes: usize) -> Result<impl Send + Sync + use<>, ChainError> {
        self.nothing_pending("to let go of what undoes blocks")?;
        let is_due = self.kept.is_some() && self.world.ledger.undo_bytes() > bytes;
        Ok(is_due.then(|| self.world.ledger.let_go_of_undo()))
    }

    /// Whether the last checkpoint has a block that is no longer part of the chain: the next one must be kept before
    /// blocks of other branches are forgotten.
    pub fn is_checkpoint_undone(&self) -> bool {
        self.world.ledger.is_checkpoint_undone()
    }

    pub(crate) fn nothing_pending(&self, what: &str) -> Result<(), ChainError> {
        if self.pending.is_some() || self.finished.is_some() {
            return Err(ChainError::broken(format!("{what} was asked for while a block is pending")));
        }
        Ok(())
    }
}
