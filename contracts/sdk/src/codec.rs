//! The chain's binary format: little-endian numbers, varuint32 lengths, fields in order.
//!
//! Reading past the end fails the action with the words C++ contracts use, so callers need no error type.

use crate::fail::{check, fail};
pub use crate::writer::Writer;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::alloc;

/// A value that can be written in the chain's format.
pub trait Pack {
    /// Appends the packed form of `self`.
    fn pack(&self, out: &mut Writer);
}

/// A value that can be read from the chain's format. `'a` is the life of the bytes: `&str` and `&[u8]` borrow them.
pub trait Unpack<'a>: Sized {
    /// Takes one value off the front of the reader.
    fn unpack(reader: &mut Reader<'a>) -> Self;
}

/// The packed form of a value.
pub fn pack<T: Pack + ?Sized>(value: &T) -> Writer {
    let mut out = Writer::new();
    value.pack(&mut out);
    out
}

/// The value at the front of `bytes`; what follows it is not looked at.
pub fn unpack<'a, T: Unpack<'a>>(bytes: &'a [u8]) -> T {
    T::unpack(&mut Reader::new(bytes))
}

/// Bytes not yet read.
#[derive(Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Everything not yet read.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Takes `count` bytes.
    #[inline(never)]
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        check(count <= self.bytes.len(), "datastream attempted to read past the end");
        // SAFETY: `count` is within the slice, checked above.
        unsafe {
            let taken = self.bytes.get_unchecked(..count);
            self.bytes = self.bytes.get_unchecked(count..);
            taken
        }
    }

    /// Takes `N` bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        // SAFETY: `take` gave exactly `N` bytes.
        unsafe { *self.take(N).as_ptr().cast() }
    }

    /// Takes a varuint32 length.
    #[inline(never)]
    pub fn length(&mut self) -> usize {
        let mut value = 0u32;
        let mut shift = 0u32;
        loop {
            let [byte] = self.array();
            value |= u32::from(byte & 0x7f).wrapping_shl(shift);
            shift = shift.wrapping_add(7);
            if byte & 0x80 == 0 || shift >= 35 {
                return value as usize;
            }
        }
    }
}

/// Appends a varuint32.
#[inline(never)]
pub fn pack_length(mut value: usize, out: &mut Writer) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

macro_rules! numbers {
    ($($number:ty),+) => { $(
        impl Pack for $number {
            #[inline]
            fn pack(&self, out: &mut Writer) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
        impl<'a> Unpack<'a> for $number {
            #[inline]
            fn unpack(reader: &mut Reader<'a>) -> Self {
                Self::from_le_bytes(reader.array())
            }
        }
    )+ };
}
numbers!(u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, f32, f64);

impl Pack for bool {
    fn pack(&self, out: &mut Writer) {
        out.push(u8::from(*self));
    }
}

impl<'a> Unpack<'a> for bool {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        u8::unpack(reader) != 0
    }
}

/// An unsigned number of variable length, as `unsigned_int` in C++ contracts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct VarUint32(pub u32);

impl Pack for VarUint32 {
    fn pack(&self, out: &mut Writer) {
        pack_length(self.0 as usize, out);
    }
}

impl<'a> Unpack<'a> for VarUint32 {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self(reader.length() as u32)
    }
}

impl<T: Pack + ?Sized> Pack for &T {
    fn pack(&self, out: &mut Writer) {
        (**self).pack(out);
    }
}

impl<T: Pack> Pack for Box<T> {
    fn pack(&self, out: &mut Writer) {
        (**self).pack(out);
    }
}

impl<'a, T: Unpack<'a>> Unpack<'a> for Box<T> {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self::new(T::unpack(reader))
    }
}

impl Pack for str {
    fn pack(&self, out: &mut Writer) {
        pack_length(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }
}

/// Text on the chain is bytes by contract: it is not checked to be UTF-8, and must not be split into characters.
impl<'a> Unpack<'a> for &'a str {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        let length = reader.length();
        // SAFETY: nothing here decodes characters; the bytes are only measured, compared, stored and shown.
        unsafe { core::str::from_utf8_unchecked(reader.take(length)) }
    }
}

impl Pack for String {
    fn pack(&self, out: &mut Writer) {
        self.as_str().pack(out);
    }
}

impl<'a> Unpack<'a> for String {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self::from(<&str>::unpack(reader))
    }
}

impl<T: Pack> Pack for [T] {
    fn pack(&self, out: &mut Writer) {
        pack_length(self.len(), out);
        for item in self {
            item.pack(out);
        }
    }
}

/// `bytes` without a copy.
impl<'a> Unpack<'a> for &'a [u8] {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        let length = reader.length();
        reader.take(length)
    }
}

impl<T: Pack> Pack for Vec<T> {
    fn pack(&self, out: &mut Writer) {
        self.as_slice().pack(out);
    }
}

impl<'a, T: Unpack<'a>> Unpack<'a> for Vec<T> {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        let length = reader.length();
        // A length is a claim; at least one byte must stand behind every item before memory is given for it.
        let mut items = Self::with_capacity(length.min(reader.rest().len()));
        for _ in 0..length {
            items.push(T::unpack(reader));
        }
        items
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, out: &mut Writer) {
        self.is_some().pack(out);
        if let Some(value) = self {
            value.pack(out);
        }
    }
}

impl<'a, T: Unpack<'a>> Unpack<'a> for Option<T> {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        bool::unpack(reader).then(|| T::unpack(reader))
    }
}

impl<const N: usize> Pack for [u8; N] {
    fn pack(&self, out: &mut Writer) {
        out.extend_from_slice(self);
    }
}

impl<'a, const N: usize> Unpack<'a> for [u8; N] {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        reader.array()
    }
}

macro_rules! tuples {
    ($($name:ident $field:tt),+) => {
        impl<$($name: Pack),+> Pack for ($($name,)+) {
            fn pack(&self, out: &mut Writer) {
                $(self.$field.pack(out);)+
            }
        }
        impl<'a, $($name: Unpack<'a>),+> Unpack<'a> for ($($name,)+) {
            fn unpack(reader: &mut Reader<'a>) -> Self {
                ($($name::unpack(reader),)+)
            }
        }
    };
}
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);

/// A field that older data may lack: absent when the bytes end before it. Only at the end of a row or an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<T>(pub Option<T>);

impl<T> Default for Extension<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Pack> Pack for Extension<T> {
    fn pack(&self, out: &mut Writer) {
        if let Some(value) = &self.0 {
            value.pack(out);
        }
    }
}

impl<'a, T: Unpack<'a>> Unpack<'a> for Extension<T> {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self((!reader.rest().is_empty()).then(|| T::unpack(reader)))
    }
}

/// An argument that is described in the ABI as `T` but not read: `rest` is everything from where it begins.
#[derive(Clone, Copy)]
pub struct Ignore<'a, T: ?Sized> {
    /// The bytes of this argument and of those after it.
    pub rest: &'a [u8],
    kind: core::marker::PhantomData<fn() -> Box<T>>,
}

impl<'a, T: ?Sized> Unpack<'a> for Ignore<'a, T> {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self { rest: reader.rest(), kind: core::marker::PhantomData }
    }
}

/// Fails as reading an unknown variant does.
#[cold]
pub fn unknown_variant() -> ! {
    fail("invalid variant index")
}
