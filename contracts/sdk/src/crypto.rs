//! Hashes and signatures, computed by the host.

use crate::alloc;
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

/// The uncompressed secp256k1 key (a byte 4, then both coordinates) that signed a digest; `signature` is 65 bytes as
/// Ethereum writes them, the recovery byte first. Nothing when there is no such key.
pub fn k1_recover(signature: &[u8; 65], digest: &Checksum256) -> Option<[u8; 65]> {
    let mut key = [0; 65];
    // SAFETY: pointers and lengths are those of live arrays.
    let status = unsafe { raw::k1_recover(signature.as_ptr(), 65, digest.0.as_ptr(), 32, key.as_mut_ptr(), 65) };
    (status == 0).then_some(key)
}

/// The sum of two points of alt_bn128 (x then y, 32 bytes big-endian each). Nothing when one is no point.
pub fn alt_bn128_add(a: &[u8; 64], b: &[u8; 64]) -> Option<[u8; 64]> {
    let (a, b, mut sum) = (*a, *b, [0; 64]); // the host wants every buffer to be one of its own, here and below
    // SAFETY: pointers and lengths are those of live arrays.
    let status = unsafe { raw::alt_bn128_add(a.as_ptr(), 64, b.as_ptr(), 64, sum.as_mut_ptr(), 64) };
    (status == 0).then_some(sum)
}

/// A point of alt_bn128 times a number (32 bytes, big-endian). Nothing when the point is none.
pub fn alt_bn128_mul(point: &[u8; 64], scalar: &[u8; 32]) -> Option<[u8; 64]> {
    let (point, scalar, mut product) = (*point, *scalar, [0; 64]);
    // SAFETY: pointers and lengths are those of live arrays.
    let status = unsafe { raw::alt_bn128_mul(point.as_ptr(), 64, scalar.as_ptr(), 32, product.as_mut_ptr(), 64) };
    (status == 0).then_some(product)
}

/// Whether the product of the pairings is one; `pairs` are points of G1 (64 bytes) each with one of G2 (128 bytes).
/// Nothing when one is no point.
pub fn alt_bn128_pair(pairs: &[u8]) -> Option<bool> {
    // SAFETY: pointer and length are those of a live slice.
    match unsafe { raw::alt_bn128_pair(pairs.as_ptr(), pairs.len() as u32) } {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}

/// `base` to the power of `exponent`, modulo `modulus`, all big-endian; as long as the modulus. Nothing when the
/// modulus is empty.
pub fn mod_exp(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let (base, exponent, modulus) = (Vec::from(base), Vec::from(exponent), Vec::from(modulus));
    let mut result = alloc::vec![0; modulus.len()];
    // SAFETY: pointers and lengths are those of live slices.
    let status = unsafe {
        raw::mod_exp(
            base.as_ptr(),
            base.len() as u32,
            exponent.as_ptr(),
            exponent.len() as u32,
            modulus.as_ptr(),
            modulus.len() as u32,
            result.as_mut_ptr(),
            result.len() as u32,
        )
    };
    (status == 0).then_some(result)
}

/// The compression function of BLAKE2b (RFC 7693): the new state after so many rounds. `offset` is how many bytes were
/// taken so far, little-endian, low half first.
pub fn blake2_f(
    rounds: u32,
    state: &[u8; 64],
    message: &[u8; 128],
    offset: [&[u8; 8]; 2],
    last: bool,
) -> Option<[u8; 64]> {
    let (state, message, [low, high], mut result) = (*state, *message, offset.map(|half| *half), [0; 64]);
    // SAFETY: pointers and lengths are those of live arrays.
    let status = unsafe {
        raw::blake2_f(
            rounds,
            state.as_ptr(),
            64,
            message.as_ptr(),
            128,
            low.as_ptr(),
            8,
            high.as_ptr(),
            8,
            i32::from(last),
            result.as_mut_ptr(),
            64,
        )
    };
    (status == 0).then_some(result)
}
