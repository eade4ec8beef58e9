//! The lock of the chain. It is measured all the time how long it is held for what: everything that takes long under it
//! stands in everybody's way.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chain::Chain;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What the lock is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Somebody reads.
    Read,
    /// A transaction runs, from outside or scheduled, or one that leaves nothing.
    Transaction,
    /// A block is started.
    StartBlock,
    /// The end of this node's block.
    FinishBlock,
    /// This node's signed block becomes the head.
    CommitBlock,
    /// The pending block is taken back.
    AbortBlock,
    /// A block from outside is applied, perhaps a whole branch, and written to disk.
    ReceivedBlock,
    /// What changed since the last checkpoint is copied; others may read meanwhile.
    CopyChanges,
    /// A checkpoint is taken note of.
    Checkpoint,
    /// The whole state is written or hashed.
    WholeState,
    /// Options or lists change.
    Options,
    /// The chain gets another state.
    SetState,
}

impl Hold {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Read,
        Self::Transaction,
        Self::StartBlock,
        Self::FinishBlock,
        Self::CommitBlock,
        Self::AbortBlock,
        Self::ReceivedBlock,
        Self::CopyChanges,
        Self::Checkpoint,
        Self::WholeState,
        Self::Options,
        Self::SetState,
    ];

    /// Its name, in the form of a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Transaction => "transaction",
            Self::StartBlock => "start_block",
            Self::FinishBlock => "finish_block",
            Self::CommitBlock => "commit_block",
            Self::AbortBlock => "abort_block",
            Self::ReceivedBlock => "received_block",
            Self::CopyChanges => "copy_changes",
            Self::Checkpoint => "checkpoint",
            Self::WholeState => "whole_state",
            Self::Options => "options",
            Self::SetState => "set_state",
        }
    }
}

/// How long the lock was held for one reason since the node started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldTime {
    /// The reason.
    pub hold: Hold,
    /// How often.
    pub count: u64,
    /// How long together.
    pub total: Duration,
    /// How long at most.
    pub longest: Duration,
}

/// Nanoseconds and counts of one reason.
#[derive(Debug, Default)]
struct Counters {
    count: AtomicU64,
    total_ns: AtomicU64,
    longest_ns: AtomicU64,
}

/// The chain behind its lock.
pub(crate) struct ChainLock {
    chain: RwLock<Chain>,
    counters: [Counters; Hold::ALL.len()],
}

/// Measures one hold.
struct Watch<'a> {
    counters: &'a Counters,
    begun: Instant,
}

impl<'a> Watch<'a> {
    fn start(counters: &'a Counters) -> Self {
        Self { counters, begun: Instant::now() }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let ns = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.counters.count.fetch_add(1, Ordering::Relaxed);
        self.counters.total_ns.fetch_add(ns, Ordering::Relaxed);
        // Most holds are shorter than the longest: then nothing is written.
        if ns > self.counters.longest_ns.load(Ordering::Relaxed) {
            self.counters.longest_ns.fetch_max(ns, Ordering::Relaxed);
        }
    }
}

/// The chain, to be read.
pub(crate) struct Reading<'a> {
    guard: RwLockReadGuard<'a, Chain>,
    _watch: Watch<'a>,
}

/// The chain, to be changed.
pub(crate) struct Writing<'a> {
    guard: RwLockWriteGuard<'a, Chain>,
    _watch: Watch<'a>,
}

impl Deref for Reading<'_> {
    type Target = Chain;

    fn deref(&self) -> &Chain {
        &self.guard
    }
}

impl Deref for Writing<'_> {
    type Target = Chain;

    fn deref(&self) -> &Chain {
        &self.guard
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut Chain {
        &mut self.guard
    }
}

impl ChainLock {
    pub fn new(chain: Chain) -> Self {
        Self { chain: RwLock::new(chain), counters: Default::default() }
    }

    /// For a short look.
    pub fn read(&self) -> Reading<'_> {
        self.read_for(Hold::Read)
    }

    pub fn read_for(&self, hold: Hold) -> Reading<'_> {
        let guard = self.chain.read();
        Reading { guard, _watch: Watch::start(&self.counters[hold as usize]) }
    }

    pub fn write(&self, hold: Hold) -> Writing<'_> {
        let guard = self.chain.write();
        Writing { guard, _watch: Watch::start(&self.counters[hold as usize]) }
    }

    /// How long the lock was held, for each reason.
    pub fn times(&self) -> [HoldTime; Hold::ALL.len()] {
        Hold::ALL.map(|hold| {
            let counters = &self.counters[hold as usize];
            HoldTime {
                hold,
                count: counters.count.load(Ordering::Relaxed),
                total: Duration::from_nanos(counters.total_ns.load(Ordering::Relaxed)),
                longest: Duration::from_nanos(counters.longest_ns.load(Ordering::Relaxed)),
            }
        })
    }

    /// Logs what the lock was held for longest.
    pub fn report(&self) {
        let mut times = self.times();
        times.sort_unstable_by_key(|time| std::cmp::Reverse(time.longest));
        let part = |time: &HoldTime| format!("{} {} us", time.hold.name(), time.longest.as_micros());
        let parts: Vec<_> = times.iter().filter(|time| time.count > 0).map(part).collect();
        tracing::info!("longest holds of the chain's lock: {}", parts.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stand_where_their_counters_are() {
        assert!(Hold::ALL.iter().enumerate().all(|(at, hold)| *hold as usize == at));
    }

    #[test]
    fn the_longest_hold_is_remembered() {
        let counters = Counters::default();
        drop(Watch { counters: &counters, begun: Instant::now() - Duration::from_millis(7) });
        drop(Watch::start(&counters));
        assert_eq!(counters.count.load(Ordering::Relaxed), 2);
        assert!(counters.longest_ns.load(Ordering::Relaxed) >= 7_000_000);
    }
}
