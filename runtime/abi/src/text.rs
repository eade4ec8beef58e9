//! The texts of an ABI: bytes that should be UTF-8 and need not be. nodeos keeps whatever was set, compares it byte by
//! byte, and leaves out what is not UTF-8 when it prints; so a Latin-1 letter in a ricardian contract hides nothing.
//!
//! Inside, a text is a `str` in which each byte that is not UTF-8 stands as one of 256 private characters. Those
//! characters themselves, should one be in an ABI, are kept byte by byte too, so that nothing is confused.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use codec::{Bytes, DecodeError, Pack, Reader, Sink, Unpack};
use primitives::message::{printable, utf8_only};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The private character of byte 0; that of 255 is the last character of all.
const FIRST_PRIVATE: u32 = 0x10_ff00;

/// A text of an ABI.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(String);

fn private(byte: u8) -> char {
    char::from_u32(FIRST_PRIVATE + u32::from(byte)).expect("the last 256 characters exist")
}

fn is_private(character: char) -> bool {
    u32::from(character) >= FIRST_PRIVATE
}

/// What a text inside is as a value: the parts of its bytes that are UTF-8.
pub(crate) fn shown(text: &str) -> String {
    if text.contains(is_private) { utf8_only(&bytes_of(text)) } else { text.to_owned() }
}

/// What a text inside shows in a fault's message: control characters by number.
pub(crate) fn said(text: &str) -> String {
    printable(&bytes_of(text))
}

fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        if is_private(character) {
            bytes.push(u32::from(character).to_le_bytes()[0]);
        } else {
            bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes
}

impl Text {
    /// The text of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(is_private) => Self(text.to_owned()),
            _ => Self(
                bytes
                    .utf8_chunks()
                    .flat_map(|chunk| kept(chunk.valid()).chain(chunk.invalid().iter().map(|byte| private(*byte))))
                    .collect(),
            ),
        }
    }
}

/// The characters of a valid part, private ones byte by byte.
fn kept(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(|character| {
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).as_bytes();
        let kept: Vec<char> =
            if is_private(character) { bytes.iter().map(|byte| private(*byte)).collect() } else { vec![character] };
        kept
    })
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from_bytes(text.as_bytes())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Text {
    /// The parts that are UTF-8.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&shown(&self.0))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Pack for Text {
    fn pack<S: Sink + ?Sized>(&self, out: &mut S) {
        Bytes(bytes_of(&self.0)).pack(out);
    }
}

impl Unpack for Text {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Bytes::unpack(input).map(|bytes| Self::from_bytes(&bytes))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&shown(&self.0))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_and_the_valid_parts_shown() {
        for (bytes, text) in [
            (&b"plain"[..], "plain"),
            (b"caf\xe9", "caf"),
            (b"\xff\xc3\xa9\xed\xa0\x80!", "\u{e9}!"),
            (b"", ""),
            ("\u{10ff41}".as_bytes(), "\u{10ff41}"),
            (b"\xf4\x8f\xbc", ""),
        ] {
            let kept = Text::from_bytes(bytes);
            assert_eq!(kept.to_string(), text);
            assert_eq!(kept.to_bytes(), Bytes(bytes.to_vec()).to_bytes());
            assert_eq!(Text::from_bytes(&kept.to_bytes()[1..]), kept);
        }
        assert_ne!(Text::from_bytes(b"\xe9uint8"), Text::from("uint8"));
        assert_ne!(Text::from_bytes(b"A"), Text::from("\u{10ff41}"));
    }
}
