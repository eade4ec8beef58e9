//! JSON forms of the types that live here, as nodeos has them: bytes as hex, integers as numbers.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Bytes, VarInt32, VarUint32};

impl std::fmt::Display for Bytes {
    /// Hex digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)] as char, DIGITS[usize::from(byte & 15)] as char];
        f.write_str(&self.0.iter().flat_map(digits).collect::<String>())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    /// Reads hex digits, two for each byte.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        if !text.len().is_multiple_of(2) {
            return Err(D::Error::custom("the length of hex string should be even number"));
        }
        let digit = |byte: u8| {
            let value = (byte as char).to_digit(16).map(|value| value as u8);
            value.ok_or_else(|| D::Error::custom(format_args!("Invalid hex character '{}'", byte as char)))
        };
        let pairs = text.as_bytes().chunks_exact(2);
        pairs.map(|pair| Ok(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for VarUint32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Serialize for VarInt32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
