//! A module as wasm-jit sees it (IR/Module.h).

use crate::args::ValueType;

/// A value type as a number: 0 is none or any, 1 to 4 are the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(pub u8);

impl Kind {
    pub const NONE: Self = Self(0);
    pub const I32: Self = Self(1);
    pub const I64: Self = Self(2);
    /// The byte 0x40.
    pub const EMPTY_BLOCK: Self = Self(64);

    /// Bytes of a value of a known type.
    pub fn bytes(self) -> u64 {
        if self.0 % 2 == 1 { 4 } else { 8 }
    }
}

impl From<ValueType> for Kind {
    fn from(value: ValueType) -> Self {
        match value {
            ValueType::I32 => Self::I32,
            ValueType::I64 => Self::I64,
            ValueType::F32 => Self(3),
            ValueType::F64 => Self(4),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct FuncType {
    pub params: Vec<Kind>,
    pub result: Kind,
}

/// Imported and defined things of one sort, with one count.
#[derive(Debug)]
pub(super) struct Space<I, D = I> {
    pub imported: Vec<I>,
    pub defined: Vec<D>,
}

impl<I, D> Default for Space<I, D> {
    fn default() -> Self {
        Self { imported: Vec::new(), defined: Vec::new() }
    }
}

impl<I, D> Space<I, D> {
    pub fn len(&self) -> usize {
        self.imported.len() + self.defined.len()
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub min: u64,
    pub max: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub element: u8,
    pub size: Size,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Global {
    pub kind: Kind,
    pub mutable: bool,
}

/// An initial value: the type and low bits of a constant, or another global.
#[derive(Debug, Clone, Copy)]
pub(super) enum Initial {
    Constant(Kind, i32),
    Global(u32),
}

#[derive(Debug)]
pub(super) struct Function {
    pub func_type: u32,
    pub locals: Vec<(u32, Kind)>,
}

#[derive(Debug)]
pub(super) struct Export<'a> {
    pub name: &'a str,
    pub sort: u8,
    pub index: u32,
}

#[derive(Debug)]
pub(super) struct Data {
    pub memory: u32,
    pub offset: Initial,
    pub length: u64,
}

#[derive(Debug)]
pub(super) struct Element {
    pub table: u32,
    pub offset: Initial,
    pub functions: Vec<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Module<'a> {
    pub types: Vec<FuncType>,
    /// Types of the imported ones.
    pub functions: Space<u32, Function>,
    pub tables: Space<Table>,
    pub memories: Space<Size>,
    pub globals: Space<Global, (Global, Initial)>,
    pub exports: Vec<Export<'a>>,
    pub start: Option<u32>,
    pub data: Vec<Data>,
    pub elements: Vec<Element>,
    /// Blocks that are open, as the check of their number counts them over all functions; `None` where there is none.
    pub nested: Option<u32>,
    /// The first instruction beyond the fixed limits.
    pub operator_fault: Option<&'static str>,
}

impl Module<'_> {
    /// Type of any function, imported or not.
    pub fn function_type(&self, index: u32) -> Option<u32> {
        let index = index as usize;
        let defined = || self.functions.defined.get(index - self.functions.imported.len());
        self.functions.imported.get(index).copied().or_else(|| defined().map(|function| function.func_type))
    }

    /// Any global, imported or not.
    pub fn global(&self, index: u32) -> Option<Global> {
        let index = index as usize;
        let defined = || self.globals.defined.get(index - self.globals.imported.len());
        self.globals.imported.get(index).copied().or_else(|| defined().map(|(global, _)| *global))
    }

    /// Whether an export is a function of the type that `apply` has.
    pub fn is_apply(&self, export: &Export<'_>) -> bool {
        let func_type = self.function_type(export.index).map(|index| &self.types[index as usize]);
        export.sort == 0 && func_type.is_some_and(|found| found.params == [Kind::I64; 3] && found.result == Kind::NONE)
    }
}
