//! Moments: microseconds, seconds, and the half-second slots of blocks.

use crate::codec::{Pack, Reader, Unpack, Writer};

/// Microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct TimePoint(pub i64);

impl TimePoint {
    /// Whole seconds since 1970, as a 32-bit number.
    pub const fn seconds(self) -> u32 {
        (self.0 / 1_000_000) as u32
    }

    /// The moment so many microseconds later.
    pub const fn plus_us(self, microseconds: i64) -> Self {
        Self(self.0.wrapping_add(microseconds))
    }

    /// Microseconds from `earlier` to this moment.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0)
    }
}

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct TimePointSec(pub u32);

impl From<TimePoint> for TimePointSec {
    fn from(time: TimePoint) -> Self {
        Self(time.seconds())
    }
}

impl From<TimePointSec> for TimePoint {
    fn from(time: TimePointSec) -> Self {
        Self(i64::from(time.0) * 1_000_000)
    }
}

/// Half seconds since 2000: the slot of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct BlockTimestamp(pub u32);

impl BlockTimestamp {
    /// Milliseconds from 1970 to slot 0.
    pub const EPOCH_MS: i64 = 946_684_800_000;
    /// Milliseconds of a slot.
    pub const INTERVAL_MS: i64 = 500;
}

impl From<TimePoint> for BlockTimestamp {
    fn from(time: TimePoint) -> Self {
        Self(((time.0 / 1_000 - Self::EPOCH_MS) / Self::INTERVAL_MS) as u32)
    }
}

impl From<BlockTimestamp> for TimePoint {
    fn from(slot: BlockTimestamp) -> Self {
        Self((i64::from(slot.0) * BlockTimestamp::INTERVAL_MS + BlockTimestamp::EPOCH_MS) * 1_000)
    }
}

macro_rules! packed_as {
    ($($kind:ident $number:ty),+) => { $(
        impl Pack for $kind {
            fn pack(&self, out: &mut Writer) {
                self.0.pack(out);
            }
        }
        impl<'a> Unpack<'a> for $kind {
            fn unpack(reader: &mut Reader<'a>) -> Self {
                Self(<$number>::unpack(reader))
            }
        }
    )+ };
}
packed_as!(TimePoint i64, TimePointSec u32, BlockTimestamp u32);
