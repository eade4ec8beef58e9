//! The messages of nodeos' net_plugin (protocol.hpp `net_message`), in the order of their indexes. Blocks and
//! transactions stay packed: what others do with them wants their bytes.

use std::sync::Arc;

use codec::{DecodeError, Pack, Reader, Sink, Unpack, VarUint32};
use primitives::block::SignedBlockHeader;
use primitives::{
    BlockId, BlockTimestamp, ChainId, Checksum256, Fault, Name, PackedTransaction, PublicKey, Signature, TimePointSec,
    TransactionId,
};

use super::frame::LENGTH_BYTES;
use crate::limits::{IDS_AT_ONCE_MAX, SHARED_MAX, TOLD_ADDRESSES_MAX};

/// What is added to a protocol version in handshakes (`net_version_base`).
pub const VERSION_BASE: u16 = 0x04b5;
/// Versions above the base that mean something (`net_version_range`).
const VERSION_RANGE: u16 = 106;
/// The version that this node speaks: that of Leap 4 (`proto_leap_initial`).
pub const VERSION: u16 = 7;
/// The version since which notices tell the range of blocks (`proto_block_range`).
pub const VERSION_BLOCK_RANGE: u16 = 8;
/// Bytes that a text of a handshake may have (`max_handshake_str_length`).
pub const TEXT_BYTES_MAX: usize = 384;
/// Ids that a notice or request may have; nodeos closes a connection with more.
const IDS_MAX: usize = 2;

/// Index of a block among the messages.
const BLOCK: u32 = 7;
/// Index of a transaction.
const TRANSACTION: u32 = 8;
/// Index of what nodeos does not have, far from what it may get.
const ADDRESSES: u32 = 1000;
/// The index of the answer of one that is not well; nodeos never gets it.
const UNWELL: u32 = 1001;
/// Indexes of what nodes of ours tell each other of transactions: these, their ids, and ids that are asked for.
const TRANSACTIONS: u32 = 1002;
const HAVE: u32 = 1003;
const WANT: u32 = 1004;
/// The same of blocks: ids, ids that are asked for, and a producer whose blocks the sender gets from others.
const HAVE_BLOCKS: u32 = 1005;
const WANT_BLOCKS: u32 = 1006;
const ENOUGH: u32 = 1007;

/// Why a frame's bytes are not a message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// They are not what its index says.
    #[error("it sends a message that cannot be read: {0}")]
    Malformed(#[from] DecodeError),
    /// A transaction in it cannot be unpacked.
    #[error("it sends a transaction that cannot be read: {0}")]
    Transaction(Box<Fault>),
    /// There is no such message.
    #[error("it sends a message of an unknown kind, {0}")]
    Unknown(u32),
    /// A list has more entries than its kind of message may have.
    #[error("it sends {0} ids, and {IDS_MAX} are the limit")]
    Ids(usize),
    /// There are more transactions, or ids, than a message may have.
    #[error("it sends {0} transactions or ids in a message, and {1} are the limit")]
    Transactions(usize, usize),
    /// A list of addresses is too long.
    #[error("it sends {0} addresses, and {TOLD_ADDRESSES_MAX} are the limit")]
    Addresses(usize),
    /// A block is signed in a way that nodeos does not take from peers.
    #[error("it sends a block with a WebAuthn signature")]
    WebAuthn,
}

/// A block's number and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Pack, Unpack)]
pub struct Point {
    /// Its number.
    pub num: u32,
    /// Its id.
    pub id: BlockId,
}

impl Point {
    /// Of a block's id.
    pub fn of(id: BlockId) -> Self {
        Self { num: primitives::number_of(&id), id }
    }
}

/// Who a peer is and where its chain stands. The first message on a connection, and sent again when that changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
#[allow(missing_docs, reason = "nodeos' own names")]
pub struct Handshake {
    /// [`VERSION_BASE`] and the version.
    pub network_version: u16,
    pub chain_id: ChainId,
    /// Random for each start of a node.
    pub node_id: Checksum256,
    /// The key that signed, or the empty one.
    pub key: PublicKey,
    /// Nanoseconds since 1970.
    pub time: i64,
    /// The hash of `time`, or zeros without a signature.
    pub token: Checksum256,
    pub sig: Signature,
    /// `host:port[:trx|:blk] - 7 digits of node_id`.
    pub p2p_address: Text,
    pub irreversible: Point,
    pub head: Point,
    pub os: Text,
    pub agent: Text,
    /// 1 for the first one on a connection.
    pub generation: i16,
}

/// Text that need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<u8>);

impl Text {
    /// The text as people can read it.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl Pack for Text {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        VarUint32(self.0.len() as u32).pack(out);
        out.put(&self.0);
    }
}

impl Unpack for Text {
    /// A text that is too long is refused by [`Handshake::is_sound`], as nodeos does.
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = VarUint32::unpack(input)?.0 as usize;
        Ok(Self(input.take(length)?.to_vec()))
    }
}

impl Handshake {
    /// The protocol version; 0 for one that means nothing (`to_protocol_version`).
    pub fn version(&self) -> u16 {
        match self.network_version.checked_sub(VERSION_BASE) {
            Some(version) if version <= VERSION_RANGE => version,
            _ => 0,
        }
    }

    /// Whether it can be one at all (`connection::is_valid`).
    pub fn is_sound(&self) -> bool {
        let signed = self.sig != Signature::default() || !self.token.is_zero();
        self.irreversible.num <= self.head.num
            && !self.p2p_address.0.is_empty()
            && !self.os.0.is_empty()
            && [&self.p2p_address, &self.os, &self.agent].iter().all(|text| text.0.len() <= TEXT_BYTES_MAX)
            && (!signed || self.token == token_of(self.time))
    }
}

/// What is signed of a handshake's time.
pub fn token_of(time: i64) -> Checksum256 {
    primitives::Sha256::packed(&time)
}

/// Where a chain stands; nodeos ignores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pack, Unpack)]
#[allow(missing_docs, reason = "as in a handshake")]
pub struct ChainSize {
    pub irreversible: Point,
    pub head: Point,
}

/// Why a connection ends (`go_away_reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "nodeos' own names")]
pub enum GoAway {
    NoReason,
    /// The node is connected to itself.
    SelfConnection,
    Duplicate,
    WrongChain,
    WrongVersion,
    Forked,
    Unlinkable,
    BadTransaction,
    Validation,
    /// Something passing: try again later.
    BenignOther,
    FatalOther,
    Authentication,
    /// A number that nodeos does not know either.
    Other(u32),
}

/// In the order of their numbers.
const REASONS: [(GoAway, &str); 12] = [
    (GoAway::NoReason, "no reason"),
    (GoAway::SelfConnection, "self connect"),
    (GoAway::Duplicate, "duplicate"),
    (GoAway::WrongChain, "wrong chain"),
    (GoAway::WrongVersion, "wrong version"),
    (GoAway::Forked, "chain is forked"),
    (GoAway::Unlinkable, "unlinkable block received"),
    (GoAway::BadTransaction, "bad transaction"),
    (GoAway::Validation, "invalid block"),
    (GoAway::BenignOther, "some other non-fatal condition, possibly unknown block"),
    (GoAway::FatalOther, "some other failure"),
    (GoAway::Authentication, "authentication failure"),
];

impl GoAway {
    /// Its number.
    pub fn number(self) -> u32 {
        match self {
            Self::Other(number) => number,
            known => REASONS.iter().position(|(reason, _)| *reason == known).unwrap_or_default() as u32,
        }
    }

    fn of(number: u32) -> Self {
        REASONS.get(number as usize).map_or(Self::Other(number), |(reason, _)| *reason)
    }
}

impl std::fmt::Display for GoAway {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = REASONS.iter().find(|(reason, _)| reason == self);
        out.write_str(known.map_or("some crazy reason", |(_, words)| words))
    }
}

/// Clocks are compared (RFC 5905): all in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Time {
    /// When the other sent what this answers; 0 in the first.
    pub org: i64,
    /// When that came.
    pub rec: i64,
    /// When this was sent.
    pub xmt: i64,
    /// When this came; set by who receives it.
    pub dst: i64,
}

/// What a list of ids is for (`id_list_modes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "nodeos' own names")]
pub enum Mode {
    #[default]
    None,
    CatchUp,
    LastIrreversibleCatchUp,
    Normal,
    /// A number that nodeos does not know either: it does nothing.
    Other(u32),
}

impl Mode {
    fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::CatchUp => 1,
            Self::LastIrreversibleCatchUp => 2,
            Self::Normal => 3,
            Self::Other(number) => number,
        }
    }
}

impl Pack for Mode {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        self.number().pack(out);
    }
}

impl Unpack for Mode {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match u32::unpack(input)? {
            0 => Self::None,
            1 => Self::CatchUp,
            2 => Self::LastIrreversibleCatchUp,
            3 => Self::Normal,
            other => Self::Other(other),
        })
    }
}

/// Ids with what they are for (`select_ids`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Pending {
    /// What they are for.
    pub mode: Mode,
    /// A number: of blocks, or of a block.
    pub pending: u32,
    /// The ids.
    pub ids: Vec<Checksum256>,
}

/// What a node has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
#[allow(missing_docs, reason = "nodeos' own names")]
pub struct Notice {
    pub known_trx: Pending,
    pub known_blocks: Pending,
}

/// What a node wants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
#[allow(missing_docs, reason = "nodeos' own names")]
pub struct Request {
    pub req_trx: Pending,
    pub req_blocks: Pending,
}

/// A range of blocks that a node wants; both 0 to want no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pack, Unpack)]
#[allow(missing_docs, reason = "first and last number")]
pub struct SyncRequest {
    pub start: u32,
    pub end: u32,
}

/// A block, packed, with what its header says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the header")]
pub struct BlockMessage {
    pub id: BlockId,
    pub num: u32,
    pub previous: BlockId,
    pub timestamp: BlockTimestamp,
    /// The packed block.
    pub bytes: Arc<[u8]>,
}

/// A transaction, packed, with what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the transaction")]
pub struct TransactionMessage {
    pub id: TransactionId,
    pub expiration: TimePointSec,
    pub packed: Arc<PackedTransaction>,
    /// About how many bytes of memory it takes when it is unpacked.
    pub memory_bytes: usize,
}

/// Where nodes can be reached, as multiaddresses. Only encrypted connections have this.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Addresses {
    /// Where the sender can be.
    pub own: Vec<Text>,
    /// Where its peers can be.
    pub others: Vec<Text>,
}

/// The answer to a [`Time`] of one that is not well; for wires of our own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Unwell {
    /// When the other sent what this answers, in nanoseconds.
    pub org: i64,
    /// Why it is not to be counted on.
    pub reason: Text,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the types are")]
pub enum Message {
    Handshake(Box<Handshake>),
    ChainSize(ChainSize),
    GoAway {
        reason: GoAway,
        node_id: Checksum256,
    },
    Time(Time),
    Notice(Notice),
    Request(Request),
    SyncRequest(SyncRequest),
    Block(BlockMessage),
    Transaction(TransactionMessage),
    Addresses(Addresses),
    Unwell(Unwell),
    Transactions(Vec<TransactionMessage>),
    /// The sender has transactions with these ids.
    Have(Vec<TransactionId>),
    /// It wants those with these ids.
    Want(Vec<TransactionId>),
    /// It has blocks with these ids.
    HaveBlocks(Vec<BlockId>),
    /// It wants those with these ids.
    WantBlocks(Vec<BlockId>),
    /// It gets the blocks of this producer from others, and wants to be told of them.
    Enough(Name),
}

impl Message {
    /// Reads a frame. Bytes after a message are ignored, as nodeos does.
    ///
    /// # Errors
    /// It is not a message that a node of this version may send.
    pub fn read(frame: &[u8]) -> Result<Self, WireError> {
        let mut input = Reader::new(frame);
        let index = VarUint32::unpack(&mut input)?.0;
        Ok(match index {
            0 => Self::Handshake(Box::new(Handshake::unpack(&mut input)?)),
            1 => Self::ChainSize(ChainSize::unpack(&mut input)?),
            2 => {
                let (reason, node_id) = <(u32, Checksum256)>::unpack(&mut input)?;
                Self::GoAway { reason: GoAway::of(reason), node_id }
            }
            3 => Self::Time(Time::unpack(&mut input)?),
            4 => {
                let notice = Notice::unpack(&mut input)?;
                bounded(notice.known_blocks.ids.len(), IDS_MAX)?;
                Self::Notice(notice)
            }
            5 => {
                let request = Request::unpack(&mut input)?;
                bounded(request.req_blocks.ids.len(), 1)?;
                bounded(request.req_trx.ids.len(), 0)?;
                Self::Request(request)
            }
            6 => Self::SyncRequest(SyncRequest::unpack(&mut input)?),
            BLOCK => Self::Block(BlockMessage::read(input.rest())?),
            TRANSACTION => Self::Transaction(TransactionMessage::read(PackedTransaction::unpack(&mut input)?)?),
            ADDRESSES => {
                let addresses = Addresses::unpack(&mut input)?;
                let count = addresses.own.len() + addresses.others.len();
                if count > TOLD_ADDRESSES_MAX {
                    return Err(WireError::Addresses(count));
                }
                Self::Addresses(addresses)
            }
            UNWELL => Self::Unwell(Unwell::unpack(&mut input)?),
            TRANSACTIONS => {
                let count = counted(&mut input, SHARED_MAX)?;
                let read = |_| TransactionMessage::read(PackedTransaction::unpack(&mut input)?);
                Self::Transactions((0..count).map(read).collect::<Result<_, _>>()?)
            }
            HAVE => Self::Have(ids(&mut input)?),
            WANT => Self::Want(ids(&mut input)?),
            HAVE_BLOCKS => Self::HaveBlocks(ids(&mut input)?),
            WANT_BLOCKS => Self::WantBlocks(ids(&mut input)?),
            ENOUGH => Self::Enough(Name::unpack(&mut input)?),
            other => return Err(WireError::Unknown(other)),
        })
    }

    /// The message as a frame, with its length.
    pub fn frame(&self) -> Vec<u8> {
        match self {
            Self::Handshake(handshake) => frame(0, &**handshake),
            Self::ChainSize(size) => frame(1, size),
            Self::GoAway { reason, node_id } => frame(2, &(reason.number(), *node_id)),
            Self::Time(time) => frame(3, time),
            Self::Notice(notice) => frame(4, notice),
            Self::Request(request) => frame(5, request),
            Self::SyncRequest(request) => frame(6, request),
            Self::Block(block) => block_frame(&block.bytes),
            Self::Transaction(transaction) => transaction_frame(&transaction.packed),
            Self::Addresses(addresses) => frame(ADDRESSES, addresses),
            Self::Unwell(unwell) => frame(UNWELL, unwell),
            Self::Transactions(transactions) => {
                let packed: Vec<_> = transactions.iter().map(|transaction| transaction.packed.as_ref()).collect();
                transactions_frame(&packed)
            }
            Self::Have(ids) => frame(HAVE, ids),
            Self::Want(ids) => frame(WANT, ids),
            Self::HaveBlocks(ids) => frame(HAVE_BLOCKS, ids),
            Self::WantBlocks(ids) => frame(WANT_BLOCKS, ids),
            Self::Enough(producer) => frame(ENOUGH, producer),
        }
    }
}

/// How many transactions or ids follow.
fn counted(input: &mut Reader<'_>, limit: usize) -> Result<usize, WireError> {
    let count = VarUint32::unpack(input)?.0 as usize;
    if count > limit { Err(WireError::Transactions(count, limit)) } else { Ok(count) }
}

fn ids(input: &mut Reader<'_>) -> Result<Vec<TransactionId>, WireError> {
    let count = counted(input, IDS_AT_ONCE_MAX)?;
    Ok((0..count).map(|_| TransactionId::unpack(input)).collect::<Result<_, _>>()?)
}

fn bounded(found: usize, limit: usize) -> Result<(), WireError> {
    if found > limit { Err(WireError::Ids(found)) } else { Ok(()) }
}

fn frame<T: Pack + ?Sized>(index: u32, content: &T) -> Vec<u8> {
    let index = VarUint32(index);
    let length = index.packed_size() + content.packed_size();
    let mut out = Vec::with_capacity(LENGTH_BYTES + length);
    (length as u32).pack(&mut out);
    index.pack(&mut out);
    content.pack(&mut out);
    out
}

/// The frame of a packed block.
pub fn block_frame(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(LENGTH_BYTES + 1 + block.len());
    (block.len() as u32 + 1).pack(&mut out);
    VarUint32(BLOCK).pack(&mut out);
    out.extend_from_slice(block);
    out
}

/// The frame of a transaction.
pub fn transaction_frame(transaction: &PackedTransaction) -> Vec<u8> {
    frame(TRANSACTION, transaction)
}

/// The frame of several transactions.
pub fn transactions_frame(transactions: &[&PackedTransaction]) -> Vec<u8> {
    let (index, count) = (VarUint32(TRANSACTIONS), VarUint32(transactions.len() as u32));
    let content: usize = transactions.iter().map(|transaction| transaction.packed_size()).sum();
    let length = index.packed_size() + count.packed_size() + content;
    let mut out = Vec::with_capacity(LENGTH_BYTES + length);
    (length as u32).pack(&mut out);
    (index, count).pack(&mut out);
    transactions.iter().for_each(|transaction| transaction.pack(&mut out));
    out
}

impl BlockMessage {
    /// Reads the header of a packed block; the rest is read by whoever checks the block.
    ///
    /// # Errors
    /// The header cannot be read, or is signed with WebAuthn.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let header = SignedBlockHeader::from_prefix(bytes)?;
        if matches!(header.producer_signature, Signature::WebAuthn(_)) {
            return Err(WireError::WebAuthn);
        }
        let header = header.header;
        Ok(Self {
            id: header.id(),
            num: header.block_num(),
            previous: header.previous,
            timestamp: header.timestamp,
            bytes: bytes.into(),
        })
    }
}

impl TransactionMessage {
    /// Unpacks as much of a transaction as tells its id.
    ///
    /// # Errors
    /// It cannot be unpacked.
    pub fn read(packed: PackedTransaction) -> Result<Self, WireError> {
        let unpacked = packed.transaction().map_err(|fault| WireError::Transaction(Box::new(fault)))?;
        let (id, expiration) = (unpacked.id(), unpacked.header.expiration);
        Ok(Self { id, expiration, memory_bytes: unpacked.memory_bytes(), packed: Arc::new(packed) })
    }
}
