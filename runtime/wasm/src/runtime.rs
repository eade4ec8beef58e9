//! Runs contracts: keeps warm instances per code hash and calls `apply`.

use crate::backtrace::{Backtrace, Chart};
use crate::compiler::{Compiler, Form, Loaded};
use crate::engine::{CodeCache, Engine};
use crate::fault::system_failure;
use crate::host::Host;
use crate::instance::{
    Apply, Compiled, Failure, GivenUp, Instance, Interpreted, Leash, Linked, Run, RunLimits, link, linked,
};
use crate::intrinsics::Intrinsics;
use crate::rewrite::Image;
use crate::tier::{BYTES_PER_HEAT, BYTES_PER_TICK, HOT, PATIENCE_TICKS, Tier, Tiers};
use primitives::{Checksum256, Fault, Name};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime::Linker;

/// Contracts that stay loaded; each holds 8 GiB of address space.
const INSTANCES_MAX: usize = 512;
/// Bytes of memory that loaded contracts hold between runs.
const LOADED_BYTES_MAX: usize = 256 << 20;
/// Bytes that may be kept of what is known of a contract's code: others are looked through for each run that fails.
const CHART_BYTES_MAX: usize = 4 << 20;
/// Contracts that wait to be optimised; what is used much asks again.
const HOT_MAX: usize = 16;

/// Runs contracts against a host, at full speed on a thread with [`crate::THREAD_STACK_BYTES`] of stack.
///
/// Code that is not ready yet is loaded on the spot, or by others where [`Runtime::load_aside`] says so. It begins in
/// the first tier; what is used much is optimised, on the spot or by others, and goes on in that tier with its next run.
pub struct Runtime<H: Host> {
    compiler: Compiler,
    first: Linked<H>,
    optimised: Linker<Run<H>>,
    contracts: FxHashMap<Checksum256, Contract<H>>,
    aside: bool,
    patient: bool,
    optimises: bool,
    unready: Option<Unready>,
    /// Where the last run was that failed, where the engine is one that tells.
    backtrace: Option<Backtrace>,
    /// What others should optimise.
    hot: Vec<MissingCode>,
    /// Counts runs, to find the contract that was used longest ago.
    runs: u64,
    bounds: Option<Bounds>,
    /// The tick at which bounded runs are given up.
    ends_at: u64,
    /// Whether whoever owns this ends.
    stopping: Arc<AtomicBool>,
}

/// What bounds the runs of a block together, in ticks of the clock, where others load code. One that goes beyond ends
/// there, as one without code does; so does each once [`Runtime::stop_flag`] is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In the first tier, beside what the optimised form takes to make, of code that has not been waited for; none for
    /// no limit.
    pub first_tier: Option<u32>,
    /// In any tier; none for no limit.
    pub all: Option<u64>,
}

/// Code that a run would have needed. Whoever has it loaded hands it in with [`Runtime::supply`] and runs again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCode {
    /// Its hash.
    pub code_hash: Checksum256,
    /// The original bytes.
    pub code: Vec<u8>,
    /// Whether it is loaded, and should be optimised.
    pub optimised: bool,
}

/// Why a run could not be what it should be: neither the contract's fault nor the chain's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unready {
    /// Code is not loaded.
    Code(MissingCode),
    /// The system gives no memory or address space: what was asked for, and what it said.
    Shortage(String),
    /// The runs took as long as they may ([`Bounds::all`]).
    TooLong {
        /// Whose code ran last.
        receiver: Name,
        /// For which action.
        action: Name,
    },
    /// Whoever owns the runtime ends.
    Stopping,
}

/// One loaded contract.
struct Contract<H: Host> {
    image: Image,
    /// The fault of every run where none begins.
    instance: Result<Instance<H>, Fault>,
    tier: Tier,
    /// Whether it was, or need not be, considered for the optimised tier.
    considered: bool,
    /// Whether a run that takes long may be given up for an optimised one.
    hasty: bool,
    last_run: u64,
    /// What is known of its code since a run failed, where that is worth keeping.
    chart: Option<Chart>,
}

impl<H: Host> Contract<H> {
    fn bytes(&self) -> usize {
        self.image.bytes.len()
            + self.instance.as_ref().map_or(0, Instance::bytes)
            + self.chart.as_ref().map_or(0, Chart::bytes)
    }

    /// Where its last run was when it failed.
    fn backtrace(&mut self, code_hash: &Checksum256, code: &[u8], limits: RunLimits) -> Option<Backtrace> {
        let instance = self.instance.as_mut().ok()?;
        let marks = instance.take_marks();
        let chart = match self.chart.take() {
            Some(chart) => chart,
            None => Chart::of(code, instance.tier()).ok()?,
        };
        let backtrace = chart.read(*code_hash, &marks, limits.max_call_depth);
        self.chart = Some(chart).filter(|chart| chart.bytes() <= CHART_BYTES_MAX);
        Some(backtrace)
    }

    fn is_hot(&self) -> bool {
        let worth =
            |instance: &Instance<H>| instance.heat() as usize >= HOT as usize + instance.code_bytes() / BYTES_PER_HEAT;
        !self.considered && self.instance.as_ref().is_ok_and(worth)
    }
}

impl<H: Host> Runtime<H> {
    /// A runtime that calls the functions of `intrinsics` and keeps optimised code in `cache`.
    pub fn new(engine: Engine, intrinsics: &Intrinsics<H>, cache: Box<dyn CodeCache>) -> Self {
        let optimised = link(engine.optimised(), intrinsics).expect("names of host functions are unique");
        Self {
            compiler: Compiler::new(engine, cache.into()),
            first: linked(intrinsics),
            optimised,
            contracts: FxHashMap::default(),
            aside: false,
            patient: false,
            optimises: true,
            unready: None,
            backtrace: None,
            hot: Vec::new(),
            runs: 0,
            bounds: None,
            ends_at: u64::MAX,
            stopping: Arc::default(),
        }
    }

    /// What makes code ready, for another thread.
    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// Says whether a run that needs code which is not ready ends there. Its fault means nothing then:
    /// [`Self::take_unready`] has what was needed.
    pub fn load_aside(&mut self, aside: bool) {
        self.aside = aside;
    }

    /// Says whether code that is used much is optimised at all.
    pub fn optimise_used(&mut self, optimises: bool) {
        self.optimises = optimises;
    }

    /// Says whether an interpreted run goes on to its end, however long it takes, where others load code. Else it ends as
    /// if its code were not ready, to be run again when that is optimised.
    pub fn be_patient(&mut self, patient: bool) {
        self.patient = patient;
    }

    /// Bounds the runs that follow, or no longer.
    pub fn bound(&mut self, bounds: Option<Bounds>) {
        let ticks = self.compiler.engine.clock().load(Ordering::Relaxed);
        self.ends_at = bounds.and_then(|bounds| bounds.all).map_or(u64::MAX, |all| ticks.saturating_add(all));
        self.bounds = bounds;
    }

    /// Set to end runs that are bounded.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopping)
    }

    /// What was needed and was not ready; no contract runs until it is taken.
    pub fn take_unready(&mut self) -> Option<Unready> {
        self.unready.take()
    }

    /// Where the last run was when it failed, if the engine is [one that tells](Engine::with_backtraces) and nobody took
    /// it.
    pub fn take_backtrace(&mut self) -> Option<Backtrace> {
        self.backtrace.take()
    }

    /// Code that is used so much that others should optimise it, where [`Runtime::load_aside`] says that others load.
    pub fn take_hot(&mut self) -> Option<MissingCode> {
        self.hot.pop()
    }

    /// Takes code that another thread made ready, in place of what is loaded of a lower tier.
    pub fn supply(&mut self, code_hash: &Checksum256, loaded: Loaded) {
        let known = self.contracts.get(code_hash).is_some_and(|contract| contract.tier == Tier::Optimised);
        if known || (loaded.tier() == Tier::First && self.is_loaded(code_hash)) {
            return;
        }
        // What cannot be had now is asked for again by the next run.
        let _ = self.insert(code_hash, loaded);
    }

    /// Whether code is ready to run.
    pub fn is_loaded(&self, code_hash: &Checksum256) -> bool {
        self.contracts.contains_key(code_hash)
    }

    /// The tier in which code is loaded.
    pub fn tier(&self, code_hash: &Checksum256) -> Option<Tier> {
        self.contracts.get(code_hash).map(|contract| contract.tier)
    }

    /// Number of loaded contracts.
    pub fn loaded_count(&self) -> usize {
        self.contracts.len()
    }

    /// Bytes of memory that loaded contracts hold between runs.
    pub fn loaded_bytes(&self) -> usize {
        self.contracts.values().map(Contract::bytes).sum()
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
        if self.unready.is_some() {
            return Err(system_failure().into());
        }
        self.runs += 1;
        self.backtrace = None;
        self.prepare(code_hash, host)?;
        let contract = self.contracts.get_mut(code_hash).expect("loaded");
        contract.last_run = self.runs;
        let instance = contract.instance.as_mut().map_err(|fault| fault.clone())?;
        let tells = self.compiler.engine.has_backtraces();
        instance.mark(tells);
        let image = &contract.image;
        let bounds = self.bounds.filter(|_| self.aside);
        let leash = bounds.map(|_| Leash {
            clock: self.compiler.engine.clock(),
            ends_at: self.ends_at,
            stopping: Arc::clone(&self.stopping),
        });
        if let Some(why) = leash.as_ref().and_then(Leash::pulls) {
            self.unready = Some(given_up(why, apply));
            return Err(system_failure().into());
        }
        instance.lead(leash);
        let patience = match bounds {
            _ if !contract.hasty || !self.aside => None,
            Some(Bounds { first_tier, .. }) => first_tier
                .map(|ticks| ticks + u32::try_from(instance.code_bytes() / BYTES_PER_TICK).unwrap_or(u32::MAX >> 1)),
            None => (!self.patient).then_some(PATIENCE_TICKS),
        };
        let result = {
            let host = &mut *host;
            crate::stack::with_enough(|| instance.run(image, apply, limits, patience, host))
        };
        if let Some(Bounds { first_tier: Some(left), .. }) = self.bounds.as_mut()
            && let (Some(had), Some(has)) = (patience, instance.patience_left())
        {
            *left = left.saturating_sub(had - has);
        }
        match result {
            Ok(()) => Ok(()),
            Err(Failure::Stop(stop)) => {
                if tells && let Some(code) = host.code(code_hash) {
                    self.backtrace = contract.backtrace(code_hash, code, limits);
                }
                Err(stop)
            }
            Err(Failure::Shortage(what)) => Err(self.fall_short(what)),
            Err(Failure::GivenUp(why)) => {
                self.unready = Some(given_up(why, apply));
                Err(system_failure().into())
            }
            Err(Failure::Slow) => {
                (contract.hasty, contract.considered) = (false, true);
                let code = host.code(code_hash).ok_or_else(system_failure)?.to_vec();
                self.unready = Some(Unready::Code(MissingCode { code_hash: *code_hash, code, optimised: true }));
                Err(system_failure().into())
            }
        }
    }

    /// Forgets a loaded contract.
    pub fn forget(&mut self, code_hash: &Checksum256) {
        self.contracts.remove(code_hash);
    }

    /// Forgets the loaded contracts that the chain does not have (any more).
    pub fn retain(&mut self, has: impl Fn(&Checksum256) -> bool) {
        self.contracts.retain(|hash, _| has(hash));
    }

    /// Sees to it that the contract is loaded, in the tier that it deserves, or notes what is missing.
    fn prepare(&mut self, code_hash: &Checksum256, host: &mut H) -> Result<(), H::Stop> {
        let (loaded, hot) = match self.contracts.get(code_hash) {
            Some(contract) => (true, self.optimises && contract.is_hot()),
            None => (false, false),
        };
        if loaded && !hot {
            return Ok(());
        }
        // The host is asked for the time of loading, and for the code: it cannot be lent while its timer is stopped.
        let code = host.code(code_hash).ok_or_else(system_failure)?.to_vec();
        if let Some(contract) = self.contracts.get_mut(code_hash) {
            contract.considered = true;
            if self.aside {
                self.hot.truncate(HOT_MAX - 1);
                self.hot.push(MissingCode { code_hash: *code_hash, code, optimised: true });
                return Ok(());
            }
        } else if self.aside {
            self.unready = Some(Unready::Code(MissingCode { code_hash: *code_hash, code, optimised: false }));
            return Err(system_failure().into());
        }
        host.pause_time();
        let made =
            if hot { self.compiler.optimise(code_hash, &code) } else { Some(self.compiler.load(code_hash, &code)) };
        let inserted = made.map_or(Ok(()), |made| self.insert(code_hash, made));
        host.resume_time();
        match inserted {
            // Making room for the optimised form may have cost the one that was there.
            Err(what) if !self.is_loaded(code_hash) => Err(self.fall_short(what)),
            _ => Ok(()),
        }
    }

    fn fall_short(&mut self, what: String) -> H::Stop {
        self.unready = Some(Unready::Shortage(what));
        system_failure().into()
    }

    /// Loads compiled code, in place of others that were used longest ago where there are too many.
    fn insert(&mut self, code_hash: &Checksum256, loaded: Loaded) -> Result<(), String> {
        let tier = loaded.tier();
        let considered = loaded.is_settled() || self.compiler.engine.tiers() == Tiers::First;
        let (image, instance) = match loaded.into_result() {
            Ok((image, _)) if image.broken => (image, Err(system_failure())),
            Ok((image, form)) => {
                let instance = self.instantiate(&image, &form)?;
                (image, Ok(instance))
            }
            Err(fault) => (Image::default(), Err(fault)),
        };
        let improvable = instance.as_ref().is_ok_and(Instance::is_improvable);
        let considered = considered || !improvable;
        let hasty = improvable && !considered;
        let contract = Contract { image, instance, tier, considered, hasty, last_run: self.runs, chart: None };
        self.contracts.remove(code_hash);
        self.make_room(contract.bytes());
        self.contracts.insert(*code_hash, contract);
        Ok(())
    }

    /// An instance; where the system gives nothing more, all others are given up for it.
    fn instantiate(&mut self, image: &Image, form: &Form) -> Result<Instance<H>, String> {
        self.instance(image, form).or_else(|_| {
            self.contracts.clear();
            self.instance(image, form).map_err(|error| format!("an instance of a contract: {error}"))
        })
    }

    fn instance(&self, image: &Image, form: &Form) -> Result<Instance<H>, String> {
        let engine = &self.compiler.engine;
        match form {
            Form::Interpreted(code) => Interpreted::new(&self.first, engine.clock(), image, code.clone())
                .map(|instance| Instance::Interpreted(Box::new(instance))),
            Form::Compiled(module) => Compiled::new(engine.optimised(), &self.optimised, image, module)
                .map(Instance::Compiled)
                .map_err(|error| format!("{error:#}")),
        }
    }

    /// Gives up contracts until one of `bytes` has room.
    fn make_room(&mut self, bytes: usize) {
        let mut held = self.loaded_bytes();
        while !self.contracts.is_empty() && (self.contracts.len() >= INSTANCES_MAX || held + bytes > LOADED_BYTES_MAX) {
            let oldest = self.contracts.iter().min_by_key(|(_, contract)| contract.last_run).map(|(hash, _)| *hash);
            let given_up = oldest.and_then(|hash| self.contracts.remove(&hash));
            held -= given_up.map_or(0, |contract| contract.bytes());
        }
    }
}

fn given_up(why: GivenUp, Apply { receiver, action, .. }: Apply) -> Unready {
    match why {
        GivenUp::TooLong => Unready::TooLong { receiver, action },
        GivenUp::Stopping => Unready::Stopping,
    }
}
