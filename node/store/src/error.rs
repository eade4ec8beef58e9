//! What can go wrong with the disk. Every error says what was being done and where.

use std::path::{Path, PathBuf};

/// A failure of the disk or of what is on it: fatal for the node.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused an operation.
    #[error("cannot {action} in the database {}: {source}. {}", path.display(), advice(source.as_ref()))]
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
    /// A record of the write-ahead log is bad though it is not where a killed process stopped writing.
    #[error(
        "the log {} is damaged at byte {offset}: what was written there and behind it, accepted blocks among \
         it, would be lost. Begin with a copy of the folder; or go on with the blocks before the damage: start with \
         --replay-blockchain (with --snapshot FILE beside it if the chain began with a snapshot). A producer of this \
         node then waits until the chain has passed what it signed",
        file.display()
    )]
    LogHole {
        /// The file.
        file: PathBuf,
        /// Where the first bad record begins.
        offset: usize,
    },
    /// A log is not there at all.
    #[error(
        "the log {} is missing: block {stored} was stored here, and without the log the chain ends at block {left}. Put \
         the file back, or begin with a copy of the folder; or go on with the blocks that are left: start with \
         --replay-blockchain (with --snapshot FILE beside it if the chain began with a snapshot). A producer of this \
         node then waits until the chain has passed what it signed",
        file.display()
    )]
    LogMissing {
        /// The file.
        file: PathBuf,
        /// The number of the last block that was stored.
        stored: u32,
        /// The number of the last block without it; 0 for none.
        left: u32,
    },
    /// There are files of a database, and nothing that says which belong to it.
    #[error(
        "the database {} has lost its list of files (CURRENT and MANIFEST-...). Put them back, or begin with a copy of \
         the folder; or start with --replay-blockchain, which looks for the blocks in the files that are left (with \
         --snapshot FILE beside it if the chain began with a snapshot)",
        path.display()
    )]
    ListMissing {
        /// The database's folder.
        path: PathBuf,
    },
    /// A replay finds no blocks in what is left of a database.
    #[error(
        "no blocks can be read from what is left of the database {} ({reason}), and nothing there was changed. Begin with \
         a copy of the folder, or with --delete-all-blocks: with a --snapshot FILE, or a --genesis-json FILE and peers \
         that have the blocks (--p2p-peer-address). A producer must not sign again what it signed before: let it start \
         once the chain of its peers has passed that",
        path.display()
    )]
    Unreadable {
        /// The database's folder.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Something stored does not read as what it should be.
    #[error("the database {} is damaged: {what}. Start with --replay-blockchain, or move the folder away", path.display())]
    Corrupt {
        /// The database's folder.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
}

impl StoreError {
    /// Whether something on the disk is damaged, rather than missing or refused.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Database { source, .. } => source.as_ref().contains("Corruption"),
            Self::File { .. } => false,
            Self::Corrupt { .. } | Self::LogHole { .. } | Self::LogMissing { .. } | Self::ListMissing { .. } => true,
            Self::Unreadable { .. } => false,
        }
    }

    /// Wraps a file error with its path.
    pub fn file(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }
}

/// What to do about a reason of RocksDB.
fn advice(reason: &str) -> &'static str {
    const KNOWN: [(&[&str], &str); 4] = [
        (
            &["No space left", "File too large", "Disk quota exceeded"],
            "Make room there and start again: no accepted block is lost",
        ),
        (
            &["lock file", "lock hold", "LOCK:"],
            "Another boreasd may be running on this folder; stop it, or choose another --data-dir",
        ),
        (&["Permission denied", "Read-only file system"], "The user that runs the node must be able to write there"),
        (
            &["Corruption"],
            "A file is damaged. Start with --replay-blockchain to build the state from the blocks anew (with --snapshot FILE \
             beside it if the chain began with a snapshot); if the blocks are damaged too, begin with a copy of the folder",
        ),
    ];
    let fits = |(signs, _): &&(&[&str], &str)| signs.iter().any(|sign| reason.contains(sign));
    KNOWN.iter().find(fits).map_or("See to the disk and start again", |(_, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn every_reason_has_advice() {
        let full = "IO error: No space left on device: While appending to file: db/000010.log: No space left on device";
        assert!(advice(full).starts_with("Make room"));
        let locked = "IO error: While lock file: db/LOCK: Resource temporarily unavailable";
        assert!(advice(locked).starts_with("Another boreasd"));
        assert!(advice("Corruption: block checksum mismatch in db/000009.sst").starts_with("A file is damaged"));
        assert!(advice("Busy: something new").starts_with("See to the disk"));
    }
}
