//! Texts of keys and signatures: `EOS...`, `PUB_K1_...`, `SIG_K1_...`, `PVT_R1_...`, WIF.
//!
//! The digits are the packed value and four bytes of checksum: RIPEMD-160 over the value and the kind's name.

use std::fmt;
use std::str::FromStr;

use codec::{Pack, Reader, Unpack};
use ripemd::Digest as _;

use super::{PrivateKey, PublicKey, Signature, WebAuthnKey, WebAuthnSignature, base58};
use crate::{Fault, FaultKind, Sha256};

/// A compressed point and its checksum.
const LEGACY_KEY_BYTES: usize = 37;
const LEGACY_PREFIX: &str = "EOS";
/// First byte of a WIF key: Bitcoin's main net.
const WIF_VERSION: u8 = 0x80;

fn fault(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::ASSERT_EXCEPTION, message)
}

fn checksum(value: &[u8], kind: &str) -> [u8; 4] {
    let hash = ripemd::Ripemd160::new().chain_update(value).chain_update(kind).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// `value` with its checksum in base 58.
fn digits_of(value: &[u8], kind: &str) -> String {
    base58::encode(&[value, &checksum(value, kind)].concat())
}

fn decode_base58(text: &str) -> Result<Vec<u8>, Fault> {
    base58::decode(text)
        .ok_or_else(|| Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, format!("Unable to decode base58 string {text}")))
}

/// The value of digits whose checksum is right and that hold nothing else.
fn value_of<T: Pack + Unpack>(digits: &str, kind: &str) -> Result<T, Fault> {
    let bytes = decode_base58(digits)?;
    let legacy = kind.is_empty();
    let message = "bin.size() == sizeof(data_type) + sizeof(uint32_t): ";
    crate::ensure!(!legacy || bytes.len() == LEGACY_KEY_BYTES, ASSERT_EXCEPTION, "{message}");
    let mut input = Reader::new(&bytes);
    let (value, check): (T, [u8; 4]) = Unpack::unpack(&mut input)?;
    let message = "!unpacker.remaining(): decoded base58 length too long";
    crate::ensure!(input.remaining() == 0, ASSERT_EXCEPTION, "{message}");
    // The bytes before the checksum may have several forms; the one form that counts is the packed one.
    let expected = if legacy { "wrapper::calculate_checksum(wrapped.data)" } else { "checksum" };
    let right = checksum(&value.to_bytes(), kind) == check;
    crate::ensure!(right, ASSERT_EXCEPTION, "{expected} == wrapped.check: ");
    Ok(value)
}

/// Splits `PUB_K1_digits` into the kind and the digits.
///
/// The messages begin with the assertion that fails, as fc's do.
fn parts<'a>(text: &'a str, base: &str, what: &str, unknown: &str) -> Result<(&'a str, &'a str), Fault> {
    let missing = |place: &str, unknown: &str, text: &str| {
        fault(format!("pivot != std::string::npos: No delimiter in {place}, cannot determine {unknown}: {text}"))
    };
    let (prefix, rest) = text.split_once('_').ok_or_else(|| missing("string", unknown, text))?;
    crate::ensure!(prefix == base, ASSERT_EXCEPTION, "prefix == prefix_str: {what} has invalid prefix: {text}");
    crate::ensure!(!rest.is_empty(), ASSERT_EXCEPTION, "!data_str.empty(): {what} has no data: {text}");
    let (kind, digits) = rest.split_once('_').ok_or_else(|| missing("data", "suite type", rest))?;
    let message = "!data_str.empty(): Data only has suite type prefix";
    crate::ensure!(!digits.is_empty(), ASSERT_EXCEPTION, "{message}: {rest}");
    Ok((kind, digits))
}

fn unknown_kind(kind: &str, digits: &str) -> Fault {
    fault(format!("false: No matching suite type for {kind}_{digits}"))
}

impl PublicKey {
    /// The text with the kind's name for every kind: `PUB_K1_...`.
    pub fn to_modern_text(&self) -> String {
        match self {
            Self::K1(point) => format!("PUB_K1_{}", digits_of(point, "K1")),
            Self::R1(point) => format!("PUB_R1_{}", digits_of(point, "R1")),
            Self::WebAuthn(key) => format!("PUB_WA_{}", digits_of(&key.to_bytes(), "WA")),
        }
    }
}

impl fmt::Display for PublicKey {
    /// nodeos' form: `EOS...` for K1, `PUB_R1_...`, `PUB_WA_...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::K1(point) => f.pad(&format!("{LEGACY_PREFIX}{}", digits_of(point, ""))),
            _ => f.pad(&self.to_modern_text()),
        }
    }
}

impl FromStr for PublicKey {
    type Err = Fault;

    /// # Errors
    /// `assert_exception` or `parse_error_exception`, as fc throws them.
    fn from_str(text: &str) -> Result<Self, Fault> {
        match text.strip_prefix(LEGACY_PREFIX) {
            Some(digits) if !digits.is_empty() && !digits.contains('_') => {
                return value_of(digits, "").map(Self::K1);
            }
            _ => {}
        }
        match parts(text, "PUB", "Public Key", "data type")? {
            ("K1", digits) => value_of(digits, "K1").map(Self::K1),
            ("R1", digits) => value_of(digits, "R1").map(Self::R1),
            ("WA", digits) => value_of::<WebAuthnKey>(digits, "WA").map(Self::WebAuthn),
            (kind, digits) => Err(unknown_kind(kind, digits)),
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Self::K1(compact) => format!("SIG_K1_{}", digits_of(compact, "K1")),
            Self::R1(compact) => format!("SIG_R1_{}", digits_of(compact, "R1")),
            Self::WebAuthn(signature) => format!("SIG_WA_{}", digits_of(&signature.to_bytes(), "WA")),
        })
    }
}

impl FromStr for Signature {
    type Err = Fault;

    /// # Errors
    /// `assert_exception` or `parse_error_exception`, as fc throws them.
    fn from_str(text: &str) -> Result<Self, Fault> {
        match parts(text, "SIG", "Signature Key", "type")? {
            ("K1", digits) => value_of(digits, "K1").map(Self::K1),
            ("R1", digits) => value_of(digits, "R1").map(Self::R1),
            ("WA", digits) => value_of::<Box<WebAuthnSignature>>(digits, "WA").map(Self::WebAuthn),
            (kind, digits) => Err(unknown_kind(kind, digits)),
        }
    }
}

impl PrivateKey {
    /// The secret's text: WIF for K1, `PVT_R1_...`. The only way to print a secret.
    pub fn to_secret_text(&self) -> String {
        match self {
            Self::K1(secret) => {
                let mut bytes = vec![WIF_VERSION];
                bytes.extend(secret);
                let check = Sha256::of(&Sha256::of(&bytes).0);
                bytes.extend(&check.0[..4]);
                base58::encode(&bytes)
            }
            Self::R1(secret) => format!("PVT_R1_{}", digits_of(secret, "R1")),
        }
    }
}

/// A WIF key's secret; the checksum may be one or two rounds of SHA-256, the version is not looked at.
fn parse_wif(text: &str) -> Result<[u8; 32], Fault> {
    let no_key = || fault("string is no private key");
    let bytes = decode_base58(text).map_err(|_| Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, "no base58 string"))?;
    let (value, check) = bytes.split_last_chunk::<4>().ok_or_else(no_key)?;
    let once = Sha256::of(value);
    let twice = Sha256::of(&once.0);
    if once.0[..4] != check[..] && twice.0[..4] != check[..] {
        return Err(no_key());
    }
    value.get(1..).and_then(|secret| secret.try_into().ok()).ok_or_else(no_key)
}

impl FromStr for PrivateKey {
    type Err = Fault;

    /// # Errors
    /// `assert_exception` or `parse_error_exception`; the text never enters the message.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let hidden = |_| fault("string is no private key");
        if !text.contains('_') {
            return parse_wif(text).map(Self::K1);
        }
        match parts(text, "PVT", "Private Key", "type").map_err(hidden)? {
            ("K1", digits) => value_of(digits, "K1").map(Self::K1).map_err(hidden),
            ("R1", digits) => value_of(digits, "R1").map(Self::R1).map_err(hidden),
            _ => Err(fault("string is no private key")),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::json::as_text!(PublicKey);
crate::json::as_text!(Signature);
