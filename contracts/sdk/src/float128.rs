//! `long double` (IEEE quad) as a key of tables and with arithmetic done by the host.

use crate::codec::{Pack, Reader, Unpack, Writer};
use crate::raw;
use core::cmp::Ordering;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// A quad-precision number, by its bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Float128(pub u128);

impl Float128 {
    fn halves(self) -> (u64, u64) {
        (self.0 as u64, (self.0 >> 64) as u64)
    }

    /// The number rounded to double precision.
    pub fn to_f64(self) -> f64 {
        let (low, high) = self.halves();
        // SAFETY: no pointers.
        unsafe { raw::trunctfdf2(low, high) }
    }
}

impl From<f64> for Float128 {
    fn from(value: f64) -> Self {
        let mut result = 0u128;
        // SAFETY: the host writes 16 bytes.
        unsafe { raw::extenddftf2(&raw mut result, value) };
        Self(result)
    }
}

impl From<i64> for Float128 {
    fn from(value: i64) -> Self {
        let mut result = 0u128;
        // SAFETY: the host writes 16 bytes.
        unsafe { raw::floatditf(&raw mut result, value as u64) };
        Self(result)
    }
}

macro_rules! arithmetic {
    ($($operator:ident $method:ident $host:ident),+) => { $(
        impl $operator for Float128 {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                let ((a_low, a_high), (b_low, b_high)) = (self.halves(), other.halves());
                let mut result = 0u128;
                // SAFETY: the host writes 16 bytes.
                unsafe { raw::$host(&raw mut result, a_low, a_high, b_low, b_high) };
                Self(result)
            }
        }
    )+ };
}
arithmetic!(Add add addtf3, Sub sub subtf3, Mul mul multf3, Div div divtf3);

impl Neg for Float128 {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0 ^ (1 << 127))
    }
}

impl PartialOrd for Float128 {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let ((a_low, a_high), (b_low, b_high)) = (self.halves(), other.halves());
        // SAFETY: no pointers.
        unsafe {
            if raw::unordtf2(a_low, a_high, b_low, b_high) != 0 {
                return None;
            }
            Some(raw::cmptf2(a_low, a_high, b_low, b_high).cmp(&0))
        }
    }
}

impl Pack for Float128 {
    fn pack(&self, out: &mut Writer) {
        self.0.pack(out);
    }
}

impl<'a> Unpack<'a> for Float128 {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self(u128::unpack(reader))
    }
}
