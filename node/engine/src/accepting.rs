//! What follows when blocks joined the chain: store first, then notify. Blocks from outside enter here.

use chain::{Applied, Chain, ChainError, PreparedBlock};
use codec::Pack;
use primitives::block::ReceiptTransaction;
use primitives::{BlockId, Fault, FaultKind, Name, TransactionStatus};
use store::{AcceptedBlock, Head, Store, StoreError, Watermark};

use crate::clock::now;
use crate::finality::BlockPoint;
use crate::follower::{Checkpoint, Work};
use crate::writer::Writer;
use crate::{EngineError, report};

/// Transactions after which the state is written to disk: what a restart applies again takes a fraction of a second.
const CHECKPOINT_TRANSACTIONS: usize = 20_000;
/// Blocks after which the state is written to disk.
const CHECKPOINT_BLOCKS: u32 = 120;

impl Writer {
    /// Takes a block from outside. The inner error is the rule that it breaks.
    pub(crate) fn push_block(&mut self, block: PreparedBlock) -> Result<Result<(), Fault>, EngineError> {
        self.abort();
        let begun = now();
        let mut chain = self.shared.chain.write();
        if chain.fork_block(&block.id).is_some() {
            return Ok(Ok(()));
        }
        if let Err(fault) = self.agree_with_checkpoints(&block.id) {
            return Ok(Err(fault));
        }
        let (id, kept) = (block.id, std::sync::Arc::clone(&block.block));
        match chain.push_block(block) {
            Ok(applied) => {
                if applied.applied.is_empty() {
                    let bytes = kept.to_bytes();
                    let num = store::blocks::number_of(&id);
                    let irreversible = chain.root().number();
                    let row = AcceptedBlock { num, id, bytes: &bytes, head: false, irreversible, signed: None };
                    self.shared.store.append_block(&row)?;
                }
                self.accept(&mut chain, &applied, None)?;
                let irreversible = chain.root().number();
                drop(chain);
                report::received(&applied, irreversible, begun);
                self.follow(applied)?;
                if self.shared.chain.read().head_time().0 + primitives::time::SLOT_US >= now().0 {
                    self.production_enabled = true;
                }
                Ok(Ok(()))
            }
            Err(ChainError::Block(fault)) => Ok(Err(*fault)),
            Err(error) => Err(error.into()),
        }
    }

    /// A block whose number the operator named must be the block that the operator named.
    fn agree_with_checkpoints(&self, id: &BlockId) -> Result<(), Fault> {
        let number = store::blocks::number_of(id);
        match self.settings.block_checkpoints.get(&number) {
            Some(expected) if expected != id => {
                let message =
                    format!("Checkpoint does not match for block number {number}: expected: {expected} actual: {id}");
                Err(Fault::new(FaultKind::CHECKPOINT_EXCEPTION, message))
            }
            _ => Ok(()),
        }
    }

    /// Makes blocks that joined the chain durable; readers see them only afterwards.
    pub(crate) fn accept(
        &self,
        chain: &mut Chain,
        applied: &Applied,
        signed: Option<(Name, Watermark)>,
    ) -> Result<(), EngineError> {
        let head = keep(&self.shared.store, applied, chain.root().number(), signed)?;
        if let Some((producer, mark)) = signed {
            self.shared.producer.write().watermarks.insert(producer, mark);
        }
        debug_assert!(head.is_none_or(|head| head.id == chain.head().id()), "the store follows the chain");
        Ok(())
    }

    /// Tells the trackers and hands the rest to the thread behind the writer.
    pub(crate) fn follow(&mut self, applied: Applied) -> Result<(), EngineError> {
        let finality = &self.shared.finality;
        if finality.is_enabled() {
            applied.undone.iter().for_each(|state| finality.undone(state.id()));
            for sealed in &applied.applied {
                finality.accepted(point(&sealed.state), transactions_of(&sealed.state), now());
            }
            if let Some(state) = applied.irreversible.last() {
                finality.irreversible(point(state));
            }
        }
        if !applied.undone.is_empty() {
            self.queue.add_forked(&applied.undone, &applied.applied);
        }
        self.retry.follow(&applied, self.shared.chain.read().root().number(), now());
        self.follow_snapshots(&applied)?;
        for transaction in self.retry.due(now()) {
            self.queue.add_forgotten(transaction);
        }
        for sealed in &applied.applied {
            self.since_checkpoint.0 += sealed.traces.len();
            self.since_checkpoint.1 += 1;
        }
        self.follower.send(Work::Accepted(Box::new(applied)))?;
        if self.since_checkpoint.0 >= CHECKPOINT_TRANSACTIONS || self.since_checkpoint.1 >= CHECKPOINT_BLOCKS {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Hands the rows that changed since the last checkpoint to the thread behind the writer.
    pub(crate) fn checkpoint(&mut self) -> Result<(), EngineError> {
        if self.since_checkpoint == (0, 0) {
            return Ok(());
        }
        self.since_checkpoint = (0, 0);
        let mut chain = self.shared.chain.write();
        let root = Head { num: chain.root().number(), id: chain.root().id() };
        let extra = chain.root_header_state_bytes();
        let rows = chain.take_checkpoint();
        drop(chain);
        self.follower.send(Work::Checkpoint(Box::new(Checkpoint { root, extra, rows })))
    }
}

/// Makes blocks that joined a chain durable, with what was signed in the same instant. Returns the new head.
///
/// # Errors
/// The disk refuses.
pub fn keep(
    store: &Store,
    applied: &Applied,
    irreversible: u32,
    signed: Option<(Name, Watermark)>,
) -> Result<Option<Head>, StoreError> {
    let mut branch = Vec::with_capacity(applied.applied.len());
    for sealed in &applied.applied {
        let state = &sealed.state;
        let Some(block) = &state.block else { continue };
        let bytes = block.to_bytes();
        let head = Head { num: state.number(), id: state.id() };
        // Of several blocks (a change of branches) only the last batch moves the head, over all of them.
        let single = applied.applied.len() == 1;
        store.append_block(&AcceptedBlock {
            num: head.num,
            id: head.id,
            bytes: &bytes,
            head: single,
            irreversible,
            signed,
        })?;
        branch.push(head);
    }
    if branch.len() > 1 {
        store.switch_branch(&branch)?;
    }
    Ok(branch.last().copied())
}

fn point(state: &chain::BlockState) -> BlockPoint {
    BlockPoint { id: state.id(), time: state.header.timestamp() }
}

/// The input transactions that were executed in a block. A block state has them recovered, in the order of the receipts.
fn transactions_of(
    state: &chain::BlockState,
) -> impl Iterator<Item = (primitives::TransactionId, primitives::TimePointSec)> + '_ {
    let receipts = state.block.iter().flat_map(|block| &block.transactions);
    let input = receipts.filter(|receipt| matches!(receipt.trx, ReceiptTransaction::Packed(_)));
    let executed = input.zip(&state.transactions).filter(|(receipt, _)| receipt.status == TransactionStatus::Executed);
    executed.map(|(_, transaction)| (transaction.id, transaction.parts.header.expiration))
}
