//! Keys: what a row is found by, and how the order of a value becomes the order of the chain's numbers.

use crate::asset::{Symbol, SymbolCode};
use crate::fail::{check, fail};
use crate::name::Name;
use crate::time::{BlockTimestamp, TimePoint, TimePointSec};

/// A value with the order of a number of 64 bits: a primary key, and a key of secondary indexes.
///
/// Unsigned numbers, names, symbols and times are themselves (a time counts in its own unit). A signed number is moved up
/// by half of the range, so that the least is 0.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "not a key",
    note = "keys are whole numbers up to 64 bits, bool, Name, Symbol, SymbolCode and times; secondary ones also u128, \
            i128, f64, Float128, Checksum256 and pairs of keys; primary = EXPRESSION and index(name: KEY = EXPRESSION) \
            make one of anything"
)]
pub trait OrderedKey: Copy + PartialOrd {
    /// The least value.
    const LEAST: Self;
    /// The number: greater for a greater value.
    fn ordered(self) -> u64;
}

/// What can be a row's primary key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a primary key",
    label = "not a key",
    note = "primary keys are whole numbers up to 64 bits, bool, Name, Symbol, SymbolCode, times and pairs of u32; \
            primary = EXPRESSION makes one of anything"
)]
pub trait PrimaryKey {
    /// The number.
    fn number(&self) -> u64;
}

/// What a row is looked up by: its primary key. A plain number may be written without its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a primary key",
    label = "no row is found by this",
    note = "rows are found by whole numbers up to 64 bits, bool, Name, Symbol, SymbolCode, times and pairs of u32"
)]
pub trait Lookup {
    /// The number.
    fn key(self) -> u64;
}

/// Where a table's rows are: a name, a symbol code, or a number, which may be written without its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a scope",
    label = "not a scope",
    note = "scopes are unsigned numbers, Name, Symbol and SymbolCode"
)]
pub trait Scope {
    /// The number.
    fn scope(self) -> u64;
}

macro_rules! keys {
    ($($kind:ty, $least:expr, |$value:ident| $number:expr;)+) => { $(
        impl OrderedKey for $kind {
            const LEAST: Self = $least;
            #[inline]
            fn ordered(self) -> u64 {
                let $value = self;
                $number
            }
        }
        impl PrimaryKey for $kind {
            #[inline]
            fn number(&self) -> u64 {
                self.ordered()
            }
        }
        impl Lookup for $kind {
            #[inline]
            fn key(self) -> u64 {
                self.ordered()
            }
        }
    )+ };
}

const SIGN: u64 = 1 << 63;

keys! {
    u8, 0, |number| number.into();
    u16, 0, |number| number.into();
    u32, 0, |number| number.into();
    u64, 0, |number| number;
    i64, i64::MIN, |number| number as u64 ^ SIGN;
    bool, false, |truth| truth.into();
    Name, Name(0), |name| name.0;
    Symbol, Symbol(0), |symbol| symbol.0;
    SymbolCode, SymbolCode(0), |code| code.0;
    TimePointSec, TimePointSec(0), |time| time.0.into();
    BlockTimestamp, BlockTimestamp(0), |slot| slot.0.into();
    TimePoint, TimePoint(0), |time| {
        check(time.0 >= 0, "a time before 1970 cannot be a key");
        time.0 as u64
    };
}

macro_rules! short_signed_keys {
    ($($kind:ty),+) => { $(
        impl OrderedKey for $kind {
            const LEAST: Self = <$kind>::MIN;
            #[inline]
            fn ordered(self) -> u64 {
                i64::from(self).ordered()
            }
        }
        impl PrimaryKey for $kind {
            #[inline]
            fn number(&self) -> u64 {
                self.ordered()
            }
        }
    )+ };
}
// Not looked up by themselves: a number without a type is an `i32`, and means what it says.
short_signed_keys!(i8, i16, i32);

/// A number without a type, as in `table.find(1)`.
impl Lookup for i32 {
    #[inline]
    fn key(self) -> u64 {
        plain(self)
    }
}

impl PrimaryKey for (u32, u32) {
    #[inline]
    fn number(&self) -> u64 {
        u64::from(self.0) << 32 | u64::from(self.1)
    }
}

impl Lookup for (u32, u32) {
    #[inline]
    fn key(self) -> u64 {
        self.number()
    }
}

macro_rules! scopes {
    ($($kind:ty),+) => { $(
        impl Scope for $kind {
            #[inline]
            fn scope(self) -> u64 {
                self.into()
            }
        }
    )+ };
}
scopes!(u8, u16, u32, u64, Name, Symbol, SymbolCode);

/// A number without a type, as in `Table::new(this, 0)`.
impl Scope for i32 {
    #[inline]
    fn scope(self) -> u64 {
        plain(self)
    }
}

#[inline]
fn plain(number: i32) -> u64 {
    match u32::try_from(number) {
        Ok(number) => number.into(),
        Err(_) => fail("a key or scope without a type is not negative: say which type it has"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_order_of_their_values() {
        let ascending = [i64::MIN, -5, -1, 0, 1, i64::MAX].map(OrderedKey::ordered);
        assert!(ascending.is_sorted() && ascending[0] == 0, "{ascending:?}");
        assert!([i8::MIN, -1, 0, 1].map(OrderedKey::ordered).is_sorted());
        assert_eq!(((7u32, 9u32).number(), 5.key(), true.ordered()), (7 << 32 | 9, 5, 1));
    }
}
