//! Transactions: plain, signed, packed.

use codec::{Bytes, Pack, Unpack, VarUint32};

use crate::{Action, Signature, TimePointSec};

/// What a transaction says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct TransactionHeader {
    /// Not valid afterwards.
    pub expiration: TimePointSec,
    /// TaPoS: low 16 bits of a block's number.
    pub ref_block_num: u16,
    /// TaPoS: 32 bits of that block's id.
    pub ref_block_prefix: u32,
    /// Upper limit of 8-byte net words; 0 for none.
    pub max_net_usage_words: VarUint32,
    /// Upper limit of CPU milliseconds; 0 for none.
    pub max_cpu_usage_ms: u8,
    /// Seconds to wait before it runs.
    pub delay_sec: VarUint32,
}

/// A transaction without signatures; its hash is the id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Transaction {
    /// The header.
    pub header: TransactionHeader,
    /// Run first, without state.
    pub context_free_actions: Vec<Action>,
    /// Run in order.
    pub actions: Vec<Action>,
    /// `(id, bytes)`, ascending by id.
    pub extensions: Vec<(u16, Bytes)>,
}

/// A transaction with signatures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct SignedTransaction {
    /// What was signed.
    pub transaction: Transaction,
    /// Signatures over the signing digest.
    pub signatures: Vec<Signature>,
    /// One blob for each context-free action, by convention.
    pub context_free_data: Vec<Bytes>,
}

/// How packed parts are compressed: one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not.
    #[default]
    None,
    /// zlib.
    Zlib,
}

impl Pack for Compression {
    fn pack<S: codec::Sink + ?Sized>(&self, out: &mut S) {
        (*self as u8).pack(out);
    }
}

impl Unpack for Compression {
    fn unpack(input: &mut codec::Reader<'_>) -> Result<Self, codec::DecodeError> {
        match u8::unpack(input)? {
            0 => Ok(Self::None),
            1 => Ok(Self::Zlib),
            _ => Err(codec::DecodeError::Invalid("unknown transaction compression")),
        }
    }
}

/// A transaction as it travels and as blocks hold it. Its bytes are kept as they came: they enter the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct PackedTransaction {
    /// Signatures.
    pub signatures: Vec<Signature>,
    /// Compression of the two packed parts.
    pub compression: Compression,
    /// Packed context-free data.
    pub packed_context_free_data: Bytes,
    /// The packed [`Transaction`].
    pub packed_trx: Bytes,
}
