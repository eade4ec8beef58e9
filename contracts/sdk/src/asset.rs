//! Symbols and amounts of tokens, with the arithmetic and the messages of C++ contracts.

use crate::alloc;
use crate::codec::{Pack, Reader, Unpack, Writer};
use crate::fail::check;
use crate::name::Name;
use crate::text::{Text, write_decimal};
use alloc::string::String;
use core::cmp::Ordering;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// One to seven capital letters, the first in the lowest byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct SymbolCode(pub u64);

impl SymbolCode {
    /// The code written as `text`. Panics when it is none; in a constant that is a compile error.
    pub const fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        assert!(bytes.len() <= 7, "string is too long to be a valid symbol_code");
        let mut value = 0u64;
        let mut at = bytes.len();
        while at > 0 {
            at -= 1;
            assert!(bytes[at].is_ascii_uppercase(), "only uppercase letters allowed in symbol_code string");
            value = value << 8 | bytes[at] as u64;
        }
        Self(value)
    }

    /// The number behind the code: scope and key of token tables.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Whether it is capital letters only, at least one, with nothing after the last.
    pub fn is_valid(self) -> bool {
        let mut left = self.0;
        if left >> 56 != 0 || left == 0 {
            return false;
        }
        while left & 0xff != 0 {
            if !(left as u8).is_ascii_uppercase() {
                return false;
            }
            left >>= 8;
        }
        left == 0
    }
}

impl From<SymbolCode> for u64 {
    fn from(code: SymbolCode) -> Self {
        code.0
    }
}

impl Text for SymbolCode {
    fn write(&self, out: &mut String) {
        let mut left = self.0;
        while left & 0xff != 0 {
            out.push(char::from(left as u8));
            left >>= 8;
        }
    }
}

/// A symbol code and a number of decimals: `4,SYS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Symbol(pub u64);

impl Symbol {
    /// The symbol with this code and so many decimals.
    pub const fn new(code: SymbolCode, precision: u8) -> Self {
        Self(code.0 << 8 | precision as u64)
    }

    /// The letters.
    pub const fn code(self) -> SymbolCode {
        SymbolCode(self.0 >> 8)
    }

    /// How many decimals amounts have.
    pub const fn precision(self) -> u8 {
        self.0 as u8
    }

    /// The number behind the symbol.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Whether its code is valid.
    pub fn is_valid(self) -> bool {
        self.code().is_valid()
    }
}

impl From<Symbol> for u64 {
    fn from(symbol: Symbol) -> Self {
        symbol.0
    }
}

impl Text for Symbol {
    fn write(&self, out: &mut String) {
        self.precision().write(out);
        out.push(',');
        self.code().write(out);
    }
}

/// The largest magnitude of an amount: 2^62 - 1.
pub const MAX_AMOUNT: i64 = (1 << 62) - 1;

/// An amount of one token, in its smallest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asset {
    /// How many of the smallest unit.
    pub amount: i64,
    /// Of what.
    pub symbol: Symbol,
}

impl Asset {
    /// An amount; fails when it or its symbol is out of range.
    pub fn new(amount: i64, symbol: Symbol) -> Self {
        let asset = Self { amount, symbol };
        check(asset.is_amount_within_range(), "magnitude of asset amount must be less than 2^62");
        check(symbol.is_valid(), "invalid symbol name");
        asset
    }

    /// Whether the amount's magnitude is at most [`MAX_AMOUNT`].
    pub fn is_amount_within_range(&self) -> bool {
        (-MAX_AMOUNT..=MAX_AMOUNT).contains(&self.amount)
    }

    /// Whether amount and symbol are both valid.
    pub fn is_valid(&self) -> bool {
        self.is_amount_within_range() && self.symbol.is_valid()
    }
}

impl AddAssign for Asset {
    fn add_assign(&mut self, other: Self) {
        check(other.symbol == self.symbol, "attempt to add asset with different symbol");
        self.amount = self.amount.wrapping_add(other.amount);
        check(-MAX_AMOUNT <= self.amount, "addition underflow");
        check(self.amount <= MAX_AMOUNT, "addition overflow");
    }
}

impl SubAssign for Asset {
    fn sub_assign(&mut self, other: Self) {
        check(other.symbol == self.symbol, "attempt to subtract asset with different symbol");
        self.amount = self.amount.wrapping_sub(other.amount);
        check(-MAX_AMOUNT <= self.amount, "subtraction underflow");
        check(self.amount <= MAX_AMOUNT, "subtraction overflow");
    }
}

impl Add for Asset {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sub for Asset {
    type Output = Self;
    fn sub(mut self, other: Self) -> Self {
        self -= other;
        self
    }
}

impl Neg for Asset {
    type Output = Self;
    fn neg(self) -> Self {
        Self { amount: self.amount.wrapping_neg(), ..self }
    }
}

/// Amounts of different tokens cannot be ordered: trying fails the action.
impl PartialOrd for Asset {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        check(self.symbol == other.symbol, "comparison of assets with different symbols is not allowed");
        self.amount.partial_cmp(&other.amount)
    }
}

impl Text for Asset {
    fn write(&self, out: &mut String) {
        if self.amount < 0 {
            out.push('-');
        }
        let precision = usize::from(self.symbol.precision());
        let magnitude = self.amount.unsigned_abs();
        match 10u64.checked_pow(precision as u32) {
            Some(unit) if precision > 0 => {
                write_decimal(magnitude / unit, 1, out);
                out.push('.');
                write_decimal(magnitude % unit, precision, out);
            }
            Some(_) => write_decimal(magnitude, 1, out),
            None => {
                out.push_str("0.");
                write_decimal(magnitude, precision, out);
            }
        }
        out.push(' ');
        self.symbol.code().write(out);
    }
}

/// An amount of a token of a particular contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtendedAsset {
    /// How much.
    pub quantity: Asset,
    /// The token's contract.
    pub contract: Name,
}

macro_rules! packed_as_number {
    ($($kind:ident),+) => { $(
        impl Pack for $kind {
            fn pack(&self, out: &mut Writer) {
                self.0.pack(out);
            }
        }
        impl<'a> Unpack<'a> for $kind {
            fn unpack(reader: &mut Reader<'a>) -> Self {
                Self(u64::unpack(reader))
            }
        }
    )+ };
}
packed_as_number!(SymbolCode, Symbol);

impl Pack for Asset {
    fn pack(&self, out: &mut Writer) {
        self.amount.pack(out);
        self.symbol.pack(out);
    }
}

impl<'a> Unpack<'a> for Asset {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self { amount: i64::unpack(reader), symbol: Symbol::unpack(reader) }
    }
}

impl Pack for ExtendedAsset {
    fn pack(&self, out: &mut Writer) {
        self.quantity.pack(out);
        self.contract.pack(out);
    }
}

impl<'a> Unpack<'a> for ExtendedAsset {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self { quantity: Asset::unpack(reader), contract: Name::unpack(reader) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sys(amount: i64) -> Asset {
        Asset::new(amount, Symbol::new(SymbolCode::new("SYS"), 4))
    }

    #[test]
    fn assets_are_written_with_their_decimals() {
        assert_eq!(text!(sys(1)), "0.0001 SYS");
        assert_eq!(text!(sys(-12_345)), "-1.2345 SYS");
        assert_eq!(text!(Asset::new(7, Symbol::new(SymbolCode::new("RAM"), 0))), "7 RAM");
    }

    #[test]
    fn codes_are_letters_without_holes() {
        assert!(SymbolCode::new("ABCDEFG").is_valid());
        for raw in [0, 0x61, 0x41_0041, 0x4141_4141_4141_4141] {
            assert!(!SymbolCode(raw).is_valid(), "{raw:x}");
        }
    }

    #[test]
    #[should_panic(expected = "eosio_assert_message")]
    fn different_tokens_cannot_be_added() {
        let _ = sys(1) + Asset::new(1, Symbol::new(SymbolCode::new("RAM"), 0));
    }

    use crate::text;
}
