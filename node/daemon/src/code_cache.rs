//! Compiled contracts in a folder of the node: the runtime's cache over the store's files.

use std::path::{Path, PathBuf};

use genesis::{Contract, contracts};
use primitives::{Checksum256, Sha256};
use store::{CodeFolder, StoreError};
use wasm::{Artefact, CodeCache};

/// Contracts that every chain of this user may have: compiled once, they are there for the next chain too.
const EMBEDDED: [Contract; 5] =
    [contracts::BIOS, contracts::SYSTEM, contracts::TOKEN, contracts::MSIG, contracts::WRAP];

/// The cache on disk.
#[derive(Debug)]
pub struct DiskCache {
    own: CodeFolder,
    /// The embedded contracts' folder, with their keys.
    shared: Option<(CodeFolder, [Checksum256; EMBEDDED.len()])>,
}

impl DiskCache {
    /// The cache of a node. Without a home the node's own folder holds everything.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(own: &Path) -> Result<Self, StoreError> {
        let shared = user_cache().and_then(|folder| CodeFolder::open(&folder.join("boreas/code")).ok());
        let keys = || EMBEDDED.map(|contract| Artefact::key(&Sha256::of(contract.wasm)));
        Ok(Self { own: CodeFolder::open(own)?, shared: shared.map(|folder| (folder, keys())) })
    }

    fn folder(&self, key: &Checksum256) -> &CodeFolder {
        match &self.shared {
            Some((folder, keys)) if keys.contains(key) => folder,
            _ => &self.own,
        }
    }
}

/// The folder of the user's caches.
fn user_cache() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
}

impl CodeCache for DiskCache {
    fn get(&self, key: &Checksum256) -> Option<Vec<u8>> {
        self.folder(key).read(&key.to_string())
    }

    fn put(&self, key: &Checksum256, artefact: &[u8]) {
        if let Err(error) = self.folder(key).write(&key.to_string(), artefact) {
            tracing::warn!("compiled code is not kept and will be compiled again: {error}");
        }
    }
}
