//! Exact floats: which NaN comes out of an operation. Everything else is what the hardware does.
//!
//! nodeos runs Berkeley softfloat with the 8086-SSE rules: the first NaN operand made quiet, else the negative
//! default NaN; `min`, `max` and rounding hand the operand on as it is (leap webassembly/softfloat.cpp).

use crate::args::ValueType;
use wasm_encoder::{Function, Instruction, ValType};

/// A function added to the module, called only where a NaN came out.
pub struct Helper {
    /// Its parameters.
    pub params: &'static [ValueType],
    /// Its result.
    pub result: ValueType,
    /// Its code.
    pub body: fn() -> Function,
}

/// Index of the helper `(f32, f32) -> f32`: the NaN of an operation on two operands.
pub const NAN_F32: u32 = 0;
/// The same for `f64`.
pub const NAN_F64: u32 = 1;
/// Index of the helper `f32 -> f64` that widens a NaN.
pub const PROMOTE_NAN: u32 = 2;
/// Index of the helper `f64 -> f32` that narrows a NaN.
pub const DEMOTE_NAN: u32 = 3;

/// The helpers, by index.
pub const HELPERS: [Helper; 4] = [
    Helper { params: &[ValueType::F32, ValueType::F32], result: ValueType::F32, body: nan_f32 },
    Helper { params: &[ValueType::F64, ValueType::F64], result: ValueType::F64, body: nan_f64 },
    Helper { params: &[ValueType::F32], result: ValueType::F64, body: promote_nan },
    Helper { params: &[ValueType::F64], result: ValueType::F32, body: demote_nan },
];

const QUIET_F32: i32 = 0x0040_0000;
const QUIET_F64: i64 = 0x0008_0000_0000_0000;

fn function(instructions: &[Instruction<'_>]) -> Function {
    let mut function = Function::new([]);
    for instruction in instructions {
        function.instruction(instruction);
    }
    function.instruction(&Instruction::End);
    function
}

fn nan_f32() -> Function {
    use Instruction::{F32Ne, F32ReinterpretI32, I32Const, I32Or, I32ReinterpretF32, LocalGet, Return};
    let mut code = Vec::new();
    for operand in [0, 1] {
        code.extend([LocalGet(operand), LocalGet(operand), F32Ne, Instruction::If(wasm_encoder::BlockType::Empty)]);
        code.extend([LocalGet(operand), I32ReinterpretF32, I32Const(QUIET_F32), I32Or, F32ReinterpretI32, Return]);
        code.push(Instruction::End);
    }
    code.extend([I32Const(0xffc0_0000_u32 as i32), F32ReinterpretI32]);
    function(&code)
}

fn nan_f64() -> Function {
    use Instruction::{F64Ne, F64ReinterpretI64, I64Const, I64Or, I64ReinterpretF64, LocalGet, Return};
    let mut code = Vec::new();
    for operand in [0, 1] {
        code.extend([LocalGet(operand), LocalGet(operand), F64Ne, Instruction::If(wasm_encoder::BlockType::Empty)]);
        code.extend([LocalGet(operand), I64ReinterpretF64, I64Const(QUIET_F64), I64Or, F64ReinterpretI64, Return]);
        code.push(Instruction::End);
    }
    code.extend([I64Const(0xfff8_0000_0000_0000_u64 as i64), F64ReinterpretI64]);
    function(&code)
}

/// Sign, quiet bit and the payload in the upper bits.
fn promote_nan() -> Function {
    use Instruction::{F64ReinterpretI64, I64And, I64Const, I64ExtendI32U, I64Or, I64Shl, LocalGet};
    let bits = [LocalGet(0), Instruction::I32ReinterpretF32, I64ExtendI32U];
    let mut code = bits.to_vec();
    code.extend([I64Const(0x8000_0000), I64And, I64Const(32), I64Shl]);
    code.extend(bits);
    code.extend([I64Const(0x007f_ffff), I64And, I64Const(29), I64Shl, I64Or]);
    code.extend([I64Const(0x7ff8_0000_0000_0000), I64Or, F64ReinterpretI64]);
    function(&code)
}

/// Sign, quiet bit and the upper bits of the payload.
fn demote_nan() -> Function {
    use Instruction::{F32ReinterpretI32, I32And, I32Const, I32Or, I32WrapI64, I64Const, I64ShrU, LocalGet};
    let bits = [LocalGet(0), Instruction::I64ReinterpretF64];
    let mut code = bits.to_vec();
    code.extend([I64Const(32), I64ShrU, I32WrapI64, I32Const(0x8000_0000_u32 as i32), I32And]);
    code.extend(bits);
    code.extend([I64Const(29), I64ShrU, I32WrapI64, I32Const(0x007f_ffff), I32And, I32Or]);
    code.extend([I32Const(0x7fc0_0000), I32Or, F32ReinterpretI32]);
    function(&code)
}

/// What an operation needs besides the hardware's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Nothing: comparisons, sign operations, conversions from integers, loads.
    Hardware,
    /// Two operands of this type; a NaN result comes from the helper.
    Binary(ValueType),
    /// `min` and `max`: a NaN operand comes out as it is, the first one first.
    Select(ValueType),
    /// Rounding: a NaN comes out as it is.
    Round(ValueType),
    /// `sqrt`: a NaN is made quiet, a negative number gives the default NaN.
    Sqrt(ValueType),
    /// `f64.promote_f32`.
    Promote,
    /// `f32.demote_f64`.
    Demote,
    /// To an integer: traps unless the operand lies within.
    Truncate(ValueType, Range),
}

/// Operands that can become an integer: from `low` (or above it) to below `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Lower bound.
    pub low: f64,
    /// Whether `low` itself is within.
    pub low_within: bool,
    /// First number that is not.
    pub high: f64,
}

impl Range {
    /// Whether a number lies within; a NaN does not.
    pub fn contains(self, number: f64) -> bool {
        let above = if self.low_within { number >= self.low } else { number > self.low };
        above && number < self.high
    }
}

/// What becomes an `i32`.
pub const I32_RANGE: Range = Range { low: -2_147_483_648.0, low_within: true, high: 2_147_483_648.0 };
/// What becomes an `u32`.
pub const U32_RANGE: Range = Range { low: -1.0, low_within: false, high: 4_294_967_296.0 };
/// What becomes an `i64`.
pub const I64_RANGE: Range =
    Range { low: -9_223_372_036_854_775_808.0, low_within: true, high: 9_223_372_036_854_775_808.0 };
/// What becomes an `u64`.
pub const U64_RANGE: Range = Range { low: -1.0, low_within: false, high: 18_446_744_073_709_551_616.0 };

/// The rule of an instruction without immediates.
pub fn rule(opcode: u8) -> Rule {
    use ValueType::{F32, F64};
    match opcode {
        0x8d..=0x90 => Rule::Round(F32),
        0x91 => Rule::Sqrt(F32),
        0x92..=0x95 => Rule::Binary(F32),
        0x96 | 0x97 => Rule::Select(F32),
        0x9b..=0x9e => Rule::Round(F64),
        0x9f => Rule::Sqrt(F64),
        0xa0..=0xa3 => Rule::Binary(F64),
        0xa4 | 0xa5 => Rule::Select(F64),
        0xa8 => Rule::Truncate(F32, I32_RANGE),
        0xa9 => Rule::Truncate(F32, U32_RANGE),
        0xaa => Rule::Truncate(F64, I32_RANGE),
        0xab => Rule::Truncate(F64, U32_RANGE),
        0xae => Rule::Truncate(F32, I64_RANGE),
        0xaf => Rule::Truncate(F32, U64_RANGE),
        0xb0 => Rule::Truncate(F64, I64_RANGE),
        0xb1 => Rule::Truncate(F64, U64_RANGE),
        0xb6 => Rule::Demote,
        0xbb => Rule::Promote,
        _ => Rule::Hardware,
    }
}

/// Encoded type of a local.
pub fn local_type(value: ValueType) -> ValType {
    super::val_type(value)
}
