//! nodeos' block log (`blocks.log`) over bytes: a reader that finds blocks in place, and a writer of version 3.
//! Files are opened, mapped and written elsewhere.
//!
//! ```text
//! u32 version | u32 first block | genesis or chain id | u64 0xff..ff | { packed block | u64 its offset }*
//! ```
//! A pruned log has the high bit set in its version and ends with a u32: how many blocks at its end are still there.

use codec::{DecodeError, Pack, Reader, Sink, Unpack};
use primitives::{ChainId, Genesis, SignedBlock, SignedBlockHeader};

/// The version that is written.
const VERSION: u32 = 3;
/// Marks a pruned log in the version field.
const PRUNED: u32 = 1 << 31;
/// Separates the head of the log from its blocks.
const TOTEM: u64 = u64::MAX;
/// Bytes of the offset after each block.
const OFFSET_BYTES: usize = 8;
/// Bytes of the count at the end of a pruned log.
const COUNT_BYTES: usize = 4;

/// Why bytes are not a usable block log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockLogError {
    /// Another version.
    #[error("block log version {0} is not supported; versions 1 to 3 are")]
    Version(u32),
    /// The head of the log does not decode.
    #[error("the block log's header is damaged: {0}")]
    Header(DecodeError),
    /// The separator after the head is missing.
    #[error("the separator between the block log's header and its blocks is missing")]
    Separator,
    /// The log does not end with a whole block.
    #[error(
        "the block log does not end with a whole block. `boreasd salvage --blocks-log FILE NEW_FILE` writes the blocks before the damage into a new log"
    )]
    Tail,
    /// A block does not decode, or is not the one it should be.
    #[error("block {number} at byte {offset} of the log is damaged: {cause}")]
    Block {
        /// Its number.
        number: u32,
        /// Where it begins.
        offset: u64,
        /// What is wrong.
        cause: String,
    },
}

/// What chain the log is of: logs that begin with block 1 say it all, later ones only name it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one exists for each log")]
pub enum ChainContext {
    /// The whole genesis.
    Genesis(Genesis),
    /// The chain's id.
    Id(ChainId),
}

impl ChainContext {
    /// The chain's id.
    pub fn chain_id(&self) -> ChainId {
        match self {
            Self::Genesis(genesis) => genesis.chain_id(),
            Self::Id(id) => *id,
        }
    }
}

/// A block log in memory or mapped.
#[derive(Debug, Clone)]
pub struct BlockLog<'a> {
    bytes: &'a [u8],
    context: ChainContext,
    first: u32,
    offsets: Vec<u64>,
    /// Where the last block's offset field ends.
    end: usize,
}

impl<'a> BlockLog<'a> {
    /// Opens a whole log. Blocks are found by their offset fields, from the end, without decoding them.
    ///
    /// # Errors
    /// Everything but damaged blocks, which are found when they are read.
    pub fn open(bytes: &'a [u8]) -> Result<Self, BlockLogError> {
        let (head, body) = Head::read(bytes)?;
        let mut offsets = Vec::new();
        let (end, count) = if head.pruned { pruned_tail(bytes)? } else { (bytes.len(), u32::MAX) };
        let mut cursor = end;
        while cursor > body && offsets.len() < count as usize {
            let field = cursor.checked_sub(OFFSET_BYTES).ok_or(BlockLogError::Tail)?;
            let offset = Reader::new(&bytes[field..]).array().map(u64::from_le_bytes).map_err(BlockLogError::Header)?;
            let start = usize::try_from(offset).ok().filter(|start| (body..field).contains(start));
            cursor = start.ok_or(BlockLogError::Tail)?;
            offsets.push(offset);
        }
        offsets.reverse();
        let mut log = Self { bytes, context: head.context, first: head.first, offsets, end };
        if head.pruned
            && let Some(first) = log.offsets.first()
        {
            log.first = number_at(bytes, *first).ok_or(BlockLogError::Tail)?;
        }
        Ok(log)
    }

    /// Opens a log that may be torn at its end or damaged within: keeps the whole blocks before the damage.
    /// Reads through all of it.
    ///
    /// # Errors
    /// When not even the header can be read.
    pub fn salvage(bytes: &'a [u8]) -> Result<Self, BlockLogError> {
        let (head, body) = Head::read(bytes)?;
        let mut log = Self { bytes, context: head.context, first: head.first, offsets: Vec::new(), end: body };
        while let Some(next) = log.bytes.get(log.end..).and_then(|rest| whole_entry(rest, log.end, log.next())) {
            log.offsets.push(log.end as u64);
            log.end = next;
        }
        Ok(log)
    }

    /// The chain that the log is of.
    pub fn context(&self) -> &ChainContext {
        &self.context
    }

    /// The number of the first block that is there.
    pub fn first_block_num(&self) -> u32 {
        self.first
    }

    /// The number of the last block; `None` for an empty log.
    pub fn last_block_num(&self) -> Option<u32> {
        (!self.offsets.is_empty()).then(|| self.next() - 1)
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    fn next(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.offsets.len()).unwrap_or(u32::MAX))
    }

    /// The packed block with this number.
    pub fn packed(&self, number: u32) -> Option<&'a [u8]> {
        let index = number.checked_sub(self.first)? as usize;
        let start = usize::try_from(*self.offsets.get(index)?).ok()?;
        let next = self.offsets.get(index + 1).and_then(|next| usize::try_from(*next).ok()).unwrap_or(self.end);
        self.bytes.get(start..next.checked_sub(OFFSET_BYTES)?)
    }

    /// The block with this number.
    ///
    /// # Errors
    /// [`BlockLogError::Block`] when it does not decode, or has another number.
    pub fn block(&self, number: u32) -> Result<Option<SignedBlock>, BlockLogError> {
        let Some(packed) = self.packed(number) else { return Ok(None) };
        let damaged = |cause: String| {
            let offset = self.offsets[(number - self.first) as usize];
            BlockLogError::Block { number, offset, cause }
        };
        let block = SignedBlock::from_bytes(packed).map_err(|cause| damaged(cause.to_string()))?;
        match block.block_num() {
            found if found == number => Ok(Some(block)),
            found => Err(damaged(format!("it says it is block {found}"))),
        }
    }

    /// The packed blocks in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &'a [u8])> + '_ {
        (self.first..self.next()).filter_map(|number| Some((number, self.packed(number)?)))
    }
}

/// The fields before the blocks.
struct Head {
    first: u32,
    pruned: bool,
    context: ChainContext,
}

impl Head {
    /// Reads it; the second value is where the blocks begin.
    fn read(bytes: &[u8]) -> Result<(Self, usize), BlockLogError> {
        let mut reader = Reader::new(bytes);
        let head = Self::fields(&mut reader)?;
        Ok((head, bytes.len() - reader.remaining()))
    }

    fn fields(reader: &mut Reader<'_>) -> Result<Self, BlockLogError> {
        let raw = u32::unpack(reader).map_err(BlockLogError::Header)?;
        let (version, pruned) = (raw & !PRUNED, raw & PRUNED != 0);
        if !(1..=VERSION).contains(&version) {
            return Err(BlockLogError::Version(version));
        }
        let first = if version == 1 { Ok(1) } else { u32::unpack(reader) }.map_err(BlockLogError::Header)?;
        let context = if version < 3 || first == 1 {
            Genesis::unpack(reader).map(ChainContext::Genesis)
        } else {
            ChainId::unpack(reader).map(ChainContext::Id)
        };
        let context = context.map_err(BlockLogError::Header)?;
        if version > 1 && u64::unpack(reader).map_err(BlockLogError::Header)? != TOTEM {
            return Err(BlockLogError::Separator);
        }
        Ok(Self { first: first.max(1), pruned, context })
    }
}

/// Where the blocks of a pruned log end, and how many there are.
fn pruned_tail(bytes: &[u8]) -> Result<(usize, u32), BlockLogError> {
    let end = bytes.len().checked_sub(COUNT_BYTES).ok_or(BlockLogError::Tail)?;
    let count = u32::from_bytes(&bytes[end..]).map_err(BlockLogError::Header)?;
    Ok((end, count))
}

fn number_at(bytes: &[u8], offset: u64) -> Option<u32> {
    let start = usize::try_from(offset).ok()?;
    let header = SignedBlockHeader::from_prefix(bytes.get(start..)?).ok()?;
    Some(header.header.block_num())
}

/// The end of the entry at `start`, when it is the whole block `number`.
fn whole_entry(rest: &[u8], start: usize, number: u32) -> Option<usize> {
    let mut reader = Reader::new(rest);
    let block = SignedBlock::unpack(&mut reader).ok()?;
    let offset = u64::unpack(&mut reader).ok()?;
    (block.block_num() == number && offset == start as u64).then(|| start + rest.len() - reader.remaining())
}

/// Writes a log of version 3.
#[derive(Debug, Clone)]
pub struct BlockLogWriter {
    offset: u64,
}

impl BlockLogWriter {
    /// Writes the head of a log whose first block is `first`. Only a log that begins with block 1 can hold a genesis.
    pub fn begin<S: Sink + ?Sized>(context: &ChainContext, first: u32, out: &mut S) -> Self {
        let mut head = Vec::new();
        (VERSION, first).pack(&mut head);
        match context {
            ChainContext::Genesis(genesis) if first == 1 => genesis.pack(&mut head),
            other => other.chain_id().pack(&mut head),
        }
        TOTEM.pack(&mut head);
        out.put(&head);
        Self { offset: head.len() as u64 }
    }

    /// Goes on with a log of `length` bytes that ends with a whole block.
    pub fn resume(length: u64) -> Self {
        Self { offset: length }
    }

    /// Writes the next block and returns its offset, the entry of `blocks.index`.
    pub fn append<S: Sink + ?Sized>(&mut self, packed_block: &[u8], out: &mut S) -> u64 {
        let offset = self.offset;
        out.put(packed_block);
        offset.pack(out);
        self.offset += (packed_block.len() + OFFSET_BYTES) as u64;
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Sha256;

    fn chain(first: u32, count: u32) -> Vec<Vec<u8>> {
        let mut previous = Sha256::of(b"somewhere");
        previous.0[..4].copy_from_slice(&(first - 1).to_be_bytes());
        let mut next = || {
            let mut block = SignedBlock::default();
            block.signed_header.header.previous = previous;
            previous = block.id();
            block.to_bytes()
        };
        (0..count).map(|_| next()).collect()
    }

    fn log(first: u32, count: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = BlockLogWriter::begin(&ChainContext::Id(Sha256::of(b"id")), first, &mut out);
        chain(first, count).iter().for_each(|block| {
            writer.append(block, &mut out);
        });
        out
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = log(100, 5);
        let read = BlockLog::open(&bytes).expect("whole log");
        assert_eq!((read.first_block_num(), read.last_block_num(), read.len()), (100, Some(104), 5));
        assert_eq!(read.context().chain_id(), Sha256::of(b"id"));
        for (packed, expected) in read.iter().zip(chain(100, 5)) {
            assert_eq!(packed.1, expected);
        }
        assert_eq!(read.block(103).expect("readable").expect("there").block_num(), 103);
        assert_eq!(read.block(99), Ok(None));
        assert_eq!(read.block(105), Ok(None));
    }

    #[test]
    fn an_empty_log_has_no_blocks() {
        let bytes = log(7, 0);
        let read = BlockLog::open(&bytes).expect("whole log");
        assert_eq!((read.last_block_num(), read.is_empty()), (None, true));
    }

    #[test]
    fn a_torn_tail_is_refused_and_salvaged() {
        let bytes = log(100, 5);
        let torn = &bytes[..bytes.len() - 3];
        assert_eq!(BlockLog::open(torn).err(), Some(BlockLogError::Tail));
        let read = BlockLog::salvage(torn).expect("header is whole");
        assert_eq!(read.last_block_num(), Some(103));
        assert_eq!(read.packed(103), BlockLog::open(&bytes).expect("whole log").packed(103));
    }

    #[test]
    fn a_pruned_log_begins_where_its_count_says() {
        let mut bytes = log(100, 5);
        bytes[3] |= 0x80;
        2u32.pack(&mut bytes);
        let read = BlockLog::open(&bytes).expect("pruned log");
        assert_eq!((read.first_block_num(), read.last_block_num()), (103, Some(104)));
        assert_eq!(read.block(104).expect("readable").expect("there").block_num(), 104);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let bytes = log(100, 3);
        for length in 0..bytes.len() {
            let _ = BlockLog::open(&bytes[..length]);
            let _ = BlockLog::salvage(&bytes[..length]);
        }
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0xff;
            if let Ok(read) = BlockLog::open(&broken) {
                read.iter().for_each(|(number, _)| drop(read.block(number)));
            }
        }
    }
}
