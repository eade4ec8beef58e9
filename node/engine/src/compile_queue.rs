//! The threads that make contract code ready, and what they have to do: one loads what was set and at once what somebody
//! needs, a second one optimises what is used much. Also who waits for code.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use chain::{Compiler, MissingCode, PreparedBlock};
use primitives::Checksum256;
use rustc_hash::FxHashSet;

use crate::command::{Command, Reply, Submission, Verdict};
use crate::{EngineError, memory};

/// Codes that wait for the compiler at most; more that were only set, not needed, are left until they are.
const JOBS_MAX: usize = 64;
/// Dry runs and read-only transactions that wait for code at most; each is a request that is held open.
const TRANSIENTS_MAX: usize = 256;
/// How much the compiler yields to the threads that serve and produce, of 19.
const NICENESS: libc::c_int = 5;
/// How much the optimiser does.
const OPTIMISER_NICENESS: libc::c_int = 10;
/// Codes that wait for the optimiser at most.
const HOT_MAX: usize = 16;

/// Codes in the order in which they are to be loaded; ends with its owner.
#[derive(Debug, Default)]
struct Jobs {
    waiting: Mutex<(VecDeque<MissingCode>, bool)>,
    changed: Condvar,
}

/// The compiler's thread and the way to it; by default there is none, for a machine that compiles by itself.
#[derive(Debug, Default)]
pub(crate) struct CompileQueue {
    jobs: Arc<Jobs>,
    /// What is used much and waits to be optimised.
    hot: Arc<Jobs>,
    /// What a block from outside waits for to be optimised: no contract of others comes before it.
    urgent: Arc<Jobs>,
    /// What waits or is being loaded.
    asked: FxHashSet<Checksum256>,
    /// Dry runs and read-only transactions that wait for code.
    transients: Vec<(Checksum256, Submission)>,
    /// The block from outside that waits for code.
    block: Option<HeldBlock>,
}

/// A block from outside that waits for code; all later ones wait for it.
#[derive(Debug)]
struct HeldBlock {
    code_hash: Checksum256,
    block: PreparedBlock,
    reply: Option<Reply<Verdict>>,
}

impl Jobs {
    fn add(&self, job: MissingCode) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).0.push_back(job);
        self.changed.notify_one();
    }

    /// Adds a job unless it waits already, or too many do.
    fn add_bounded(&self, job: MissingCode) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.0.len() < HOT_MAX && waiting.0.iter().all(|known| known.code_hash != job.code_hash) {
            waiting.0.push_back(job);
            self.changed.notify_one();
        }
    }

    /// Puts a job before all others, unless it is `asked` for already and under way.
    fn add_first(&self, job: MissingCode, asked: bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = waiting.0.len();
        waiting.0.retain(|known| known.code_hash != job.code_hash);
        if !asked || waiting.0.len() < before {
            waiting.0.push_front(job);
        }
        self.changed.notify_one();
    }

    fn next(&self) -> Option<MissingCode> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if waiting.1 {
                return None;
            }
            match waiting.0.pop_front() {
                Some(job) => return Some(job),
                None => waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Drop for CompileQueue {
    fn drop(&mut self) {
        for jobs in [&self.jobs, &self.hot, &self.urgent] {
            jobs.waiting.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
            jobs.changed.notify_one();
        }
    }
}

impl CompileQueue {
    /// Starts the thread. It is not waited for: what it does is only of use to the writer.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn start(compiler: Compiler, commands: SyncSender<Command>) -> Result<Self, EngineError> {
        let (jobs, hot, urgent) = (Arc::<Jobs>::default(), Arc::<Jobs>::default(), Arc::<Jobs>::default());
        let (first, sender) = (compiler.clone(), commands.clone());
        let (for_blocks, blocks_sender) = (compiler.clone(), commands.clone());
        start_thread("compiler", NICENESS, &jobs, move |MissingCode { code_hash, code, .. }| {
            let loaded = first.load(&code_hash, &code);
            sender.send(Command::CodeReady { code_hash, loaded }).is_ok()
        })?;
        start_thread("optimiser", OPTIMISER_NICENESS, &hot, move |MissingCode { code_hash, code, .. }| {
            let loaded = compiler.settle(&code_hash, &code);
            commands.send(Command::CodeReady { code_hash, loaded }).is_ok()
        })?;
        start_thread("urgent", 0, &urgent, move |MissingCode { code_hash, code, .. }| {
            let loaded = for_blocks.settle(&code_hash, &code);
            blocks_sender.send(Command::CodeReady { code_hash, loaded }).is_ok()
        })?;
        Ok(Self { jobs, hot, urgent, asked: FxHashSet::default(), transients: Vec::new(), block: None })
    }

    /// Has code loaded that something waits for.
    pub fn need(&mut self, missing: MissingCode) {
        let new = self.asked.insert(missing.code_hash);
        let jobs = if missing.optimised { &self.hot } else { &self.jobs };
        jobs.add_first(missing, !new);
    }

    /// Has code loaded that was set, unless there is much to do.
    pub fn expect(&mut self, code_hash: Checksum256, code: Vec<u8>) {
        if self.asked.len() < JOBS_MAX && self.asked.insert(code_hash) {
            self.jobs.add(MissingCode { code_hash, code, optimised: false });
        }
    }

    /// Has code optimised that is used much, unless there is much to do.
    pub fn optimise(&self, code: MissingCode) {
        self.hot.add_bounded(code);
    }

    /// Lets a dry run or a read-only transaction wait for code; gives it back where too many do.
    pub fn hold_transient(&mut self, missing: MissingCode, submission: Submission) -> Result<(), Submission> {
        if self.transients.len() >= TRANSIENTS_MAX {
            return Err(submission);
        }
        self.transients.push((missing.code_hash, submission));
        self.need(missing);
        Ok(())
    }

    /// Lets a block from outside wait for code.
    pub fn hold_block(&mut self, missing: MissingCode, block: PreparedBlock, reply: Option<Reply<Verdict>>) {
        self.block = Some(HeldBlock { code_hash: missing.code_hash, block, reply });
        if missing.optimised {
            self.urgent.add_first(missing, false);
        } else {
            self.need(missing);
        }
    }

    /// Whether a block from outside waits for code, and so all later ones for it.
    pub fn holds_block(&self) -> bool {
        self.block.is_some()
    }

    /// This code is under way no longer.
    pub fn loaded(&mut self, code_hash: &Checksum256) {
        self.asked.remove(code_hash);
    }

    /// The block from outside that waited for this code.
    pub fn release_block(&mut self, code_hash: &Checksum256) -> Option<(PreparedBlock, Option<Reply<Verdict>>)> {
        let held = self.block.take_if(|held| held.code_hash == *code_hash)?;
        Some((held.block, held.reply))
    }

    /// The dry runs and read-only transactions that waited for this code.
    pub fn release_transients(&mut self, code_hash: &Checksum256) -> Vec<Submission> {
        let ready = |(needed, _): &mut (Checksum256, Submission)| needed == code_hash;
        self.transients.extract_if(.., ready).map(|(_, submission)| submission).collect()
    }
}

/// Starts a thread that does one job after the other until `work` says that nobody waits any more.
fn start_thread(
    name: &'static str,
    niceness: libc::c_int,
    jobs: &Arc<Jobs>,
    work: impl Fn(MissingCode) -> bool + Send + 'static,
) -> Result<(), EngineError> {
    let jobs = Arc::clone(jobs);
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(wasm::engine::THREAD_STACK_BYTES)
        .spawn(move || {
            yield_to_others(niceness);
            while let Some(job) = jobs.next() {
                let goes_on = work(job);
                // What compiling took for a moment does not stay with the process.
                memory::give_back();
                if !goes_on {
                    return;
                }
            }
        })
        .map_err(|source| EngineError::Thread { name, source })?;
    Ok(())
}

/// Lets the threads that serve and produce go before this one.
pub fn yield_to_others(niceness: libc::c_int) {
    // SAFETY: no memory is involved. Zero is the calling thread. A system that refuses changes nothing.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, niceness) };
}
