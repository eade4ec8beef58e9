//! A module that was read.

use super::reader::Reader;
use crate::args::ValueType;

/// Parameters and result of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuncType {
    /// Parameters.
    pub params: Vec<ValueType>,
    /// Result.
    pub result: Option<ValueType>,
}

/// An imported function.
#[derive(Debug, Clone)]
pub struct Import<'a> {
    /// Module.
    pub module: &'a str,
    /// Name in it.
    pub name: &'a str,
    /// Index of its type.
    pub func_type: u32,
}

/// Smallest and greatest size of a table or memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At the beginning.
    pub initial: u32,
    /// At most.
    pub maximum: Option<u32>,
}

/// A global variable.
#[derive(Debug, Clone, Copy)]
pub struct Global {
    /// Its type.
    pub value_type: ValueType,
    /// Whether it can be set.
    pub mutable: bool,
    /// Bits of its initial value.
    pub initial: u64,
}

/// What an export names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// A function.
    Function,
    /// The table.
    Table,
    /// The memory.
    Memory,
    /// A global.
    Global,
}

/// An export.
#[derive(Debug, Clone)]
pub struct Export<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it names.
    pub kind: ExportKind,
    /// Which of them.
    pub index: u32,
}

/// Functions that go into the table.
#[derive(Debug, Clone)]
pub struct Element {
    /// First place in the table.
    pub offset: u32,
    /// Indices of functions.
    pub functions: Vec<u32>,
}

/// A function's locals and instructions.
#[derive(Debug, Clone)]
pub struct Function<'a> {
    /// Index of its type.
    pub func_type: u32,
    /// Groups of equal locals after the parameters.
    pub locals: Vec<(u32, ValueType)>,
    /// Where its instructions begin, counted from the beginning of the code section's content.
    pub begin: usize,
    pub(super) code: Reader<'a>,
    pub(super) local_bytes: u32,
}

/// Initial bytes of memory.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// First address.
    pub offset: u32,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A module that was read; its functions were checked as well.
#[derive(Debug, Clone, Default)]
pub struct Module<'a> {
    /// Function types.
    pub types: Vec<FuncType>,
    /// Imported functions, the first function indices.
    pub imports: Vec<Import<'a>>,
    /// Types of the module's functions.
    pub function_types: Vec<u32>,
    /// The table.
    pub table: Option<Limits>,
    /// The memory.
    pub memory: Option<Limits>,
    /// Globals.
    pub globals: Vec<Global>,
    /// Exports.
    pub exports: Vec<Export<'a>>,
    /// Runs before `apply`.
    pub start: Option<u32>,
    /// Contents of the table.
    pub elements: Vec<Element>,
    /// The functions.
    pub functions: Vec<Function<'a>>,
    /// Contents of the memory.
    pub data: Vec<Data<'a>>,
    /// An element lies outside of the table: the module is valid but cannot run.
    pub element_out_of_range: bool,
}

impl Module<'_> {
    /// Type of any function, imported or not.
    pub fn function_type(&self, index: u32) -> Option<&FuncType> {
        let index = index as usize;
        let func_type = match self.imports.get(index) {
            Some(import) => import.func_type,
            None => *self.function_types.get(index - self.imports.len())?,
        };
        self.types.get(func_type as usize)
    }

    /// Index of the exported function of this name.
    pub fn exported_function(&self, name: &str) -> Option<u32> {
        self.exports
            .iter()
            .find(|export| export.kind == ExportKind::Function && export.name == name)
            .map(|export| export.index)
    }

    pub(super) fn functions_total(&self) -> usize {
        self.imports.len() + self.function_types.len()
    }
}

/// The value type that a byte stands for.
pub(super) fn value_type(byte: u8) -> Option<ValueType> {
    match byte {
        0x7f => Some(ValueType::I32),
        0x7e => Some(ValueType::I64),
        0x7d => Some(ValueType::F32),
        0x7c => Some(ValueType::F64),
        _ => None,
    }
}
