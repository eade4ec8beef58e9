//! Symbols and amounts of tokens, with the arithmetic and the messages of C++ contracts.

use crate::alloc;
use crate::codec::{Pack, Reader, Unpack, Writer};
use crate::fail::check;
use crate::name::Name;
use crate::text::{Text, write_decimal};
use alloc::string::String;
use core::cmp::Ordering;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

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

impl Neg for Asset {
    type Output = Self;
    fn neg(self) -> Self {
        Self { amount: self.amount.wrapping_neg(), ..self }
    }
}

impl MulAssign<i64> for Asset {
    fn mul_assign(&mut self, factor: i64) {
        let product = i128::from(self.amount) * i128::from(factor);
        check(product <= i128::from(MAX_AMOUNT), "multiplication overflow");
        check(product >= i128::from(-MAX_AMOUNT), "multiplication underflow");
        self.amount = product as i64;
    }
}

impl DivAssign<i64> for Asset {
    fn div_assign(&mut self, divisor: i64) {
        check(divisor != 0, "divide by zero");
        check(!(self.amount == i64::MIN && divisor == -1), "signed division overflow");
        self.amount = self.amount.wrapping_div(divisor);
    }
}

/// How often one amount is contained in another.
impl Div for Asset {
    type Output = i64;
    fn div(self, other: Self) -> i64 {
        check(other.amount != 0, "divide by zero");
        check(self.symbol == other.symbol, "attempt to divide assets with different symbol");
        self.amount.wrapping_div(other.amount)
    }
}

/// The operators that follow from the assigning ones.
macro_rules! operators {
    ($($kind:ident),+) => { $(
        impl Add for $kind {
            type Output = Self;
            fn add(mut self, other: Self) -> Self {
                self += other;
                self
            }
        }

        impl Sub for $kind {
            type Output = Self;
            fn sub(mut self, other: Self) -> Self {
                self -= other;
                self
            }
        }

        impl Mul<i64> for $kind {
            type Output = Self;
            fn mul(mut self, factor: i64) -> Self {
                self *= factor;
                self
            }
        }

        impl Div<i64> for $kind {
            type Output = Self;
            fn div(mut self, divisor: i64) -> Self {
                self /= divisor;
                self
            }
        }
    )+ };
}
operators!(Asset, ExtendedAsset);

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

impl ExtendedAsset {
    /// The other's quantity; fails when it is of another contract.
    fn of_same_contract(&self, other: Self) -> Asset {
        check(self.contract == other.contract, "type mismatch");
        other.quantity
    }
}

impl AddAssign for ExtendedAsset {
    fn add_assign(&mut self, other: Self) {
        self.quantity += self.of_same_contract(other);
    }
}

impl SubAssign for ExtendedAsset {
    fn sub_assign(&mut self, other: Self) {
        self.quantity -= self.of_same_contract(other);
    }
}

impl MulAssign<i64> for ExtendedAsset {
    fn mul_assign(&mut self, factor: i64) {
        self.quantity *= factor;
    }
}

impl DivAssign<i64> for ExtendedAsset {
    fn div_assign(&mut self, divisor: i64) {
        self.quantity /= divisor;
    }
}

impl Neg for ExtendedAsset {
    type Output = Self;
    fn neg(self) -> Self {
        Self { quantity: -self.quantity, ..self }
    }
}

impl PartialOrd for ExtendedAsset {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.quantity.partial_cmp(&self.of_same_contract(*other))
    }
}

impl Text for ExtendedAsset {
    fn write(&self, out: &mut String) {
        self.quantity.write(out);
        out.push('@');
        self.contract.write(out);
    }
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
    fn amounts_are_multiplied_and_divided() {
        assert_eq!((sys(7) * 3, sys(-7) / 2, sys(7) / sys(2)), (sys(21), sys(-3), 3));
        let ours = ExtendedAsset { quantity: sys(5), contract: Name::new("token") };
        assert_eq!(text!(ours + ours * 2), "0.0015 SYS@token");
        assert!(ours < ours * 2);
    }

    #[test]
    #[should_panic(expected = "assertion failure with message")]
    fn a_product_beyond_the_range_fails() {
        let _ = sys(MAX_AMOUNT) * 2;
    }

    #[test]
    #[should_panic(expected = "assertion failure with message")]
    fn tokens_of_two_contracts_cannot_be_added() {
        let of = |contract| ExtendedAsset { quantity: sys(5), contract };
        let _ = of(Name::new("token")) + of(Name::new("fake.token"));
    }

    #[test]
    fn codes_are_letters_without_holes() {
        assert!(SymbolCode::new("ABCDEFG").is_valid());
        for raw in [0, 0x61, 0x41_0041, 0x4141_4141_4141_4141] {
            assert!(!SymbolCode(raw).is_valid(), "{raw:x}");
        }
    }

    #[test]
    #[should_panic(expected = "assertion failure with message")]
    fn different_tokens_cannot_be_added() {
        let _ = sys(1) + Asset::new(1, Symbol::new(SymbolCode::new("RAM"), 0));
    }

    use crate::text;
}
