//! Host functions for hashes and keys (leap webassembly/crypto.cpp).

use primitives::{Checksum256, Fault, FaultKind, Pack as _, PublicKey, Signature, ensure};
use sha2::Digest;
use wasm::{Intrinsics, LegacyPtr, LegacySpan, Memory};

use crate::fault::{Outcome, unpack_prefix};
use crate::intrinsics::copy_out;
use crate::world::World;

/// Bytes hashed between two looks at the clock (`hashing_checktime_block_size`).
pub(super) const HASHING_BLOCK_SIZE: usize = 10 * 1024;
/// Key kinds that every chain begins with: K1 and R1, always of one length.
const GENESIS_KEY_TYPES: usize = 2;
/// Bytes of a packed K1 or R1 key.
const SHORT_KEY_SIZE: usize = 34;

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_free("assert_recover_key", assert_recover_key)
        .context_free("recover_key", recover_key)
        .context_free("assert_sha256", assert_hash::<sha2::Sha256, 32>)
        .context_free("assert_sha1", assert_hash::<sha1::Sha1, 20>)
        .context_free("assert_sha512", assert_hash::<sha2::Sha512, 64>)
        .context_free("assert_ripemd160", assert_hash::<ripemd::Ripemd160, 20>)
        .context_free("sha256", hash::<sha2::Sha256, 32>)
        .context_free("sha1", hash::<sha1::Sha1, 20>)
        .context_free("sha512", hash::<sha2::Sha512, 64>)
        .context_free("ripemd160", hash::<ripemd::Ripemd160, 20>);
}

/// Hashes with a look at the clock now and then.
pub(super) fn hash_with_checktime<D: Digest>(world: &World, data: &[u8]) -> Outcome<D> {
    let mut hasher = D::new();
    let mut blocks = data.chunks(HASHING_BLOCK_SIZE).peekable();
    while let Some(block) = blocks.next() {
        hasher.update(block);
        if blocks.peek().is_some() {
            world.checktime()?;
        }
    }
    Ok(hasher)
}

fn digest_of<D: Digest, const N: usize>(world: &World, data: &[u8]) -> Outcome<[u8; N]> {
    let hasher: D = hash_with_checktime(world, data)?;
    Ok(hasher.finalize().as_slice().try_into().expect("the length of this hash"))
}

fn hash<D: Digest + 'static, const N: usize>(
    world: &mut World,
    memory: &mut Memory<'_>,
    data: LegacySpan,
    result: LegacyPtr<[u8; N]>,
) -> Outcome {
    let digest = digest_of::<D, N>(world, data.bytes(memory))?;
    result.write(memory, digest);
    Ok(())
}

fn assert_hash<D: Digest + 'static, const N: usize>(
    world: &mut World,
    memory: &mut Memory<'_>,
    data: LegacySpan,
    expected: LegacyPtr<[u8; N]>,
) -> Outcome {
    let digest = digest_of::<D, N>(world, data.bytes(memory))?;
    ensure!(digest == expected.read(memory), CRYPTO_API_EXCEPTION, "hash mismatch");
    Ok(())
}

fn check_signature(world: &World, signature: &Signature, function: &str) -> Outcome {
    let known = world.ledger.protocol_state().num_supported_key_types as usize;
    ensure!(signature.which() < known, UNACTIVATED_SIGNATURE_TYPE, "Unactivated signature type used during {function}");
    Ok(())
}

fn check_signature_length(world: &World, signature: &Signature) -> Outcome {
    let limit = world.settings.maximum_variable_signature_length as usize;
    ensure!(
        !world.block.is_speculative() || signature.variable_size() <= limit,
        SIG_VARIABLE_SIZE_LIMIT_EXCEPTION,
        "signature variable length component size greater than subjective maximum"
    );
    Ok(())
}

fn assert_recover_key(
    world: &mut World,
    memory: &mut Memory<'_>,
    digest: LegacyPtr<[u8; 32]>,
    signature: LegacySpan,
    key: LegacySpan,
) -> Outcome {
    let signature: Signature = unpack_prefix(signature.bytes(memory))?;
    let expected: PublicKey = unpack_prefix(key.bytes(memory))?;
    check_signature(world, &signature, "assert_recover_key")?;
    let known = world.ledger.protocol_state().num_supported_key_types as usize;
    ensure!(
        expected.which() < known,
        UNACTIVATED_KEY_TYPE,
        "Unactivated key type used when creating assert_recover_key"
    );
    check_signature_length(world, &signature)?;
    let recovered = signature.recover_with(&Checksum256(digest.read(memory)), false)?;
    ensure!(recovered == expected, CRYPTO_API_EXCEPTION, "Error expected key different than recovered key");
    Ok(())
}

fn recover_key(
    world: &mut World,
    memory: &mut Memory<'_>,
    digest: LegacyPtr<[u8; 32]>,
    signature: LegacySpan,
    key: LegacySpan,
) -> Outcome<u32> {
    let signature: Signature = unpack_prefix(signature.bytes(memory))?;
    check_signature(world, &signature, "recover_key")?;
    check_signature_length(world, &signature)?;
    let recovered = signature.recover_with(&Checksum256(digest.read(memory)), false)?.to_bytes();
    if signature.which() >= GENESIS_KEY_TYPES {
        ensure!(
            key.len() >= 33,
            WASM_EXECUTION_ERROR,
            "destination buffer must at least be able to hold an ECC public key"
        );
    } else if (key.len() as usize) < SHORT_KEY_SIZE {
        return Err(too_short(key.len()));
    }
    copy_out(key.bytes_mut(memory), &recovered);
    Ok(recovered.len() as u32)
}

/// `fc::datastream`'s fault when a key is packed into too little: first its kind, then its 33 bytes.
fn too_short(length: u32) -> Fault {
    let left = i64::from(length).saturating_sub(1).max(0);
    let over = 1 - left;
    let message = format!("write datastream of length {length} over by {over}");
    Fault::new(FaultKind::OUT_OF_RANGE_EXCEPTION, message)
}
