//! Unlocked wallets: derived keys in the user's run-time folder until they time out.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::{SealKey, WalletError};

/// As keosd: a wallet locks itself after 15 minutes without use.
const UNLOCKED_FOR: Duration = Duration::from_secs(900);

/// The folder of unlocked keys; in memory where the system has a run-time folder.
fn folder() -> PathBuf {
    let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    let base = base.unwrap_or_else(|| {
        let shared_memory = PathBuf::from("/dev/shm");
        if shared_memory.is_dir() { shared_memory } else { std::env::temp_dir() }
    });
    let user = std::env::var("USER").or_else(|_| std::env::var("HOME")).unwrap_or_default();
    base.join(format!("boreas-{}", user.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")))
}

/// One file for each wallet file, whatever folder that is in.
fn place(wallet: &Path) -> PathBuf {
    let path = fs::canonicalize(wallet).unwrap_or_else(|_| wallet.to_owned());
    let digest = primitives::Sha256::of(path.as_os_str().as_encoded_bytes());
    folder().join(digest.to_string())
}

/// Remembers the key of an unlocked wallet.
pub fn unlock(wallet: &Path, key: &SealKey) -> Result<(), WalletError> {
    let path = place(wallet);
    let parent = folder();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&parent).map_err(WalletError::io(&parent))?;
    lock(wallet)?;
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(WalletError::io(&path))?;
    std::io::Write::write_all(&mut file, &key.0).map_err(WalletError::io(&path))
}

/// Forgets the key of a wallet.
pub fn lock(wallet: &Path) -> Result<(), WalletError> {
    let path = place(wallet);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(WalletError::io(&path)(error)),
        _ => Ok(()),
    }
}

/// Forgets all keys.
pub fn lock_all() -> Result<(), WalletError> {
    let path = folder();
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(WalletError::io(&path)(error)),
        _ => Ok(()),
    }
}

/// The key of a wallet that is unlocked; its time starts anew.
pub fn key(wallet: &Path) -> Option<SealKey> {
    let path = place(wallet);
    let touched = fs::metadata(&path).and_then(|data| data.modified()).ok()?;
    if SystemTime::now().duration_since(touched).unwrap_or_default() > UNLOCKED_FOR {
        lock(wallet).ok()?;
        return None;
    }
    let bytes: [u8; 32] = fs::read(&path).ok()?.try_into().ok()?;
    if let Ok(file) = fs::File::options().write(true).open(&path) {
        file.set_modified(SystemTime::now()).ok();
    }
    Some(SealKey(bytes))
}
