//! Host functions of the feature CRYPTO_PRIMITIVES: the curve alt_bn128, modular powers, BLAKE2's compression, SHA-3
//! and raw key recovery (leap webassembly/crypto.cpp). They answer -1 to what they cannot take.

mod alt_bn128;
mod blake2;

use primitives::ensure;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, Secp256k1, VerifyOnly};
use sha2::Digest as _;
use sha3::{Keccak256, Sha3_256};
use std::sync::LazyLock;
use wasm::{Intrinsics, Memory, Span};

use crate::fault::Outcome;
use crate::intrinsics::copy_out;
use crate::intrinsics::crypto::hash_with_checktime;
use crate::world::World;

const FAILURE: i32 = -1;
const SUCCESS: i32 = 0;
const FEATURE: &str = "CRYPTO_PRIMITIVES";
/// Limit of the cost of `mod_exp` in blocks that are built here (`bit_calc_limit`).
const MOD_EXP_COST_MAX: u64 = 106;

static VERIFIER: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

pub(super) fn register(table: &mut Intrinsics<World>) {
    table
        .context_free("alt_bn128_add", alt_bn128_add)
        .since(FEATURE)
        .context_free("alt_bn128_mul", alt_bn128_mul)
        .since(FEATURE)
        .context_free("alt_bn128_pair", alt_bn128_pair)
        .since(FEATURE)
        .context_free("mod_exp", mod_exp)
        .since(FEATURE)
        .context_free("blake2_f", blake2_f)
        .since(FEATURE)
        .context_free("sha3", sha3)
        .since(FEATURE)
        .context_free("k1_recover", k1_recover)
        .since(FEATURE);
}

/// Writes a whole result where there is one and room for it.
fn answer(memory: &mut Memory<'_>, to: Span, result: Option<impl AsRef<[u8]>>) -> Outcome<i32> {
    let Some(result) = result else { return Ok(FAILURE) };
    let result = result.as_ref();
    if (to.len() as usize) < result.len() {
        return Ok(FAILURE);
    }
    to.bytes_mut(memory)[..result.len()].copy_from_slice(result);
    Ok(SUCCESS)
}

fn alt_bn128_add(_: &mut World, memory: &mut Memory<'_>, left: Span, right: Span, result: Span) -> Outcome<i32> {
    let sum = alt_bn128::add(left.bytes(memory), right.bytes(memory));
    answer(memory, result, sum)
}

fn alt_bn128_mul(_: &mut World, memory: &mut Memory<'_>, point: Span, scalar: Span, result: Span) -> Outcome<i32> {
    let product = alt_bn128::multiply(point.bytes(memory), scalar.bytes(memory));
    answer(memory, result, product)
}

fn alt_bn128_pair(world: &mut World, memory: &mut Memory<'_>, pairs: Span) -> Outcome<i32> {
    let one = alt_bn128::pairing_is_one(pairs.bytes(memory), || world.checktime())?;
    Ok(one.map_or(FAILURE, |one| i32::from(!one)))
}

fn ceil_log2(value: u64) -> u64 {
    if value <= 1 { 0 } else { u64::from(64 - (value - 1).leading_zeros()) }
}

fn mod_exp(
    world: &mut World,
    memory: &mut Memory<'_>,
    base: Span,
    exponent: Span,
    modulus: Span,
    result: Span,
) -> Outcome<i32> {
    if world.block.is_speculative() {
        let size = base.len().max(modulus.len());
        ensure!(
            size >= exponent.len(),
            SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION,
            "mod_exp restriction: exponent bit size cannot exceed bit size of either base or modulus"
        );
        let cost = 5 * ceil_log2(u64::from(exponent.len())) + 8 * ceil_log2(u64::from(size));
        ensure!(
            cost <= MOD_EXP_COST_MAX,
            SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION,
            "mod_exp restriction: bit size too large for input arguments"
        );
    }
    let power = power(base.bytes(memory), exponent.bytes(memory), modulus.bytes(memory));
    answer(memory, result, power)
}

/// `base^exponent mod modulus`, as long as the modulus; zeros for the moduli 0 and 1.
fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let (last, higher) = modulus.split_last()?;
    if *last <= 1 && higher.iter().all(|byte| *byte == 0) {
        return Some(vec![0; modulus.len()]);
    }
    let power = aurora_engine_modexp::modexp(base, exponent, modulus);
    let mut padded = vec![0; modulus.len().saturating_sub(power.len())];
    padded.extend_from_slice(&power[power.len().saturating_sub(modulus.len())..]);
    Some(padded)
}

#[allow(clippy::too_many_arguments, reason = "the arguments of the host function")]
fn blake2_f(
    world: &mut World,
    memory: &mut Memory<'_>,
    rounds: u32,
    state: Span,
    message: Span,
    low_offset: Span,
    high_offset: Span,
    last: i32,
    result: Span,
) -> Outcome<i32> {
    let input = blake2::Input::new(
        state.bytes(memory),
        message.bytes(memory),
        [low_offset.bytes(memory), high_offset.bytes(memory)],
        last == 1,
    );
    let compressed = match input {
        Some(input) => Some(input.compress(rounds, || world.checktime())?),
        None => None,
    };
    answer(memory, result, compressed)
}

fn sha3(world: &mut World, memory: &mut Memory<'_>, data: Span, result: Span, keccak: i32) -> Outcome {
    let data = data.bytes(memory);
    let digest: [u8; 32] = match keccak {
        1 => hash_with_checktime::<Keccak256>(world, data)?.finalize().into(),
        _ => hash_with_checktime::<Sha3_256>(world, data)?.finalize().into(),
    };
    copy_out(result.bytes_mut(memory), &digest);
    Ok(())
}

fn k1_recover(_: &mut World, memory: &mut Memory<'_>, signature: Span, digest: Span, key: Span) -> Outcome<i32> {
    let recovered = recover(signature.bytes(memory), digest.bytes(memory));
    answer(memory, key, recovered)
}

/// The uncompressed key behind a compact signature.
fn recover(signature: &[u8], digest: &[u8]) -> Option<[u8; 65]> {
    let (header, compact) = signature.split_first()?;
    let digest: [u8; 32] = digest.try_into().ok()?;
    if compact.len() != 64 || !(27..35).contains(header) {
        return None;
    }
    let recovery = RecoveryId::try_from(i32::from(header - 27) & 3).ok()?;
    let signature = RecoverableSignature::from_compact(compact, recovery).ok()?;
    let key = VERIFIER.recover_ecdsa(Message::from_digest(digest), &signature).ok()?;
    Some(key.serialize_uncompressed())
}
