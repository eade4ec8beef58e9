//! Signing keys that were added while the node ran, kept for later starts in the sealed form of wallets.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use api::KeyKeeper;
use engine::Handle;
use primitives::{PrivateKey, PublicKey};
use wallet::WalletFile;

/// The file in the data folder.
const FILE: &str = "signing-keys.wallet";
/// Where a start finds the password, so that nobody has to be there.
const PASSWORD: &str = "BOREAS_SIGNING_KEYS_PASSWORD";

/// The file of kept keys.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    /// One password at a time.
    changing: Mutex<()>,
}

impl KeyFile {
    /// The file of a data folder; it need not be there.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE), changing: Mutex::new(()) }
    }

    /// Signs with the kept keys when the environment has their password; else says how to.
    pub async fn unlock_at_start(&self, handle: &Handle) {
        if !self.path.exists() {
            return;
        }
        let Ok(password) = std::env::var(PASSWORD) else {
            tracing::warn!(
                "{} has signing keys, which are locked: unlock them with boreas producer key unlock, or start with \
                 {PASSWORD} set",
                self.path.display()
            );
            return;
        };
        match self.open(&password) {
            Ok(keys) => {
                for key in keys {
                    if let Err(error) = handle.add_key(key).await {
                        tracing::error!("a kept signing key cannot be used: {error}");
                    }
                }
            }
            Err(error) => tracing::error!("the kept signing keys stay locked: {error}"),
        }
    }

    /// The file with its key and the keys inside; a new one where there is none.
    fn unseal(&self, password: &str) -> Result<(WalletFile, wallet::SealKey, Vec<PrivateKey>), String> {
        let shown = self.path.display();
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let (file, key) = WalletFile::create(password);
                return Ok((file, key, Vec::new()));
            }
            Err(error) => return Err(format!("{shown} cannot be read: {error}")),
        };
        let file = WalletFile::parse(&text).map_err(|why| format!("{shown} is damaged: {why}"))?;
        let key = file.derive(password).ok_or_else(|| format!("{shown} is damaged"))?;
        let keys = file.open(&key).ok_or_else(|| format!("the password is not that of {shown}"))?;
        Ok((file, key, keys))
    }

    fn write(&self, file: &WalletFile) -> Result<(), String> {
        // What a link names is written where it is.
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let draft = path.with_extension("draft");
        let mut options = std::fs::OpenOptions::new();
        let written = options.write(true).create(true).truncate(true).mode(0o600).open(&draft).and_then(|mut out| {
            out.write_all(file.text().as_bytes())?;
            out.sync_all()
        });
        let renamed = written.and_then(|()| std::fs::rename(&draft, &path));
        renamed.map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }
}

impl KeyKeeper for KeyFile {
    fn keep(&self, key: &PrivateKey, password: &str) -> Result<(), String> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut file, seal, mut keys) = self.unseal(password)?;
        if !keys.iter().any(|known| known.to_secret_text() == key.to_secret_text()) {
            keys.push(key.clone());
        }
        file.seal(&seal, &keys);
        self.write(&file)
    }

    fn forget(&self, key: &PublicKey, password: &str) -> Result<(), String> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut file, seal, mut keys) = self.unseal(password)?;
        keys.retain(|known| known.public_key().ok().as_ref() != Some(key));
        file.seal(&seal, &keys);
        self.write(&file)
    }

    fn open(&self, password: &str) -> Result<Vec<PrivateKey>, String> {
        if !self.path.exists() {
            return Err(format!("no signing keys are kept in {}", self.path.display()));
        }
        // A password takes memory and time: one after another.
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.unseal(password)?.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_under_one_password_and_readable_by_their_owner_alone() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let file = KeyFile::in_folder(folder.path());
        let key = |seed: u8| PrivateKey::K1([seed; 32]);
        assert!(file.open("pass").is_err_and(|why| why.contains("no signing keys")));
        for key in [key(1), key(2), key(1)] {
            file.keep(&key, "pass").expect("a new file");
        }
        assert!(file.keep(&key(3), "word").is_err_and(|why| why.contains("password")));
        assert_eq!(file.open("pass").map(|keys| keys.len()), Ok(2));
        let text = std::fs::read_to_string(&file.path).expect("the file");
        assert!(!text.contains(&key(1).to_secret_text()));
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file.path).expect("it is there").permissions());
        assert_eq!(mode & 0o777, 0o600);
        file.forget(&key(1).public_key().expect("valid"), "pass").expect("it is known");
        assert_eq!(file.open("pass").map(|keys| keys.len()), Ok(1));
    }
}
