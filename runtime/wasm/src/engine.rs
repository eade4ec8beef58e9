//! The compiler behind all runtimes of a process, the clock's tick and the cache of compiled code.

use crate::backtrace::MARKS_MAX;
use crate::fault::execution_error;
use crate::instance::Clock;
use crate::linear::{Creator, RESERVATION};
use crate::rewrite::{Image, Program, rewrite};
use codec::{Pack, Reader, Unpack};
use primitives::{Checksum256, Fault, Sha256};
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use wasmtime::{Config, Module, OptLevel};

use crate::parse::ParseError;
use crate::tier::{Efforts, Tiers};

/// Changes whenever artefacts of older builds must not be used: the rewriting, the compiler, their settings.
const ARTEFACT_VERSION: u32 = 6;
/// Native stack that a contract may use: `max_call_depth` calls of functions with 8 KiB of locals and more.
pub(crate) const WASM_STACK_BYTES: usize = 16 << 20;
/// Stack of a thread on which contracts run at full speed.
pub const THREAD_STACK_BYTES: usize = WASM_STACK_BYTES + (8 << 20);
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
    optimised: wasmtime::Engine,
    /// The clock of interpreted code.
    clock: Clock,
    tiers: Tiers,
    backtraces: bool,
}

/// Moves an engine's clocks on: each tick lets running contracts ask their host for the time.
pub struct Ticker {
    optimised: wasmtime::Engine,
    clock: Clock,
}

impl Ticker {
    /// One tick. Call it every few milliseconds from a thread of the shell.
    pub fn tick(&self) {
        self.optimised.increment_epoch();
        self.clock.fetch_add(1, Ordering::Relaxed);
    }
}

fn config(backtraces: bool) -> Config {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_multi_memory(true)
        .epoch_interruption(true)
        .async_stack_size(WASM_STACK_BYTES)
        .max_wasm_stack(WASM_STACK_BYTES)
        .wasm_backtrace_max_frames(if backtraces { NonZeroUsize::new(MARKS_MAX) } else { None })
        .native_unwind_info(cfg!(windows))
        .memory_reservation(RESERVATION as u64)
        .memory_reservation_for_growth(0)
        .memory_may_move(false)
        .with_host_memory(Creator::shared());
    config
}

impl Engine {
    /// A new engine, whose runtimes begin each contract in the first tier and optimise what is used much.
    pub fn new() -> Self {
        Self::with_tiers(Tiers::ByUse)
    }

    /// A new engine of which only some tiers run.
    pub fn with_tiers(tiers: Tiers) -> Self {
        let optimised = wasmtime::Engine::new(&config(false)).expect("the configuration is constant");
        Self { optimised, clock: Clock::default(), tiers, backtraces: false }
    }

    /// The same engine, but compiled code that stops tells where it was, which takes time for each call that had not
    /// ended ([`crate::Runtime::take_backtrace`]).
    #[must_use]
    pub fn with_backtraces(self) -> Self {
        let optimised = wasmtime::Engine::new(&config(true)).expect("the configuration is constant");
        Self { optimised, backtraces: true, ..self }
    }

    /// Whether compiled code tells where it was.
    pub fn has_backtraces(&self) -> bool {
        self.backtraces
    }

    /// Its ticker.
    pub fn ticker(&self) -> Ticker {
        Ticker { optimised: self.optimised.clone(), clock: self.clock.clone() }
    }

    pub(crate) fn tiers(&self) -> Tiers {
        self.tiers
    }

    pub(crate) fn optimised(&self) -> &wasmtime::Engine {
        &self.optimised
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Optimises valid contract code; nothing for code that would take too long
    /// ([`Efforts::is_bearable`]).
    ///
    /// # Errors
    /// The fault that every run of the code ends with, where it cannot be run at all.
    pub fn optimise(&self, code: &[u8]) -> Result<Option<Artefact>, Fault> {
        if !Efforts::of(code).map_err(not_runnable)?.is_bearable() {
            return Ok(None);
        }
        let Program { module, image } = rewrite(code).map_err(not_runnable)?;
        let compiled = guarded(|| self.optimised.precompile_module(&module));
        Ok(compiled.map(|compiled| Artefact { image, compiled }))
    }

    /// Loads optimised code; none where this engine cannot use it.
    pub(crate) fn load(&self, artefact: &Artefact) -> Option<Module> {
        // SAFETY: the bytes come from `optimise`, directly or through an envelope whose hash was right.
        unsafe { Module::deserialize(&self.optimised, &artefact.compiled) }.ok()
    }
}

/// What a compiler makes; nothing where it refuses, or fails in a way of its own.
fn guarded<T>(compile: impl FnOnce() -> wasmtime::Result<T>) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(compile)).ok()?.ok()
}

pub(crate) fn not_runnable(_: ParseError) -> Fault {
    execution_error(NOT_RUNNABLE)
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
