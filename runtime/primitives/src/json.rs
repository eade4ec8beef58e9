//! JSON shapes that serde's derives do not know: numbers as nodeos prints and reads them, values that are texts.
//!
//! The shapes of the types stand beside the types; this file only holds what they share.

use std::fmt;
use std::marker::PhantomData;

use codec::VarUint32;
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

use crate::{Fault, FaultKind, number};

/// The largest magnitude of an integer that nodeos prints without quotes.
pub const LARGEST_PLAIN_INTEGER: u64 = 0xffff_ffff;

/// Gives a type with `Display` and `FromStr` the JSON form of its text.
macro_rules! as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::text(deserializer)
            }
        }
    };
}
pub(crate) use as_text;

/// Reads a value from its text. The fault of a text that is none can be found again in the error, see
/// [`crate::Fault::recognise`].
pub fn text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: std::str::FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    struct Text<T>(PhantomData<T>);
    impl<T: std::str::FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Text(PhantomData))
}

/// An integer as fc's variants hold it: 64 bits, cut down to the type without a check.
pub trait Integer: Copy {
    /// Whether it is read as a signed number.
    const SIGNED: bool;
    /// The number as one that is not negative, or as one that is.
    fn widen(self) -> Result<u64, i64>;
    /// Cuts the number down.
    fn cut(bits: u64) -> Self;
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Integer for $type {
            const SIGNED: bool = <$type>::MIN != 0;
            #[allow(unused_comparisons, clippy::cast_lossless, reason = "one body for all widths and signs")]
            fn widen(self) -> Result<u64, i64> {
                if self < 0 { Err(self as i64) } else { Ok(self as u64) }
            }
            fn cut(bits: u64) -> Self {
                bits as Self
            }
        }
    )*};
}
integers!(u8 u16 u32 u64 i8 i16 i32 i64);

impl Integer for VarUint32 {
    const SIGNED: bool = false;
    fn widen(self) -> Result<u64, i64> {
        Ok(self.0.into())
    }
    fn cut(bits: u64) -> Self {
        Self(bits as u32)
    }
}

/// `#[serde(with = "json::integer")]`: printed as nodeos does (a string above `0xffffffff`), read from a number, a
/// string, a flag or null.
pub mod integer {
    use super::*;

    /// Writes a number, or a string when it is large.
    pub fn serialize<T: Integer, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        match value.widen() {
            Ok(number) if number > LARGEST_PLAIN_INTEGER => serializer.collect_str(&number),
            Ok(number) => serializer.serialize_u64(number),
            Err(number) if number < -(LARGEST_PLAIN_INTEGER as i64) => serializer.collect_str(&number),
            Err(number) => serializer.serialize_i64(number),
        }
    }

    /// Reads what `variant::as_uint64` and `as_int64` read.
    pub fn deserialize<'de, T: Integer, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(Number { signed: T::SIGNED }).map(T::cut)
    }

    struct Number {
        signed: bool,
    }

    impl Number {
        fn bad_cast<E: Error>(&self, from: &str) -> E {
            let target = if self.signed { "int64" } else { "uint64" };
            E::custom(Fault::new(FaultKind::BAD_CAST_EXCEPTION, format!("Invalid cast from {from} to {target}")))
        }
    }

    impl<'de> Visitor<'de> for Number {
        type Value = u64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer or a string with one")
        }
        fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
            Ok(value)
        }
        fn visit_i64<E: Error>(self, value: i64) -> Result<u64, E> {
            Ok(value as u64)
        }
        fn visit_f64<E: Error>(self, value: f64) -> Result<u64, E> {
            Ok(if self.signed { number::signed_of(value) as u64 } else { number::unsigned_of(value) })
        }
        fn visit_bool<E: Error>(self, value: bool) -> Result<u64, E> {
            Ok(u64::from(value))
        }
        fn visit_unit<E: Error>(self) -> Result<u64, E> {
            Ok(0)
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
            let (read, target) = match self.signed {
                true => (number::signed(text).map(|value| value as u64), "int64_t"),
                false => (number::unsigned(text), "uint64_t"),
            };
            let refused = || Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, format!("Couldn't parse {target}"));
            read.ok_or_else(|| E::custom(refused()))
        }
        fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<u64, A::Error> {
            Err(self.bad_cast("array_type"))
        }
        fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<u64, A::Error> {
            Err(self.bad_cast("object_type"))
        }
    }
}

/// `#[serde(with = "json::double")]`: printed as a string with 17 decimals, as nodeos does.
pub mod double {
    use super::*;

    /// Writes the string.
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::double_text(*value))
    }

    /// Reads a number or a string with one.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        struct Double;
        impl Visitor<'_> for Double {
            type Value = f64;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a string with one")
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
                Ok(value)
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
                Ok(value as f64)
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
                Ok(value as f64)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
                number::double(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Double)
    }
}

/// A double's text as fc prints it: fixed notation, 17 decimals.
pub fn double_text(value: f64) -> String {
    match value {
        _ if value.is_nan() => if value.is_sign_negative() { "-nan" } else { "nan" }.to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "inf" } else { "-inf" }.to_owned(),
        _ => format!("{value:.17}"),
    }
}

/// Bytes of a hex text as `from_variant(vector<char>)` reads them.
///
/// # Errors
/// `assert_exception` when a digit is missing, `exception` naming the character that is no hex digit.
pub fn bytes_of_hex(text: &str) -> Result<Vec<u8>, crate::Fault> {
    crate::ensure!(
        text.len().is_multiple_of(2),
        ASSERT_EXCEPTION,
        "str.size() % 2 == 0: the length of hex string should be even number"
    );
    let digit = |byte: u8| {
        (byte as char).to_digit(16).map(|value| value as u8).ok_or_else(|| {
            // A byte of a longer character is no text by itself.
            let message = format!("Invalid hex character '{}'", crate::message::printable(&[byte]));
            crate::Fault::new(crate::FaultKind::EXCEPTION, message)
        })
    };
    text.as_bytes().chunks_exact(2).map(|pair| Ok(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}
