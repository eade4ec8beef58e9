//! JSON, as the chain's process speaks it: read, written, and made with [`json!`](crate::json).
//!
//! By hand, because serde would be a third of the time that a project's first test takes to build. It has the names of
//! serde_json, so that a test reads the same with either.

mod macros;
mod parse;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;

use sdk::asset::Asset;
use sdk::name::Name;

/// A value of JSON.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent; nodeos writes those of more than 32 bits as texts.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// Values by name; their order says nothing.
    Object(BTreeMap<String, Value>),
}

static NULL: Value = Value::Null;

impl Value {
    /// The value of this name, or at this place; `None` when there is none.
    pub fn get(&self, at: impl At) -> Option<&Self> {
        at.find(self)
    }

    /// The text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is whole and fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The number, if it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The number, rounded to the nearest that fits.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it is `true`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The list.
    pub fn as_array(&self) -> Option<&Vec<Self>> {
        match self {
            Self::Array(list) => Some(list),
            _ => None,
        }
    }

    /// The values by name.
    pub fn as_object(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Object(values) => Some(values),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// Whether it is a text.
    pub fn is_string(&self) -> bool {
        self.as_str().is_some()
    }

    /// The value, with `null` in its place.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Takes the value of this name; `null` when there is none.
    pub(crate) fn take_field(&mut self, name: &str) -> Self {
        match self {
            Self::Object(values) => values.remove(name).unwrap_or_default(),
            _ => Self::Null,
        }
    }
}

/// A name, or a place in a list.
pub trait At {
    /// What is there.
    fn find(self, value: &Value) -> Option<&Value>;
}

impl At for &str {
    fn find(self, value: &Value) -> Option<&Value> {
        value.as_object()?.get(self)
    }
}

impl At for usize {
    fn find(self, value: &Value) -> Option<&Value> {
        value.as_array()?.get(self)
    }
}

/// `null` for what is not there.
impl<A: At> Index<A> for Value {
    type Output = Value;

    fn index(&self, at: A) -> &Value {
        at.find(self).unwrap_or(&NULL)
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialEq<bool> for Value {
    fn eq(&self, other: &bool) -> bool {
        self.as_bool() == Some(*other)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(number) if number.is_finite() => write!(f, "{number:?}"),
            Self::Null | Self::Float(_) => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::String(text) => write_text(f, text),
            Self::Array(list) => {
                for (at, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if at == 0 { "[" } else { "," })?;
                }
                f.write_str(if list.is_empty() { "[]" } else { "]" })
            }
            Self::Object(values) => {
                for (at, (name, value)) in values.iter().enumerate() {
                    f.write_str(if at == 0 { "{" } else { "," })?;
                    write_text(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str(if values.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            '\0'..=' ' if letter != ' ' => write!(f, "\\u{:04x}", u32::from(letter))?,
            _ => write!(f, "{letter}")?,
        }
    }
    f.write_str("\"")
}

impl std::str::FromStr for Value {
    type Err = String;

    /// Reads one value, with nothing but white space around it.
    fn from_str(text: &str) -> Result<Self, String> {
        parse::value(text)
    }
}

/// What has a value of JSON: whatever may stand in [`json!`](crate::json).
pub trait ToJson {
    /// The value.
    fn to_json(&self) -> Value;
}

/// What can be made of a value of JSON.
pub trait FromJson: Sized {
    /// The value, or why it is none.
    ///
    /// # Errors
    /// When it is of another kind or out of range.
    fn from_json(value: Value) -> Result<Self, String>;
}

impl ToJson for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl FromJson for Value {
    fn from_json(value: Value) -> Result<Self, String> {
        Ok(value)
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn to_json(&self) -> Value {
        (**self).to_json()
    }
}

impl ToJson for str {
    fn to_json(&self) -> Value {
        Value::String(self.to_owned())
    }
}

impl ToJson for String {
    fn to_json(&self) -> Value {
        Value::String(self.clone())
    }
}

impl FromJson for String {
    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(format!("{other} is not a text")),
        }
    }
}

impl ToJson for bool {
    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }
}

impl FromJson for bool {
    fn from_json(value: Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| format!("{value} is neither true nor false"))
    }
}

macro_rules! whole_numbers {
    ($($kind:ty),+) => { $(
        impl ToJson for $kind {
            fn to_json(&self) -> Value {
                Value::Integer(*self as i128)
            }
        }

        /// A text of digits is a number too: nodeos writes large ones so.
        impl FromJson for $kind {
            fn from_json(value: Value) -> Result<Self, String> {
                let number = match &value {
                    Value::Integer(number) => <$kind>::try_from(*number).ok(),
                    Value::String(digits) => digits.parse().ok(),
                    _ => None,
                };
                number.ok_or_else(|| format!("{value} is not a number of the kind {}", stringify!($kind)))
            }
        }

        impl PartialEq<$kind> for Value {
            fn eq(&self, other: &$kind) -> bool {
                *self == other.to_json()
            }
        }
    )+ };
}
whole_numbers!(u8, i8, u16, i16, u32, i32, u64, i64, usize, i128);

impl ToJson for f64 {
    fn to_json(&self) -> Value {
        Value::Float(*self)
    }
}

impl FromJson for f64 {
    fn from_json(value: Value) -> Result<Self, String> {
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        number.ok_or_else(|| format!("{value} is not a number"))
    }
}

impl ToJson for Name {
    fn to_json(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl ToJson for Asset {
    fn to_json(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: Value) -> Result<Self, String> {
        if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: ToJson> ToJson for [T] {
    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(T::to_json).collect())
    }
}

impl<T: ToJson, const N: usize> ToJson for [T; N] {
    fn to_json(&self) -> Value {
        self[..].to_json()
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        self[..].to_json()
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::Array(list) => list.into_iter().map(T::from_json).collect(),
            other => Err(format!("{other} is not a list")),
        }
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(values) => values.into_iter().map(|(name, value)| Ok((name, T::from_json(value)?))).collect(),
            other => Err(format!("{other} has no names")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn what_is_written_is_read() {
        let (name, list, maybe) = ("alice", [1u8, 2], None::<u64>);
        let value = json!({
            "text": "a \"quoted\" \\ line\n\u{1f}é😀", name: [1, -2, i64::MIN, u64::MAX, 1.5, 1e300, true, null, []],
            "nested": { "empty": {}, "list": list, "more": [list.len(), [list]], }, "none": maybe, ("a".to_owned() + "b"): 1 + 1,
        });
        let text = value.to_string();
        assert!(!text.contains('\n'), "one line: {text}");
        assert_eq!(text.parse(), Ok(value.clone()));
        assert_eq!((&value["alice"][1], &value["nested"]["more"][1][0][1]), (&json!(-2), &json!(2)));
        assert!(value["none"].is_null() && value["absent"]["deeper"][7].is_null() && value["ab"] == 2);
        assert_eq!(json!(null), Value::Null);
        assert_eq!(json!({}).to_string() + &json!([]).to_string(), "{}[]");
    }

    #[test]
    fn texts_of_others_are_read_or_refused() {
        let read = |text: &str| text.parse::<Value>();
        assert_eq!(
            read(" [1 , \"\\u00e9\\ud83d\\ude00\\/\\t\" ,{ \"a\" : -0.5e1 } ] \r\n"),
            Ok(json!([1, "é😀/\t", { "a": -5.0 }]))
        );
        assert_eq!(read("18446744073709551615"), Ok(json!(u64::MAX)));
        for wrong in [
            "",
            "[",
            "[1",
            "[1,]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "nul",
            "truee",
            "1 2",
            "--1",
            "1.e",
            "+1",
            "\"a\nb\"",
            "\u{feff}1",
            "1x",
            "é",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?} is {:?}", read(wrong));
        }
        assert!(read(&"[".repeat(100_000)).is_err(), "too deep");
    }

    #[test]
    fn values_become_what_a_test_asks_for() {
        assert_eq!(u64::from_json(json!("18446744073709551615")), Ok(u64::MAX));
        assert_eq!(u8::from_json(json!(256)), Err("256 is not a number of the kind u8".to_owned()));
        assert_eq!(f64::from_json(json!("0.50000000000000000")), Ok(0.5));
        assert_eq!(Option::<Vec<i64>>::from_json(json!([1, -1])), Ok(Some(vec![1, -1])));
        assert_eq!(Option::<bool>::from_json(Value::Null), Ok(None));
        assert!(String::from_json(json!(1)).is_err() && Vec::<u8>::from_json(json!({})).is_err());
    }
}
