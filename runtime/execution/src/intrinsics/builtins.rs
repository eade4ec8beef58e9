//! Compiler builtins: 128-bit integers and long doubles (leap webassembly/compiler_builtins.cpp).

mod long_double;

use long_double::{Operation, Relation};
use primitives::ensure;
use wasm::{F32, F64, Intrinsics, LegacyPtr, Memory};

use crate::fault::Outcome;
use crate::world::World;

pub(super) fn register(table: &mut Intrinsics<World>) {
    integers(table);
    long_doubles(table);
    conversions(table);
    comparisons(table);
}

fn wide(low: u64, high: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// Adds a function of two 128-bit numbers whose result goes to memory.
macro_rules! binary {
    ($table:ident, $name:literal, |$left:ident, $right:ident| $result:expr) => {
        $table.context_free(
            $name,
            |_: &mut World, memory: &mut Memory<'_>, to: LegacyPtr<u128>, al: u64, ah: u64, bl: u64, bh: u64| {
                let ($left, $right) = (wide(al, ah), wide(bl, bh));
                let result: Outcome<u128> = $result;
                to.write(memory, result?);
                Ok(())
            },
        )
    };
}

/// Adds a function whose 128-bit result goes to memory.
macro_rules! to_memory {
    ($table:ident, $name:literal, |$($argument:ident: $type:ty),*| $result:expr) => {
        $table.context_free($name, |_: &mut World, memory: &mut Memory<'_>, to: LegacyPtr<u128>, $($argument: $type),*| {
            to.write(memory, $result);
            Ok(())
        })
    };
}

/// Adds a function whose result is a WASM value.
macro_rules! value {
    ($table:ident, $name:literal, |$($argument:ident: $type:ty),*| $result:expr) => {
        $table.context_free($name, |_: &mut World, _: &mut Memory<'_>, $($argument: $type),*| Ok($result))
    };
}

fn not_zero(divisor: u128) -> Outcome<u128> {
    ensure!(divisor != 0, ARITHMETIC_EXCEPTION, "divide by zero");
    Ok(divisor)
}

fn integers(table: &mut Intrinsics<World>) {
    // fc's 128-bit shifts give zero for what is shifted out; the signed one is the processor's.
    to_memory!(table, "__ashlti3", |low: u64, high: u64, shift: u32| shift_left(wide(low, high), shift));
    to_memory!(table, "__ashrti3", |low: u64, high: u64, shift: u32| {
        (wide(low, high) as i128).wrapping_shr(shift) as u128
    });
    to_memory!(table, "__lshlti3", |low: u64, high: u64, shift: u32| shift_left(wide(low, high), shift));
    to_memory!(table, "__lshrti3", |low: u64, high: u64, shift: u32| shift_right(wide(low, high), shift));
    binary!(table, "__divti3", |a, b| Ok((a as i128).wrapping_div(not_zero(b)? as i128) as u128));
    binary!(table, "__udivti3", |a, b| Ok(a / not_zero(b)?));
    binary!(table, "__multi3", |a, b| Ok(a.wrapping_mul(b)));
    binary!(table, "__modti3", |a, b| Ok((a as i128).wrapping_rem(not_zero(b)? as i128) as u128));
    binary!(table, "__umodti3", |a, b| Ok(a % not_zero(b)?));
}

fn shift_left(value: u128, shift: u32) -> u128 {
    value.checked_shl(shift).unwrap_or(0)
}

fn shift_right(value: u128, shift: u32) -> u128 {
    value.checked_shr(shift).unwrap_or(0)
}

fn long_doubles(table: &mut Intrinsics<World>) {
    binary!(table, "__addtf3", |a, b| Ok(long_double::arithmetic(Operation::Add, a, b)));
    binary!(table, "__subtf3", |a, b| Ok(long_double::arithmetic(Operation::Subtract, a, b)));
    binary!(table, "__multf3", |a, b| Ok(long_double::arithmetic(Operation::Multiply, a, b)));
    binary!(table, "__divtf3", |a, b| Ok(long_double::arithmetic(Operation::Divide, a, b)));
    to_memory!(table, "__negtf2", |low: u64, high: u64| wide(low, high) ^ 1 << 127);
}

fn conversions(table: &mut Intrinsics<World>) {
    to_memory!(table, "__extendsftf2", |value: F32| long_double::from_f32(value.0));
    to_memory!(table, "__extenddftf2", |value: F64| long_double::from_f64(value.0));
    value!(table, "__trunctfdf2", |low: u64, high: u64| F64(long_double::to_f64(wide(low, high))));
    value!(table, "__trunctfsf2", |low: u64, high: u64| F32(long_double::to_f32(wide(low, high))));
    value!(table, "__fixtfsi", |low: u64, high: u64| long_double::to_signed(wide(low, high), 32) as i32);
    value!(table, "__fixtfdi", |low: u64, high: u64| long_double::to_signed(wide(low, high), 64));
    to_memory!(table, "__fixtfti", |low: u64, high: u64| long_double::QUADRUPLE.to_i128(wide(low, high)) as u128);
    value!(table, "__fixunstfsi", |low: u64, high: u64| long_double::to_unsigned(wide(low, high), 32) as u32);
    value!(table, "__fixunstfdi", |low: u64, high: u64| long_double::to_unsigned(wide(low, high), 64));
    to_memory!(table, "__fixunstfti", |low: u64, high: u64| long_double::QUADRUPLE.to_u128(wide(low, high)));
    to_memory!(table, "__fixsfti", |value: F32| long_double::SINGLE.to_i128(u128::from(value.0)) as u128);
    to_memory!(table, "__fixdfti", |value: F64| long_double::DOUBLE.to_i128(u128::from(value.0)) as u128);
    to_memory!(table, "__fixunssfti", |value: F32| long_double::SINGLE.to_u128(u128::from(value.0)));
    to_memory!(table, "__fixunsdfti", |value: F64| long_double::DOUBLE.to_u128(u128::from(value.0)));
    value!(table, "__floatsidf", |value: i32| F64(f64::from(value).to_bits()));
    to_memory!(table, "__floatsitf", |value: i32| long_double::from_integer(i128::from(value)));
    to_memory!(table, "__floatditf", |value: i64| long_double::from_integer(i128::from(value)));
    to_memory!(table, "__floatunsitf", |value: u32| long_double::from_integer(i128::from(value)));
    to_memory!(table, "__floatunditf", |value: u64| long_double::from_integer(i128::from(value)));
    value!(table, "__floattidf", |low: u64, high: u64| F64((wide(low, high) as i128 as f64).to_bits()));
    value!(table, "__floatuntidf", |low: u64, high: u64| F64((wide(low, high) as f64).to_bits()));
}

/// Adds a comparison of two long doubles with its result where one is a NaN.
macro_rules! comparison {
    ($table:ident, $name:literal, $if_nan:literal) => {
        value!($table, $name, |al: u64, ah: u64, bl: u64, bh: u64| {
            match long_double::compare(wide(al, ah), wide(bl, bh)) {
                Relation::Less => -1,
                Relation::Equal => 0,
                Relation::Greater => 1,
                Relation::Unordered => $if_nan,
            }
        })
    };
}

fn comparisons(table: &mut Intrinsics<World>) {
    comparison!(table, "__cmptf2", 1_i32);
    comparison!(table, "__eqtf2", 1_i32);
    comparison!(table, "__netf2", 1_i32);
    comparison!(table, "__getf2", -1_i32);
    comparison!(table, "__gttf2", 0_i32);
    comparison!(table, "__letf2", 1_i32);
    comparison!(table, "__lttf2", 0_i32);
    value!(table, "__unordtf2", |al: u64, ah: u64, bl: u64, bh: u64| {
        i32::from(long_double::compare(wide(al, ah), wide(bl, bh)) == Relation::Unordered)
    });
}
