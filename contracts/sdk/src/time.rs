//! Moments: microseconds, seconds, and the half-second slots of blocks.

use crate::alloc::string::String;
use crate::codec::{Pack, Reader, Unpack, Writer};
use crate::fail::fail;
use crate::text::{Text, write_decimal};
use core::ops::{Add, AddAssign, Sub, SubAssign};
use core::time::Duration;

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

macro_rules! arithmetic {
    ($($kind:ident, $number:ty, $unit:ident;)+) => { $(
        /// Later by a duration, in whole units of the moment; fails beyond its range.
        impl Add<Duration> for $kind {
            type Output = Self;
            fn add(self, duration: Duration) -> Self {
                let moved = <$number>::try_from(duration.$unit()).ok().and_then(|units| self.0.checked_add(units));
                Self(moved.unwrap_or_else(|| fail(OUT_OF_RANGE)))
            }
        }
        /// Earlier by a duration, in whole units of the moment; fails beyond its range.
        impl Sub<Duration> for $kind {
            type Output = Self;
            fn sub(self, duration: Duration) -> Self {
                let moved = <$number>::try_from(duration.$unit()).ok().and_then(|units| self.0.checked_sub(units));
                Self(moved.unwrap_or_else(|| fail(OUT_OF_RANGE)))
            }
        }
        impl AddAssign<Duration> for $kind {
            fn add_assign(&mut self, duration: Duration) {
                *self = *self + duration;
            }
        }
        impl SubAssign<Duration> for $kind {
            fn sub_assign(&mut self, duration: Duration) {
                *self = *self - duration;
            }
        }
    )+ };
}
const OUT_OF_RANGE: &str = "a moment is out of range";
arithmetic! { TimePoint, i64, as_micros; TimePointSec, u32, as_secs; }

/// From the earlier moment to the later one; fails when the first is the earlier.
impl Sub for TimePoint {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        let us = self.0.checked_sub(earlier.0).and_then(|us| u64::try_from(us).ok());
        Duration::from_micros(us.unwrap_or_else(|| fail(WRONG_ORDER)))
    }
}

/// From the earlier moment to the later one; fails when the first is the earlier.
impl Sub for TimePointSec {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.checked_sub(earlier.0).unwrap_or_else(|| fail(WRONG_ORDER)).into())
    }
}
const WRONG_ORDER: &str = "a later moment was taken from an earlier one";

/// `2025-01-31T23:59:59.500`, as nodeos prints it.
impl Text for TimePoint {
    fn write(&self, out: &mut String) {
        let ms = self.0.div_euclid(1_000);
        write_seconds(ms.div_euclid(1_000), out);
        out.push('.');
        write_decimal(ms.rem_euclid(1_000) as u64, 3, out);
    }
}

/// `2025-01-31T23:59:59`, as nodeos prints it.
impl Text for TimePointSec {
    fn write(&self, out: &mut String) {
        write_seconds(i64::from(self.0), out);
    }
}

impl Text for BlockTimestamp {
    fn write(&self, out: &mut String) {
        TimePoint::from(*self).write(out);
    }
}

/// Date and time of day; the year is counted from March, so that the leap day is its last.
fn write_seconds(seconds: i64, out: &mut String) {
    const DAYS_FROM_MARCH_OF_YEAR_0_TO_1970: i64 = 719_468;
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let days = seconds.div_euclid(86_400) + DAYS_FROM_MARCH_OF_YEAR_0_TO_1970;
    let (era, day) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (month_day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    let time = seconds.rem_euclid(86_400);
    let parts =
        [(year, 4, '-'), (month, 2, '-'), (month_day, 2, 'T'), (time / 3_600, 2, ':'), (time / 60 % 60, 2, ':')];
    for (part, width, after) in parts {
        write_decimal(part as u64, width, out);
        out.push(after);
    }
    write_decimal((time % 60) as u64, 2, out);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn moments_are_written_as_nodeos_prints_them() {
        let seconds = [
            (0, "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_735_689_599, "2024-12-31T23:59:59"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (u32::MAX, "2106-02-07T06:28:15"),
        ];
        for (moment, written) in seconds {
            assert_eq!(text!(TimePointSec(moment)), written);
        }
        assert_eq!(text!(TimePoint(1_735_689_599_500_999)), "2024-12-31T23:59:59.500");
        assert_eq!(text!(BlockTimestamp(1)), "2000-01-01T00:00:00.500");
    }

    #[test]
    fn durations_move_moments() {
        let day = Duration::from_secs(86_400);
        assert_eq!(TimePointSec(10) + day - TimePointSec(10), day);
        assert_eq!((TimePoint(5) + day, TimePoint(0) - day), (TimePoint(86_400_000_005), TimePoint(-86_400_000_000)));
    }

    #[test]
    #[should_panic(expected = "assertion failure with message")]
    fn a_moment_stays_in_its_range() {
        let _ = TimePointSec(u32::MAX) + Duration::from_secs(1);
    }
}
