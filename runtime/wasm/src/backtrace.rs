//! Where a contract was when it stopped: its functions, by index and name, and places in its own code. Both tiers tell the
//! same functions, and the same places but where the compiler made one instruction of several. It is made after a run has
//! failed, and only where somebody wants to know.

use crate::interpreter::Translator;
use crate::parse::{Emit, Module, Op, Options, ParseError, function_names, parse};
use crate::rewrite::{Functions, Layout};
use crate::tier::Tier;
use codec::{Pack, Unpack};
use primitives::Checksum256;
use rustc_hash::FxHashMap;

/// Frames that are told of; those further out are counted.
pub const FRAMES_MAX: usize = 64;
/// Frames that are looked at; the engine keeps room for all of them.
pub(crate) const MARKS_MAX: usize = 4096;
/// The opcode of `unreachable`.
const UNREACHABLE: u8 = 0x00;

/// A function of the contract that had not ended.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct Frame {
    /// Its index in the module.
    pub function: u32,
    /// Its name, where the module tells one.
    pub name: Option<String>,
    /// Where its current instruction begins, in bytes from the beginning of the code section's content: an address as
    /// DWARF has it.
    pub offset: u32,
}

/// The functions that had not ended, innermost first. Those of the host are not among them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct Backtrace {
    /// The contract's code.
    pub code_hash: Checksum256,
    /// The innermost [`FRAMES_MAX`].
    pub frames: Vec<Frame>,
    /// How many more there were, as far as they were looked at: 4,096.
    pub omitted: u32,
}

/// Where a function was, in terms of the tier that ran it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The function's index among those of the module that are not imported (first tier), or in the rewritten module.
    pub function: u32,
    /// A step of all, or a byte of the rewritten function.
    pub place: u32,
}

/// What marks of a contract's code mean.
pub(crate) struct Chart {
    names: FxHashMap<u32, String>,
    imports: u32,
    /// The functions of the module that are not imported.
    functions: Vec<Function>,
    rewritten: Option<Rewritten>,
}

/// A function's instructions.
#[derive(Default)]
struct Function {
    /// Places in ascending order, and the offsets of what became of them.
    places: Vec<(u32, u32)>,
    /// The offset of the first `unreachable`.
    unreachable: Option<u32>,
}

/// How functions of a rewritten module are numbered.
struct Rewritten {
    /// The first one that is the contract's own, and the first one behind those.
    own: std::ops::Range<u32>,
    /// Bytes in front of each one's own instructions.
    begins: Vec<u32>,
}

impl Chart {
    /// Looks through code that runs in this tier.
    ///
    /// # Errors
    /// The code cannot be run.
    pub fn of(code: &[u8], tier: Tier) -> Result<Self, ParseError> {
        match tier {
            Tier::First => Self::interpreted(code),
            Tier::Optimised => Self::compiled(code),
        }
    }

    fn interpreted(code: &[u8]) -> Result<Self, ParseError> {
        let mut surveyor = Surveyor::new(Translator::default(), Translator::steps);
        let module = parse(code, &Options::running(), &mut surveyor)?;
        Ok(Self::new(code, &module, surveyor.functions, None))
    }

    fn compiled(code: &[u8]) -> Result<Self, ParseError> {
        let mut surveyor = Surveyor::new(Functions::default(), Functions::bytes);
        let module = parse(code, &Options::running(), &mut surveyor)?;
        let own = Layout::of(&module).own_functions();
        let begins = surveyor.emitter.begins.iter().map(|begin| *begin as u32).collect();
        Ok(Self::new(code, &module, surveyor.functions, Some(Rewritten { own, begins })))
    }

    fn new(code: &[u8], module: &Module<'_>, functions: Vec<Function>, rewritten: Option<Rewritten>) -> Self {
        Self { names: function_names(code, module), imports: module.imports.len() as u32, functions, rewritten }
    }

    /// Bytes of memory that it holds, about.
    pub fn bytes(&self) -> usize {
        let names: usize = self.names.values().map(|name| name.len() + 48).sum();
        names + self.functions.iter().map(|function| size_of_val(&*function.places)).sum::<usize>()
    }

    /// What these marks tell, the innermost first, of a run that may have this many calls at a time.
    pub fn read(&self, code_hash: Checksum256, marks: &[Mark], max_call_depth: u32) -> Backtrace {
        let is_full = marks.len() >= MARKS_MAX.min(max_call_depth as usize);
        let mut places = marks.iter().filter_map(|mark| self.place(*mark, is_full));
        let frame = |(function, offset)| Frame { function, name: self.names.get(&function).cloned(), offset };
        let frames = places.by_ref().take(FRAMES_MAX).map(frame).collect();
        Backtrace { code_hash, frames, omitted: places.count() as u32 }
    }

    /// The function of a mark and the offset in the code; none for functions that were added, and for one that ended before
    /// it began, since it may not be called where the stack `is_full`.
    fn place(&self, mark: Mark, is_full: bool) -> Option<(u32, u32)> {
        let own = match &self.rewritten {
            None => mark.function,
            Some(Rewritten { own, .. }) => own.contains(&mark.function).then(|| mark.function - own.start)?,
        };
        let Function { places, unreachable } = self.functions.get(own as usize)?;
        let begin = self.rewritten.as_ref().map_or(Some(&0), |rewritten| rewritten.begins.get(own as usize))?;
        let Some(place) = mark.place.checked_sub(*begin) else {
            // A function that does nothing else than trap does it where it looks at the depth: the compiler makes one
            // trap of two.
            let trap = unreachable.filter(|_| !is_full)?;
            return Some((own + self.imports, trap));
        };
        let at = places.partition_point(|(known, _)| *known <= place).checked_sub(1)?;
        Some((own + self.imports, places[at].1))
    }
}

/// Notes what is made of each instruction.
struct Surveyor<E> {
    emitter: E,
    /// How much was made of the current function.
    made: fn(&E) -> usize,
    begin: usize,
    functions: Vec<Function>,
}

impl<E> Surveyor<E> {
    fn new(emitter: E, made: fn(&E) -> usize) -> Self {
        Self { emitter, made, begin: 0, functions: Vec::new() }
    }
}

impl<E: Emit> Emit for Surveyor<E> {
    fn begin(&mut self, module: &Module<'_>, index: usize) {
        self.emitter.begin(module, index);
        self.begin = module.functions[index].begin;
        self.functions.push(Function::default());
    }

    fn op(&mut self, op: Op<'_>, at: usize) {
        let (place, offset) = ((self.made)(&self.emitter) as u32, (self.begin + at) as u32);
        let Function { places, unreachable } = self.functions.last_mut().expect("a function was begun");
        if op == Op::Plain(UNREACHABLE) {
            unreachable.get_or_insert(offset);
        }
        match places.last_mut() {
            // The one before it became nothing.
            Some(last) if last.0 >= place => *last = (place, offset),
            _ => places.push((place, offset)),
        }
        self.emitter.op(op, at);
    }

    fn finish(&mut self, module: &Module<'_>, index: usize) {
        self.emitter.finish(module, index);
    }
}
