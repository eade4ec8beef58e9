//! Values of options, refused in words: whole numbers within their range, and switches.

use std::ops::{Bound, RangeBounds};

/// Values of a switch that is on; an empty one is too.
const ON: [&str; 5] = ["", "1", "true", "yes", "on"];
/// Values of a switch that is off.
const OFF: [&str; 4] = ["0", "false", "no", "off"];

/// Reads whole numbers of a range.
pub fn number<T: TryFrom<i128>>(
    range: impl RangeBounds<i128> + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number: i128 = text.trim().parse().map_err(|_| "it is not a whole number".to_owned())?;
        if !range.contains(&number) {
            return Err(match (range.start_bound(), range.end_bound()) {
                (Bound::Included(least), Bound::Included(most)) => format!("it must be from {least} to {most}"),
                (Bound::Included(least), _) => format!("it must be at least {least}"),
                _ => "it is out of range".to_owned(),
            });
        }
        T::try_from(number).map_err(|_| if number < 0 { "it is too small" } else { "it is too large" }.to_owned())
    }
}

/// Reads a ratio of two amounts.
///
/// # Errors
/// It is not a number, negative or not finite.
pub fn ratio(text: &str) -> Result<f64, String> {
    let ratio: f64 = text.trim().parse().map_err(|_| "it is not a number".to_owned())?;
    if ratio.is_finite() && ratio >= 0.0 { Ok(ratio) } else { Err("it must be a number from 0 on".to_owned()) }
}

/// Reads a switch that takes a value, as nodeos does.
///
/// # Errors
/// It is neither on nor off.
pub fn switch(text: &str) -> Result<bool, String> {
    let value = text.to_ascii_lowercase();
    match (ON.contains(&value.as_str()), OFF.contains(&value.as_str())) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err("it must be true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_refused_in_words() {
        let percent = number::<u32>(0..=100);
        assert_eq!(percent(" 100"), Ok(100));
        assert_eq!(percent("101"), Err("it must be from 0 to 100".to_owned()));
        assert_eq!(percent("1.5"), Err("it is not a whole number".to_owned()));
        assert_eq!(number::<i64>(-1..)("-2"), Err("it must be at least -1".to_owned()));
        assert_eq!(number::<u16>(1..)("65536"), Err("it is too large".to_owned()));
        assert_eq!(number::<i32>(..)("-2147483649"), Err("it is too small".to_owned()));
        assert!(number::<u64>(0..)("99999999999999999999999999999999999999999").is_err());
    }

    #[test]
    fn switches_are_read_as_nodeos_reads_them() {
        assert_eq!((switch("ON"), switch(""), switch("no")), (Ok(true), Ok(true), Ok(false)));
        assert!(switch("2").is_err());
    }
}
