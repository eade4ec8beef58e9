//! Times: microseconds, seconds, and the 500 ms slots of blocks.

use codec::{Pack, Unpack};

/// Length of a block slot in microseconds.
pub const SLOT_US: i64 = 500_000;
/// Microseconds from 1970-01-01 to slot 0, 2000-01-01T00:00:00.
pub const SLOT_EPOCH_US: i64 = 946_684_800_000_000;

/// Microseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct TimePoint(pub i64);

/// Seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct TimePointSec(pub u32);

/// Number of a 500 ms slot since 2000-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pack, Unpack)]
pub struct BlockTimestamp(pub u32);

impl BlockTimestamp {
    /// The slot's first instant.
    pub fn time(self) -> TimePoint {
        TimePoint(SLOT_EPOCH_US + i64::from(self.0) * SLOT_US)
    }

    /// The slot that `time` lies in (rounded down, as `block_timestamp(time_point)` does).
    pub fn at(time: TimePoint) -> Self {
        Self(u32::try_from((time.0 - SLOT_EPOCH_US).max(0) / SLOT_US).unwrap_or(u32::MAX))
    }

    /// The slot after this one.
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl From<TimePointSec> for TimePoint {
    fn from(time: TimePointSec) -> Self {
        Self(i64::from(time.0) * 1_000_000)
    }
}

impl TimePoint {
    /// Whole seconds, rounded down.
    pub fn seconds(self) -> TimePointSec {
        TimePointSec((self.0 / 1_000_000) as u32)
    }
}
