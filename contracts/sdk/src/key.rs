//! Public keys and signatures: carried and compared, never computed with.

use crate::alloc;
use crate::bytestr::ByteString;
use crate::codec::{Pack, Reader, Unpack, Writer, pack_length, unknown_variant};
use alloc::vec::Vec;

/// A public key of one of the kinds the chain knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// secp256k1, compressed.
    K1([u8; 33]),
    /// secp256r1, compressed.
    R1([u8; 33]),
    /// A browser's or phone's key: compressed secp256r1, user presence asked for, and the site it belongs to.
    WebAuthn {
        /// The key.
        key: [u8; 33],
        /// 0 none, 1 present, 2 verified.
        user_presence: u8,
        /// The relying party's domain.
        rpid: ByteString,
    },
}

impl Default for PublicKey {
    fn default() -> Self {
        Self::K1([0; 33])
    }
}

impl Pack for PublicKey {
    fn pack(&self, out: &mut Writer) {
        match self {
            Self::K1(key) => (0u8, *key).pack(out),
            Self::R1(key) => (1u8, *key).pack(out),
            Self::WebAuthn { key, user_presence, rpid } => {
                (2u8, *key, *user_presence).pack(out);
                rpid.pack(out);
            }
        }
    }
}

impl<'a> Unpack<'a> for PublicKey {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        match reader.length() {
            0 => Self::K1(reader.array()),
            1 => Self::R1(reader.array()),
            2 => Self::WebAuthn {
                key: reader.array(),
                user_presence: u8::unpack(reader),
                rpid: ByteString::unpack(reader),
            },
            _ => unknown_variant(),
        }
    }
}

/// A signature of one of the kinds the chain knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// secp256k1, recoverable.
    K1([u8; 65]),
    /// secp256r1, recoverable.
    R1([u8; 65]),
    /// A browser's signature with what it signed over.
    WebAuthn {
        /// The recoverable signature.
        signature: [u8; 65],
        /// Authenticator data.
        authenticator: Vec<u8>,
        /// The client's JSON.
        client: ByteString,
    },
}

impl Pack for Signature {
    fn pack(&self, out: &mut Writer) {
        match self {
            Self::K1(signature) => (0u8, *signature).pack(out),
            Self::R1(signature) => (1u8, *signature).pack(out),
            Self::WebAuthn { signature, authenticator, client } => {
                (2u8, *signature).pack(out);
                pack_length(authenticator.len(), out);
                out.extend_from_slice(authenticator);
                client.pack(out);
            }
        }
    }
}

impl<'a> Unpack<'a> for Signature {
    fn unpack(reader: &mut Reader<'a>) -> Self {
        match reader.length() {
            0 => Self::K1(reader.array()),
            1 => Self::R1(reader.array()),
            2 => Self::WebAuthn {
                signature: reader.array(),
                authenticator: Vec::unpack(reader),
                client: ByteString::unpack(reader),
            },
            _ => unknown_variant(),
        }
    }
}
