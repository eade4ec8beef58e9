//! Compiled contracts, shared by all chains of a test process: most tests deploy the same ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use primitives::Checksum256;
use wasm::CodeCache;

static COMPILED: Mutex<BTreeMap<Checksum256, Vec<u8>>> = Mutex::new(BTreeMap::new());

/// What the process has compiled so far.
pub(crate) struct Compiled;

/// A test that panicked elsewhere leaves the map whole: each change is one call.
fn compiled() -> MutexGuard<'static, BTreeMap<Checksum256, Vec<u8>>> {
    COMPILED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CodeCache for Compiled {
    fn get(&self, key: &Checksum256) -> Option<Vec<u8>> {
        compiled().get(key).cloned()
    }

    fn put(&self, key: &Checksum256, artefact: &[u8]) {
        compiled().insert(*key, artefact.to_vec());
    }
}
