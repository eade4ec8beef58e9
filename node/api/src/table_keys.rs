//! Keys of tables as clients write them: numbers, names, symbols, hashes, floats.

use ledger::{Float64, Float128, Key256};
use primitives::{Fault, FaultKind, Name, Symbol, SymbolCode, number};

/// A 64-bit key: a number, a name, a symbol, or a symbol's code, whichever it can be first.
///
/// # Errors
/// `chain_type_exception` when it is none of them.
pub fn to_u64(text: &str, what: &str) -> Result<u64, Fault> {
    let symbol = || if text.contains(',') { text.parse::<Symbol>().ok().map(|symbol| symbol.0) } else { None };
    number::unsigned(text)
        .or_else(|| text.trim().parse::<Name>().ok().map(|name| name.0))
        .or_else(symbol)
        .or_else(|| text.parse::<SymbolCode>().ok().map(|code| code.0))
        .ok_or_else(|| {
            let message = format!(
                "Could not convert {what} string '{text}' to any of the following: uint64_t, valid name, or valid symbol \
                 (with or without the precision)"
            );
            Fault::new(FaultKind::CHAIN_TYPE_EXCEPTION, message)
        })
}

fn no_key(text: &str, what: &str) -> String {
    format!("Could not convert {what} string '{text}' to key type.")
}

/// What boost says of a character that is not a digit, but for those of long decimal numbers.
const NO_DIGIT: &str = "Unexpected content found while parsing character string.";

/// The little-endian bits of an integer as `boost::multiprecision` reads one: a minus sign, hexadecimal behind `0x`, octal
/// behind `0`, what does not fit cut off. `refusal` is what boost says of another decimal text, which depends on the width.
fn bits(text: &str, what: &str, refusal: &str) -> Result<[u8; 32], Fault> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.strip_prefix('0') {
        Some(rest) if rest.starts_with(['x', 'X']) => (16, &rest[1..]),
        Some(rest) if !rest.is_empty() => (8, rest),
        _ => (10, digits),
    };
    let refusal = if radix == 10 { refusal } else { NO_DIGIT };
    let refused = || Fault::standard(refusal).with_context(no_key(text, what));
    let mut number = [0u8; 32];
    for digit in digits.chars() {
        let mut carry = digit.to_digit(radix).ok_or_else(refused)?;
        for byte in &mut number {
            carry += u32::from(*byte) * radix;
            *byte = carry as u8;
            carry >>= 8;
        }
    }
    if negative {
        let mut carry = true;
        for byte in &mut number {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    Ok(number)
}

/// A 128-bit key.
///
/// # Errors
/// `std_exception` when it is no number.
pub fn to_u128(text: &str, what: &str) -> Result<u128, Fault> {
    let number = bits(text, what, NO_DIGIT)?;
    Ok(u128::from_le_bytes(*number.first_chunk().expect("half of 32 bytes")))
}

/// A float key.
///
/// # Errors
/// `unspecified` when it is no number, `contract_table_query_exception` when it is not a number (NaN).
pub fn to_f64(text: &str, what: &str) -> Result<f64, Fault> {
    let refused =
        || Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, "Couldn't parse double").with_context(no_key(text, what));
    let number = number::double(text).ok_or_else(refused)?;
    if number.is_nan() {
        let message =
            format!("Converted {what} string '{text}' to NaN which is not a permitted value for the key type");
        return Err(Fault::new(FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION, message));
    }
    Ok(number)
}

/// A 256-bit key from a hash in hexadecimal, its first byte the most significant.
///
/// # Errors
/// `assert_exception` or `unspecified` when it is no hexadecimal text.
pub fn hash256(text: &str, what: &str) -> Result<Key256, Fault> {
    from_hex::<32>(text, what)
}

/// A 256-bit key from a 160-bit hash in hexadecimal, zeros behind it.
///
/// # Errors
/// `assert_exception` or `unspecified` when it is no hexadecimal text.
pub fn hash160(text: &str, what: &str) -> Result<Key256, Fault> {
    from_hex::<20>(text, what)
}

fn from_hex<const N: usize>(text: &str, what: &str) -> Result<Key256, Fault> {
    let bytes = primitives::json::bytes_of_hex(text).map_err(|fault| fault.with_context(no_key(text, what)))?;
    // What is missing is zero, what is too long is cut.
    let mut hash = [0; 32];
    let length = bytes.len().min(N);
    hash[..length].copy_from_slice(&bytes[..length]);
    Ok(key256(hash))
}

/// A 256-bit key from a number.
///
/// # Errors
/// `std_exception` when it is no number.
pub fn number256(text: &str, what: &str) -> Result<Key256, Fault> {
    let mut number = bits(text, what, "Unexpected character encountered in input.")?;
    number.reverse();
    Ok(key256(number))
}

/// The key of 32 big-endian bytes.
pub fn key256(bytes: [u8; 32]) -> Key256 {
    let (high, low) = bytes.split_at(16);
    let half = |bytes: &[u8]| u128::from_be_bytes(bytes.try_into().expect("half of 32 bytes"));
    Key256(half(high).into(), half(low).into())
}

/// The 32 big-endian bytes of a key.
pub fn bytes256(key: Key256) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&u128::from(key.0).to_be_bytes());
    bytes[16..].copy_from_slice(&u128::from(key.1).to_be_bytes());
    bytes
}

/// A float key by its bits.
pub fn float64(value: f64) -> Float64 {
    Float64(value.to_bits())
}

/// A float widened to 128 bits; always exact.
pub fn float128(value: f64) -> Float128 {
    let bits = value.to_bits();
    let sign = u128::from(bits >> 63) << 127;
    let exponent = (bits >> 52) & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    let (exponent, fraction) = match (exponent, fraction) {
        (0x7ff, _) => (0x7fff, u128::from(fraction) << 60),
        (0, 0) => (0, 0),
        (0, _) => {
            let shift = fraction.leading_zeros() - 11;
            let fraction = (fraction << shift) & ((1 << 52) - 1);
            (u128::from(16383 - 1022 - u64::from(shift)), u128::from(fraction) << 60)
        }
        _ => (u128::from(exponent + 16383 - 1023), u128::from(fraction) << 60),
    };
    Float128((sign | exponent << 112 | fraction).into())
}

/// A 128-bit float narrowed to 64 bits, to nearest even.
pub fn narrow(value: Float128) -> f64 {
    let bits: u128 = value.0.into();
    let negative = bits >> 127 != 0;
    let exponent = i64::try_from((bits >> 112) & 0x7fff).expect("15 bits") - 16383;
    let fraction = bits & ((1 << 112) - 1);
    let magnitude = match exponent {
        16384 if fraction != 0 => f64::NAN,
        16384 => f64::INFINITY,
        _ if exponent < -1080 => 0.0,
        _ if exponent > 1023 => f64::INFINITY,
        _ => {
            // 113 significant bits to 64 with a sticky bit; the conversion from there rounds once.
            let full = 1 << 112 | fraction;
            let kept = (full >> 49) as u64 | u64::from(full & ((1 << 49) - 1) != 0);
            if exponent >= -1022 {
                kept as f64 * 2f64.powi(i32::try_from(exponent - 63).expect("within a double's range"))
            } else {
                subnormal(kept, exponent)
            }
        }
    };
    if negative { -magnitude } else { magnitude }
}

/// A number below the normal range: 64 significant bits with the given exponent, rounded to nearest even.
fn subnormal(kept: u64, exponent: i64) -> f64 {
    let drop = u32::try_from(11 - 1022 - exponent).expect("below the normal range");
    if drop >= 66 {
        return 0.0;
    }
    let wide = u128::from(kept) << 64;
    let shifted = wide >> drop;
    let (whole, rest) = ((shifted >> 64) as u64, shifted as u64 | u64::from(wide << (128 - drop) != 0));
    let up = rest > 1 << 63 || (rest == 1 << 63 && whole & 1 == 1);
    f64::from_bits(whole + u64::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_symbols_are_tried_in_turn() {
        assert_eq!(to_u64("12", "x"), Ok(12));
        assert_eq!(to_u64("-1", "x"), Ok(u64::MAX));
        assert_eq!(to_u64("eosio", "x"), Ok("eosio".parse::<Name>().unwrap().0));
        assert_eq!(to_u64("4,SYS", "x"), Ok("4,SYS".parse::<Symbol>().unwrap().0));
        assert_eq!(to_u64("SYS", "x"), Ok("SYS".parse::<SymbolCode>().unwrap().0));
        assert!(to_u64("!", "x").is_err());
    }

    #[test]
    fn floats_survive_widening() {
        for value in [0.0, -0.0, 1.0, -1.5, 1e300, 5e-324, 2.2e-308, f64::MAX, f64::INFINITY, 0.1, 1e-310] {
            assert_eq!(narrow(float128(value)).to_bits(), value.to_bits(), "{value:e}");
        }
    }

    #[test]
    fn keys_of_256_bits_keep_their_bytes() {
        let text = "f58262c8005bb64b8f99ec6083faf050c502d099d9929ae37ffed2fe1bb954fb";
        assert_eq!(hex::encode(bytes256(hash256(text, "x").unwrap())), text);
        assert_eq!(number256(&format!("0x{text}"), "x"), hash256(text, "x"));
        assert_eq!(number256("258", "x").unwrap(), Key256(0.into(), 258.into()));
        assert_eq!(hash256("f5", "x"), hash256(&format!("f5{}", "00".repeat(31)), "x"));
        assert!(hash256("f", "x").is_err() && hash256("zz", "x").is_err());
    }

    #[test]
    fn large_numbers_are_cut_and_signs_wrap() {
        assert_eq!(to_u128("0x10", "x"), Ok(16));
        assert_eq!(to_u128("010", "x"), Ok(8));
        assert_eq!(to_u128("0", "x"), Ok(0));
        assert_eq!(to_u128("-1", "x"), Ok(u128::MAX));
        assert_eq!(to_u128("340282366920938463463374607431768211457", "x"), Ok(1));
        assert!(to_u128("x", "x").is_err());
    }
}
