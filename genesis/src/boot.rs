//! Carrying out a plan: whoever holds the keys of every producer builds one block after the other, in slots that it
//! chooses. A development node boots its chain with it, the tester does all its blocks with it; the blocks go through
//! the same steps of the chain as any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain::{Applied, BlockPurpose, Chain, ChainError, LiveChain, StartBlock, recover_transaction};
use consensus::header_state::PRODUCER_REPETITIONS;
use execution::features::{FEATURES, Feature};
use execution::{Budget, RequiredKeys, TransactionTrace};
use primitives::{
    Action, BlockSigningAuthority, BlockTimestamp, Checksum256, Compression, Fault, FaultKind, Name, PackedTransaction,
    PrivateKey, PublicKey, Signature, SignedTransaction, Transaction,
};

use crate::{Document, GenesisError, Plan, Stage};

/// A transaction expires after this.
const EXPIRATION_SEC: u32 = 60;
/// Slots between two blocks while a schedule is awaited: nothing else happens meanwhile.
const AWAIT_STEP_SLOTS: u32 = 12;

/// Why a chain cannot be booted.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The document cannot be planned.
    #[error(transparent)]
    Document(#[from] GenesisError),
    /// A block cannot be built.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A value cannot be signed with or recovered.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The chain refuses a transaction of the plan.
    #[error("the chain refuses {actions}: {fault}")]
    Refused {
        /// What the transaction does.
        actions: String,
        /// Why it failed.
        fault: Box<Fault>,
    },
    /// A producer's block cannot be signed.
    #[error("the private key of producer {0} is not known")]
    MissingKey(Name),
    /// The votes of the document do not make its schedule.
    #[error(
        "the producers of the document are not elected after {0} slots: let accounts of it vote for all of them, with stake of \
         at least min_activated_stake together"
    )]
    NotElected(u32),
}

/// Builds blocks for every producer of a chain, each in its own slot.
#[derive(Debug, Default)]
pub struct LocalProducer {
    keys: BTreeMap<PublicKey, PrivateKey>,
    slot: BlockTimestamp,
    /// The last block of each producer: its next one confirms those between, without which nothing of several
    /// producers becomes irreversible.
    made: BTreeMap<Name, u32>,
}

impl LocalProducer {
    /// The next block is in a later slot than `slot`.
    pub fn after(slot: BlockTimestamp) -> Self {
        Self { slot, ..Self::default() }
    }

    /// Lets it sign with a key.
    ///
    /// # Errors
    /// The key is not a valid key.
    pub fn know(&mut self, key: PrivateKey) -> Result<(), Fault> {
        self.keys.insert(key.public_key()?, key);
        Ok(())
    }

    /// Leaves slots out.
    pub fn skip(&mut self, slots: u32) {
        self.slot.0 = self.slot.0.saturating_add(slots);
    }

    /// The next block is not in an earlier slot than `slot`.
    pub fn skip_to(&mut self, slot: BlockTimestamp) {
        self.slot.0 = self.slot.0.max(slot.0.saturating_sub(1));
    }

    /// Builds a block with these features and transactions in the next slot; it becomes the head. A transaction that
    /// fails has `except` in its trace and is not in the block.
    ///
    /// After a schedule has shrunk, turns can pass without a block, until that of a producer whose block is better
    /// than the head ([`Chain::commit_block`]).
    ///
    /// # Errors
    /// The block cannot be built or signed, or no producer's block becomes the head.
    pub fn block(
        &mut self,
        chain: &mut LiveChain,
        mut features: Vec<Checksum256>,
        transactions: &[PackedTransaction],
    ) -> Result<(Vec<Arc<TransactionTrace>>, Applied), BootError> {
        features.extend(chain.preactivated_features());
        let turns = chain.head().header.active_schedule.producers.len();
        let mut tried = self.next_block(chain, &features, transactions);
        for _ in 0..turns {
            match &tried {
                Err(BootError::Chain(ChainError::Block(fault))) if fault.kind == FaultKind::FORK_DATABASE_EXCEPTION => {
                }
                _ => break,
            }
            // A producer that has signed a block of this number makes no other: its turn passes.
            self.slot.0 = self.slot.0 / PRODUCER_REPETITIONS * PRODUCER_REPETITIONS + PRODUCER_REPETITIONS - 1;
            tried = self.next_block(chain, &features, transactions);
        }
        tried
    }

    fn next_block(
        &mut self,
        chain: &mut LiveChain,
        features: &[Checksum256],
        transactions: &[PackedTransaction],
    ) -> Result<(Vec<Arc<TransactionTrace>>, Applied), BootError> {
        self.slot = self.slot.max(chain.head().header.timestamp()).next();
        let head = &chain.head().header;
        let (number, producer) = (head.block_num + 1, head.scheduled_producer(self.slot).producer_name);
        let confirmed = head.blocks_to_confirm(self.made.get(&producer).copied());
        let features = features.to_vec();
        let how = StartBlock { timestamp: self.slot, confirmed, features, purpose: BlockPurpose::Produce };
        chain.start_block(&how)?;
        let built = self.fill_and_seal(chain, transactions).inspect_err(|_| drop(chain.abort_block()));
        self.made.insert(producer, number);
        built
    }

    fn fill_and_seal(
        &self,
        chain: &mut LiveChain,
        transactions: &[PackedTransaction],
    ) -> Result<(Vec<Arc<TransactionTrace>>, Applied), BootError> {
        // The least that may be billed, so that the blocks do not depend on the machine.
        let billed_cpu_us = chain.ledger().global_property().configuration.v0.min_transaction_cpu_usage;
        let mut traces = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            let recovered = Arc::new(recover_transaction(transaction.clone(), &chain.chain_id())?);
            traces.push(chain.push_transaction(&recovered, Budget::explicit(billed_cpu_us))?.trace);
        }
        let signing = self.signing_keys(chain)?;
        let mut signer = |digest: &Checksum256| -> Vec<Signature> {
            // A key that cannot sign is missing in the block, whose authority is then not satisfied.
            signing.iter().filter_map(|key| key.sign(digest).ok()).collect()
        };
        let applied = chain.seal_block(&mut signer)?;
        Ok((traces, applied))
    }

    /// Packs and signs a transaction with every known key that its actions need. Without the right keys it stays
    /// unsigned, so that the chain says what is missing.
    ///
    /// # Errors
    /// A key cannot sign.
    pub fn sign(&self, chain: &Chain, actions: Vec<Action>) -> Result<PackedTransaction, Fault> {
        let head = chain.head();
        let mut transaction = Transaction { actions, ..Transaction::default() };
        let expiration = self.slot.max(head.header.timestamp()).next().time().seconds();
        transaction.header.expiration = expiration.plus_seconds(EXPIRATION_SEC);
        transaction.header.set_reference_block(&head.id());
        let required = RequiredKeys::new(&transaction, self.keys.keys().cloned().collect());
        let needed = required.find(chain.ledger(), &|| Ok(()));
        let mut signed = SignedTransaction { transaction, ..SignedTransaction::default() };
        for key in needed.unwrap_or_default() {
            signed.sign(&self.keys[&key], &chain.chain_id())?;
        }
        Ok(PackedTransaction::new(&signed, Compression::None))
    }

    /// Slots that the boot of a document takes at most.
    ///
    /// # Errors
    /// The document cannot be planned.
    pub fn slots_of(document: &Document, boot_key: &PublicKey) -> Result<u32, BootError> {
        Ok(plan(document, boot_key)?.slots_max())
    }

    /// Carries out the plan of a document on a chain at block 1, each transaction in a block of its own. Returns what
    /// the blocks did, in order.
    ///
    /// # Errors
    /// The document cannot be planned, the chain refuses a part of it, or a key is not known.
    pub fn boot(
        &mut self,
        chain: &mut LiveChain,
        document: &Document,
        boot_key: &PublicKey,
    ) -> Result<Vec<Applied>, BootError> {
        let mut blocks = Vec::new();
        for stage in plan(document, boot_key)?.stages {
            match stage {
                Stage::Activate(feature) => blocks.push(self.block(chain, vec![feature], &[])?.1),
                Stage::Push(transactions) => {
                    for actions in transactions {
                        blocks.push(self.push(chain, actions)?);
                    }
                }
                Stage::AwaitSchedule { producers, slots_max } => {
                    let begin = self.slot;
                    while !is_scheduled(chain, &producers) {
                        blocks.push(self.block(chain, Vec::new(), &[])?.1);
                        self.skip(AWAIT_STEP_SLOTS - 1);
                        if self.slot.0 - begin.0 > slots_max {
                            return Err(BootError::NotElected(slots_max));
                        }
                    }
                }
            }
            blocks.push(self.block(chain, Vec::new(), &[])?.1);
        }
        Ok(blocks)
    }

    fn push(&mut self, chain: &mut LiveChain, actions: Vec<Action>) -> Result<Applied, BootError> {
        let transaction = self.sign(chain, actions)?;
        let (traces, applied) = self.block(chain, Vec::new(), &[transaction])?;
        match traces.iter().find_map(|trace| Some((trace, trace.except.as_deref()?))) {
            None => Ok(applied),
            Some((trace, fault)) => {
                let names =
                    trace.action_traces.iter().map(|action| format!("{}::{}", action.act.account, action.act.name));
                Err(BootError::Refused {
                    actions: names.collect::<Vec<_>>().join(", "),
                    fault: Box::new(fault.clone()),
                })
            }
        }
    }

    /// The known keys that satisfy the authority of the pending block's producer.
    fn signing_keys(&self, chain: &Chain) -> Result<Vec<PrivateKey>, BootError> {
        let header = &chain.head().header;
        let scheduled = header.scheduled_producer(self.slot);
        let producer = chain.pending().map_or(scheduled.producer_name, |pending| pending.producer);
        let schedules = [&header.active_schedule.producers, &header.pending_schedule.schedule.producers];
        let entry = schedules.into_iter().flatten().find(|entry| entry.producer_name == producer).unwrap_or(scheduled);
        let BlockSigningAuthority::V0 { threshold, keys } = &entry.authority;
        let mut weight = 0;
        let mut known = Vec::new();
        for each in keys {
            if let Some(key) = self.keys.get(&each.key).filter(|_| weight < *threshold) {
                weight += u32::from(each.weight);
                known.push(key.clone());
            }
        }
        if weight >= *threshold { Ok(known) } else { Err(BootError::MissingKey(producer)) }
    }
}

/// Features other than the first, dependencies before what depends on them.
pub fn later_features() -> Vec<Checksum256> {
    FEATURES.iter().filter(|spec| spec.feature.preactivation_required()).map(|spec| spec.digest).collect()
}

fn plan(document: &Document, boot_key: &PublicKey) -> Result<Plan, GenesisError> {
    Plan::new(document, boot_key, Feature::PreactivateFeature.digest(), &later_features())
}

fn is_scheduled(chain: &Chain, producers: &[Name]) -> bool {
    let schedule = &chain.head().header.active_schedule.producers;
    schedule.iter().map(|entry| entry.producer_name).eq(producers.iter().copied())
}
