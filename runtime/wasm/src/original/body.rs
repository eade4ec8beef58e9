//! Instructions of a function as wasm-jit checks them (Validate.cpp, `FunctionValidationContext`).

use super::definitions::{global, result_type};
use super::module::{FuncType, Kind, Module};
use super::stream::{Checked, Stream, refuse_if};
use crate::args::ValueType;
use crate::parse::{access, numeric_type};

/// Greater opcodes have a second byte.
const SINGLE_BYTE_MAX: u8 = 0xcf;
/// Offsets of loads and stores stay below it.
const MEMORY_OFFSET_END: u32 = 33 * 1024 * 1024;
/// Open blocks stay below it.
const NESTED_END: u32 = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Construct {
    Other,
    /// An `if` without its `else` so far.
    Then,
}

struct Control {
    construct: Construct,
    /// Operands below it belong to the blocks around.
    base: usize,
    /// What a branch to it takes.
    argument: Kind,
    result: Kind,
    reachable: bool,
}

struct Body<'m, 'a> {
    module: &'m Module<'a>,
    locals: Vec<Kind>,
    result: Kind,
    control: Vec<Control>,
    stack: Vec<Kind>,
    nested: Option<u32>,
    fault: Option<&'static str>,
}

/// Checks the instructions of the defined function `index`, and notes the first one beyond the fixed limits.
pub(super) fn check(module: &mut Module<'_>, index: usize, code: &mut Stream<'_>) -> Checked {
    let function = &module.functions.defined[index];
    let func_type = &module.types[function.func_type as usize];
    let groups = function.locals.iter().flat_map(|(count, kind)| std::iter::repeat_n(*kind, *count as usize));
    let mut body = Body {
        module,
        locals: func_type.params.iter().copied().chain(groups).collect(),
        result: func_type.result,
        control: Vec::new(),
        stack: Vec::new(),
        nested: module.nested,
        fault: module.operator_fault,
    };
    body.open(Construct::Other, func_type.result, func_type.result);
    while code.rest() != 0 {
        body.instruction(code)?;
    }
    refuse_if(!body.control.is_empty(), "end of code reached before end of function")?;
    (module.nested, module.operator_fault) = (body.nested, body.fault);
    Ok(())
}

impl Body<'_, '_> {
    fn instruction(&mut self, code: &mut Stream<'_>) -> Checked {
        let opcode = code.byte()?;
        match opcode {
            0x00 => self.leave(),
            0x01 => Ok(()),
            0x02..=0x04 => self.block(opcode, code),
            0x05 => self.close(true),
            0x0b => self.close(false),
            0x0c..=0x0f => self.branch(opcode, code),
            0x10 | 0x11 => self.call(opcode, code),
            0x1a => self.pop().map(drop),
            0x1b => self.select(),
            0x20..=0x24 => self.variable(opcode, code.u32()?),
            0x28..=0x3e => self.memory_access(opcode, code),
            0x3f | 0x40 => self.memory_size(opcode, code),
            0x41 => self.constant(ValueType::I32, code.i32().map(drop)),
            0x42 => self.constant(ValueType::I64, code.i64().map(drop)),
            0x43 => self.constant(ValueType::F32, code.take(4).map(drop)),
            0x44 => self.constant(ValueType::F64, code.take(8).map(drop)),
            0x45..=0xbf => {
                let (count, operand, result) = numeric_type(opcode);
                (0..count).try_for_each(|_| self.expect(operand.into()))?;
                self.push(result.into());
                Ok(())
            }
            _ => {
                if opcode > SINGLE_BYTE_MAX {
                    code.byte()?;
                }
                Err("unknown opcode".into())
            }
        }
    }

    fn constant(&mut self, value: ValueType, read: Checked) -> Checked {
        self.push(value.into());
        read
    }

    // --- operands

    /// Pushes a value, if there is one.
    fn push(&mut self, kind: Kind) {
        if kind != Kind::NONE {
            self.stack.push(kind);
        }
    }

    /// A value; `NONE` stands for any in code that is not reached.
    fn pop(&mut self) -> Checked<Kind> {
        let control = self.control.last().ok_or("control stack empty")?;
        if self.stack.len() > control.base {
            return Ok(self.stack.pop().expect("more than the base"));
        }
        refuse_if(control.reachable, "invalid stack access")?;
        Ok(Kind::NONE)
    }

    fn expect(&mut self, expected: Kind) -> Checked {
        let found = self.pop()?;
        same(expected, found)
    }

    /// Expects a value, if `kind` is one.
    fn expect_result(&mut self, kind: Kind) -> Checked {
        if kind == Kind::NONE { Ok(()) } else { self.expect(kind) }
    }

    fn expect_all(&mut self, params: &[Kind]) -> Checked {
        params.iter().rev().try_for_each(|param| self.expect(*param))
    }

    fn select(&mut self) -> Checked {
        let (condition, right, left) = (self.pop()?, self.pop()?, self.pop()?);
        same(Kind::I32, condition)?;
        same(right, left)?;
        self.stack.push(right);
        Ok(())
    }

    fn variable(&mut self, opcode: u8, index: u32) -> Checked {
        let kind = if opcode <= 0x22 {
            let local = self.locals.get(index as usize).copied();
            local.ok_or("invalid index: localIndex>=locals.size()")?
        } else {
            let global = global(self.module, index)?;
            refuse_if(opcode == 0x24 && !global.mutable, "attempting to mutate immutable global")?;
            global.kind
        };
        if matches!(opcode, 0x21 | 0x22 | 0x24) {
            self.expect(kind)?;
        }
        if matches!(opcode, 0x20 | 0x22 | 0x23) {
            self.stack.push(kind);
        }
        Ok(())
    }

    fn memory_access(&mut self, opcode: u8, code: &mut Stream<'_>) -> Checked {
        let (value, greatest) = access(opcode);
        let (align, offset) = (code.u7()?, code.u32()?);
        let message = "load or store alignment greater than natural alignment: imm.alignmentLog2>naturalAlignmentLog2";
        refuse_if(u32::from(align) > greatest, message)?;
        let message = "load or store in module without default memory: module.memories.size()==0";
        refuse_if(self.module.memories.len() == 0, message)?;
        if offset >= MEMORY_OFFSET_END {
            self.fault.get_or_insert("Smart contract used an invalid large memory store/load offset");
        }
        let load = opcode <= 0x35;
        if !load {
            self.expect(value.into())?;
        }
        self.expect(Kind::I32)?;
        if load {
            self.push(value.into());
        }
        Ok(())
    }

    fn memory_size(&mut self, opcode: u8, code: &mut Stream<'_>) -> Checked {
        code.constant("grow_memory/current_memory immediate reserved field must be 0", 0)?;
        let message =
            "current_memory and grow_memory are only valid if there is a default memorymodule.memories.size() == 0";
        refuse_if(self.module.memories.len() == 0, message)?;
        if opcode == 0x40 {
            self.expect(Kind::I32)?;
        }
        self.push(Kind::I32);
        Ok(())
    }

    // --- control

    fn open(&mut self, construct: Construct, argument: Kind, result: Kind) {
        self.control.push(Control { construct, base: self.stack.len(), argument, result, reachable: true });
    }

    fn nest(&mut self, end: bool) {
        let Some(nested) = &mut self.nested else { return };
        if end && *nested > 0 {
            *nested -= 1;
            return;
        }
        *nested += 1;
        if *nested >= NESTED_END {
            self.fault.get_or_insert("Nested depth exceeded");
        }
    }

    fn block(&mut self, opcode: u8, code: &mut Stream<'_>) -> Checked {
        let kind = code.kind()?;
        let result = if kind == Kind::EMPTY_BLOCK { Kind::NONE } else { kind };
        result_type(result)?;
        match opcode {
            0x02 => self.open(Construct::Other, result, result),
            0x03 => self.open(Construct::Other, Kind::NONE, result),
            _ => {
                self.expect(Kind::I32)?;
                self.open(Construct::Then, result, result);
            }
        }
        self.nest(false);
        Ok(())
    }

    /// `else` or `end`.
    fn close(&mut self, is_else: bool) -> Checked {
        let result = self.control.last().ok_or("control stack empty")?.result;
        self.expect_result(result)?;
        let control = self.control.last_mut().expect("looked at above");
        let message = "stack was not empty at end of control structure: \
                       stack.size() > controlStack.back().outerStackSize";
        refuse_if(self.stack.len() > control.base, message)?;
        if is_else && control.construct == Construct::Then {
            control.construct = Construct::Other;
            control.reachable = true;
        } else {
            refuse_if(is_else, "else only allowed in if context: isElse")?;
            let lacks_else = control.construct == Construct::Then && result != Kind::NONE;
            refuse_if(lacks_else, "else-less if may not yield a result")?;
            self.control.pop();
            if !self.control.is_empty() {
                self.push(result);
            }
        }
        self.nest(!is_else);
        Ok(())
    }

    /// What follows is not reached.
    fn leave(&mut self) -> Checked {
        let control = self.control.last_mut().ok_or("invalid control stack depth")?;
        control.reachable = false;
        self.stack.truncate(control.base);
        Ok(())
    }

    fn target(&self, depth: u32) -> Checked<Kind> {
        let position = self.control.len().checked_sub(depth as usize + 1);
        let position = position.ok_or("invalid index: depth>=controlStack.size()")?;
        Ok(self.control[position].argument)
    }

    fn branch(&mut self, opcode: u8, code: &mut Stream<'_>) -> Checked {
        match opcode {
            0x0c => {
                let argument = self.target(code.u32()?);
                self.expect_result(argument?)?;
            }
            0x0d => {
                let depth = code.u32()?;
                self.expect(Kind::I32)?;
                let argument = self.target(depth)?;
                self.expect_result(argument)?;
                self.push(argument);
                return Ok(());
            }
            0x0e => {
                let (depths, default) = (code.vector(Stream::u32)?, code.u32()?);
                self.expect(Kind::I32)?;
                let argument = self.target(default)?;
                self.expect_result(argument)?;
                for depth in depths {
                    let message = "br_table target argument must match default target argument: \
                                   targetArgumentType != defaultTargetArgumentType";
                    refuse_if(self.target(depth)? != argument, message)?;
                }
            }
            _ => self.expect_result(self.result)?,
        }
        self.leave()
    }

    fn call(&mut self, opcode: u8, code: &mut Stream<'_>) -> Checked {
        let index = code.u32()?;
        let module = self.module;
        let FuncType { params, result } = if opcode == 0x10 {
            let func_type = module.function_type(index);
            &module.types[func_type.ok_or("invalid index: functionIndex>=module.functions.size()")? as usize]
        } else {
            code.constant("call_indirect immediate reserved field must be 0", 0)?;
            let func_type = module.types.get(index as usize);
            let func_type = func_type.ok_or("invalid index: imm.type.index>=module.types.size()")?;
            let message = "call_indirect is only valid if there is a default function table: module.tables.size()==0";
            refuse_if(module.tables.len() == 0, message)?;
            self.expect(Kind::I32)?;
            func_type
        };
        self.expect_all(params)?;
        self.push(*result);
        Ok(())
    }
}

fn same(expected: Kind, found: Kind) -> Checked {
    refuse_if(expected != found && expected != Kind::NONE && found != Kind::NONE, "type mismatch")
}
