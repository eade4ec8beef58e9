//! Block headers, blocks and the receipts in them.

use codec::{Bytes, Pack, Unpack, VarUint32};

use crate::{BlockId, BlockTimestamp, Checksum256, LegacySchedule, Name, PackedTransaction, Signature, TransactionId};

/// Header extension: digests of activated protocol features (`Vec<Checksum256>`).
pub const PROTOCOL_FEATURE_ACTIVATION: u16 = 0;
/// Header extension: a new [`crate::ProducerSchedule`].
pub const PRODUCER_SCHEDULE_CHANGE: u16 = 1;
/// Block extension: signatures after the first (`Vec<Signature>`).
pub const ADDITIONAL_BLOCK_SIGNATURES: u16 = 2;

/// What a block says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct BlockHeader {
    /// Its slot.
    pub timestamp: BlockTimestamp,
    /// Its producer.
    pub producer: Name,
    /// Number of earlier blocks that it confirms.
    pub confirmed: u16,
    /// The block before it.
    pub previous: BlockId,
    /// Merkle root of the transaction receipts.
    pub transaction_mroot: Checksum256,
    /// Merkle root of the action receipts.
    pub action_mroot: Checksum256,
    /// Version of the schedule that says who produces it.
    pub schedule_version: u32,
    /// A new schedule, before WTMSIG_BLOCK_SIGNATURES.
    pub new_producers: Option<LegacySchedule>,
    /// `(id, bytes)`, ascending by id.
    pub header_extensions: Vec<(u16, Bytes)>,
}

/// A header with its producer's signature.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct SignedBlockHeader {
    /// The header.
    pub header: BlockHeader,
    /// The first signature.
    pub producer_signature: Signature,
}

/// How a transaction ended. One byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransactionStatus {
    /// It ran.
    #[default]
    Executed,
    /// It failed, its onerror handler ran.
    SoftFail,
    /// It failed, and so did the handler.
    HardFail,
    /// It will run later.
    Delayed,
    /// It was not run in time.
    Expired,
}

impl Pack for TransactionStatus {
    fn pack<S: codec::Sink + ?Sized>(&self, out: &mut S) {
        (*self as u8).pack(out);
    }
}

impl Unpack for TransactionStatus {
    fn unpack(input: &mut codec::Reader<'_>) -> Result<Self, codec::DecodeError> {
        Ok(match u8::unpack(input)? {
            0 => Self::Executed,
            1 => Self::SoftFail,
            2 => Self::HardFail,
            3 => Self::Delayed,
            4 => Self::Expired,
            _ => return Err(codec::DecodeError::Invalid("unknown transaction status")),
        })
    }
}

/// What a receipt is of.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub enum ReceiptTransaction {
    /// A scheduled transaction, known to the chain.
    Id(TransactionId),
    /// A transaction that came with the block.
    Packed(PackedTransaction),
}

/// A transaction's entry in a block.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct TransactionReceipt {
    /// How it ended.
    pub status: TransactionStatus,
    /// Billed CPU in microseconds.
    pub cpu_usage_us: u32,
    /// Billed net in words of 8 bytes.
    pub net_usage_words: VarUint32,
    /// The transaction.
    pub trx: ReceiptTransaction,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct SignedBlock {
    /// Header and signature.
    pub signed_header: SignedBlockHeader,
    /// Receipts in order.
    pub transactions: Vec<TransactionReceipt>,
    /// `(id, bytes)`, ascending by id.
    pub block_extensions: Vec<(u16, Bytes)>,
}
