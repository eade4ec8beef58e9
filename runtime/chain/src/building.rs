//! Transactions into the pending block, and the block's end: resource limits, merkle roots, header, signature
//! (nodeos: controller.cpp `push_transaction`, `finalize_block`, `commit_block`).

use std::sync::Arc;

use execution::{
    Budget, Feature, Outcome, RecoveredTransaction, TransactionKind, TransactionTrace, push_scheduled, push_transaction,
};
use primitives::block::ReceiptTransaction;
use primitives::{
    BlockHeader, Checksum256, Fault, FaultKind, Signature, SignedBlock, SignedBlockHeader, TransactionId, ensure,
    merkle::merkle,
};

use crate::conductor::vm;
use crate::features::check_features;
use crate::pending::Pending;
use crate::{Applied, BlockPurpose, BlockState, Chain, ChainError, SealedBlock};

impl Chain {
    /// Runs a signed transaction in the pending block. A failed one leaves nothing behind and has `except` in its
    /// trace. In a speculative block nothing stays of a successful one either.
    ///
    /// # Errors
    /// A fault that makes the whole block bad, or no pending block.
    pub fn push_transaction(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<Arc<TransactionTrace>, ChainError> {
        let purpose = self.pending_block()?.purpose;
        let mark = self.world.ledger.mark();
        let leaves = self.world.action_digests.len();
        let trace =
            push_transaction(vm(&mut self.machine), &mut self.world, transaction, TransactionKind::Input, budget)?;
        let trace = Arc::new(trace);
        let pending = self.pending.as_mut().expect("checked above");
        if purpose == BlockPurpose::Speculate {
            self.world.ledger.undo_to(mark);
            self.world.action_digests.truncate(leaves);
            if trace.except.is_none() {
                pending.transactions.push(transaction.clone());
            }
            return Ok(trace);
        }
        if let Some(receipt) = trace.receipt.filter(|_| trace.except.is_none()) {
            let packed = ReceiptTransaction::Packed(transaction.packed.clone());
            pending.push_receipt(receipt, packed, &transaction.packed_digest);
            pending.transactions.push(transaction.clone());
            pending.traces.push(trace.clone());
        }
        pending.count(&trace);
        Ok(trace)
    }

    /// Runs a scheduled (deferred) transaction in the pending block. A subjective failure leaves it scheduled.
    ///
    /// # Errors
    /// As [`Self::push_transaction`]; `unknown_transaction_exception` when nothing is scheduled by this id.
    pub fn push_scheduled(&mut self, id: &TransactionId, budget: Budget) -> Result<Arc<TransactionTrace>, ChainError> {
        let purpose = self.pending_block()?.purpose;
        let mark = self.world.ledger.mark();
        let leaves = self.world.action_digests.len();
        let trace = push_scheduled(vm(&mut self.machine), &mut self.world, id, budget)?;
        let trace = Arc::new(trace);
        let pending = self.pending.as_mut().expect("checked above");
        if purpose == BlockPurpose::Speculate {
            self.world.ledger.undo_to(mark);
            self.world.action_digests.truncate(leaves);
            return Ok(trace);
        }
        if let Some(receipt) = trace.receipt {
            pending.push_receipt(receipt, ReceiptTransaction::Id(*id), id);
            pending.traces.push(trace.clone());
        }
        pending.count(&trace);
        Ok(trace)
    }

    /// Runs a transaction as if it were pushed, then undoes it (`compute_transaction`).
    ///
    /// # Errors
    /// No pending block.
    pub fn dry_run(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<Arc<TransactionTrace>, ChainError> {
        self.run_and_undo(transaction, TransactionKind::DryRun, budget)
    }

    /// Runs a transaction that may not change anything (`send_read_only_transaction`).
    ///
    /// # Errors
    /// No pending block.
    pub fn read_only(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<Arc<TransactionTrace>, ChainError> {
        self.run_and_undo(transaction, TransactionKind::ReadOnly, budget)
    }

    fn run_and_undo(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        kind: TransactionKind,
        budget: Budget,
    ) -> Result<Arc<TransactionTrace>, ChainError> {
        self.pending_block()?;
        let trace = push_transaction(vm(&mut self.machine), &mut self.world, transaction, kind, budget)?;
        Ok(Arc::new(trace))
    }

    fn pending_block(&self) -> Result<&Pending, Fault> {
        self.pending.as_ref().ok_or_else(|| {
            Fault::new(
                FaultKind::BLOCK_VALIDATE_EXCEPTION,
                "it is not valid to push a transaction without a pending block",
            )
        })
    }

    /// Finishes, signs and commits the pending block; it becomes the head.
    ///
    /// `signer` gets the digest and returns signatures that satisfy the producer's authority, the one for the header
    /// last. What it signs must be recorded by the node before the block leaves it.
    ///
    /// # Errors
    /// The block is aborted.
    pub fn seal_block(
        &mut self,
        signer: &mut dyn FnMut(&Checksum256) -> Vec<Signature>,
    ) -> Result<Applied, ChainError> {
        let sealed = self.seal(signer).inspect_err(|_| self.drop_pending())?;
        let state = sealed.state.clone();
        self.tree.add(state.clone())?;
        self.tree.mark_valid(&state.id()).map_err(ChainError::broken)?;
        self.head = state;
        if self.tree.head().id() != self.head.id() {
            return Err(ChainError::broken("a sealed block did not become the best of the fork tree"));
        }
        let irreversible = self.advance_irreversible()?;
        Ok(Applied { applied: vec![sealed], irreversible, ..Applied::default() })
    }

    fn seal(&mut self, signer: &mut dyn FnMut(&Checksum256) -> Vec<Signature>) -> Outcome<SealedBlock> {
        ensure!(
            self.pending.as_ref().is_some_and(|pending| pending.purpose == BlockPurpose::Produce),
            BLOCK_VALIDATE_EXCEPTION,
            "it is not valid to finalize when there is no pending block"
        );
        let transaction_mroot = {
            let pending = self.pending.as_mut().expect("checked above");
            merkle(std::mem::take(&mut pending.receipt_digests))
        };
        let header = self.finalize(transaction_mroot)?;
        let pending = self.pending.take().expect("checked above");
        self.sign(pending, header, signer)
    }

    /// The block's last changes to the ledger, and the header that commits to it all (`finalize_block`).
    pub(crate) fn finalize(&mut self, transaction_mroot: Checksum256) -> Outcome<BlockHeader> {
        let pending = self.pending.as_ref().expect("a block is finalized once");
        let action_mroot = merkle(std::mem::take(&mut self.world.action_digests));
        let ledger = &mut self.world.ledger;
        ledger.process_account_limit_updates()?;
        let config = ledger.global_property().configuration.clone();
        ledger.set_block_parameters(&config);
        ledger.process_block_usage(pending.header.block_num)?;
        let wtmsig = self.wtmsig_before(&pending.header.prev_activated_protocol_features);
        let header = pending.header.make_header(
            transaction_mroot,
            action_mroot,
            pending.new_schedule.as_deref(),
            &pending.features,
            wtmsig,
        )?;
        self.world.ledger.set_block_summary(pending.header.block_num as u16, header.id());
        Ok(header)
    }

    /// Whether several signatures and schedules with authorities were allowed in the block after these features.
    pub(crate) fn wtmsig_before(&self, features: &consensus::ActivatedFeatures) -> bool {
        features.contains(&Feature::WtmsigBlockSignatures.digest())
    }

    fn sign(
        &mut self,
        pending: Pending,
        header: BlockHeader,
        signer: &mut dyn FnMut(&Checksum256) -> Vec<Signature>,
    ) -> Outcome<SealedBlock> {
        let wtmsig = self.wtmsig_before(&pending.header.prev_activated_protocol_features);
        let unsigned = SignedBlockHeader { header, producer_signature: Signature::default() };
        let mut state = pending.header.finish(unsigned, Vec::new(), wtmsig, &check_features)?;
        let mut signatures = signer(&state.sig_digest());
        let last = signatures.pop();
        state.header.producer_signature =
            last.ok_or_else(|| Fault::new(FaultKind::NO_BLOCK_SIGNATURES, "Signer returned no signatures"))?;
        state.additional_signatures = signatures;
        state.verify_signatures()?;
        let mut block = SignedBlock {
            signed_header: state.header.clone(),
            transactions: pending.receipts,
            block_extensions: Vec::new(),
        };
        if !state.additional_signatures.is_empty() {
            ensure!(
                wtmsig,
                BLOCK_VALIDATE_EXCEPTION,
                "Block has multiple signatures before activation of WTMsig Block Signatures"
            );
            block.set_additional_signatures(&state.additional_signatures);
        }
        let transactions = pending.transactions;
        let state = Arc::new(BlockState { header: state, block: Some(Arc::new(block)), transactions, bytes: 0 });
        Ok(SealedBlock { state, traces: pending.traces })
    }

    /// Drops the pending block and returns its input transactions in order.
    pub fn abort_block(&mut self) -> Vec<Arc<RecoveredTransaction>> {
        let transactions = self.pending.as_mut().map(|pending| std::mem::take(&mut pending.transactions));
        self.drop_pending();
        transactions.unwrap_or_default()
    }

    /// Takes back whatever the block under construction did to the ledger.
    pub(crate) fn drop_pending(&mut self) {
        self.pending = None;
        self.world.action_digests.clear();
        if self.world.ledger.newest_block().is_some_and(|newest| newest > self.head.number()) {
            self.world.ledger.undo_block().expect("a block that was not loaded can be undone");
        }
        self.world.refresh_features();
    }
}
