//! Text without the formatting machinery of the standard library, which alone would double a small contract.

use alloc::string::String;

use crate::alloc;

/// A value that can be shown to a person.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no text of its own",
    label = "cannot stand in text!(...) or check!(...)",
    note = "there is one for texts, whole numbers, names, assets, symbols, times, digests and bytes (&list[..])"
)]
pub trait Text {
    /// Appends the value's text.
    fn write(&self, out: &mut String);
}

/// `text!(parts...)`: the parts joined to one `String`.
#[macro_export]
macro_rules! text {
    ($($part:expr),+ $(,)?) => {{
        let mut joined = $crate::alloc::string::String::new();
        $($crate::text::Text::write(&$part, &mut joined);)+
        joined
    }};
}

/// `Display` by the value's text, for `panic!` and `format!` (whose machinery only their users pay for).
macro_rules! shown_as_text {
    ($($kind:ty),+ $(,)?) => { $(
        impl core::fmt::Display for $kind {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&text!(self))
            }
        }
    )+ };
}
shown_as_text!(
    crate::name::Name,
    crate::asset::Asset,
    crate::asset::ExtendedAsset,
    crate::asset::Symbol,
    crate::asset::SymbolCode,
    crate::time::TimePoint,
    crate::time::TimePointSec,
    crate::time::BlockTimestamp,
    crate::digest::Checksum160,
    crate::digest::Checksum256,
    crate::digest::Checksum512,
);

impl Text for str {
    fn write(&self, out: &mut String) {
        out.push_str(self);
    }
}

impl Text for String {
    fn write(&self, out: &mut String) {
        out.push_str(self);
    }
}

impl<T: Text + ?Sized> Text for &T {
    fn write(&self, out: &mut String) {
        (**self).write(out);
    }
}

impl Text for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

/// Appends `value` in decimal, with zeros in front up to `width` digits.
pub fn write_decimal(mut value: u64, width: usize, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while value > 0 || (digits.len() - first < width && first > 0) || first == digits.len() {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    for digit in &digits[first..] {
        out.push(char::from(*digit));
    }
}

macro_rules! unsigned {
    ($($number:ty),+) => { $(
        impl Text for $number {
            fn write(&self, out: &mut String) {
                write_decimal(u64::from(*self), 1, out);
            }
        }
    )+ };
}
unsigned!(u8, u16, u32, u64);

impl Text for usize {
    fn write(&self, out: &mut String) {
        write_decimal(*self as u64, 1, out);
    }
}

impl Text for u128 {
    fn write(&self, out: &mut String) {
        const TEN_TO_18: u128 = 1_000_000_000_000_000_000;
        match (self / TEN_TO_18, (self % TEN_TO_18) as u64) {
            (0, low) => write_decimal(low, 1, out),
            (high, low) => {
                high.write(out);
                write_decimal(low, 18, out);
            }
        }
    }
}

impl Text for i128 {
    fn write(&self, out: &mut String) {
        if *self < 0 {
            out.push('-');
        }
        self.unsigned_abs().write(out);
    }
}

impl Text for char {
    fn write(&self, out: &mut String) {
        out.push(*self);
    }
}

/// Bytes are written in hexadecimal.
impl Text for [u8] {
    fn write(&self, out: &mut String) {
        for byte in self {
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
    }
}

macro_rules! signed {
    ($($number:ty),+) => { $(
        impl Text for $number {
            fn write(&self, out: &mut String) {
                if *self < 0 {
                    out.push('-');
                }
                write_decimal(i64::from(*self).unsigned_abs(), 1, out);
            }
        }
    )+ };
}
signed!(i8, i16, i32, i64);

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_decimal() {
        assert_eq!(
            crate::text!(0u8, " ", -5i64, " ", u64::MAX, " ", i64::MIN),
            "0 -5 18446744073709551615 -9223372036854775808"
        );
        assert_eq!(crate::text!(u128::MAX, " ", i128::MIN), format!("{} {}", u128::MAX, i128::MIN));
        assert_eq!(crate::text!(10u128.pow(18), " ", 3usize, 'x', [0xabu8, 1][..]), "1000000000000000000 3xab01");
    }
}
