//! Source maps (ECMA-426), as far as binaryen's tools read and write them for modules: all on one line, whose columns are
//! bytes of the module. What they call a line of a source is a number of ours.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Bits of a digit, and the bit that says that more follow.
const BITS: u32 = 5;
const MORE: u64 = 1 << BITS;

/// A map from bytes of a module, ascending, to numbers.
pub fn encoded(places: &[(usize, usize)]) -> Value {
    let (mut mappings, mut last) = (String::new(), (0, 0));
    for (at, number) in places {
        if !mappings.is_empty() {
            mappings.push(',');
        }
        let difference = |new: usize, old: usize| new as i64 - old as i64;
        put(&mut mappings, difference(*at, last.0));
        put(&mut mappings, 0);
        put(&mut mappings, difference(*number, last.1));
        put(&mut mappings, 0);
        last = (*at, *number);
    }
    json!({ "version": 3, "sources": ["module"], "names": [], "mappings": mappings })
}

/// What [`encoded`] was given.
///
/// # Errors
/// The map is of another form.
pub fn decoded(map: &Value) -> anyhow::Result<Vec<(usize, usize)>> {
    let mappings = map["mappings"].as_str().context("a source map has no mappings")?;
    let (mut places, mut at, mut number) = (Vec::new(), 0_i64, 0_i64);
    for mapping in mappings.split(',').filter(|mapping| !mapping.is_empty()) {
        let mut digits = mapping.as_bytes();
        let mut fields = Vec::new();
        while !digits.is_empty() {
            fields.push(take(&mut digits)?);
        }
        at += fields.first().context("a mapping is empty")?;
        if let [_, _, line, ..] = fields[..] {
            number += line;
            let place = (usize::try_from(at), usize::try_from(number));
            places.push((place.0.context("a mapping goes back too far")?, place.1.context("a line is below 0")?));
        }
    }
    Ok(places)
}

fn put(out: &mut String, number: i64) {
    let mut rest = number.unsigned_abs() << 1 | u64::from(number < 0);
    loop {
        let digit = rest & (MORE - 1);
        rest >>= BITS;
        let digit = if rest == 0 { digit } else { digit | MORE };
        out.push(char::from(DIGITS[digit as usize]));
        if rest == 0 {
            return;
        }
    }
}

fn take(digits: &mut &[u8]) -> anyhow::Result<i64> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (digit, rest) = digits.split_first().context("a mapping is cut short")?;
        *digits = rest;
        let digit = DIGITS.iter().position(|known| known == digit).context("a mapping has another character")? as u64;
        ensure!(shift < 60, "a mapping has too large a number");
        value |= (digit & (MORE - 1)) << shift;
        shift += BITS;
        if digit & MORE == 0 {
            let number = (value >> 1) as i64;
            return Ok(if value & 1 == 1 { -number } else { number });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read_as_they_were_written() {
        let places = [(0, 0), (9, 5), (10, 2), (4_000_000, 1_000_000), (4_000_001, 0)];
        assert_eq!(decoded(&encoded(&places)).expect("a map"), places);
        assert_eq!(encoded(&[(17, 1)])["mappings"], "iBACA");
        for wrong in ["A!", "g", "gggggggggggggggggggg", "AADA"] {
            assert!(decoded(&json!({ "mappings": wrong })).is_err(), "{wrong}");
        }
        assert!(decoded(&json!({})).is_err());
    }
}
