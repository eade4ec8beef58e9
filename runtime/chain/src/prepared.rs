//! Blocks and transactions as other threads prepare them for the writer: unpacked, ids and digests computed, keys
//! recovered. Nothing here needs the ledger.

use std::collections::BTreeSet;
use std::sync::Arc;

use codec::{Bytes, Unpack};
use execution::{Outcome, RecoveredTransaction};
use primitives::block::ReceiptTransaction;
use primitives::{
    BlockId, ChainId, Checksum256, Compression, Fault, FaultKind, PackedTransaction, PublicKey, SignedBlock,
    Transaction, TransactionReceipt, ensure, merkle::merkle,
};

use crate::key_guesses::{KeyGuesses, signers};

/// What to prepare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrepareMode {
    /// Recover keys and compute the transaction merkle root: for blocks from peers and replay with all checks.
    Full,
    /// Only ids: for trusted replay.
    Trusted,
}

/// A block ready for the writer.
#[derive(Debug, Clone)]
pub struct PreparedBlock {
    /// Its id.
    pub id: BlockId,
    /// The block.
    pub block: Arc<SignedBlock>,
    /// Its input transactions, in order.
    pub transactions: Vec<Arc<RecoveredTransaction>>,
    /// Merkle root of its receipts; absent in [`PrepareMode::Trusted`].
    pub transaction_mroot: Option<Checksum256>,
    /// About how much memory it takes.
    pub(crate) bytes: usize,
}

/// Bytes that a block takes beside its transactions, with its header state.
pub(crate) const BLOCK_BYTES: usize = 8 << 10;

impl PreparedBlock {
    /// Unpacks and prepares a block.
    ///
    /// # Errors
    /// The fault of the first thing that is malformed: the block, a packed transaction, a signature.
    pub fn from_bytes(bytes: &[u8], chain_id: &ChainId, mode: PrepareMode) -> Result<Self, Fault> {
        Self::from_block(Arc::new(SignedBlock::from_bytes(bytes)?), chain_id, mode)
    }

    /// Prepares a block that is unpacked already.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn from_block(block: Arc<SignedBlock>, chain_id: &ChainId, mode: PrepareMode) -> Result<Self, Fault> {
        Self::guessing(block, chain_id, mode, &KeyGuesses::default())
    }

    /// The same; [`PrepareMode::Full`] is cheaper where signers of earlier blocks come again.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn guessing(
        block: Arc<SignedBlock>,
        chain_id: &ChainId,
        mode: PrepareMode,
        guesses: &KeyGuesses,
    ) -> Result<Self, Fault> {
        let packed = packed_transactions(&block).cloned();
        let transactions = match mode {
            PrepareMode::Full => recover_transactions(packed.collect(), chain_id, guesses),
            PrepareMode::Trusted => packed.map(unpack_transaction).collect(),
        };
        let transactions = transactions.into_iter().map(|recovered| recovered.map(Arc::new));
        let transactions = transactions.collect::<Result<_, Fault>>()?;
        let transaction_mroot = (mode == PrepareMode::Full).then(|| transaction_mroot(&block));
        Ok(Self::of(block, transactions, transaction_mroot))
    }

    /// The same in [`PrepareMode::Full`] where the keys of all its transactions have been recovered already, in order.
    pub fn from_recovered(block: Arc<SignedBlock>, transactions: Vec<Arc<RecoveredTransaction>>) -> Self {
        let transaction_mroot = Some(transaction_mroot(&block));
        Self::of(block, transactions, transaction_mroot)
    }

    fn of(
        block: Arc<SignedBlock>,
        transactions: Vec<Arc<RecoveredTransaction>>,
        transaction_mroot: Option<Checksum256>,
    ) -> Self {
        let bytes = held_bytes(&block, &transactions);
        Self { id: block.id(), block, transactions, transaction_mroot, bytes }
    }

    /// Compares the receipts with the root in the header.
    ///
    /// # Errors
    /// `block_validate_exception`.
    pub(crate) fn check_transaction_mroot(&self) -> Result<(), Fault> {
        check_transaction_mroot(&self.block, self.transaction_mroot.unwrap_or_else(|| transaction_mroot(&self.block)))
    }

    /// Whether keys were recovered and the merkle root computed.
    pub fn is_full(&self) -> bool {
        self.transaction_mroot.is_some()
    }
}

/// About how much memory a block of these transactions takes.
pub(crate) fn held_bytes(block: &SignedBlock, transactions: &[Arc<RecoveredTransaction>]) -> usize {
    let unpacked = transactions.iter().map(|transaction| {
        let packed = transaction.packed.packed_trx.len() + transaction.packed.packed_context_free_data.len();
        packed + transaction.memory_bytes
    });
    let extensions = block.block_extensions.iter().chain(&block.header().header_extensions);
    let extensions = extensions.map(|(_, bytes)| bytes.len() + size_of_val(bytes));
    let receipts = size_of_val(&block.transactions[..]);
    BLOCK_BYTES + receipts + unpacked.chain(extensions).sum::<usize>()
}

/// The transactions that stand in a block, in order; of others it has only the ids.
pub fn packed_transactions(block: &SignedBlock) -> impl Iterator<Item = &PackedTransaction> {
    block.transactions.iter().filter_map(|receipt| match &receipt.trx {
        ReceiptTransaction::Packed(packed) => Some(packed),
        ReceiptTransaction::Id(_) => None,
    })
}

/// Compares the root of a block's receipts with that in its header.
pub(crate) fn check_transaction_mroot(block: &SignedBlock, found: Checksum256) -> Outcome {
    let claimed = block.header().transaction_mroot;
    ensure!(claimed == found, BLOCK_VALIDATE_EXCEPTION, "invalid block transaction merkle root {claimed} != {found}");
    Ok(())
}

/// How many times its bytes a transaction that is not compressed takes in memory at most: the shortest action has 18.
const ACTIONS_FACTOR: usize = 12;
/// The same of context-free data: the shortest has one.
const DATA_FACTOR: usize = 32;

/// Whether the transactions of a block take more than `limit` bytes when they are unpacked. No more is unpacked for that
/// than tells it, and nothing is kept.
pub fn unpacks_beyond(block: &SignedBlock, limit: usize) -> bool {
    let is_plain = |packed: &PackedTransaction| packed.compression == Compression::None;
    let plain = || {
        packed_transactions(block).map(|packed| {
            packed.packed_trx.len() * ACTIONS_FACTOR + packed.packed_context_free_data.len() * DATA_FACTOR
        })
    };
    if packed_transactions(block).all(is_plain) && plain().sum::<usize>() <= limit {
        return false;
    }
    let mut bytes = 0;
    for packed in packed_transactions(block) {
        // What cannot be unpacked takes nothing, and is found out later.
        bytes += packed.transaction().map_or(0, |transaction| transaction.memory_bytes());
        bytes += packed
            .context_free_data()
            .map_or(0, |data| data.iter().map(|bytes| bytes.len() + size_of_val(bytes)).sum());
        if bytes > limit {
            return true;
        }
    }
    false
}

pub(crate) fn transaction_mroot(block: &SignedBlock) -> Checksum256 {
    merkle(block.transactions.iter().map(TransactionReceipt::digest).collect())
}

/// A transaction on its way: what it says, and what its signatures sign, where it has any.
struct Unpacked {
    trx: Transaction,
    data: Vec<Bytes>,
    digest: Option<Checksum256>,
}

impl Unpacked {
    fn new(packed: &PackedTransaction, chain_id: &ChainId) -> Result<Self, Fault> {
        let (trx, data) = (packed.transaction()?, packed.context_free_data()?);
        let digest = (!packed.signatures.is_empty()).then(|| trx.signing_digest(chain_id, &data));
        Ok(Self { trx, data, digest })
    }

    /// With the keys of its signatures, in their order.
    fn signed_by(
        self,
        packed: PackedTransaction,
        signed_by: impl Iterator<Item = Result<PublicKey, Fault>>,
    ) -> Result<RecoveredTransaction, Fault> {
        let mut keys = BTreeSet::<PublicKey>::new();
        for key in signed_by {
            let key = key?;
            if keys.contains(&key) {
                let message = format!(
                    "transaction includes more than one signature signed using the same key associated with public key: {key}"
                );
                return Err(Fault::new(FaultKind::TX_DUPLICATE_SIG, message));
            }
            keys.insert(key);
        }
        let digest = packed.packed_digest();
        Ok(RecoveredTransaction::new(packed, digest, self.trx, self.data, keys.into_iter().collect()))
    }
}

/// Unpacks a transaction and recovers the keys that signed it (`transaction_metadata::start_recover_keys`).
///
/// # Errors
/// Faults of decoding; `tx_duplicate_sig` when a key signed twice; faults of signatures.
pub fn recover_transaction(packed: PackedTransaction, chain_id: &ChainId) -> Result<RecoveredTransaction, Fault> {
    let unpacked = Unpacked::new(&packed, chain_id)?;
    let digest = unpacked.digest.unwrap_or_default();
    let keys: Vec<_> = packed.signatures.iter().map(|signature| signature.recover(&digest)).collect();
    unpacked.signed_by(packed, keys.into_iter())
}

/// [`recover_transaction`] of each, in order; cheaper where the same signed before.
pub fn recover_transactions(
    packed: Vec<PackedTransaction>,
    chain_id: &ChainId,
    guesses: &KeyGuesses,
) -> Vec<Result<RecoveredTransaction, Fault>> {
    let unpacked: Vec<_> = packed.iter().map(|packed| Unpacked::new(packed, chain_id)).collect();
    let signed: Vec<_> = packed
        .iter()
        .zip(&unpacked)
        .filter_map(|(packed, unpacked)| Some((packed, unpacked.as_ref().ok()?)))
        .flat_map(|(packed, Unpacked { trx, digest, .. })| {
            let digest = digest.unwrap_or_default();
            signers(trx).zip(&packed.signatures).map(move |(signer, signature)| (signer, signature, digest))
        })
        .collect();
    let mut keys = guesses.recover(&signed).into_iter();
    let recovered = packed.into_iter().zip(unpacked).map(|(packed, unpacked)| {
        let unpacked = unpacked?;
        let own: Vec<_> = keys.by_ref().take(packed.signatures.len()).collect();
        unpacked.signed_by(packed, own.into_iter())
    });
    recovered.collect()
}

/// Unpacks a transaction whose signatures are taken on trust. Its digest is left out: nobody asks for it.
fn unpack_transaction(packed: PackedTransaction) -> Result<RecoveredTransaction, Fault> {
    let (trx, data) = (packed.transaction()?, packed.context_free_data()?);
    Ok(RecoveredTransaction::new(packed, Checksum256::default(), trx, data, Vec::new()))
}
