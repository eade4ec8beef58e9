//! Sections of a module as wasm-jit reads them (WASMSerialization.cpp). What indices and types mean is checked
//! afterwards, in `definitions`; functions' instructions are checked at once, in `body`.

use super::body;
use super::stream::{Checked, Stream, refuse_if, utf8};
use crate::args::ValueType;

const MAGIC: u32 = 0x6d73_6100;
const VERSION: u32 = 1;
/// Imported functions, and functions, stay below it.
const SECTION_ELEMENTS_END: usize = 1024;
/// Bytes of a function stay below it.
const CODE_BYTES_END: u32 = 20 * 1024 * 1024;
/// Groups of locals stay below it.
const LOCAL_SETS_END: u32 = 1024;
/// Most bytes of locals, four for each.
const LOCAL_BYTES_MAX: u64 = 8192;

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

impl<'a> Module<'a> {
    pub fn read(code: &'a [u8], building: bool) -> Checked<Self> {
        let mut module = Self { nested: building.then_some(0), ..Self::default() };
        let mut stream = Stream::new(code);
        stream.constant_u32("magic number", MAGIC)?;
        stream.constant_u32("version", VERSION)?;
        let mut last = 0;
        while stream.rest() != 0 {
            let id = stream.peek()?;
            if id != 0 {
                refuse_if(id <= last, "incorrect order for known section")?;
                last = id;
                refuse_if(id > 11, "unknown section ID")?;
            }
            stream.byte()?;
            let length = stream.u32()? as usize;
            let mut section = Stream::new(stream.take(length)?);
            module.section(id, &mut section)?;
            refuse_if(section.rest() != 0, "section contained more data than expected")?;
        }
        Ok(module)
    }

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

    fn section(&mut self, id: u8, stream: &mut Stream<'a>) -> Checked {
        match id {
            0 => {
                utf8(stream.name()?)?;
                stream.skip_all()?;
            }
            1 => self.types = stream.vector(func_type)?,
            2 => {
                let count = stream.u32()?;
                (0..count).try_for_each(|_| self.import(stream))?;
            }
            3 => self.function_types(stream)?,
            4 => self.tables.defined = stream.vector(table)?,
            5 => self.memories.defined = stream.vector(size)?,
            6 => self.globals.defined = stream.vector(|stream| Ok((global(stream)?, initial(stream)?)))?,
            7 => self.exports = stream.vector(export)?,
            8 => self.start = Some(stream.u32()?),
            9 => {
                self.elements = stream.vector(|stream| {
                    let (table, offset) = (stream.u32()?, initial(stream)?);
                    Ok(Element { table, offset, functions: stream.vector(Stream::u32)? })
                })?;
            }
            10 => self.bodies(stream)?,
            _ => {
                self.data = stream.vector(|stream| {
                    let (memory, offset) = (stream.u32()?, initial(stream)?);
                    let length = stream.vector(Stream::byte)?.len() as u64;
                    Ok(Data { memory, offset, length })
                })?;
            }
        }
        Ok(())
    }

    fn import(&mut self, stream: &mut Stream<'a>) -> Checked {
        let names = [stream.name()?, stream.name()?];
        names.into_iter().try_for_each(|name| utf8(name).map(drop))?;
        match stream.byte()? {
            0 => {
                let index = stream.u32()?;
                refuse_if(index as usize >= self.types.len(), "invalid import function type index")?;
                self.functions.imported.push(index);
                let count = self.functions.imported.len();
                refuse_if(count >= SECTION_ELEMENTS_END, "Too many function imports")?;
            }
            1 => self.tables.imported.push(table(stream)?),
            2 => self.memories.imported.push(size(stream)?),
            3 => self.globals.imported.push(global(stream)?),
            _ => return Err("invalid ObjectKind".into()),
        }
        Ok(())
    }

    fn function_types(&mut self, stream: &mut Stream<'a>) -> Checked {
        let count = stream.u32()?;
        refuse_if(count as usize >= SECTION_ELEMENTS_END, "Too many function defs")?;
        for _ in 0..count {
            let func_type = stream.u32()?;
            refuse_if(func_type as usize >= self.types.len(), "invalid function type index")?;
            self.functions.defined.push(Function { func_type, locals: Vec::new() });
        }
        Ok(())
    }

    fn bodies(&mut self, stream: &mut Stream<'a>) -> Checked {
        let count = stream.u32()? as usize;
        let message = "function and code sections have mismatched function counts";
        refuse_if(count != self.functions.defined.len(), message)?;
        for index in 0..count {
            let length = stream.u32()?;
            let mut code = Stream::new(stream.take(length as usize)?);
            self.functions.defined[index].locals = locals(&mut code, length)?;
            body::check(self, index, &mut code)?;
        }
        Ok(())
    }
}

fn func_type(stream: &mut Stream<'_>) -> Checked<FuncType> {
    stream.constant("function type tag", 0x60)?;
    let params = stream.vector(Stream::kind)?;
    let result = if stream.u1()? { stream.kind()? } else { Kind::NONE };
    Ok(FuncType { params, result })
}

fn table(stream: &mut Stream<'_>) -> Checked<Table> {
    Ok(Table { element: stream.byte()?, size: size(stream)? })
}

fn size(stream: &mut Stream<'_>) -> Checked<Size> {
    let has_max = stream.u32()? & 1 == 1;
    let min = stream.u32()?.into();
    let max = if has_max { Some(stream.u32()?.into()) } else { None };
    Ok(Size { min, max })
}

fn global(stream: &mut Stream<'_>) -> Checked<Global> {
    Ok(Global { kind: stream.kind()?, mutable: stream.u1()? })
}

fn initial(stream: &mut Stream<'_>) -> Checked<Initial> {
    let value = match stream.byte()? {
        0x41 => Initial::Constant(Kind::I32, stream.i32()?),
        0x42 => {
            stream.i64()?;
            Initial::Constant(Kind::I64, 0)
        }
        0x43 => {
            stream.take(4)?;
            Initial::Constant(ValueType::F32.into(), 0)
        }
        0x44 => {
            stream.take(8)?;
            Initial::Constant(ValueType::F64.into(), 0)
        }
        0x23 => Initial::Global(stream.u32()?),
        _ => return Err("invalid initializer expression opcode".into()),
    };
    stream.constant("expected end opcode", 0x0b)?;
    Ok(value)
}

fn export<'a>(stream: &mut Stream<'a>) -> Checked<Export<'a>> {
    let name = utf8(stream.name()?)?;
    Ok(Export { name, sort: stream.byte()?, index: stream.u32()? })
}

fn locals(stream: &mut Stream<'_>, length: u32) -> Checked<Vec<(u32, Kind)>> {
    let count = stream.u32()?;
    refuse_if(length >= CODE_BYTES_END, "Function body too large")?;
    refuse_if(count >= LOCAL_SETS_END, "too many local sets")?;
    let (mut groups, mut bytes) = (Vec::new(), 0);
    for _ in 0..count {
        let group = (stream.u32()?, stream.kind()?);
        bytes += u64::from(group.0) * 4;
        refuse_if(bytes > LOCAL_BYTES_MAX, "too many locals")?;
        groups.push(group);
    }
    Ok(groups)
}
