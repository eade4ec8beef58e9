//! A loaded contract that can run: its instance in one of the tiers, what host functions find in it, and how it finds
//! them.

use crate::args::ValueType;
use crate::backtrace::Mark;
use crate::fault::{access_violation, system_failure};
use crate::host::Host;
use crate::interpreter::{Code, Machine, Pause};
use crate::intrinsics::{Intrinsics, RawFunction, Signature};
use crate::linear::{Mapping, NOTES, PAGE, Pages, RESERVATION};
use crate::memory::Memory;
use crate::rewrite::{APPLY, Image, MEMORY, MEMORY_GROW, MEMORY_MODULE, MEMORY_SIZE, NOTES_MEMORY, START};
use crate::tier::{RUN_HEAT, TICK_HEAT, Tier};
use primitives::{Fault, Name};
use rustc_hash::FxHashMap;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use wasmtime::{
    Caller, FrameInfo, FuncType, Linker, Module, Store, Trap, TypedFunc, UpdateDeadline, ValRaw, ValType, WasmBacktrace,
};

/// Limits of one run that the chain can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Pages of 64 KiB that the memory can have (`max_pages`).
    pub max_pages: u32,
    /// Nested calls, `apply` included (`max_call_depth`).
    pub max_call_depth: u32,
}

impl Default for RunLimits {
    /// nodeos' limits before CONFIGURABLE_WASM_LIMITS2 (wasm_eosio_constraints.hpp).
    fn default() -> Self {
        Self { max_pages: 528, max_call_depth: 251 }
    }
}

/// What is run: the arguments of `apply`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apply {
    /// Whose code runs.
    pub receiver: Name,
    /// The account the action was sent to.
    pub account: Name,
    /// The action's name.
    pub action: Name,
}

/// A contract's instance, used again by each run.
pub(crate) enum Instance<H: Host> {
    /// In the first tier.
    Interpreted(Box<Interpreted<H>>),
    /// In the optimised tier.
    Compiled(Compiled<H>),
}

/// An instance of compiled code.
pub(crate) struct Compiled<H: Host> {
    store: Store<Run<H>>,
    apply: TypedFunc<(u32, u64, u64, u64), ()>,
    start: Option<TypedFunc<u32, ()>>,
    /// Bytes of compiled code.
    code_bytes: usize,
}

/// An instance of interpreted code.
pub(crate) struct Interpreted<H: Host> {
    code: Arc<Code>,
    machine: Machine,
    run: Run<H>,
    clock: Clock,
    /// The host's functions by the index with which the code calls them; none for `eosio_exit`.
    functions: Vec<Option<RawFunction<H>>>,
    /// Ticks that are left for a run, if it may be given up.
    patience: Option<u32>,
    /// Arguments of a call of the host.
    values: Vec<ValRaw>,
    /// What `run` has its memory in.
    _memory: Option<[Mapping; 2]>,
}

/// Counts ticks.
pub(crate) type Clock = Arc<AtomicU64>;

/// Why a run did not end well.
pub(crate) enum Failure<S> {
    /// The host's reason, or a trap's fault.
    Stop(S),
    /// The system did not give what the run needs. That is not the contract's fault.
    Shortage(String),
    /// It takes so long that the optimised tier should do it.
    Slow,
    /// It was given up.
    GivenUp(GivenUp),
}

/// Why a run is given up that is neither at its end nor out of its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// All runs together took as long as they may.
    TooLong,
    /// Whoever owns the runtime ends.
    Stopping,
}

/// What ends a run besides its own limits; looked at when the clock ticks.
#[derive(Debug, Clone)]
pub(crate) struct Leash {
    pub clock: Clock,
    /// The tick at which it is given up.
    pub ends_at: u64,
    /// Whether whoever owns the runtime ends.
    pub stopping: Arc<AtomicBool>,
}

impl Leash {
    /// Why a run is given up now.
    pub fn pulls(&self) -> Option<GivenUp> {
        if self.stopping.load(Ordering::Relaxed) {
            return Some(GivenUp::Stopping);
        }
        (self.clock.load(Ordering::Relaxed) >= self.ends_at).then_some(GivenUp::TooLong)
    }
}

impl<S: From<Fault>> From<Fault> for Failure<S> {
    fn from(fault: Fault) -> Self {
        Self::Stop(fault.into())
    }
}

/// What host functions find in the store of a running instance.
pub(crate) struct Run<H: Host> {
    /// Set during a run.
    host: Option<NonNull<H>>,
    pages: Pages,
    /// Bytes of the memory's image.
    image_len: usize,
    has_memory: bool,
    max_pages: u32,
    /// How much the code was used.
    heat: u32,
    stop: Option<Stop<H::Stop>>,
    /// Whether it is to be known where a run that fails was.
    marked: bool,
    /// Where the last one was.
    marks: Vec<Mark>,
    leash: Option<Leash>,
}

// SAFETY: `host` is only set while `Runtime::run` holds the host exclusively.
unsafe impl<H: Host> Send for Run<H> {}

enum Stop<S> {
    Host(S),
    Exit,
    Shortage(String),
    GivenUp(GivenUp),
}

impl<S> From<Stop<S>> for Failure<S> {
    fn from(stop: Stop<S>) -> Self {
        match stop {
            Stop::Host(stop) => Self::Stop(stop),
            Stop::Shortage(what) => Self::Shortage(what),
            Stop::GivenUp(why) => Self::GivenUp(why),
            Stop::Exit => unreachable!("the end of an action is no failure"),
        }
    }
}

/// How an entry point ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    ByReturn,
    ByExit,
}

/// The error that unwinds compiled code; the reason lies in [`Run::stop`].
#[derive(Debug)]
struct Halt;

impl std::fmt::Display for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped by the host")
    }
}

impl std::error::Error for Halt {}

impl<H: Host> Run<H> {
    fn new(image: &Image) -> Self {
        Self {
            host: None,
            // SAFETY: null is allowed.
            pages: unsafe { Pages::new(std::ptr::null_mut(), std::ptr::null_mut()) },
            image_len: image.bytes.len(),
            has_memory: image.initial_pages.is_some(),
            max_pages: 0,
            heat: 0,
            stop: None,
            marked: false,
            marks: Vec::new(),
            leash: None,
        }
    }

    /// A tick of the clock: the host looks at the time.
    fn tick(&mut self) -> Result<(), Stop<H::Stop>> {
        self.heat = self.heat.saturating_add(TICK_HEAT);
        match self.leash.as_ref().and_then(Leash::pulls) {
            Some(why) => Err(Stop::GivenUp(why)),
            None => self.parts().0.checktime().map_err(Stop::Host),
        }
    }

    /// The host of the current run and the contract's memory.
    fn parts(&mut self) -> (&mut H, Memory<'_>) {
        let mut host = self.host.expect("a run is on");
        // SAFETY: `Runtime::run` borrows the host exclusively until the run ends.
        (unsafe { host.as_mut() }, {
            let (bytes, notes) = self.pages.parts();
            Memory::new(bytes, notes, self.has_memory)
        })
    }

    fn halt(&mut self, stop: Stop<H::Stop>) -> wasmtime::Error {
        self.stop = Some(stop);
        wasmtime::Error::new(Halt)
    }
}

impl<H: Host> Instance<H> {
    /// Whether it is interpreted and may be optimised.
    pub fn is_improvable(&self) -> bool {
        matches!(self, Self::Interpreted(instance) if instance.code.is_bearable())
    }

    /// Runs `apply` on memory as `image` has it; interpreted for so many ticks at most, where `patience` says so.
    ///
    /// # Errors
    /// Why it stopped.
    pub fn run(
        &mut self,
        image: &Image,
        apply: Apply,
        limits: RunLimits,
        patience: Option<u32>,
        host: &mut H,
    ) -> Result<(), Failure<H::Stop>> {
        let initial = image.initial_pages.unwrap_or(0);
        if initial > limits.max_pages {
            return Err(system_failure().into());
        }
        if image.data_out_of_range {
            return Err(access_violation().into());
        }
        let run = self.state();
        run.heat = run.heat.saturating_add(RUN_HEAT);
        let shortage =
            |error: std::io::Error| Failure::Shortage(format!("memory of {} bytes: {error}", initial as usize * PAGE));
        run.pages.reset(initial as usize, &image.bytes).map_err(shortage)?;
        run.max_pages = image.maximum_pages.unwrap_or(u32::MAX).min(limits.max_pages);
        run.host = Some(NonNull::from(host));
        let depth = limits.max_call_depth.saturating_add(1);
        let result = match self {
            Self::Interpreted(instance) => {
                instance.patience = patience;
                instance.call(apply, depth)
            }
            Self::Compiled(instance) => instance.call(apply, depth),
        };
        let run = self.state();
        run.host = None;
        run.pages.give_back(image.bytes.len());
        result
    }

    /// Says whether it is to be known where runs that fail are.
    pub fn mark(&mut self, marked: bool) {
        self.state().marked = marked;
    }

    /// Says what ends its runs besides their own limits.
    pub fn lead(&mut self, leash: Option<Leash>) {
        self.state().leash = leash;
    }

    /// Ticks that the last run left of its patience, if it had such.
    pub fn patience_left(&self) -> Option<u32> {
        match self {
            Self::Interpreted(instance) => instance.patience,
            Self::Compiled(_) => None,
        }
    }

    /// Where the last run was when it failed, innermost first.
    pub fn take_marks(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.state().marks)
    }

    /// In which tier it runs.
    pub fn tier(&self) -> Tier {
        match self {
            Self::Interpreted(_) => Tier::First,
            Self::Compiled(_) => Tier::Optimised,
        }
    }

    fn state(&mut self) -> &mut Run<H> {
        match self {
            Self::Interpreted(instance) => &mut instance.run,
            Self::Compiled(instance) => instance.store.data_mut(),
        }
    }

    /// How much it was used.
    pub fn heat(&self) -> u32 {
        match self {
            Self::Interpreted(instance) => instance.run.heat,
            Self::Compiled(instance) => instance.store.data().heat,
        }
    }

    /// Bytes of its code, as it runs.
    pub fn code_bytes(&self) -> usize {
        match self {
            Self::Interpreted(instance) => instance.code.bytes(),
            Self::Compiled(instance) => instance.code_bytes,
        }
    }

    /// Bytes of memory that it holds between runs.
    pub fn bytes(&self) -> usize {
        let kept = match self {
            Self::Interpreted(instance) => instance.machine.bytes() + instance.run.pages.kept_bytes(),
            Self::Compiled(instance) => instance.store.data().pages.kept_bytes(),
        };
        self.code_bytes() + kept
    }
}

impl<H: Host> Interpreted<H> {
    /// An instance of translated code, which finds the host's functions in `host`.
    ///
    /// # Errors
    /// What the system does not give, or the host does not have.
    pub fn new(host: &Linked<H>, clock: Clock, image: &Image, code: Arc<Code>) -> Result<Self, String> {
        let mut run = Run::new(image);
        let memory = match run.has_memory {
            true => Some([Mapping::new(RESERVATION, 0)?, Mapping::new(NOTES, NOTES)?]),
            false => None,
        };
        if let Some([memory, notes]) = &memory {
            // SAFETY: such reservations, which live as long as the instance.
            run.pages = unsafe { Pages::new(memory.base(), notes.base()) };
        }
        let find = |(name, signature): &(String, Signature)| {
            let found = host.get(&**name).filter(|(known, _)| known == signature);
            found
                .map(|(_, function)| function.clone())
                .ok_or_else(|| format!("the host has no function {name} of this type"))
        };
        let functions = code.imports.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Self {
            machine: Machine::new(&code),
            code,
            run,
            clock,
            functions,
            patience: None,
            values: Vec::new(),
            _memory: memory,
        })
    }

    fn call(&mut self, apply: Apply, depth: u32) -> Result<(), Failure<H::Stop>> {
        let result = self.entry_points(apply, depth);
        if self.run.marked && matches!(result, Err(Failure::Stop(_))) {
            self.run.marks = self.machine.marks(&self.code);
        }
        self.machine.give_back(&self.code);
        result
    }

    /// The start function, then `apply`; `eosio_exit` in either ends the action.
    fn entry_points(&mut self, apply: Apply, depth: u32) -> Result<(), Failure<H::Stop>> {
        let Some(function) = self.code.apply() else { return Err(system_failure().into()) };
        self.machine.reset(&self.code);
        if let Some(start) = self.code.start()
            && self.function(start, &[], depth)? == Ended::ByExit
        {
            return Ok(());
        }
        self.function(function, &[apply.receiver.0, apply.account.0, apply.action.0], depth).map(|_| ())
    }

    fn function(&mut self, index: u32, arguments: &[u64], depth: u32) -> Result<Ended, Failure<H::Stop>> {
        let mut pause = self.machine.begin(&self.code, index, arguments, depth, self.clock.load(Ordering::Relaxed));
        loop {
            match pause.take().unwrap_or_else(|| {
                let (memory, notes) = self.run.pages.parts();
                self.machine.go(&self.code, memory, notes, &self.clock)
            }) {
                Pause::End => return Ok(Ended::ByReturn),
                Pause::Trap(fault) => return Err(fault.into()),
                Pause::Tick => {
                    self.run.tick()?;
                    match &mut self.patience {
                        Some(0) => return Err(Failure::Slow),
                        Some(left) => *left -= 1,
                        None => {}
                    }
                    self.machine.go_on(self.clock.load(Ordering::Relaxed));
                }
                Pause::Call(import) => {
                    let ended = self.call_host(import as usize)?;
                    if ended == Ended::ByExit || self.machine.has_ended() {
                        return Ok(ended);
                    }
                }
                Pause::Grow(pages) => {
                    let answer = memory_grow(&mut self.run, pages).map_err(Failure::Shortage)?;
                    self.machine.resume(answer);
                }
            }
        }
    }

    fn call_host(&mut self, import: usize) -> Result<Ended, Failure<H::Stop>> {
        let signature = &self.code.imports[import].1;
        let Some(function) = &self.functions[import] else { return Ok(Ended::ByExit) };
        let slots = self.machine.slots(signature.params.len());
        self.values.clear();
        self.values.extend(slots.iter().map(|slot| ValRaw::u64(*slot)));
        if self.values.is_empty() {
            self.values.push(ValRaw::u64(0));
        }
        let (host, mut memory) = self.run.parts();
        function(host, &mut memory, &mut self.values).map_err(Failure::Stop)?;
        if let Some(result) = signature.results.first() {
            let value = match result {
                ValueType::I32 | ValueType::F32 => u64::from(self.values[0].get_u32()),
                ValueType::I64 | ValueType::F64 => self.values[0].get_u64(),
            };
            self.machine.slots(1)[0] = value;
        }
        Ok(Ended::ByReturn)
    }
}

impl<H: Host> Compiled<H> {
    /// An instance of compiled code.
    ///
    /// # Errors
    /// What the system does not give.
    pub fn new(
        engine: &wasmtime::Engine,
        linker: &Linker<Run<H>>,
        image: &Image,
        module: &Module,
    ) -> wasmtime::Result<Self> {
        let mut store = Store::new(engine, Run::new(image));
        store.epoch_deadline_callback(|mut store| {
            let run = store.data_mut();
            match run.tick() {
                Ok(()) => Ok(UpdateDeadline::Continue(1)),
                Err(stop) => Err(run.halt(stop)),
            }
        });
        let instance = linker.instantiate(&mut store, module)?;
        let memories = (instance.get_memory(&mut store, MEMORY), instance.get_memory(&mut store, NOTES_MEMORY));
        if let (Some(memory), Some(notes)) = memories {
            let (base, notes) = (memory.data_ptr(&store), notes.data_ptr(&store));
            // SAFETY: the creator's reservations, which live as long as the store.
            store.data_mut().pages = unsafe { Pages::new(base, notes) };
        }
        let apply = instance.get_typed_func(&mut store, APPLY)?;
        let start = instance.get_typed_func(&mut store, START).ok();
        let range = module.image_range();
        let code_bytes = range.end as usize - range.start as usize;
        Ok(Self { store, apply, start, code_bytes })
    }

    /// The start function, then `apply`; `eosio_exit` in either ends the action.
    fn call(&mut self, apply: Apply, depth: u32) -> Result<(), Failure<H::Stop>> {
        self.store.set_epoch_deadline(1);
        if let Some(start) = &self.start {
            let result = start.call(&mut self.store, depth);
            if self.outcome(result)? == Ended::ByExit {
                return Ok(());
            }
        }
        let arguments = (depth, apply.receiver.0, apply.account.0, apply.action.0);
        let result = self.apply.call(&mut self.store, arguments);
        self.outcome(result).map(|_| ())
    }

    fn outcome(&mut self, result: wasmtime::Result<()>) -> Result<Ended, Failure<H::Stop>> {
        let Err(error) = result else { return Ok(Ended::ByReturn) };
        let run = self.store.data_mut();
        if run.marked {
            run.marks = marks(&error);
        }
        match run.stop.take() {
            Some(Stop::Exit) => Ok(Ended::ByExit),
            Some(stop) => Err(stop.into()),
            None => Err(trap(&error).into()),
        }
    }
}

/// Where compiled code was, innermost first, as far as the engine kept that.
fn marks(error: &wasmtime::Error) -> Vec<Mark> {
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    let mark = |frame: &FrameInfo| Some(Mark { function: frame.func_index(), place: frame.func_offset()? as u32 });
    frames.iter().filter_map(mark).collect()
}

/// nodeos' fault of a trap: what the processor raised is an access violation, the rest eos-vm's own.
fn trap(error: &wasmtime::Error) -> Fault {
    match error.downcast_ref::<Trap>() {
        Some(Trap::MemoryOutOfBounds | Trap::HeapMisaligned) => access_violation(),
        Some(Trap::IntegerDivisionByZero | Trap::IntegerOverflow) => access_violation(),
        _ => system_failure(),
    }
}

/// The host functions by name, as interpreted contracts import them.
pub(crate) type Linked<H> = FxHashMap<&'static str, (Signature, Option<RawFunction<H>>)>;

/// The host functions as interpreted contracts import them.
pub(crate) fn linked<H: Host>(intrinsics: &Intrinsics<H>) -> Linked<H> {
    intrinsics.iter().map(|entry| (entry.name, (entry.signature.clone(), entry.function.clone()))).collect()
}

/// The host functions as compiled contracts import them.
///
/// # Errors
/// Two have one name.
pub(crate) fn link<H: Host>(engine: &wasmtime::Engine, intrinsics: &Intrinsics<H>) -> wasmtime::Result<Linker<Run<H>>> {
    let mut linker = Linker::new(engine);
    for entry in intrinsics.iter() {
        let func_type = func_type(engine, &entry.signature);
        match &entry.function {
            Some(function) => {
                define(&mut linker, entry.name, func_type, function.clone(), entry.signature.params.len())?
            }
            None => {
                linker.func_new("env", entry.name, func_type, |mut caller, _, _| {
                    Err(caller.data_mut().halt(Stop::Exit))
                })?;
            }
        }
    }
    linker.func_wrap(MEMORY_MODULE, MEMORY_GROW, |mut caller: Caller<'_, Run<H>>, pages: i32| {
        let run = caller.data_mut();
        memory_grow(run, pages).map_err(|what| run.halt(Stop::Shortage(what)))
    })?;
    linker.func_wrap(MEMORY_MODULE, MEMORY_SIZE, |caller: Caller<'_, Run<H>>| caller.data().pages.count() as u32)?;
    Ok(linker)
}

fn define<H: Host>(
    linker: &mut Linker<Run<H>>,
    name: &str,
    func_type: FuncType,
    function: RawFunction<H>,
    params: usize,
) -> wasmtime::Result<()> {
    let call = move |mut caller: Caller<'_, Run<H>>, values: &mut [MaybeUninit<ValRaw>]| {
        for value in values.iter_mut().skip(params) {
            value.write(ValRaw::u64(0));
        }
        // SAFETY: compiled code set the parameters, the line above the rest.
        let values = unsafe { &mut *(std::ptr::from_mut(values) as *mut [ValRaw]) };
        let run = caller.data_mut();
        let (host, mut memory) = run.parts();
        function(host, &mut memory, values).map_err(|stop| run.halt(Stop::Host(stop)))
    };
    // SAFETY: `function` reads and writes values of the types in `func_type`: both come from one signature.
    unsafe { linker.func_new_unchecked("env", name, func_type, call) }?;
    Ok(())
}

fn func_type(engine: &wasmtime::Engine, signature: &Signature) -> FuncType {
    let types = |types: &[ValueType]| -> Vec<ValType> {
        let one = |value: &ValueType| match value {
            ValueType::I32 => ValType::I32,
            ValueType::I64 => ValType::I64,
            ValueType::F32 => ValType::F32,
            ValueType::F64 => ValType::F64,
        };
        types.iter().map(one).collect()
    };
    FuncType::new(engine, types(&signature.params), types(&signature.results))
}

/// eos-vm's `grow_linear_memory`: a negative number takes pages away.
///
/// # Errors
/// The system has no more memory.
fn memory_grow<H: Host>(run: &mut Run<H>, pages: i32) -> Result<i32, String> {
    let old = run.pages.count() as i64;
    let new = old + i64::from(pages);
    if new < 0 || (pages >= 0 && new > i64::from(run.max_pages)) {
        return Ok(-1);
    }
    match run.pages.resize(new as usize, run.image_len) {
        Ok(()) => Ok(old as i32),
        Err(error) => Err(format!("memory of {} bytes: {error}", new as usize * PAGE)),
    }
}
