//! Functions of more parameters than the compiler takes. eos-vm has no limit: their last parameters travel in
//! globals, and a tag of unused parameters keeps their types apart, so that indirect calls still tell them apart.

use crate::args::ValueType;
use crate::parse::{FuncType, Module};
use wasm_encoder::Instruction;

/// Parameters that the compiler takes.
const PARAMS_MAX: usize = 1000;
/// Parameters that stay parameters.
pub const KEPT: usize = 900;
/// Parameters of the tag: digits of the type's index to base 4.
pub const TAG: usize = 12;

const DIGITS: [ValueType; 4] = [ValueType::I32, ValueType::I64, ValueType::F32, ValueType::F64];

/// Parameters that travel in globals, from index [`KEPT`] on; none for ordinary functions.
pub fn spilled(params: &[ValueType]) -> &[ValueType] {
    if params.len() > PARAMS_MAX { &params[KEPT..] } else { &[] }
}

/// The types of a tag.
fn tag(type_index: usize) -> impl Iterator<Item = ValueType> {
    (0..TAG).map(move |digit| DIGITS[type_index >> (2 * digit) & 3])
}

/// How the functions of a module are called.
#[derive(Default)]
pub struct Wide {
    /// Types, where a module has wide ones at all.
    types: Vec<FuncType>,
    /// For each type the first one that equals it.
    first_equal: Vec<usize>,
    /// Position and type of what each added global carries, ascending.
    globals: Vec<(usize, ValueType)>,
    first_global: u32,
}

impl Wide {
    /// For a module whose added globals begin at `first_global`.
    pub fn of(module: &Module<'_>, first_global: u32) -> Self {
        if module.types.iter().all(|func_type| spilled(&func_type.params).is_empty()) {
            return Self::default();
        }
        let types = module.types.clone();
        let first = |wanted| types.iter().position(|func_type| func_type == wanted).expect("it is there");
        let first_equal = types.iter().map(|func_type| if is_wide(func_type) { first(func_type) } else { 0 }).collect();
        let positions = |func_type: &FuncType| {
            let spilled = spilled(&func_type.params).iter().enumerate();
            spilled.map(|(index, value)| (KEPT + index, *value)).collect::<Vec<_>>()
        };
        let mut globals: Vec<_> = types.iter().flat_map(positions).collect();
        globals.sort_unstable();
        globals.dedup();
        Self { types, first_equal, globals, first_global }
    }

    /// Types of the added globals.
    pub fn globals(&self) -> impl Iterator<Item = ValueType> {
        self.globals.iter().map(|(_, value)| *value)
    }

    /// Parameters as they are declared.
    pub fn declared(&self, type_index: usize, params: &[ValueType]) -> Vec<ValueType> {
        if spilled(params).is_empty() {
            return params.to_vec();
        }
        params[..KEPT].iter().copied().chain(tag(self.first_equal[type_index])).collect()
    }

    fn global(&self, position: usize, value: ValueType) -> u32 {
        let index = self.globals.binary_search(&(position, value)).expect("every spilled parameter has one");
        self.first_global + index as u32
    }

    fn spills(&self, type_index: u32) -> impl DoubleEndedIterator<Item = (usize, ValueType)> {
        let params = self.types.get(type_index as usize).map_or(&[][..], |func_type| spilled(&func_type.params));
        params.iter().enumerate().map(|(index, value)| (KEPT + index, *value))
    }

    /// Before a call: takes the last parameters from the stack and puts the tag there.
    pub fn pass(&self, type_index: u32) -> Vec<Instruction<'static>> {
        let spills = self.spills(type_index).rev();
        let mut code: Vec<_> = spills.map(|(at, value)| Instruction::GlobalSet(self.global(at, value))).collect();
        if !code.is_empty() {
            code.extend(tag(self.first_equal[type_index as usize]).map(zero));
        }
        code
    }

    /// At a function's beginning: takes the last parameters from the globals.
    pub fn receive(&self, type_index: u32) -> Vec<Instruction<'static>> {
        let take = |(at, value)| {
            let local = (at + TAG) as u32;
            [Instruction::GlobalGet(self.global(at, value)), Instruction::LocalSet(local)]
        };
        self.spills(type_index).flat_map(take).collect()
    }
}

fn is_wide(func_type: &FuncType) -> bool {
    !spilled(&func_type.params).is_empty()
}

fn zero(value: ValueType) -> Instruction<'static> {
    match value {
        ValueType::I32 => Instruction::I32Const(0),
        ValueType::I64 => Instruction::I64Const(0),
        ValueType::F32 => Instruction::F32Const(0.0_f32.into()),
        ValueType::F64 => Instruction::F64Const(0.0_f64.into()),
    }
}
