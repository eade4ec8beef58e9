//! Request bodies: when they may be empty, and how their fields are read. nodeos is liberal: numbers and flags are
//! read from strings too, texts from numbers. Its messages stay, with whatever depth.

use std::collections::BTreeSet;

use abi::json;
use primitives::variant::{self, type_name};
use primitives::{Checksum256, Fault, FaultKind, Name, PermissionLevel, PublicKey, Symbol, number};
use serde_json::{Map, Value};

use crate::ApiError;

/// What nodeos says of a body that cannot be read.
const UNREADABLE: &str = "Unable to parse valid input from POST body";

/// Whether nothing was sent: no bytes, blanks, or an empty object.
pub fn is_empty(body: &[u8]) -> bool {
    let trimmed = body.trim_ascii();
    match trimmed {
        [] => true,
        [b'{', inside @ .., b'}'] => inside.iter().all(|byte| matches!(byte, b' ' | b'\t')),
        _ => false,
    }
}

/// The failure of a body that is missing.
pub fn missing() -> ApiError {
    ApiError::new(FaultKind::INVALID_HTTP_REQUEST, "A Request body is required").at(
        "http_plugin.hpp",
        249,
        "parse_params",
    )
}

/// Makes sure that nothing was sent.
///
/// # Errors
/// `invalid_http_request` when something was.
pub fn none(body: &[u8]) -> Result<(), ApiError> {
    if is_empty(body) {
        return Ok(());
    }
    Err(ApiError::bad_body(UNREADABLE, vec!["no parameter should be given".to_owned()]))
}

/// The failure of a body that cannot be read.
pub fn unreadable(fault: Fault) -> ApiError {
    ApiError::bad_body(UNREADABLE, fault.details)
}

/// Reads the JSON of a body that must be there.
///
/// # Errors
/// `invalid_http_request` when it is missing or no JSON.
pub fn value(body: &[u8]) -> Result<Value, ApiError> {
    if is_empty(body) {
        return Err(missing());
    }
    json::from_slice(body).map_err(unreadable)
}

/// Reads a body that must be there as a value of its own kind.
///
/// # Errors
/// `invalid_http_request` when it is missing or another kind of value.
pub fn required<T: FromVariant>(body: &[u8]) -> Result<T, ApiError> {
    T::from_variant(&value(body)?).map_err(unreadable)
}

/// The fields of a request.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body that must be there.
    ///
    /// # Errors
    /// `invalid_http_request` when it is missing or no object.
    pub fn required(body: &[u8]) -> Result<Self, ApiError> {
        required(body)
    }

    /// Reads a body that may be missing.
    ///
    /// # Errors
    /// `invalid_http_request` when it is there and no object.
    pub fn optional(body: &[u8]) -> Result<Self, ApiError> {
        if is_empty(body) { Ok(Self::default()) } else { Self::required(body) }
    }

    /// A field; its default when it is missing.
    ///
    /// # Errors
    /// `invalid_http_request` when it is there and another kind of value.
    pub fn get<T: FromVariant + Default>(&self, name: &str) -> Result<T, ApiError> {
        self.or(name, T::default())
    }

    /// A field; `default` when it is missing.
    ///
    /// # Errors
    /// `invalid_http_request` when it is there and another kind of value.
    pub fn or<T: FromVariant>(&self, name: &str, default: T) -> Result<T, ApiError> {
        self.0.get(name).map_or(Ok(default), T::from_variant).map_err(unreadable)
    }

    /// A field that may be missing or null.
    ///
    /// # Errors
    /// `invalid_http_request` when it is there and another kind of value.
    pub fn maybe<T: FromVariant>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let given = self.0.get(name).filter(|value| !value.is_null());
        given.map(T::from_variant).transpose().map_err(unreadable)
    }

    /// A field as it is, taken out; null when it is missing.
    pub fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_default()
    }
}

/// What can be read from JSON as fc reads its variants.
pub trait FromVariant: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// With fc's messages.
    fn from_variant(value: &Value) -> Result<Self, Fault>;
}

/// A part of an object; its default when it is missing.
///
/// # Errors
/// It is there and another kind of value.
pub fn field<T: FromVariant + Default>(object: &Value, name: &str) -> Result<T, Fault> {
    object.get(name).map_or(Ok(T::default()), T::from_variant)
}

fn bad_cast(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::BAD_CAST_EXCEPTION, message)
}

/// A text that must be one, without any conversion.
pub(crate) fn plain_text(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or_else(|| bad_cast(format!("Invalid cast from type '{}' to string", type_name(value))))
}

fn parsed<T: std::str::FromStr<Err = Fault>>(value: &Value) -> Result<T, Fault> {
    plain_text(value)?.parse()
}

impl FromVariant for Fields {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Object(fields) => Ok(Self(fields.clone())),
            other => Err(bad_cast(format!("Invalid cast from type '{}' to Object", type_name(other)))),
        }
    }
}

impl FromVariant for String {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        variant::as_string(value)
    }
}

impl FromVariant for bool {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(*flag),
            Value::Number(number) => Ok(number.as_f64() != Some(0.0)),
            Value::String(text) => text
                .parse()
                .map_err(|_| bad_cast("Cannot convert string to bool (only \"true\" or \"false\" can be converted)")),
            other => Err(variant::bad_cast(other, "bool")),
        }
    }
}

impl FromVariant for u64 {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        variant::as_u64(value).map_err(|fault| {
            // fc tells of a text's digits once more.
            let fault = if value.is_string() { fault.with_context("") } else { fault };
            fault.with_context("")
        })
    }
}

impl FromVariant for i64 {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        variant::as_i64(value)
    }
}

impl FromVariant for f64 {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Null => Ok(0.0),
            Value::Bool(flag) => Ok(Self::from(u8::from(*flag))),
            Value::Number(number) => Ok(number.as_f64().unwrap_or_default()),
            Value::String(text) => number::double(text).ok_or_else(|| variant::parse_error("double")),
            other => Err(variant::bad_cast(other, "double")),
        }
    }
}

/// Narrower numbers are cut, not checked.
macro_rules! cut_from {
    ($wide:ty: $($narrow:ty),*) => {
        $(impl FromVariant for $narrow {
            fn from_variant(value: &Value) -> Result<Self, Fault> {
                <$wide>::from_variant(value).map(|number| number as Self)
            }
        })*
    };
}
cut_from!(u64: u32, u16);
cut_from!(i64: i32);

macro_rules! from_plain_text {
    ($($kind:ty),*) => {
        $(impl FromVariant for $kind {
            fn from_variant(value: &Value) -> Result<Self, Fault> {
                parsed(value)
            }
        })*
    };
}
from_plain_text!(Name);

impl FromVariant for PublicKey {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        String::from_variant(value)?.parse()
    }
}

impl FromVariant for Symbol {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        String::from_variant(value)?.parse()
    }
}

impl FromVariant for Checksum256 {
    /// A shorter text fills the first bytes, what is too long is cut.
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        let bytes = primitives::json::bytes_of_hex(plain_text(value)?)?;
        let mut digest = Self::default();
        let length = bytes.len().min(digest.0.len());
        digest.0[..length].copy_from_slice(&bytes[..length]);
        Ok(digest)
    }
}

impl FromVariant for PermissionLevel {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        Fields::from_variant(value)?;
        Ok(Self { actor: field(value, "actor")?, permission: field(value, "permission")? })
    }
}

fn items(value: &Value) -> Result<&[Value], Fault> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| variant::bad_cast(value, "Array"))
}

impl FromVariant for Value {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        Ok(value.clone())
    }
}

impl<T: FromVariant> FromVariant for Option<T> {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        if value.is_null() { Ok(None) } else { T::from_variant(value).map(Some) }
    }
}

impl<T: FromVariant> FromVariant for Vec<T> {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        items(value)?.iter().map(T::from_variant).collect()
    }
}

impl<T: FromVariant + Ord> FromVariant for BTreeSet<T> {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        items(value)?.iter().map(T::from_variant).collect()
    }
}

impl<A: FromVariant + Default, B: FromVariant + Default> FromVariant for (A, B) {
    /// What is missing at the end has its default.
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        let items = items(value)?;
        let first = items.first().map(A::from_variant).transpose()?;
        let second = items.get(1).map(B::from_variant).transpose()?;
        Ok((first.unwrap_or_default(), second.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_flags_and_texts_are_read_from_each_other() {
        let fields = Fields::required(br#"{"a":"7","b":-1,"c":true,"d":1.5,"e":null,"f":"x"}"#).expect("an object");
        assert_eq!(fields.get::<u32>("a").ok(), Some(7));
        assert_eq!(fields.get::<u32>("b").ok(), Some(u32::MAX));
        assert_eq!(fields.get::<u64>("d").ok(), Some(1));
        assert_eq!(fields.get::<String>("d").ok().as_deref(), Some("1.50000000000000000"));
        assert_eq!(fields.get::<String>("b").ok().as_deref(), Some("-1"));
        assert_eq!(fields.get::<String>("c").ok().as_deref(), Some("true"));
        assert_eq!(fields.get::<bool>("d").ok(), Some(true));
        assert_eq!(fields.maybe::<u32>("e").ok(), Some(None));
        assert_eq!(fields.or("g", 5u32).ok(), Some(5));
        assert!(fields.get::<bool>("f").is_err() && fields.get::<u32>("f").is_err());
    }

    #[test]
    fn lists_need_to_be_lists() {
        let read = |value: Value| Vec::<Name>::from_variant(&value).map_err(|fault| fault.details[0].clone());
        assert_eq!(read(json!(["alice"])), Ok(vec!["alice".parse().expect("a name")]));
        assert_eq!(read(json!("alice")), Err("Invalid cast from string_type to Array".to_owned()));
        assert_eq!(read(json!([1])), Err("Invalid cast from type 'uint64_type' to string".to_owned()));
        assert_eq!(<(Name, Name)>::from_variant(&json!([])), Ok((Name(0), Name(0))));
    }

    #[test]
    fn only_blanks_make_an_object_empty() {
        assert!(is_empty(b"") && is_empty(b" {} ") && is_empty(b"{ \t}"));
        assert!(!is_empty(b"{\n}") && !is_empty(b"{}x") && !is_empty(b"[]"));
    }
}
