//! Base 58, the digits of keys and signatures in text.

const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Value of each letter, or [`NO_DIGIT`].
const VALUES: [u8; 256] = values();
const NO_DIGIT: u8 = 0xff;
/// Longest text that is read: conversion takes quadratic time, and no key or signature comes near.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Digits that are converted together, and 58 to their number: the most that fits 64 bits.
const CHUNK: usize = 10;
const CHUNK_BASE: u64 = 58u64.pow(CHUNK as u32);

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
}

/// The text of `bytes`: one leading `1` for each leading zero byte.
pub(super) fn encode(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    // Chunks of digits, lowest first.
    let mut chunks: Vec<u64> = Vec::with_capacity(bytes.len() / 7 + 1);
    for word in bytes[zeros..].chunks(4) {
        let mut carry = word.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
        for chunk in &mut chunks {
            carry += u128::from(*chunk) << (8 * word.len());
            *chunk = (carry % u128::from(CHUNK_BASE)) as u64;
            carry /= u128::from(CHUNK_BASE);
        }
        if carry > 0 {
            chunks.push(carry as u64);
        }
    }
    let mut digits = Vec::with_capacity(chunks.len() * CHUNK + zeros);
    for mut chunk in chunks {
        for _ in 0..CHUNK {
            digits.push(DIGITS[(chunk % 58) as usize]);
            chunk /= 58;
        }
    }
    // The highest chunk may begin with zeros that are no bytes.
    let used = digits.len() - digits.iter().rev().take_while(|digit| **digit == DIGITS[0]).count();
    digits.truncate(used);
    digits.extend(std::iter::repeat_n(DIGITS[0], zeros));
    digits.into_iter().rev().map(char::from).collect()
}

/// The bytes of a text; white space around it is ignored, as fc does.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let zeros = text.bytes().take_while(|letter| *letter == DIGITS[0]).count();
    // Words, lowest first.
    let mut words: Vec<u64> = Vec::with_capacity(text.len() / CHUNK + 1);
    for chunk in text.as_bytes()[zeros..].chunks(CHUNK) {
        let mut carry = 0u128;
        let mut base = 1u64;
        for letter in chunk {
            let value = VALUES[usize::from(*letter)];
            if value == NO_DIGIT {
                return None;
            }
            carry = carry * 58 + u128::from(value);
            base *= 58;
        }
        for word in &mut words {
            carry += u128::from(*word) * u128::from(base);
            *word = carry as u64;
            carry >>= 64;
        }
        if carry > 0 {
            words.push(carry as u64);
        }
    }
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let used = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
    bytes.truncate(used);
    bytes.extend(std::iter::repeat_n(0, zeros));
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_texts() {
        assert_eq!(encode(b"Hello World!"), "2NEpo7TZRRrLZSi2U");
        assert_eq!(encode(&[0, 0, 1]), "112");
        assert_eq!(decode(" 112\n"), Some(vec![0, 0, 1]));
        assert_eq!(decode("0"), None);
        assert_eq!(decode(""), Some(vec![]));
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes: Vec<u8>, text: String) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
            let _ = decode(&text);
        }
    }
}
