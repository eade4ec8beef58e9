//! Which code may be set: nodeos' rules and messages (leap wasm_interface.cpp `validate`).

use crate::args::ValueType;
use crate::fault::{execution_error, not_serializable};
use crate::host::Host;
use crate::intrinsics::{Intrinsics, Signature};
use crate::parse::{FuncType, Module, Options, ParseError, Silent, parse};
use primitives::{Fault, WasmConfig};

/// nodeos' fixed limits before CONFIGURABLE_WASM_LIMITS2 (wasm_eosio_constraints.hpp).
mod original {
    pub const MAX_PAGES: u32 = 33 * 1024 * 1024 / 65_536;
    pub const MAX_TABLE_ELEMENTS: u32 = 1024;
    pub const MAX_MUTABLE_GLOBAL_BYTES: u32 = 1024;
    pub const MAX_LINEAR_MEMORY_INIT: u64 = 64 * 1024;
    pub const MAX_FUNC_LOCAL_BYTES: u64 = 8192;
    pub const MAX_MEMORY_OFFSET: u32 = 33 * 1024 * 1024;
    pub const MAX_NESTED: u32 = 1024;
}

/// What code may import.
pub trait Imports {
    /// Signature of a known function of module `env`, and whether it is importable now.
    fn import(&self, name: &str) -> Option<(&Signature, bool)>;
}

/// The table of host functions with a whitelist.
pub struct Whitelisted<'a, H: Host, F: Fn(&str) -> bool> {
    /// The table.
    pub intrinsics: &'a Intrinsics<H>,
    /// Whether a function is on the list.
    pub listed: F,
}

impl<H: Host, F: Fn(&str) -> bool> Imports for Whitelisted<'_, H, F> {
    fn import(&self, name: &str) -> Option<(&Signature, bool)> {
        self.intrinsics.get(name).map(|entry| (&entry.signature, (self.listed)(name)))
    }
}

/// Which limits hold.
#[derive(Debug, Clone, Copy)]
pub enum Limits<'a> {
    /// nodeos' fixed limits and its older parser, before CONFIGURABLE_WASM_LIMITS2.
    Fixed {
        /// Whether the block is being built here (a speculative block): only then is the nesting of blocks limited.
        building: bool,
    },
    /// The chain's own, with CONFIGURABLE_WASM_LIMITS2.
    Configured(&'a WasmConfig),
}

/// Checks code as `setcode` does.
///
/// # Errors
/// `wasm_serialization_error` or `wasm_execution_error` as nodeos reports them.
pub fn validate(code: &[u8], limits: Limits<'_>, imports: &dyn Imports) -> Result<(), Fault> {
    match limits {
        Limits::Configured(config) => configured(code, config, imports),
        Limits::Fixed { building } => fixed(code, building, imports),
    }
}

fn refused(error: ParseError) -> Fault {
    not_serializable(error.0)
}

fn configured(code: &[u8], config: &WasmConfig, imports: &dyn Imports) -> Result<(), Fault> {
    if code.len() > config.max_module_bytes as usize {
        return Err(not_serializable("Code too large"));
    }
    let module = parse(code, &Options::configured(config), &mut Silent).map_err(refused)?;
    check_imports(&module, imports)?;
    let apply = module.exported_function("apply").ok_or_else(|| not_serializable("apply not exported"))?;
    if module.function_type(apply).is_some_and(is_apply) {
        Ok(())
    } else {
        Err(not_serializable("apply has wrong type"))
    }
}

/// Two readings, as nodeos does: the first one with its constraints, the second one as a formality.
fn fixed(code: &[u8], building: bool, imports: &dyn Imports) -> Result<(), Fault> {
    let mut module = parse(code, &Options::original(), &mut Silent).map_err(refused)?;
    check_constraints(&module)?;
    let operators = Options {
        max_memory_offset: original::MAX_MEMORY_OFFSET - 1,
        eosio_max_nested_structures: if building { original::MAX_NESTED - 1 } else { u32::MAX },
        ..Options::original()
    };
    if let Err(error) = parse(code, &operators, &mut Silent) {
        return Err(execution_error(match error.0.as_str() {
            "Nested depth exceeded" => "Nested depth exceeded".to_owned(),
            _ => "Smart contract used an invalid large memory store/load offset".to_owned(),
        }));
    }
    module = parse(code, &Options::setting(), &mut Silent).map_err(refused)?;
    check_imports(&module, imports)
}

fn is_apply(func_type: &FuncType) -> bool {
    func_type.params == [ValueType::I64; 3] && func_type.result.is_none()
}

fn check_imports(module: &Module<'_>, imports: &dyn Imports) -> Result<(), Fault> {
    for import in &module.imports {
        let known = if import.module == "env" { imports.import(import.name) } else { None };
        let (signature, _) =
            known.ok_or_else(|| not_serializable(format!("no mapping for imported function {}", import.name)))?;
        let func_type = &module.types[import.func_type as usize];
        if signature.params != func_type.params || !func_type.result.iter().eq(&signature.results) {
            return Err(not_serializable(format!("wrong type for imported function {}", import.name)));
        }
    }
    for import in &module.imports {
        if !imports.import(import.name).is_some_and(|(_, listed)| listed) {
            return Err(not_serializable(format!("{}.{} unresolveable", import.module, import.name)));
        }
    }
    Ok(())
}

/// wasm_eosio_validation.cpp, in its order.
fn check_constraints(module: &Module<'_>) -> Result<(), Fault> {
    if module.memory.is_some_and(|memory| memory.initial > original::MAX_PAGES) {
        let message = "Smart contract initial memory size must be less than or equal to 33792KiB";
        return Err(execution_error(message));
    }
    let beyond = |offset: u32, len: usize| u64::from(offset) + len as u64 > original::MAX_LINEAR_MEMORY_INIT;
    if module.data.iter().any(|data| beyond(data.offset, data.bytes.len())) {
        return Err(execution_error("Smart contract data segments must lie in first 64KiB"));
    }
    if module.table.is_some_and(|table| table.initial > original::MAX_TABLE_ELEMENTS) {
        return Err(execution_error("Smart contract table limited to 1024 elements"));
    }
    let mutable = module.globals.iter().filter(|global| global.mutable);
    if mutable.map(|global| global.value_type.size()).sum::<u32>() > original::MAX_MUTABLE_GLOBAL_BYTES {
        return Err(execution_error("Smart contract has more than 1024 bytes of mutable globals"));
    }
    for function in &module.functions {
        let params = module.types[function.func_type as usize].params.iter().map(|value| (1, *value));
        let all = function.locals.iter().copied().chain(params);
        let bytes: u64 = all.map(|(count, value)| u64::from(count) * u64::from(value.size())).sum();
        if bytes > original::MAX_FUNC_LOCAL_BYTES {
            return Err(execution_error("Smart contract function has more than 8192 bytes of stack usage"));
        }
    }
    let apply = module.exported_function("apply").and_then(|index| module.function_type(index));
    if apply.is_some_and(is_apply) {
        return Ok(());
    }
    Err(execution_error("Smart contract's apply function not exported; non-existent; or wrong type"))
}
