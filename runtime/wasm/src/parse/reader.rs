//! Bounded reading of bytes, with eos-vm's messages (guarded_ptr.hpp, leb128.hpp).

/// Why a module is not valid: eos-vm's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError(pub String);

impl From<&str> for ParseError {
    fn from(message: &str) -> Self {
        Self(message.to_owned())
    }
}

/// Fails with `message` unless `condition` holds.
pub(super) fn ensure(condition: bool, message: &str) -> Result<(), ParseError> {
    if condition { Ok(()) } else { Err(message.into()) }
}

/// A cursor over bytes with a movable end.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, end: bytes.len() }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn rest(&self) -> usize {
        self.end - self.at
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], ParseError> {
        ensure(len <= self.rest(), "guarded ptr out of bounds")?;
        let taken = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(taken)
    }

    /// The next `len` bytes as a reader of their own.
    pub fn part(&mut self, len: usize) -> Result<Reader<'a>, ParseError> {
        self.take(len).map(Reader::new)
    }

    pub fn byte(&mut self) -> Result<u8, ParseError> {
        ensure(self.at < self.end, "overbounding pointer")?;
        let byte = self.bytes[self.at];
        self.at += 1;
        Ok(byte)
    }

    pub fn peek(&self) -> Result<u8, ParseError> {
        ensure(self.at < self.end, "accessing out of bounds")?;
        Ok(self.bytes[self.at])
    }

    /// Raw bytes of a number in LEB128 form of at most `bits` bits, and how many.
    fn leb(&mut self, bits: usize) -> Result<([u8; 10], usize), ParseError> {
        let longest = if bits == 64 { 10 } else { bits.div_ceil(7) };
        let mut raw = [0; 10];
        for count in 0.. {
            ensure(count < longest, "incorrect leb128 encoding")?;
            ensure(self.at < self.end, "pointer out of bounds")?;
            raw[count] = self.bytes[self.at];
            self.at += 1;
            if raw[count] & 0x80 == 0 {
                return Ok((raw, count + 1));
            }
        }
        unreachable!("the loop ends by its limit")
    }

    fn unsigned(&mut self, bits: usize) -> Result<u32, ParseError> {
        let (raw, len) = self.leb(bits)?;
        let longest = bits.div_ceil(7);
        if len == longest {
            let mask = (0xff_u8 << (bits - 7 * (longest - 1))) & 0x7f;
            ensure(raw[len - 1] & mask == 0, "unused bits of unsigned leb128 must be 0")?;
        }
        Ok(raw[..len].iter().rev().fold(0, |value, byte| value << 7 | u32::from(byte & 0x7f)))
    }

    fn signed(&mut self, bits: usize) -> Result<i64, ParseError> {
        let (raw, len) = self.leb(bits)?;
        let longest = if bits == 64 { 10 } else { 5 };
        let last = raw[len - 1];
        if len == longest {
            let used = bits - 7 * (longest - 1);
            let mask = (0xff_u8 << used) & 0x7f;
            let expected = if last & 1 << (used - 1) != 0 { mask } else { 0 };
            ensure(last & mask == expected, "unused bits of signed leb128 must be the same as the sign bit")?;
        }
        let value = raw[..len].iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
        let shift = 7 * len;
        let sign = if shift < 64 && last & 0x40 != 0 { u64::MAX << shift } else { 0 };
        Ok((value | sign) as i64)
    }

    pub fn u1(&mut self) -> Result<bool, ParseError> {
        Ok(self.unsigned(1)? != 0)
    }

    pub fn u32(&mut self) -> Result<u32, ParseError> {
        self.unsigned(32)
    }

    pub fn i32(&mut self) -> Result<i32, ParseError> {
        self.signed(32).map(|value| value as i32)
    }

    pub fn i64(&mut self) -> Result<i64, ParseError> {
        self.signed(64)
    }

    pub fn raw_u32(&mut self) -> Result<u32, ParseError> {
        self.take(4).map(|bytes| u32::from_le_bytes(bytes.try_into().expect("4 bytes")))
    }

    pub fn raw_u64(&mut self) -> Result<u64, ParseError> {
        self.take(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("8 bytes")))
    }

    /// A name of at most `max` bytes.
    pub fn name(&mut self, max: u32) -> Result<&'a str, ParseError> {
        let len = self.u32()?;
        ensure(len <= max, "name too long")?;
        let bytes = self.take(len as usize)?;
        std::str::from_utf8(bytes).map_err(|error| bad_character(&bytes[error.valid_up_to()..]))
    }
}

/// The fault of a character that is none: eos-vm reads all of it, beyond the end if need be, before it judges.
fn bad_character(bytes: &[u8]) -> ParseError {
    let more = match bytes[0] {
        0xc0..0xe0 => 1,
        0xe0..0xf0 => 2,
        0xf0..0xf8 => 3,
        _ => 0,
    };
    let found = bytes[1..].iter().take(more).take_while(|byte| **byte & 0xc0 == 0x80).count();
    let cut_off = found < more && found + 1 == bytes.len();
    if cut_off { "overbounding pointer".into() } else { "invalid utf8 encoding".into() }
}

/// What eos-vm says of an index beyond the end.
pub(super) fn out_of_range() -> ParseError {
    "vector read out of bounds".into()
}
