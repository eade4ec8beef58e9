//! Which code may be set: nodeos' rules and messages.

use crate::intrinsics::Signature;
use primitives::{Fault, WasmConfig};

/// What code may import.
pub trait Imports {
    /// Signature of a known function of module `env`, and whether it is importable now.
    fn import(&self, name: &str) -> Option<(&Signature, bool)>;
}

/// Checks code as `setcode` does.
///
/// `config` is there once CONFIGURABLE_WASM_LIMITS2 is active; before that nodeos' fixed limits and its older
/// parser decide.
///
/// # Errors
/// `wasm_serialization_error` or `wasm_execution_error` as nodeos reports them.
pub fn validate(code: &[u8], config: Option<&WasmConfig>, imports: &dyn Imports) -> Result<(), Fault> {
    let _ = (code, config, imports);
    todo!()
}
