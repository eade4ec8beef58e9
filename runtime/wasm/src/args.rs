//! Typed arguments and results of host functions, and how each is lowered to WASM values.
//!
//! Pointer arguments are small handles that were checked against the memory; their accessors take the [`Memory`].
//! *Legacy* ones may be misaligned and may overlap; new-style ones ([`Span`]) must not overlap each other.
//! Source: eos-vm host_function.hpp and argument_proxy.hpp, leap webassembly/common.hpp.

use crate::fault::{execution_error, system_failure};
use crate::memory::Memory;
use primitives::{Fault, Name};
use std::marker::PhantomData;
use wasmtime::ValRaw;

/// A WASM value type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
}

impl ValueType {
    /// Bytes of a value.
    pub fn size(self) -> u32 {
        match self {
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }
}

/// Bits of a 32-bit float: NaNs keep their payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct F32(pub u32);

/// Bits of a 64-bit float: NaNs keep their payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct F64(pub u64);

/// Bits of a 128-bit float in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct F128(pub u128);

/// One typed argument of a host function.
pub trait Argument: Copy + 'static {
    /// The WASM values it is lowered to.
    const LOWERED: &'static [ValueType];
    /// Takes it from `values`, as many as `LOWERED` has.
    ///
    /// # Errors
    /// nodeos' fault where the argument points outside the memory.
    fn take(values: &[ValRaw], memory: &Memory<'_>) -> Result<Self, Fault>;
    /// First address and length in bytes, where overlap with other arguments is forbidden.
    fn exclusive_range(&self) -> Option<(u32, u32)> {
        None
    }
}

/// The result of a host function.
pub trait Returned: 'static {
    /// Its WASM type, none for `()`.
    const LOWERED: &'static [ValueType];
    /// Its raw value.
    fn raw(self) -> ValRaw;
}

macro_rules! scalar {
    ($type:ty, $lowered:ident, |$raw:ident| $take:expr, |$value:ident| $give:expr) => {
        impl Argument for $type {
            const LOWERED: &'static [ValueType] = &[ValueType::$lowered];
            fn take(values: &[ValRaw], _: &Memory<'_>) -> Result<Self, Fault> {
                let $raw = values[0];
                Ok($take)
            }
        }
        impl Returned for $type {
            const LOWERED: &'static [ValueType] = &[ValueType::$lowered];
            fn raw(self) -> ValRaw {
                let $value = self;
                $give
            }
        }
    };
}
scalar!(u32, I32, |raw| raw.get_u32(), |value| ValRaw::u32(value));
scalar!(i32, I32, |raw| raw.get_i32(), |value| ValRaw::i32(value));
scalar!(u64, I64, |raw| raw.get_u64(), |value| ValRaw::u64(value));
scalar!(i64, I64, |raw| raw.get_i64(), |value| ValRaw::i64(value));
scalar!(bool, I32, |raw| raw.get_u32() != 0, |value| ValRaw::u32(u32::from(value)));
scalar!(F32, F32, |raw| F32(raw.get_f32()), |value| ValRaw::f32(value.0));
scalar!(F64, F64, |raw| F64(raw.get_f64()), |value| ValRaw::f64(value.0));
scalar!(Name, I64, |raw| Name(raw.get_u64()), |value| ValRaw::u64(value.0));

impl Returned for () {
    const LOWERED: &'static [ValueType] = &[];
    fn raw(self) -> ValRaw {
        ValRaw::u64(0)
    }
}

/// A value of fixed size in linear memory, little-endian.
pub trait Plain: Copy + 'static {
    /// Bytes it takes.
    const SIZE: u32;
    /// From exactly `SIZE` bytes.
    fn from_memory(bytes: &[u8]) -> Self;
    /// Into exactly `SIZE` bytes.
    fn to_memory(self, bytes: &mut [u8]);
}

macro_rules! plain {
    ($($type:ty as $inner:ty, |$value:ident| $give:expr, |$bits:ident| $take:expr;)*) => {$(
        impl Plain for $type {
            const SIZE: u32 = size_of::<$inner>() as u32;
            fn from_memory(bytes: &[u8]) -> Self {
                let $bits = <$inner>::from_le_bytes(bytes.try_into().expect("SIZE bytes"));
                $take
            }
            fn to_memory(self, bytes: &mut [u8]) {
                let $value = self;
                let bits: $inner = $give;
                bytes.copy_from_slice(&bits.to_le_bytes());
            }
        }
    )*};
}
plain! {
    u8 as u8, |value| value, |bits| bits;
    u32 as u32, |value| value, |bits| bits;
    i32 as i32, |value| value, |bits| bits;
    u64 as u64, |value| value, |bits| bits;
    i64 as i64, |value| value, |bits| bits;
    u128 as u128, |value| value, |bits| bits;
    i128 as i128, |value| value, |bits| bits;
    F64 as u64, |value| value.0, |bits| F64(bits);
    F128 as u128, |value| value.0, |bits| F128(bits);
    Name as u64, |value| value.0, |bits| Name(bits);
}

impl<const N: usize> Plain for [u8; N] {
    const SIZE: u32 = N as u32;
    fn from_memory(bytes: &[u8]) -> Self {
        bytes.try_into().expect("SIZE bytes")
    }
    fn to_memory(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self);
    }
}

/// `legacy_ptr<T>`: one value in memory, aligned or not; never null.
#[derive(Debug)]
pub struct LegacyPtr<T> {
    at: u32,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for LegacyPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for LegacyPtr<T> {}

impl<T: Plain> LegacyPtr<T> {
    /// The value.
    pub fn read(self, memory: &Memory<'_>) -> T {
        T::from_memory(memory.region(self.at, u64::from(T::SIZE)))
    }

    /// Whether it lies at a multiple of its size. nodeos works on a copy of a value that does not, and writes it back
    /// when the function ends: that shows where two results overlap.
    pub fn is_aligned(self) -> bool {
        self.at.is_multiple_of(T::SIZE)
    }

    /// Sets the value.
    pub fn write(self, memory: &mut Memory<'_>, value: T) {
        value.to_memory(memory.region_mut(self.at, u64::from(T::SIZE)));
    }
}

impl<T: Plain> Argument for LegacyPtr<T> {
    const LOWERED: &'static [ValueType] = &[ValueType::I32];
    fn take(values: &[ValRaw], memory: &Memory<'_>) -> Result<Self, Fault> {
        let at = values[0].get_u32();
        if at == 0 {
            return Err(execution_error("references cannot be created for null pointers"));
        }
        memory.check(at, T::SIZE)?;
        Ok(Self { at, value: PhantomData })
    }
}

/// `legacy_span<T>`: a pointer and a count of elements, aligned or not, overlapping or not.
#[derive(Debug)]
pub struct LegacySpan<T = u8> {
    at: u32,
    len: u32,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for LegacySpan<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for LegacySpan<T> {}

impl<T: Plain> LegacySpan<T> {
    /// Elements.
    pub fn len(self) -> u32 {
        self.len
    }

    /// Whether it has no elements.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Its bytes.
    pub fn bytes<'m>(self, memory: &'m Memory<'_>) -> &'m [u8] {
        memory.region(self.at, u64::from(self.len) * u64::from(T::SIZE))
    }

    /// Its bytes, to write.
    pub fn bytes_mut<'m>(self, memory: &'m mut Memory<'_>) -> &'m mut [u8] {
        memory.region_mut(self.at, u64::from(self.len) * u64::from(T::SIZE))
    }
}

impl<T: Plain> Argument for LegacySpan<T> {
    const LOWERED: &'static [ValueType] = &[ValueType::I32, ValueType::I32];
    fn take(values: &[ValRaw], memory: &Memory<'_>) -> Result<Self, Fault> {
        let (at, len) = (values[0].get_u32(), values[1].get_u32());
        if len > u32::MAX / T::SIZE {
            return Err(system_failure());
        }
        memory.check(at, len * T::SIZE)?;
        Ok(Self { at, len, value: PhantomData })
    }
}

/// `span<char>`: bytes that must not overlap another [`Span`] of the same call.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    at: u32,
    len: u32,
}

impl Span {
    /// Bytes.
    pub fn len(self) -> u32 {
        self.len
    }

    /// Whether it is empty.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Its bytes.
    pub fn bytes<'m>(self, memory: &'m Memory<'_>) -> &'m [u8] {
        memory.region(self.at, u64::from(self.len))
    }

    /// Its bytes, to write.
    pub fn bytes_mut<'m>(self, memory: &'m mut Memory<'_>) -> &'m mut [u8] {
        memory.region_mut(self.at, u64::from(self.len))
    }
}

impl Argument for Span {
    const LOWERED: &'static [ValueType] = &[ValueType::I32, ValueType::I32];
    fn take(values: &[ValRaw], memory: &Memory<'_>) -> Result<Self, Fault> {
        let (at, len) = (values[0].get_u32(), values[1].get_u32());
        memory.check(at, len)?;
        Ok(Self { at, len })
    }
    fn exclusive_range(&self) -> Option<(u32, u32)> {
        Some((self.at, self.len))
    }
}

/// `null_terminated_ptr`: text up to a zero byte.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    at: u32,
    len: u32,
}

impl Text {
    /// Its bytes, without the zero.
    pub fn bytes<'m>(self, memory: &'m Memory<'_>) -> &'m [u8] {
        memory.region(self.at, u64::from(self.len))
    }
}

impl Argument for Text {
    const LOWERED: &'static [ValueType] = &[ValueType::I32];
    fn take(values: &[ValRaw], memory: &Memory<'_>) -> Result<Self, Fault> {
        let at = values[0].get_u32();
        memory.check(at, 0)?;
        Ok(Self { at, len: memory.text_len(at)? })
    }
}

/// Arguments of `memcpy` and `memmove`.
#[derive(Debug, Clone, Copy)]
pub struct CopyArgs {
    /// Where to.
    pub to: u32,
    /// Where from.
    pub from: u32,
    /// Bytes.
    pub len: u32,
}

impl Argument for CopyArgs {
    const LOWERED: &'static [ValueType] = &[ValueType::I32, ValueType::I32, ValueType::I32];
    fn take(values: &[ValRaw], memory: &Memory<'_>) -> Result<Self, Fault> {
        let (to, from, len) = (values[0].get_u32(), values[1].get_u32(), values[2].get_u32());
        memory.check(to, len)?;
        memory.check(from, len)?;
        memory.check(to, 1)?;
        Ok(Self { to, from, len })
    }
}

/// Arguments of `memcmp`.
#[derive(Debug, Clone, Copy)]
pub struct CompareArgs {
    /// One.
    pub left: u32,
    /// The other.
    pub right: u32,
    /// Bytes.
    pub len: u32,
}

impl Argument for CompareArgs {
    const LOWERED: &'static [ValueType] = &[ValueType::I32, ValueType::I32, ValueType::I32];
    fn take(values: &[ValRaw], memory: &Memory<'_>) -> Result<Self, Fault> {
        let (left, right, len) = (values[0].get_u32(), values[1].get_u32(), values[2].get_u32());
        memory.check(left, len)?;
        memory.check(right, len)?;
        Ok(Self { left, right, len })
    }
}

/// Arguments of `memset`.
#[derive(Debug, Clone, Copy)]
pub struct FillArgs {
    /// Where to.
    pub to: u32,
    /// The byte, in the low 8 bits.
    pub value: i32,
    /// Bytes.
    pub len: u32,
}

impl Argument for FillArgs {
    const LOWERED: &'static [ValueType] = &[ValueType::I32, ValueType::I32, ValueType::I32];
    fn take(values: &[ValRaw], memory: &Memory<'_>) -> Result<Self, Fault> {
        let (to, value, len) = (values[0].get_u32(), values[1].get_i32(), values[2].get_u32());
        memory.check(to, len)?;
        memory.check(to, 1)?;
        Ok(Self { to, value, len })
    }
}
