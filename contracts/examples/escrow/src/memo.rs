//! Reading the memo of a transfer: plain Rust, tested like plain Rust.

/// The number that the memo is, if it is nothing but a number.
pub fn number(memo: &str) -> Option<u64> {
    let digits = memo.as_bytes();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_memo_is_a_number_or_nothing() {
        let cases =
            [("0", Some(0)), ("42", Some(42)), ("", None), ("-1", None), ("4 2", None), ("18446744073709551616", None)];
        for (memo, expected) in cases {
            assert_eq!(number(memo), expected, "{memo:?}");
        }
    }
}
