//! Hash values and the hasher that packed values are written into.

use codec::{Pack, Sink, Unpack};
use sha2::Digest as _;

/// A 160-bit hash value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub struct Checksum160(pub [u8; 20]);

/// A 256-bit hash value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct Checksum256(pub [u8; 32]);

/// A 512-bit hash value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub struct Checksum512(pub [u8; 64]);

/// A block's id: the hash of its header with the block number in the first four bytes.
pub type BlockId = Checksum256;
/// A chain's id: the hash of its genesis.
pub type ChainId = Checksum256;
/// A transaction's id: the hash of the unsigned transaction.
pub type TransactionId = Checksum256;

/// SHA-256 as a sink of packed values.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sink for Sha256 {
    fn put(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

impl Sha256 {
    /// The hash of what was written.
    pub fn finish(self) -> Checksum256 {
        Checksum256(self.0.finalize().into())
    }

    /// The hash of `bytes` as they are, without a length.
    pub fn of(bytes: &[u8]) -> Checksum256 {
        Checksum256(sha2::Sha256::digest(bytes).into())
    }

    /// The hash of a value's packed form (`fc::sha256::hash(value)`).
    pub fn packed<T: Pack + ?Sized>(value: &T) -> Checksum256 {
        let mut hasher = Self::default();
        value.pack(&mut hasher);
        hasher.finish()
    }
}
