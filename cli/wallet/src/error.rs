//! What can go wrong with a wallet, said so that its owner knows what to do.

use std::path::PathBuf;

/// Why a wallet does not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The file system refused.
    #[error("{path} cannot be used: {reason}", path = path.display())]
    Io {
        /// The file, or the folder.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A wallet of this name is there.
    #[error("Wallet with name {0} already exists")]
    Exists(String),
    /// No wallet of this name.
    #[error("No wallet named {0}; make one with: boreas wallet create --name {0} --to-console")]
    Missing(String),
    /// It is locked.
    #[error("Wallet {0} is locked; unlock it with: boreas wallet unlock --name {0}")]
    Locked(String),
    /// Wrong password.
    #[error("Invalid password for wallet {0}")]
    BadPassword(String),
    /// The file is not a wallet.
    #[error("{path} is not a wallet of this program: {reason}", path = path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It would become larger than what is read.
    #[error(
        "Wallet {0} is full: it holds as many keys as a wallet can; make another one with: boreas wallet create --name"
    )]
    Full(String),
    /// The folder of unlocked keys belongs to others, or others may look into it.
    #[error("{path} is not a private folder of this user: another may have made it; remove it, or name another place with \
             XDG_RUNTIME_DIR", path = .0.display())]
    ForeignFolder(PathBuf),
    /// The name cannot be a file's.
    #[error("Wallet name {0:?} is not valid: use letters, digits, dot, dash and underscore")]
    BadName(String),
    /// The key is not valid.
    #[error("Invalid private key: {0}")]
    BadKey(#[from] primitives::Fault),
    /// The key is there.
    #[error("Key already in wallet")]
    KeyExists,
    /// The key is not there.
    #[error("Key not in wallet")]
    KeyMissing,
}

impl WalletError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |reason| Self::Io { path, reason }
    }
}
