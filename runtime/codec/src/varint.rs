//! LEB128 integers.

use crate::{DecodeError, Pack, Reader, Sink, Unpack};

/// An unsigned 32-bit integer in 1 to 5 bytes (`fc::unsigned_int`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VarUint32(pub u32);

/// A signed 32-bit integer, zigzag-coded (`fc::signed_int`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VarInt32(pub i32);

impl Pack for VarUint32 {
    #[inline]
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
    /// As fc reads it: the fifth byte is the last one whatever its top bit says; bits past the 32nd are dropped.
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let byte = input.varint_byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(Self(value))
    }
}

impl Pack for VarInt32 {
    #[inline]
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        VarUint32(((self.0 << 1) ^ (self.0 >> 31)) as u32).pack(out);
    }
}

impl Unpack for VarInt32 {
    /// As fc reads it: any number of bytes; the shift wraps after 32 bits as the processor's does.
    #[inline]
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (mut raw, mut shift) = (0u32, 0u32);
        loop {
            let byte = input.varint_byte()?;
            raw |= u32::from(byte & 0x7f).wrapping_shl(shift);
            shift = shift.wrapping_add(7);
            if byte & 0x80 == 0 {
                return Ok(Self((raw >> 1) as i32 ^ -((raw & 1) as i32)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_forms() {
        for (bytes, value) in [
            (&[0x00][..], 0),
            (&[0x7f], 127),
            (&[0x80, 0x01], 128),
            (&[0x80, 0x00], 0),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f], u32::MAX),
            (&[0xff, 0xff, 0xff, 0xff, 0xff], u32::MAX),
        ] {
            assert_eq!(VarUint32::from_bytes(bytes), Ok(VarUint32(value)), "{bytes:?}");
        }
        assert!(VarUint32::from_bytes(&[0x80]).is_err());
    }

    #[test]
    fn signed_forms() {
        for value in [0, -1, 1, -64, 64, i32::MIN, i32::MAX] {
            assert_eq!(VarInt32::from_bytes(&VarInt32(value).to_bytes()), Ok(VarInt32(value)));
        }
        assert_eq!(VarInt32(-1).to_bytes(), [1]);
    }
}
