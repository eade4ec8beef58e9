//! What can be wrong with the rows of a checkpoint.

use codec::{DecodeError, Unpack};

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

pub(crate) type Result<T> = std::result::Result<T, CheckpointError>;

impl CheckpointError {
    /// What is wrong with the row of this key: a table knows the value only.
    pub(crate) fn of_row(mut self, row: impl FnOnce() -> Vec<u8>) -> Self {
        if let Self::Key(key) | Self::Value { key, .. } = &mut self
            && key.is_empty()
        {
            *key = row();
        }
        self
    }
}

pub(crate) fn missing<T>(row: Option<T>, what: &'static str) -> Result<T> {
    row.ok_or(CheckpointError::Missing(what))
}

pub(crate) fn ensure(condition: bool, what: &'static str) -> Result<()> {
    if condition { Ok(()) } else { Err(CheckpointError::Invalid(what)) }
}

/// Unpacks a row's value.
pub(crate) fn unpack<T: Unpack>(value: &[u8]) -> Result<T> {
    T::from_bytes(value).map_err(damaged)
}

/// The value of a row is damaged.
pub(crate) fn damaged(cause: DecodeError) -> CheckpointError {
    CheckpointError::Value { key: Vec::new(), cause }
}
