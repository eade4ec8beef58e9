//! The pairing curve alt_bn128 over bytes, as Ethereum's precompiled contracts write its points: big-endian
//! coordinates, zeros for infinity, the imaginary part of a second-group coordinate first.

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::{BigInteger as _, BigInteger256, PrimeField as _, Zero as _};

use crate::fault::Outcome;

const G1_SIZE: usize = 64;
const PAIR_SIZE: usize = 192;

fn words(bytes: &[u8; 32]) -> BigInteger256 {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    BigInteger256::new(words)
}

/// Coordinates, each below the field's order.
fn coordinates<const N: usize>(bytes: &[u8]) -> Option<[Fq; N]> {
    let (parts, rest) = bytes.as_chunks::<32>();
    let parts: &[[u8; 32]; N] = parts.try_into().ok()?;
    let mut fields = [Fq::zero(); N];
    for (field, part) in fields.iter_mut().zip(parts) {
        *field = Fq::from_bigint(words(part))?;
    }
    rest.is_empty().then_some(fields)
}

fn g1(bytes: &[u8]) -> Option<G1Affine> {
    let [x, y] = coordinates(bytes)?;
    if x.is_zero() && y.is_zero() {
        return Some(G1Affine::zero());
    }
    let point = G1Affine::new_unchecked(x, y);
    point.is_on_curve().then_some(point)
}

fn g2(bytes: &[u8]) -> Option<G2Affine> {
    let [x1, x0, y1, y0] = coordinates(bytes)?;
    let (x, y) = (Fq2::new(x0, x1), Fq2::new(y0, y1));
    if x.is_zero() && y.is_zero() {
        return Some(G2Affine::zero());
    }
    let point = G2Affine::new_unchecked(x, y);
    (point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
}

fn g1_bytes(point: G1Projective) -> [u8; G1_SIZE] {
    let mut bytes = [0; G1_SIZE];
    if let Some((x, y)) = point.into_affine().xy() {
        bytes[..32].copy_from_slice(&x.into_bigint().to_bytes_be());
        bytes[32..].copy_from_slice(&y.into_bigint().to_bytes_be());
    }
    bytes
}

/// The sum of two points.
pub(super) fn add(left: &[u8], right: &[u8]) -> Option<[u8; G1_SIZE]> {
    Some(g1_bytes(g1(left)? + g1(right)?))
}

/// A point times a number of 32 bytes.
pub(super) fn multiply(point: &[u8], scalar: &[u8]) -> Option<[u8; G1_SIZE]> {
    let scalar: &[u8; 32] = scalar.try_into().ok()?;
    let scalar = Fr::from_be_bytes_mod_order(scalar);
    Some(g1_bytes(g1(point)? * scalar))
}

/// Whether the product of the pairings is one; none where the bytes are no points.
pub(super) fn pairing_is_one(pairs: &[u8], checktime: impl Fn() -> Outcome) -> Outcome<Option<bool>> {
    let (pairs, rest) = pairs.as_chunks::<PAIR_SIZE>();
    if !rest.is_empty() {
        return Ok(None);
    }
    let (mut left, mut right) = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
    for pair in pairs {
        let (Some(first), Some(second)) = (g1(&pair[..G1_SIZE]), g2(&pair[G1_SIZE..])) else { return Ok(None) };
        left.push(first);
        right.push(second);
        checktime()?;
    }
    Ok(Some(Bn254::multi_pairing(left, right).is_zero()))
}
