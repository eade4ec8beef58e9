//! Binary forms of the standard types.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{DecodeError, Pack, Reader, Sink, Unpack, VarUint32};

macro_rules! little_endian {
    ($($number:ty)*) => {$(
        impl Pack for $number {
            #[inline]
            fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
                out.put(&self.to_le_bytes());
            }
        }
        impl Unpack for $number {
            #[inline]
            fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::from_le_bytes(input.array()?))
            }
        }
    )*};
}
little_endian!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64);

impl Pack for bool {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        out.put(&[u8::from(*self)]);
    }
}

impl Unpack for bool {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match u8::unpack(input)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(DecodeError::BadFlag(other)),
        }
    }
}

impl<const N: usize> Pack for [u8; N] {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        out.put(self);
    }
}

impl<const N: usize> Unpack for [u8; N] {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array()
    }
}

/// Writes the length of something that the chain's size limits keep far below 4 GiB.
#[inline]
fn pack_length<S: Sink + ?Sized>(length: usize, out: &mut S) {
    VarUint32(u32::try_from(length).expect("packed collections hold fewer than 2^32 items")).pack(out);
}

/// Most items of a packed collection (`MAX_NUM_ARRAY_ELEMENTS`).
pub const ITEMS_MAX: usize = 1024 * 1024;
/// Most bytes of a packed string or run of bytes (`MAX_SIZE_OF_BYTE_ARRAYS`).
pub const BYTES_MAX: usize = 20 * 1024 * 1024;

#[inline]
fn unpack_length(input: &mut Reader<'_>, limit: usize) -> Result<usize, DecodeError> {
    let length = VarUint32::unpack(input)?.0 as usize;
    if length > limit { Err(DecodeError::TooLong { length, limit }) } else { Ok(length) }
}

impl<T: Pack> Pack for [T] {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        pack_length(self.len(), out);
        self.iter().for_each(|item| item.pack(out));
    }
}

impl<T: Pack> Pack for Vec<T> {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        self.as_slice().pack(out);
    }
}

impl<T: Unpack> Unpack for Vec<T> {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = unpack_length(input, ITEMS_MAX)?;
        // A false length reserves no more than the input's own size; the items then run out.
        let mut items = Self::with_capacity(length.min(input.remaining() / size_of::<T>().max(1)));
        for _ in 0..length {
            items.push(T::unpack(input)?);
        }
        Ok(items)
    }
}

impl Pack for str {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        pack_length(self.len(), out);
        out.put(self.as_bytes());
    }
}

impl Pack for String {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        self.as_str().pack(out);
    }
}

impl Unpack for String {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = unpack_length(input, BYTES_MAX)?;
        let bytes = input.take(length)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DecodeError::BadUtf8)
    }
}

/// A length-prefixed run of bytes, copied at once where `Vec<u8>` would go byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Pack for Bytes {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        pack_length(self.0.len(), out);
        out.put(&self.0);
    }
}

impl Unpack for Bytes {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = unpack_length(input, BYTES_MAX)?;
        Ok(Self(input.take(length)?.to_vec()))
    }
}

impl<T: Pack> Pack for Option<T> {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        self.is_some().pack(out);
        if let Some(value) = self {
            value.pack(out);
        }
    }
}

impl<T: Unpack> Unpack for Option<T> {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        bool::unpack(input)?.then(|| T::unpack(input)).transpose()
    }
}

impl<K: Pack, V: Pack> Pack for BTreeMap<K, V> {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        pack_length(self.len(), out);
        for (key, value) in self {
            key.pack(out);
            value.pack(out);
        }
    }
}

impl<K: Unpack + Ord, V: Unpack> Unpack for BTreeMap<K, V> {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Vec::<(K, V)>::unpack(input)?.into_iter().collect())
    }
}

impl<T: Pack> Pack for Box<T> {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        (**self).pack(out);
    }
}

impl<T: Unpack> Unpack for Box<T> {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::unpack(input).map(Self::new)
    }
}

impl<T: Pack> Pack for Arc<T> {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        (**self).pack(out);
    }
}

impl<T: Unpack> Unpack for Arc<T> {
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::unpack(input).map(Self::new)
    }
}

impl<T: Pack + ?Sized> Pack for &T {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        (**self).pack(out);
    }
}

macro_rules! tuples {
    ($(($($part:ident $index:tt)*))*) => {$(
        impl<$($part: Pack),*> Pack for ($($part,)*) {
            #[inline]
            fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
                $(self.$index.pack(out);)*
            }
        }
        impl<$($part: Unpack),*> Unpack for ($($part,)*) {
            #[inline]
            fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(($($part::unpack(input)?,)*))
            }
        }
    )*};
}
tuples!((A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3));
