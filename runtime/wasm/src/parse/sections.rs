//! Sections of a module.

use super::function::{Emit, check_body};
use super::module::{
    Data, Element, Export, ExportKind, FuncType, Function, Global, Import, Limits, Module, value_type,
};
use super::options::Options;
use super::reader::{ParseError, Reader, ensure, out_of_range};
use crate::args::ValueType;

const MAGIC: u32 = 0x6d73_6100;
const VERSION: u32 = 1;

/// Reads and checks a module. `emit` hears each reachable instruction of each function.
///
/// # Errors
/// eos-vm's message.
pub fn parse<'a>(code: &'a [u8], options: &Options, emit: &mut dyn Emit) -> Result<Module<'a>, ParseError> {
    let mut sections = Sections { options, module: Module::default(), mutable_global_bytes: 0 };
    let mut reader = Reader::new(code);
    ensure(reader.raw_u32()? == MAGIC, "magic number did not match")?;
    ensure(reader.raw_u32()? == VERSION, "version number did not match")?;
    let mut highest = 0;
    while reader.rest() != 0 {
        let id = reader.byte()?;
        let len = reader.u32()?;
        ensure(id == 0 || id > highest, "section out of order")?;
        highest = highest.max(id);
        let mut section = reader.part(len as usize)?;
        sections.section(id, &mut section, emit)?;
        ensure(section.rest() == 0, "guarded_ptr not advanced")?;
    }
    let module = sections.module;
    ensure(
        module.functions.len() == module.function_types.len(),
        "code section must have the same size as the function section",
    )?;
    Ok(module)
}

struct Sections<'a, 'o> {
    options: &'o Options,
    module: Module<'a>,
    mutable_global_bytes: u32,
}

impl<'a> Sections<'a, '_> {
    fn section(&mut self, id: u8, reader: &mut Reader<'a>, emit: &mut dyn Emit) -> Result<(), ParseError> {
        let most = self.options.max_section_elements;
        match id {
            0 => {
                reader.name(u32::MAX)?;
                reader.take(reader.rest())?;
                Ok(())
            }
            1 => self.entries(reader, most, Self::func_type),
            2 => self.entries(reader, most, Self::import),
            3 => {
                self.entries(reader, most, |this, reader| {
                    this.module.function_types.push(reader.u32()?);
                    Ok(())
                })?;
                let count = self.module.types.len();
                let known = self.module.function_types.iter().all(|index| (*index as usize) < count);
                if known { Ok(()) } else { Err(out_of_range()) }
            }
            4 => self.entries(reader, 1, Self::table),
            5 => self.entries(reader, 1, Self::memory),
            6 => self.entries(reader, most, Self::global),
            7 => {
                self.entries(reader, most, Self::export)?;
                self.check_export_names()
            }
            8 => self.start(reader),
            9 => self.entries(reader, most, Self::element),
            10 => {
                self.entries(reader, most, Self::function)?;
                ensure(
                    self.module.functions.len() == self.module.function_types.len(),
                    "code section must have the same size as the function section",
                )?;
                self.bodies(emit)
            }
            11 => self.entries(reader, most, Self::data),
            _ => Err("error invalid section id".into()),
        }
    }

    fn entries(
        &mut self,
        reader: &mut Reader<'a>,
        most: u32,
        mut entry: impl FnMut(&mut Self, &mut Reader<'a>) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        let count = reader.u32()?;
        ensure(count <= most, "number of section elements exceeded limit")?;
        (0..count).try_for_each(|_| entry(self, reader))
    }

    fn func_type(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        ensure(reader.byte()? == 0x60, "invalid function type")?;
        let count = reader.u32()?;
        let mut params = Vec::new();
        for _ in 0..count {
            params.push(value_type(reader.byte()?).ok_or("invalid function param type")?);
        }
        let results = reader.byte()?;
        ensure(results < 2, "invalid function return count")?;
        let result = match results {
            0 => None,
            _ => Some(value_type(reader.byte()?).ok_or("invalid function return type")?),
        };
        self.module.types.push(FuncType { params, result });
        Ok(())
    }

    fn import(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        let module = reader.name(self.options.max_symbol_bytes)?;
        let name = reader.name(self.options.max_symbol_bytes)?;
        let kind = reader.byte()?;
        let func_type = reader.u32()?;
        ensure(kind == 0, "only function imports are supported")?;
        ensure((func_type as usize) < self.module.types.len(), "Invalid function type")?;
        self.module.imports.push(Import { module, name, func_type });
        Ok(())
    }

    fn flags(&self, reader: &mut Reader<'a>) -> Result<bool, ParseError> {
        if self.options.allow_u32_limits_flags {
            return Ok(reader.u32()? & 1 == 1);
        }
        ensure(reader.peek()? <= 1, "invalid flags")?;
        Ok(reader.byte()? == 1)
    }

    fn table(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        ensure(reader.byte()? == 0x70, "table must have type anyfunc")?;
        let has_maximum = self.flags(reader)?;
        let initial = reader.u32()?;
        let maximum = if has_maximum { Some(reader.u32()?) } else { None };
        ensure(maximum.is_none_or(|maximum| initial <= maximum), "table max size less than min size")?;
        ensure(initial <= self.options.max_table_elements, "table size exceeds limit")?;
        self.module.table = Some(Limits { initial, maximum });
        Ok(())
    }

    fn memory(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        let has_maximum = self.flags(reader)?;
        let initial = reader.u32()?;
        ensure(initial <= self.options.max_pages, "initial memory out of range")?;
        ensure(initial <= 65_536, "initial memory out of range")?;
        let mut maximum = None;
        if has_maximum {
            let pages = reader.u32()?;
            ensure(pages >= initial, "maximum must be at least minimum")?;
            ensure(pages <= 65_536, "maximum memory out of range")?;
            maximum = Some(pages);
        }
        self.module.memory = Some(Limits { initial, maximum });
        Ok(())
    }

    fn global(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        let value_type = value_type(reader.byte()?).ok_or("invalid global content type")?;
        let mutable = reader.u1()?;
        if mutable {
            let bytes = self.mutable_global_bytes.checked_add(value_type.size());
            let bytes = bytes.filter(|bytes| *bytes <= self.options.max_mutable_global_bytes);
            self.mutable_global_bytes = bytes.ok_or("mutable globals exceeded limit")?;
        }
        let initial = initializer(reader, value_type)?;
        self.module.globals.push(Global { value_type, mutable, initial });
        Ok(())
    }

    fn export(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        let name = reader.name(self.options.max_symbol_bytes)?;
        let kind = reader.byte()?;
        let index = reader.u32()?;
        let module = &self.module;
        let (kind, count, message) = match kind {
            0 => (ExportKind::Function, module.functions_total(), "function export out of range"),
            1 => (ExportKind::Table, usize::from(module.table.is_some()), "table export out of range"),
            2 => (ExportKind::Memory, usize::from(module.memory.is_some()), "memory export out of range"),
            3 => (ExportKind::Global, module.globals.len(), "global export out of range"),
            _ => return Err("Unknown export kind".into()),
        };
        ensure((index as usize) < count, message)?;
        self.module.exports.push(Export { name, kind, index });
        Ok(())
    }

    fn check_export_names(&self) -> Result<(), ParseError> {
        let mut names: Vec<&str> = self.module.exports.iter().map(|export| export.name).collect();
        names.sort_unstable();
        ensure(names.windows(2).all(|pair| pair[0] != pair[1]), "duplicate export name")
    }

    fn start(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        let start = reader.u32()?;
        let func_type = self.module.function_type(start).ok_or_else(out_of_range)?;
        ensure(func_type.params.is_empty() && func_type.result.is_none(), "wrong type for start")?;
        self.module.start = Some(start);
        Ok(())
    }

    fn element(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        let table = self.module.table.ok_or("table not declared")?;
        ensure(reader.u32()? == 0, "only table index of 0 is supported")?;
        let offset = initializer(reader, ValueType::I32)? as u32;
        let count = reader.u32()?;
        let mut functions = Vec::new();
        for _ in 0..count {
            let index = reader.u32()?;
            ensure((index as usize) < self.module.functions_total(), "elem for undefined function")?;
            functions.push(index);
        }
        if u64::from(count) + u64::from(offset) <= u64::from(table.initial) {
            self.module.elements.push(Element { offset, functions });
        } else {
            self.module.element_out_of_range = true;
        }
        Ok(())
    }

    fn function(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        let size = reader.u32()?;
        ensure(size <= self.options.max_code_bytes, "Function body too large")?;
        let before = reader.at();
        let groups = reader.u32()?;
        let func_type = *self.module.function_types.get(self.module.functions.len()).ok_or_else(out_of_range)?;
        ensure((func_type as usize) < self.module.types.len(), "vector read out of bounds")?;
        let (mut locals, mut local_bytes) = (Vec::new(), 0_u32);
        for _ in 0..groups {
            let count = reader.u32()?;
            let byte = reader.byte()?;
            let any = self.options.allow_invalid_empty_local_set && count == 0;
            let local = if any { Some(ValueType::I32) } else { value_type(byte) }.ok_or("invalid local type")?;
            let bytes = u64::from(local.size()) * u64::from(count);
            local_bytes = local_bytes.wrapping_add(bytes as u32);
            let fits = local_bytes <= self.options.max_func_local_bytes && u64::from(local_bytes) >= bytes;
            ensure(fits || self.options.max_func_local_bytes == u32::MAX, "local variable limit exceeded")?;
            locals.push((count, local));
        }
        let used = reader.at() - before;
        let rest = (size as usize).checked_sub(used).ok_or("guarded ptr out of bounds")?;
        let begin = reader.at();
        let code = reader.take(rest)?;
        let last = code.last().ok_or("overbounding pointer")?;
        ensure(
            self.options.allow_code_after_function_end || *last == 0x0b,
            "failed parsing function body, expected 'end'",
        )?;
        self.module.functions.push(Function { func_type, locals, begin, code: Reader::new(code), local_bytes });
        Ok(())
    }

    fn bodies(&mut self, emit: &mut dyn Emit) -> Result<(), ParseError> {
        for index in 0..self.module.functions.len() {
            emit.begin(&self.module, index);
            check_body(&self.module, index, self.options, emit)?;
            emit.finish(&self.module, index);
        }
        Ok(())
    }

    fn data(&mut self, reader: &mut Reader<'a>) -> Result<(), ParseError> {
        ensure(self.module.memory.is_some(), "data requires memory")?;
        reader.u32()?;
        let offset = initializer(reader, ValueType::I32)? as u32;
        let len = reader.u32()?;
        let end = u64::from(offset) + u64::from(len);
        ensure(end <= self.options.max_linear_memory_init, "out-of-bounds data section")?;
        let bytes = reader.take(len as usize)?;
        self.module.data.push(Data { offset, bytes });
        Ok(())
    }
}

fn initializer(reader: &mut Reader<'_>, expected: ValueType) -> Result<u64, ParseError> {
    let (found, bits, message) = match reader.byte()? {
        0x41 => (ValueType::I32, reader.i32()? as u32 as u64, "expected i32 initializer"),
        0x42 => (ValueType::I64, reader.i64()? as u64, "expected i64 initializer"),
        0x43 => (ValueType::F32, u64::from(reader.raw_u32()?), "expected f32 initializer"),
        0x44 => (ValueType::F64, reader.raw_u64()?, "expected f64 initializer"),
        _ => {
            let message = "initializer expression can only acception i32.const, i64.const, f32.const and f64.const";
            return Err(message.into());
        }
    };
    ensure(found == expected, message)?;
    ensure(reader.byte()? == 0x0b, "no end op found")?;
    Ok(bits)
}
