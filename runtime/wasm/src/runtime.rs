//! Runs contracts: keeps warm instances per code hash and calls `apply`.

use crate::args::ValueType;
use crate::compiler::{Compiler, Loaded};
use crate::engine::{CodeCache, Engine};
use crate::fault::{access_violation, system_failure};
use crate::host::Host;
use crate::intrinsics::{Intrinsics, RawFunction, Signature};
use crate::linear::Pages;
use crate::memory::Memory;
use crate::rewrite::{APPLY, Image, MEMORY, MEMORY_GROW, MEMORY_MODULE, MEMORY_SIZE, NOTES_MEMORY, START};
use primitives::{Checksum256, Fault, Name};
use rustc_hash::FxHashMap;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use wasmtime::{Caller, FuncType, Linker, Store, Trap, TypedFunc, UpdateDeadline, ValRaw, ValType};

/// Contracts that stay loaded; each holds 8 GiB of address space.
const INSTANCES_MAX: usize = 1024;

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

/// Runs contracts against a host, at full speed on a thread with [`crate::THREAD_STACK_BYTES`] of stack.
///
/// Code that is not ready yet is loaded on the spot, or by others where [`Runtime::load_aside`] says so.
pub struct Runtime<H: Host> {
    compiler: Compiler,
    linker: Linker<Run<H>>,
    contracts: FxHashMap<Checksum256, Contract<H>>,
    aside: bool,
    missing: Option<MissingCode>,
    /// Counts runs, to find the contract that was used longest ago.
    runs: u64,
}

/// Code that a run would have needed. Whoever has it loaded hands it in with [`Runtime::supply`] and runs again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCode {
    /// Its hash.
    pub code_hash: Checksum256,
    /// The original bytes.
    pub code: Vec<u8>,
}

/// One loaded contract.
struct Contract<H: Host> {
    image: Image,
    /// The fault of every run where none begins.
    instance: Result<Instance<H>, Fault>,
    last_run: u64,
}

struct Instance<H: Host> {
    store: Store<Run<H>>,
    apply: TypedFunc<(u32, u64, u64, u64), ()>,
    start: Option<TypedFunc<u32, ()>>,
}

/// What host functions find in the store of a running instance.
struct Run<H: Host> {
    /// Set during a run.
    host: Option<NonNull<H>>,
    pages: Pages,
    /// Bytes of the memory's image.
    image_len: usize,
    has_memory: bool,
    max_pages: u32,
    stop: Option<Stop<H::Stop>>,
}

// SAFETY: `host` is only set while `Runtime::run` holds the host exclusively.
unsafe impl<H: Host> Send for Run<H> {}

enum Stop<S> {
    Host(S),
    Exit,
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

impl<H: Host> Runtime<H> {
    /// A runtime that calls the functions of `intrinsics` and keeps compiled code in `cache`.
    pub fn new(engine: Engine, intrinsics: &Intrinsics<H>, cache: Box<dyn CodeCache>) -> Self {
        let linker = link(&engine, intrinsics).expect("names of host functions are unique");
        let compiler = Compiler::new(engine, cache.into());
        Self { compiler, linker, contracts: FxHashMap::default(), aside: false, missing: None, runs: 0 }
    }

    /// What makes code ready, for another thread.
    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// Says whether a run that needs code which is not ready ends there. Its fault means nothing then:
    /// [`Self::take_missing`] has what was needed.
    pub fn load_aside(&mut self, aside: bool) {
        self.aside = aside;
    }

    /// The code that was needed and was not ready; no contract runs until it is taken.
    pub fn take_missing(&mut self) -> Option<MissingCode> {
        self.missing.take()
    }

    /// Takes code that another thread made ready.
    pub fn supply(&mut self, code_hash: &Checksum256, loaded: Loaded) {
        if !self.is_loaded(code_hash) {
            self.insert(code_hash, loaded);
        }
    }

    /// Whether code is ready to run.
    pub fn is_loaded(&self, code_hash: &Checksum256) -> bool {
        self.contracts.contains_key(code_hash)
    }

    /// Runs `apply` of the contract with this hash.
    ///
    /// # Errors
    /// The host's reason to stop; traps come as faults (`wasm_execution_error`).
    pub fn run(
        &mut self,
        code_hash: &Checksum256,
        apply: Apply,
        limits: RunLimits,
        host: &mut H,
    ) -> Result<(), H::Stop> {
        if self.missing.is_some() {
            return Err(system_failure().into());
        }
        if !self.is_loaded(code_hash) {
            self.find(code_hash, host)?;
        }
        self.runs += 1;
        let contract = self.contracts.get_mut(code_hash).expect("loaded");
        contract.last_run = self.runs;
        crate::stack::with_enough(move || contract.run(apply, limits, host))
    }

    /// Forgets a loaded contract.
    pub fn forget(&mut self, code_hash: &Checksum256) {
        self.contracts.remove(code_hash);
    }

    /// Loads code, or notes that it is missing.
    fn find(&mut self, code_hash: &Checksum256, host: &mut H) -> Result<(), H::Stop> {
        let code = host.code(code_hash).ok_or_else(system_failure)?;
        if self.aside {
            self.missing = Some(MissingCode { code_hash: *code_hash, code: code.to_vec() });
            return Err(system_failure().into());
        }
        // The host is asked for the time of loading, and for the code: it cannot be lent while its timer is stopped.
        let code = code.to_vec();
        host.pause_time();
        let loaded = self.compiler.load(code_hash, &code);
        self.insert(code_hash, loaded);
        host.resume_time();
        Ok(())
    }

    fn insert(&mut self, code_hash: &Checksum256, loaded: Loaded) {
        let contract = match loaded.0 {
            Ok((image, module)) => {
                let instance = (!image.broken).then(|| self.instantiate(&image, &module)).flatten();
                Contract { image, instance: instance.ok_or_else(system_failure), last_run: self.runs }
            }
            Err(fault) => Contract { image: Image::default(), instance: Err(fault), last_run: self.runs },
        };
        if self.contracts.len() >= INSTANCES_MAX {
            let oldest = self.contracts.iter().min_by_key(|(_, contract)| contract.last_run).map(|(hash, _)| *hash);
            oldest.map(|hash| self.contracts.remove(&hash));
        }
        self.contracts.insert(*code_hash, contract);
    }

    fn instantiate(&self, image: &Image, module: &wasmtime::Module) -> Option<Instance<H>> {
        let run: Run<H> = Run {
            host: None,
            // SAFETY: null is allowed.
            pages: unsafe { Pages::new(std::ptr::null_mut(), std::ptr::null_mut()) },
            image_len: image.bytes.len(),
            has_memory: image.initial_pages.is_some(),
            max_pages: 0,
            stop: None,
        };
        let mut store = Store::new(self.compiler.engine.inner(), run);
        store.epoch_deadline_callback(|mut store| {
            let run = store.data_mut();
            match run.parts().0.checktime() {
                Ok(()) => Ok(UpdateDeadline::Continue(1)),
                Err(stop) => Err(run.halt(Stop::Host(stop))),
            }
        });
        let instance = self.linker.instantiate(&mut store, module).ok()?;
        let memories = (instance.get_memory(&mut store, MEMORY), instance.get_memory(&mut store, NOTES_MEMORY));
        if let (Some(memory), Some(notes)) = memories {
            let (base, notes) = (memory.data_ptr(&store), notes.data_ptr(&store));
            // SAFETY: the creator's reservations, which live as long as the store.
            store.data_mut().pages = unsafe { Pages::new(base, notes) };
        }
        let apply = instance.get_typed_func(&mut store, APPLY).ok()?;
        let start = instance.get_typed_func(&mut store, START).ok();
        Some(Instance { store, apply, start })
    }
}

impl<H: Host> Contract<H> {
    fn run(&mut self, apply: Apply, limits: RunLimits, host: &mut H) -> Result<(), H::Stop> {
        let image = &self.image;
        let instance = self.instance.as_mut().map_err(|fault| fault.clone())?;
        let initial = image.initial_pages.unwrap_or(0);
        if initial > limits.max_pages {
            return Err(system_failure().into());
        }
        if image.data_out_of_range {
            return Err(access_violation().into());
        }
        let run = instance.store.data_mut();
        run.pages.reset(initial as usize, &image.bytes).map_err(|_| system_failure())?;
        run.max_pages = image.maximum_pages.unwrap_or(u32::MAX).min(limits.max_pages);
        run.host = Some(NonNull::from(host));
        let result = instance.call(apply, limits.max_call_depth.saturating_add(1));
        instance.store.data_mut().host = None;
        result
    }
}

impl<H: Host> Instance<H> {
    /// The start function, then `apply`; `eosio_exit` in either ends the action.
    fn call(&mut self, apply: Apply, depth: u32) -> Result<(), H::Stop> {
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

    fn outcome(&mut self, result: wasmtime::Result<()>) -> Result<Ended, H::Stop> {
        let Err(error) = result else { return Ok(Ended::ByReturn) };
        match self.store.data_mut().stop.take() {
            Some(Stop::Exit) => Ok(Ended::ByExit),
            Some(Stop::Host(stop)) => Err(stop),
            None => Err(trap(&error).into()),
        }
    }
}

/// nodeos' fault of a trap: what the processor raised is an access violation, the rest eos-vm's own.
fn trap(error: &wasmtime::Error) -> Fault {
    match error.downcast_ref::<Trap>() {
        Some(Trap::MemoryOutOfBounds | Trap::HeapMisaligned) => access_violation(),
        Some(Trap::IntegerDivisionByZero | Trap::IntegerOverflow) => access_violation(),
        _ => system_failure(),
    }
}

fn link<H: Host>(engine: &Engine, intrinsics: &Intrinsics<H>) -> wasmtime::Result<Linker<Run<H>>> {
    let mut linker = Linker::new(engine.inner());
    for entry in intrinsics.iter() {
        let func_type = func_type(engine.inner(), &entry.signature);
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
        memory_grow(caller.data_mut(), pages)
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
fn memory_grow<H: Host>(run: &mut Run<H>, pages: i32) -> i32 {
    let old = run.pages.count() as i64;
    let new = old + i64::from(pages);
    if new < 0 || (pages >= 0 && new > i64::from(run.max_pages)) {
        return -1;
    }
    match run.pages.resize(new as usize, run.image_len) {
        Ok(()) => old as i32,
        Err(_) => -1,
    }
}
