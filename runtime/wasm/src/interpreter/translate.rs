//! From WebAssembly's operand stack to places: each reachable instruction is heard once, in order.

use rustc_hash::FxHashMap;

use super::{Code, Function, NOWHERE, Step, TABLE_MAX, own};
use crate::intrinsics::Signature;
use crate::parse::{Emit, FuncType, Module, Op, Options, ParseError, numeric_type, parse};
use crate::rewrite::apply_index;
use crate::tier::Counter;

/// Operands on top of the stack that may still be locals and constants. Deeper ones have been copied to their slots, so
/// that no instruction has to look at more.
const UNCOPIED_MAX: usize = 16;

/// An entry of the operand stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operand {
    /// In its own slot.
    Copied,
    /// The value that a local has.
    Local(u32),
    /// The constant of this number.
    Constant(u32),
}

/// An open block.
struct Block {
    is_loop: bool,
    /// Operands below it.
    height: usize,
    has_result: bool,
    /// The first step of a loop.
    begin: u32,
    /// Steps that branch to its end.
    to_end: Vec<usize>,
    /// The step that leaves out the first half of an `if`.
    to_else: Option<usize>,
}

/// Translates code that may be run; `module` gives what else is in it.
///
/// # Errors
/// eos-vm's message, where it would not run the code.
pub(crate) fn translate<'a>(code: &'a [u8]) -> Result<(Module<'a>, Code), ParseError> {
    let mut translator = Translator::default();
    let module = parse(code, &Options::running(), &mut translator)?;
    let Translator { mut code, counter, .. } = translator;
    code.bearable = counter.efforts().is_bearable();
    code.steps.shrink_to_fit();
    let types = type_numbers(&module);
    for (function, func_type) in code.functions.iter_mut().zip(&module.function_types) {
        function.func_type = types[*func_type as usize];
    }
    for import in &module.imports {
        let func_type = &module.types[import.func_type as usize];
        let results = func_type.result.into_iter().collect();
        code.imports.push((import.name.to_owned(), Signature { params: func_type.params.clone(), results }));
        code.import_types.push(types[import.func_type as usize]);
    }
    code.globals = module.globals.iter().map(|global| global.initial).collect();
    code.start = module.start;
    code.apply = apply_index(&module);
    if !module.element_out_of_range {
        code.is_runnable = fill_table(&module, &mut code.table);
    }
    for step in code.steps.iter_mut().filter(|step| step.op == own::CALL_INDIRECT) {
        step.a = types[step.a as usize];
    }
    Ok((module, code))
}

/// For each type of the module the same number as for all types that equal it.
fn type_numbers(module: &Module<'_>) -> Vec<u32> {
    let mut known = FxHashMap::default();
    let number = |(index, func_type)| *known.entry(func_type).or_insert(index as u32);
    let keys = module.types.iter().map(|func_type| (&func_type.params, func_type.result));
    keys.enumerate().map(number).collect()
}

/// Whether the table is small enough.
fn fill_table(module: &Module<'_>, table: &mut Vec<u32>) -> bool {
    for element in module.elements.iter().filter(|element| !element.functions.is_empty()) {
        let begin = element.offset as usize;
        let end = begin + element.functions.len();
        if end > TABLE_MAX {
            return false;
        }
        table.resize(table.len().max(end), NOWHERE);
        table[begin..end].copy_from_slice(&element.functions);
    }
    true
}

/// Makes steps of instructions.
#[derive(Default)]
pub(crate) struct Translator {
    code: Code,
    counter: Counter,
    constants: FxHashMap<u64, u32>,
    /// Imported functions.
    imports: u32,
    /// Type of every function, imported or not.
    function_types: Vec<u32>,
    /// Number of parameters of each type, and whether it has a result.
    types: Vec<(usize, bool)>,
    /// Slots of the current function's locals.
    locals: u32,
    operands: Vec<Operand>,
    /// The most operands at a time.
    highest: usize,
    blocks: Vec<Block>,
    /// Whether the end of the innermost block is not reached from the instruction before it.
    left: bool,
    /// The step just made, where it is nothing but the value on top of the stack.
    fresh: Option<usize>,
}

impl Emit for Translator {
    fn begin(&mut self, module: &Module<'_>, index: usize) {
        if index == 0 {
            self.imports = module.imports.len() as u32;
            self.function_types = module.imports.iter().map(|import| import.func_type).collect();
            self.function_types.extend(&module.function_types);
            let shape = |func_type: &FuncType| (func_type.params.len(), func_type.result.is_some());
            self.types = module.types.iter().map(shape).collect();
        }
        let function = &module.functions[index];
        let func_type = &module.types[function.func_type as usize];
        let params = func_type.params.len() as u32;
        self.locals = function.locals.iter().fold(params, |sum, (count, _)| sum.saturating_add(*count));
        let entry = self.code.steps.len() as u32;
        self.code.functions.push(Function { entry, params, locals: self.locals, slots: 0, func_type: 0 });
        self.operands.clear();
        self.highest = 0;
        self.blocks.clear();
        self.open(false, func_type.result.is_some());
        (self.left, self.fresh) = (false, None);
    }

    fn op(&mut self, op: Op<'_>, _: usize) {
        self.counter.count(&op);
        match op {
            Op::Open(opcode, result) => self.open_block(opcode, result.is_some()),
            Op::Else => self.else_(),
            Op::End => self.end(),
            Op::Br(label) => self.branch(label),
            Op::BrIf(label) => self.branch_if(label),
            Op::BrTable(labels, default) => self.branch_table(labels, default),
            Op::Variable(0x20, local) => self.push(Operand::Local(local)),
            Op::Variable(0x21, local) => self.local_set(local),
            Op::Variable(0x22, local) => self.local_tee(local),
            Op::Variable(0x23, global) => self.value(own::GLOBAL_GET, global, 0),
            Op::Variable(_, global) => {
                let value = self.pop();
                self.step(own::GLOBAL_SET, global, value, 0);
            }
            Op::Memory(opcode, _, offset) if opcode <= LAST_LOAD => {
                let address = self.pop();
                self.value(opcode, address, offset);
            }
            Op::Memory(opcode, _, offset) => {
                let (value, address) = (self.pop(), self.pop());
                self.step(opcode, value, address, offset);
            }
            Op::MemorySize => self.value(own::MEMORY_SIZE, 0, 0),
            Op::MemoryGrow => {
                let pages = self.pop();
                self.value(own::MEMORY_GROW, pages, 0);
            }
            Op::I32(value) => self.constant(u64::from(value as u32)),
            Op::I64(value) => self.constant(value as u64),
            Op::F32(bits) => self.constant(u64::from(bits)),
            Op::F64(bits) => self.constant(bits),
            Op::Plain(opcode) => self.plain(opcode),
            Op::Call(index) if index < self.imports => {
                self.call(own::CALL_HOST, index, self.function_types[index as usize], 0)
            }
            Op::Call(index) => self.call(own::CALL, index - self.imports, self.function_types[index as usize], 0),
            Op::CallIndirect(func_type) => {
                let index = self.pop();
                self.call(own::CALL_INDIRECT, func_type, func_type, index);
            }
        }
    }

    fn finish(&mut self, module: &Module<'_>, index: usize) {
        self.counter.finish_function(module, index);
        let slots = u64::from(self.locals) + self.highest as u64 + 1;
        let function = self.code.functions.last_mut().expect("a function was begun");
        function.slots = u32::try_from(slots).unwrap_or(u32::MAX);
    }
}

/// The load with the highest opcode; stores follow.
const LAST_LOAD: u8 = 0x35;
const LOOP: u8 = 0x03;
const IF: u8 = 0x04;
const DROP: u8 = 0x1a;
const SELECT: u8 = 0x1b;
const I32_EQZ: u8 = 0x45;

/// The place of a local, or of an operand behind the locals. A function in which it does not fit has too large a frame to
/// be called.
fn slot(index: u32) -> u32 {
    index << 1
}

impl Translator {
    /// How many steps there are.
    pub fn steps(&self) -> usize {
        self.code.steps.len()
    }

    /// The place of the operand at a height.
    fn own_place(&self, height: usize) -> u32 {
        slot(self.locals.wrapping_add(height as u32))
    }

    fn place(&self, height: usize) -> u32 {
        match self.operands[height] {
            Operand::Copied => self.own_place(height),
            Operand::Local(local) => slot(local),
            Operand::Constant(index) => slot(index) | 1,
        }
    }

    fn step(&mut self, op: u8, a: u32, b: u32, c: u32) -> usize {
        self.fresh = None;
        self.code.steps.push(Step { op, a, b, c });
        self.code.steps.len() - 1
    }

    /// The step that will be made next.
    fn here(&self) -> u32 {
        self.code.steps.len() as u32
    }

    /// Copies the operand at a height to its own slot.
    fn copy(&mut self, height: usize) {
        if self.operands[height] != Operand::Copied {
            self.step(own::COPY, self.own_place(height), self.place(height), 0);
            self.operands[height] = Operand::Copied;
        }
    }

    /// The operands that may not have been copied.
    fn upper(&self) -> std::ops::Range<usize> {
        self.operands.len().saturating_sub(UNCOPIED_MAX)..self.operands.len()
    }

    fn copy_all(&mut self) {
        self.upper().for_each(|height| self.copy(height));
    }

    fn push(&mut self, operand: Operand) {
        if let Some(deep) = self.operands.len().checked_sub(UNCOPIED_MAX) {
            self.copy(deep);
        }
        self.operands.push(operand);
        self.highest = self.highest.max(self.operands.len());
    }

    fn pop(&mut self) -> u32 {
        let place = self.place(self.operands.len() - 1);
        self.operands.pop();
        place
    }

    fn constant(&mut self, value: u64) {
        let constants = &mut self.code.constants;
        let index = *self.constants.entry(value).or_insert_with(|| {
            constants.push(value);
            constants.len() as u32 - 1
        });
        self.push(Operand::Constant(index));
    }

    /// A step that gives a value.
    fn value(&mut self, op: u8, b: u32, c: u32) {
        self.push(Operand::Copied);
        let place = self.own_place(self.operands.len() - 1);
        let step = self.step(op, place, b, c);
        self.fresh = Some(step);
    }

    fn plain(&mut self, opcode: u8) {
        match opcode {
            0x00 => {
                self.step(own::UNREACHABLE, 0, 0, 0);
                self.left = true;
            }
            DROP => {
                self.pop();
            }
            SELECT => {
                let (condition, right, left) = (self.pop(), self.pop(), self.pop());
                self.value(own::SELECT, left, right);
                self.step(own::CONDITION, 0, condition, 0);
            }
            _ if numeric_type(opcode).0 == 1 => {
                let operand = self.pop();
                self.value(opcode, operand, 0);
            }
            _ => {
                let (right, left) = (self.pop(), self.pop());
                self.value(opcode, left, right);
            }
        }
    }

    /// Before a local changes: operands that stand for its value get it.
    fn copy_local(&mut self, local: u32) {
        for height in self.upper() {
            if self.operands[height] == Operand::Local(local) {
                self.copy(height);
            }
        }
    }

    /// Gives a local the value on top; whether the operand has become the local.
    fn assign(&mut self, local: u32) -> Operand {
        let operand = *self.operands.last().expect("checked");
        let value = self.pop();
        self.copy_local(local);
        match self.fresh.take() {
            Some(step) if operand == Operand::Copied => {
                self.code.steps[step].a = slot(local);
                Operand::Local(local)
            }
            _ => {
                if value != slot(local) {
                    self.step(own::COPY, slot(local), value, 0);
                }
                operand
            }
        }
    }

    fn local_set(&mut self, local: u32) {
        self.assign(local);
    }

    fn local_tee(&mut self, local: u32) {
        let operand = self.assign(local);
        self.push(operand);
    }

    /// A call whose arguments lie on top.
    fn call(&mut self, op: u8, function: u32, func_type: u32, index: u32) {
        let (params, has_result) = self.types[func_type as usize];
        let first = self.operands.len() - params;
        (first.max(self.upper().start)..self.operands.len()).for_each(|height| self.copy(height));
        self.operands.truncate(first);
        let base = self.locals.wrapping_add(first as u32);
        self.step(op, function, base, index);
        if has_result {
            self.push(Operand::Copied);
        }
    }

    fn open(&mut self, is_loop: bool, has_result: bool) {
        let (height, begin) = (self.operands.len(), self.here());
        self.blocks.push(Block { is_loop, height, has_result, begin, to_end: Vec::new(), to_else: None });
    }

    fn open_block(&mut self, opcode: u8, has_result: bool) {
        let condition = (opcode == IF).then(|| self.pop());
        self.copy_all();
        let is_loop = opcode == LOOP;
        self.open(is_loop, has_result);
        if is_loop {
            self.step(own::LOOP, 0, 0, 0);
        }
        if let Some(condition) = condition {
            let step = self.branch_on(condition, false);
            self.blocks.last_mut().expect("just opened").to_else = Some(step);
        }
        self.fresh = None;
    }

    /// Puts the block's result where it is expected, at a block's end.
    fn give_result(&mut self) {
        let block = self.blocks.last().expect("a block is open");
        let (height, has_result) = (block.height, block.has_result);
        if has_result && !self.left {
            self.copy_result(height);
        }
    }

    /// Copies the operand on top to the slot at `height`.
    fn copy_result(&mut self, height: usize) {
        let (from, to) = (self.place(self.operands.len() - 1), self.own_place(height));
        if from != to {
            self.step(own::COPY, to, from, 0);
        }
    }

    fn else_(&mut self) {
        self.give_result();
        let jump = (!self.left).then(|| self.step(own::BRANCH, NOWHERE, 0, 0));
        let here = self.here();
        let block = self.blocks.last_mut().expect("a block is open");
        block.to_end.extend(jump);
        if let Some(step) = block.to_else.take() {
            self.code.steps[step].a = here;
        }
        self.operands.truncate(block.height);
        (self.left, self.fresh) = (false, None);
    }

    fn end(&mut self) {
        self.give_result();
        let here = self.here();
        let block = self.blocks.pop().expect("a block is open");
        for step in block.to_end.into_iter().chain(block.to_else) {
            self.code.steps[step].a = here;
        }
        self.operands.truncate(block.height);
        (self.left, self.fresh) = (false, None);
        if block.has_result {
            self.push(Operand::Copied);
        }
        if self.blocks.is_empty() {
            let result = if block.has_result { self.own_place(0) } else { NOWHERE };
            self.step(own::RETURN, 0, result, 0);
        }
    }

    /// What a label wants: its block, and the height at which it takes a value.
    fn label(&self, label: u32) -> (usize, Option<usize>) {
        let index = self.blocks.len() - 1 - label as usize;
        let block = &self.blocks[index];
        (index, (block.has_result && !block.is_loop).then_some(block.height))
    }

    /// Lets a step go to a block's label.
    fn aim(&mut self, step: usize, index: usize) {
        let block = &mut self.blocks[index];
        if block.is_loop {
            self.code.steps[step].a = block.begin;
        } else {
            block.to_end.push(step);
        }
    }

    /// A branch that is taken if the condition is not 0, or if it is, as `when` says. A comparison just made becomes a
    /// part of it.
    fn branch_on(&mut self, condition: u32, when: bool) -> usize {
        let compared = self.fresh.filter(|step| self.code.steps[*step].a == condition);
        if let Some(Step { op, b, c, .. }) = compared.map(|step| self.code.steps[step]) {
            match (op, own::branch(op, when)) {
                (I32_EQZ, _) => {
                    self.code.steps.pop();
                    return self.step(if when { own::BRANCH_UNLESS } else { own::BRANCH_IF }, NOWHERE, b, 0);
                }
                (_, Some(branch)) => {
                    self.code.steps.pop();
                    return self.step(branch, NOWHERE, b, c);
                }
                _ => {}
            }
        }
        self.step(if when { own::BRANCH_IF } else { own::BRANCH_UNLESS }, NOWHERE, condition, 0)
    }

    fn branch(&mut self, label: u32) {
        let (index, result) = self.label(label);
        if let Some(height) = result {
            self.copy_result(height);
        }
        let step = self.step(own::BRANCH, NOWHERE, 0, 0);
        self.aim(step, index);
        self.left = true;
    }

    fn branch_if(&mut self, label: u32) {
        let condition = self.pop();
        let (index, result) = self.label(label);
        let top = self.operands.len().wrapping_sub(1);
        match result {
            Some(height) if self.place(top) != self.own_place(height) => {
                let past = self.branch_on(condition, false);
                self.copy_result(height);
                let step = self.step(own::BRANCH, NOWHERE, 0, 0);
                self.aim(step, index);
                self.code.steps[past].a = self.here();
            }
            _ => {
                let step = self.branch_on(condition, true);
                self.aim(step, index);
            }
        }
        self.fresh = None;
    }

    fn branch_table(&mut self, labels: &[u32], default: u32) {
        let number = self.pop();
        let (_, result) = self.label(default);
        let value = if result.is_some() { self.place(self.operands.len() - 1) } else { NOWHERE };
        self.step(own::BRANCH_TABLE, value, number, labels.len() as u32);
        for label in labels.iter().chain([&default]) {
            let (index, result) = self.label(*label);
            let to = result.map_or(NOWHERE, |height| self.own_place(height));
            let step = self.step(own::LABEL, NOWHERE, to, 0);
            self.aim(step, index);
        }
        self.left = true;
    }
}
