//! Unlocked wallets: derived keys in the user's run-time folder until they time out.
//!
//! That folder is in memory where the system has one. Whoever unlocks a wallet starts [`sweep`] in a process of its own,
//! which takes the keys away when their time is over, whether or not anybody asks for them again.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use zeroize::Zeroize;

use crate::{SealKey, WalletError};

/// As keosd: a wallet locks itself after 15 minutes without use.
pub const IDLE_DEFAULT: Duration = Duration::from_secs(900);
/// A wallet may stay unlocked for a year; more is a mistake in typing.
pub const IDLE_MAX: Duration = Duration::from_secs(365 * 24 * 3600);
/// The key and the seconds that it may stay unused.
const FILE_BYTES: usize = 32 + 8;
/// Held by the process that sweeps.
const SWEEPER: &str = "sweeper";
/// The sweeper looks at least so often: the clock may be set, and a use gives a key more time.
const SWEEP_INTERVAL_MAX: Duration = Duration::from_secs(30);

/// The folder of unlocked keys; in memory where the system has a run-time folder.
fn folder() -> PathBuf {
    let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    let base = base.unwrap_or_else(|| {
        let shared_memory = PathBuf::from("/dev/shm");
        if shared_memory.is_dir() { shared_memory } else { std::env::temp_dir() }
    });
    base.join(format!("boreas-{}", user()))
}

fn user() -> u32 {
    // SAFETY: it reads one number of the process and cannot fail.
    unsafe { libc::geteuid() }
}

/// The folder, if it is this user's alone: where others write too, another could have made it.
fn own_folder() -> Result<Option<PathBuf>, WalletError> {
    let path = folder();
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        data => {
            let data = data.map_err(WalletError::io(&path))?;
            let own = data.is_dir() && data.uid() == user() && data.mode() & 0o077 == 0;
            if own { Ok(Some(path)) } else { Err(WalletError::ForeignFolder(path)) }
        }
    }
}

/// One file for each wallet file, whatever folder that is in.
fn place(folder: &Path, wallet: &Path) -> PathBuf {
    let path = fs::canonicalize(wallet).unwrap_or_else(|_| wallet.to_owned());
    folder.join(primitives::Sha256::of(path.as_os_str().as_encoded_bytes()).to_string())
}

/// Remembers the key of an unlocked wallet until it was not used for a time.
pub fn unlock(wallet: &Path, key: &SealKey, idle: Duration) -> Result<(), WalletError> {
    let parent = folder();
    if own_folder()?.is_none() {
        let made = fs::DirBuilder::new().mode(0o700).create(&parent);
        // Another process of this user may have been faster.
        made.or_else(|error| own_folder().ok().flatten().map(drop).ok_or(error)).map_err(WalletError::io(&parent))?;
    }
    lock(wallet)?;
    let path = place(&parent, wallet);
    let mut content = [key.0.as_slice(), &idle.min(IDLE_MAX).as_secs().to_le_bytes()].concat();
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let written = opened.and_then(|mut file| file.write_all(&content));
    content.zeroize();
    written.map_err(WalletError::io(&path))
}

/// Forgets the key of a wallet.
pub fn lock(wallet: &Path) -> Result<(), WalletError> {
    match own_folder()? {
        Some(folder) => forget(&place(&folder, wallet)),
        None => Ok(()),
    }
}

fn forget(path: &Path) -> Result<(), WalletError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(WalletError::io(path)(error)),
        _ => Ok(()),
    }
}

/// Forgets all keys.
pub fn lock_all() -> Result<(), WalletError> {
    let Some(folder) = own_folder()? else { return Ok(()) };
    keys_in(&folder)?.iter().try_for_each(|path| forget(path))
}

fn keys_in(folder: &Path) -> Result<Vec<PathBuf>, WalletError> {
    let entries = fs::read_dir(folder).map_err(WalletError::io(folder))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.filter(|path| path.file_name().is_some_and(|name| name != SWEEPER)).collect())
}

/// The key of a wallet that is unlocked; its time starts anew.
pub fn key(wallet: &Path) -> Option<SealKey> {
    let path = place(&own_folder().ok()??, wallet);
    let (key, idle) = read(&path)?;
    if left(&path, idle).is_none() {
        forget(&path).ok()?;
        return None;
    }
    if let Ok(file) = File::options().write(true).open(&path) {
        file.set_modified(SystemTime::now()).ok();
    }
    Some(key)
}

fn read(path: &Path) -> Option<(SealKey, Duration)> {
    let mut bytes = [0; FILE_BYTES];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).ok()?;
    let key = SealKey(bytes[..32].try_into().ok()?);
    let seconds = u64::from_le_bytes(bytes[32..].try_into().ok()?);
    bytes.zeroize();
    Some((key, Duration::from_secs(seconds).min(IDLE_MAX)))
}

/// How long the key in a file may still be used. A time in the future is not trusted: the clock was set back, or
/// somebody wants the key to live for ever.
fn left(path: &Path, idle: Duration) -> Option<Duration> {
    let touched = fs::metadata(path).and_then(|data| data.modified()).ok()?;
    let unused = SystemTime::now().duration_since(touched).ok()?;
    idle.checked_sub(unused).filter(|left| !left.is_zero())
}

/// Takes away keys whose time is over; returns when no key is left, or another process does this already.
///
/// # Errors
/// When the folder cannot be read or a key not be taken away.
pub fn sweep() -> Result<(), WalletError> {
    let Some(folder) = own_folder()? else { return Ok(()) };
    let path = folder.join(SWEEPER);
    let held = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let held = held.map_err(WalletError::io(&path))?;
    if held.try_lock().is_err() {
        return Ok(());
    }
    loop {
        let mut wait = SWEEP_INTERVAL_MAX;
        let mut any = false;
        for path in keys_in(&folder)? {
            match read(&path).and_then(|(_, idle)| left(&path, idle)) {
                Some(left) => (any, wait) = (true, wait.min(left)),
                None => forget(&path)?,
            }
        }
        if !any {
            return Ok(());
        }
        std::thread::sleep(wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wallet's name that no other test has, and the file of its key.
    fn wallet(name: &str) -> (PathBuf, PathBuf) {
        let wallet = PathBuf::from(format!("/nonexistent/{name}-{}", std::process::id()));
        let place = place(&folder(), &wallet);
        (wallet, place)
    }

    #[test]
    fn keys_expire_when_unused_and_when_of_the_future() {
        let (wallet, file) = wallet("expiry");
        let seal = SealKey([7; 32]);
        let touch =
            |time| File::options().write(true).open(&file).expect("a key").set_modified(time).expect("own file");
        unlock(&wallet, &seal, Duration::from_secs(60)).expect("unlocked");
        touch(SystemTime::now() - Duration::from_secs(59));
        assert!(key(&wallet) == Some(seal.clone()), "used in time");
        touch(SystemTime::now() - Duration::from_secs(61));
        assert!(key(&wallet).is_none() && !file.exists(), "unused for too long");
        unlock(&wallet, &seal, Duration::from_secs(60)).expect("unlocked");
        touch(SystemTime::now() + Duration::from_secs(3600));
        assert!(key(&wallet).is_none() && !file.exists(), "of the future");
        fs::write(&file, b"short").expect("own folder");
        assert!(key(&wallet).is_none(), "damaged");
        lock(&wallet).expect("locked");
    }
}
