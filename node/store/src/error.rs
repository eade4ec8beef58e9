//! What can go wrong with the disk. Every error says what was being done and where.

use std::path::{Path, PathBuf};

/// A failure of the disk or of what is on it: fatal for the node.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused an operation.
    #[error("cannot {action} in the database {}: {source}", path.display())]
    Database {
        /// What was tried.
        action: &'static str,
        /// The database's folder.
        path: PathBuf,
        /// RocksDB's reason.
        source: rocksdb::Error,
    },
    /// A file or folder refused an operation.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Something stored does not read as what it should be.
    #[error("the database {} is damaged: {what}. Move the folder away, or start with --hard-replay-blockchain", path.display())]
    Corrupt {
        /// The database's folder.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
}

impl StoreError {
    /// Wraps a file error with its path.
    pub fn file(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }
}
