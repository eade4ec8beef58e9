//! Transactions as they travel and as blocks hold them: packed, perhaps compressed.

use std::borrow::Cow;

use codec::{Bytes, Pack, Sink, Unpack};
use serde::{Deserialize, Serialize};

use crate::fault::UNKNOWN_COMPRESSION;
use crate::{Checksum256, Fault, FaultKind, Sha256, Signature, SignedTransaction, Transaction};

/// Most bytes that a compressed part expands to; what a stream holds beyond is cut off or refused, see [`expand`].
pub const DECOMPRESSED_BYTES_MAX: usize = 1024 * 1024;
/// Bytes beyond them that are cut off; one more is refused. They are what the buffer behind nodeos' limit holds when a
/// stream ends, and its last flush fails in silence (boost iostreams: `default_filter_buffer_size`).
pub const CUT_BYTES_MAX: usize = 128;
/// nodeos compares with the limit whenever so many bytes more are expanded (boost: `default_device_buffer_size`).
const PIECE_BYTES: usize = 4096;
/// nodeos' decompressor is given so many bytes at a time.
const CHUNK_BYTES: usize = 128;
/// Net bytes that every packed transaction costs beside its parts (nodeos: `fixed_net_overhead_of_packed_trx`).
const NET_OVERHEAD_BYTES: u64 = 16;

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
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        (*self as u8).pack(out);
    }
}

impl Compression {
    fn of_number(number: u8) -> Result<Self, codec::DecodeError> {
        match number {
            0 => Ok(Self::None),
            1 => Ok(Self::Zlib),
            _ => Err(codec::DecodeError::Invalid(UNKNOWN_COMPRESSION)),
        }
    }
}

impl Serialize for Compression {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::None => "none",
            Self::Zlib => "zlib",
        })
    }
}

impl<'de> Deserialize<'de> for Compression {
    /// A name, or a number as a number or a string, as fc reads enumerations.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Name(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(0) => Ok(Self::None),
            Form::Number(1) => Ok(Self::Zlib),
            Form::Name(name) if name == "none" || name == "0" => Ok(Self::None),
            Form::Name(name) if name == "zlib" || name == "1" => Ok(Self::Zlib),
            _ => Err(serde::de::Error::custom(UNKNOWN_COMPRESSION)),
        }
    }
}

/// A transaction as it travels and as blocks hold it. Its bytes are kept as they came: they enter the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Serialize, Deserialize)]
#[serde(default)]
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

impl Unpack for PackedTransaction {
    fn unpack(input: &mut codec::Reader<'_>) -> Result<Self, codec::DecodeError> {
        // The compression is judged when all has been read.
        let (signatures, compression) = Unpack::unpack(input)?;
        let (packed_context_free_data, packed_trx) = Unpack::unpack(input)?;
        let compression = Compression::of_number(compression)?;
        Ok(Self { signatures, compression, packed_context_free_data, packed_trx })
    }
}

impl PackedTransaction {
    /// Packs a transaction.
    pub fn new(signed: &SignedTransaction, compression: Compression) -> Self {
        let pack = |bytes: Vec<u8>| match compression {
            Compression::None => Bytes(bytes),
            Compression::Zlib => Bytes(compress(&bytes)),
        };
        let data = &signed.context_free_data;
        Self {
            signatures: signed.signatures.clone(),
            compression,
            packed_context_free_data: if data.is_empty() { Bytes::default() } else { pack(data.to_bytes()) },
            packed_trx: pack(signed.transaction.to_bytes()),
        }
    }

    /// The packed transaction without compression.
    ///
    /// # Errors
    /// `tx_decompression_error` when it expands too far; `exception` (0) when it is not a zlib stream.
    pub fn raw_transaction(&self) -> Result<Cow<'_, [u8]>, Fault> {
        self.expand(&self.packed_trx)
    }

    fn expand<'a>(&self, part: &'a [u8]) -> Result<Cow<'a, [u8]>, Fault> {
        Ok(match self.compression {
            Compression::None => Cow::Borrowed(part),
            Compression::Zlib => Cow::Owned(expand(part)?),
        })
    }

    /// The transaction. Bytes after it are ignored, as nodeos does.
    ///
    /// # Errors
    /// A fault of decompression or decoding.
    pub fn transaction(&self) -> Result<Transaction, Fault> {
        Ok(Transaction::from_prefix(&self.raw_transaction()?)?)
    }

    /// The context-free data. No bytes are none of it, and so is a compressed nothing, which some clients send.
    ///
    /// # Errors
    /// A fault of decompression or decoding.
    pub fn context_free_data(&self) -> Result<Vec<Bytes>, Fault> {
        let packed = &self.packed_context_free_data;
        let plain = if packed.is_empty() { Cow::default() } else { self.expand(packed)? };
        if plain.is_empty() { Ok(Vec::new()) } else { Ok(Vec::from_prefix(&plain)?) }
    }

    /// Everything unpacked.
    ///
    /// # Errors
    /// A fault of decompression or decoding.
    pub fn unpack_signed(&self) -> Result<SignedTransaction, Fault> {
        Ok(SignedTransaction {
            transaction: self.transaction()?,
            signatures: self.signatures.clone(),
            context_free_data: self.context_free_data()?,
        })
    }

    /// The hash of what a pruned block may leave out: signatures and context-free data.
    pub fn prunable_digest(&self) -> Checksum256 {
        Sha256::packed(&(&self.signatures, &self.packed_context_free_data))
    }

    /// The hash that receipts commit to.
    pub fn packed_digest(&self) -> Checksum256 {
        Sha256::packed(&(self.compression, &self.packed_trx, self.prunable_digest()))
    }

    /// Net bytes that are billed in full.
    ///
    /// # Errors
    /// `tx_too_big` above 32 bits.
    pub fn unprunable_size(&self) -> Result<u32, Fault> {
        size(NET_OVERHEAD_BYTES + self.packed_trx.len() as u64)
    }

    /// Net bytes that are billed with a discount.
    ///
    /// # Errors
    /// `tx_too_big` above 32 bits.
    pub fn prunable_size(&self) -> Result<u32, Fault> {
        size(self.signatures.packed_size() as u64 + self.packed_context_free_data.len() as u64)
    }
}

fn size(bytes: u64) -> Result<u32, Fault> {
    u32::try_from(bytes).map_err(|_| Fault::new(FaultKind::TX_TOO_BIG, "packed_transaction is too big"))
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}

/// Expands one zlib stream as nodeos' chain of filters does (leap transaction.cpp `zlib_decompress`): what follows the
/// stream is ignored, up to [`CUT_BYTES_MAX`] bytes beyond [`DECOMPRESSED_BYTES_MAX`] are cut off.
///
/// # Errors
/// `tx_decompression_error` for more; `exception` (0) for what is damaged, cut short, framed otherwise or needs a
/// dictionary. Of a stream that is both, nodeos says what it meets first, looking at the size after each piece.
fn expand(stream: &[u8]) -> Result<Vec<u8>, Fault> {
    let damaged = || Fault::new(FaultKind::EXCEPTION, "internal decompression error");
    let mut filter = Filter::new();
    let mut chunks = stream.chunks(CHUNK_BYTES).peekable();
    while let Some(mut chunk) = chunks.next() {
        while !chunk.is_empty() {
            filter.flush_full()?;
            match filter.inflate(chunk) {
                Some(Step::End) => return filter.finish(),
                Some(Step::Read(count)) => chunk = &chunk[count..],
                // A failure in the last bytes comes up again when the filter is closed, after a full piece's flush.
                None if chunks.peek().is_none() => return filter.flush_full().and(Err(damaged())),
                None => return Err(damaged()),
            }
        }
    }
    loop {
        filter.flush_full()?;
        match filter.inflate(&[]) {
            Some(Step::End) => return filter.finish(),
            Some(Step::Read(_)) => filter.flush()?,
            None => return Err(damaged()),
        }
    }
}

/// nodeos' decompressor and the limit behind it.
struct Filter {
    inflate: flate2::Decompress,
    piece: [u8; PIECE_BYTES],
    filled: usize,
    out: Vec<u8>,
}

/// How one call of the decompressor ended.
enum Step {
    /// The stream is whole.
    End,
    /// So many bytes were read.
    Read(usize),
}

impl Filter {
    fn new() -> Self {
        Self { inflate: flate2::Decompress::new(true), piece: [0; PIECE_BYTES], filled: 0, out: Vec::new() }
    }

    /// Reads on; none where the stream is damaged, or ends too soon.
    fn inflate(&mut self, chunk: &[u8]) -> Option<Step> {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(chunk, &mut self.piece[self.filled..], flate2::FlushDecompress::Sync);
        let (read, written) = (self.inflate.total_in() - before.0, self.inflate.total_out() - before.1);
        self.filled += written as usize;
        match status.ok()? {
            flate2::Status::StreamEnd => Some(Step::End),
            _ if read + written > 0 => Some(Step::Read(read as usize)),
            _ => None,
        }
    }

    /// Passes a full piece on.
    fn flush_full(&mut self) -> Result<(), Fault> {
        if self.filled == PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    /// Passes on what there is, as far as the limit allows.
    fn flush(&mut self) -> Result<(), Fault> {
        let fits = self.out.len() + self.filled <= DECOMPRESSED_BYTES_MAX + CUT_BYTES_MAX;
        crate::ensure!(fits, TX_DECOMPRESSION_ERROR, "Exceeded maximum decompressed transaction size");
        self.out.extend_from_slice(&self.piece[..self.filled]);
        self.filled = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, Fault> {
        self.flush()?;
        self.out.truncate(DECOMPRESSED_BYTES_MAX);
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, name};

    fn sample() -> SignedTransaction {
        let action =
            Action { account: name!("eosio"), name: name!("nonce"), data: Bytes(vec![7; 300]), ..Action::default() };
        let transaction = Transaction { actions: vec![action], ..Transaction::default() };
        SignedTransaction { transaction, signatures: vec![], context_free_data: vec![Bytes(vec![1, 2, 3])] }
    }

    #[test]
    fn both_compressions_come_back() {
        let signed = sample();
        for compression in [Compression::None, Compression::Zlib] {
            let packed = PackedTransaction::new(&signed, compression);
            assert_eq!(packed.unpack_signed(), Ok(signed.clone()));
            let json = serde_json::to_string(&packed).expect("json");
            assert_eq!(serde_json::from_str::<PackedTransaction>(&json).expect("packed"), packed);
            assert_eq!(PackedTransaction::from_bytes(&packed.to_bytes()), Ok(packed));
        }
    }

    #[test]
    fn bombs_and_garbage_are_faults() {
        let packed = |bytes: Vec<u8>| PackedTransaction {
            compression: Compression::Zlib,
            packed_trx: Bytes(bytes),
            ..PackedTransaction::default()
        };
        let bomb = packed(compress(&vec![0; DECOMPRESSED_BYTES_MAX + CUT_BYTES_MAX + 1]));
        assert_eq!(bomb.transaction().expect_err("bomb").kind, FaultKind::TX_DECOMPRESSION_ERROR);
        assert_eq!(packed(vec![1, 2, 3]).transaction().expect_err("garbage").kind, FaultKind::EXCEPTION);
        assert!(packed(vec![]).transaction().is_err());
        let whole = compress(&Transaction::default().to_bytes());
        assert!(packed(whole[..whole.len() - 5].to_vec()).transaction().is_err());
        assert!(packed([&whole[..], b"more"].concat()).transaction().is_ok());
    }

    #[test]
    fn a_compressed_nothing_is_no_context_free_data() {
        let data = |compression, bytes: Vec<u8>| {
            let packed_context_free_data = Bytes(bytes);
            PackedTransaction { compression, packed_context_free_data, ..PackedTransaction::default() }
                .context_free_data()
        };
        // What eosjs sends with `compression: true`.
        let nothing = hex::decode("789c030000000001").expect("hex");
        assert_eq!(data(Compression::Zlib, nothing), Ok(vec![]));
        assert_eq!(data(Compression::Zlib, vec![]), Ok(vec![]));
        assert_eq!(data(Compression::None, vec![]), Ok(vec![]));
    }

    #[test]
    fn what_goes_beyond_the_limit_is_cut_off_as_far_as_nodeos_cuts() {
        for beyond in [0, 1, CUT_BYTES_MAX] {
            let plain = vec![7; DECOMPRESSED_BYTES_MAX + beyond];
            assert_eq!(expand(&compress(&plain)).map(|out| out.len()), Ok(DECOMPRESSED_BYTES_MAX), "{beyond} beyond");
        }
        for beyond in [CUT_BYTES_MAX + 1, PIECE_BYTES, 64 * DECOMPRESSED_BYTES_MAX] {
            let plain = vec![7; DECOMPRESSED_BYTES_MAX + beyond];
            assert_eq!(expand(&compress(&plain)).map_err(|fault| fault.kind), Err(FaultKind::TX_DECOMPRESSION_ERROR));
        }
    }
}
