//! The key that a node proves itself with on encrypted connections, in a file of its data folder. Peers know the node by
//! it: it is made once and kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use libp2p::identity::Keypair;
use rand::RngCore;

/// The file in the data folder.
pub const FILE: &str = "p2p-identity.key";
/// Bytes of the secret.
const SECRET_BYTES: usize = 32;
/// Bytes that the file may have.
const FILE_BYTES_MAX: u64 = 256;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error("{path}, the key that peers know this node by, cannot be {done}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        done: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// It holds something else.
    #[error(
        "{path} does not hold the key that peers know this node by, which is {} hexadecimal digits: put a copy of it \
         back, or delete the file; then the node gets another identity, and peers that name it by /p2p/ID need the new one",
        2 * SECRET_BYTES
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// A node's key.
#[derive(Debug)]
pub struct Identity {
    /// The key.
    pub keys: Keypair,
    /// Where it is to be kept, and as what, while it is not there yet.
    unsaved: Option<(PathBuf, String)>,
}

impl Identity {
    /// The key of a data folder; a new one where there is none, which [`Self::save`] keeps.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn of_folder(folder: &Path) -> Result<Self, IdentityError> {
        let path = folder.join(FILE);
        let damaged = || IdentityError::Damaged { path: path.clone() };
        match read(&path) {
            Ok(text) => {
                let mut secret = [0; SECRET_BYTES];
                hex::decode_to_slice(text.trim(), &mut secret).map_err(|_| damaged())?;
                let keys = Keypair::ed25519_from_bytes(&mut secret).map_err(|_| damaged())?;
                Ok(Self { keys, unsaved: None })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut secret = [0; SECRET_BYTES];
                rand::rng().fill_bytes(&mut secret);
                let text = hex::encode(secret) + "\n";
                let keys = Keypair::ed25519_from_bytes(&mut secret).map_err(|_| damaged())?;
                Ok(Self { keys, unsaved: Some((path, text)) })
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(damaged()),
            Err(error) => Err(IdentityError::File { path, done: "read", error }),
        }
    }

    /// Keeps a new key, readable by the node's user alone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&mut self) -> Result<(), IdentityError> {
        let Some((path, text)) = self.unsaved.take() else { return Ok(()) };
        write(&path, &text).map_err(|error| IdentityError::File { path, done: "written", error })
    }
}

fn read(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(ErrorKind::InvalidData.into());
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!("{} can be read by other users of this machine: chmod 600 it", path.display());
    }
    io::read_to_string(file)
}

/// Under another name first, so that no power failure leaves half of it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut made = Identity::of_folder(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        assert!(!path.exists());
        made.save().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut again = Identity::of_folder(folder.path()).unwrap();
        assert_eq!(again.keys.public(), made.keys.public());
        let before = fs::read(&path).unwrap();
        again.save().unwrap();
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_key_is_an_error_in_words_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for text in [String::new(), "00".repeat(31), "zz".repeat(32), "00".repeat(200), "00".repeat(33)] {
            fs::write(&path, &text).unwrap();
            let error = Identity::of_folder(folder.path()).unwrap_err().to_string();
            assert!(error.contains(FILE) && error.contains("64 hexadecimal digits"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::write(&path, [0xff; 64]).unwrap();
        assert!(matches!(Identity::of_folder(folder.path()), Err(IdentityError::Damaged { .. })));
    }
}
