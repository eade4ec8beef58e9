//! The older validator of nodeos (wasm-jit), which judges code before CONFIGURABLE_WASM_LIMITS2: it reads the module by
//! rules and with messages of its own, then checks the fixed limits (wasm_eosio_validation.cpp).

mod body;
mod definitions;
mod module;
mod sections;
mod stream;

use crate::fault::{execution_error, not_serializable};
use module::{Initial, Kind, Module};
use primitives::Fault;

/// nodeos' fixed limits (wasm_eosio_constraints.hpp).
const MAX_PAGES: u64 = 33 * 1024 * 1024 / 65_536;
const MAX_TABLE_ELEMENTS: u64 = 1024;
const MAX_MUTABLE_GLOBAL_BYTES: u64 = 1024;
const MAX_LINEAR_MEMORY_INIT: u64 = 64 * 1024;
const MAX_FUNC_LOCAL_BYTES: u64 = 8192;

/// Checks code. Only in a block that is being built (`building`) is the nesting of blocks limited.
pub(crate) fn validate(code: &[u8], building: bool) -> Result<(), Fault> {
    let module = Module::read(code, building)
        .and_then(|module| definitions::check(&module).map(|()| module))
        .map_err(|refused| not_serializable(refused.0))?;
    check_limits(&module)?;
    module.operator_fault.map_or(Ok(()), |message| Err(execution_error(message)))
}

fn check_limits(module: &Module<'_>) -> Result<(), Fault> {
    if module.memories.defined.first().is_some_and(|size| size.min > MAX_PAGES) {
        let message = "Smart contract initial memory size must be less than or equal to 33792KiB";
        return Err(execution_error(message));
    }
    for data in &module.data {
        let Initial::Constant(Kind::I32, offset) = data.offset else {
            return Err(execution_error("Smart contract has unexpected memory base offset type"));
        };
        if u64::from(offset as u32) + data.length > MAX_LINEAR_MEMORY_INIT {
            return Err(execution_error("Smart contract data segments must lie in first 64KiB"));
        }
    }
    if module.tables.defined.first().is_some_and(|table| table.size.min > MAX_TABLE_ELEMENTS) {
        return Err(execution_error("Smart contract table limited to 1024 elements"));
    }
    let mutable = module.globals.defined.iter().map(|(global, _)| global).filter(|global| global.mutable);
    if mutable.map(|global| global.kind.bytes()).sum::<u64>() > MAX_MUTABLE_GLOBAL_BYTES {
        return Err(execution_error("Smart contract has more than 1024 bytes of mutable globals"));
    }
    for function in &module.functions.defined {
        let params = module.types[function.func_type as usize].params.iter().map(|kind| (1, *kind));
        let all = function.locals.iter().copied().chain(params);
        if all.map(|(count, kind)| u64::from(count) * kind.bytes()).sum::<u64>() > MAX_FUNC_LOCAL_BYTES {
            return Err(execution_error("Smart contract function has more than 8192 bytes of stack usage"));
        }
    }
    if !module.exports.iter().any(|export| export.name == "apply" && module.is_apply(export)) {
        let message = "Smart contract's apply function not exported; non-existent; or wrong type";
        return Err(execution_error(message));
    }
    Ok(())
}
