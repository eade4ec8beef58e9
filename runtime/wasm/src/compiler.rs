//! Code that is ready to run: from the cache, or compiled. Any thread can do it, while contracts run elsewhere.

use std::sync::Arc;

use primitives::{Checksum256, Fault};

use crate::engine::{Artefact, CodeCache, Engine};
use crate::fault::system_failure;
use crate::rewrite::Image;

/// Makes code ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Compiler {
    pub(crate) engine: Engine,
    cache: Arc<dyn CodeCache>,
}

/// Code that is ready to run, or the fault that each of its runs ends with.
pub struct Loaded(pub(crate) Result<(Image, wasmtime::Module), Fault>);

impl std::fmt::Debug for Loaded {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Loaded").field(&self.0.as_ref().map(drop)).finish()
    }
}

impl Compiler {
    /// Compiles for `engine` what `cache` lacks.
    pub fn new(engine: Engine, cache: Arc<dyn CodeCache>) -> Self {
        Self { engine, cache }
    }

    /// Finds code in the cache, or compiles it and keeps it there. `code` are the original bytes.
    pub fn load(&self, code_hash: &Checksum256, code: &[u8]) -> Loaded {
        Loaded(self.cached(code_hash).map_or_else(|| self.compiled(code_hash, code), Ok))
    }

    fn cached(&self, code_hash: &Checksum256) -> Option<(Image, wasmtime::Module)> {
        let artefact = Artefact::from_bytes(&self.cache.get(&Artefact::key(code_hash))?)?;
        let module = self.engine.load(&artefact)?;
        Some((artefact.image, module))
    }

    fn compiled(&self, code_hash: &Checksum256, code: &[u8]) -> Result<(Image, wasmtime::Module), Fault> {
        let artefact = self.engine.compile(code)?;
        self.cache.put(&Artefact::key(code_hash), &artefact.to_bytes());
        let module = self.engine.load(&artefact).ok_or_else(system_failure)?;
        Ok((artefact.image, module))
    }
}
