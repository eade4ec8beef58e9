//! Hash values and the hasher that packed values are written into.

use std::fmt;
use std::str::FromStr;

use codec::{Pack, Sink, Unpack};
use sha2::Digest as _;

use crate::Fault;

/// A 160-bit hash value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub struct Checksum160(pub [u8; 20]);

/// A 256-bit hash value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct Checksum256(pub [u8; 32]);

/// A 512-bit hash value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub struct Checksum512(pub [u8; 64]);

/// A block's id: the hash of its header with the block number in the first four bytes.
pub type BlockId = Checksum256;
/// A chain's id: the hash of its genesis.
pub type ChainId = Checksum256;
/// A transaction's id: the hash of the unsigned transaction.
pub type TransactionId = Checksum256;

macro_rules! checksums {
    ($($type:ident)*) => {$(
        impl FromStr for $type {
            type Err = Fault;

            /// Hex digits, two for each byte; zeros follow a text that is too short, a text that is too long is cut, as fc does.
            fn from_str(text: &str) -> Result<Self, Fault> {
                let (bytes, mut value) = (crate::json::bytes_of_hex(text)?, Self([0; _]));
                let length = bytes.len().min(value.0.len());
                value.0[..length].copy_from_slice(&bytes[..length]);
                Ok(value)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 2 * size_of::<Self>()];
                hex::encode_to_slice(self.0, &mut text).expect("two digits for each byte");
                f.pad(std::str::from_utf8(&text).expect("hex is ASCII"))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl AsRef<[u8]> for $type {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        crate::json::as_text!($type);
    )*};
}
checksums!(Checksum160 Checksum256 Checksum512);

impl Checksum256 {
    /// Whether all bytes are zero.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 32]
    }

    /// The eight bytes from the `index`-th word as nodeos reads them from `_hash` (little-endian).
    pub fn word(&self, index: usize) -> u64 {
        let bytes = self.0.as_chunks::<8>().0[index];
        u64::from_le_bytes(bytes)
    }
}

/// SHA-256 as a sink of packed values.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sink for Sha256 {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256")
    }
}

impl Sha256 {
    /// The hash of what was written.
    #[inline]
    pub fn finish(self) -> Checksum256 {
        Checksum256(self.0.finalize().into())
    }

    /// The hash of `bytes` as they are, without a length.
    #[inline]
    pub fn of(bytes: &[u8]) -> Checksum256 {
        Checksum256(sha2::Sha256::digest(bytes).into())
    }

    /// The hash of a value's packed form (`fc::sha256::hash(value)`).
    #[inline]
    pub fn packed<T: Pack + ?Sized>(value: &T) -> Checksum256 {
        let mut hasher = Self::default();
        value.pack(&mut hasher);
        hasher.finish()
    }
}

/// The number that a block's id carries.
pub fn number_of(id: &BlockId) -> u32 {
    let [a, b, c, d, ..] = id.0;
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let hash = Sha256::of(b"abc");
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!("ff".parse::<Checksum160>().expect("short").to_string(), format!("ff{}", "0".repeat(38)));
        assert!("xy".parse::<Checksum256>().is_err() && "abc".parse::<Checksum256>().is_err());
        assert_eq!(serde_json::to_string(&Checksum160([0xab; 20])).expect("json"), format!("\"{}\"", "ab".repeat(20)));
    }
}
