//! The console of an action: for development; nodes may drop it.

use crate::alloc::string::String;
use crate::asset::{Asset, ExtendedAsset, Symbol, SymbolCode};
use crate::bytestr::{ByteStr, ByteString};
use crate::digest::{Checksum160, Checksum256, Checksum512};
use crate::float128::Float128;
use crate::name::Name;
use crate::raw;
use crate::text;
use crate::time::{BlockTimestamp, TimePoint, TimePointSec};

/// A value that can be written to the console.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to the console",
    label = "cannot stand in print!(...)",
    note = "there is a way for texts, numbers, names, assets, symbols, times, digests and bytes (&list[..])"
)]
pub trait Print {
    /// Writes it.
    fn print(&self);
}

/// `print!(parts...)`: writes the parts to the action's console.
#[macro_export]
macro_rules! print {
    ($($part:expr),+ $(,)?) => {{ $($crate::print::Print::print(&$part);)+ }};
}

impl Print for str {
    fn print(&self) {
        // SAFETY: pointer and length are those of a live string.
        unsafe { raw::prints_l(self.as_ptr(), self.len() as u32) }
    }
}

impl Print for ByteStr<'_> {
    fn print(&self) {
        // SAFETY: pointer and length are those of a live slice.
        unsafe { raw::prints_l(self.0.as_ptr(), self.0.len() as u32) }
    }
}

impl Print for ByteString {
    fn print(&self) {
        ByteStr::from(self).print();
    }
}

impl Print for String {
    fn print(&self) {
        self.as_str().print();
    }
}

impl<T: Print + ?Sized> Print for &T {
    fn print(&self) {
        (**self).print();
    }
}

macro_rules! by_value {
    ($($kind:ty, $host:ident, $as:ty;)+) => { $(
        impl Print for $kind {
            fn print(&self) {
                // SAFETY: no pointers.
                unsafe { raw::$host(<$as>::from(*self)) }
            }
        }
    )+ };
}
by_value! {
    u8, printui, u64; u16, printui, u64; u32, printui, u64; u64, printui, u64;
    i8, printi, i64; i16, printi, i64; i32, printi, i64; i64, printi, i64;
    f32, printsf, f32; f64, printdf, f64; Name, printn, u64;
}

macro_rules! by_text {
    ($($kind:ty),+) => { $(
        impl Print for $kind {
            fn print(&self) {
                text!(self).print();
            }
        }
    )+ };
}
by_text!(Asset, ExtendedAsset, Symbol, SymbolCode, bool, char, usize, TimePoint, TimePointSec, BlockTimestamp);

macro_rules! by_address {
    ($($kind:ty, $host:ident, $number:expr;)+) => { $(
        impl Print for $kind {
            fn print(&self) {
                let number: fn(&$kind) -> &_ = $number;
                // SAFETY: the host reads one number of 16 bytes.
                unsafe { raw::$host(number(self)) }
            }
        }
    )+ };
}
by_address! {
    u128, printui128, |value| value;
    i128, printi128, |value| value;
    Float128, printqf, |value| &value.0;
}

macro_rules! as_bytes {
    ($($kind:ty),+) => { $(
        impl Print for $kind {
            fn print(&self) {
                self.0.as_slice().print();
            }
        }
    )+ };
}
as_bytes!(Checksum160, Checksum256, Checksum512);

/// Bytes are written in hexadecimal.
impl Print for [u8] {
    fn print(&self) {
        // SAFETY: pointer and length are those of a live slice.
        unsafe { raw::printhex(self.as_ptr(), self.len() as u32) }
    }
}
