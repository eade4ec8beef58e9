//! Memory that nothing uses any more and that the allocator keeps for later.

use std::time::{Duration, Instant};

/// Bytes that the allocator may keep; of more, what was freed lately goes back to the system.
const FREE_BYTES_MAX: usize = 8 << 20;
/// Bytes of free memory that are worth the search for it.
const FREED_BYTES_MIN: usize = 4 << 20;
/// How often it is searched for at least while much is kept: what is used and freed again in between is not seen.
const GIVE_BACK_INTERVAL: Duration = Duration::from_secs(30);

/// Gives free memory back to the system.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the allocator's own function, which only touches free memory.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Bytes of free memory that the allocator has, also what it gave back before and may use again.
fn free_bytes() -> usize {
    #[cfg(target_env = "gnu")]
    // SAFETY: the allocator's own function, which returns numbers.
    return unsafe { libc::mallinfo2() }.fordblks;
    #[cfg(not(target_env = "gnu"))]
    0
}

/// Decides when to give memory back, looking at it from time to time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeper {
    /// The least that was free since memory was given back last: what is free beyond that is the process' still.
    least: usize,
    given: Instant,
}

impl Keeper {
    pub fn new(now: Instant) -> Self {
        Self { least: 0, given: now }
    }

    /// Looks, and gives back what is too much.
    pub fn look(&mut self) {
        let now = Instant::now();
        if self.is_due(free_bytes(), now) {
            give_back();
            *self = Self { least: free_bytes(), given: now };
        }
    }

    fn is_due(&mut self, free: usize, now: Instant) -> bool {
        self.least = self.least.min(free);
        let is_old = now.saturating_duration_since(self.given) >= GIVE_BACK_INTERVAL;
        free > FREE_BYTES_MAX && (is_old || free - self.least >= FREED_BYTES_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_when_much_was_freed() {
        let begin = Instant::now();
        let mut keeper = Keeper::new(begin);
        assert!(!keeper.is_due(FREE_BYTES_MAX, begin) && keeper.is_due(FREE_BYTES_MAX + 1, begin));
        keeper.least = FREE_BYTES_MAX + 1;
        assert!(!keeper.is_due(FREE_BYTES_MAX + 1, begin), "it was given back");
        assert!(!keeper.is_due(FREE_BYTES_MAX + FREED_BYTES_MIN, begin));
        assert!(keeper.is_due(FREE_BYTES_MAX + FREED_BYTES_MIN + 1, begin));
        // Used again, and freed again.
        assert!(!keeper.is_due(1 << 10, begin) && keeper.is_due(FREE_BYTES_MAX + 1, begin));
        keeper.least = FREE_BYTES_MAX + 1;
        assert!(keeper.is_due(FREE_BYTES_MAX + 1, begin + GIVE_BACK_INTERVAL));
        assert!(!keeper.is_due(FREE_BYTES_MAX, begin + GIVE_BACK_INTERVAL));
    }

    #[test]
    #[cfg(target_env = "gnu")]
    fn free_memory_is_seen() {
        // Pieces too small for mappings of their own, with one in between that stays.
        let (pieces, between): (Vec<_>, Vec<_>) = (0..2000).map(|_| (vec![1u8; 16 << 10], vec![1u8; 64])).unzip();
        let before = free_bytes();
        drop(pieces);
        assert!(free_bytes() > before + (16 << 20), "{before}");
        drop(between);
    }
}
