//! The compiler behind all runtimes of a process, its clock tick and the cache of compiled code.

use crate::fault::{execution_error, system_failure};
use crate::linear::{Creator, RESERVATION};
use crate::rewrite::{Image, Program, rewrite};
use codec::{Pack, Reader, Unpack};
use primitives::{Checksum256, Fault, Sha256};
use wasmtime::{Config, Module, OptLevel};

/// Changes whenever artefacts of older builds must not be used: the rewriting, the compiler, their settings.
const ARTEFACT_VERSION: u32 = 4;
/// Native stack that a contract may use: `max_call_depth` calls of functions with 8 KiB of locals and more.
pub(crate) const WASM_STACK_BYTES: usize = 16 << 20;
/// Stack of a thread on which contracts run at full speed.
pub const THREAD_STACK_BYTES: usize = WASM_STACK_BYTES + (8 << 20);
/// Bytes of a module beyond which compilation must be quick rather than good.
const QUICK_COMPILE_BYTES: usize = 2 << 20;
/// What nodeos says of code that was set by the older rules and breaks those for running.
const NOT_RUNNABLE: &str = "Error building eos-vm interp: wasm parse exception";

/// A home for compiled code. Implementations keep bytes as they are; their integrity is checked when they come back.
pub trait CodeCache: Send + Sync {
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

/// Compiled code with all that a run needs besides; made on any thread by [`Engine::compile`].
pub struct Artefact {
    pub(crate) image: Image,
    compiled: Vec<u8>,
}

impl Artefact {
    /// Where the artefact of a contract is kept in a [`CodeCache`].
    pub fn key(code_hash: &Checksum256) -> Checksum256 {
        Sha256::packed(&(ARTEFACT_VERSION, *code_hash))
    }

    /// For the cache: the artefact behind its own hash.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = self.image.to_bytes();
        body.extend_from_slice(&self.compiled);
        let mut bytes = envelope_hash(&body).0.to_vec();
        bytes.append(&mut body);
        bytes
    }

    /// From the cache, if every byte is as it was.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (hash, body) = bytes.split_first_chunk::<32>()?;
        if envelope_hash(body).0 != *hash {
            return None;
        }
        let mut reader = Reader::new(body);
        let image = Image::unpack(&mut reader).ok()?;
        let compiled = body[body.len() - reader.remaining()..].to_vec();
        Some(Self { image, compiled })
    }
}

fn envelope_hash(body: &[u8]) -> Checksum256 {
    Sha256::packed(&(ARTEFACT_VERSION, Sha256::of(body)))
}

/// The compiler. Cheap to clone, usable from every thread.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    /// Compiles huge modules in bounded time.
    quick: wasmtime::Engine,
}

/// Moves an engine's epoch on: each tick lets running contracts ask their host for the time.
pub struct Ticker(wasmtime::Engine);

impl Ticker {
    /// One tick. Call it every few milliseconds from a thread of the shell.
    pub fn tick(&self) {
        self.0.increment_epoch();
    }
}

fn config(level: OptLevel) -> Config {
    let mut config = Config::new();
    config
        .cranelift_opt_level(level)
        .wasm_multi_memory(true)
        .epoch_interruption(true)
        .async_stack_size(WASM_STACK_BYTES)
        .max_wasm_stack(WASM_STACK_BYTES)
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(cfg!(windows))
        .memory_reservation(RESERVATION as u64)
        .memory_reservation_for_growth(0)
        .memory_may_move(false)
        .with_host_memory(Creator::shared());
    config
}

impl Engine {
    /// A new engine.
    pub fn new() -> Self {
        let engine = |level| wasmtime::Engine::new(&config(level)).expect("the configuration is constant");
        Self { inner: engine(OptLevel::Speed), quick: engine(OptLevel::None) }
    }

    /// Its ticker.
    pub fn ticker(&self) -> Ticker {
        Ticker(self.inner.clone())
    }

    pub(crate) fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// Compiles valid contract code.
    ///
    /// # Errors
    /// The fault that every run of the code ends with, where it cannot be run at all.
    pub fn compile(&self, code: &[u8]) -> Result<Artefact, Fault> {
        let Program { module, image } = rewrite(code).map_err(|_| execution_error(NOT_RUNNABLE))?;
        let engine = if module.len() > QUICK_COMPILE_BYTES { &self.quick } else { &self.inner };
        let compiled = engine.precompile_module(&module).map_err(|_| system_failure())?;
        Ok(Artefact { image, compiled })
    }

    /// Loads compiled code; none where this engine cannot use it.
    pub(crate) fn load(&self, artefact: &Artefact) -> Option<Module> {
        // SAFETY: the bytes come from `compile`, directly or through an envelope whose hash was right.
        unsafe { Module::deserialize(&self.inner, &artefact.compiled) }.ok()
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
