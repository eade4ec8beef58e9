//! Digests: plain bytes in the order they are written.

use crate::alloc::string::String;
use crate::codec::{Pack, Reader, Unpack, Writer};
use crate::text::Text;

macro_rules! digests {
    ($($(#[$doc:meta])* $kind:ident $size:literal),+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(transparent)]
        pub struct $kind(pub [u8; $size]);

        impl Default for $kind {
            fn default() -> Self {
                Self([0; $size])
            }
        }

        impl Text for $kind {
            fn write(&self, out: &mut String) {
                self.0.as_slice().write(out);
            }
        }

        impl Pack for $kind {
            fn pack(&self, out: &mut Writer) {
                self.0.pack(out);
            }
        }

        impl<'a> Unpack<'a> for $kind {
            fn unpack(reader: &mut Reader<'a>) -> Self {
                Self(reader.array())
            }
        }
    )+ };
}

digests!(
    /// 20 bytes: SHA-1, RIPEMD-160.
    Checksum160 20,
    /// 32 bytes: SHA-256, ids.
    Checksum256 32,
    /// 64 bytes: SHA-512.
    Checksum512 64
);
