//! The door to the time: microseconds since 1970 for deadlines, bills and block slots alike.

use std::time::{SystemTime, UNIX_EPOCH};

use primitives::TimePoint;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl execution::Clock for WallClock {
    fn now_us(&self) -> i64 {
        now().0
    }
}

/// The time now. Before 1970 it is 1970.
pub fn now() -> TimePoint {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimePoint(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
