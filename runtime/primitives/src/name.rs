//! Account, action, table and permission names: 13 base-32 characters in 64 bits.

use std::fmt;
use std::str::FromStr;

use codec::{Pack, Unpack};

use crate::{Fault, FaultKind};

/// A name. Compares as its number, as nodeos orders them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct Name(pub u64);

const LETTERS: &[u8; 32] = b".12345abcdefghijklmnopqrstuvwxyz";

/// A character's five bits; any other character counts as a dot.
const fn symbol_of(character: u8) -> u64 {
    match character {
        b'a'..=b'z' => (character - b'a') as u64 + 6,
        b'1'..=b'5' => (character - b'1') as u64 + 1,
        _ => 0,
    }
}

/// The number of the first 13 characters (nodeos: `string_to_uint64_t`).
const fn encode(text: &[u8]) -> u64 {
    let (mut value, mut index) = (0, 0);
    while index < text.len() && index < 12 {
        value |= symbol_of(text[index]) << (64 - 5 * (index + 1));
        index += 1;
    }
    if text.len() > 12 { value | symbol_of(text[12]) & 0x0f } else { value }
}

/// All 13 characters and how many of them are left without the dots at the end.
const fn decode(value: u64) -> ([u8; 13], usize) {
    let (mut text, mut rest, mut index, mut length) = ([b'.'; 13], value, 13, 0);
    while index > 0 {
        index -= 1;
        let bits = if index == 12 { 4 } else { 5 };
        text[index] = LETTERS[(rest & ((1 << bits) - 1)) as usize];
        if text[index] != b'.' && length == 0 {
            length = index + 1;
        }
        rest >>= bits;
    }
    (text, length)
}

const fn is_normal(text: &[u8]) -> bool {
    let (letters, length) = decode(encode(text));
    let (mut same, mut index) = (length == text.len(), 0);
    while same && index < length {
        same = letters[index] == text[index];
        index += 1;
    }
    same
}

impl Name {
    /// The name of a text that is known to be one.
    ///
    /// # Panics
    /// When the text is not a normal name: at compile time when used for constants. For input use [`str::parse`].
    pub const fn new(text: &str) -> Self {
        assert!(text.len() <= 13 && is_normal(text.as_bytes()), "not a normal name");
        Self(encode(text.as_bytes()))
    }

    /// The number of any text, as `string_to_name` makes it: unknown characters count as dots, what follows the
    /// 13th is ignored.
    pub const fn lenient(text: &str) -> Self {
        Self(encode(text.as_bytes()))
    }

    /// Whether this is the empty name.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A constant name: `name!("eosio.token")`, checked when compiled.
#[macro_export]
macro_rules! name {
    ($text:literal) => {
        const { $crate::Name::new($text) }
    };
}

impl FromStr for Name {
    type Err = Fault;

    /// # Errors
    /// `name_type_exception` when the text is too long or not the normal form of its number.
    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.len() > 13 {
            return Err(Fault::new(
                FaultKind::NAME_TYPE_EXCEPTION,
                format!("Name is longer than 13 characters ({text}) "),
            ));
        }
        let name = Self(encode(text.as_bytes()));
        if !is_normal(text.as_bytes()) {
            let message = format!("Name not properly normalized (name: {text}, normalized: {name}) ");
            return Err(Fault::new(FaultKind::NAME_TYPE_EXCEPTION, message));
        }
        Ok(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, length) = decode(self.0);
        f.pad(std::str::from_utf8(&text[..length]).expect("names are ASCII"))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<u64> for Name {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

crate::json::as_text!(Name);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_names() {
        assert_eq!(name!("eosio").0, 6138663577826885632);
        assert_eq!(name!("eosio.token").0, 6138663591592764928);
        assert_eq!(Name(u64::MAX).to_string(), "zzzzzzzzzzzzj");
        assert_eq!(name!("").to_string(), "");
        assert_eq!(format!("[{:>7}]", name!("eosio")), "[  eosio]");
    }

    #[test]
    fn texts_that_are_no_names() {
        for text in ["Eosio", "eosio6", "a.", "eosio\u{e4}", "zzzzzzzzzzzzk", "abcdefghijklmn", " "] {
            let fault = text.parse::<Name>().expect_err(text);
            assert_eq!(fault.kind, FaultKind::NAME_TYPE_EXCEPTION);
        }
        let message = &"Abc".parse::<Name>().expect_err("capital").details[0];
        assert_eq!(message, "Name not properly normalized (name: Abc, normalized: .bc) ");
    }

    proptest! {
        #[test]
        fn every_number_has_a_text_of_its_own(value: u64) {
            prop_assert_eq!(Name(value).to_string().parse::<Name>(), Ok(Name(value)));
        }

        #[test]
        fn any_text_is_a_name_or_a_fault(text: String) {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
