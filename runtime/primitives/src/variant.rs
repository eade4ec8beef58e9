//! Values of JSON as fc's `variant` converts them (variant.cpp), with its words where it cannot.

use serde_json::Value;

use crate::json::double_text;
use crate::{Fault, FaultKind, number};

/// fc's name of a value's type.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null_type",
        Value::Bool(_) => "bool_type",
        Value::Number(number) if number.is_f64() => "double_type",
        Value::Number(number) if number.is_u64() => "uint64_type",
        Value::Number(_) => "int64_type",
        Value::String(_) => "string_type",
        Value::Array(_) => "array_type",
        Value::Object(_) => "object_type",
    }
}

/// What is said of a value that has no conversion.
pub fn bad_cast(value: &Value, target: &str) -> Fault {
    Fault::new(FaultKind::BAD_CAST_EXCEPTION, format!("Invalid cast from {} to {target}", type_name(value)))
}

/// What is said of a text that is not a number of a type.
pub fn parse_error(target: &str) -> Fault {
    Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, format!("Couldn't parse {target}"))
}

/// `variant::as_string`: numbers and flags have a text too.
///
/// # Errors
/// A list or an object.
pub fn as_string(value: &Value) -> Result<String, Fault> {
    Ok(match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.as_f64().filter(|_| number.is_f64()).map_or(number.to_string(), double_text),
        Value::String(text) => text.clone(),
        _ => return Err(bad_cast(value, "string")),
    })
}

/// `variant::as_uint64`.
///
/// # Errors
/// A list, an object, or a text that is not a number of it.
pub fn as_u64(value: &Value) -> Result<u64, Fault> {
    Ok(match value {
        Value::Null => 0,
        Value::Bool(flag) => u64::from(*flag),
        Value::Number(number) => {
            let negative = || number.as_i64().map(|number| number as u64);
            let real = || number::unsigned_of(number.as_f64().unwrap_or_default());
            number.as_u64().or_else(negative).unwrap_or_else(real)
        }
        Value::String(text) => number::unsigned(text).ok_or_else(|| parse_error("uint64_t"))?,
        _ => return Err(bad_cast(value, "uint64")),
    })
}

/// `variant::as_int64`.
///
/// # Errors
/// A list, an object, or a text that is not a number of it.
pub fn as_i64(value: &Value) -> Result<i64, Fault> {
    match value {
        Value::String(text) => number::signed(text).ok_or_else(|| parse_error("int64_t")),
        Value::Number(number) if number.is_f64() => Ok(number::signed_of(number.as_f64().unwrap_or_default())),
        Value::Array(_) | Value::Object(_) => Err(bad_cast(value, "int64")),
        _ => Ok(as_u64(value)? as i64),
    }
}
