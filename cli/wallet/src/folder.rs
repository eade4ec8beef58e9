//! A folder of wallets, and what users do with them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use primitives::{PrivateKey, PublicKey};
use rand::RngCore;

use crate::{SealKey, WalletError, WalletFile, session};

const EXTENSION: &str = "boreas-wallet";
/// A wallet of ten thousand keys is below this.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Where a user's wallets are.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

/// A fresh private key from the system's randomness.
pub fn generate_key(r1: bool) -> PrivateKey {
    loop {
        let mut secret = [0; 32];
        rand::rng().fill_bytes(&mut secret);
        let key = if r1 { PrivateKey::r1_from_seed(secret) } else { PrivateKey::k1_from_seed(secret) };
        if let Some(key) = key {
            return key;
        }
    }
}

/// A fresh password in the form that keosd gives: `PW` and a key's text.
pub fn generate_password() -> String {
    format!("PW{}", generate_key(false).to_secret_text())
}

impl Folder {
    /// `$BOREAS_WALLET_DIR`, else `~/.boreas/wallets`.
    pub fn of_user() -> Self {
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".boreas/wallets");
        Self(std::env::var_os("BOREAS_WALLET_DIR").map_or_else(home, PathBuf::from))
    }

    /// Makes a wallet, leaves it unlocked, and gives its password.
    pub fn create(&self, name: &str) -> Result<String, WalletError> {
        let path = self.path(name)?;
        if path.exists() {
            return Err(WalletError::Exists(name.to_owned()));
        }
        let password = generate_password();
        let (file, key) = WalletFile::create(&password);
        self.write(name, &file)?;
        session::unlock(&path, &key)?;
        Ok(password)
    }

    /// Unlocks a wallet for a while.
    pub fn unlock(&self, name: &str, password: &str) -> Result<(), WalletError> {
        let file = self.read(name)?;
        let key = file.derive(password).filter(|key| file.open(key).is_some());
        let key = key.ok_or_else(|| WalletError::BadPassword(name.to_owned()))?;
        session::unlock(&self.path(name)?, &key)
    }

    /// Whether there is such a wallet: an error says why not.
    pub fn find(&self, name: &str) -> Result<(), WalletError> {
        self.read(name).map(drop)
    }

    /// Locks a wallet.
    pub fn lock(&self, name: &str) -> Result<(), WalletError> {
        self.find(name)?;
        session::lock(&self.path(name)?)
    }

    /// Locks all wallets.
    pub fn lock_all(&self) -> Result<(), WalletError> {
        session::lock_all()
    }

    /// Names of the wallets, and whether each is unlocked.
    pub fn list(&self) -> Result<Vec<(String, bool)>, WalletError> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(WalletError::io(&self.0))?,
        };
        let mut names: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
            .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), session::key(&path).is_some())))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Adds a key to an unlocked wallet.
    pub fn import(&self, name: &str, private: PrivateKey) -> Result<(), WalletError> {
        self.change(name, |keys| {
            private.public_key()?;
            if keys.contains(&private) {
                return Err(WalletError::KeyExists);
            }
            keys.push(private);
            Ok(())
        })
    }

    /// Takes a key out of a wallet; the password is asked for again, as keosd does.
    pub fn remove(&self, name: &str, password: &str, public: &PublicKey) -> Result<(), WalletError> {
        self.unlock(name, password)?;
        self.change(name, |keys| {
            let before = keys.len();
            keys.retain(|key| key.public_key().as_ref() != Ok(public));
            if keys.len() == before { Err(WalletError::KeyMissing) } else { Ok(()) }
        })
    }

    /// The keys of one unlocked wallet.
    pub fn keys(&self, name: &str) -> Result<Vec<PrivateKey>, WalletError> {
        self.opened(name).map(|(_, _, keys)| keys)
    }

    /// The keys of all unlocked wallets.
    pub fn unlocked_keys(&self) -> Result<Vec<PrivateKey>, WalletError> {
        let mut all = Vec::new();
        for (name, _) in self.list()?.into_iter().filter(|(_, unlocked)| *unlocked) {
            all.extend(self.keys(&name)?);
        }
        Ok(all)
    }

    fn change(
        &self,
        name: &str,
        change: impl FnOnce(&mut Vec<PrivateKey>) -> Result<(), WalletError>,
    ) -> Result<(), WalletError> {
        let (mut file, seal, mut keys) = self.opened(name)?;
        change(&mut keys)?;
        file.seal(&seal, &keys);
        self.write(name, &file)
    }

    fn opened(&self, name: &str) -> Result<(WalletFile, SealKey, Vec<PrivateKey>), WalletError> {
        let file = self.read(name)?;
        let locked = || WalletError::Locked(name.to_owned());
        let key = session::key(&self.path(name)?).ok_or_else(locked)?;
        let keys = file.open(&key).ok_or_else(locked)?;
        Ok((file, key, keys))
    }

    fn path(&self, name: &str) -> Result<PathBuf, WalletError> {
        let fine = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(fine) {
            return Err(WalletError::BadName(name.to_owned()));
        }
        Ok(self.0.join(format!("{name}.{EXTENSION}")))
    }

    fn read(&self, name: &str) -> Result<WalletFile, WalletError> {
        let path = self.path(name)?;
        let size = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(WalletError::Missing(name.to_owned()));
            }
            data => data.map_err(WalletError::io(&path))?.len(),
        };
        let bad = |reason| WalletError::BadFile { path: path.clone(), reason };
        if size > FILE_BYTES_MAX {
            return Err(bad(format!("it has {size} bytes")));
        }
        let text = fs::read_to_string(&path).map_err(WalletError::io(&path))?;
        WalletFile::parse(&text).map_err(bad)
    }

    /// Replaces the file in one step, so that a crash leaves the old or the new wallet.
    fn write(&self, name: &str, file: &WalletFile) -> Result<(), WalletError> {
        let path = self.path(name)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(WalletError::io(&self.0))?;
        let draft = path.with_extension(format!("{EXTENSION}.{}", std::process::id()));
        let written = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).and_then(
            |mut handle| {
                handle.write_all(file.text().as_bytes())?;
                handle.sync_all()
            },
        );
        written.and_then(|()| fs::rename(&draft, &path)).map_err(WalletError::io(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_lives_through_create_import_lock_unlock() {
        let place = tempfile::tempdir().expect("temporary folder");
        let folder = Folder(place.path().join("wallets"));
        let password = folder.create("mine").expect("new wallet");
        assert!(password.starts_with("PW5"));
        let key = generate_key(false);
        folder.import("mine", key.clone()).expect("unlocked after create");
        assert!(matches!(folder.import("mine", key.clone()), Err(WalletError::KeyExists)));
        folder.lock("mine").expect("lock");
        assert!(matches!(folder.keys("mine"), Err(WalletError::Locked(_))));
        assert!(matches!(folder.unlock("mine", "PW5wrong"), Err(WalletError::BadPassword(_))));
        folder.unlock("mine", &password).expect("right password");
        assert_eq!(folder.keys("mine").expect("unlocked").len(), 1);
        folder.remove("mine", &password, &key.public_key().expect("valid")).expect("remove");
        assert!(folder.keys("mine").expect("unlocked").is_empty());
        assert!(matches!(folder.create("mine"), Err(WalletError::Exists(_))));
        folder.lock("mine").expect("lock");
    }

    #[test]
    fn names_stay_in_the_folder() {
        let folder = Folder(PathBuf::from("/nonexistent"));
        for name in ["", "..", "../x", "a/b", ".hidden", "a b"] {
            assert!(matches!(folder.keys(name), Err(WalletError::BadName(_))), "{name}");
        }
        assert!(matches!(folder.keys("gone"), Err(WalletError::Missing(_))));
    }
}
