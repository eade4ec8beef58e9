//! A file for a new secret: opened before the secret is made, so that what cannot be written is not made; for its owner
//! alone; and never over another secret, which would be lost for ever.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Result as IoResult, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

use anyhow::{Context, ensure};

/// Who may read and write it.
const OWNER_ALONE: u32 = 0o600;

/// The open file. One that was made here is removed again unless a secret was written into it.
#[derive(Debug)]
pub struct SecretFile {
    path: String,
    file: File,
    removed_at_end: bool,
}

impl SecretFile {
    /// Opens a new or empty file, or a device.
    ///
    /// # Errors
    /// It cannot be written, or something is in it.
    pub fn open(path: &str) -> anyhow::Result<Self> {
        let unwritable = || format!("{path} cannot be written");
        let new = OpenOptions::new().write(true).create_new(true).mode(OWNER_ALONE).open(path);
        let file = match new {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let file = OpenOptions::new().write(true).open(path).with_context(unwritable)?;
                let data = file.metadata().with_context(unwritable)?;
                ensure!(
                    !data.is_file() || data.len() == 0,
                    "{path} is there already, and the key or password in it would be lost: name another file, or move that one away"
                );
                if data.is_file() {
                    let private = Permissions::from_mode(OWNER_ALONE);
                    file.set_permissions(private).with_context(|| format!("{path} cannot be made private"))?;
                }
                return Ok(Self { path: path.to_owned(), file, removed_at_end: false });
            }
            opened => opened.with_context(unwritable)?,
        };
        Ok(Self { path: path.to_owned(), file, removed_at_end: true })
    }

    /// Writes the secret.
    ///
    /// # Errors
    /// The system does not take it.
    pub fn write(mut self, secret: &str) -> IoResult<()> {
        self.file.write_all(secret.as_bytes())?;
        // A pipe or a device cannot be synced.
        if self.file.metadata()?.is_file() {
            self.file.sync_all()?;
        }
        self.removed_at_end = false;
        Ok(())
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if self.removed_at_end {
            // An empty file that stays is no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_written_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret").display().to_string();
        drop(SecretFile::open(&path).unwrap());
        assert!(std::fs::metadata(&path).is_err(), "nothing was written, and the file is still there");
        std::fs::write(&path, "").unwrap();
        drop(SecretFile::open(&path).unwrap());
        SecretFile::open(&path).unwrap().write("one").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ALONE);
        let refused = SecretFile::open(&path).unwrap_err().to_string();
        assert!(refused.contains("is there already"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        assert!(SecretFile::open("/dev/null").unwrap().write("x").is_ok());
        assert!(SecretFile::open("/dev/full").unwrap().write("x").is_err());
    }
}
