//! Transactions into the pending block, and its early end (nodeos: controller.cpp `push_transaction`, `abort_block`).

use std::sync::Arc;

use execution::{
    Budget, Ending, ExecutedTransaction, Machine, RecoveredTransaction, TransactionKind, push_scheduled,
    push_transaction,
};
use ledger::Mark;
use primitives::block::ReceiptTransaction;
use primitives::{Fault, FaultKind, TransactionId};

use crate::pending::Pending;
use crate::{BlockPurpose, Chain, ChainError};

impl Chain {
    /// Runs a signed transaction in the pending block. A failed one leaves nothing behind and has `except` in its
    /// trace. In a speculative block nothing stays of a successful one either.
    ///
    /// # Errors
    /// A fault that makes the whole block bad, no pending block, or code that is not ready.
    pub fn push_transaction(
        &mut self,
        machine: &mut Machine,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<ExecutedTransaction, ChainError> {
        let purpose = self.pending_block()?.purpose;
        let mark = self.world.ledger.mark();
        let leaves = self.world.action_digests.len();
        let executed = push_transaction(machine, &mut self.world, transaction, TransactionKind::Input, budget);
        self.check_code(machine, mark, leaves)?;
        let executed = executed?;
        if executed.ending == Ending::Failed {
            self.forget_gone_code(machine);
        }
        let pending = self.pending.as_mut().expect("checked above");
        if purpose == BlockPurpose::Speculate {
            self.world.ledger.undo_to(mark);
            self.world.action_digests.truncate(leaves);
            if executed.ending != Ending::Failed {
                pending.transactions.push(transaction.clone());
            }
            return Ok(executed);
        }
        if let Some(receipt) = executed.receipt() {
            let packed = ReceiptTransaction::Packed(transaction.packed.clone());
            pending.push_receipt(receipt, packed, &transaction.packed_digest);
            pending.transactions.push(transaction.clone());
            pending.push_trace(&executed.trace);
        }
        pending.count(executed.usage);
        self.world.ledger.squash();
        Ok(executed)
    }

    /// Runs a scheduled (deferred) transaction in the pending block. A subjective failure leaves it scheduled.
    ///
    /// # Errors
    /// As [`Self::push_transaction`]; `unknown_transaction_exception` when nothing is scheduled by this id.
    pub fn push_scheduled(
        &mut self,
        machine: &mut Machine,
        id: &TransactionId,
        budget: Budget,
    ) -> Result<ExecutedTransaction, ChainError> {
        let purpose = self.pending_block()?.purpose;
        let mark = self.world.ledger.mark();
        let leaves = self.world.action_digests.len();
        let executed = push_scheduled(machine, &mut self.world, id, budget);
        self.check_code(machine, mark, leaves)?;
        let executed = executed?;
        let pending = self.pending.as_mut().expect("checked above");
        if purpose == BlockPurpose::Speculate {
            self.world.ledger.undo_to(mark);
            self.world.action_digests.truncate(leaves);
            return Ok(executed);
        }
        if let Some(receipt) = executed.receipt() {
            pending.push_receipt(receipt, ReceiptTransaction::Id(*id), id);
            pending.push_trace(&executed.trace);
        }
        pending.count(executed.usage);
        self.world.ledger.squash();
        Ok(executed)
    }

    /// Runs a transaction as if it were pushed, then undoes it (`compute_transaction`): in the pending block, or at the
    /// end of one that waits for its signatures.
    ///
    /// # Errors
    /// No such block.
    pub fn dry_run(
        &mut self,
        machine: &mut Machine,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<ExecutedTransaction, ChainError> {
        self.run_and_undo(machine, transaction, TransactionKind::DryRun, budget)
    }

    /// Runs a transaction that may not change anything (`send_read_only_transaction`), where [`Self::dry_run`] does.
    ///
    /// # Errors
    /// No such block.
    pub fn read_only(
        &mut self,
        machine: &mut Machine,
        transaction: &Arc<RecoveredTransaction>,
        budget: Budget,
    ) -> Result<ExecutedTransaction, ChainError> {
        self.run_and_undo(machine, transaction, TransactionKind::ReadOnly, budget)
    }

    fn run_and_undo(
        &mut self,
        machine: &mut Machine,
        transaction: &Arc<RecoveredTransaction>,
        kind: TransactionKind,
        budget: Budget,
    ) -> Result<ExecutedTransaction, ChainError> {
        if self.finished.is_none() {
            self.pending_block()?;
        }
        let (mark, leaves) = (self.world.ledger.mark(), self.world.action_digests.len());
        let executed = push_transaction(machine, &mut self.world, transaction, kind, budget);
        self.check_code(machine, mark, leaves)?;
        self.forget_gone_code(machine);
        Ok(executed?)
    }

    /// Takes everything back that was done since `mark` when a contract could not run: what came of it means nothing.
    fn check_code(&mut self, machine: &mut Machine, mark: Mark, leaves: usize) -> Result<(), ChainError> {
        let Some(unready) = machine.take_unready() else { return Ok(()) };
        self.world.ledger.undo_to(mark);
        self.world.action_digests.truncate(leaves);
        Err(unready.into())
    }

    /// Forgets the compiled form of code that the ledger does not have: it was set by what was taken back, or replaced.
    fn forget_gone_code(&self, machine: &mut Machine) {
        let ledger = &self.world.ledger;
        machine.retain(|hash| ledger.find_code(*hash, 0, 0).is_some());
    }

    fn pending_block(&self) -> Result<&Pending, Fault> {
        self.pending.as_ref().ok_or_else(|| {
            Fault::new(
                FaultKind::BLOCK_VALIDATE_EXCEPTION,
                "it is not valid to push a transaction without a pending block",
            )
        })
    }

    /// Drops the block that is pending, or finished and not committed. Returns the input transactions of a pending one
    /// in order; those of a finished one are in [`crate::UnsignedBlock`].
    pub fn abort_block(&mut self) -> Vec<Arc<RecoveredTransaction>> {
        let transactions = self.pending.as_mut().map(|pending| std::mem::take(&mut pending.transactions));
        self.drop_pending();
        transactions.unwrap_or_default()
    }

    /// Takes back whatever the block under construction did to the ledger.
    pub(crate) fn drop_pending(&mut self) {
        self.pending = None;
        self.finished = None;
        self.world.action_digests.clear();
        if self.world.ledger.newest_block().is_some_and(|newest| newest > self.head.number()) {
            self.world.ledger.undo_block().expect("a block that was not loaded can be undone");
        }
        self.world.refresh_features();
    }
}
