//! LEB128 integers.

use crate::{DecodeError, Pack, Reader, Sink, Unpack};

/// An unsigned 32-bit integer in 1 to 5 bytes (`fc::unsigned_int`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VarUint32(pub u32);

/// A signed 32-bit integer, zigzag-coded (`fc::signed_int`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VarInt32(pub i32);

impl Pack for VarUint32 {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        let mut value = self.0;
        let mut bytes = [0u8; 5];
        let mut used = 0;
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            bytes[used] = if value == 0 { low } else { low | 0x80 };
            used += 1;
            if value == 0 {
                break;
            }
        }
        out.put(&bytes[..used]);
    }
}

impl Unpack for VarUint32 {
    /// As fc reads it: at most five bytes; bits past the 32nd are dropped.
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let [byte] = input.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(Self(value as u32));
            }
        }
        Err(DecodeError::VarintTooLong)
    }
}

impl Pack for VarInt32 {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        VarUint32(((self.0 << 1) ^ (self.0 >> 31)) as u32).pack(out);
    }
}

impl Unpack for VarInt32 {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let raw = VarUint32::unpack(input)?.0;
        Ok(Self((raw >> 1) as i32 ^ -((raw & 1) as i32)))
    }
}
