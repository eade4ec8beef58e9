//! The Antelope binary format (`fc::raw`): little-endian integers, LEB128 lengths, no padding, no tags.
//!
//! What knows a meaning (a name, a block) does not belong here; see `primitives`.
//!
//! - [`Pack`] writes into a [`Sink`]: a byte vector, a size counter or a hash.
//! - [`Unpack`] reads from a [`Reader`], never panics, and never reserves more memory than the input could fill.

mod impls;
mod json;
mod reader;
mod sink;
mod varint;

pub use codec_derive::{Pack, Unpack};
pub use impls::{BYTES_MAX, Bytes, ITEMS_MAX};
pub use reader::{DecodeError, Reader};
pub use sink::{Sink, SizeCounter};
pub use varint::{VarInt32, VarUint32};

/// A value with a binary form.
pub trait Pack {
    /// Writes the value.
    fn pack<S: Sink + ?Sized>(&self, out: &mut S);

    /// The value's bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.packed_size());
        self.pack(&mut out);
        out
    }

    /// Number of bytes that [`Pack::pack`] writes.
    fn packed_size(&self) -> usize {
        let mut counter = SizeCounter(0);
        self.pack(&mut counter);
        counter.0
    }
}

/// A value that can be read from its binary form.
pub trait Unpack: Sized {
    /// Reads one value and leaves the rest of the input.
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Reads a value that fills `bytes` exactly.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`] when something is left.
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let value = Self::unpack(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }

    /// Reads a value from the front of `bytes`; what follows is ignored, as `fc::raw::unpack` does.
    fn from_prefix(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::unpack(&mut Reader::new(bytes))
    }
}
