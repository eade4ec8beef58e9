//! The WASM runtime: validates, rewrites, compiles, caches and runs contracts. Knows no chain: what a contract
//! may call and see is given by a table of host functions ([`Intrinsics`]) over a [`Host`].

pub mod args;
pub mod backtrace;
pub mod compiler;
pub mod engine;
pub mod fault;
pub mod host;
mod instance;
mod interpreter;
pub mod intrinsics;
mod linear;
pub mod memory;
mod original;
mod parse;
mod rewrite;
pub mod runtime;
mod stack;
pub mod tier;
pub mod validate;

pub use args::{
    Argument, CompareArgs, CopyArgs, F32, F64, F128, FillArgs, LegacyPtr, LegacySpan, Plain, Returned, Span, Text,
    ValueType,
};
pub use backtrace::{Backtrace, Frame};
pub use compiler::{Compiler, Loaded};
pub use engine::{Artefact, CodeCache, Engine, NoCache, THREAD_STACK_BYTES, Ticker};
pub use host::Host;
pub use instance::{Apply, RunLimits};
pub use intrinsics::{HostFunction, Intrinsic, Intrinsics, Kind, Signature};
pub use memory::Memory;
pub use runtime::{Bounds, MissingCode, Runtime, Unready};
pub use stack::with_enough as with_enough_stack;
pub use tier::{Tier, Tiers};
pub use validate::{Imports, Limits, Whitelisted, validate};
