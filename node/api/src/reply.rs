//! Answers of success: a status and JSON bytes.

use serde::Serialize;

use crate::ApiError;

/// A status and a JSON body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What a handler gives back.
pub type Answer = Result<Reply, ApiError>;

/// An answer with a value as its body.
///
/// # Errors
/// None; the type is that of handlers.
pub fn json<T: Serialize>(status: u16, value: &T) -> Answer {
    let body = serde_json::to_vec(value).expect("answers have only texts as keys");
    Ok(Reply { status, body })
}

/// An integer as nodeos prints it: a string above 32 bits.
pub fn integer(value: u64) -> serde_json::Value {
    if value > primitives::json::LARGEST_PLAIN_INTEGER { value.to_string().into() } else { value.into() }
}

/// A signed integer as nodeos prints it.
pub fn signed(value: i64) -> serde_json::Value {
    u64::try_from(value).map_or_else(|_| value.into(), integer)
}
