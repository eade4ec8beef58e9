//! What stops the node. Faults of transactions and blocks are values and do not appear here.

/// A failure after which the writer cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The disk.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The chain's own state.
    #[error(transparent)]
    Chain(#[from] chain::ChainError),
    /// The file of the snapshot schedule.
    #[error("the snapshot schedule {} is damaged: mend it, or remove it to begin with an empty one", path.display())]
    SnapshotSchedule {
        /// The file.
        path: std::path::PathBuf,
    },
    /// A block log is not this chain's.
    #[error("{} {why}. Move it and its index away, or choose another --blocks-dir", path.display())]
    BlockLog {
        /// The log.
        path: std::path::PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system refused a thread.
    #[error("cannot start the {name} thread: {source}")]
    Thread {
        /// Which thread.
        name: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
}
