//! Frames: a length of four bytes, little-endian, and as many bytes (net_plugin.cpp `start_read_message`).

/// Bytes that a frame may have after its length; nodeos closes a connection that claims more.
pub const FRAME_BYTES_MAX: usize = 8 << 20;
/// Bytes of a frame's length.
pub const LENGTH_BYTES: usize = 4;

/// Why a connection's bytes are no frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length is above the limit.
    #[error("it announces a message of {length} bytes, and {limit} is the limit")]
    TooLong {
        /// What the frame says.
        length: usize,
        /// What it may say.
        limit: usize,
    },
    /// A frame has no message.
    #[error("it sends an empty message")]
    Empty,
}

/// Cuts a stream of bytes into frames. Memory grows with the bytes that came, never with the length that was claimed.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Where the next frame begins.
    begin: usize,
}

impl Frames {
    /// Takes bytes in, as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.begin > 0 {
            self.buffer.drain(..self.begin);
            self.begin = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The length that the frame under way claims, once that is there.
    ///
    /// # Errors
    /// It claims more than `limit`, or nothing.
    pub fn claimed(&self, limit: usize) -> Result<Option<usize>, FrameError> {
        let Some(length) = self.buffer[self.begin..].first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        match u32::from_le_bytes(*length) as usize {
            0 => Err(FrameError::Empty),
            length if length > limit => Err(FrameError::TooLong { length, limit }),
            length => Ok(Some(length)),
        }
    }

    /// The next whole frame, without its length.
    ///
    /// # Errors
    /// As [`Self::claimed`].
    pub fn next(&mut self, limit: usize) -> Result<Option<&[u8]>, FrameError> {
        let Some(length) = self.claimed(limit)? else { return Ok(None) };
        let (start, end) = (self.begin + LENGTH_BYTES, self.begin + LENGTH_BYTES + length);
        if self.buffer.len() < end {
            return Ok(None);
        }
        self.begin = end;
        Ok(Some(&self.buffer[start..end]))
    }

    /// Bytes of a frame that is not whole yet.
    pub fn unfinished(&self) -> usize {
        self.buffer.len() - self.begin
    }

    /// Gives memory back that a large frame took.
    pub fn shrink(&mut self) {
        self.buffer.drain(..self.begin);
        self.begin = 0;
        self.buffer.shrink_to(64 << 10);
    }
}
