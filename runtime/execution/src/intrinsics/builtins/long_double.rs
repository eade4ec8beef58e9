//! Quadruple floats by their bits: IEEE arithmetic with the NaNs of Berkeley softfloat's 8086-SSE rules (the first
//! NaN operand made quiet, else the negative default NaN), and compiler-rt's conversions to 128-bit integers.

use std::cmp::Ordering;

use rustc_apfloat::ieee::{Double, Quad, Single};
use rustc_apfloat::{Float as _, FloatConvert as _, Round};

const FRACTION_BITS: u32 = 112;
const FRACTION: u128 = (1 << FRACTION_BITS) - 1;
const INFINITY: u128 = 0x7fff << FRACTION_BITS;
const QUIET: u128 = 1 << (FRACTION_BITS - 1);
const SIGN: u128 = 1 << 127;
const DEFAULT_NAN: u128 = SIGN | INFINITY | QUIET;

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// How two numbers lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    Equal,
    Greater,
    Unordered,
}

fn is_nan(bits: u128) -> bool {
    bits & !SIGN > INFINITY
}

/// `left` and `right` put together, rounded to the nearest even.
pub(super) fn arithmetic(operation: Operation, left: u128, right: u128) -> u128 {
    if is_nan(left) || is_nan(right) {
        return if is_nan(left) { left | QUIET } else { right | QUIET };
    }
    let (a, b) = (Quad::from_bits(left), Quad::from_bits(right));
    let result = match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide => a / b,
    };
    let bits = result.value.to_bits();
    if is_nan(bits) { DEFAULT_NAN } else { bits }
}

pub(super) fn compare(left: u128, right: u128) -> Relation {
    match Quad::from_bits(left).partial_cmp(&Quad::from_bits(right)) {
        None => Relation::Unordered,
        Some(Ordering::Less) => Relation::Less,
        Some(Ordering::Equal) => Relation::Equal,
        Some(Ordering::Greater) => Relation::Greater,
    }
}

pub(super) fn from_f32(bits: u32) -> u128 {
    if f32::from_bits(bits).is_nan() {
        let sign = u128::from(bits >> 31) << 127;
        return sign | INFINITY | QUIET | u128::from(bits & 0x007f_ffff) << (FRACTION_BITS - 23);
    }
    let wide: Quad = Single::from_bits(u128::from(bits)).convert(&mut false).value;
    wide.to_bits()
}

pub(super) fn from_f64(bits: u64) -> u128 {
    if f64::from_bits(bits).is_nan() {
        let sign = u128::from(bits >> 63) << 127;
        return sign | INFINITY | QUIET | u128::from(bits & 0x000f_ffff_ffff_ffff) << (FRACTION_BITS - 52);
    }
    let wide: Quad = Double::from_bits(u128::from(bits)).convert(&mut false).value;
    wide.to_bits()
}

pub(super) fn to_f32(bits: u128) -> u32 {
    if is_nan(bits) {
        let sign = (bits >> 96) as u32 & 0x8000_0000;
        return sign | 0x7fc0_0000 | ((bits & FRACTION) >> (FRACTION_BITS - 23)) as u32;
    }
    let narrow: Single = Quad::from_bits(bits).convert(&mut false).value;
    narrow.to_bits() as u32
}

pub(super) fn to_f64(bits: u128) -> u64 {
    if is_nan(bits) {
        let sign = (bits >> 64) as u64 & 0x8000_0000_0000_0000;
        return sign | 0x7ff8_0000_0000_0000 | ((bits & FRACTION) >> (FRACTION_BITS - 52)) as u64;
    }
    let narrow: Double = Quad::from_bits(bits).convert(&mut false).value;
    narrow.to_bits() as u64
}

pub(super) fn from_integer(value: i128) -> u128 {
    Quad::from_i128(value).value.to_bits()
}

/// To a signed integer of `width` bits, rounded to the nearest even; the lowest one for what does not fit.
pub(super) fn to_signed(bits: u128, width: u32) -> i64 {
    let lowest = i64::MIN >> (64 - width);
    let rounded = Quad::from_bits(bits).round_to_integral(Round::NearestTiesToEven).value;
    let result = rounded.to_i128(width as usize);
    let invalid = is_nan(bits) || result.status.contains(rustc_apfloat::Status::INVALID_OP);
    if invalid { lowest } else { result.value as i64 }
}

/// To an unsigned integer of `width` bits, rounded to the nearest even; the highest one for what does not fit.
pub(super) fn to_unsigned(bits: u128, width: u32) -> u64 {
    let highest = u64::MAX >> (64 - width);
    let rounded = Quad::from_bits(bits).round_to_integral(Round::NearestTiesToEven).value;
    let result = rounded.to_u128(width as usize);
    let invalid = is_nan(bits) || result.status.contains(rustc_apfloat::Status::INVALID_OP);
    if invalid { highest } else { result.value as u64 }
}

/// A float format, for conversions to 128-bit integers by compiler-rt's rules: towards zero, NaNs as infinities.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    fraction_bits: u32,
    exponent_bits: u32,
}

pub(super) const SINGLE: Format = Format { fraction_bits: 23, exponent_bits: 8 };
pub(super) const DOUBLE: Format = Format { fraction_bits: 52, exponent_bits: 11 };
pub(super) const QUADRUPLE: Format = Format { fraction_bits: 112, exponent_bits: 15 };

impl Format {
    /// Sign, exponent without bias, significand with its leading bit.
    fn parts(self, bits: u128) -> (bool, i32, u128) {
        let negative = bits >> (self.fraction_bits + self.exponent_bits) & 1 == 1;
        let bias = (1 << (self.exponent_bits - 1)) - 1;
        let exponent = (bits >> self.fraction_bits) as i32 & ((1 << self.exponent_bits) - 1);
        let leading = 1 << self.fraction_bits;
        (negative, exponent - bias, bits & (leading - 1) | leading)
    }

    fn magnitude(self, exponent: i32, significand: u128) -> u128 {
        let fraction_bits = self.fraction_bits as i32;
        if exponent < fraction_bits {
            significand >> (fraction_bits - exponent)
        } else {
            significand << (exponent - fraction_bits)
        }
    }

    /// `___fixsfti`, `___fixdfti`, `___fixtfti`.
    pub(super) fn to_i128(self, bits: u128) -> i128 {
        let (negative, exponent, significand) = self.parts(bits);
        match exponent {
            ..0 => 0,
            128.. => {
                if negative {
                    i128::MIN
                } else {
                    i128::MAX
                }
            }
            _ => {
                let magnitude = self.magnitude(exponent, significand) as i128;
                if negative { magnitude.wrapping_neg() } else { magnitude }
            }
        }
    }

    /// `___fixunssfti`, `___fixunsdfti`, `___fixunstfti`.
    pub(super) fn to_u128(self, bits: u128) -> u128 {
        let (negative, exponent, significand) = self.parts(bits);
        match exponent {
            _ if negative => 0,
            ..0 => 0,
            128.. => u128::MAX,
            _ => self.magnitude(exponent, significand),
        }
    }
}
