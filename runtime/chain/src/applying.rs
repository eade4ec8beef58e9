//! A received or logged block through the same steps as one that is built, compared with what its producer claims
//! (nodeos: controller.cpp `apply_block`).

use std::sync::Arc;

use execution::{
    BlockMode, Budget, Ending, ExecutedTransaction, Machine, Outcome, ReceiptHeader, RecoveredTransaction,
    TransactionKind, push_scheduled, push_transaction,
};
use primitives::block::ReceiptTransaction;
use primitives::{Fault, FaultKind, SignedBlock, TransactionReceipt, TransactionStatus, ensure};

use crate::{BlockPurpose, BlockState, Chain, ChainError, PrepareMode, PreparedBlock, SealedBlock, StartBlock};

impl Chain {
    /// Applies a block whose header state is known on the head, which it becomes. On an error nothing is changed.
    pub(crate) fn apply(
        &mut self,
        machine: &mut Machine,
        state: &Arc<BlockState>,
        mode: BlockMode,
        traces: bool,
    ) -> Result<SealedBlock, ChainError> {
        let state = &self.with_block(state, self.mode_of_contents(state))?;
        let block = state.block.clone().expect("it was just seen to");
        let header = block.header();
        let how = StartBlock {
            timestamp: header.timestamp,
            confirmed: header.confirmed,
            features: state.header.extensions.protocol_features.clone(),
            purpose: BlockPurpose::Apply,
        };
        self.start(machine, &how, mode, Some(state.id()))?;
        self.run_receipts(machine, state, &block, traces).inspect_err(|_| self.drop_pending())?;
        let pending = self.pending.take().expect("started above");
        self.head = state.clone();
        let deltas = self.deltas(state.number());
        Ok(SealedBlock { state: state.clone(), traces: if traces { pending.traces } else { Vec::new() }, deltas })
    }

    /// The state with its block, which is read from where it is kept if it is not in memory.
    pub(crate) fn with_block(&self, state: &Arc<BlockState>, mode: PrepareMode) -> Outcome<Arc<BlockState>> {
        if state.block.is_some() {
            return Ok(state.clone());
        }
        let missing = || Fault::new(FaultKind::BLOCK_VALIDATE_EXCEPTION, "null block");
        let block = match self.brought.block(&state.id()) {
            Some(block) => block,
            None => {
                let bytes = self.kept.as_ref().and_then(|kept| kept.block(&state.id())).ok_or_else(missing)?;
                PreparedBlock::from_bytes(&bytes, &self.chain_id(), mode)?
            }
        };
        ensure!(block.id == state.id(), BLOCK_VALIDATE_EXCEPTION, "a kept block is another one");
        let PreparedBlock { block, transactions, bytes, .. } = block;
        Ok(Arc::new(BlockState { header: state.header.clone(), block: Some(block), transactions, bytes }))
    }

    /// Runs what the receipts say and finalizes; the result must be the very same header.
    fn run_receipts(
        &mut self,
        machine: &mut Machine,
        state: &BlockState,
        block: &SignedBlock,
        traces: bool,
    ) -> Result<(), ChainError> {
        let mut input = state.transactions.iter();
        // A block is not given up half-way for code that would run faster, unless the machine is bounded.
        machine.be_patient(true);
        let result = self.run_each(machine, block, traces, &mut input);
        machine.be_patient(false);
        result?;
        let header = self.finalize(block.header().transaction_mroot)?;
        if header.id() != state.id() {
            return Err(Fault::new(FaultKind::BLOCK_VALIDATE_EXCEPTION, "Block ID does not match").into());
        }
        Ok(())
    }

    fn run_each<'a>(
        &mut self,
        machine: &mut Machine,
        block: &SignedBlock,
        traces: bool,
        mut input: &mut impl Iterator<Item = &'a Arc<RecoveredTransaction>>,
    ) -> Result<(), ChainError> {
        for receipt in &block.transactions {
            let executed = self.run_receipt(machine, receipt, &mut input);
            if let Some(unready) = machine.take_unready() {
                return Err(unready.into());
            }
            let executed = executed?;
            compare(block, receipt, &executed)?;
            self.world.ledger.squash();
            if traces {
                self.pending.as_mut().expect("a block is applied").push_trace(&executed.trace);
            }
        }
        Ok(())
    }

    fn run_receipt<'a>(
        &mut self,
        machine: &mut Machine,
        receipt: &TransactionReceipt,
        input: &mut impl Iterator<Item = &'a Arc<RecoveredTransaction>>,
    ) -> Outcome<ExecutedTransaction> {
        let budget = Budget::explicit(receipt.cpu_usage_us);
        match &receipt.trx {
            ReceiptTransaction::Id(id) => push_scheduled(machine, &mut self.world, id, budget),
            ReceiptTransaction::Packed(_) => {
                let transaction = input.next().expect("a block state has all of its block's transactions");
                push_transaction(machine, &mut self.world, transaction, TransactionKind::Input, budget)
            }
        }
    }
}

/// A receipt must come out, and be the one that the block has. Only a deferred transaction may have failed.
fn compare(block: &SignedBlock, receipt: &TransactionReceipt, executed: &ExecutedTransaction) -> Outcome {
    let may_fail = receipt.status == TransactionStatus::HardFail && matches!(receipt.trx, ReceiptTransaction::Id(_));
    let found = match (executed.ending, executed.fault()) {
        (Ending::HardFailed(_) | Ending::Failed, Some(fault)) if !may_fail => return Err(fault.clone()),
        (Ending::Done(found) | Ending::HardFailed(found), _) => found,
        (Ending::Failed, _) => {
            let message = format!("expected receipt was not added, block_num {}", block.block_num());
            return Err(Fault::new(FaultKind::BLOCK_VALIDATE_EXCEPTION, message));
        }
    };
    let TransactionReceipt { status, cpu_usage_us, net_usage_words, .. } = *receipt;
    let claimed = ReceiptHeader { status, cpu_usage_us, net_usage_words };
    ensure!(
        found == claimed,
        BLOCK_VALIDATE_EXCEPTION,
        "receipt does not match, {} != {}",
        in_words(&found),
        in_words(&claimed)
    );
    Ok(())
}

/// A receipt's head as nodeos logs it.
fn in_words(receipt: &ReceiptHeader) -> String {
    let ReceiptHeader { status, cpu_usage_us, net_usage_words } = receipt;
    let (status, words) = (status.name(), net_usage_words.0);
    format!(r#"{{"status":"{status}","cpu_usage_us":{cpu_usage_us},"net_usage_words":{words}}}"#)
}
