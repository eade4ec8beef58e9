//! Block headers, blocks and the receipts in them.

use codec::{Bytes, Pack, Unpack, VarUint32};
use serde::{Deserialize, Serialize};

use crate::digest::number_of;
use crate::extensions::{self, Extensions};
use crate::{
    BlockId, BlockTimestamp, Checksum256, Fault, FaultKind, LegacySchedule, Name, PackedTransaction, ProducerSchedule,
    Sha256, Signature, TransactionId,
};

/// Header extension: digests of activated protocol features (`Vec<Checksum256>`).
pub const PROTOCOL_FEATURE_ACTIVATION: u16 = 0;
/// Header extension: a new [`crate::ProducerSchedule`].
pub const PRODUCER_SCHEDULE_CHANGE: u16 = 1;
/// Block extension: signatures after the first (`Vec<Signature>`).
pub const ADDITIONAL_BLOCK_SIGNATURES: u16 = 2;

/// What a block says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockHeader {
    /// Its slot.
    pub timestamp: BlockTimestamp,
    /// Its producer.
    pub producer: Name,
    /// Number of earlier blocks that it confirms.
    #[serde(with = "crate::json::integer")]
    pub confirmed: u16,
    /// The block before it.
    pub previous: BlockId,
    /// Merkle root of the transaction receipts.
    pub transaction_mroot: Checksum256,
    /// Merkle root of the action receipts.
    pub action_mroot: Checksum256,
    /// Version of the schedule that says who produces it.
    #[serde(with = "crate::json::integer")]
    pub schedule_version: u32,
    /// A new schedule, before WTMSIG_BLOCK_SIGNATURES.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_producers: Option<LegacySchedule>,
    /// `(id, bytes)`, ascending by id.
    pub header_extensions: Vec<(u16, Bytes)>,
}

/// What a header's extensions say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderExtensions {
    /// Digests of the protocol features that the block activates; empty without the extension.
    pub protocol_features: Vec<Checksum256>,
    /// The schedule that becomes pending, since WTMSIG_BLOCK_SIGNATURES.
    pub new_schedule: Option<ProducerSchedule>,
}

impl BlockHeader {
    /// The block's number: one more than its predecessor's.
    pub fn block_num(&self) -> u32 {
        number_of(&self.previous).wrapping_add(1)
    }

    /// The hash of the header.
    pub fn digest(&self) -> Checksum256 {
        Sha256::packed(self)
    }

    /// The block's id: the digest with the number in its first four bytes.
    pub fn id(&self) -> BlockId {
        let mut id = self.digest();
        id.0[..4].copy_from_slice(&self.block_num().to_be_bytes());
        id
    }

    /// Reads all extensions (nodeos: `validate_and_extract_header_extensions`).
    ///
    /// # Errors
    /// `invalid_block_header_extension` when they are unordered, repeated or unknown;
    /// `ill_formed_protocol_feature_activation` when digests are missing or repeated; a decoding fault.
    pub fn extensions(&self) -> Result<HeaderExtensions, Fault> {
        let mut found = HeaderExtensions::default();
        let kind = FaultKind::INVALID_BLOCK_HEADER_EXTENSION;
        extensions::check(&self.header_extensions, kind, "Block header", |id, bytes| {
            match id {
                PROTOCOL_FEATURE_ACTIVATION => found.protocol_features = read_feature_activation(bytes)?,
                PRODUCER_SCHEDULE_CHANGE => found.new_schedule = Some(extensions::read(bytes)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// The bytes of an extension, without a look at the others.
    pub fn extension(&self, id: u16) -> Option<&[u8]> {
        self.header_extensions.iter().find(|(other, _)| *other == id).map(|(_, bytes)| &bytes[..])
    }

    /// Adds the extension that activates protocol features.
    pub fn set_protocol_features(&mut self, digests: &[Checksum256]) {
        extensions::insert(&mut self.header_extensions, PROTOCOL_FEATURE_ACTIVATION, digests);
    }

    /// Adds the extension that makes a schedule pending.
    pub fn set_new_schedule(&mut self, schedule: &ProducerSchedule) {
        extensions::insert(&mut self.header_extensions, PRODUCER_SCHEDULE_CHANGE, schedule);
    }
}

fn read_feature_activation(bytes: &[u8]) -> Result<Vec<Checksum256>, Fault> {
    let digests: Vec<Checksum256> = extensions::read(bytes)?;
    let kind = FaultKind::ILL_FORMED_PROTOCOL_FEATURE_ACTIVATION;
    if digests.is_empty() {
        let message = "Protocol feature activation extension must have at least one protocol feature digest";
        return Err(Fault::new(kind, message));
    }
    match first_repeated(&digests) {
        None => Ok(digests),
        Some(digest) => {
            let place = "the protocol feature activation extension";
            Err(Fault::new(kind, format!("Protocol feature digest {digest} was repeated in {place}")))
        }
    }
}

/// An item that occurs twice.
fn first_repeated<T: Ord>(items: &[T]) -> Option<&T> {
    let mut sorted: Vec<_> = items.iter().collect();
    sorted.sort();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// A header with its producer's signature.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
pub struct SignedBlockHeader {
    /// The header.
    #[serde(flatten)]
    pub header: BlockHeader,
    /// The first signature.
    pub producer_signature: Signature,
}

/// How a transaction ended. One byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl TransactionStatus {
    /// nodeos' name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Executed => "executed",
            Self::SoftFail => "soft_fail",
            Self::HardFail => "hard_fail",
            Self::Delayed => "delayed",
            Self::Expired => "expired",
        }
    }
}

impl std::fmt::Display for TransactionStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
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

/// What a receipt is of. In JSON, a static variant: `[0, "id"]` or `[1, {"packed_trx": "..."}]`.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub enum ReceiptTransaction {
    /// A scheduled transaction, known to the chain.
    Id(TransactionId),
    /// A transaction that came with the block.
    Packed(PackedTransaction),
}

impl Serialize for ReceiptTransaction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => (0, id).serialize(serializer),
            Self::Packed(packed) => (1, packed).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ReceiptTransaction {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Value {
            Id(TransactionId),
            Packed(PackedTransaction),
        }
        match Deserialize::deserialize(deserializer)? {
            (0, Value::Id(id)) => Ok(Self::Id(id)),
            (1, Value::Packed(packed)) => Ok(Self::Packed(packed)),
            _ => Err(serde::de::Error::custom("a receipt is of 0, an id, or of 1, a packed transaction")),
        }
    }
}

/// A transaction's entry in a block.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct TransactionReceipt {
    /// How it ended.
    pub status: TransactionStatus,
    /// Billed CPU in microseconds.
    #[serde(with = "crate::json::integer")]
    pub cpu_usage_us: u32,
    /// Billed net in words of 8 bytes.
    #[serde(with = "crate::json::integer")]
    pub net_usage_words: VarUint32,
    /// The transaction.
    pub trx: ReceiptTransaction,
}

impl TransactionReceipt {
    /// The leaf of the block's transaction merkle tree.
    pub fn digest(&self) -> Checksum256 {
        let transaction = match &self.trx {
            ReceiptTransaction::Id(id) => *id,
            ReceiptTransaction::Packed(packed) => packed.packed_digest(),
        };
        Self::digest_of(self.status, self.cpu_usage_us, self.net_usage_words, &transaction)
    }

    /// The leaf, when the transaction's id or packed digest is known.
    pub fn digest_of(status: TransactionStatus, cpu_us: u32, net: VarUint32, transaction: &Checksum256) -> Checksum256 {
        Sha256::packed(&(status, cpu_us, net, transaction))
    }
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
pub struct SignedBlock {
    /// Header and signature.
    #[serde(flatten)]
    pub signed_header: SignedBlockHeader,
    /// Receipts in order.
    pub transactions: Vec<TransactionReceipt>,
    /// `(id, bytes)`, ascending by id.
    pub block_extensions: Extensions,
}

impl SignedBlock {
    /// The header.
    pub fn header(&self) -> &BlockHeader {
        &self.signed_header.header
    }

    /// The block's number.
    pub fn block_num(&self) -> u32 {
        self.header().block_num()
    }

    /// The block's id.
    pub fn id(&self) -> BlockId {
        self.header().id()
    }

    /// The signatures after the first one (nodeos: `validate_and_extract_extensions`).
    ///
    /// # Errors
    /// `invalid_block_extension` when extensions are unordered, repeated or unknown;
    /// `ill_formed_additional_block_signatures_extension` when there is none or one is repeated.
    pub fn additional_signatures(&self) -> Result<Vec<Signature>, Fault> {
        let mut found = Vec::new();
        let kind = FaultKind::INVALID_BLOCK_EXTENSION;
        extensions::check(&self.block_extensions, kind, "Block", |id, bytes| {
            if id != ADDITIONAL_BLOCK_SIGNATURES {
                return Ok(false);
            }
            found = read_additional_signatures(bytes)?;
            Ok(true)
        })?;
        Ok(found)
    }

    /// Adds the extension with signatures after the first.
    pub fn set_additional_signatures(&mut self, signatures: &[Signature]) {
        extensions::insert(&mut self.block_extensions, ADDITIONAL_BLOCK_SIGNATURES, signatures);
    }
}

fn read_additional_signatures(bytes: &[u8]) -> Result<Vec<Signature>, Fault> {
    let signatures: Vec<Signature> = extensions::read(bytes)?;
    let kind = FaultKind::ILL_FORMED_ADDITIONAL_BLOCK_SIGNATURES_EXTENSION;
    if signatures.is_empty() {
        return Err(Fault::new(kind, "Additional block signatures extension must contain at least one signature"));
    }
    match first_repeated(&signatures) {
        None => Ok(signatures),
        Some(signature) => {
            let place = "the additional block signatures extension";
            Err(Fault::new(kind, format!("Signature {signature} was repeated in {place}")))
        }
    }
}
