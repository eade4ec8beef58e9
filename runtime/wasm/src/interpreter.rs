//! The first tier: contracts as they are, interpreted. Code is ready at once, in time that grows with its length alone,
//! whatever it looks like; the optimised tier takes over where that pays.
//!
//! A function becomes a list of [`Step`]s over the slots of its frame: locals, then operands. Constants have slots of
//! their own in front of all frames. What a step reads is a local or a constant where it can be, so that most `local.get`
//! and `const` cost nothing.

mod float;
mod machine;
mod translate;

pub(crate) use machine::{Machine, Pause};
pub(crate) use translate::{Translator, translate};

use crate::intrinsics::Signature;

/// One instruction. A place is a slot of the frame, or of the constants where its lowest bit is set (see [`at`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// WebAssembly's opcode, or one of [`own`].
    op: u8,
    /// The place of the result, or as [`own`] says.
    a: u32,
    /// The first operand.
    b: u32,
    /// The second operand, or the offset of a memory access.
    c: u32,
}

/// Opcodes besides WebAssembly's.
mod own {
    /// Copies `b` to `a`.
    pub const COPY: u8 = 0xc0;
    /// Goes on at step `a`.
    pub const BRANCH: u8 = 0xc1;
    /// Goes on at step `a` if `b` is not 0.
    pub const BRANCH_IF: u8 = 0xc2;
    /// Goes on at step `a` if `b` is 0.
    pub const BRANCH_UNLESS: u8 = 0xc3;
    /// Goes on where the [`LABEL`] behind it says whose number `b` has, the last one for all above `c`. Copies `a` there.
    pub const BRANCH_TABLE: u8 = 0xc4;
    /// A label of a table: its step `a`, and the place `b` where it wants the value, unless that is [`super::NOWHERE`].
    pub const LABEL: u8 = 0xc5;
    /// Ends the function with `b`, unless that is [`super::NOWHERE`].
    pub const RETURN: u8 = 0xc6;
    /// Calls function `a` of the module, whose frame begins at slot `b`.
    pub const CALL: u8 = 0xc7;
    /// Calls the host's function `a`, whose arguments begin at slot `b`.
    pub const CALL_HOST: u8 = 0xc8;
    /// Calls what is at place `c` of the table, of type `a`; the arguments begin at slot `b`.
    pub const CALL_INDIRECT: u8 = 0xc9;
    /// `b` or `c`, by the [`CONDITION`] behind it.
    pub const SELECT: u8 = 0xca;
    /// Belongs to a [`SELECT`]: `b` is the condition.
    pub const CONDITION: u8 = 0xcb;
    /// Reads global `b`.
    pub const GLOBAL_GET: u8 = 0xcc;
    /// Sets global `a` to `b`.
    pub const GLOBAL_SET: u8 = 0xcd;
    /// A loop begins: the place where the time is looked at.
    pub const LOOP: u8 = 0xce;
    /// `memory.size`.
    pub const MEMORY_SIZE: u8 = 0xcf;
    /// `memory.grow` by `b`.
    pub const MEMORY_GROW: u8 = 0xd0;
    /// `unreachable`.
    pub const UNREACHABLE: u8 = 0xd1;

    /// WebAssembly's first comparison of two integers of 32 bits, and of 64; each is one of ten.
    const COMPARE: [u8; 2] = [0x46, 0x51];
    /// Goes on at step `a` if `b` and `c` compare as the instruction says: the first of ten, for either width.
    const BRANCH_COMPARE: [u8; 2] = [0xe0, 0xea];
    /// Which comparison is true where one is not, of each ten.
    const OPPOSITE: [u8; 10] = [1, 0, 8, 9, 6, 7, 4, 5, 2, 3];

    /// The branch that is taken if a comparison is true, or if it is not, as `when` says.
    pub fn branch(comparison: u8, when: bool) -> Option<u8> {
        COMPARE.into_iter().zip(BRANCH_COMPARE).find_map(|(first, branch)| {
            let number = comparison.checked_sub(first).filter(|number| *number < 10)?;
            Some(branch + if when { number } else { OPPOSITE[usize::from(number)] })
        })
    }
}

/// No place.
const NOWHERE: u32 = u32::MAX;
/// Places of a table that may be filled, as in the optimised tier; only a chain that allows far more than nodeos does by
/// itself has contracts with more, and these do not run.
const TABLE_MAX: usize = 10_000_000;
/// Slots that a frame can have; a function with more cannot be called.
const FRAME_SLOTS_MAX: u32 = 1 << 24;

/// The index of a place on a stack that begins with the constants, for the frame at `base`.
#[inline(always)]
fn at(place: u32, base: usize) -> usize {
    (place >> 1) as usize + (base & (place as usize & 1).wrapping_sub(1))
}

/// A translated function.
#[derive(Debug, Clone, Copy)]
struct Function {
    /// Its first step.
    entry: u32,
    /// Slots of its parameters.
    params: u32,
    /// Slots of its parameters and locals.
    locals: u32,
    /// Slots of its frame.
    slots: u32,
    /// Its type, the same number for equal ones.
    func_type: u32,
}

/// A translated module.
#[derive(Debug, Default)]
pub(crate) struct Code {
    steps: Vec<Step>,
    constants: Vec<u64>,
    /// The host's functions by name, the first function indices.
    pub imports: Vec<(String, Signature)>,
    import_types: Vec<u32>,
    functions: Vec<Function>,
    /// Function indices; what lies behind, and [`NOWHERE`], is empty.
    table: Vec<u32>,
    /// Slots of the globals at the beginning.
    globals: Vec<u64>,
    apply: Option<u32>,
    start: Option<u32>,
    bearable: bool,
    /// Whether it can be run at all.
    is_runnable: bool,
}

impl Code {
    /// Bytes of memory that it holds.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.steps)
            + size_of_val(&*self.constants)
            + size_of_val(&*self.functions)
            + size_of_val(&*self.table)
    }

    /// Whether it may be optimised.
    pub fn is_bearable(&self) -> bool {
        self.bearable
    }

    /// The start function.
    pub fn start(&self) -> Option<u32> {
        self.start
    }

    /// The contract's `apply`, where it has the right type and can be run.
    pub fn apply(&self) -> Option<u32> {
        self.apply.filter(|_| self.is_runnable)
    }
}
