//! The faults a contract's code can run into by itself. Those of the chain's rules live with the rules.

use primitives::{Fault, FaultKind};

/// Code that cannot be set.
#[cold]
pub fn not_serializable(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::WASM_SERIALIZATION_ERROR, message)
}

/// A contract that stops by a fault of its own.
#[cold]
pub fn execution_error(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::WASM_EXECUTION_ERROR, message)
}

/// A memory access outside of what the contract has.
#[cold]
pub fn access_violation() -> Fault {
    execution_error("access violation")
}

/// Anything else that stops a contract: a trap, the call depth, a length that overflows.
#[cold]
pub fn system_failure() -> Fault {
    execution_error("eos-vm system failure")
}
