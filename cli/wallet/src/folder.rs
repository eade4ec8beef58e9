//! A folder of wallets, and what users do with them.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use primitives::{PrivateKey, PublicKey};
use rand::RngCore;

use crate::{SealKey, WalletError, WalletFile, session};

const EXTENSION: &str = "boreas-wallet";
/// Whoever changes a wallet holds this file of the folder, so that changes come one after the other.
const LOCK: &str = ".lock";
/// A wallet of ten thousand keys is below this. Larger ones are neither written nor read.
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
        let (password, key) = self.make(name)?;
        session::unlock(&self.path(name)?, &key, session::IDLE_DEFAULT)?;
        Ok(password)
    }

    /// Makes a wallet; gives its password and the key that seals it.
    pub fn make(&self, name: &str) -> Result<(String, SealKey), WalletError> {
        let path = self.path(name)?;
        let check_free = || if path.exists() { Err(WalletError::Exists(name.to_owned())) } else { Ok(()) };
        check_free()?;
        let password = generate_password();
        // It takes a while: others may change their wallets meanwhile, or make this one.
        let (file, key) = WalletFile::create(&password);
        let _held = hold(&self.0)?;
        check_free()?;
        write(&path, name, &file)?;
        Ok((password, key))
    }

    /// Takes a wallet back that was just made and whose password could not be told to anybody.
    pub fn discard_empty(&self, name: &str) -> Result<(), WalletError> {
        let path = self.path(name)?;
        let _held = hold(&self.0)?;
        if self.keys(name)?.is_empty() {
            session::lock(&path)?;
            fs::remove_file(&path).map_err(WalletError::io(&path))?;
        }
        Ok(())
    }

    /// Unlocks a wallet until it was not used for some time.
    pub fn unlock(&self, name: &str, password: &str, idle: Duration) -> Result<(), WalletError> {
        session::unlock(&self.path(name)?, &self.seal_key(name, password)?, idle)
    }

    /// The key that seals a wallet, from its password.
    pub fn seal_key(&self, name: &str, password: &str) -> Result<SealKey, WalletError> {
        let file = self.read(name)?;
        let key = file.derive(password).filter(|key| file.open(key).is_some());
        key.ok_or_else(|| WalletError::BadPassword(name.to_owned()))
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
        self.import_under(name, &self.session_key(name)?, private)
    }

    /// Adds a key to the wallet that `seal` opens.
    pub fn import_under(&self, name: &str, seal: &SealKey, private: PrivateKey) -> Result<(), WalletError> {
        self.change(name, seal, |keys| {
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
        self.unlock(name, password, session::IDLE_DEFAULT)?;
        self.remove_under(name, &self.session_key(name)?, public)
    }

    /// Takes a key out of the wallet that `seal` opens.
    pub fn remove_under(&self, name: &str, seal: &SealKey, public: &PublicKey) -> Result<(), WalletError> {
        self.change(name, seal, |keys| {
            let before = keys.len();
            keys.retain(|key| key.public_key().as_ref() != Ok(public));
            if keys.len() == before { Err(WalletError::KeyMissing) } else { Ok(()) }
        })
    }

    /// The keys of one unlocked wallet.
    pub fn keys(&self, name: &str) -> Result<Vec<PrivateKey>, WalletError> {
        self.keys_under(name, &self.session_key(name)?)
    }

    /// The keys of the wallet that `seal` opens.
    pub fn keys_under(&self, name: &str, seal: &SealKey) -> Result<Vec<PrivateKey>, WalletError> {
        self.opened(name, seal).map(|(_, keys)| keys)
    }

    /// The keys of all unlocked wallets.
    pub fn unlocked_keys(&self) -> Result<Vec<PrivateKey>, WalletError> {
        let mut all = Vec::new();
        for (name, _) in self.list()?.into_iter().filter(|(_, unlocked)| *unlocked) {
            all.extend(self.keys(&name)?);
        }
        Ok(all)
    }

    /// What `unlock` left for a wallet that is there.
    fn session_key(&self, name: &str) -> Result<SealKey, WalletError> {
        self.find(name)?;
        session::key(&self.path(name)?).ok_or_else(|| WalletError::Locked(name.to_owned()))
    }

    fn change(
        &self,
        name: &str,
        seal: &SealKey,
        change: impl FnOnce(&mut Vec<PrivateKey>) -> Result<(), WalletError>,
    ) -> Result<(), WalletError> {
        self.find(name)?;
        let path = self.path(name)?;
        // What a link names is changed where it is, beside whoever reaches it by another way.
        let path = fs::canonicalize(&path).map_err(WalletError::io(&path))?;
        let _held = hold(folder_of(&path))?;
        let (mut file, mut keys) = self.opened(name, seal)?;
        change(&mut keys)?;
        file.seal(seal, &keys);
        write(&path, name, &file)
    }

    fn opened(&self, name: &str, seal: &SealKey) -> Result<(WalletFile, Vec<PrivateKey>), WalletError> {
        let file = self.read(name)?;
        let keys = file.open(seal).ok_or_else(|| WalletError::Locked(name.to_owned()))?;
        Ok((file, keys))
    }

    /// The file of a wallet, whether or not it is there.
    pub fn path(&self, name: &str) -> Result<PathBuf, WalletError> {
        let fine = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(fine) {
            return Err(WalletError::BadName(name.to_owned()));
        }
        Ok(self.0.join(format!("{name}.{EXTENSION}")))
    }

    fn read(&self, name: &str) -> Result<WalletFile, WalletError> {
        let path = self.path(name)?;
        let bad = |reason| WalletError::BadFile { path: path.clone(), reason };
        let data = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(WalletError::Missing(name.to_owned()));
            }
            data => data.map_err(WalletError::io(&path))?,
        };
        if !data.is_file() {
            return Err(bad("it is not a file".to_owned()));
        }
        let mut text = Vec::new();
        let opened = File::open(&path).map_err(WalletError::io(&path))?;
        opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(WalletError::io(&path))?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(bad(format!("it has more than {FILE_BYTES_MAX} bytes")));
        }
        let text = String::from_utf8(text).map_err(|_| bad("it is not text".to_owned()))?;
        WalletFile::parse(&text).map_err(bad)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Waits until no other process changes a wallet of a folder; lets others go on when dropped.
fn hold(folder: &Path) -> Result<File, WalletError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(WalletError::io(folder))?;
    let path = folder.join(LOCK);
    let opened = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    opened.and_then(|file| file.lock().map(|()| file)).map_err(WalletError::io(&path))
}

/// Replaces a wallet's file in one step, so that a crash leaves the old or the new wallet. Who could use the old one can
/// use the new one. The folder is held.
fn write(path: &Path, name: &str, file: &WalletFile) -> Result<(), WalletError> {
    let text = file.text();
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(WalletError::Full(name.to_owned()));
    }
    if fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink()) {
        let reason = "it is a link to a file that is not there".to_owned();
        return Err(WalletError::BadFile { path: path.to_owned(), reason });
    }
    remove_drafts(path);
    let draft = path.with_added_extension(std::process::id().to_string());
    let written = || {
        let mut handle = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        handle.write_all(text.as_bytes())?;
        if let Ok(old) = fs::metadata(path) {
            let new = handle.metadata()?;
            let same = (old.uid(), old.gid()) == (new.uid(), new.gid());
            // The rights of another group are not for one's own.
            if same || fchown(&handle, Some(old.uid()), Some(old.gid())).is_ok() {
                handle.set_permissions(old.permissions())?;
            }
        }
        handle.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(folder_of(path))?.sync_all()
    };
    written().map_err(|error| {
        // What could not become the wallet is of no use; the error matters more than it.
        let _ = fs::remove_file(&draft);
        WalletError::io(path)(error)
    })
}

/// Removes what processes that were killed left of a wallet: nobody else writes it now.
fn remove_drafts(path: &Path) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let is_draft = |found: &str| {
        let process = found.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        process.is_some_and(|process| !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit()))
    };
    for entry in fs::read_dir(folder_of(path)).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_draft) {
            // One that stays is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
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
        assert!(matches!(folder.unlock("mine", "PW5wrong", session::IDLE_DEFAULT), Err(WalletError::BadPassword(_))));
        folder.unlock("mine", &password, session::IDLE_DEFAULT).expect("right password");
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

    #[test]
    fn keys_that_come_at_once_all_stay() {
        let place = tempfile::tempdir().expect("temporary folder");
        let folder = Folder(place.path().join("wallets"));
        folder.create("mine").expect("new wallet");
        let import = || folder.import("mine", generate_key(false)).expect("imported");
        std::thread::scope(|scope| {
            (0..24).for_each(|_| {
                scope.spawn(import);
            });
        });
        assert_eq!(folder.keys("mine").expect("unlocked").len(), 24);
        folder.lock("mine").expect("lock");
    }

    #[test]
    fn a_link_stays_one_and_what_it_names_is_changed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let place = tempfile::tempdir().expect("temporary folder");
        let (vault, folder) = (Folder(place.path().join("vault")), Folder(place.path().join("wallets")));
        folder.create("own").expect("new wallet");
        vault.create("kept").expect("new wallet");
        let (target, link) = (vault.path("kept").expect("a name"), folder.path("linked").expect("a name"));
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("set");
        symlink("../vault/kept.boreas-wallet", &link).expect("linked");
        // As a process that was killed leaves it.
        let stale = target.with_added_extension("4194305");
        fs::write(&stale, "half").expect("written");
        let seal = vault.session_key("kept").expect("unlocked");
        // Whoever comes by the link and whoever does not wait for each other.
        std::thread::scope(|scope| {
            for (folder, name) in [(&vault, "kept"), (&folder, "linked")].repeat(8) {
                let seal = &seal;
                scope.spawn(move || folder.import_under(name, seal, generate_key(false)).expect("imported"));
            }
        });
        assert_eq!(vault.keys("kept").expect("unlocked").len(), 16);
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::metadata(&target).expect("there").permissions().mode() & 0o777, 0o640);
        assert!(!stale.exists());
        fs::remove_file(&target).expect("removed");
        assert!(matches!(folder.import_under("linked", &seal, generate_key(false)), Err(WalletError::Missing(_))));
        assert!(matches!(folder.make("linked"), Err(WalletError::BadFile { .. })));
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    }

    #[test]
    fn a_wallet_that_could_not_be_read_again_is_not_written() {
        let place = tempfile::tempdir().expect("temporary folder");
        let folder = Folder(place.path().to_owned());
        folder.create("mine").expect("new wallet");
        let many = |keys: &mut Vec<PrivateKey>| {
            keys.resize(45_000, generate_key(false));
            Ok(())
        };
        assert!(matches!(
            folder.change("mine", &folder.session_key("mine").expect("unlocked"), many),
            Err(WalletError::Full(_))
        ));
        assert!(folder.keys("mine").expect("as before").is_empty());
        let names: Vec<_> =
            fs::read_dir(place.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names.len(), 2, "the wallet and the lock: {names:?}");
        folder.discard_empty("mine").expect("it is empty");
        assert!(matches!(folder.find("mine"), Err(WalletError::Missing(_))));
    }
}
