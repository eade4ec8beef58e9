//! The sealed form of a wallet.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use primitives::PrivateKey;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Memory of the key derivation in KiB (OWASP's first choice for Argon2id), so that guessing is dear.
const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const ARGON2_PASSES: u32 = 2;
/// A file that asks for more memory than this is refused: it could only be hostile. So is one that asks for less than
/// our own: its password could be guessed cheaply.
const ARGON2_MEMORY_KIB_MAX: u32 = 64 * 1024;
/// As [`ARGON2_MEMORY_KIB_MAX`], in passes.
const ARGON2_PASSES_MAX: u32 = 8;
const VERSION: u32 = 1;

/// The key that seals a wallet, derived from its password.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey(pub(crate) [u8; 32]);

impl Drop for SealKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// A wallet as its file holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletFile {
    boreas_wallet: u32,
    argon2_memory_kib: u32,
    argon2_passes: u32,
    #[serde(with = "hex::serde")]
    salt: [u8; 16],
    #[serde(with = "hex::serde")]
    nonce: [u8; 24],
    #[serde(with = "hex::serde")]
    sealed: Vec<u8>,
}

impl WalletFile {
    /// An empty wallet under a password, and its key.
    pub fn create(password: &str) -> (Self, SealKey) {
        let mut salt = [0; 16];
        rand::rng().fill_bytes(&mut salt);
        let mut file = Self {
            boreas_wallet: VERSION,
            argon2_memory_kib: ARGON2_MEMORY_KIB,
            argon2_passes: ARGON2_PASSES,
            salt,
            nonce: [0; 24],
            sealed: Vec::new(),
        };
        let key = file.derive(password).expect("our own parameters are valid");
        file.seal(&key, &[]);
        (file, key)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// What is wrong with it, for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.boreas_wallet != VERSION {
            return Err(format!("version {} is not known", file.boreas_wallet));
        }
        let memory = ARGON2_MEMORY_KIB..=ARGON2_MEMORY_KIB_MAX;
        let passes = ARGON2_PASSES..=ARGON2_PASSES_MAX;
        if !memory.contains(&file.argon2_memory_kib) || !passes.contains(&file.argon2_passes) {
            return Err(format!(
                "its key derivation asks for {} KiB in {} passes; {} to {} KiB in {} to {} passes are taken",
                file.argon2_memory_kib,
                file.argon2_passes,
                memory.start(),
                memory.end(),
                passes.start(),
                passes.end()
            ));
        }
        Ok(file)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a wallet file has no unserialisable part")
    }

    /// The sealing key that `password` gives, right or wrong; `None` when the file's parameters are not valid.
    pub fn derive(&self, password: &str) -> Option<SealKey> {
        let params = Params::new(self.argon2_memory_kib, self.argon2_passes, 1, Some(32)).ok()?;
        let mut key = SealKey([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &self.salt, &mut key.0)
            .ok()?;
        Some(key)
    }

    /// The keys inside, or `None` when `key` is not the wallet's.
    pub fn open(&self, key: &SealKey) -> Option<Vec<PrivateKey>> {
        let cipher = XChaCha20Poly1305::new(Key::from_slice(&key.0));
        let plain = Zeroizing::new(cipher.decrypt(XNonce::from_slice(&self.nonce), self.sealed.as_slice()).ok()?);
        let text = std::str::from_utf8(&plain).ok()?;
        text.lines().map(|line| line.parse().ok()).collect()
    }

    /// Replaces the keys inside, under a new nonce.
    pub fn seal(&mut self, key: &SealKey, keys: &[PrivateKey]) {
        rand::rng().fill_bytes(&mut self.nonce);
        let mut plain = Zeroizing::new(String::new());
        for private in keys {
            plain.push_str(&Zeroizing::new(private.to_secret_text()));
            plain.push('\n');
        }
        let cipher = XChaCha20Poly1305::new(Key::from_slice(&key.0));
        self.sealed = cipher
            .encrypt(XNonce::from_slice(&self.nonce), plain.as_bytes())
            .expect("a wallet is far below the cipher's limit");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::K1([seed; 32])
    }

    #[test]
    fn what_was_sealed_opens_with_the_password_only() {
        let (mut file, seal) = WalletFile::create("PW5secret");
        file.seal(&seal, &[key(1), key(2)]);
        let read = WalletFile::parse(&file.text()).expect("own text");
        let derived = read.derive("PW5secret").expect("valid parameters");
        let texts: Vec<_> =
            read.open(&derived).expect("right password").iter().map(PrivateKey::to_secret_text).collect();
        assert_eq!(texts, [key(1).to_secret_text(), key(2).to_secret_text()]);
        assert!(read.open(&read.derive("PW5Secret").expect("valid parameters")).is_none());
    }

    #[test]
    fn a_changed_byte_does_not_open() {
        let (mut file, seal) = WalletFile::create("password");
        file.seal(&seal, &[key(3)]);
        file.sealed[0] ^= 1;
        assert!(file.open(&seal).is_none());
    }

    #[test]
    fn a_hostile_cost_is_refused() {
        let (file, _) = WalletFile::create("password");
        let own = format!("\"argon2_memory_kib\": {ARGON2_MEMORY_KIB}");
        for memory in ["4294967295", "1048576", "8"] {
            let text = file.text().replace(&own, &format!("\"argon2_memory_kib\": {memory}"));
            assert!(WalletFile::parse(&text).expect_err(memory).contains("key derivation"));
        }
        assert!(WalletFile::parse(&file.text()).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_a_wallet_or_an_error(text: String) {
            let _ = WalletFile::parse(&text);
        }
    }
}
