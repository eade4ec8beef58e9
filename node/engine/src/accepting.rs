//! What follows when blocks joined the chain: store first, then notify. Blocks from outside enter here.

use chain::{Applied, Chain, ChainError, PreparedBlock};
use codec::Pack;
use parking_lot::RwLockWriteGuard;
use primitives::block::ReceiptTransaction;
use primitives::{BlockId, Fault, FaultKind, Name, TransactionStatus};
use store::{AcceptedBlock, Head, Store, StoreError, Watermark};

use crate::clock::now;
use crate::finality::BlockPoint;
use crate::follower::Work;
use crate::saving::work_of;
use crate::writer::{Phase, Writer};
use crate::{EngineError, report};

/// How far ahead of this node's clock the clock of a block's producer may be.
const BLOCK_AHEAD_MAX_US: i64 = 7_000_000;

impl Writer {
    /// Takes a block from outside. The inner error is the rule that it breaks. While this node builds a block to be
    /// signed, blocks of others are dropped, as nodeos does.
    pub(crate) fn push_block(&mut self, block: PreparedBlock) -> Result<Result<(), Fault>, EngineError> {
        if matches!(self.phase, Phase::Producing { .. }) {
            tracing::warn!("dropped incoming block #{} id: {}", block.block.block_num(), block.id);
            return Ok(Ok(()));
        }
        if block.block.header().timestamp.time().0 >= now().0 + BLOCK_AHEAD_MAX_US {
            let message = format!("received a block from the future, ignoring it: {}", block.id);
            return Ok(Err(Fault::new(FaultKind::BLOCK_FROM_THE_FUTURE, message)));
        }
        self.abort();
        let begun = now();
        let mut chain = self.shared.chain.write();
        let number = store::blocks::number_of(&block.id);
        let known = chain.fork_block(&block.id).is_some();
        if known || self.shared.store.block_id_at(number)? == Some(block.id) {
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
                let irreversible = chain.root().number();
                self.accept(chain, &applied, None)?;
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
        chain: RwLockWriteGuard<'_, Chain>,
        applied: &Applied,
        signed: Option<(Name, Watermark)>,
    ) -> Result<(), EngineError> {
        let head = match keep(&self.shared.store, applied, chain.root().number(), signed) {
            Ok(head) => head,
            Err(error) => {
                // The node ends. Until then nobody may see a head that a restart will not know: the lock stays closed.
                std::mem::forget(chain);
                return Err(error.into());
            }
        };
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
        applied.applied.iter().for_each(|sealed| self.unsaved.work += work_of(sealed));
        if self.shared.chain.read().is_checkpoint_undone() {
            // Blocks of the branch that was left may be forgotten from now on, also those that the state is of.
            self.checkpoint()?;
        }
        self.follower.send(Work::Accepted(Box::new(applied)))?;
        self.checkpoint_in_time()
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
