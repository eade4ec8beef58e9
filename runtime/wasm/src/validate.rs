//! Which code may be set: nodeos' rules and messages (leap wasm_interface.cpp `validate`).

use crate::args::ValueType;
use crate::fault::not_serializable;
use crate::host::Host;
use crate::intrinsics::{Intrinsics, Signature};
use crate::original;
use crate::parse::{FuncType, Module, Options, ParseError, Silent, parse};
use primitives::message::{Part, message, unparted};
use primitives::{Fault, WasmConfig};

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
    /// nodeos' fixed limits and its older validator, before CONFIGURABLE_WASM_LIMITS2.
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

/// Two readings, as nodeos does: the older validator with its limits, then eos-vm as a formality.
fn fixed(code: &[u8], building: bool, imports: &dyn Imports) -> Result<(), Fault> {
    original::validate(code, building)?;
    let module = parse(code, &Options::setting(), &mut Silent).map_err(refused)?;
    check_imports(&module, imports)
}

fn is_apply(func_type: &FuncType) -> bool {
    func_type.params == [ValueType::I64; 3] && func_type.result.is_none()
}

/// nodeos takes what eos-vm says, the import's name in it, for a format that ends at a zero byte.
fn refused_import(text: String) -> Fault {
    not_serializable(unparted(text.split('\0').next().unwrap_or_default().as_bytes()))
}

fn check_imports(module: &Module<'_>, imports: &dyn Imports) -> Result<(), Fault> {
    for import in &module.imports {
        let known = if import.module == "env" { imports.import(import.name) } else { None };
        let (signature, _) =
            known.ok_or_else(|| refused_import(format!("no mapping for imported function {}", import.name)))?;
        let func_type = &module.types[import.func_type as usize];
        if signature.params != func_type.params || !func_type.result.iter().eq(&signature.results) {
            return Err(refused_import(format!("wrong type for imported function {}", import.name)));
        }
    }
    for import in &module.imports {
        if !imports.import(import.name).is_some_and(|(_, listed)| listed) {
            let parts = [("module", Part::Text(import.module.as_bytes())), ("fn", Part::Text(import.name.as_bytes()))];
            return Err(not_serializable(message("${module}.${fn} unresolveable", &parts)));
        }
    }
    Ok(())
}
