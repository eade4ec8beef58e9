//! The chain's binary format: little-endian numbers, varuint32 lengths, fields in order.
//!
//! Reading past the end fails the action with the words C++ contracts use, so callers need no error type.

use crate::fail::{check, fail};
pub use crate::writer::Writer;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::alloc;

/// A value that can be written in the chain's format.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no packed form, so the chain cannot carry it",
    label = "not a value of the chain",
    note = "for a struct or enum of your own: #[derive(Record)]; a table's row: #[table(\"name\")]"
)]
pub trait Pack {
    /// Appends the packed form of `self`.
    fn pack(&self, out: &mut Writer);

    /// Appends many values, one after the other. Bytes do it in one go.
    #[doc(hidden)]
    fn pack_all(values: &[Self], out: &mut Writer)
    where
        Self: Sized,
    {
        for value in values {
            value.pack(out);
        }
    }
}

/// A value that can be read from the chain's format. `'a` is the life of the bytes: `&str` and `&[u8]` borrow them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from packed bytes, so the chain cannot carry it",
    label = "not a value of the chain",
    note = "for a struct or enum of your own: #[derive(Record)]; a table's row: #[table(\"name\")]"
)]
pub trait Unpack<'a>: Sized {
    /// Takes one value off the front of the reader.
    fn unpack(reader: &mut Reader<'a>) -> Self;

    /// Takes so many values off the front. Bytes do it in one go.
    #[doc(hidden)]
    fn unpack_list(length: usize, reader: &mut Reader<'a>) -> Vec<Self> {
        // A length is a claim; at least one byte must stand behind every item before memory is given for it.
        let mut items = Vec::with_capacity(length.min(reader.rest().len()));
        for _ in 0..length {
            items.push(Self::unpack(reader));
        }
        items
    }
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
        // SAFETY: `take` gave exactly `N` bytes, and bytes are aligned everywhere.
        unsafe { *self.take(N).as_ptr().cast::<[u8; N]>() }
    }

    /// Takes a varuint32 length. As in C++ contracts, no number of bytes is too many for it.
    #[inline(never)]
    pub fn length(&mut self) -> usize {
        let mut value = 0u32;
        let mut shift = 0u32;
        loop {
            // C++ contracts say so when the bytes end inside a length, and otherwise elsewhere.
            check(!self.bytes.is_empty(), "get");
            let [byte] = self.array();
            value |= u32::from(byte & 0x7f).wrapping_shl(shift);
            shift = shift.wrapping_add(7);
            if byte & 0x80 == 0 {
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
numbers!(i8, u16, i16, u32, i32, u64, i64, u128, i128, f32, f64);

impl Pack for u8 {
    #[inline]
    fn pack(&self, out: &mut Writer) {
        out.push(*self);
    }

    fn pack_all(values: &[Self], out: &mut Writer) {
        out.extend_from_slice(values);
    }
}

impl<'a> Unpack<'a> for u8 {
    #[inline]
    fn unpack(reader: &mut Reader<'a>) -> Self {
        let [byte] = reader.array();
        byte
    }

    fn unpack_list(length: usize, reader: &mut Reader<'a>) -> Vec<Self> {
        Vec::from(reader.take(length))
    }
}

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

/// A signed number of variable length, as `signed_int` in C++ contracts: small magnitudes are short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct VarInt32(pub i32);

impl Pack for VarInt32 {
    fn pack(&self, out: &mut Writer) {
        pack_length((self.0 << 1 ^ self.0 >> 31) as u32 as usize, out);
    }
}

impl<'a> Unpack<'a> for VarInt32 {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        let value = reader.length() as u32;
        Self((value >> 1) as i32 ^ -((value & 1) as i32))
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

/// The chain checks no text. What is not UTF-8 is refused here: [`ByteStr`](crate::bytestr::ByteStr) takes all of it.
impl<'a> Unpack<'a> for &'a str {
    #[inline(never)]
    fn unpack(reader: &mut Reader<'a>) -> Self {
        let length = reader.length();
        match core::str::from_utf8(reader.take(length)) {
            Ok(text) => text,
            Err(_) => fail("text is not valid UTF-8"),
        }
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
        T::pack_all(self, out);
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
        T::unpack_list(length, reader)
    }
}

impl<K: Pack, V: Pack> Pack for BTreeMap<K, V> {
    fn pack(&self, out: &mut Writer) {
        pack_length(self.len(), out);
        for (key, value) in self {
            key.pack(out);
            value.pack(out);
        }
    }
}

impl<'a, K: Unpack<'a> + Ord, V: Unpack<'a>> Unpack<'a> for BTreeMap<K, V> {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        let length = reader.length();
        // One after the other: the length is a claim, and memory is given for what is there.
        let mut map = Self::new();
        for _ in 0..length {
            map.insert(K::unpack(reader), V::unpack(reader));
        }
        map
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

/// Exactly so many values, without a length before them.
impl<T: Pack, const N: usize> Pack for [T; N] {
    fn pack(&self, out: &mut Writer) {
        T::pack_all(self, out);
    }
}

impl<'a, T: Unpack<'a>, const N: usize> Unpack<'a> for [T; N] {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        core::array::from_fn(|_| T::unpack(reader))
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
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

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

/// Fails as reading a number that is no case of an enum does.
#[cold]
pub fn unknown_case() -> ! {
    fail("invalid enum value")
}

/// Fails as reading an unknown variant does.
#[cold]
pub fn unknown_variant() -> ! {
    fail("invalid variant index")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_numbers_of_variable_length_zigzag() {
        for (value, bytes) in [(0, &[0][..]), (-1, &[1]), (1, &[2]), (-64, &[127]), (64, &[128, 1])] {
            assert_eq!(*pack(&VarInt32(value)), *bytes, "{value}");
            assert_eq!(unpack::<VarInt32>(bytes).0, value);
        }
        for value in [i32::MIN, i32::MAX] {
            assert_eq!(unpack::<VarInt32>(&pack(&VarInt32(value))).0, value);
        }
    }

    #[test]
    fn bytes_maps_and_lists_come_back() {
        let map = BTreeMap::from([(1u16, Vec::from(*b"one")), (2, Vec::new())]);
        assert_eq!(*pack(&map), *b"\x02\x01\0\x03one\x02\0\0");
        assert_eq!(unpack::<BTreeMap<u16, Vec<u8>>>(&pack(&map)), map);
        assert_eq!(*pack(&[1u16, 2][..]), [2, 1, 0, 2, 0]);
    }

    #[test]
    #[should_panic(expected = "assertion failure with message")]
    fn a_length_beyond_the_data_fails() {
        unpack::<Vec<u64>>(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]);
    }

    #[derive(crate::Record)]
    enum Choice {
        Small(u8),
        Large(u64),
    }

    #[test]
    fn a_variant_comes_back() {
        let back = |bytes: &[u8]| match unpack(bytes) {
            Choice::Small(value) => u64::from(value),
            Choice::Large(value) => value,
        };
        assert_eq!((back(&[0, 7]), back(&[1, 8, 0, 0, 0, 0, 0, 0, 0])), (7, 8));
    }

    #[test]
    #[should_panic(expected = "assertion failure with message")]
    fn a_variants_index_is_not_cut_to_a_byte() {
        unpack::<Choice>(&[0x80, 0x04, 7]);
    }
}
