//! The door to the time. One [`Clock`] is made when the node starts and handed to everything that asks what time it is:
//! block slots, deadlines, bills, expirations. On a development chain it can be moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use primitives::TimePoint;

/// The time as the node sees it; clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<State>);

#[derive(Debug)]
struct State {
    /// Microseconds beyond the machine's time, or since 1970 for a clock that stands still.
    shift_us: AtomicI64,
    stands_still: bool,
}

impl Clock {
    /// The machine's time, until it is moved.
    pub fn real() -> Self {
        Self(Arc::new(State { shift_us: AtomicI64::new(0), stands_still: false }))
    }

    /// A time that passes only when it is set.
    pub fn manual(time: TimePoint) -> Self {
        Self(Arc::new(State { shift_us: AtomicI64::new(time.0), stands_still: true }))
    }

    /// The time now, in microseconds since 1970.
    pub fn now(&self) -> TimePoint {
        TimePoint(self.base_us().saturating_add(self.0.shift_us.load(Ordering::Relaxed)))
    }

    /// It is `time` now; from then on it goes on as before.
    pub fn set(&self, time: TimePoint) {
        self.0.shift_us.store(time.0.saturating_sub(self.base_us()), Ordering::Relaxed);
    }

    fn base_us(&self) -> i64 {
        if self.0.stands_still { 0 } else { machine_time().0 }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

impl execution::Clock for Clock {
    fn now_us(&self) -> i64 {
        self.now().0
    }
}

/// The machine's own time, which nobody moves: for log lines and for measuring. Before 1970 it is 1970.
pub fn machine_time() -> TimePoint {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimePoint(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR_US: i64 = 365 * 86_400 * 1_000_000;

    #[test]
    fn a_moved_clock_goes_on_from_there_for_all_who_have_it() {
        let (clock, machine) = (Clock::real(), machine_time());
        let other = clock.clone();
        clock.set(TimePoint(machine.0 + YEAR_US));
        let moved = other.now();
        assert!(moved.0 >= machine.0 + YEAR_US);
        while other.now() == moved {}
        assert!(other.now() > moved, "it goes on");
        assert!(machine_time().0 < machine.0 + YEAR_US, "the machine's time is as it was");
    }

    #[test]
    fn a_manual_clock_stands_still() {
        let clock = Clock::manual(TimePoint(7));
        assert_eq!(clock.now(), TimePoint(7));
        clock.set(TimePoint(5));
        assert_eq!(clock.clone().now(), TimePoint(5));
    }
}
