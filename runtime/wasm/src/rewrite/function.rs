//! Functions of the rewritten module, instruction by instruction.
//!
//! Call depth: a global holds how many calls are left, the function's own included. A function that calls takes one
//! on entry and gives it back at its end; every `return` becomes a branch to there. Host calls and indirect calls
//! need one more, as in eos-vm, so that a function that calls the host alone takes its own, too.

use super::float::{self, Range, Rule};
use super::{Layout, val_type, wide};
use crate::args::ValueType;
use crate::memory::CHUNK;
use crate::parse::{Emit, FuncType, Module, Op};
use wasm_encoder::{BlockType, Encode, Instruction, MemArg};

/// Collects rewritten function bodies.
#[derive(Default)]
pub struct Functions {
    /// Finished bodies: locals and instructions.
    pub bodies: Vec<Vec<u8>>,
    /// Where the function's own instructions begin in each of them.
    pub begins: Vec<usize>,
    layout: Option<Layout>,
    code: Vec<u8>,
    calls: bool,
    /// Type of every function, imported or not.
    types: Vec<u32>,
    /// Whether the current function's last parameters are locals.
    wide: bool,
    /// First added local of the current function.
    first_local: u32,
    added: [bool; Temp::COUNT],
}

/// Locals added to a function, where it needs them.
#[derive(Debug, Clone, Copy)]
enum Temp {
    LeftF32,
    RightF32,
    ResultF32,
    LeftF64,
    RightF64,
    ResultF64,
    Address,
    StoredI32,
    StoredI64,
}

impl Temp {
    const COUNT: usize = 9;

    fn value_type(index: usize) -> ValueType {
        match index {
            0..=2 => ValueType::F32,
            3..=5 => ValueType::F64,
            6 | 7 => ValueType::I32,
            _ => ValueType::I64,
        }
    }
}

/// Left operand, right operand and result of one type.
fn temps(value: ValueType) -> [Temp; 3] {
    match value {
        ValueType::F32 => [Temp::LeftF32, Temp::RightF32, Temp::ResultF32],
        _ => [Temp::LeftF64, Temp::RightF64, Temp::ResultF64],
    }
}

impl Emit for Functions {
    fn begin(&mut self, module: &Module<'_>, index: usize) {
        if self.layout.is_none() {
            self.layout = Some(Layout::of(module));
            self.types = module.imports.iter().map(|import| import.func_type).collect();
            self.types.extend(&module.function_types);
        }
        let function = &module.functions[index];
        let params = &module.types[function.func_type as usize].params;
        self.wide = !wide::spilled(params).is_empty();
        let params = params.len() as u32 + if self.wide { wide::TAG as u32 } else { 0 };
        self.first_local = function.locals.iter().fold(params, |sum, (count, _)| sum.saturating_add(*count));
        self.code.clear();
        self.calls = false;
        self.added = [false; Temp::COUNT];
    }

    fn op(&mut self, op: Op<'_>, _: usize) {
        match op {
            Op::Open(opcode, result) => {
                let block = block_type(result);
                self.put(&match opcode {
                    0x02 => Instruction::Block(block),
                    0x03 => Instruction::Loop(block),
                    _ => Instruction::If(block),
                });
            }
            Op::Else => self.put(&Instruction::Else),
            Op::End => self.put(&Instruction::End),
            Op::Br(label) => self.put(&Instruction::Br(label)),
            Op::BrIf(label) => self.put(&Instruction::BrIf(label)),
            Op::BrTable(labels, default) => self.put(&Instruction::BrTable(labels.into(), default)),
            Op::Call(index) => self.call(index),
            Op::CallIndirect(type_index) => {
                self.calls = true;
                self.require_depth();
                self.pass_wide(type_index, true);
                self.put(&Instruction::CallIndirect { type_index, table_index: 0 });
            }
            Op::Variable(opcode, index) => {
                let behind_tag = self.wide && opcode <= LOCAL_TEE && index as usize >= wide::KEPT;
                let index = index + if behind_tag { wide::TAG as u32 } else { 0 };
                self.code.push(opcode);
                index.encode(&mut self.code);
            }
            Op::Memory(opcode, align, offset) if opcode <= LAST_LOAD => self.memory_access(opcode, align, offset),
            Op::Memory(opcode, align, offset) => self.store(opcode, align, offset),
            Op::MemorySize => self.put_call(|layout| layout.imports + 1),
            Op::MemoryGrow => self.put_call(|layout| layout.imports),
            Op::I32(value) => self.put(&Instruction::I32Const(value)),
            Op::I64(value) => self.put(&Instruction::I64Const(value)),
            Op::F32(bits) => self.put(&Instruction::F32Const(f32::from_bits(bits).into())),
            Op::F64(bits) => self.put(&Instruction::F64Const(f64::from_bits(bits).into())),
            Op::Plain(opcode) => self.plain(opcode),
        }
    }

    fn finish(&mut self, module: &Module<'_>, index: usize) {
        let function = &module.functions[index];
        let func_type = &module.types[function.func_type as usize];
        let spilled = wide::spilled(&func_type.params).iter().map(|value| (1, *value));
        let locals: Vec<_> = spilled.chain(function.locals.iter().copied()).collect();
        let mut body = self.encoded_locals(&locals);
        let code = std::mem::take(&mut self.code);
        self.prologue(func_type);
        let received = self.layout().wide.receive(function.func_type);
        self.put_all(&received);
        body.append(&mut self.code);
        self.begins.push(body.len());
        body.extend_from_slice(&code);
        self.epilogue();
        body.append(&mut self.code);
        self.code = code;
        self.bodies.push(body);
    }
}

/// The last of the three instructions on locals; those on globals follow.
const LOCAL_TEE: u8 = 0x22;
/// The load with the highest opcode; stores follow.
const LAST_LOAD: u8 = 0x35;

/// Where a value waits while its address is looked at.
fn stored(opcode: u8) -> Temp {
    match opcode {
        0x36 | 0x3a | 0x3b => Temp::StoredI32,
        0x38 => Temp::LeftF32,
        0x39 => Temp::LeftF64,
        _ => Temp::StoredI64,
    }
}

fn block_type(result: Option<ValueType>) -> BlockType {
    result.map_or(BlockType::Empty, |value| BlockType::Result(val_type(value)))
}

impl Functions {
    /// Bytes of the current function's instructions.
    pub fn bytes(&self) -> usize {
        self.code.len()
    }

    fn put(&mut self, instruction: &Instruction<'_>) {
        instruction.encode(&mut self.code);
    }

    fn put_all(&mut self, instructions: &[Instruction<'_>]) {
        instructions.iter().for_each(|instruction| self.put(instruction));
    }

    fn layout(&self) -> &Layout {
        self.layout.as_ref().expect("a function was begun")
    }

    fn put_call(&mut self, index: impl Fn(&Layout) -> u32) {
        let index = index(self.layout());
        self.put(&Instruction::Call(index));
    }

    fn memory_access(&mut self, opcode: u8, align: u32, offset: u32) {
        self.code.push(opcode);
        align.encode(&mut self.code);
        offset.encode(&mut self.code);
    }

    /// A store that notes its chunk. An address that wraps around was out of bounds before.
    fn store(&mut self, opcode: u8, align: u32, offset: u32) {
        use Instruction::{I32Add, I32Const, I32ShrU, I32Store8, LocalGet, LocalSet, LocalTee};
        const NOTE: MemArg = MemArg { offset: 0, align: 0, memory_index: 1 };
        let (address, value) = (self.local(Temp::Address), self.local(stored(opcode)));
        self.put_all(&[LocalSet(value), LocalTee(address), LocalGet(value)]);
        self.memory_access(opcode, align, offset);
        self.put(&LocalGet(address));
        if offset != 0 {
            self.put_all(&[I32Const(offset as i32), I32Add]);
        }
        self.put_all(&[I32Const(CHUNK.trailing_zeros() as i32), I32ShrU, I32Const(1), I32Store8(NOTE)]);
    }

    fn call(&mut self, index: u32) {
        self.calls = true;
        if index < self.layout().imports {
            self.require_depth();
        }
        self.pass_wide(self.types[index as usize], false);
        self.put_call(|layout| layout.function(index));
    }

    /// Hands over what does not fit into parameters. `indirect`: the place in the table lies on top.
    fn pass_wide(&mut self, type_index: u32, indirect: bool) {
        let passed = self.layout().wide.pass(type_index);
        if passed.is_empty() {
            return;
        }
        let place = self.local(Temp::Address);
        if indirect {
            self.put(&Instruction::LocalSet(place));
        }
        self.put_all(&passed);
        if indirect {
            self.put(&Instruction::LocalGet(place));
        }
    }

    /// Traps where no call is left.
    fn require_depth(&mut self) {
        use Instruction::{End, GlobalGet, I32Const, I32Eq, If, Unreachable};
        let depth = self.layout().depth_global;
        self.put_all(&[GlobalGet(depth), I32Const(1), I32Eq, If(BlockType::Empty), Unreachable, End]);
    }

    /// The function takes its call. Where it calls itself, its code becomes a block so that all ways out meet.
    fn prologue(&mut self, func_type: &FuncType) {
        use Instruction::{Block, GlobalGet, GlobalSet, I32Const, I32Sub};
        self.require_depth();
        if self.calls {
            let depth = self.layout().depth_global;
            self.put_all(&[GlobalGet(depth), I32Const(1), I32Sub, GlobalSet(depth)]);
        }
        if self.calls {
            self.put(&Block(block_type(func_type.result)));
        }
    }

    /// Gives the call back. The end of the function's own code closed the block.
    fn epilogue(&mut self) {
        use Instruction::{End, GlobalGet, GlobalSet, I32Add, I32Const};
        if self.calls {
            let depth = self.layout().depth_global;
            self.put_all(&[GlobalGet(depth), I32Const(1), I32Add, GlobalSet(depth), End]);
        }
    }

    fn encoded_locals(&self, locals: &[(u32, ValueType)]) -> Vec<u8> {
        let added = self.added.iter().enumerate().rev().find(|(_, used)| **used).map_or(0, |(index, _)| index + 1);
        let declared = locals.iter().filter(|(count, _)| *count > 0);
        let all = declared.copied().chain((0..added).map(|index| (1, Temp::value_type(index))));
        let all: Vec<(u32, ValueType)> = all.collect();
        let mut bytes = Vec::new();
        (all.len() as u32).encode(&mut bytes);
        for (count, value) in all {
            count.encode(&mut bytes);
            float::local_type(value).encode(&mut bytes);
        }
        bytes
    }

    fn local(&mut self, temp: Temp) -> u32 {
        self.added[temp as usize] = true;
        self.first_local.saturating_add(temp as u32)
    }

    fn plain(&mut self, opcode: u8) {
        match float::rule(opcode) {
            Rule::Hardware => self.code.push(opcode),
            Rule::Binary(value) => self.binary(opcode, value, false),
            Rule::Select(value) => self.binary(opcode, value, true),
            Rule::Round(value) => self.unary(opcode, value, value, None),
            Rule::Sqrt(ValueType::F32) => self.unary(opcode, ValueType::F32, ValueType::F32, Some(float::NAN_F32)),
            Rule::Sqrt(value) => self.unary(opcode, value, value, Some(float::NAN_F64)),
            Rule::Promote => self.unary(opcode, ValueType::F32, ValueType::F64, Some(float::PROMOTE_NAN)),
            Rule::Demote => self.unary(opcode, ValueType::F64, ValueType::F32, Some(float::DEMOTE_NAN)),
            Rule::Truncate(value, range) => self.truncate(opcode, value, range),
        }
    }

    /// Two operands; where the result is a NaN, the exact one instead.
    fn binary(&mut self, opcode: u8, value: ValueType, select: bool) {
        use Instruction::{Call, End, If, LocalGet, LocalSet, LocalTee, Select};
        let [left, right, result] = temps(value).map(|temp| self.local(temp));
        let (not_equal, helper) = match value {
            ValueType::F32 => (Instruction::F32Ne, float::NAN_F32),
            _ => (Instruction::F64Ne, float::NAN_F64),
        };
        self.put_all(&[LocalSet(right), LocalTee(left), LocalGet(right)]);
        self.code.push(opcode);
        self.put_all(&[LocalTee(result), LocalGet(result), not_equal.clone(), If(BlockType::Empty)]);
        self.put_all(&[LocalGet(left), LocalGet(right)]);
        if select {
            self.put_all(&[LocalGet(left), LocalGet(left), not_equal, Select]);
        } else {
            let index = self.layout().first_float_helper + helper;
            self.put(&Call(index));
        }
        self.put_all(&[LocalSet(result), End, LocalGet(result)]);
    }

    /// One operand; where the result is a NaN, the helper's, or the operand itself without one.
    fn unary(&mut self, opcode: u8, operand: ValueType, value: ValueType, helper: Option<u32>) {
        use Instruction::{Call, End, If, LocalGet, LocalSet, LocalTee};
        let left = self.local(temps(operand)[0]);
        let result = self.local(temps(value)[2]);
        let not_equal = if value == ValueType::F32 { Instruction::F32Ne } else { Instruction::F64Ne };
        self.put(&LocalTee(left));
        self.code.push(opcode);
        self.put_all(&[LocalTee(result), LocalGet(result), not_equal, If(BlockType::Empty), LocalGet(left)]);
        if let Some(helper) = helper {
            match (operand == value, value) {
                (false, _) => {}
                (true, ValueType::F32) => self.put(&Instruction::F32Const(0.0_f32.into())),
                (true, _) => self.put(&Instruction::F64Const(0.0_f64.into())),
            }
            let index = self.layout().first_float_helper + helper;
            self.put(&Call(index));
        }
        self.put_all(&[LocalSet(result), End, LocalGet(result)]);
    }

    /// To an integer: `unreachable` outside of the range, which softfloat draws narrower than the specification.
    fn truncate(&mut self, opcode: u8, value: ValueType, range: Range) {
        use Instruction::{End, I32And, I32Eqz, If, LocalGet, LocalTee, Unreachable};
        let operand = self.local(temps(value)[0]);
        let single = value == ValueType::F32;
        let constant = |number: f64| match single {
            true => Instruction::F32Const((number as f32).into()),
            false => Instruction::F64Const(number.into()),
        };
        let below = if single { Instruction::F32Lt } else { Instruction::F64Lt };
        let above = match (single, range.low_within) {
            (true, true) => Instruction::F32Ge,
            (true, false) => Instruction::F32Gt,
            (false, true) => Instruction::F64Ge,
            (false, false) => Instruction::F64Gt,
        };
        self.put_all(&[LocalTee(operand), constant(range.high), below, LocalGet(operand), constant(range.low), above]);
        self.put_all(&[I32And, I32Eqz, If(BlockType::Empty), Unreachable, End, LocalGet(operand)]);
        self.code.push(opcode);
    }
}
