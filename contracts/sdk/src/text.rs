//! Text without the formatting machinery of the standard library, which alone would double a small contract.

use alloc::string::String;

use crate::alloc;

/// A value that can be shown to a person.
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
    }
}
