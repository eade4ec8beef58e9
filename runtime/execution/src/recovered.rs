//! A transaction with everything about it that can be known without the chain's state: unpacked, hashed, its signing
//! keys recovered. Made on any thread.

use std::sync::Arc;

use codec::{Bytes, Pack, Sink};
use primitives::{
    Action, Checksum256, Name, PackedTransaction, PublicKey, Sha256, Transaction, TransactionHeader, TransactionId,
};

/// Net bytes that every packed transaction costs beside its parts (`fixed_net_overhead_of_packed_trx`).
const FIXED_NET_OVERHEAD: u64 = 16;

/// The parts of a transaction, its actions ready to be shared with traces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransactionParts {
    /// The header.
    pub header: TransactionHeader,
    /// Run first, without state.
    pub context_free_actions: Vec<Arc<Action>>,
    /// Run in order.
    pub actions: Vec<Arc<Action>>,
    /// `(id, bytes)`, ascending by id.
    pub extensions: Vec<(u16, Bytes)>,
    /// Data for the context-free actions; not part of the packed transaction.
    pub context_free_data: Vec<Bytes>,
}

impl From<Transaction> for TransactionParts {
    fn from(trx: Transaction) -> Self {
        let share = |actions: Vec<Action>| actions.into_iter().map(Arc::new).collect();
        Self {
            header: trx.header,
            context_free_actions: share(trx.context_free_actions),
            actions: share(trx.actions),
            extensions: trx.extensions,
            context_free_data: Vec::new(),
        }
    }
}

/// Bytes of a [`primitives::Transaction`].
impl Pack for TransactionParts {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        let actions = |actions: &[Arc<Action>], out: &mut S| {
            codec::VarUint32(u32::try_from(actions.len()).expect("actions came from packed bytes")).pack(out);
            actions.iter().for_each(|action| action.pack(out));
        };
        self.header.pack(out);
        actions(&self.context_free_actions, out);
        actions(&self.actions, out);
        self.extensions.pack(out);
    }
}

impl TransactionParts {
    /// First authorizer of the first action that has one, or the empty name.
    pub fn first_authorizer(&self) -> Name {
        self.actions.iter().find_map(|action| action.authorization.first()).map_or(Name(0), |level| level.actor)
    }

    /// The id: hash of the packed form.
    pub fn id(&self) -> TransactionId {
        Sha256::packed(self)
    }
}

/// A transaction that came from outside, with its keys recovered.
#[derive(Debug, Clone)]
pub struct RecoveredTransaction {
    /// Its id.
    pub id: TransactionId,
    /// Header, actions, extensions, context-free data.
    pub parts: Arc<TransactionParts>,
    /// The bytes as they came, for the block.
    pub packed: PackedTransaction,
    /// Digest of `packed` for the receipt.
    pub packed_digest: Checksum256,
    /// Keys that signed it, ascending and unique. Empty where signatures are not checked (trusted replay).
    pub keys: Vec<PublicKey>,
    /// Time spent on recovering the keys, in microseconds.
    pub signature_cpu_us: u32,
    /// About how many bytes of memory it takes, packed and unpacked.
    pub memory_bytes: usize,
    /// Whether it may act for accounts without their keys: only the user of a development chain says so, for blocks
    /// that this node builds. Everybody else finds such a block wrong.
    pub is_impersonation: bool,
}

impl RecoveredTransaction {
    /// Puts a transaction together; `trx` and `context_free_data` are what `packed` unpacks to.
    pub fn new(
        packed: PackedTransaction,
        packed_digest: Checksum256,
        trx: Transaction,
        context_free_data: Vec<Bytes>,
        mut keys: Vec<PublicKey>,
    ) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let data: usize = context_free_data.iter().map(|bytes| bytes.len() + size_of_val(bytes)).sum();
        let packed_bytes = packed.packed_trx.len() + packed.packed_context_free_data.len();
        let memory_bytes = trx.memory_bytes() + data + packed_bytes;
        let parts = TransactionParts { context_free_data, ..TransactionParts::from(trx) };
        Self {
            id: parts.id(),
            parts: Arc::new(parts),
            packed,
            packed_digest,
            keys,
            signature_cpu_us: 0,
            memory_bytes,
            is_impersonation: false,
        }
    }

    /// Net bytes that are billed in full (`packed_transaction::get_unprunable_size`).
    pub fn unprunable_size(&self) -> u64 {
        FIXED_NET_OVERHEAD + self.packed.packed_trx.len() as u64
    }

    /// Net bytes that are billed at a discount: signatures and context-free data (`get_prunable_size`).
    pub fn prunable_size(&self) -> u64 {
        (self.packed.signatures.packed_size() + self.packed.packed_context_free_data.len()) as u64
    }
}
