//! Locals in memory, for functions whose locals would cost the compiler too much. A memory of its own has a stack of
//! frames; a global says where its top is, and a local of each such function where its frame begins.

use crate::args::ValueType;
use wasm_encoder::{Instruction, MemArg};

/// The memory of frames: behind the contract's own and the notes.
pub const MEMORY: u32 = 2;
/// Pages of that memory: for `max_call_depth` frames of functions with 8 KiB of locals, and far more.
pub const PAGES: u64 = 4096;
/// Where the first frame ends.
pub const TOP: i32 = (PAGES << 16) as i32;
/// Bytes of a local, of whatever type.
const SLOT: u64 = 8;

/// The frame of a function.
pub struct Frame {
    /// First index after each group of locals, the parameters one by one, with their type.
    groups: Vec<(u32, ValueType)>,
    params: u32,
}

impl Frame {
    /// For parameters and declared locals.
    pub fn new(params: &[ValueType], locals: impl Iterator<Item = (u32, ValueType)>) -> Self {
        let mut end = 0_u32;
        let all = params.iter().map(|value| (1, *value)).chain(locals);
        let groups = all.map(|(count, value)| {
            end = end.saturating_add(count);
            (end, value)
        });
        Self { groups: groups.collect(), params: params.len() as u32 }
    }

    fn bytes(&self) -> i32 {
        self.groups.last().map_or(0, |(end, _)| *end).saturating_mul(SLOT as u32) as i32
    }

    /// The type of a local.
    pub fn value_type(&self, local: u32) -> ValueType {
        self.groups[self.groups.partition_point(|(end, _)| *end <= local)].1
    }

    /// Puts the local's value on the stack.
    pub fn get(&self, pointer: u32, local: u32) -> [Instruction<'static>; 2] {
        let place = place(local);
        let load = match self.value_type(local) {
            ValueType::I32 => Instruction::I32Load(place),
            ValueType::I64 => Instruction::I64Load(place),
            ValueType::F32 => Instruction::F32Load(place),
            ValueType::F64 => Instruction::F64Load(place),
        };
        [Instruction::LocalGet(pointer), load]
    }

    /// Gives the local the value that is in `from`.
    pub fn set(&self, pointer: u32, local: u32, from: u32) -> [Instruction<'static>; 3] {
        let place = place(local);
        let store = match self.value_type(local) {
            ValueType::I32 => Instruction::I32Store(place),
            ValueType::I64 => Instruction::I64Store(place),
            ValueType::F32 => Instruction::F32Store(place),
            ValueType::F64 => Instruction::F64Store(place),
        };
        [Instruction::LocalGet(pointer), Instruction::LocalGet(from), store]
    }

    /// Makes the frame: the locals are zero but for the parameters.
    pub fn open(&self, pointer: u32, top: u32) -> Vec<Instruction<'static>> {
        use Instruction::{GlobalGet, GlobalSet, I32Const, I32Sub, LocalGet, LocalTee, MemoryFill};
        let mut code = vec![GlobalGet(top), I32Const(self.bytes()), I32Sub, LocalTee(pointer), GlobalSet(top)];
        code.extend([LocalGet(pointer), I32Const(0), I32Const(self.bytes()), MemoryFill(MEMORY)]);
        code.extend((0..self.params).flat_map(|param| self.set(pointer, param, param)));
        code
    }

    /// Gives the frame back.
    pub fn close(&self, pointer: u32, top: u32) -> [Instruction<'static>; 4] {
        use Instruction::{GlobalSet, I32Add, I32Const, LocalGet};
        [LocalGet(pointer), I32Const(self.bytes()), I32Add, GlobalSet(top)]
    }
}

fn place(local: u32) -> MemArg {
    MemArg { offset: u64::from(local) * SLOT, align: 2, memory_index: MEMORY }
}
