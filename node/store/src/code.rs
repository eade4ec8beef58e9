//! Compiled contracts on disk, one file each, so that a restart compiles nothing twice. A file that does not read
//! as what was written is as good as none: the code is compiled again. When the files together take too much, those
//! that were used longest ago go.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::StoreError;

/// Bytes that the files of a folder may take.
pub const FOLDER_BYTES_MAX: u64 = 512 << 20;

/// A folder of compiled contracts by key.
#[derive(Debug)]
pub struct CodeFolder {
    path: PathBuf,
    bytes_max: u64,
}

impl CodeFolder {
    /// Opens or makes the folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(path).map_err(|source| StoreError::file("make the folder", path, source))?;
        Ok(Self { path: path.to_owned(), bytes_max: FOLDER_BYTES_MAX })
    }

    /// The same folder with another limit of bytes.
    #[must_use]
    pub fn with_limit(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// The file of a key, whether or not it is there.
    pub fn file(&self, key: &str) -> PathBuf {
        self.path.join(key)
    }

    /// Reads an entry; `None` when there is none or it cannot be read.
    pub fn read(&self, key: &str) -> Option<Vec<u8>> {
        let mut file = File::open(self.file(key)).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        // It was used. A file system that refuses only makes it go sooner.
        let _ = file.set_modified(SystemTime::now());
        Some(bytes)
    }

    /// Writes an entry so that no reader ever sees half of it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let file = self.file(key);
        let draft = self.path.join(format!("{key}.{}.draft", std::process::id()));
        std::fs::write(&draft, bytes).map_err(|source| StoreError::file("write", &draft, source))?;
        std::fs::rename(&draft, &file).map_err(|source| StoreError::file("rename a file to", &file, source))?;
        self.make_room()
    }

    /// Removes the files that were used longest ago until the rest is within the limit.
    fn make_room(&self) -> Result<(), StoreError> {
        let failed = |source| StoreError::file("read the folder", &self.path, source);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Another process may have removed it.
            let Ok(data) = entry.metadata() else { continue };
            if data.is_file() {
                files.push((data.modified().unwrap_or(SystemTime::UNIX_EPOCH), data.len(), entry.path()));
            }
        }
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        files.sort_unstable();
        for (_, size, file) in files {
            if bytes <= self.bytes_max {
                break;
            }
            // What stays is tried again with the next file.
            if std::fs::remove_file(file).is_ok() {
                bytes -= size;
            }
        }
        Ok(())
    }

    /// Removes an entry, e.g. one that proved damaged.
    pub fn remove(&self, key: &str) {
        // Not being there is as good, and anything else shows at the next write.
        let _ = std::fs::remove_file(self.file(key));
    }
}
