//! Turns a contract's module into the one that is compiled: the same program with nodeos' objective call depth,
//! softfloat's NaNs, globals that are set anew by each run, memory whose size the host decides, and a note of each
//! chunk of memory that is written to, so that only those are restored for the next run.
//!
//! What was unreachable is left out, so that leniencies of eos-vm do not reach the compiler. Memory contents are
//! not part of the result; see [`Program`].

pub(crate) mod float;
mod function;
mod wide;

use crate::args::ValueType;
use crate::linear::{NOTES, PAGE};
use crate::parse::{FuncType, Module, Options, ParseError, parse};
use codec::{Bytes, Pack, Unpack};
pub(crate) use function::Functions;
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Instruction, MemorySection, MemoryType, RefType, TableSection, TableType,
    TypeSection, ValType,
};
use wide::Wide;

/// Import module of the two functions below.
pub const MEMORY_MODULE: &str = "boreas";
/// Host function `(pages: i32) -> i32` behind `memory.grow`.
pub const MEMORY_GROW: &str = "memory_grow";
/// Host function `() -> i32` behind `memory.size`.
pub const MEMORY_SIZE: &str = "memory_size";
/// Export of the memory.
pub const MEMORY: &str = "memory";
/// Export of a second memory, in which each store notes the chunk it writes to.
pub const NOTES_MEMORY: &str = "notes";
/// Export `(depth: i32, receiver: i64, account: i64, action: i64)`.
pub const APPLY: &str = "apply";
/// Export `(depth: i32)` that runs the start function, where there is one; it is called first.
pub const START: &str = "start";

/// Pages that the compiled module's memory may have: all of 4 GiB.
const MEMORY_PAGES_MAX: u64 = 65_536;
/// Pages of the notes.
const NOTES_PAGES: u64 = (NOTES / PAGE) as u64;
/// Imports added behind the contract's own.
const ADDED_IMPORTS: u32 = 2;

/// A rewritten contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The module to compile.
    pub module: Vec<u8>,
    /// What each run finds besides.
    pub image: Image,
}

/// What the memory looks like at the beginning of a run, and what keeps a run from beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Image {
    /// Pages at the beginning, none without a memory.
    pub initial_pages: Option<u32>,
    /// The module's own limit of pages.
    pub maximum_pages: Option<u32>,
    /// First bytes of the memory; zeros follow.
    pub bytes: Bytes,
    /// Data lies outside of the initial memory: every run ends with an access violation.
    pub data_out_of_range: bool,
    /// An element lies outside of the table, or there is no `apply`: no run begins.
    pub broken: bool,
    /// Whether there is a start function.
    pub has_start: bool,
}

/// Rewrites valid code.
///
/// # Errors
/// eos-vm's message, where it would not run the code.
pub fn rewrite(code: &[u8]) -> Result<Program, ParseError> {
    let mut functions = Functions::default();
    let module = parse(code, &Options::running(), &mut functions)?;
    let image = image(&module);
    Ok(Program { module: encode(&module, functions, &image), image })
}

/// What a run of the module finds besides its code.
pub(crate) fn image(module: &Module<'_>) -> Image {
    let mut image = Image {
        initial_pages: module.memory.map(|memory| memory.initial),
        maximum_pages: module.memory.and_then(|memory| memory.maximum),
        broken: module.element_out_of_range || apply_index(module).is_none(),
        has_start: module.start.is_some(),
        ..Image::default()
    };
    let size = u64::from(image.initial_pages.unwrap_or(0)) << 16;
    for data in &module.data {
        let end = u64::from(data.offset) + data.bytes.len() as u64;
        if end > size {
            image.data_out_of_range = true;
            image.bytes = Bytes::default();
            break;
        }
        let (from, end) = (data.offset as usize, end as usize);
        if !data.bytes.is_empty() {
            let bytes = &mut image.bytes.0;
            bytes.resize(bytes.len().max(end), 0);
            bytes[from..end].copy_from_slice(data.bytes);
        }
    }
    image
}

/// The contract's `apply`, where it has the right type.
pub(crate) fn apply_index(module: &Module<'_>) -> Option<u32> {
    let index = module.exported_function("apply")?;
    let func_type = module.function_type(index)?;
    (func_type.params == [ValueType::I64; 3] && func_type.result.is_none()).then_some(index)
}

pub(crate) fn val_type(value: ValueType) -> ValType {
    match value {
        ValueType::I32 => ValType::I32,
        ValueType::I64 => ValType::I64,
        ValueType::F32 => ValType::F32,
        ValueType::F64 => ValType::F64,
    }
}

/// Indices in the rewritten module.
pub(crate) struct Layout {
    imports: u32,
    first_added_type: u32,
    depth_global: u32,
    first_float_helper: u32,
    wide: Wide,
}

impl Layout {
    /// Of a module's rewritten form.
    pub fn of(module: &Module<'_>) -> Self {
        let imports = module.imports.len() as u32;
        let depth_global = module.globals.len() as u32;
        Self {
            imports,
            depth_global,
            wide: Wide::of(module, depth_global + 1),
            first_added_type: module.types.len() as u32,
            first_float_helper: imports + ADDED_IMPORTS + module.function_types.len() as u32,
        }
    }

    /// The functions that the contract does not import.
    pub fn own_functions(&self) -> std::ops::Range<u32> {
        self.imports + ADDED_IMPORTS..self.first_float_helper
    }

    /// Where a function of the contract is now.
    fn function(&self, index: u32) -> u32 {
        if index < self.imports { index } else { index + ADDED_IMPORTS }
    }
}

/// Types added behind the contract's own, in this order.
fn added_types() -> Vec<FuncType> {
    use ValueType::{I32, I64};
    let of = |params: &[ValueType], result| FuncType { params: params.to_vec(), result };
    let mut types = vec![of(&[I32], Some(I32)), of(&[], Some(I32)), of(&[I32, I64, I64, I64], None), of(&[I32], None)];
    types.extend(float::HELPERS.iter().map(|helper| of(helper.params, Some(helper.result))));
    types
}
const TYPE_GROW: u32 = 0;
const TYPE_SIZE: u32 = 1;
const TYPE_APPLY: u32 = 2;
const TYPE_START: u32 = 3;
const TYPE_FIRST_HELPER: u32 = 4;

fn encode(module: &Module<'_>, functions: Functions, image: &Image) -> Vec<u8> {
    let layout = Layout::of(module);
    let mut encoded = wasm_encoder::Module::new();
    encoded.section(&types(module, &layout));
    encoded.section(&imports(module, &layout));
    let (declared, bodies) = code(module, &layout, functions, image);
    encoded.section(&declared);
    if let Some(table) = module.table {
        let size = u64::from(table.initial);
        let mut section = TableSection::new();
        section.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: size,
            maximum: Some(size),
            shared: false,
        });
        encoded.section(&section);
    }
    if module.memory.is_some() {
        let mut section = MemorySection::new();
        section.memory(memory_type(0, MEMORY_PAGES_MAX));
        section.memory(memory_type(NOTES_PAGES, NOTES_PAGES));
        encoded.section(&section);
    }
    encoded.section(&globals(module, &layout));
    encoded.section(&exports(&layout, module, image));
    if !module.elements.is_empty() {
        let mut section = ElementSection::new();
        for element in &module.elements {
            let indices: Vec<u32> = element.functions.iter().map(|index| layout.function(*index)).collect();
            let offset = ConstExpr::i32_const(element.offset as i32);
            section.active(None, &offset, Elements::Functions(indices.into()));
        }
        encoded.section(&section);
    }
    encoded.section(&bodies);
    encoded.finish()
}

fn memory_type(minimum: u64, maximum: u64) -> MemoryType {
    MemoryType { minimum, maximum: Some(maximum), memory64: false, shared: false, page_size_log2: None }
}

fn types(module: &Module<'_>, layout: &Layout) -> TypeSection {
    let mut section = TypeSection::new();
    for (index, func_type) in module.types.iter().chain(&added_types()).enumerate() {
        let params = layout.wide.declared(index, &func_type.params);
        section.ty().function(params.into_iter().map(val_type), func_type.result.map(val_type));
    }
    section
}

fn imports(module: &Module<'_>, layout: &Layout) -> ImportSection {
    let mut section = ImportSection::new();
    for import in &module.imports {
        section.import(import.module, import.name, EntityType::Function(import.func_type));
    }
    for (name, added) in [(MEMORY_GROW, TYPE_GROW), (MEMORY_SIZE, TYPE_SIZE)] {
        section.import(MEMORY_MODULE, name, EntityType::Function(layout.first_added_type + added));
    }
    section
}

fn globals(module: &Module<'_>, layout: &Layout) -> GlobalSection {
    let mut section = GlobalSection::new();
    for global in &module.globals {
        let global_type = GlobalType { val_type: val_type(global.value_type), mutable: global.mutable, shared: false };
        section.global(global_type, &constant(global.value_type, global.initial));
    }
    for value in [ValueType::I32].into_iter().chain(layout.wide.globals()) {
        section.global(GlobalType { val_type: val_type(value), mutable: true, shared: false }, &constant(value, 0));
    }
    section
}

fn constant(value: ValueType, bits: u64) -> ConstExpr {
    match value {
        ValueType::I32 => ConstExpr::i32_const(bits as i32),
        ValueType::I64 => ConstExpr::i64_const(bits as i64),
        ValueType::F32 => ConstExpr::f32_const(f32::from_bits(bits as u32).into()),
        ValueType::F64 => ConstExpr::f64_const(f64::from_bits(bits).into()),
    }
}

fn exports(layout: &Layout, module: &Module<'_>, image: &Image) -> ExportSection {
    let mut section = ExportSection::new();
    if module.memory.is_some() {
        section.export(MEMORY, ExportKind::Memory, 0);
        section.export(NOTES_MEMORY, ExportKind::Memory, 1);
    }
    let mut next = layout.first_float_helper + float::HELPERS.len() as u32;
    if !image.broken {
        section.export(APPLY, ExportKind::Func, next);
        next += 1;
        if module.start.is_some() {
            section.export(START, ExportKind::Func, next);
        }
    }
    section
}

/// The function and code sections: the contract's functions, float helpers, entry points.
fn code(module: &Module<'_>, layout: &Layout, functions: Functions, image: &Image) -> (FunctionSection, CodeSection) {
    let (mut declared, mut bodies) = (FunctionSection::new(), CodeSection::new());
    for (func_type, body) in module.function_types.iter().zip(functions.bodies) {
        declared.function(*func_type);
        bodies.raw(&body);
    }
    for (index, helper) in float::HELPERS.iter().enumerate() {
        declared.function(layout.first_added_type + TYPE_FIRST_HELPER + index as u32);
        bodies.function(&(helper.body)());
    }
    if let Some(apply) = apply_index(module).filter(|_| !image.broken) {
        declared.function(layout.first_added_type + TYPE_APPLY);
        let reset = module.start.is_none();
        bodies.function(&entry(module, layout, apply, 3, reset));
        if let Some(start) = module.start {
            declared.function(layout.first_added_type + TYPE_START);
            bodies.function(&entry(module, layout, start, 0, true));
        }
    }
    (declared, bodies)
}

/// An entry point: sets the depth and, where `reset`, the globals, and calls with `params` of its own parameters.
fn entry(module: &Module<'_>, layout: &Layout, index: u32, params: u32, reset: bool) -> wasm_encoder::Function {
    let mut body = wasm_encoder::Function::new([]);
    let mutable = module.globals.iter().enumerate().filter(|(_, global)| reset && global.mutable);
    for (index, global) in mutable {
        let bits = global.initial;
        body.instruction(&match global.value_type {
            ValueType::I32 => Instruction::I32Const(bits as i32),
            ValueType::I64 => Instruction::I64Const(bits as i64),
            ValueType::F32 => Instruction::F32Const(f32::from_bits(bits as u32).into()),
            ValueType::F64 => Instruction::F64Const(f64::from_bits(bits).into()),
        });
        body.instruction(&Instruction::GlobalSet(index as u32));
    }
    body.instruction(&Instruction::LocalGet(0));
    body.instruction(&Instruction::GlobalSet(layout.depth_global));
    for param in 1..=params {
        body.instruction(&Instruction::LocalGet(param));
    }
    body.instruction(&Instruction::Call(layout.function(index)));
    body.instruction(&Instruction::End);
    body
}
