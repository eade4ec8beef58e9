//! Numbers as nodeos' variants read them: from texts as `boost::lexical_cast` does, from doubles as its machine code
//! cuts them. One place for all, so that a number means the same in every endpoint, ABI and command.

/// 2^63, from where a double no longer fits a signed integer.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// An unsigned number (`lexical_cast<uint64_t>`): a sign is allowed, a minus wraps around.
pub fn unsigned(text: &str) -> Option<u64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = plain.then(|| digits.parse::<u64>().ok()).flatten()?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// A signed number (`lexical_cast<int64_t>`): a sign is allowed.
pub fn signed(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// A double (`lexical_cast<double>`): not beyond the greatest one; a NaN may have any text in parentheses.
pub fn double(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let named = digits.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("nan"));
    if named && digits[3..].starts_with('(') && digits.ends_with(')') {
        return Some(if text.starts_with('-') { -f64::NAN } else { f64::NAN });
    }
    let letters = digits.starts_with(|first: char| first.is_ascii_alphabetic());
    text.parse().ok().filter(|number: &f64| number.is_finite() || letters)
}

/// A double cut to a signed integer; what does not fit is the lowest one, as x86 has it.
pub fn signed_of(value: f64) -> i64 {
    if (-TWO_TO_63..TWO_TO_63).contains(&value) { value as i64 } else { i64::MIN }
}

/// A double cut to an unsigned integer: below zero it wraps, and from 2^64 on it is zero, as x86 has it.
pub fn unsigned_of(value: f64) -> u64 {
    if value >= TWO_TO_63 { signed_of(value - TWO_TO_63) as u64 ^ 1 << 63 } else { signed_of(value) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_boost_reads_them() {
        assert_eq!(
            ["7", "+7", "-1", "-0", "18446744073709551615"].map(unsigned),
            [Some(7), Some(7), Some(u64::MAX), Some(0), Some(u64::MAX)]
        );
        assert_eq!(unsigned("-18446744073709551615"), Some(1));
        for text in ["", "-", "+", "--1", "1.0", "1e3", " 1", "0x1", "18446744073709551616", "-18446744073709551616"] {
            assert_eq!(unsigned(text), None, "{text}");
        }
        assert_eq!(["+7", "-9223372036854775808"].map(signed), [Some(7), Some(i64::MIN)]);
        assert_eq!(["9223372036854775808", "1.0", ""].map(signed), [None; 3]);
        assert_eq!(
            ["1e5", ".5", "-inf", "1e-400"].map(double),
            [Some(1e5), Some(0.5), Some(f64::NEG_INFINITY), Some(0.0)]
        );
        assert!(double("nan(x)").is_some_and(f64::is_nan));
        assert_eq!(["1e400", "1e", "", "1.5f"].map(double), [None; 4]);
    }

    #[test]
    fn doubles_are_cut_as_x86_cuts_them() {
        assert_eq!(
            [1000.9, -1.5, 1e19, 1.8446744073709552e19, -1e19].map(unsigned_of),
            [1000, u64::MAX, 10_000_000_000_000_000_000, 0, 1 << 63]
        );
        assert_eq!([1000.9, -1.5, 1e19, -1e19, f64::NAN].map(signed_of), [1000, -1, i64::MIN, i64::MIN, i64::MIN]);
    }
}
