//! Bytes as wasm-jit reads them (Inline/Serialization.h).

use super::module::Kind;

/// Items of a vector, bytes of a name.
const VECTOR_MAX: usize = 8192;
/// Bytes that are copied at once.
const COPY_MAX: usize = 65_536;

/// Why code is refused: wasm-jit's message.
#[derive(Debug)]
pub(super) struct Refused(pub String);

impl From<&str> for Refused {
    fn from(message: &str) -> Self {
        Self(message.to_owned())
    }
}

pub(super) type Checked<T = ()> = Result<T, Refused>;

/// Fails with `message` if `condition` holds.
pub(super) fn refuse_if(condition: bool, message: &str) -> Checked {
    if condition { Err(message.into()) } else { Ok(()) }
}

/// The rest of the bytes.
pub(super) struct Stream<'a>(&'a [u8]);

impl<'a> Stream<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn rest(&self) -> usize {
        self.0.len()
    }

    pub fn peek(&self) -> Checked<u8> {
        self.0.first().copied().ok_or_else(|| "expected data but found end of stream".into())
    }

    pub fn take(&mut self, length: usize) -> Checked<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("expected data but found end of stream")?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn byte(&mut self) -> Checked<u8> {
        self.take(1).map(|taken| taken[0])
    }

    /// The value, how many bytes it took, and the byte that may be the last at all (0 where it was not reached).
    fn leb(&mut self, bits: usize) -> Checked<(u64, usize, u8)> {
        let most = bits.div_ceil(7);
        let mut value = 0;
        for position in 0..most {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * position);
            if position + 1 == most {
                return Ok((value, most, byte));
            }
            if byte & 0x80 == 0 {
                return Ok((value, position + 1, 0));
            }
        }
        unreachable!("numbers have at least one byte")
    }

    fn unsigned(&mut self, bits: usize) -> Checked<u64> {
        let (value, _, last) = self.leb(bits)?;
        let unused = last >> (bits - (bits.div_ceil(7) - 1) * 7);
        refuse_if(unused != 0, "Invalid unsigned LEB encoding: unused bits in final byte must be 0")?;
        Ok(value)
    }

    fn signed(&mut self, bits: usize) -> Checked<i64> {
        let (value, length, last) = self.leb(bits)?;
        let used = bits - (bits.div_ceil(7) - 1) * 7;
        let unused = !((1_u8 << used) - 1);
        let expected = if last >> (used - 1) & 1 == 1 { unused & 0x7f } else { 0 };
        let message = "Invalid signed LEB encoding: unused bits in final byte must match the most-significant used bit";
        refuse_if(last & unused != expected, message)?;
        let shift = 64_usize.saturating_sub(7 * length);
        Ok(((value << shift) as i64) >> shift)
    }

    pub fn u1(&mut self) -> Checked<bool> {
        self.unsigned(1).map(|value| value != 0)
    }

    pub fn u7(&mut self) -> Checked<u8> {
        self.unsigned(7).map(|value| value as u8)
    }

    pub fn u32(&mut self) -> Checked<u32> {
        self.unsigned(32).map(|value| value as u32)
    }

    pub fn i32(&mut self) -> Checked<i32> {
        self.signed(32).map(|value| value as i32)
    }

    pub fn i64(&mut self) -> Checked<i64> {
        self.signed(64)
    }

    /// A value type; any number of seven bits is one for now.
    pub fn kind(&mut self) -> Checked<Kind> {
        self.signed(7).map(|value| Kind((value as u8).wrapping_neg()))
    }

    pub fn constant(&mut self, message: &str, expected: u8) -> Checked {
        let loaded = self.byte()?;
        same(message, loaded.into(), expected.into())
    }

    pub fn constant_u32(&mut self, message: &str, expected: u32) -> Checked {
        let bytes = self.take(4)?;
        same(message, u32::from_le_bytes(bytes.try_into().expect("4 bytes")), expected)
    }

    pub fn name(&mut self) -> Checked<&'a [u8]> {
        let length = self.u32()? as usize;
        let bytes = self.take(length)?;
        limit("string", length)?;
        Ok(bytes)
    }

    pub fn vector<T>(&mut self, mut item: impl FnMut(&mut Self) -> Checked<T>) -> Checked<Vec<T>> {
        let length = self.u32()? as usize;
        limit("array", length)?;
        (0..length).map(|_| item(self)).collect()
    }

    /// All that is left, to be forgotten.
    pub fn skip_all(&mut self) -> Checked {
        let length = self.rest();
        if length >= COPY_MAX {
            return Err(Refused(format!("Trying to deserialize bytes of size : {length}")));
        }
        self.take(length).map(drop)
    }
}

/// A name's text.
pub(super) fn utf8(bytes: &[u8]) -> Checked<&str> {
    std::str::from_utf8(bytes).map_err(|_| "invalid UTF-8 encoding".into())
}

fn same(message: &str, loaded: u32, expected: u32) -> Checked {
    if loaded == expected {
        return Ok(());
    }
    Err(Refused(format!("{message}: loaded {loaded} but was expecting {expected}")))
}

fn limit(what: &str, length: usize) -> Checked {
    if length < VECTOR_MAX {
        return Ok(());
    }
    let over = length - VECTOR_MAX;
    Err(Refused(format!("Trying to deserialize {what} of size : {length}, which is over by {over} bytes")))
}
