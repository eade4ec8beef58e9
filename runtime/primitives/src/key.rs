//! Keys and signatures of the three kinds: K1 (secp256k1), R1 (secp256r1), WebAuthn.
//!
//! Here are their values and what can be done with them; each curve has its file, and so have the texts.

mod base58;
mod client_data;
mod k1;
mod k1_batch;
mod r1;
mod text;
mod webauthn;

use std::collections::BTreeMap;
use std::fmt;

use codec::{Bytes, DecodeError, Pack, Reader, Unpack};
use zeroize::Zeroize;

use crate::{Checksum256, Fault};

/// A public key: a static variant by kind. Compares by kind, then by bytes, as nodeos orders keys.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub enum PublicKey {
    /// secp256k1, compressed point. Not checked to be on the curve, as in nodeos.
    K1([u8; 33]),
    /// secp256r1, compressed point.
    R1([u8; 33]),
    /// A WebAuthn credential.
    WebAuthn(WebAuthnKey),
}

/// The public development key `EOS6MRy...`, nodeos' default initial key.
pub const DEVELOPMENT_KEY: PublicKey = PublicKey::K1([
    0x02, 0xc0, 0xde, 0xd2, 0xbc, 0x1f, 0x13, 0x05, 0xfb, 0x0f, 0xaa, 0xc5, 0xe6, 0xc0, 0x3e, 0xe3, 0xa1, 0x92, 0x42,
    0x34, 0x98, 0x54, 0x27, 0xb6, 0x16, 0x7c, 0xa5, 0x69, 0xd1, 0x3d, 0xf4, 0x35, 0xcf,
]);

/// A WebAuthn public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Pack)]
pub struct WebAuthnKey {
    /// secp256r1, compressed point.
    pub key: [u8; 33],
    /// 0 none, 1 present, 2 verified.
    pub user_presence: u8,
    /// The relying party id, any bytes; never empty in a key that was read.
    pub relying_party: Bytes,
}

impl Unpack for WebAuthnKey {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (key, user_presence, relying_party): (_, _, Bytes) = Unpack::unpack(input)?;
        if relying_party.is_empty() {
            return Err(DecodeError::Invalid("rpid.length(): webauthn pubkey must have non empty rpid"));
        }
        Ok(Self { key, user_presence, relying_party })
    }
}

/// A signature: a static variant by kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub enum Signature {
    /// Recoverable compact: 1 byte (27 + 4 + recovery id), r, s.
    K1([u8; 65]),
    /// The same over secp256r1.
    R1([u8; 65]),
    /// A WebAuthn assertion.
    WebAuthn(Box<WebAuthnSignature>),
}

/// A WebAuthn assertion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Pack)]
pub struct WebAuthnSignature {
    /// Recoverable compact secp256r1 signature.
    pub compact: [u8; 65],
    /// Authenticator data.
    pub auth_data: Bytes,
    /// Client data JSON as signed, any bytes.
    pub client_json: Bytes,
}

impl Unpack for WebAuthnSignature {
    fn unpack(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        // To fc the authenticator data is a vector of numbers, with another limit than bytes have.
        let (compact, auth_data, client_json): (_, Vec<u8>, _) = Unpack::unpack(input)?;
        Ok(Self { compact, auth_data: Bytes(auth_data), client_json })
    }
}

impl Default for PublicKey {
    /// nodeos' empty key: K1, all zero.
    fn default() -> Self {
        Self::K1([0; 33])
    }
}

impl Default for Signature {
    /// nodeos' empty signature: K1, all zero.
    fn default() -> Self {
        Self::K1([0; 65])
    }
}

impl PublicKey {
    /// Index of the kind: 0 K1, 1 R1, 2 WebAuthn.
    pub fn which(&self) -> usize {
        match self {
            Self::K1(_) => 0,
            Self::R1(_) => 1,
            Self::WebAuthn(_) => 2,
        }
    }

    /// Whether the key is not the empty one (nodeos: `public_key::valid`).
    pub fn is_valid(&self) -> bool {
        match self {
            Self::K1(point) | Self::R1(point) => *point != [0; 33],
            Self::WebAuthn(key) => !key.relying_party.is_empty(),
        }
    }
}

impl Signature {
    /// Index of the kind: 0 K1, 1 R1, 2 WebAuthn.
    pub fn which(&self) -> usize {
        match self {
            Self::K1(_) => 0,
            Self::R1(_) => 1,
            Self::WebAuthn(_) => 2,
        }
    }

    /// Bytes of the parts whose length the signer chooses; nodes limit them.
    pub fn variable_size(&self) -> usize {
        match self {
            Self::K1(_) | Self::R1(_) => 0,
            Self::WebAuthn(signature) => signature.auth_data.len() + signature.client_json.len(),
        }
    }

    /// The key whose owner signed `digest`. A K1 signature must be canonical, as those of transactions and blocks are.
    ///
    /// # Errors
    /// `exception` or `assert_exception`, as fc throws them.
    pub fn recover(&self, digest: &Checksum256) -> Result<PublicKey, Fault> {
        self.recover_with(digest, true)
    }

    /// The same; contracts may recover keys from K1 signatures that are not canonical.
    ///
    /// # Errors
    /// `exception` or `assert_exception`, as fc throws them.
    pub fn recover_with(&self, digest: &Checksum256, check_canonical: bool) -> Result<PublicKey, Fault> {
        match self {
            Self::K1(compact) => k1::recover(compact, digest, check_canonical).map(PublicKey::K1),
            Self::R1(compact) => r1::recover(compact, digest).map(PublicKey::R1),
            Self::WebAuthn(signature) => webauthn::recover(signature, digest).map(PublicKey::WebAuthn),
        }
    }
}

/// A signature whose key is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The signature; a K1 signature must be canonical.
    pub signature: &'a Signature,
    /// What it signs.
    pub digest: &'a Checksum256,
    /// The key that probably signed. A wrong guess costs time, and changes no result.
    pub guess: Option<&'a PublicKey>,
}

/// Signatures that are checked at once: of more the sum gets hardly cheaper, and one wrong guess spoils them all.
const BATCH_MAX: usize = 256;
/// Of fewer, the sum costs what recovering each does.
const BATCH_MIN: usize = 8;
/// A key in a sum costs half a recovery, which so many signatures have to share.
const SIGNATURES_OF_KEY_MIN: usize = 2;

/// [`Signature::recover`] of each, in order: where the guesses are right in a third of the time.
pub fn recover_all(signed: &[Signed<'_>]) -> Vec<Result<PublicKey, Fault>> {
    type OfKey<'a> = Vec<(usize, &'a [u8; 65], &'a [u8; 33])>;
    let mut found = vec![None; signed.len()];
    let mut of_keys = BTreeMap::<&[u8; 33], OfKey<'_>>::new();
    for (at, signed) in signed.iter().enumerate() {
        if let (Signature::K1(compact), Some(PublicKey::K1(key))) = (signed.signature, signed.guess)
            && k1::is_canonical(compact)
        {
            of_keys.entry(key).or_default().push((at, compact, key));
        }
    }
    of_keys.retain(|_, of_key| of_key.len() >= SIGNATURES_OF_KEY_MIN);
    let guessed: OfKey<'_> = of_keys.into_values().flatten().collect();
    // Batches of about the same size, none of them small.
    let batches = guessed.len().div_ceil(BATCH_MAX).max(1);
    for batch in guessed.chunks(guessed.len().div_ceil(batches).max(1)).filter(|batch| batch.len() >= BATCH_MIN) {
        let claim =
            |&(at, compact, key): &(usize, _, _)| Some((at, k1_batch::Claim::new(compact, &signed[at].digest.0, key)?));
        let (places, claims): (Vec<_>, Vec<_>) = batch.iter().filter_map(claim).unzip();
        if k1_batch::holds(&claims) {
            places.into_iter().for_each(|at| found[at] = signed[at].guess.cloned());
        }
    }
    let recover = |(found, signed): (Option<PublicKey>, &Signed<'_>)| match found {
        Some(key) => Ok(key),
        None => signed.signature.recover(signed.digest),
    };
    found.into_iter().zip(signed).map(recover).collect()
}

/// A private key of a kind that a node can hold.
#[derive(Clone, PartialEq, Eq)]
pub enum PrivateKey {
    /// secp256k1.
    K1([u8; 32]),
    /// secp256r1.
    R1([u8; 32]),
}

impl Drop for PrivateKey {
    /// Leaves nothing of the secret in memory.
    fn drop(&mut self) {
        match self {
            Self::K1(secret) | Self::R1(secret) => secret.zeroize(),
        }
    }
}

impl fmt::Debug for PrivateKey {
    /// Never shows the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::K1(_) => "PrivateKey::K1",
            Self::R1(_) => "PrivateKey::R1",
        })
    }
}

impl PrivateKey {
    /// A K1 key from 32 random bytes; `None` for the few values that are no key.
    pub fn k1_from_seed(seed: [u8; 32]) -> Option<Self> {
        k1::public_key(&seed).is_ok().then_some(Self::K1(seed))
    }

    /// An R1 key from 32 random bytes; `None` for the few values that are no key.
    pub fn r1_from_seed(seed: [u8; 32]) -> Option<Self> {
        r1::public_key(&seed).is_ok().then_some(Self::R1(seed))
    }

    /// The public key.
    ///
    /// # Errors
    /// `assert_exception` when the secret is zero or not below the curve's order.
    pub fn public_key(&self) -> Result<PublicKey, Fault> {
        match self {
            Self::K1(secret) => k1::public_key(secret).map(PublicKey::K1),
            Self::R1(secret) => r1::public_key(secret).map(PublicKey::R1),
        }
    }

    /// Signs a digest, canonically and always alike: K1 as fc does, R1 with the nonce of RFC 6979 and a low s.
    ///
    /// # Errors
    /// `assert_exception` when the secret is zero or not below the curve's order.
    pub fn sign(&self, digest: &Checksum256) -> Result<Signature, Fault> {
        match self {
            Self::K1(secret) => k1::sign(secret, digest).map(Signature::K1),
            Self::R1(secret) => r1::sign(secret, digest).map(Signature::R1),
        }
    }
}
