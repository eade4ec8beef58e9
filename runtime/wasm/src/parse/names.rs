//! Names that a module gives its functions, for people: chain and contract do not know them.

use super::module::{ExportKind, Module};
use super::reader::{ParseError, Reader};
use rustc_hash::FxHashMap;

/// Characters of a name that are shown.
const NAME_CHARS_MAX: usize = 256;
/// The subsection of functions' names.
const FUNCTIONS: u8 = 1;
/// Bytes in front of a module's first section.
const PREAMBLE: usize = 8;

/// Names of functions by index: those of the name section (WebAssembly's appendix of custom sections), as they were
/// written in the source, and for others the names of exports. What cannot be read has no name.
pub fn function_names(code: &[u8], module: &Module<'_>) -> FxHashMap<u32, String> {
    let mut names = FxHashMap::default();
    for export in &module.exports {
        if export.kind == ExportKind::Function {
            names.insert(export.index, shown(export.name));
        }
    }
    // Whoever builds a module may leave anything there; what came before it counts.
    let _ = read(code, &mut names);
    names
}

fn read(code: &[u8], names: &mut FxHashMap<u32, String>) -> Result<(), ParseError> {
    let mut reader = Reader::new(code);
    reader.take(PREAMBLE)?;
    while reader.rest() != 0 {
        let id = reader.byte()?;
        let len = reader.u32()?;
        let mut section = reader.part(len as usize)?;
        if id == 0 && section.name(u32::MAX)? == "name" {
            subsections(&mut section, names)?;
        }
    }
    Ok(())
}

fn subsections(reader: &mut Reader<'_>, names: &mut FxHashMap<u32, String>) -> Result<(), ParseError> {
    while reader.rest() != 0 {
        let id = reader.byte()?;
        let len = reader.u32()?;
        let mut part = reader.part(len as usize)?;
        if id == FUNCTIONS {
            for _ in 0..part.u32()? {
                let index = part.u32()?;
                names.insert(index, shown(part.name(u32::MAX)?));
            }
        }
    }
    Ok(())
}

/// A name as its programmer knows it.
fn shown(name: &str) -> String {
    let plain = format!("{:#}", rustc_demangle::demangle(name));
    // A name is no place for line breaks or codes that a terminal obeys.
    plain.chars().filter(|character| !character.is_control()).take(NAME_CHARS_MAX).collect()
}
