//! Two tiers. The first interprets code as it is; the optimised one compiles what is used much, where that does not take
//! too long. A contract does the same in both.
//!
//! A compiler keeps something for each local at each place where ways of control meet: a few bytes of code can ask for
//! millions of these. Functions that do are not optimised.

use crate::parse::{Emit, Module, Op, Options, ParseError, parse};

/// How code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Interpreted.
    First,
    /// Compiled with all optimisations.
    Optimised,
}

/// Which tiers an engine's runtimes use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tiers {
    /// The first one, and the optimised one for what is used much.
    ByUse,
    /// The first one alone.
    First,
    /// The optimised one from the first run on, where it can be had.
    Optimised,
}

/// Heat from which code of no length is worth optimising.
pub(crate) const HOT: u32 = 20;
/// Bytes of interpreted code for each of which another degree of heat is needed: long code takes long to optimise.
pub(crate) const BYTES_PER_HEAT: usize = 16 << 10;
/// Heat of a run.
pub(crate) const RUN_HEAT: u32 = 1;
/// Heat of a tick of the clock during a run.
pub(crate) const TICK_HEAT: u32 = 20;
/// Ticks after which an interpreted run is given up for an optimised one, where it may wait for that.
pub(crate) const PATIENCE_TICKS: u32 = 2;
/// Bytes of interpreted code for each of which a block may go on for another tick before it waits for the optimised form,
/// which takes about that long to make.
pub(crate) const BYTES_PER_TICK: usize = 64 << 10;

/// Effort of a function beyond which it is not optimised: a second of the compiler's time.
const OPTIMISED_FUNCTION_MAX: u64 = 150_000;
/// Effort of a module beyond which it is not optimised: ten seconds.
const OPTIMISED_MODULE_MAX: u64 = 2_000_000;

/// About what a compiler has to do with each function of a module: locals that are used, times places where ways of
/// control meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Efforts(Vec<u64>);

/// Counts what an effort is made of.
#[derive(Default)]
pub(crate) struct Counter {
    efforts: Vec<u64>,
    accesses: u64,
    meetings: u64,
}

impl Counter {
    /// What was counted.
    pub(crate) fn efforts(self) -> Efforts {
        Efforts(self.efforts)
    }

    /// Counts an instruction.
    pub(crate) fn count(&mut self, op: &Op<'_>) {
        match op {
            Op::Open(..) => self.meetings += 1,
            Op::BrTable(labels, _) => self.meetings += labels.len() as u64,
            Op::Variable(..) => self.accesses += 1,
            _ => {}
        }
    }

    /// Counts the function that was heard.
    pub(crate) fn finish_function(&mut self, module: &Module<'_>, index: usize) {
        let function = &module.functions[index];
        let params = module.types[function.func_type as usize].params.len() as u64;
        let locals = function.locals.iter().fold(params, |sum, (count, _)| sum + u64::from(*count));
        self.efforts.push(locals.min(self.accesses) * (self.meetings + 1));
        (self.accesses, self.meetings) = (0, 0);
    }
}

impl Emit for Counter {
    fn op(&mut self, op: Op<'_>, _: usize) {
        self.count(&op);
    }

    fn finish(&mut self, module: &Module<'_>, index: usize) {
        self.finish_function(module, index);
    }
}

impl Efforts {
    /// Looks through valid code.
    ///
    /// # Errors
    /// eos-vm's message, where it would not run the code.
    pub fn of(code: &[u8]) -> Result<Self, ParseError> {
        let mut counter = Counter::default();
        parse(code, &Options::running(), &mut counter)?;
        Ok(counter.efforts())
    }

    /// Whether all may be optimised.
    pub fn is_bearable(&self) -> bool {
        self.0.iter().all(|effort| *effort <= OPTIMISED_FUNCTION_MAX)
            && self.0.iter().fold(0_u64, |sum, effort| sum.saturating_add(*effort)) <= OPTIMISED_MODULE_MAX
    }
}
