//! Hashes and signatures, computed by the host.

use crate::alloc::vec::Vec;
use crate::codec::{pack, unpack};
use crate::digest::{Checksum160, Checksum256, Checksum512};
use crate::key::{PublicKey, Signature};
use crate::raw;

macro_rules! hashes {
    ($($(#[$doc:meta])* $name:ident $assert:ident $digest:ident;)+) => { $(
        $(#[$doc])*
        pub fn $name(data: &[u8]) -> $digest {
            let mut digest = $digest::default();
            // SAFETY: pointer and length are those of a live slice; the digest has its size.
            unsafe { raw::$name(data.as_ptr(), data.len() as u32, digest.0.as_mut_ptr()) };
            digest
        }

        /// Fails the action unless the data has this digest.
        pub fn $assert(data: &[u8], digest: &$digest) {
            // SAFETY: pointer and length are those of a live slice; the digest has its size.
            unsafe { raw::$assert(data.as_ptr(), data.len() as u32, digest.0.as_ptr()) };
        }
    )+ };
}

hashes! {
    /// SHA-256.
    sha256 assert_sha256 Checksum256;
    /// SHA-1.
    sha1 assert_sha1 Checksum160;
    /// SHA-512.
    sha512 assert_sha512 Checksum512;
    /// RIPEMD-160.
    ripemd160 assert_ripemd160 Checksum160;
}

/// SHA3-256, or Keccak-256 as Ethereum uses it.
pub fn sha3(data: &[u8], keccak: bool) -> Checksum256 {
    let mut digest = Checksum256::default();
    // SAFETY: pointers and lengths are those of live slices.
    unsafe { raw::sha3(data.as_ptr(), data.len() as u32, digest.0.as_mut_ptr(), 32, i32::from(keccak)) };
    digest
}

/// The key that signed `digest`.
pub fn recover_key(digest: &Checksum256, signature: &Signature) -> PublicKey {
    let signature = pack(signature);
    let mut key: Vec<u8> = alloc::vec![0; 512];
    // SAFETY: pointers and lengths are those of live vectors; longer keys are asked for again with their size.
    unsafe {
        let recover = |key: &mut Vec<u8>| {
            let (start, length) = (key.as_mut_ptr(), key.len() as u32);
            raw::recover_key(digest.0.as_ptr(), signature.as_ptr(), signature.len() as u32, start, length) as usize
        };
        let size = recover(&mut key);
        if size > key.len() {
            key.resize(size, 0);
            recover(&mut key);
        }
    }
    unpack(&key)
}

/// Fails the action unless `key` signed `digest`.
pub fn assert_recover_key(digest: &Checksum256, signature: &Signature, key: &PublicKey) {
    let (signature, key) = (pack(signature), pack(key));
    // SAFETY: pointers and lengths are those of live vectors.
    unsafe {
        raw::assert_recover_key(
            digest.0.as_ptr(),
            signature.as_ptr(),
            signature.len() as u32,
            key.as_ptr(),
            key.len() as u32,
        );
    }
}

use crate::alloc;
