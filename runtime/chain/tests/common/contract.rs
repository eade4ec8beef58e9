//! A contract of a few instructions that hands its action's data to privileged host functions.

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    Instruction as I, MemorySection, MemoryType, Module, TypeSection, ValType,
};

use super::name;

/// Host functions that the contract calls, by the action of the same purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Action `setprods`: legacy producers.
    SetProducers,
    /// Action `preactivate`: a feature's digest.
    Preactivate,
    /// Action `setprodsex`: producers with authorities.
    SetProducersEx,
}

impl Call {
    fn action(self) -> i64 {
        name(match self {
            Self::SetProducers => "setprods",
            Self::Preactivate => "preactivate",
            Self::SetProducersEx => "setprodsex",
        })
        .0 as i64
    }

    fn import(self) -> &'static str {
        match self {
            Self::SetProducers => "set_proposed_producers",
            Self::Preactivate => "preactivate_feature",
            Self::SetProducersEx => "set_proposed_producers_ex",
        }
    }
}

/// Where the data goes; host functions refuse references to address 0.
const DATA: i32 = 8;

/// The module that offers these calls.
pub fn contract(calls: &[Call]) -> Vec<u8> {
    use ValType::{I32, I64};
    let mut types = TypeSection::new();
    types.ty().function([], [I32]);
    types.ty().function([I32, I32], [I32]);
    types.ty().function([I32, I32], [I64]);
    types.ty().function([I32], []);
    types.ty().function([I64, I32, I32], [I64]);
    types.ty().function([I64, I64, I64], []);
    let mut imports = ImportSection::new();
    imports.import("env", "action_data_size", EntityType::Function(0));
    imports.import("env", "read_action_data", EntityType::Function(1));
    for call in calls {
        let kind = match call {
            Call::SetProducers => 2,
            Call::Preactivate => 3,
            Call::SetProducersEx => 4,
        };
        imports.import("env", call.import(), EntityType::Function(kind));
    }
    let mut functions = FunctionSection::new();
    functions.function(5);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("apply", ExportKind::Func, 2 + calls.len() as u32);
    exports.export("memory", ExportKind::Memory, 0);
    let mut apply = Function::new([(1, I32)]);
    let size = I::LocalGet(3);
    for at in [I::Call(0), I::LocalSet(3), I::I32Const(DATA), size.clone(), I::Call(1), I::Drop] {
        apply.instruction(&at);
    }
    for (index, call) in calls.iter().enumerate() {
        for at in [I::LocalGet(2), I::I64Const(call.action()), I::I64Eq, I::If(BlockType::Empty)] {
            apply.instruction(&at);
        }
        let host = I::Call(2 + index as u32);
        let body = match call {
            Call::SetProducers => vec![I::I32Const(DATA), size.clone(), host, I::Drop],
            Call::Preactivate => vec![I::I32Const(DATA), host],
            Call::SetProducersEx => vec![I::I64Const(1), I::I32Const(DATA), size.clone(), host, I::Drop],
        };
        body.iter().chain([&I::End]).for_each(|at| {
            apply.instruction(at);
        });
    }
    apply.instruction(&I::End);
    let mut codes = CodeSection::new();
    codes.function(&apply);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories).section(&exports).section(&codes);
    module.finish()
}
