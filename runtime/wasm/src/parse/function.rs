//! Instructions of a function: types of operands, nesting, limits.

use super::module::{FuncType, Module, value_type};
use super::options::Options;
use super::reader::{ParseError, Reader, ensure, out_of_range};
use crate::args::ValueType;

/// A reachable instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op<'o> {
    /// `block`, `loop` or `if` (its opcode) and the result.
    Open(u8, Option<ValueType>),
    /// `else`.
    Else,
    /// End of a block; of the function where no block is open.
    End,
    /// `br`, also for `return`: label.
    Br(u32),
    /// `br_if`: label.
    BrIf(u32),
    /// `br_table`: labels and the default one.
    BrTable(&'o [u32], u32),
    /// `call`: function.
    Call(u32),
    /// `call_indirect`: type.
    CallIndirect(u32),
    /// `local.get`, `local.set`, `local.tee`, `global.get` or `global.set`: opcode and index.
    Variable(u8, u32),
    /// A load or store: opcode, alignment, offset.
    Memory(u8, u32, u32),
    /// `memory.size`.
    MemorySize,
    /// `memory.grow`.
    MemoryGrow,
    /// `i32.const`.
    I32(i32),
    /// `i64.const`.
    I64(i64),
    /// `f32.const`, bits.
    F32(u32),
    /// `f64.const`, bits.
    F64(u64),
    /// Any instruction without immediates: opcode.
    Plain(u8),
}

/// Hears the reachable instructions of functions, in order.
pub trait Emit {
    /// A function begins.
    fn begin(&mut self, _: &Module<'_>, _: usize) {}
    /// One instruction, and where it begins behind the function's locals.
    fn op(&mut self, _: Op<'_>, _: usize) {}
    /// A function was checked.
    fn finish(&mut self, _: &Module<'_>, _: usize) {}
}

/// Hears nothing.
pub struct Silent;

impl Emit for Silent {}

/// One entry of the operand stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Value(ValueType),
    /// A value of unknown type from unreachable code.
    Any,
    /// Below it lies unreachable code.
    Unreachable,
    /// Bottom of a block.
    Scope,
}

struct Operands<'o> {
    slots: Vec<Slot>,
    bytes: u32,
    unreachable_depth: u32,
    options: &'o Options,
}

impl Operands<'_> {
    fn push(&mut self, slot: Slot) -> Result<(), ParseError> {
        self.slots.push(slot);
        if self.unreachable_depth == 0 && self.options.max_func_local_bytes != u32::MAX {
            let size = slot_size(slot);
            self.bytes = self.bytes.wrapping_add(size);
            let fits = self.bytes <= self.options.max_func_local_bytes && self.bytes >= size;
            ensure(fits, "local variable limit exceeded")?;
        }
        Ok(())
    }

    fn uncount(&mut self, slot: Slot) {
        if self.unreachable_depth == 0 {
            self.bytes = self.bytes.wrapping_sub(slot_size(slot));
        }
    }

    fn pop(&mut self, expected: ValueType) -> Result<(), ParseError> {
        match self.slots.last() {
            None => Err("unexpected pop".into()),
            Some(Slot::Unreachable) => Ok(()),
            Some(slot) => {
                ensure(*slot == Slot::Value(expected) || *slot == Slot::Any, "wrong type")?;
                self.uncount(Slot::Value(expected));
                self.slots.pop();
                Ok(())
            }
        }
    }

    fn pop_all(&mut self, expected: &[ValueType]) -> Result<(), ParseError> {
        expected.iter().rev().try_for_each(|value| self.pop(*value))
    }

    fn pop_any(&mut self) -> Result<Slot, ParseError> {
        match self.slots.last().copied() {
            None | Some(Slot::Scope) => Err("unexpected pop".into()),
            Some(Slot::Unreachable) => Ok(Slot::Any),
            Some(slot) => {
                self.uncount(slot);
                self.slots.pop();
                Ok(slot)
            }
        }
    }

    fn top(&mut self, expected: ValueType) -> Result<(), ParseError> {
        self.pop(expected)?;
        self.push(Slot::Value(expected))
    }

    fn start_unreachable(&mut self) {
        while self.slots.last().is_some_and(|slot| *slot != Slot::Scope) {
            self.slots.pop();
        }
        self.unreachable_depth += 1;
        self.slots.push(Slot::Unreachable);
    }

    fn pop_scope(&mut self, result: Option<ValueType>) -> Result<(), ParseError> {
        if let Some(result) = result {
            self.pop(result)?;
        }
        ensure(!self.slots.is_empty(), "unexpected end")?;
        if self.slots.last() == Some(&Slot::Unreachable) {
            self.unreachable_depth = self.unreachable_depth.wrapping_sub(1);
            self.slots.pop();
        }
        ensure(self.slots.pop() == Some(Slot::Scope), "unexpected end")?;
        match result {
            Some(result) => self.push(Slot::Value(result)),
            None => Ok(()),
        }
    }
}

fn slot_size(slot: Slot) -> u32 {
    match slot {
        Slot::Value(value) => value.size(),
        _ => 0,
    }
}

struct Block {
    result: Option<ValueType>,
    label_result: Option<ValueType>,
    is_if: bool,
    /// Whether its beginning was reachable, so that it was emitted.
    emitted: bool,
}

struct Body<'m, 'a, 'o> {
    module: &'m Module<'a>,
    options: &'o Options,
    func_type: &'m FuncType,
    locals: &'m [(u32, ValueType)],
    /// First index after each group of locals, the parameters first.
    boundaries: Vec<u32>,
    operands: Operands<'o>,
    blocks: Vec<Block>,
    /// Whether the current instruction can be reached.
    live: bool,
    /// Where the current instruction begins.
    at: usize,
    emit: &'o mut dyn Emit,
}

/// Checks one function's instructions.
pub(super) fn check_body(
    module: &Module<'_>,
    index: usize,
    options: &Options,
    emit: &mut dyn Emit,
) -> Result<(), ParseError> {
    let function = &module.functions[index];
    let func_type = &module.types[function.func_type as usize];
    let mut total = func_type.params.len() as u32;
    let mut boundaries = vec![total];
    for (count, _) in &function.locals {
        total = total.checked_add(*count).ok_or("too many locals")?;
        boundaries.push(total);
    }
    let operands = Operands { slots: vec![Slot::Scope], bytes: function.local_bytes, unreachable_depth: 0, options };
    let result = func_type.result;
    let blocks = vec![Block { result, label_result: result, is_if: false, emitted: true }];
    let locals = &function.locals;
    let mut body = Body { module, options, func_type, locals, boundaries, operands, blocks, live: true, at: 0, emit };
    let mut reader = function.code.clone();
    while reader.rest() != 0 {
        ensure(
            body.blocks.len() as u64 <= u64::from(options.max_nested_structures),
            "nested structures validation failure",
        )?;
        body.at = reader.at();
        let opcode = reader.byte()?;
        body.instruction(opcode, &mut reader)?;
    }
    ensure(body.blocks.is_empty(), "function body too long")
}

impl Body<'_, '_, '_> {
    fn emit(&mut self, op: Op<'_>) {
        if self.live {
            self.emit.op(op, self.at);
        }
    }

    fn push(&mut self, value: ValueType) -> Result<(), ParseError> {
        self.operands.push(Slot::Value(value))
    }

    fn inside(&self) -> Result<(), ParseError> {
        ensure(!self.options.allow_code_after_function_end || !self.blocks.is_empty(), "code after function end")
    }

    fn start_unreachable(&mut self) {
        self.operands.start_unreachable();
        self.live = false;
    }

    fn instruction(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        match opcode {
            0x00 => {
                self.inside()?;
                self.emit(Op::Plain(opcode));
                self.start_unreachable();
                Ok(())
            }
            0x01 => Ok(()),
            0x02..=0x04 => self.open(opcode, reader),
            0x05 => self.else_(),
            0x0b => self.end(reader),
            0x0c..=0x0f => self.branch(opcode, reader),
            0x10 | 0x11 => self.call(opcode, reader),
            0x1a | 0x1b => self.parametric(opcode),
            0x20..=0x24 => self.variable(opcode, reader),
            0x28..=0x3e => self.memory_access(opcode, reader),
            0x3f | 0x40 => self.memory_size(opcode, reader),
            0x41..=0x44 => self.constant(opcode, reader),
            0x45..=0xbf => self.numeric(opcode),
            _ => Err("Illegal instruction".into()),
        }
    }

    fn block_type(&self, reader: &mut Reader<'_>, message: &str) -> Result<Option<ValueType>, ParseError> {
        match reader.byte()? {
            0x40 => Ok(None),
            0 if self.options.allow_zero_blocktype => Ok(None),
            byte => value_type(byte).map(Some).ok_or_else(|| message.into()),
        }
    }

    fn open(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let result = match opcode {
            0x02 => self.block_type(reader, "Invalid type code in block")?,
            0x03 => self.block_type(reader, "Invalid type code in loop")?,
            _ => {
                self.inside()?;
                let result = self.block_type(reader, "Invalid type code in if")?;
                self.operands.pop(ValueType::I32)?;
                result
            }
        };
        self.emit(Op::Open(opcode, result));
        let label_result = if opcode == 0x03 { None } else { result };
        self.blocks.push(Block { result, label_result, is_if: opcode == 0x04, emitted: self.live });
        self.operands.slots.push(Slot::Scope);
        Ok(())
    }

    fn else_(&mut self) -> Result<(), ParseError> {
        self.inside()?;
        let block = self.blocks.last_mut().ok_or("else outside if")?;
        ensure(block.is_if, "else outside if")?;
        let (result, emitted) = (block.result, block.emitted);
        block.is_if = false;
        if let Some(result) = result {
            self.operands.pop(result)?;
        }
        self.operands.pop_scope(None)?;
        self.operands.slots.push(Slot::Scope);
        self.live = emitted;
        self.emit(Op::Else);
        Ok(())
    }

    fn end(&mut self, reader: &Reader<'_>) -> Result<(), ParseError> {
        self.inside()?;
        let block = self.blocks.last().ok_or("unexpected end instruction")?;
        ensure(!block.is_if || block.result.is_none(), "wrong type")?;
        let (result, emitted) = (block.result, block.emitted);
        self.operands.pop_scope(result)?;
        self.blocks.pop();
        self.live = emitted;
        self.emit(Op::End);
        let more = self.options.allow_code_after_function_end || !self.blocks.is_empty() || reader.rest() == 0;
        ensure(more, "function too short")
    }

    /// Checks the operand a label takes and gives its type.
    fn label(&mut self, label: u32) -> Result<Option<ValueType>, ParseError> {
        ensure((label as usize) < self.blocks.len(), "invalid label")?;
        let result = self.blocks[self.blocks.len() - 1 - label as usize].label_result;
        if let Some(result) = result {
            self.operands.top(result)?;
        }
        Ok(result)
    }

    fn branch(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        self.inside()?;
        match opcode {
            0x0c => {
                let label = reader.u32()?;
                self.label(label)?;
                self.emit(Op::Br(label));
            }
            0x0d => {
                let label = reader.u32()?;
                self.operands.pop(ValueType::I32)?;
                self.label(label)?;
                self.emit(Op::BrIf(label));
                return Ok(());
            }
            0x0e => self.branch_table(reader)?,
            _ => {
                let label = (self.blocks.len() as u32).wrapping_sub(1);
                self.label(label)?;
                self.emit(Op::Br(label));
            }
        }
        self.start_unreachable();
        Ok(())
    }

    fn branch_table(&mut self, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let count = reader.u32()?;
        self.operands.pop(ValueType::I32)?;
        let (mut labels, mut first) = (Vec::new(), None);
        for _ in 0..=count {
            let label = reader.u32()?;
            let result = self.label(label)?;
            let same = *first.get_or_insert(result) == result;
            ensure(same, "br_table labels must have the same type")?;
            labels.push(label);
        }
        let default = labels.pop().expect("the default was read");
        self.emit(Op::BrTable(&labels, default));
        Ok(())
    }

    fn call(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        self.inside()?;
        let index = reader.u32()?;
        let module = self.module;
        let func_type = if opcode == 0x10 {
            module.function_type(index).ok_or_else(out_of_range)?
        } else {
            let func_type = module.types.get(index as usize).ok_or_else(out_of_range)?;
            ensure(module.table.is_some(), "call_indirect requires a table")?;
            self.operands.pop(ValueType::I32)?;
            func_type
        };
        self.operands.pop_all(&func_type.params)?;
        if let Some(result) = func_type.result {
            self.push(result)?;
        }
        if opcode == 0x10 {
            self.emit(Op::Call(index));
            return Ok(());
        }
        ensure(reader.peek()? == 0, "call_indirect must end with 0x00.")?;
        reader.byte()?;
        self.emit(Op::CallIndirect(index));
        Ok(())
    }

    fn parametric(&mut self, opcode: u8) -> Result<(), ParseError> {
        self.inside()?;
        if opcode == 0x1a {
            self.operands.pop_any()?;
        } else {
            self.operands.pop(ValueType::I32)?;
            let (right, left) = (self.operands.pop_any()?, self.operands.pop_any()?);
            let fits = right == left || right == Slot::Any || left == Slot::Any;
            ensure(fits, "incorrect types for select")?;
            self.operands.push(if right == Slot::Any { left } else { right })?;
        }
        self.emit(Op::Plain(opcode));
        Ok(())
    }

    fn local_type(&self, index: u32) -> Result<ValueType, ParseError> {
        let total = *self.boundaries.last().expect("the parameters are there");
        ensure(index < total, "undefined local")?;
        let group = self.boundaries.partition_point(|end| *end <= index);
        Ok(if group == 0 { self.func_type.params[index as usize] } else { self.locals[group - 1].1 })
    }

    fn variable(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        if !matches!(opcode, 0x20 | 0x23) {
            self.inside()?;
        }
        let index = reader.u32()?;
        if opcode <= 0x22 {
            let local = self.local_type(index)?;
            match opcode {
                0x20 => self.push(local)?,
                0x21 => self.operands.pop(local)?,
                _ => self.operands.top(local)?,
            }
        } else {
            let global = *self.module.globals.get(index as usize).ok_or_else(out_of_range)?;
            if opcode == 0x23 {
                self.push(global.value_type)?;
            } else {
                ensure(global.mutable, "cannot set const global")?;
                self.operands.pop(global.value_type)?;
            }
        }
        self.emit(Op::Variable(opcode, index));
        Ok(())
    }

    fn memory_access(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        self.inside()?;
        let load = opcode <= 0x35;
        let (value, max_align) = access(opcode);
        let has_memory = self.module.memory.is_some();
        ensure(has_memory, if load { "load requires memory" } else { "store requires memory" })?;
        let (align, offset) = (reader.u32()?, reader.u32()?);
        ensure(align <= max_align, "alignment cannot be greater than size.")?;
        if load {
            self.operands.pop(ValueType::I32)?;
            self.push(value)?;
        } else {
            self.operands.pop(value)?;
            self.operands.pop(ValueType::I32)?;
        }
        self.emit(Op::Memory(opcode, align, offset));
        Ok(())
    }

    fn memory_size(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let has_memory = self.module.memory.is_some();
        if opcode == 0x3f {
            ensure(has_memory, "memory.size requires memory")?;
            self.push(ValueType::I32)?;
            ensure(reader.peek()? == 0, "memory.size must end with 0x00")?;
            self.emit(Op::MemorySize);
        } else {
            self.inside()?;
            ensure(has_memory, "memory.grow requires memory")?;
            self.operands.top(ValueType::I32)?;
            ensure(reader.peek()? == 0, "memory.grow must end with 0x00")?;
            self.emit(Op::MemoryGrow);
        }
        reader.byte()?;
        Ok(())
    }

    fn constant(&mut self, opcode: u8, reader: &mut Reader<'_>) -> Result<(), ParseError> {
        let (op, value) = match opcode {
            0x41 => (Op::I32(reader.i32()?), ValueType::I32),
            0x42 => (Op::I64(reader.i64()?), ValueType::I64),
            0x43 => (Op::F32(reader.raw_u32()?), ValueType::F32),
            _ => (Op::F64(reader.raw_u64()?), ValueType::F64),
        };
        self.emit(op);
        self.push(value)
    }

    fn numeric(&mut self, opcode: u8) -> Result<(), ParseError> {
        self.inside()?;
        let (params, operand, result) = numeric_type(opcode);
        for _ in 0..params {
            self.operands.pop(operand)?;
        }
        self.emit(Op::Plain(opcode));
        self.push(result)
    }
}

/// Value type and greatest alignment of a load or store.
pub(crate) fn access(opcode: u8) -> (ValueType, u32) {
    use ValueType::{F32, F64, I32, I64};
    match opcode {
        0x28 | 0x36 => (I32, 2),
        0x29 | 0x37 => (I64, 3),
        0x2a | 0x38 => (F32, 2),
        0x2b | 0x39 => (F64, 3),
        0x2c | 0x2d | 0x3a => (I32, 0),
        0x2e | 0x2f | 0x3b => (I32, 1),
        0x30 | 0x31 | 0x3c => (I64, 0),
        0x32 | 0x33 | 0x3d => (I64, 1),
        _ => (I64, 2),
    }
}

/// Number and type of operands, type of the result.
pub(crate) fn numeric_type(opcode: u8) -> (usize, ValueType, ValueType) {
    use ValueType::{F32, F64, I32, I64};
    match opcode {
        0x45 => (1, I32, I32),
        0x46..=0x4f => (2, I32, I32),
        0x50 => (1, I64, I32),
        0x51..=0x5a => (2, I64, I32),
        0x5b..=0x60 => (2, F32, I32),
        0x61..=0x66 => (2, F64, I32),
        0x67..=0x69 => (1, I32, I32),
        0x6a..=0x78 => (2, I32, I32),
        0x79..=0x7b => (1, I64, I64),
        0x7c..=0x8a => (2, I64, I64),
        0x8b..=0x91 => (1, F32, F32),
        0x92..=0x98 => (2, F32, F32),
        0x99..=0x9f => (1, F64, F64),
        0xa0..=0xa6 => (2, F64, F64),
        0xa7 => (1, I64, I32),
        0xa8 | 0xa9 | 0xbc => (1, F32, I32),
        0xaa | 0xab => (1, F64, I32),
        0xac | 0xad => (1, I32, I64),
        0xae | 0xaf => (1, F32, I64),
        0xb0 | 0xb1 | 0xbd => (1, F64, I64),
        0xb2 | 0xb3 | 0xbe => (1, I32, F32),
        0xb4 | 0xb5 => (1, I64, F32),
        0xb6 => (1, F64, F32),
        0xb7 | 0xb8 => (1, I32, F64),
        0xb9 | 0xba | 0xbf => (1, I64, F64),
        _ => (1, F32, F64),
    }
}
