//! The compiler behind all runtimes of a process, its clock tick and the cache of compiled code.

use primitives::{Checksum256, Fault};

/// A home for compiled code. Implementations keep bytes as they are; their integrity is checked when they come back.
pub trait CodeCache: Send {
    /// What was put under this key, if it is still there.
    fn get(&self, key: &Checksum256) -> Option<Vec<u8>>;
    /// Keeps `artefact` under `key`. Losing it costs only time.
    fn put(&self, key: &Checksum256, artefact: &[u8]);
}

/// A cache that forgets everything.
pub struct NoCache;

impl CodeCache for NoCache {
    fn get(&self, _: &Checksum256) -> Option<Vec<u8>> {
        None
    }
    fn put(&self, _: &Checksum256, _: &[u8]) {}
}

/// Compiled code, ready to be cached or loaded; made on any thread by [`Engine::compile`].
pub struct Artefact(pub(crate) Vec<u8>);

/// The compiler. Cheap to clone, usable from every thread.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
}

/// Moves an engine's epoch on: each tick lets running contracts ask their host for the time.
pub struct Ticker(wasmtime::Engine);

impl Ticker {
    /// One tick. Call it every few milliseconds from a thread of the shell.
    pub fn tick(&self) {
        self.0.increment_epoch();
    }
}

impl Engine {
    /// A new engine.
    pub fn new() -> Self {
        Self { inner: wasmtime::Engine::default() }
    }

    /// Its ticker.
    pub fn ticker(&self) -> Ticker {
        Ticker(self.inner.clone())
    }

    /// Compiles valid contract code. `code_hash` is the key of the artefact in a [`CodeCache`].
    ///
    /// # Errors
    /// A fault where the code cannot be run on any node.
    pub fn compile(&self, code: &[u8]) -> Result<Artefact, Fault> {
        let _ = code;
        todo!()
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
