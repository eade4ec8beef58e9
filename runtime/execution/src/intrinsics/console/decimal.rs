//! Floats in scientific notation, as C++ streams print them: `%.6e`, `%.15e`, and `%.18Le` of an x87 number.

use std::cmp::Ordering;

/// Digits behind the point of a `float`.
const F32_DIGITS: usize = 6;
/// Digits behind the point of a `double`.
const F64_DIGITS: usize = 15;
/// Digits behind the point of a `long double` (80 bits).
const F80_DIGITS: usize = 18;

/// A `float`, by its bits.
pub(super) fn f32_text(bits: u32) -> String {
    let value = f32::from_bits(bits);
    special(value.is_sign_negative(), value.is_nan(), value.is_infinite())
        .unwrap_or_else(|| c_exponent(&format!("{:.F32_DIGITS$e}", f64::from(value))))
}

/// A `double`, by its bits.
pub(super) fn f64_text(bits: u64) -> String {
    let value = f64::from_bits(bits);
    special(value.is_sign_negative(), value.is_nan(), value.is_infinite())
        .unwrap_or_else(|| c_exponent(&format!("{value:.F64_DIGITS$e}")))
}

/// A quadruple, by its bits, rounded to an x87 number first, as nodeos does on x86-64.
pub(super) fn f128_text(bits: u128) -> String {
    let negative = bits >> 127 != 0;
    let exponent = (bits >> 112 & 0x7fff) as i32;
    let fraction = bits & ((1 << 112) - 1);
    if exponent == 0x7fff {
        return special(negative, fraction != 0, true).expect("not finite");
    }
    let significand = if exponent == 0 { fraction } else { fraction | 1 << 112 };
    // 113 bits become 64: 49 are rounded away, to the nearest even.
    let mut rounded = significand >> 49;
    let (rest, half) = (significand & ((1 << 49) - 1), 1 << 48);
    if rest > half || (rest == half && rounded & 1 == 1) {
        rounded += 1;
    }
    let power = exponent.max(1) - 16_383 - 63;
    if exponent == 0x7ffe && rounded >> 64 != 0 {
        return special(negative, false, true).expect("not finite");
    }
    let sign = if negative { "-" } else { "" };
    format!("{sign}{}", c_exponent(&scientific(rounded, power)))
}

/// Text of what has no digits.
fn special(negative: bool, nan: bool, infinite: bool) -> Option<String> {
    let sign = if negative { "-" } else { "" };
    match (nan, infinite) {
        (true, _) => Some(format!("{sign}nan")),
        (_, true) => Some(format!("{sign}inf")),
        _ => None,
    }
}

/// `1.5e7` as `1.5e+07`.
fn c_exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').expect("scientific notation");
    let exponent: i32 = exponent.parse().expect("a number");
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// `significand * 2^power`, exactly rounded.
fn scientific(significand: u128, power: i32) -> String {
    if significand == 0 {
        return format!("{:.F80_DIGITS$e}", 0.0);
    }
    let bits = 128 - significand.leading_zeros() as i32;
    // No more than one too high: a number of n bits is less than 2^n.
    let mut exponent = (f64::from(bits + power) * std::f64::consts::LOG10_2).floor() as i32;
    let mut number = Big::from(significand);
    let mut unit = Big::from(1);
    number.shift_left(power.max(0) as u32);
    unit.shift_left((-power).max(0) as u32);
    for _ in 0..exponent.unsigned_abs() {
        if exponent > 0 { unit.multiply(10) } else { number.multiply(10) }
    }
    if number.compare(&unit) == Ordering::Less {
        exponent -= 1;
        number.multiply(10);
    }
    let mut digits = Vec::with_capacity(F80_DIGITS + 1);
    for _ in 0..=F80_DIGITS {
        let mut digit = 0;
        while number.compare(&unit) != Ordering::Less {
            number.subtract(&unit);
            digit += 1;
        }
        digits.push(digit);
        number.multiply(10);
    }
    unit.multiply(5);
    let up = match number.compare(&unit) {
        Ordering::Less => false,
        Ordering::Equal => digits[F80_DIGITS] % 2 == 1,
        Ordering::Greater => true,
    };
    if up && round_up(&mut digits) {
        exponent += 1;
    }
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    format!("{}.{}e{exponent}", &text[..1], &text[1..])
}

/// Adds one to the last digit; whether there is one digit more, which then is a 1 before zeros.
fn round_up(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        *digit += 1;
        if *digit < 10 {
            return false;
        }
        *digit = 0;
    }
    digits[0] = 1;
    true
}

/// A large natural number, lowest word first, without zeros at the end.
struct Big(Vec<u32>);

impl From<u128> for Big {
    fn from(value: u128) -> Self {
        let words = (0..4).map(|index| (value >> (32 * index)) as u32);
        let mut big = Self(words.collect());
        big.trim();
        big
    }
}

impl Big {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn multiply(&mut self, factor: u32) {
        let mut carry = 0_u64;
        for word in &mut self.0 {
            carry += u64::from(*word) * u64::from(factor);
            *word = carry as u32;
            carry >>= 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift_left(&mut self, bits: u32) {
        self.multiply(1 << (bits % 32));
        self.0.splice(0..0, std::iter::repeat_n(0, (bits / 32) as usize));
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Subtracts what is not greater.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = 0_i64;
        for (index, word) in self.0.iter_mut().enumerate() {
            let taken = other.0.get(index).copied().unwrap_or(0);
            borrow += i64::from(*word) - i64::from(taken);
            *word = borrow as u32;
            borrow >>= 32;
        }
        self.trim();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_c_streams_do() {
        assert_eq!(f32_text(1.5_f32.to_bits()), "1.500000e+00");
        assert_eq!(f32_text((-0.0_f32).to_bits()), "-0.000000e+00");
        assert_eq!(f64_text(1e-300_f64.to_bits()), "1.000000000000000e-300");
        assert_eq!(f64_text(f64::NEG_INFINITY.to_bits()), "-inf");
        assert_eq!(f64_text(0xfff8_0000_0000_0000), "-nan");
        assert_eq!(f128_text(0x3fff << 112), "1.000000000000000000e+00");
        assert_eq!(f128_text(0), "0.000000000000000000e+00");
        assert_eq!(f128_text(0x4000_9000 << 96), "3.125000000000000000e+00");
        // The greatest x87 number, and the quadruple that rounds beyond it.
        assert_eq!(f128_text(0x7ffe_ffff_ffff_ffff_fffe << 48), "1.189731495357231765e+4932");
        assert_eq!(f128_text((0x7fff << 112) - 1), "inf");
        assert_eq!(f128_text(1 << 49), "3.645199531882474603e-4951");
    }
}
