//! Names: up to thirteen characters of `.12345abcdefghijklmnopqrstuvwxyz` in 64 bits.

use crate::codec::{Pack, Reader, Unpack, Writer};
use crate::text::Text;
use alloc::string::String;

use crate::alloc;

/// The name of an account, action, table or permission; ordered by its number.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Name(pub u64);

const CHARACTERS: &[u8; 32] = b".12345abcdefghijklmnopqrstuvwxyz";

impl Name {
    /// The name written as `text`. Panics when it is none; in a constant that is a compile error.
    pub const fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        assert!(bytes.len() <= 13, "string is too long to be a valid name");
        let mut value = 0u64;
        let mut at = 0;
        while at < bytes.len() {
            let digit = Self::digit(bytes[at]);
            if at == 12 {
                assert!(digit < 16, "thirteenth character in name cannot be a letter that comes after j");
                value |= digit;
            } else {
                value |= digit << (59 - 5 * at);
            }
            at += 1;
        }
        Self(value)
    }

    const fn digit(character: u8) -> u64 {
        match character {
            b'.' => 0,
            b'1'..=b'5' => (character - b'1' + 1) as u64,
            b'a'..=b'z' => (character - b'a' + 6) as u64,
            _ => panic!("character is not in allowed character set for names"),
        }
    }

    /// The part after the last dot that something follows; the name itself without one.
    pub const fn suffix(self) -> Self {
        let mut after_dot = 0;
        let mut candidate = 0;
        let mut remaining: i32 = 59;
        while remaining >= 4 {
            if (self.0 >> remaining) & 0x1f == 0 {
                candidate = remaining;
            } else {
                after_dot = candidate;
            }
            remaining -= 5;
        }
        let thirteenth = self.0 & 0x0f;
        if thirteenth != 0 {
            after_dot = candidate;
        }
        if after_dot == 0 {
            return self;
        }
        let mask = (1u64 << after_dot) - 16;
        let shift = 64 - after_dot;
        Self(((self.0 & mask) << shift) + (thirteenth << (shift - 1)))
    }

    /// Whether this is the empty name.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Text for Name {
    fn write(&self, out: &mut String) {
        let mut left = self.0;
        for at in 0..13 {
            if left == 0 {
                break;
            }
            let digit = left >> if at == 12 { 60 } else { 59 };
            out.push(char::from(CHARACTERS[(digit & 31) as usize]));
            left <<= 5;
        }
    }
}

impl From<Name> for u64 {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Pack for Name {
    #[inline]
    fn pack(&self, out: &mut Writer) {
        self.0.pack(out);
    }
}

impl<'a> Unpack<'a> for Name {
    #[inline]
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self(u64::unpack(reader))
    }
}

impl core::fmt::Debug for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn names_are_written_as_they_were_read() {
        for written in ["", "a", "eosio", "eosio.token", "zzzzzzzzzzzzj", "b.o.b", "aaaaaaaaaaaa1", ".a"] {
            assert_eq!(text!(Name::new(written)), written);
        }
        assert_eq!(Name::new("eosio").0, 0x5530_ea00_0000_0000);
    }

    #[test]
    fn the_suffix_is_what_follows_the_last_dot() {
        for (whole, suffix) in
            [("a.b.com", "com"), ("com", "com"), (".com", "com"), ("a.b", "b"), ("aaaaaaaaaaa.j", "j")]
        {
            assert_eq!(Name::new(whole).suffix(), Name::new(suffix), "{whole}");
        }
    }
}
