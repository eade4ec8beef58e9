//! Many secp256k1 signatures checked at once against the keys that they are thought to recover to.
//!
//! A recoverable signature names the point R, and its key Q is the one with `R = z/s G + r/s Q`. Where Q is known before,
//! nothing has to be recovered: with factors `a` that nobody can choose, `sum a R = (sum a z/s) G + sum (a r/s) Q` holds for
//! wrong keys with probability 2^-128, since the group's order is prime. The factors are a hash of all signatures, digests
//! and keys, so that the same batch always has the same. One sum of many points costs a third of what recovering the keys
//! one by one does.

use std::collections::BTreeMap;

use ark_ec::CurveConfig;
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ec::short_weierstrass::{Affine, Bucket, Projective, SWCurveConfig};
use ark_ff::{
    AdditiveGroup as _, BigInt, BigInteger as _, Field as _, Fp256, MontBackend, MontConfig, MontFp, PrimeField as _,
    Zero as _,
};
use sha2::{Digest as _, Sha256};

#[derive(MontConfig)]
#[modulus = "115792089237316195423570985008687907853269984665640564039457584007908834671663"]
#[generator = "3"]
struct CoordinateConfig;
type Coordinate = Fp256<MontBackend<CoordinateConfig, 4>>;

#[derive(MontConfig)]
#[modulus = "115792089237316195423570985008687907852837564279074904382605163141518161494337"]
#[generator = "7"]
struct ScalarConfig;
type Scalar = Fp256<MontBackend<ScalarConfig, 4>>;

struct Secp256k1;

/// The first bytes of compressed points, by their y.
const EVEN: u8 = 2;
const ODD: u8 = 3;

type Point = Affine<Secp256k1>;
type Sum = Projective<Secp256k1>;

impl CurveConfig for Secp256k1 {
    type BaseField = Coordinate;
    type ScalarField = Scalar;
    const COFACTOR: &'static [u64] = &[1];
    const COFACTOR_INV: Scalar = Scalar::ONE;
}

impl SWCurveConfig for Secp256k1 {
    type ZeroFlag = ();

    const COEFF_A: Coordinate = Coordinate::ZERO;
    const COEFF_B: Coordinate = MontFp!("7");
    const GENERATOR: Point = Point::new_unchecked(
        MontFp!("55066263022277343669578718895168534326250603453777594175500187360389116729240"),
        MontFp!("32670510020758816978083085130507043184471273380659243275938904335757337482424"),
    );

    fn mul_by_a(_: Coordinate) -> Coordinate {
        Coordinate::ZERO
    }
}

/// `(x, y)` times LAMBDA is `(ENDO_COEFFS[0] x, y)`: a scalar becomes two of half the length.
impl GLVConfig for Secp256k1 {
    const ENDO_COEFFS: &'static [Coordinate] =
        &[MontFp!("55594575648329892869085402983802832744385952214688224221778511981742606582254")];
    const LAMBDA: Scalar = MontFp!("37718080363155996902926221483475020450927657555482586988616620542887997980018");
    const SCALAR_DECOMP_COEFFS: [(bool, BigInt<4>); 4] = [
        (true, BigInt!("64502973549206556628585045361533709077")),
        (false, BigInt!("303414439467246543595250775667605759171")),
        (true, BigInt!("367917413016453100223835821029139468248")),
        (true, BigInt!("64502973549206556628585045361533709077")),
    ];

    fn endomorphism(point: &Sum) -> Sum {
        Sum::new_unchecked(point.x * Self::ENDO_COEFFS[0], point.y, point.z)
    }

    fn endomorphism_affine(point: &Point) -> Point {
        Point::new_unchecked(point.x * Self::ENDO_COEFFS[0], point.y)
    }
}

/// A signature and the key that it is thought to recover to, in numbers.
pub(super) struct Claim<'a> {
    compact: &'a [u8; 65],
    digest: &'a [u8; 32],
    key: &'a [u8; 33],
    nonce: Point,
    r: Scalar,
    s: Scalar,
    z: Scalar,
}

fn number(bytes: &[u8]) -> BigInt<4> {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_be_bytes(bytes.try_into().expect("chunks have 8 bytes"));
    }
    BigInt(limbs)
}

/// The point of a compressed one; libsecp256k1 has the fastest square root.
fn point(compressed: &[u8; 33]) -> Option<Point> {
    let parsed = secp256k1::PublicKey::from_slice(compressed).ok()?.serialize_uncompressed();
    let coordinate = |bytes: &[u8]| Coordinate::from_bigint(number(bytes));
    Some(Point::new_unchecked(coordinate(&parsed[1..33])?, coordinate(&parsed[33..])?))
}

impl<'a> Claim<'a> {
    /// `None` for everything that recovery treats in a way of its own: malformed numbers, an R whose x is not r.
    pub(super) fn new(compact: &'a [u8; 65], digest: &'a [u8; 32], key: &'a [u8; 33]) -> Option<Self> {
        let [header, numbers @ ..] = compact;
        let parity = match header {
            27 | 31 => EVEN,
            28 | 32 => ODD,
            _ => return None,
        };
        let scalar = |bytes: &[u8]| Scalar::from_bigint(number(bytes)).filter(|scalar| !scalar.is_zero());
        let (r, s) = (scalar(&numbers[..32])?, scalar(&numbers[32..])?);
        let mut compressed = [parity; 33];
        compressed[1..].copy_from_slice(&numbers[..32]);
        let mut z = number(digest);
        if z >= Scalar::MODULUS {
            z.sub_with_borrow(&Scalar::MODULUS);
        }
        Some(Self { compact, digest, key, nonce: point(&compressed)?, r, s, z: Scalar::from_bigint(z)? })
    }
}

/// Factors that depend on all of the claims.
fn factors(claims: &[Claim<'_>]) -> impl Iterator<Item = u128> {
    let mut all = Sha256::new();
    for claim in claims {
        all.update(claim.compact);
        all.update(claim.digest);
        all.update(claim.key);
    }
    let seed: [u8; 32] = all.finalize().into();
    (0u64..).flat_map(move |number| {
        let hash: [u8; 32] = Sha256::new().chain_update(seed).chain_update(number.to_le_bytes()).finalize().into();
        let half = |bytes: &[u8]| u128::from_le_bytes(bytes.try_into().expect("half a hash"));
        [half(&hash[..16]), half(&hash[16..])]
    })
}

/// Whether every signature recovers to its key.
pub(super) fn holds(claims: &[Claim<'_>]) -> bool {
    check(claims).unwrap_or(false)
}

/// `None` where a key is not a point, or a scalar does not fall into halves.
fn check(claims: &[Claim<'_>]) -> Option<bool> {
    let mut inverses: Vec<Scalar> = claims.iter().map(|claim| claim.s).collect();
    ark_ff::batch_inversion(&mut inverses);
    let mut terms = Vec::with_capacity(claims.len() + 4);
    let mut of_generator = Scalar::ZERO;
    let mut of_keys = BTreeMap::<&[u8; 33], Scalar>::new();
    for ((claim, inverse), factor) in claims.iter().zip(&inverses).zip(factors(claims)) {
        let share = Scalar::from(factor) * inverse;
        of_generator += share * claim.z;
        *of_keys.entry(claim.key).or_insert(Scalar::ZERO) += share * claim.r;
        terms.push((factor, -claim.nonce));
    }
    let mut add = |point: Point, scalar: Scalar| -> Option<()> {
        let ((first_sign, first), (second_sign, second)) = Secp256k1::scalar_decomposition(scalar);
        for (is_positive, half, point) in
            [(first_sign, first, point), (second_sign, second, Secp256k1::endomorphism_affine(&point))]
        {
            let BigInt([low, high, 0, 0]) = half.into_bigint() else { return None };
            terms.push((u128::from(high) << 64 | u128::from(low), if is_positive { point } else { -point }));
        }
        Some(())
    };
    add(Secp256k1::GENERATOR, of_generator)?;
    for (key, scalar) in of_keys {
        add(point(key)?, scalar)?;
    }
    Some(sum(&terms).is_zero())
}

/// Bits of a window: more buckets for more terms.
fn window(terms: usize) -> u32 {
    match terms {
        0..12 => 3,
        12..32 => 4,
        32..100 => 5,
        100..300 => 6,
        _ => 7,
    }
}

/// The sum of the points, each times its factor (Pippenger): in each window of the factors' bits, points of the same digit
/// are added up first. Digits are signed, which halves the buckets.
fn sum(terms: &[(u128, Point)]) -> Sum {
    let bits = window(terms.len());
    let half = 1i64 << (bits - 1);
    // One window more for what the last digit carries.
    let windows = u128::BITS.div_ceil(bits) + 1;
    let mut carries = vec![0i64; terms.len()];
    let mut digits = vec![0i64; terms.len() * windows as usize];
    for (at, (factor, _)) in terms.iter().enumerate() {
        for number in 0..windows {
            let shifted = factor.checked_shr(number * bits).unwrap_or(0);
            let digit = (shifted & ((1 << bits) - 1)) as i64 + carries[at];
            carries[at] = i64::from(digit > half);
            digits[number as usize * terms.len() + at] = digit - (carries[at] << bits);
        }
    }
    let mut buckets = vec![Bucket::<Secp256k1>::ZERO; half as usize];
    let mut total = Sum::ZERO;
    for digits in digits.chunks_exact(terms.len()).rev() {
        for _ in 0..bits {
            total.double_in_place();
        }
        buckets.fill(Bucket::ZERO);
        for (digit, (_, point)) in digits.iter().zip(terms) {
            match digit {
                0 => {}
                1.. => buckets[*digit as usize - 1] += point,
                _ => buckets[-digit as usize - 1] -= point,
            }
        }
        let (mut running, mut weighted) = (Bucket::ZERO, Bucket::ZERO);
        for bucket in buckets.iter().rev() {
            running += bucket;
            weighted += &running;
        }
        total += &weighted;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checksum256, PrivateKey, PublicKey, Signature};

    /// Signature, digest and key, as they are after each other in a claim.
    type Parts = ([u8; 65], [u8; 32], [u8; 33]);

    fn parts(number: u8, digest: [u8; 32]) -> Parts {
        let private = PrivateKey::k1_from_seed([number; 32]).expect("a key");
        let Ok(Signature::K1(compact)) = private.sign(&Checksum256(digest)) else { panic!("a signature") };
        let Ok(PublicKey::K1(key)) = private.public_key() else { panic!("a key") };
        (compact, digest, key)
    }

    fn all_hold(parts: &[Parts]) -> Option<bool> {
        let claims = parts.iter().map(|(compact, digest, key)| Claim::new(compact, digest, key));
        Some(holds(&claims.collect::<Option<Vec<_>>>()?))
    }

    #[test]
    fn right_keys_hold_in_batches_of_every_size() {
        for size in [0, 1, 2, 3, 9, 13, 33, 101, 301] {
            let parts: Vec<_> = (0..size).map(|at: u32| parts((at % 7) as u8 + 1, [(at % 251) as u8; 32])).collect();
            assert_eq!(all_hold(&parts), Some(true), "{size}");
        }
    }

    #[test]
    fn digests_are_numbers_modulo_the_order() {
        let order: [u8; 32] = Scalar::MODULUS.to_bytes_be().try_into().expect("32 bytes");
        let mut after = order;
        after[31] += 1;
        for digest in [[0; 32], [0xff; 32], order, after] {
            assert_eq!(all_hold(&[parts(3, digest), parts(4, digest)]), Some(true));
        }
        // The same number has the same signature: only its digest differs, and the claim still holds.
        let (compact, _, key) = parts(3, after);
        let mut one = [0; 32];
        one[31] = 1;
        assert_eq!(all_hold(&[(compact, one, key)]), Some(true));
    }

    #[test]
    fn one_wrong_claim_among_many_is_found() {
        let good: Vec<_> = (1..=40).map(|number| parts(number % 5 + 1, [number; 32])).collect();
        let spoiled = |spoil: &dyn Fn(&mut Parts)| {
            let mut parts = good.clone();
            spoil(&mut parts[23]);
            all_hold(&parts)
        };
        assert_eq!(spoiled(&|_| {}), Some(true));
        assert_eq!(spoiled(&|(_, _, key)| *key = parts(9, [0; 32]).2), Some(false));
        assert_eq!(spoiled(&|(_, _, key)| key[0] ^= 1), Some(false));
        assert_eq!(spoiled(&|(_, digest, _)| digest[31] ^= 1), Some(false));
        assert_eq!(spoiled(&|(compact, ..)| compact[64] ^= 1), Some(false));
        assert_eq!(spoiled(&|(compact, ..)| compact[0] = if compact[0] == 31 { 32 } else { 31 }), Some(false));
        // No point at all as a key.
        assert_eq!(spoiled(&|(_, _, key)| *key = [5; 33]), Some(false));
    }

    #[test]
    fn two_errors_do_not_cancel_out() {
        // The keys of two signatures of one digest change places: their sum is the same.
        let (mut one, mut other) = (parts(1, [7; 32]), parts(2, [7; 32]));
        assert_eq!(all_hold(&[one, other]), Some(true));
        std::mem::swap(&mut one.2, &mut other.2);
        assert_eq!(all_hold(&[one, other]), Some(false));
        // R and -R, each wrong.
        let good = parts(1, [7; 32]);
        let mut bad = good;
        bad.0[0] = if bad.0[0] == 31 { 32 } else { 31 };
        assert_eq!(all_hold(&[bad, bad]), Some(false));
        assert_eq!(all_hold(&[good, bad]), Some(false));
        assert_eq!(all_hold(&[good, good]), Some(true));
    }

    #[test]
    fn unusual_signatures_make_no_claim() {
        let (compact, digest, key) = parts(1, [7; 32]);
        let claims = |compact: [u8; 65]| Claim::new(&compact, &digest, &key).is_some();
        let order = Scalar::MODULUS.to_bytes_be();
        let with = |range: std::ops::Range<usize>, bytes: &[u8]| {
            let mut compact = compact;
            compact[range].copy_from_slice(bytes);
            compact
        };
        assert!(claims(compact) && claims(with(0..1, &[27])));
        for header in [0, 26, 29, 30, 33, 34, 35, 255] {
            assert!(!claims(with(0..1, &[header])), "{header}");
        }
        for numbers in [1..33, 33..65] {
            assert!(!claims(with(numbers.clone(), &[0; 32])));
            assert!(!claims(with(numbers.clone(), &order)));
            assert!(!claims(with(numbers, &[0xff; 32])));
        }
        // There is no point with an x of 5.
        let five = [&[0; 31][..], &[5]].concat();
        assert!(!claims(with(1..33, &five)));
    }

    #[test]
    fn halves_of_scalars_give_the_scalar() {
        for scalar in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Secp256k1::LAMBDA, -Secp256k1::LAMBDA, Scalar::from(7)]
        {
            let ((first_sign, first), (second_sign, second)) = Secp256k1::scalar_decomposition(scalar);
            let signed = |sign, half: Scalar| if sign { half } else { -half };
            assert_eq!(signed(first_sign, first) + signed(second_sign, second) * Secp256k1::LAMBDA, scalar);
        }
        let turned: Point = (Secp256k1::GENERATOR * Secp256k1::LAMBDA).into();
        assert_eq!(turned, Secp256k1::endomorphism_affine(&Secp256k1::GENERATOR));
        assert!((Secp256k1::GENERATOR * -Scalar::ONE + Secp256k1::GENERATOR).is_zero());
    }
}
