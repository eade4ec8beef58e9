//! Compiled contracts in a folder of the node: the runtime's cache over the store's files.

use primitives::Checksum256;
use store::CodeFolder;
use wasm::CodeCache;

/// The cache on disk.
#[derive(Debug)]
pub struct DiskCache(pub CodeFolder);

impl CodeCache for DiskCache {
    fn get(&self, key: &Checksum256) -> Option<Vec<u8>> {
        self.0.read(&key.to_string())
    }

    fn put(&self, key: &Checksum256, artefact: &[u8]) {
        if let Err(error) = self.0.write(&key.to_string(), artefact) {
            tracing::warn!("compiled code is not kept and will be compiled again: {error}");
        }
    }
}
