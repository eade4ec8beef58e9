//! Keys and signatures of the three kinds: K1 (secp256k1), R1 (secp256r1), WebAuthn.

use codec::{Bytes, Pack, Unpack};

/// A public key: a static variant by kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub enum PublicKey {
    /// secp256k1, compressed point.
    K1([u8; 33]),
    /// secp256r1, compressed point.
    R1([u8; 33]),
    /// A WebAuthn credential.
    WebAuthn(WebAuthnKey),
}

/// A WebAuthn public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub struct WebAuthnKey {
    /// secp256r1, compressed point.
    pub key: [u8; 33],
    /// 0 none, 1 present, 2 verified.
    pub user_presence: u8,
    /// The relying party id; never empty.
    pub relying_party: String,
}

/// A signature: a static variant by kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub enum Signature {
    /// Recoverable compact: 1 byte (27 + 4 + recovery id), r, s.
    K1([u8; 65]),
    /// The same over secp256r1.
    R1([u8; 65]),
    /// A WebAuthn assertion.
    WebAuthn(WebAuthnSignature),
}

/// A WebAuthn assertion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub struct WebAuthnSignature {
    /// Recoverable compact secp256r1 signature.
    pub compact: [u8; 65],
    /// Authenticator data.
    pub auth_data: Bytes,
    /// Client data JSON as signed.
    pub client_json: String,
}

/// A private key of a kind that a node can hold.
#[derive(Clone)]
#[allow(missing_debug_implementations, reason = "a secret is never printed")]
pub enum PrivateKey {
    /// secp256k1.
    K1([u8; 32]),
    /// secp256r1.
    R1([u8; 32]),
}
