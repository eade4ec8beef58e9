//! Text as the chain carries it: bytes that are meant to be UTF-8 and need not be.
//!
//! The chain and C++ contracts check no text, so a memo of any bytes can arrive. `&str` and `String` refuse what is not
//! UTF-8 when they are read; [`ByteStr`] and [`ByteString`] take everything, cost nothing to read, and have only methods
//! that are right for any bytes. All four are `string` in the ABI.

use crate::alloc::borrow::Cow;
use crate::alloc::string::String;
use crate::alloc::vec::Vec;
use crate::codec::{Pack, Reader, Unpack, Writer};
use crate::text::Text;
use core::fmt;
use core::ops::Deref;
use core::str::Utf8Error;

/// Text of an argument, borrowed, of any bytes: what a memo is read as when all memos must pass.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteStr<'a>(pub &'a [u8]);

/// Text of a row, owned, of any bytes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteString(pub Vec<u8>);

macro_rules! byte_text {
    ($($kind:ty),+) => { $(
        impl $kind {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// The text.
            ///
            /// # Errors
            /// The bytes are not UTF-8.
            pub fn to_str(&self) -> Result<&str, Utf8Error> {
                core::str::from_utf8(&self.0)
            }

            /// The text, with a mark (U+FFFD) in place of what is not UTF-8.
            pub fn to_str_lossy(&self) -> Cow<'_, str> {
                String::from_utf8_lossy(&self.0)
            }
        }

        impl Deref for $kind {
            type Target = [u8];
            fn deref(&self) -> &[u8] {
                &self.0
            }
        }

        impl Pack for $kind {
            fn pack(&self, out: &mut Writer) {
                (*self.0).pack(out);
            }
        }

        impl PartialEq<str> for $kind {
            fn eq(&self, other: &str) -> bool {
                *self.0 == *other.as_bytes()
            }
        }

        impl PartialEq<&str> for $kind {
            fn eq(&self, other: &&str) -> bool {
                *self.0 == *other.as_bytes()
            }
        }

        impl Text for $kind {
            fn write(&self, out: &mut String) {
                out.push_str(&self.to_str_lossy());
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_str_lossy())
            }
        }

        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.to_str_lossy(), f)
            }
        }
    )+ };
}
byte_text!(ByteStr<'_>, ByteString);

impl<'a> Unpack<'a> for ByteStr<'a> {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self(<&[u8]>::unpack(reader))
    }
}

impl<'a> Unpack<'a> for ByteString {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        Self(Vec::unpack(reader))
    }
}

impl<'a> From<&'a str> for ByteStr<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a> From<&'a ByteString> for ByteStr<'a> {
    fn from(text: &'a ByteString) -> Self {
        Self(&text.0)
    }
}

impl From<&str> for ByteString {
    fn from(text: &str) -> Self {
        Self(Vec::from(text.as_bytes()))
    }
}

impl From<String> for ByteString {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<ByteStr<'_>> for ByteString {
    fn from(text: ByteStr<'_>) -> Self {
        Self(Vec::from(text.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{pack, unpack};
    use crate::text;

    #[test]
    fn any_bytes_are_read_and_shown_with_marks() {
        let memo: ByteStr = unpack(b"\x05ab\xf0\xe2\x80");
        assert_eq!((memo.len(), memo.to_str().is_err()), (5, true));
        assert_eq!((text!("<", memo, ">").as_str(), format!("{memo:?}").as_str()), ("<ab��>", "\"ab��\""));
        assert_eq!(*pack(&ByteString::from(memo)), *b"\x05ab\xf0\xe2\x80");
        assert!(ByteStr::from("deal 7") == "deal 7" && ByteString::from("é").to_str() == Ok("é"));
    }
}
