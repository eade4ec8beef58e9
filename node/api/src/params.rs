//! Request bodies: when they may be empty, how they are read, and the failures in between. nodeos reads numbers and
//! flags from strings too, and so does this.

use primitives::{Fault, FaultKind};
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};

use crate::ApiError;

/// Whether nothing was sent: no bytes, blanks, or an empty object.
pub fn is_empty(body: &[u8]) -> bool {
    let trimmed = body.trim_ascii();
    match trimmed {
        [] => true,
        [b'{', inside @ .., b'}'] => inside.trim_ascii().is_empty(),
        _ => false,
    }
}

/// Reads a body that must be there.
///
/// # Errors
/// `invalid_http_request` when it is missing or is not what `T` is read from.
pub fn required<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if is_empty(body) {
        return Err(missing());
    }
    read(body)
}

/// The failure of a body that is missing.
pub fn missing() -> ApiError {
    ApiError::new(FaultKind::INVALID_HTTP_REQUEST, "A Request body is required").at(
        "http_plugin.hpp",
        249,
        "parse_params",
    )
}

/// Reads a body that may be missing.
///
/// # Errors
/// `invalid_http_request` when it is not what `T` is read from.
pub fn optional<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, ApiError> {
    if is_empty(body) { Ok(T::default()) } else { read(body) }
}

/// Makes sure that nothing was sent.
///
/// # Errors
/// `invalid_http_request` when something was.
pub fn none(body: &[u8]) -> Result<(), ApiError> {
    if is_empty(body) {
        return Ok(());
    }
    Err(ApiError::bad_body(
        "Unable to parse valid input from POST body",
        vec!["no parameter should be given".to_owned()],
    ))
}

/// Reads a body as `T`.
///
/// # Errors
/// `invalid_http_request`.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.trim_ascii_start().starts_with(b"[") {
        let why = "Invalid cast from type 'array_type' to Object".to_owned();
        return Err(ApiError::bad_body("Unable to parse valid input from POST body", vec![why]));
    }
    serde_json::from_slice(body).map_err(|error| unreadable(&error))
}

/// The failure of a body that cannot be read.
pub fn unreadable(error: &serde_json::Error) -> ApiError {
    let text = plain(error);
    let why = Fault::recognise(&text).map_or_else(|| vec![text], |fault| fault.details);
    ApiError::bad_body("Unable to parse valid input from POST body", why)
}

/// What a reader of JSON says, without the place: clients know their own bodies.
pub fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.line() > 0 => text[..end].to_owned(),
        _ => text,
    }
}

/// `#[serde(deserialize_with = "params::text")]`: a string, or a number or flag as its text; null is empty.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = String;
        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("a string or a number")
        }
        fn visit_str<E: Error>(self, value: &str) -> Result<String, E> {
            Ok(value.to_owned())
        }
        fn visit_u64<E: Error>(self, value: u64) -> Result<String, E> {
            Ok(value.to_string())
        }
        fn visit_i64<E: Error>(self, value: i64) -> Result<String, E> {
            Ok(value.to_string())
        }
        fn visit_f64<E: Error>(self, value: f64) -> Result<String, E> {
            Ok(primitives::json::double_text(value))
        }
        fn visit_bool<E: Error>(self, value: bool) -> Result<String, E> {
            Ok(value.to_string())
        }
        fn visit_unit<E: Error>(self) -> Result<String, E> {
            Ok(String::new())
        }
    }
    deserializer.deserialize_any(Text)
}

/// `#[serde(deserialize_with = "params::flag")]`: true or false, a number, a string, or null for false.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let read = text(deserializer)?;
    match read.as_str() {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        number => number.parse::<i64>().map(|number| number != 0).map_err(|_| {
            D::Error::custom("Cannot convert string to bool (only \"true\" or \"false\" can be converted)")
        }),
    }
}

/// `#[serde(deserialize_with = "params::number")]`: a 32-bit number, also from a string.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let read = text(deserializer)?;
    if read.is_empty() {
        return Ok(0);
    }
    let number = crate::table_keys::lexical_u64(&read).or_else(|| read.parse::<f64>().ok().map(|real| real as u64));
    number.map(|number| number as u32).ok_or_else(|| D::Error::custom("Couldn't parse uint64_t"))
}

/// `#[serde(deserialize_with = "params::maybe_number")]`: as [`number`]; null for none.
pub fn maybe_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let read = text(deserializer)?;
    if read.is_empty() {
        return Ok(None);
    }
    read.parse::<u64>().map(|number| Some(number as u32)).map_err(|_| D::Error::custom("Couldn't parse uint64_t"))
}
