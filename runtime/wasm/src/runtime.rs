//! Runs contracts: keeps warm instances per code hash and calls `apply`.

use crate::engine::{CodeCache, Engine};
use crate::host::Host;
use crate::intrinsics::Intrinsics;
use primitives::{Checksum256, Name};

/// Limits of one run that the chain can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Pages of 64 KiB that the memory can have (`max_pages`).
    pub max_pages: u32,
    /// Nested calls, `apply` included (`max_call_depth`).
    pub max_call_depth: u32,
}

impl Default for RunLimits {
    /// nodeos' limits before CONFIGURABLE_WASM_LIMITS2 (wasm_eosio_constraints.hpp).
    fn default() -> Self {
        Self { max_pages: 528, max_call_depth: 251 }
    }
}

/// What is run: the arguments of `apply`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apply {
    /// Whose code runs.
    pub receiver: Name,
    /// The account the action was sent to.
    pub account: Name,
    /// The action's name.
    pub action: Name,
}

/// Runs contracts against a host.
pub struct Runtime<H: Host> {
    engine: Engine,
    cache: Box<dyn CodeCache>,
    host: std::marker::PhantomData<fn(H)>,
}

impl<H: Host> Runtime<H> {
    /// A runtime that calls the functions of `intrinsics` and keeps compiled code in `cache`.
    pub fn new(engine: Engine, intrinsics: &Intrinsics<H>, cache: Box<dyn CodeCache>) -> Self {
        let _ = intrinsics;
        Self { engine, cache, host: std::marker::PhantomData }
    }

    /// Runs `apply` of the contract with this hash.
    ///
    /// # Errors
    /// The host's reason to stop; traps come as faults (`wasm_execution_error`).
    pub fn run(
        &mut self,
        code_hash: &Checksum256,
        apply: Apply,
        limits: RunLimits,
        host: &mut H,
    ) -> Result<(), H::Stop> {
        let _ = (code_hash, apply, limits, host, &self.engine, &self.cache);
        todo!()
    }
}
