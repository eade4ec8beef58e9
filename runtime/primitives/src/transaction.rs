//! Transactions: plain and signed. Packed ones are in [`crate::packed`].

use codec::{Bytes, Pack, Unpack, VarUint32};
use serde::{Deserialize, Serialize};

use crate::extensions;
use crate::{
    Action, BlockId, ChainId, Checksum256, Fault, FaultKind, Name, PrivateKey, Sha256, Signature, TimePointSec,
    TransactionId,
};

/// What a transaction says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct TransactionHeader {
    /// Not valid afterwards.
    pub expiration: TimePointSec,
    /// TaPoS: low 16 bits of a block's number.
    #[serde(with = "crate::json::integer")]
    pub ref_block_num: u16,
    /// TaPoS: 32 bits of that block's id.
    #[serde(with = "crate::json::integer")]
    pub ref_block_prefix: u32,
    /// Upper limit of 8-byte net words; 0 for none.
    #[serde(with = "crate::json::integer")]
    pub max_net_usage_words: VarUint32,
    /// Upper limit of CPU milliseconds; 0 for none.
    #[serde(with = "crate::json::integer")]
    pub max_cpu_usage_ms: u8,
    /// Seconds to wait before it runs.
    #[serde(with = "crate::json::integer")]
    pub delay_sec: VarUint32,
}

/// The two TaPoS fields that name a block: its number's low 16 bits and the third word of its id.
pub fn reference_of(id: &BlockId) -> (u16, u32) {
    let prefix = [id.0[8], id.0[9], id.0[10], id.0[11]];
    (crate::digest::number_of(id) as u16, u32::from_le_bytes(prefix))
}

impl TransactionHeader {
    /// Refers to a block.
    pub fn set_reference_block(&mut self, id: &BlockId) {
        (self.ref_block_num, self.ref_block_prefix) = reference_of(id);
    }

    /// Whether this refers to the block.
    pub fn refers_to(&self, id: &BlockId) -> bool {
        (self.ref_block_num, self.ref_block_prefix) == reference_of(id)
    }

    /// Checks the header by itself (nodeos: `transaction_header::validate`).
    ///
    /// # Errors
    /// `transaction_exception` when the net limit does not fit 32 bits in bytes.
    pub fn validate(&self) -> Result<(), Fault> {
        let message = "declared max_net_usage_words overflows when expanded to max net usage";
        crate::ensure!(self.max_net_usage_words.0 < u32::MAX / 8, TRANSACTION_EXCEPTION, "{message}");
        Ok(())
    }
}

/// Transaction extension: why a deferred transaction exists.
pub const DEFERRED_TRANSACTION_GENERATION_CONTEXT: u16 = 0;

/// `deferred_transaction_generation_context`: what sent a deferred transaction.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct DeferredContext {
    /// The transaction that sent it.
    pub sender_trx_id: TransactionId,
    /// The sender's number for it.
    pub sender_id: u128,
    /// The sender; never empty.
    pub sender: Name,
}

/// Bytes that an action takes beside its parts, in lists and of the allocator.
const ACTION_OVERHEAD_BYTES: usize = 64;

/// A transaction without signatures; its hash is the id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct Transaction {
    /// The header.
    #[serde(flatten)]
    pub header: TransactionHeader,
    /// Run first, without state.
    pub context_free_actions: Vec<Action>,
    /// Run in order.
    pub actions: Vec<Action>,
    /// `(id, bytes)`, ascending by id.
    #[serde(rename = "transaction_extensions")]
    pub extensions: Vec<(u16, Bytes)>,
}

impl Transaction {
    /// About how many bytes of memory it takes: many times those that it has on its way where it holds many small
    /// actions, or was compressed.
    pub fn memory_bytes(&self) -> usize {
        let actions = self.context_free_actions.iter().chain(&self.actions);
        let actions = actions.map(|action| {
            ACTION_OVERHEAD_BYTES + size_of_val(action) + size_of_val(&action.authorization[..]) + action.data.len()
        });
        let extensions = self.extensions.iter().map(|extension| size_of_val(extension) + extension.1.len());
        size_of_val(self) + actions.chain(extensions).sum::<usize>()
    }

    /// The transaction's id.
    pub fn id(&self) -> TransactionId {
        Sha256::packed(self)
    }

    /// What signatures are made of (nodeos: `sig_digest`).
    pub fn signing_digest(&self, chain_id: &ChainId, context_free_data: &[Bytes]) -> Checksum256 {
        signing_digest_of(chain_id, self, context_free_data)
    }

    /// The first authorizer of the first action that has one; the empty name otherwise.
    pub fn first_authorizer(&self) -> Name {
        self.actions.iter().find_map(|action| action.authorization.first()).map(|level| level.actor).unwrap_or_default()
    }

    /// Number of actions of both kinds.
    pub fn total_actions(&self) -> usize {
        self.context_free_actions.len() + self.actions.len()
    }

    /// Reads all extensions (nodeos: `validate_and_extract_extensions`).
    ///
    /// # Errors
    /// `invalid_transaction_extension` when they are unordered, repeated or unknown;
    /// `ill_formed_deferred_transaction_generation_context` when the sender is empty; a decoding fault.
    pub fn deferred_context(&self) -> Result<Option<DeferredContext>, Fault> {
        let mut found = None;
        let kind = FaultKind::INVALID_TRANSACTION_EXTENSION;
        extensions::check(&self.extensions, kind, "Transaction", |id, bytes| {
            if id != DEFERRED_TRANSACTION_GENERATION_CONTEXT {
                return Ok(false);
            }
            let context: DeferredContext = extensions::read(bytes)?;
            crate::ensure!(
                !context.sender.is_empty(),
                ILL_FORMED_DEFERRED_TRANSACTION_GENERATION_CONTEXT,
                "Deferred transaction generation context extension must have a non-empty sender account"
            );
            found = Some(context);
            Ok(true)
        })?;
        Ok(found)
    }

    /// Adds the extension that says why this transaction exists.
    pub fn set_deferred_context(&mut self, context: &DeferredContext) {
        extensions::insert(&mut self.extensions, DEFERRED_TRANSACTION_GENERATION_CONTEXT, context);
    }
}

/// The signing digest of a transaction in any packable form.
pub(crate) fn signing_digest_of<T: Pack>(chain_id: &ChainId, transaction: &T, data: &[Bytes]) -> Checksum256 {
    let data = if data.is_empty() { Checksum256::default() } else { Sha256::packed(data) };
    Sha256::packed(&(chain_id, transaction, data))
}

/// A transaction with signatures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct SignedTransaction {
    /// What was signed.
    #[serde(flatten)]
    pub transaction: Transaction,
    /// Signatures over the signing digest.
    pub signatures: Vec<Signature>,
    /// One blob for each context-free action, by convention.
    pub context_free_data: Vec<Bytes>,
}

impl SignedTransaction {
    /// Adds a signature.
    ///
    /// # Errors
    /// As [`PrivateKey::sign`].
    pub fn sign(&mut self, key: &PrivateKey, chain_id: &ChainId) -> Result<(), Fault> {
        let digest = self.transaction.signing_digest(chain_id, &self.context_free_data);
        self.signatures.push(key.sign(&digest)?);
        Ok(())
    }
}
