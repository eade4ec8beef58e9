//! The end of a block that is built here, in three steps, so that whoever signs may take his time without holding up
//! the chain: [`Chain::finish_block`], [`UnsignedBlock::complete`], [`Chain::commit_block`]
//! (nodeos: controller.cpp `finalize_block`, `commit_block`).

use std::sync::Arc;

use consensus::BlockHeaderState;
use execution::{Outcome, RecoveredTransaction, TransactionTrace};
use primitives::{
    BlockHeader, BlockId, BlockTimestamp, Checksum256, Fault, FaultKind, Name, Signature, SignedBlock,
    SignedBlockHeader, TransactionReceipt, ensure, merkle::merkle,
};

use crate::features::{feature_check, wtmsig_before};
use crate::pending::Pending;
use crate::prepared::held_bytes;
use crate::{Applied, BlockPurpose, BlockState, Chain, ChainError, SealedBlock};

/// Number of the block that genesis makes.
const GENESIS_NUMBER: u32 = 1;

/// A block that is complete but for its signatures. The ledger shows its end until it is committed, or
/// [`Chain::abort_block`] takes it back.
#[derive(Debug)]
pub struct UnsignedBlock {
    /// The header state after it, without signatures.
    header: BlockHeaderState,
    /// Whether a block may have several signatures.
    wtmsig: bool,
    receipts: Vec<TransactionReceipt>,
    transactions: Vec<Arc<RecoveredTransaction>>,
    traces: Vec<Arc<TransactionTrace>>,
    deltas: Option<Arc<[u8]>>,
}

/// A block whose signatures do not do, with the reason.
#[derive(Debug)]
pub struct NotSigned {
    /// Its input transactions, in order, for another block.
    pub transactions: Vec<Arc<RecoveredTransaction>>,
    /// What is wrong with the signatures.
    pub fault: Fault,
}

impl UnsignedBlock {
    /// Its id, which does not depend on the signatures.
    pub fn id(&self) -> BlockId {
        self.header.id
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.header.block_num
    }

    /// Its slot.
    pub fn slot(&self) -> BlockTimestamp {
        self.header.timestamp()
    }

    /// Its producer.
    pub fn producer(&self) -> Name {
        self.header.block_header().producer
    }

    /// What is to be signed. It must be recorded by the node before the block leaves it.
    pub fn digest(&self) -> Checksum256 {
        self.header.sig_digest()
    }

    /// Its input transactions, in order, for another block: it will not be signed.
    pub fn into_transactions(self) -> Vec<Arc<RecoveredTransaction>> {
        self.transactions
    }

    /// The block with its signatures, which must satisfy the producer's authority; that for the header is the last.
    ///
    /// # Errors
    /// There are none, too many, or those of other keys.
    pub fn complete(mut self, mut signatures: Vec<Signature>) -> Result<SealedBlock, Box<NotSigned>> {
        let last = signatures.pop();
        if let Err(fault) = self.sign(last, signatures) {
            return Err(Box::new(NotSigned { transactions: self.transactions, fault }));
        }
        let mut block = SignedBlock {
            signed_header: self.header.header.clone(),
            transactions: self.receipts,
            block_extensions: Vec::new(),
        };
        if !self.header.additional_signatures.is_empty() {
            block.set_additional_signatures(&self.header.additional_signatures);
        }
        let (header, transactions) = (self.header, self.transactions);
        let bytes = held_bytes(&block, &transactions);
        let state = Arc::new(BlockState { header, block: Some(Arc::new(block)), transactions, bytes });
        Ok(SealedBlock { state, traces: self.traces, deltas: self.deltas })
    }

    fn sign(&mut self, last: Option<Signature>, additional: Vec<Signature>) -> Outcome {
        let missing = || Fault::new(FaultKind::NO_BLOCK_SIGNATURES, "Signer returned no signatures");
        self.header.header.producer_signature = last.ok_or_else(missing)?;
        self.header.additional_signatures = additional;
        self.header.verify_signatures()?;
        ensure!(
            self.wtmsig || self.header.additional_signatures.is_empty(),
            BLOCK_VALIDATE_EXCEPTION,
            "Block has multiple signatures before activation of WTMsig Block Signatures"
        );
        Ok(())
    }
}

impl Chain {
    /// Finishes, signs and commits the pending block in one go; it becomes the head.
    ///
    /// `signer` gets the digest and returns the signatures that [`UnsignedBlock::complete`] takes.
    ///
    /// # Errors
    /// The block is aborted.
    pub fn seal_block(
        &mut self,
        signer: &mut dyn FnMut(&Checksum256) -> Vec<Signature>,
    ) -> Result<Applied, ChainError> {
        let mut unsigned = self.finish_block()?;
        self.tell_deltas(&mut unsigned);
        let signatures = signer(&unsigned.digest());
        let sealed = unsigned.complete(signatures).map_err(|refused| {
            self.drop_pending();
            refused.fault
        })?;
        self.commit_block(sealed)
    }

    /// Ends the pending block: its last changes to the ledger are made, its header is there. Nothing else can be
    /// started until it is committed or aborted.
    ///
    /// # Errors
    /// The block is aborted.
    pub fn finish_block(&mut self) -> Result<UnsignedBlock, ChainError> {
        let unsigned = self.finish().inspect_err(|_| self.drop_pending())?;
        self.finished = Some(unsigned.id());
        Ok(unsigned)
    }

    /// Tells [`SealedBlock::deltas`] of the block that was just finished, where they are kept, for which others may read
    /// the chain.
    pub fn tell_deltas(&self, unsigned: &mut UnsignedBlock) {
        unsigned.deltas = self.deltas(unsigned.number());
    }

    fn finish(&mut self) -> Outcome<UnsignedBlock> {
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
        let Pending { header: state, receipts, transactions, traces, .. } = self.pending.take().expect("checked above");
        let wtmsig = wtmsig_before(&state.prev_activated_protocol_features);
        let unsigned = SignedBlockHeader { header, producer_signature: Signature::default() };
        let check = feature_check(self.feature_restrictions());
        let header = state.finish(unsigned, Vec::new(), wtmsig, &check)?;
        Ok(UnsignedBlock { header, wtmsig, receipts, transactions, traces, deltas: None })
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
        let wtmsig = wtmsig_before(&pending.header.prev_activated_protocol_features);
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

    /// Whether [`SealedBlock::deltas`] are made.
    pub fn keeps_deltas(&self) -> bool {
        self.settings.deltas
    }

    /// All rows as of the head in the form of deltas: what a history begins with. No block may be pending.
    pub fn full_deltas(&self) -> Vec<u8> {
        self.world.ledger.full_deltas()
    }

    /// [`SealedBlock::deltas`] of the block that was just finalized.
    pub(crate) fn deltas(&self, number: u32) -> Option<Arc<[u8]>> {
        let ledger = &self.world.ledger;
        let after_genesis = number == GENESIS_NUMBER + 1;
        self.keeps_deltas().then(|| if after_genesis { ledger.full_deltas() } else { ledger.block_deltas() }.into())
    }

    /// The number of the last irreversible block once `sealed` is the head.
    pub fn irreversible_after(&self, sealed: &SealedBlock) -> u32 {
        sealed.state.header.dpos_irreversible_blocknum.max(self.root().number())
    }

    /// Makes the block that was finished last the head.
    ///
    /// # Errors
    /// It is another block. `fork_database_exception` where the block before it is the better one: a schedule that
    /// shrinks can leave an earlier block irreversible, and the producer's turn passes without a block.
    pub fn commit_block(&mut self, sealed: SealedBlock) -> Result<Applied, ChainError> {
        let state = sealed.state.clone();
        if self.finished.take() != Some(state.id()) {
            return Err(ChainError::broken("a block was sealed that the ledger does not show"));
        }
        self.tree.add(state.clone())?;
        self.tree.mark_valid(&state.id()).map_err(ChainError::broken)?;
        if self.tree.head().id() != state.id() {
            self.drop_pending();
            let message = "committed block did not become the new head in fork database";
            return Err(Fault::new(FaultKind::FORK_DATABASE_EXCEPTION, message).into());
        }
        self.head = state;
        let irreversible = self.advance_irreversible()?;
        self.let_go_of_contents();
        Ok(Applied { applied: vec![sealed], irreversible, ..Applied::default() })
    }
}
