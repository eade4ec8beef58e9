//! What can be wrong with the rows of a checkpoint.

use codec::{DecodeError, Unpack};

use crate::keys::RowKey;

/// Why rows are not a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// A key that no table has.
    #[error("a row has the unknown key {0:02x?}")]
    Key(Vec<u8>),
    /// A value that is not what its table holds.
    #[error("the row with key {key:02x?} is damaged: {cause}")]
    Value {
        /// The row's key.
        key: Vec<u8>,
        /// What is wrong.
        cause: DecodeError,
    },
    /// A row is missing.
    #[error("the state has no {0}")]
    Missing(&'static str),
    /// Rows contradict each other.
    #[error("the state contradicts itself: {0}")]
    Invalid(&'static str),
}

pub(super) type Result<T> = std::result::Result<T, CheckpointError>;

pub(super) fn missing<T>(row: Option<T>, what: &'static str) -> Result<T> {
    row.ok_or(CheckpointError::Missing(what))
}

pub(super) fn ensure(condition: bool, what: &'static str) -> Result<()> {
    if condition { Ok(()) } else { Err(CheckpointError::Invalid(what)) }
}

pub(super) fn unpack<T: Unpack>(key: RowKey, value: &[u8]) -> Result<T> {
    T::from_bytes(value).map_err(|cause| damaged(key, cause))
}

pub(super) fn damaged(key: RowKey, cause: DecodeError) -> CheckpointError {
    CheckpointError::Value { key: key.encode(), cause }
}
