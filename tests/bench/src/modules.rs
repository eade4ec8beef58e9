//! Modules that are slow to compile.

use wasm_encoder::{
    BlockType, CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, TypeSection, ValType,
};

const APPLY: [ValType; 3] = [ValType::I64; 3];

/// Functions without parameters, and `apply`, which calls all of them.
fn module(functions: Vec<Function>) -> Vec<u8> {
    let (mut types, mut declared, mut exports, mut code) =
        (TypeSection::new(), FunctionSection::new(), ExportSection::new(), CodeSection::new());
    types.ty().function(APPLY, []);
    types.ty().function([], []);
    let mut apply = Function::new([]);
    for index in 0..functions.len() {
        declared.function(1);
        apply.instructions().call(u32::try_from(index).unwrap_or(u32::MAX));
    }
    apply.instructions().end();
    declared.function(0);
    exports.export("apply", ExportKind::Func, u32::try_from(functions.len()).unwrap_or(u32::MAX));
    for function in functions.iter().chain([&apply]) {
        code.function(function);
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&exports).section(&code);
    module.finish()
}

/// Functions of about 800 bytes without a jump.
pub fn long_functions(functions: u32) -> Vec<u8> {
    let one = |number: u32| {
        let mut function = Function::new([(5, ValType::I64)]);
        let mut code = function.instructions();
        for step in 0..60 {
            let (to, from) = (1 + step % 4, (step + number) % 5);
            code.local_get(from).local_get(0).i64_mul().i64_const(i64::from(number * 1000 + step + 1_000_000));
            code.i64_xor().local_set(to);
        }
        code.end();
        function
    };
    module((0..functions).map(one).collect())
}

/// Functions that do nothing.
pub fn small_functions(functions: u32) -> Vec<u8> {
    let one = |number: u32| {
        let mut function = Function::new([]);
        function.instructions().i32_const(number.cast_signed()).drop().end();
        function
    };
    module((0..functions).map(one).collect())
}

/// Functions with a jump table out of 64 blocks.
pub fn jump_tables(functions: u32, targets: u32) -> Vec<u8> {
    let one = |number: u32| {
        let mut function = Function::new([]);
        let labels: Vec<u32> = (0..targets).map(|target| target % 64).collect();
        let mut code = function.instructions();
        for _ in 0..64 {
            code.block(BlockType::Empty);
        }
        code.i32_const(number.cast_signed()).br_table(labels, 0);
        for _ in 0..=64 {
            code.end();
        }
        function
    };
    module((0..functions).map(one).collect())
}
