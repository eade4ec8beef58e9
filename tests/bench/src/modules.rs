//! Modules that benchmarks make: slow ones, and one that stores rows.

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    InstructionSink, MemArg, MemorySection, MemoryType, Module, TypeSection, ValType,
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

/// `nested` loops in each function, over `locals` locals: for a compiler that asks at each loop what each local is, this
/// is much.
pub fn nested_loops(functions: u32, nested: u32, locals: u32) -> Vec<u8> {
    let one = |number: u32| {
        let mut function = Function::new([(locals, ValType::I64)]);
        let mut code = function.instructions();
        for _ in 0..nested {
            code.loop_(BlockType::Empty);
        }
        for nest in 0..nested {
            let [a, b, c, d] = [7, 11, 13, 17].map(|step| (nest * step + number) % locals);
            code.local_get(a).local_get(b).i64_add().local_set(c);
            code.local_get(d).i32_wrap_i64().br_if(0).end();
        }
        code.end();
        function
    };
    module((0..functions).map(one).collect())
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

/// A contract that stores `count` rows of 24 bytes whose keys begin with the number in the action's data, and rewrites
/// those that are there.
pub fn rows(count: usize) -> Vec<u8> {
    const ME: u32 = 0;
    const KEY: u32 = 3;
    const END: u32 = 4;
    const ROW: u32 = 5;
    let number = MemArg { offset: 0, align: 3, memory_index: 0 };
    let (mut types, mut imports, mut declared) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
    types.ty().function(APPLY, []);
    types
        .ty()
        .function([ValType::I64, ValType::I64, ValType::I64, ValType::I64, ValType::I32, ValType::I32], [ValType::I32]);
    types.ty().function([ValType::I64; 4], [ValType::I32]);
    types.ty().function([ValType::I32, ValType::I64, ValType::I32, ValType::I32], []);
    types.ty().function([ValType::I32; 2], [ValType::I32]);
    let [store, find, update, read] = [0, 1, 2, 3];
    for (name, kind) in [("db_store_i64", 1), ("db_find_i64", 2), ("db_update_i64", 3), ("read_action_data", 4)] {
        imports.import("env", name, EntityType::Function(kind));
    }
    declared.function(0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("apply", ExportKind::Func, 4);
    let mut apply = Function::new([(2, ValType::I64), (1, ValType::I32)]);
    let mut code: InstructionSink<'_> = apply.instructions();
    code.i32_const(0).i32_const(16).call(read).drop();
    code.i32_const(0)
        .i64_load(number)
        .local_tee(KEY)
        .i64_const(i64::try_from(count).unwrap_or(0))
        .i64_add()
        .local_set(END);
    code.loop_(BlockType::Empty);
    code.local_get(ME).local_get(ME).i64_const(1).local_get(KEY).call(find).local_tee(ROW).i32_const(0).i32_lt_s();
    code.if_(BlockType::Empty);
    code.local_get(ME).i64_const(1).local_get(ME).local_get(KEY).i32_const(0).i32_const(24).call(store).drop();
    code.else_();
    code.local_get(ROW).i64_const(0).i32_const(8).i32_const(24).call(update);
    code.end();
    code.local_get(KEY).i64_const(1).i64_add().local_tee(KEY).local_get(END).i64_lt_u().br_if(0).end().end();
    let mut bodies = CodeSection::new();
    bodies.function(&apply);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&declared).section(&memories).section(&exports).section(&bodies);
    module.finish()
}
