//! A cursor over untrusted bytes.

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ends inside a value. The text is fc's, which counts oddly.
    #[error("read datastream of length {total} over by {}", 1 - (*left as i64))]
    Truncated {
        /// Bytes of the whole input.
        total: usize,
        /// Bytes that there were for the value.
        left: usize,
    },
    /// The input ends inside a variable-length integer.
    #[error("get datastream of length {total} over by 1")]
    TruncatedVarint {
        /// Bytes of the whole input.
        total: usize,
    },
    /// A length is above fc's limit.
    #[error("length {length} is above the limit of {limit}")]
    TooLong {
        /// The length read.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A variant's index names no case.
    #[error("{of} has no case {index}")]
    UnknownVariant {
        /// The variant type.
        of: &'static str,
        /// The index read.
        index: u32,
    },
    /// A flag byte is neither 0 nor 1.
    #[error("flag byte is {0}, not 0 or 1")]
    BadFlag(u8),
    /// A string is not UTF-8.
    #[error("string is not valid UTF-8")]
    BadUtf8,
    /// Bytes are left after the value.
    #[error("{0} bytes are left after the value")]
    TrailingBytes(usize),
    /// A value breaks a rule of its type.
    #[error("{0}")]
    Invalid(&'static str),
}

/// A cursor over bytes that may hold anything.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, total: bytes.len() }
    }

    /// Number of unread bytes.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The unread bytes.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes the next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(DecodeError::Truncated { total: self.total, left: self.rest.len() })?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes the next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let truncated = DecodeError::Truncated { total: self.total, left: self.rest.len() };
        let (taken, rest) = self.rest.split_first_chunk().ok_or(truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Takes the next byte of a variable-length integer.
    #[inline]
    pub(crate) fn varint_byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or(DecodeError::TruncatedVarint { total: self.total })?;
        self.rest = rest;
        Ok(*byte)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`] when something is left.
    #[inline]
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::TrailingBytes(left)),
        }
    }
}
