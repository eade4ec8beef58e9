//! Sections of a module as wasm-jit reads them (WASMSerialization.cpp). What indices and types mean is checked
//! afterwards, in `definitions`; functions' instructions are checked at once, in `body`.

use super::body;
use super::module::{Data, Element, Export, FuncType, Function, Global, Initial, Kind, Module, Size, Table};
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
