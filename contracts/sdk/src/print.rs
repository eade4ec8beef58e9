//! The console of an action: for development; nodes may drop it.

use crate::alloc::string::String;
use crate::asset::{Asset, Symbol, SymbolCode};
use crate::digest::Checksum256;
use crate::name::Name;
use crate::raw;
use crate::text;

/// A value that can be written to the console.
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
by_text!(Asset, Symbol, SymbolCode, bool);

impl Print for Checksum256 {
    fn print(&self) {
        self.0.as_slice().print();
    }
}

/// Bytes are written in hexadecimal.
impl Print for [u8] {
    fn print(&self) {
        // SAFETY: pointer and length are those of a live slice.
        unsafe { raw::printhex(self.as_ptr(), self.len() as u32) }
    }
}
