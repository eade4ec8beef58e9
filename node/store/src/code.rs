//! Compiled contracts on disk, one file each, so that a restart compiles nothing twice. A file that does not read
//! as what was written is as good as none: the code is compiled again.

use std::path::{Path, PathBuf};

use crate::StoreError;

/// A folder of compiled contracts by key.
#[derive(Debug)]
pub struct CodeFolder {
    path: PathBuf,
}

impl CodeFolder {
    /// Opens or makes the folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(path).map_err(|source| StoreError::file("make the folder", path, source))?;
        Ok(Self { path: path.to_owned() })
    }

    /// The file of a key, whether or not it is there.
    pub fn file(&self, key: &str) -> PathBuf {
        self.path.join(key)
    }

    /// Reads an entry; `None` when there is none or it cannot be read.
    pub fn read(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.file(key)).ok()
    }

    /// Writes an entry so that no reader ever sees half of it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let file = self.file(key);
        let draft = self.path.join(format!("{key}.{}.draft", std::process::id()));
        std::fs::write(&draft, bytes).map_err(|source| StoreError::file("write", &draft, source))?;
        std::fs::rename(&draft, &file).map_err(|source| StoreError::file("rename a file to", &file, source))
    }

    /// Removes an entry, e.g. one that proved damaged.
    pub fn remove(&self, key: &str) {
        // Not being there is as good, and anything else shows at the next write.
        let _ = std::fs::remove_file(self.file(key));
    }
}
