//! secp256r1: recovery as fc does it over OpenSSL, deterministic signatures.

use p256::ecdsa::SigningKey;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::ops::{MulByGeneratorVartime, Reduce};
use p256::elliptic_curve::point::DecompressPoint;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::elliptic_curve::subtle::Choice;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

use crate::{Checksum256, Fault, FaultKind};

/// Half of the curve's order, rounded down.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d,
    0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];
/// The curve's order.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn unable() -> Fault {
    Fault::new(FaultKind::EXCEPTION, "unable to reconstruct public key from signature")
}

pub(super) fn recover(compact: &[u8; 65], digest: &Checksum256) -> Result<[u8; 33], Fault> {
    let (header, s) = (compact[0], &compact[33..]);
    if !(27..35).contains(&header) {
        return Err(unable());
    }
    crate::ensure!(*s <= HALF_ORDER[..], EXCEPTION, "invalid high s-value encountered in r1 signature");
    let recovery_id = if header >= 31 { header - 31 } else { header - 27 };
    recover_point(compact, digest, recovery_id).ok_or_else(unable)
}

/// The point `(s R - digest G) / r`, for the R that the recovery id says. r and s may be any 256-bit numbers.
pub(super) fn recover_point(compact: &[u8; 65], digest: &Checksum256, recovery_id: u8) -> Option<[u8; 33]> {
    let r = FieldBytes::try_from(&compact[1..33]).ok()?;
    let s = FieldBytes::try_from(&compact[33..]).ok()?;
    let x = if recovery_id & 2 == 0 { r } else { sum(&r.into(), &ORDER)?.into() };
    let point = Option::<AffinePoint>::from(AffinePoint::decompress(&x, Choice::from(recovery_id & 1)))?;
    let inverse = Option::<Scalar>::from(Scalar::reduce(&r).invert_vartime())?;
    let of_point = Scalar::reduce(&s) * inverse;
    let of_generator = -(Scalar::reduce(&FieldBytes::from(digest.0)) * inverse);
    let key = ProjectivePoint::mul_by_generator_and_mul_add_vartime(&of_generator, &of_point, &point.into());
    if bool::from(key.is_identity()) {
        return None;
    }
    key.to_affine().to_sec1_point(true).as_bytes().try_into().ok()
}

/// The sum of two 256-bit numbers, unless it has more bits.
fn sum(a: &[u8; 32], b: &[u8; 32]) -> Option<[u8; 32]> {
    let (mut total, mut carry) = ([0; 32], 0);
    for index in (0..32).rev() {
        let digit = u16::from(a[index]) + u16::from(b[index]) + carry;
        (total[index], carry) = (digit as u8, digit >> 8);
    }
    (carry == 0).then_some(total)
}

fn signing_key(secret: &[u8; 32]) -> Result<SigningKey, Fault> {
    SigningKey::from_slice(secret)
        .map_err(|_| Fault::new(FaultKind::ASSERT_EXCEPTION, "secret is no private key of secp256r1"))
}

pub(super) fn public_key(secret: &[u8; 32]) -> Result<[u8; 33], Fault> {
    let point = signing_key(secret)?.verifying_key().to_sec1_point(true);
    Ok(point.as_bytes().try_into().expect("a compressed point has 33 bytes"))
}

pub(super) fn sign(secret: &[u8; 32], digest: &Checksum256) -> Result<[u8; 65], Fault> {
    let (signature, recovery_id) = signing_key(secret)?.sign_prehash_recoverable(&digest.0);
    let mut compact = [0; 65];
    compact[1..].copy_from_slice(&signature.to_bytes());
    let mut recovery_id = recovery_id.to_byte();
    if compact[33..] > HALF_ORDER[..] {
        compact[1..].copy_from_slice(&signature.normalize_s().to_bytes());
        recovery_id ^= 1;
    }
    compact[0] = 27 + 4 + recovery_id;
    Ok(compact)
}
