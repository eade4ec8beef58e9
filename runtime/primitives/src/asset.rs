//! Token amounts with their symbol.
//!
//! Unpacking takes any number: contracts may store them. What nodeos checks when it reads or prints one is in
//! [`Symbol::validate`] and [`Asset::validate`].

use std::fmt;
use std::str::FromStr;

use codec::{Pack, Unpack};
use serde::{Deserialize, Serialize};

use crate::message::printable;
use crate::{Fault, FaultKind, Name, ensure};

/// Most decimal places of a symbol.
pub const PRECISION_MAX: u8 = 18;
/// Largest magnitude of an asset's amount.
pub const AMOUNT_MAX: i64 = (1 << 62) - 1;

/// Up to seven capital letters, the first in the lowest byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct SymbolCode(pub u64);

/// Decimal places in the lowest byte, the code above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct Symbol(pub u64);

/// An amount in the symbol's smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Pack, Unpack)]
pub struct Asset {
    /// The amount; within +-(2^62 - 1) where valid.
    pub amount: i64,
    /// Its symbol.
    pub symbol: Symbol,
}

/// An amount of the token that one contract keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Pack, Unpack, Serialize, Deserialize)]
pub struct ExtendedAsset {
    /// The amount and symbol.
    pub quantity: Asset,
    /// The token's contract.
    pub contract: Name,
}

/// The letters of a code packed into a number: its bytes up to the highest one that is not zero.
fn letters(value: u64) -> impl Iterator<Item = u8> {
    let length = (u64::BITS - value.leading_zeros()).div_ceil(8) as usize;
    value.to_le_bytes().into_iter().take(length)
}

fn letters_are_valid(value: u64) -> bool {
    letters(value).all(|letter| letter.is_ascii_uppercase())
}

/// A symbol of these letters as nodeos puts it together: from the eighth on they fall on the bytes of the first ones,
/// where they leave no valid symbol.
fn assemble(precision: u8, letters: &str) -> Result<Symbol, Fault> {
    let valid = letters.bytes().all(|letter| letter.is_ascii_uppercase());
    ensure!(valid, SYMBOL_TYPE_EXCEPTION, "invalid character in symbol name");
    let shifts = (1..8).chain(0..8).cycle().map(|position| position * 8);
    let value = letters
        .bytes()
        .zip(shifts.take(letters.len()))
        .fold(0, |value, (letter, shift)| value | u64::from(letter) << shift);
    Ok(Symbol(value | u64::from(precision)))
}

fn invalid_symbol(letters: &[u8]) -> Fault {
    Fault::new(FaultKind::SYMBOL_TYPE_EXCEPTION, format!("invalid symbol: {}", printable(letters)))
}

impl SymbolCode {
    /// The code of a text that is known to be one, e.g. for constants.
    ///
    /// # Panics
    /// When the text is longer than seven letters or has other characters.
    pub const fn new(text: &str) -> Self {
        let (bytes, mut index, mut value) = (text.as_bytes(), text.len(), 0);
        assert!(bytes.len() <= 7, "too long for a symbol");
        while index > 0 {
            index -= 1;
            assert!(bytes[index].is_ascii_uppercase(), "not a capital letter");
            value = value << 8 | bytes[index] as u64;
        }
        Self(value)
    }
}

impl Symbol {
    /// The symbol of a text that is known to be one, e.g. for constants.
    ///
    /// # Panics
    /// When the text is longer than seven letters, has other characters, or there are too many decimal places.
    pub const fn new(precision: u8, text: &str) -> Self {
        assert!(precision <= PRECISION_MAX, "too many decimal places");
        Self(SymbolCode::new(text).0 << 8 | precision as u64)
    }

    /// Decimal places.
    pub fn precision(self) -> u8 {
        self.0 as u8
    }

    /// The letters.
    pub fn code(self) -> SymbolCode {
        SymbolCode(self.0 >> 8)
    }

    /// Checks what nodeos checks when it unpacks a symbol.
    ///
    /// # Errors
    /// `symbol_type_exception`.
    pub fn validate(self) -> Result<(), Fault> {
        let precision = self.precision();
        ensure!(precision <= PRECISION_MAX, SYMBOL_TYPE_EXCEPTION, "precision {precision} should be <= 18");
        match letters_are_valid(self.0 >> 8) {
            true => Ok(()),
            false => Err(invalid_symbol(&letters(self.0 >> 8).collect::<Vec<_>>())),
        }
    }
}

impl Asset {
    /// Checks what nodeos checks when it unpacks an asset.
    ///
    /// # Errors
    /// `asset_type_exception` or `symbol_type_exception`.
    pub fn validate(&self) -> Result<(), Fault> {
        self.symbol.validate()?;
        let small = self.amount.unsigned_abs() <= AMOUNT_MAX.unsigned_abs();
        ensure!(small, ASSET_TYPE_EXCEPTION, "magnitude of asset amount must be less than 2^62");
        Ok(())
    }
}

impl fmt::Display for SymbolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bytes of an invalid code that are no text are left out, as nodeos does when it prints.
        let bytes: Vec<u8> = letters(self.0).collect();
        f.pad(&bytes.utf8_chunks().map(|chunk| chunk.valid()).collect::<String>())
    }
}

impl fmt::Display for Symbol {
    /// `4,EOS`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{},{}", self.precision(), self.code()))
    }
}

impl fmt::Display for Asset {
    /// `1.0000 EOS`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, digits) = (if self.amount < 0 { "-" } else { "" }, self.amount.unsigned_abs().to_string());
        let places = usize::from(self.symbol.precision());
        let code = self.symbol.code();
        if places == 0 {
            return f.pad(&format!("{sign}{digits} {code}"));
        }
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        f.pad(&format!("{sign}{whole}.{fraction} {code}"))
    }
}

impl FromStr for SymbolCode {
    type Err = Fault;

    /// # Errors
    /// `symbol_type_exception`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let symbol = assemble(0, text)?;
        if symbol.validate().is_err() {
            return Err(invalid_symbol(text.as_bytes()));
        }
        Ok(symbol.code())
    }
}

/// White space as C counts it.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}'])
}

fn parse_number(text: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, "Couldn't parse int64_t"))
}

impl FromStr for Symbol {
    type Err = Fault;

    /// # Errors
    /// `symbol_type_exception`, or `parse_error_exception` when the precision is no number.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let text = trim(text);
        ensure!(!text.is_empty(), SYMBOL_TYPE_EXCEPTION, "creating symbol from empty string");
        let Some((precision, code)) = text.split_once(',') else {
            return Err(Fault::new(FaultKind::SYMBOL_TYPE_EXCEPTION, "missing comma in symbol"));
        };
        // nodeos cuts the number to eight bits before it looks at it.
        let precision = parse_number(precision)? as u8;
        ensure!(precision <= PRECISION_MAX, SYMBOL_TYPE_EXCEPTION, "precision {precision} should be <= 18");
        let symbol = assemble(precision, code)?;
        match symbol.validate() {
            Ok(()) => Ok(symbol),
            Err(_) => Err(invalid_symbol(&letters(symbol.0 >> 8).collect::<Vec<_>>())),
        }
    }
}

impl FromStr for Asset {
    type Err = Fault;

    /// # Errors
    /// `asset_type_exception`, `symbol_type_exception`, `parse_error_exception`, `overflow_exception`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let Some((amount, code)) = trim(text).split_once(' ') else {
            let message = "Asset's amount and symbol should be separated with space";
            return Err(Fault::new(FaultKind::ASSET_TYPE_EXCEPTION, message));
        };
        let (whole, fraction) = match amount.split_once('.') {
            Some((_, "")) => {
                let message = "Missing decimal fraction after decimal point";
                return Err(Fault::new(FaultKind::ASSET_TYPE_EXCEPTION, message));
            }
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (amount, None),
        };
        let symbol: Symbol = format!("{},{}", fraction.map_or(0, str::len), trim(code)).parse()?;
        let unit = 10i64.pow(u32::from(symbol.precision()));
        let fraction = match fraction {
            Some(fraction) if amount.starts_with('-') => -parse_number(fraction)?,
            Some(fraction) => parse_number(fraction)?,
            None => 0,
        };
        let amount = parse_number(whole)?.checked_mul(unit).and_then(|amount| amount.checked_add(fraction));
        let amount = amount.ok_or_else(|| Fault::new(FaultKind::OVERFLOW_EXCEPTION, "Integer Overflow"))?;
        let asset = Self { amount, symbol };
        asset.validate()?;
        Ok(asset)
    }
}

crate::json::as_text!(SymbolCode);
crate::json::as_text!(Symbol);
crate::json::as_text!(Asset);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EOS: Symbol = Symbol::new(4, "EOS");

    #[test]
    fn texts() {
        for (text, amount, symbol) in [
            ("1.0000 EOS", 10_000, EOS),
            ("-0.0001 EOS", -1, EOS),
            ("0.0001 EOS", 1, EOS),
            ("-12.5000 EOS", -125_000, EOS),
            ("7 GOLD", 7, Symbol::new(0, "GOLD")),
            ("1.000000000000000000 ETHER", 1_000_000_000_000_000_000, Symbol::new(18, "ETHER")),
        ] {
            let asset = Asset { amount, symbol };
            assert_eq!(asset.to_string(), text);
            assert_eq!(text.parse(), Ok(asset));
        }
        assert_eq!(EOS.to_string(), "4,EOS");
        assert_eq!("4,EOS".parse(), Ok(EOS));
        assert_eq!(EOS.0, 1397703940);
        assert_eq!("  1.0000   EOS  ".parse(), Ok(Asset { amount: 10_000, symbol: EOS }));
    }

    #[test]
    fn texts_that_are_no_assets() {
        for text in ["", "1.0000", "1. EOS", "1.0000 eos", "x EOS", "9223372036854775807.0000 EOS", "1.0 EOS X"] {
            assert!(text.parse::<Asset>().is_err(), "{text}");
        }
        for text in ["", "EOS", "19,EOS", "4,EOS1", "4,ABCDEFGH", "x,EOS"] {
            assert!(text.parse::<Symbol>().is_err(), "{text}");
        }
        assert_eq!(Asset { amount: i64::MIN, symbol: EOS }.to_string(), "-922337203685477.5808 EOS");
    }

    proptest! {
        #[test]
        fn valid_assets_have_a_text(amount in -AMOUNT_MAX..=AMOUNT_MAX, precision in 0..=PRECISION_MAX) {
            let asset = Asset { amount, symbol: Symbol(EOS.0 & !0xff | u64::from(precision)) };
            prop_assert_eq!(asset.to_string().parse(), Ok(asset));
        }

        #[test]
        fn nothing_panics(amount: i64, symbol: u64, text: String) {
            let _ = Asset { amount, symbol: Symbol(symbol) }.to_string();
            let _ = (text.parse::<Asset>(), text.parse::<Symbol>());
        }
    }
}
