//! Runs translated code until its host is needed.

use std::sync::atomic::{AtomicU64, Ordering};

use primitives::Fault;

use super::float::{self, Float};
use super::{Code, FRAME_SLOTS_MAX, Function, NOWHERE, at, own};
use crate::backtrace::{MARKS_MAX, Mark};
use crate::fault::{access_violation, system_failure};
use crate::linear::PAGE;
use crate::memory::CHUNK;
use crate::rewrite::float::{I32_RANGE, I64_RANGE, U32_RANGE, U64_RANGE};

/// Slots of all frames of a run: 256 MiB.
const STACK_SLOTS_MAX: usize = 32 << 20;
/// Calls at a time. A function without locals takes no room on the stack, and a chain may allow any number of calls.
const CALLS_MAX: usize = 1 << 20;
/// Callers for which room stays between runs.
const CALLERS_KEPT: usize = 1024;
/// Slots that stay between runs.
const STACK_SLOTS_KEPT: usize = 64 << 10;

/// Why code does not go on by itself.
#[derive(Debug)]
pub(crate) enum Pause {
    /// The function that was called first has ended.
    End,
    /// A trap.
    Trap(Fault),
    /// The time has come to look at the time.
    Tick,
    /// The host's function of this number is called; its arguments lie at [`Machine::slots`].
    Call(u32),
    /// The memory is to have more pages, or less; [`Machine::resume`] gives the answer.
    Grow(i32),
}

/// Who goes on when a function ends.
#[derive(Debug, Clone, Copy)]
struct Caller {
    step: usize,
    base: usize,
}

/// The state of a run: frames, globals, the place in the code.
#[derive(Debug)]
pub(crate) struct Machine {
    /// The code's constants, then frames.
    stack: Vec<u64>,
    callers: Vec<Caller>,
    globals: Vec<u64>,
    step: usize,
    base: usize,
    /// Calls that are left, the current one's not included.
    depth: u32,
    /// Where the host's answer goes.
    answer: usize,
    /// The tick at which the time is looked at.
    deadline: u64,
}

impl Machine {
    /// For runs of `code`.
    pub fn new(code: &Code) -> Self {
        Self {
            stack: code.constants.clone(),
            callers: Vec::new(),
            globals: Vec::new(),
            step: 0,
            base: code.constants.len(),
            depth: 0,
            answer: 0,
            deadline: 0,
        }
    }

    /// Bytes of memory that it holds.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.stack)
    }

    /// Globals as they are at the beginning.
    pub fn reset(&mut self, code: &Code) {
        self.globals.clear();
        self.globals.extend_from_slice(&code.globals);
    }

    /// Begins a function of the module, or the host's, with these arguments and as many calls left. Gives why it does not
    /// go on by itself, if so.
    pub fn begin(&mut self, code: &Code, function: u32, arguments: &[u64], depth: u32, tick: u64) -> Option<Pause> {
        self.callers.clear();
        self.base = code.constants.len();
        self.depth = depth;
        self.go_on(tick);
        let end = self.base + arguments.len().max(1);
        self.stack.resize(self.stack.len().max(end), 0);
        self.stack[self.base..][..arguments.len()].copy_from_slice(arguments);
        self.answer = self.base;
        match function.checked_sub(code.imports.len() as u32) {
            Some(function) => self.enter(&code.functions[function as usize], 0),
            None => Some(Pause::Call(function)),
        }
    }

    /// Whether the function that was called first has ended, or is the host's.
    pub fn has_ended(&self) -> bool {
        self.callers.is_empty()
    }

    /// After a run: gives memory back that a run which needs much would keep.
    pub fn give_back(&mut self, code: &Code) {
        let kept = code.constants.len() + STACK_SLOTS_KEPT;
        if self.stack.len() > kept {
            self.stack.truncate(kept);
            self.stack.shrink_to_fit();
        }
        self.callers.clear();
        self.callers.shrink_to(CALLERS_KEPT);
    }

    /// The functions that have not ended, innermost first.
    pub fn marks(&self, code: &Code) -> Vec<Mark> {
        // The first caller is whoever began.
        let Some((_, callers)) = self.callers.split_first() else { return Vec::new() };
        let number = |step: usize| code.functions.partition_point(|function| function.entry as usize <= step) - 1;
        // The step that goes on is behind the current one, unless its function has just begun: each ends with a return.
        let begins = code.functions[number(self.step)].entry as usize == self.step;
        let here = if begins { self.step } else { self.step - 1 };
        let steps = std::iter::once(here).chain(callers.iter().rev().map(|caller| caller.step - 1));
        steps.take(MARKS_MAX).map(|step| Mark { function: number(step) as u32, place: step as u32 }).collect()
    }

    /// Arguments of the host's function, and the place of its result.
    pub fn slots(&mut self, count: usize) -> &mut [u64] {
        &mut self.stack[self.answer..][..count]
    }

    /// Answers [`Pause::Grow`].
    pub fn resume(&mut self, answer: i32) {
        self.stack[self.answer] = u64::from(answer as u32);
    }

    /// Answers [`Pause::Tick`].
    pub fn go_on(&mut self, tick: u64) {
        self.deadline = tick + 1;
    }

    /// Calls a function whose arguments begin at a slot of the current frame.
    #[inline]
    fn call(&mut self, code: &Code, index: u32, slot: u32) -> Option<Pause> {
        let imports = code.imports.len();
        if (index as usize) < imports {
            return Some(self.call_host(index, slot));
        }
        self.enter(&code.functions[index as usize - imports], slot)
    }

    fn call_host(&mut self, import: u32, slot: u32) -> Pause {
        if self.depth == 1 {
            return Pause::Trap(system_failure());
        }
        self.answer = self.base + slot as usize;
        Pause::Call(import)
    }

    #[inline]
    fn enter(&mut self, function: &Function, slot: u32) -> Option<Pause> {
        if self.depth <= 1 || function.slots > FRAME_SLOTS_MAX || self.callers.len() >= CALLS_MAX {
            return Some(Pause::Trap(system_failure()));
        }
        self.callers.push(Caller { step: self.step, base: self.base });
        self.base += slot as usize;
        let end = self.base + function.slots as usize;
        if end > self.stack.len() {
            if end > STACK_SLOTS_MAX {
                return Some(Pause::Trap(system_failure()));
            }
            self.stack.resize(end.max(2 * self.stack.len()), 0);
        }
        self.stack[self.base + function.params as usize..self.base + function.locals as usize].fill(0);
        self.depth -= 1;
        self.step = function.entry as usize;
        None
    }

    /// Goes on until something else has to be done. `memory` are the accessible bytes, `notes` say which chunks of them
    /// were written to, `clock` counts ticks.
    #[expect(clippy::too_many_lines, reason = "one arm per instruction")]
    pub fn go(&mut self, code: &Code, memory: &mut [u8], notes: &mut [u8], clock: &AtomicU64) -> Pause {
        let steps = &*code.steps;
        let deadline = self.deadline;
        let (mut next, mut base, mut stack) = (self.step, self.base, &mut *self.stack);
        macro_rules! pause {
            ($pause:expr) => {{
                let pause = $pause;
                (self.step, self.base) = (next, base);
                return pause;
            }};
        }
        // Leaves the frame for a call, and goes on in the new one.
        macro_rules! enter {
            ($call:expr) => {{
                (self.step, self.base) = (next, base);
                if let Some(pause) = $call {
                    return pause;
                }
                (next, base, stack) = (self.step, self.base, &mut *self.stack);
                if clock.load(Ordering::Relaxed) >= deadline {
                    pause!(Pause::Tick);
                }
            }};
        }
        loop {
            let step = steps[next];
            next += 1;
            macro_rules! get {
                ($place:expr) => {
                    stack[at($place, base)]
                };
            }
            macro_rules! give {
                ($value:expr) => {{
                    let value: u64 = $value;
                    stack[base + (step.a >> 1) as usize] = value;
                }};
            }
            // Operands and results of each type as they lie in slots.
            macro_rules! int {
                (i32, $place:expr) => {
                    get!($place) as i32
                };
                (u32, $place:expr) => {
                    get!($place) as u32
                };
                (i64, $place:expr) => {
                    get!($place) as i64
                };
                (u64, $place:expr) => {
                    get!($place)
                };
            }
            macro_rules! compare {
                ($type:ident, $operator:tt) => {
                    give!(u64::from(int!($type, step.b) $operator int!($type, step.c)))
                };
            }
            macro_rules! compare_floats {
                ($type:ty, $operator:tt) => {
                    give!(u64::from(<$type>::of(get!(step.b)) $operator <$type>::of(get!(step.c))))
                };
            }
            macro_rules! binary {
                ($type:ident, |$left:ident, $right:ident| $result:expr) => {{
                    let ($left, $right) = (int!($type, step.b), int!($type, step.c));
                    give!(slot($result))
                }};
            }
            macro_rules! unary {
                ($type:ident, |$operand:ident| $result:expr) => {{
                    let $operand = int!($type, step.b);
                    give!(slot($result))
                }};
            }
            macro_rules! divide {
                ($type:ident, $operation:ident) => {{
                    let (left, right) = (int!($type, step.b), int!($type, step.c));
                    match left.$operation(right) {
                        Some(result) => give!(slot(result)),
                        None => pause!(Pause::Trap(access_violation())),
                    }
                }};
            }
            macro_rules! remainder {
                ($type:ident) => {{
                    let (left, right) = (int!($type, step.b), int!($type, step.c));
                    if right == 0 {
                        pause!(Pause::Trap(access_violation()));
                    }
                    give!(slot(left.wrapping_rem(right)))
                }};
            }
            macro_rules! float_binary {
                ($type:ty, $operation:expr) => {
                    give!(float::binary(<$type>::of(get!(step.b)), <$type>::of(get!(step.c)), $operation))
                };
            }
            macro_rules! float_select {
                ($type:ty, $greatest:expr) => {
                    give!(float::select(<$type>::of(get!(step.b)), <$type>::of(get!(step.c)), $greatest))
                };
            }
            macro_rules! float_round {
                ($type:ty, $operation:expr) => {
                    give!(float::round(<$type>::of(get!(step.b)), $operation))
                };
            }
            macro_rules! sign {
                ($mask:expr, |$bits:ident, $sign:ident| $result:expr) => {{
                    let ($bits, $sign) = (get!(step.b), $mask);
                    give!($result)
                }};
            }
            // To an integer, if the operand lies within.
            macro_rules! truncate {
                ($type:ty as $to:ident, $range:expr) => {{
                    let operand = <$type>::of(get!(step.b));
                    if !$range.contains(f64::from(operand)) {
                        pause!(Pause::Trap(system_failure()));
                    }
                    give!(slot(operand as $to))
                }};
            }
            macro_rules! convert {
                ($type:ident as $to:ty) => {
                    give!((int!($type, step.b) as $to).slot())
                };
            }
            macro_rules! load {
                ($type:ty as $value:ty) => {{
                    let address = (get!(step.b) as u32) as usize + step.c as usize;
                    match read::<{ size_of::<$type>() }>(memory, address) {
                        Some(bytes) => give!(slot(<$type>::from_le_bytes(bytes) as $value)),
                        None => pause!(Pause::Trap(access_violation())),
                    }
                }};
            }
            macro_rules! store {
                ($type:ty) => {{
                    let (value, address) = (get!(step.a), (get!(step.b) as u32) as usize + step.c as usize);
                    let bytes = (value as $type).to_le_bytes();
                    if !write(memory, notes, address, bytes) {
                        pause!(Pause::Trap(access_violation()));
                    }
                }};
            }
            macro_rules! branch {
                () => {
                    next = step.a as usize
                };
            }
            macro_rules! branch_if {
                ($type:ident, $operator:tt) => {
                    if int!($type, step.b) $operator int!($type, step.c) {
                        branch!();
                    }
                };
            }
            match step.op {
                own::COPY => give!(get!(step.b)),
                own::BRANCH => branch!(),
                own::BRANCH_IF => {
                    if get!(step.b) as u32 != 0 {
                        branch!();
                    }
                }
                own::BRANCH_UNLESS => {
                    if get!(step.b) as u32 == 0 {
                        branch!();
                    }
                }
                own::BRANCH_TABLE => {
                    let number = (get!(step.b) as u32).min(step.c);
                    let label = steps[next + number as usize];
                    if label.b != NOWHERE {
                        stack[base + (label.b >> 1) as usize] = get!(step.a);
                    }
                    next = label.a as usize;
                }
                own::LOOP => {
                    if clock.load(Ordering::Relaxed) >= deadline {
                        pause!(Pause::Tick);
                    }
                }
                own::RETURN => {
                    if step.b != NOWHERE {
                        stack[base] = get!(step.b);
                    }
                    self.depth += 1;
                    let Some(caller) = self.callers.pop() else { pause!(Pause::Trap(system_failure())) };
                    (next, base) = (caller.step, caller.base);
                    if self.callers.is_empty() {
                        pause!(Pause::End);
                    }
                }
                own::CALL => enter!(self.enter(&code.functions[step.a as usize], step.b)),
                own::CALL_HOST => {
                    (self.step, self.base) = (next, base);
                    return self.call_host(step.a, step.b);
                }
                own::CALL_INDIRECT => {
                    let place = get!(step.c) as u32 as usize;
                    let Some(index) = code.function_of_type(place, step.a) else {
                        pause!(Pause::Trap(system_failure()))
                    };
                    enter!(self.call(code, index, step.b));
                }
                own::SELECT => {
                    let condition = steps[next].b;
                    next += 1;
                    give!(if get!(condition) as u32 != 0 { get!(step.b) } else { get!(step.c) });
                }
                own::GLOBAL_GET => give!(self.globals[step.b as usize]),
                own::GLOBAL_SET => self.globals[step.a as usize] = get!(step.b),
                own::MEMORY_SIZE => give!((memory.len() / PAGE) as u64),
                own::MEMORY_GROW => {
                    self.answer = base + (step.a >> 1) as usize;
                    pause!(Pause::Grow(get!(step.b) as i32));
                }
                own::UNREACHABLE => pause!(Pause::Trap(system_failure())),

                0xe0 => branch_if!(u32, ==),
                0xe1 => branch_if!(u32, !=),
                0xe2 => branch_if!(i32, <),
                0xe3 => branch_if!(u32, <),
                0xe4 => branch_if!(i32, >),
                0xe5 => branch_if!(u32, >),
                0xe6 => branch_if!(i32, <=),
                0xe7 => branch_if!(u32, <=),
                0xe8 => branch_if!(i32, >=),
                0xe9 => branch_if!(u32, >=),
                0xea => branch_if!(u64, ==),
                0xeb => branch_if!(u64, !=),
                0xec => branch_if!(i64, <),
                0xed => branch_if!(u64, <),
                0xee => branch_if!(i64, >),
                0xef => branch_if!(u64, >),
                0xf0 => branch_if!(i64, <=),
                0xf1 => branch_if!(u64, <=),
                0xf2 => branch_if!(i64, >=),
                0xf3 => branch_if!(u64, >=),

                0x28 => load!(u32 as u32),
                0x29 => load!(u64 as u64),
                0x2a => load!(u32 as u32),
                0x2b => load!(u64 as u64),
                0x2c => load!(i8 as i32),
                0x2d => load!(u8 as u32),
                0x2e => load!(i16 as i32),
                0x2f => load!(u16 as u32),
                0x30 => load!(i8 as i64),
                0x31 => load!(u8 as u64),
                0x32 => load!(i16 as i64),
                0x33 => load!(u16 as u64),
                0x34 => load!(i32 as i64),
                0x35 => load!(u32 as u64),
                0x36 | 0x38 | 0x3e => store!(u32),
                0x37 | 0x39 => store!(u64),
                0x3a | 0x3c => store!(u8),
                0x3b | 0x3d => store!(u16),

                0x45 => unary!(u32, |operand| u32::from(operand == 0)),
                0x46 => compare!(u32, ==),
                0x47 => compare!(u32, !=),
                0x48 => compare!(i32, <),
                0x49 => compare!(u32, <),
                0x4a => compare!(i32, >),
                0x4b => compare!(u32, >),
                0x4c => compare!(i32, <=),
                0x4d => compare!(u32, <=),
                0x4e => compare!(i32, >=),
                0x4f => compare!(u32, >=),
                0x50 => unary!(u64, |operand| u32::from(operand == 0)),
                0x51 => compare!(u64, ==),
                0x52 => compare!(u64, !=),
                0x53 => compare!(i64, <),
                0x54 => compare!(u64, <),
                0x55 => compare!(i64, >),
                0x56 => compare!(u64, >),
                0x57 => compare!(i64, <=),
                0x58 => compare!(u64, <=),
                0x59 => compare!(i64, >=),
                0x5a => compare!(u64, >=),
                0x5b => compare_floats!(f32, ==),
                0x5c => compare_floats!(f32, !=),
                0x5d => compare_floats!(f32, <),
                0x5e => compare_floats!(f32, >),
                0x5f => compare_floats!(f32, <=),
                0x60 => compare_floats!(f32, >=),
                0x61 => compare_floats!(f64, ==),
                0x62 => compare_floats!(f64, !=),
                0x63 => compare_floats!(f64, <),
                0x64 => compare_floats!(f64, >),
                0x65 => compare_floats!(f64, <=),
                0x66 => compare_floats!(f64, >=),

                0x67 => unary!(u32, |operand| operand.leading_zeros()),
                0x68 => unary!(u32, |operand| operand.trailing_zeros()),
                0x69 => unary!(u32, |operand| operand.count_ones()),
                0x6a => binary!(u32, |left, right| left.wrapping_add(right)),
                0x6b => binary!(u32, |left, right| left.wrapping_sub(right)),
                0x6c => binary!(u32, |left, right| left.wrapping_mul(right)),
                0x6d => divide!(i32, checked_div),
                0x6e => divide!(u32, checked_div),
                0x6f => remainder!(i32),
                0x70 => remainder!(u32),
                0x71 => binary!(u32, |left, right| left & right),
                0x72 => binary!(u32, |left, right| left | right),
                0x73 => binary!(u32, |left, right| left ^ right),
                0x74 => binary!(u32, |left, right| left.wrapping_shl(right)),
                0x75 => binary!(i32, |left, right| left.wrapping_shr(right as u32)),
                0x76 => binary!(u32, |left, right| left.wrapping_shr(right)),
                0x77 => binary!(u32, |left, right| left.rotate_left(right & 31)),
                0x78 => binary!(u32, |left, right| left.rotate_right(right & 31)),

                0x79 => unary!(u64, |operand| operand.leading_zeros()),
                0x7a => unary!(u64, |operand| operand.trailing_zeros()),
                0x7b => unary!(u64, |operand| operand.count_ones()),
                0x7c => binary!(u64, |left, right| left.wrapping_add(right)),
                0x7d => binary!(u64, |left, right| left.wrapping_sub(right)),
                0x7e => binary!(u64, |left, right| left.wrapping_mul(right)),
                0x7f => divide!(i64, checked_div),
                0x80 => divide!(u64, checked_div),
                0x81 => remainder!(i64),
                0x82 => remainder!(u64),
                0x83 => binary!(u64, |left, right| left & right),
                0x84 => binary!(u64, |left, right| left | right),
                0x85 => binary!(u64, |left, right| left ^ right),
                0x86 => binary!(u64, |left, right| left.wrapping_shl(right as u32)),
                0x87 => binary!(i64, |left, right| left.wrapping_shr(right as u32)),
                0x88 => binary!(u64, |left, right| left.wrapping_shr(right as u32)),
                0x89 => binary!(u64, |left, right| left.rotate_left(right as u32 & 63)),
                0x8a => binary!(u64, |left, right| left.rotate_right(right as u32 & 63)),

                0x8b => sign!(1_u64 << 31, |bits, sign| bits & !sign),
                0x8c => sign!(1_u64 << 31, |bits, sign| bits ^ sign),
                0x8d => float_round!(f32, f32::ceil),
                0x8e => float_round!(f32, f32::floor),
                0x8f => float_round!(f32, f32::trunc),
                0x90 => float_round!(f32, f32::round_ties_even),
                0x91 => give!(float::sqrt(f32::of(get!(step.b)), f32::sqrt)),
                0x92 => float_binary!(f32, |left, right| left + right),
                0x93 => float_binary!(f32, |left, right| left - right),
                0x94 => float_binary!(f32, |left, right| left * right),
                0x95 => float_binary!(f32, |left, right| left / right),
                0x96 => float_select!(f32, false),
                0x97 => float_select!(f32, true),
                0x98 => sign!(1_u64 << 31, |bits, sign| (bits & !sign) | (get!(step.c) & sign)),
                0x99 => sign!(1_u64 << 63, |bits, sign| bits & !sign),
                0x9a => sign!(1_u64 << 63, |bits, sign| bits ^ sign),
                0x9b => float_round!(f64, f64::ceil),
                0x9c => float_round!(f64, f64::floor),
                0x9d => float_round!(f64, f64::trunc),
                0x9e => float_round!(f64, f64::round_ties_even),
                0x9f => give!(float::sqrt(f64::of(get!(step.b)), f64::sqrt)),
                0xa0 => float_binary!(f64, |left, right| left + right),
                0xa1 => float_binary!(f64, |left, right| left - right),
                0xa2 => float_binary!(f64, |left, right| left * right),
                0xa3 => float_binary!(f64, |left, right| left / right),
                0xa4 => float_select!(f64, false),
                0xa5 => float_select!(f64, true),
                0xa6 => sign!(1_u64 << 63, |bits, sign| (bits & !sign) | (get!(step.c) & sign)),

                0xa7 => unary!(u64, |operand| operand as u32),
                0xa8 => truncate!(f32 as i32, I32_RANGE),
                0xa9 => truncate!(f32 as u32, U32_RANGE),
                0xaa => truncate!(f64 as i32, I32_RANGE),
                0xab => truncate!(f64 as u32, U32_RANGE),
                0xac => unary!(i32, |operand| i64::from(operand)),
                0xad => unary!(u32, |operand| u64::from(operand)),
                0xae => truncate!(f32 as i64, I64_RANGE),
                0xaf => truncate!(f32 as u64, U64_RANGE),
                0xb0 => truncate!(f64 as i64, I64_RANGE),
                0xb1 => truncate!(f64 as u64, U64_RANGE),
                0xb2 => convert!(i32 as f32),
                0xb3 => convert!(u32 as f32),
                0xb4 => convert!(i64 as f32),
                0xb5 => convert!(u64 as f32),
                0xb6 => give!(float::demote(f64::of(get!(step.b)))),
                0xb7 => convert!(i32 as f64),
                0xb8 => convert!(u32 as f64),
                0xb9 => convert!(i64 as f64),
                0xba => convert!(u64 as f64),
                0xbb => give!(float::promote(f32::of(get!(step.b)))),
                // The same bits as another type.
                0xbc..=0xbf => give!(get!(step.b)),
                _ => pause!(Pause::Trap(system_failure())),
            }
        }
    }
}

impl Code {
    /// The function at a place of the table, if it is of this type.
    fn function_of_type(&self, place: usize, func_type: u32) -> Option<u32> {
        let index = *self.table.get(place).filter(|index| **index != NOWHERE)?;
        let of = match self.import_types.get(index as usize) {
            Some(import) => *import,
            None => self.functions[index as usize - self.imports.len()].func_type,
        };
        (of == func_type).then_some(index)
    }
}

/// An integer as it lies in a slot: 32 bits leave the upper half empty.
trait Slot {
    fn slot(self) -> u64;
}

impl Slot for i32 {
    fn slot(self) -> u64 {
        u64::from(self as u32)
    }
}
impl Slot for u32 {
    fn slot(self) -> u64 {
        u64::from(self)
    }
}
impl Slot for i64 {
    fn slot(self) -> u64 {
        self as u64
    }
}
impl Slot for u64 {
    fn slot(self) -> u64 {
        self
    }
}

#[inline(always)]
fn slot(value: impl Slot) -> u64 {
    value.slot()
}

#[inline(always)]
fn read<const N: usize>(memory: &[u8], address: usize) -> Option<[u8; N]> {
    memory.get(address..address + N)?.try_into().ok()
}

/// Writes and notes the chunk; whether the memory reaches that far.
#[inline(always)]
fn write<const N: usize>(memory: &mut [u8], notes: &mut [u8], address: usize, bytes: [u8; N]) -> bool {
    let Some(place) = memory.get_mut(address..address + N) else { return false };
    place.copy_from_slice(&bytes);
    notes[address / CHUNK] = 1;
    true
}
