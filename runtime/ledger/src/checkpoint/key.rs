//! Keys of rows in bytes: parts of a fixed size, one after the other. Numbers have their highest byte first, so that
//! bytes have the order of keys.

use primitives::{Checksum256, Name, TimePointSec};

use crate::keys::AccountId;

/// A key, or a part of one.
pub(crate) trait KeyPart: Sized {
    fn write(self, out: &mut Vec<u8>);
    /// Takes the part off the front of `input`; `None` when there is too little.
    fn read(input: &mut &[u8]) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl KeyPart for $number {
            fn write(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn read(input: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = input.split_first_chunk()?;
                *input = rest;
                Some(Self::from_be_bytes(*bytes))
            }
        }
    )*};
}
numbers!(u8 u16 u32 u64);

macro_rules! wrapped {
    ($($wrapper:ident)*) => {$(
        impl KeyPart for $wrapper {
            fn write(self, out: &mut Vec<u8>) {
                self.0.write(out);
            }

            fn read(input: &mut &[u8]) -> Option<Self> {
                KeyPart::read(input).map(Self)
            }
        }
    )*};
}
wrapped!(AccountId Name TimePointSec);

impl KeyPart for Checksum256 {
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        let (bytes, rest) = input.split_first_chunk()?;
        *input = rest;
        Some(Self(*bytes))
    }
}

/// Makes a struct a [`KeyPart`] of its fields, in the order given.
macro_rules! key_parts {
    ($name:ident { $($field:ident),* }) => {
        impl $crate::checkpoint::key::KeyPart for $name {
            fn write(self, _out: &mut Vec<u8>) {
                $(self.$field.write(_out);)*
            }

            fn read(_input: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::checkpoint::key::KeyPart::read(_input)?),* })
            }
        }
    };
}
pub(crate) use key_parts;

/// Declares the key of a kind of rows.
macro_rules! row_key {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $of:ty),* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name { $($(#[$field_doc])* pub $field: $of),* }
        $crate::checkpoint::key::key_parts!($name { $($field),* });
    };
}
pub(crate) use row_key;
