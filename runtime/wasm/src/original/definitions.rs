//! What the parts of a module say of each other (wasm-jit's Validate.cpp, `validateDefinitions`).

use std::collections::BTreeSet;

use super::module::{Export, Global, Initial, Kind, Module, Size, Table};
use super::stream::{Checked, Refused, refuse_if};
use crate::args::ValueType;

/// Elements that the limits of a table may name.
const TABLE_ELEMENTS_MAX: u64 = u32::MAX as u64;
/// Pages of 64 KiB that the limits of a memory may name.
const PAGES_MAX: u64 = 65_536;
const FUNCTIONS_OF_TABLES: u8 = 0x70;

pub(super) fn check(module: &Module<'_>) -> Checked {
    for func_type in &module.types {
        func_type.params.iter().try_for_each(|param| value_type(*param))?;
        result_type(func_type.result)?;
    }
    module.tables.imported.iter().try_for_each(table)?;
    module.memories.imported.iter().try_for_each(|memory| size(memory, PAGES_MAX))?;
    for global in &module.globals.imported {
        value_type(global.kind)?;
        refuse_if(global.mutable, "mutable globals cannot be imported: globalImport.type.isMutable")?;
    }
    for function in &module.functions.defined {
        // A group of no locals may be of any type.
        let used = function.locals.iter().filter(|(count, _)| *count != 0);
        used.map(|(_, kind)| *kind).try_for_each(value_type)?;
    }
    for (global, value) in &module.globals.defined {
        value_type(global.kind)?;
        initial(module, value, global.kind, "global initializer expression")?;
    }
    module.tables.defined.iter().try_for_each(table)?;
    refuse_if(module.tables.len() > 1, "too many tables: module.tables.size()>1")?;
    module.memories.defined.iter().try_for_each(|memory| size(memory, PAGES_MAX))?;
    refuse_if(module.memories.len() > 1, "too many memories: module.memories.size()>1")?;
    exports(module)?;
    start(module)?;
    segments(module)
}

fn value_type(kind: Kind) -> Checked {
    if (1..=4).contains(&kind.0) { Ok(()) } else { Err(Refused(format!("invalid value type ({})", kind.0))) }
}

/// A result is of a known type, or there is none.
pub(super) fn result_type(kind: Kind) -> Checked {
    if kind.0 <= 4 { Ok(()) } else { Err(Refused(format!("invalid return type ({})", kind.0))) }
}

fn size(size: &Size, limit: u64) -> Checked {
    let max = size.max.unwrap_or(limit);
    refuse_if(size.min > max, "disjoint size bounds: size.min>max")?;
    refuse_if(max > limit, "maximum size exceeds limit: max>maxMax")
}

fn table(table: &Table) -> Checked {
    if table.element != FUNCTIONS_OF_TABLES {
        return Err(Refused(format!("invalid table element type ({})", table.element)));
    }
    size(&table.size, TABLE_ELEMENTS_MAX)
}

/// A global that is there.
pub(super) fn global(module: &Module<'_>, index: u32) -> Checked<Global> {
    module.global(index).ok_or_else(|| "invalid index: globalIndex>=module.globals.size()".into())
}

fn immutable_global(module: &Module<'_>, index: u32) -> Checked<Global> {
    let global = global(module, index)?;
    let message = "global variable initializer expression may only access immutable globals";
    refuse_if(global.mutable, message)?;
    Ok(global)
}

fn initial(module: &Module<'_>, value: &Initial, expected: Kind, place: &str) -> Checked {
    let kind = match *value {
        Initial::Constant(kind, _) => kind,
        Initial::Global(index) => {
            global(module, index)?;
            let defined = index as usize >= module.globals.imported.len();
            refuse_if(defined, "global variable initializer expression may only access imported globals")?;
            immutable_global(module, index)?.kind
        }
    };
    if kind == expected { Ok(()) } else { Err(Refused(format!("type mismatch: expected in {place}"))) }
}

fn exports(module: &Module<'_>) -> Checked {
    let mut names = BTreeSet::new();
    for Export { name, sort, index } in &module.exports {
        let beyond = |count: usize| *index as usize >= count;
        match sort {
            0 => {
                let message = "invalid index: exportIt.index>=module.functions.size()";
                refuse_if(beyond(module.functions.len()), message)?;
            }
            1 => refuse_if(beyond(module.tables.len()), "invalid index: exportIt.index>=module.tables.size()")?,
            2 => refuse_if(beyond(module.memories.len()), "invalid index: exportIt.index>=module.memories.size()")?,
            3 => drop(immutable_global(module, *index)?),
            _ => return Err("unknown export kind".into()),
        }
        refuse_if(!names.insert(name), "duplicate export: exportNameMap.count(exportIt.name)")?;
    }
    Ok(())
}

fn start(module: &Module<'_>) -> Checked {
    let Some(start) = module.start else { return Ok(()) };
    let func_type =
        module.function_type(start).ok_or("invalid index: module.startFunctionIndex>=module.functions.size()")?;
    let func_type = &module.types[func_type as usize];
    let message = "start function must not have any parameters or results: startFunctionType != FunctionType::get()";
    refuse_if(!func_type.params.is_empty() || func_type.result != Kind::NONE, message)
}

fn segments(module: &Module<'_>) -> Checked {
    let offset_type = Kind::from(ValueType::I32);
    for data in &module.data {
        let beyond = data.memory as usize >= module.memories.len();
        refuse_if(beyond, "invalid index: dataSegment.memoryIndex>=module.memories.size()")?;
        initial(module, &data.offset, offset_type, "data segment base initializer")?;
    }
    for element in &module.elements {
        let beyond = element.table as usize >= module.tables.len();
        refuse_if(beyond, "invalid index: tableSegment.tableIndex>=module.tables.size()")?;
        initial(module, &element.offset, offset_type, "table segment base initializer")?;
        let beyond = element.functions.iter().any(|index| *index as usize >= module.functions.len());
        refuse_if(beyond, "invalid index: functionIndex>=module.functions.size()")?;
    }
    Ok(())
}
