//! Times: microseconds, seconds, and the 500 ms slots of blocks.

use std::fmt;
use std::str::FromStr;

use codec::{Pack, Unpack};

use crate::{Fault, FaultKind};

/// Length of a block slot in microseconds.
pub const SLOT_US: i64 = 500_000;
/// Microseconds from 1970-01-01 to slot 0, 2000-01-01T00:00:00.
pub const SLOT_EPOCH_US: i64 = 946_684_800_000_000;

const SECOND_US: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

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

    /// The slot that `time` lies in: rounded down to milliseconds, then to slots, cut to 32 bits as
    /// `block_timestamp(time_point)` does.
    pub fn at(time: TimePoint) -> Self {
        // nodeos subtracts and divides as unsigned 64-bit numbers.
        let milliseconds = (time.0 / 1000).wrapping_sub(SLOT_EPOCH_US / 1000) as u64;
        Self((milliseconds / (SLOT_US as u64 / 1000)) as u32)
    }

    /// The slot after this one.
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl TimePoint {
    /// Whether nodeos can print it: boost knows the years 1400 to 9999, after it has cut a year to 16 bits.
    pub fn is_printable(self) -> bool {
        self.0 < 0 || PRINTABLE_YEARS.contains(&calendar_year(self.0 / SECOND_US / DAY_SECONDS))
    }

    /// Whole seconds, rounded towards zero, cut to 32 bits as `time_point_sec(time_point)` does.
    pub fn seconds(self) -> TimePointSec {
        TimePointSec((self.0 / SECOND_US) as u32)
    }

    /// The instant `microseconds` later.
    #[must_use]
    pub fn plus_us(self, microseconds: i64) -> Self {
        Self(self.0.wrapping_add(microseconds))
    }

    /// The instant `seconds` later.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_us(seconds.wrapping_mul(SECOND_US))
    }

    /// Microseconds from `earlier` to this instant.
    pub fn us_since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0)
    }
}

impl TimePointSec {
    /// The instant.
    pub fn time(self) -> TimePoint {
        TimePoint(i64::from(self.0) * SECOND_US)
    }

    /// The second `seconds` later, cut to 32 bits.
    #[must_use]
    pub fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.wrapping_add(seconds))
    }
}

impl From<TimePointSec> for TimePoint {
    fn from(time: TimePointSec) -> Self {
        time.time()
    }
}

impl From<BlockTimestamp> for TimePoint {
    fn from(slot: BlockTimestamp) -> Self {
        slot.time()
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date that lies `days` after 1970-01-01.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// The years of boost's calendar.
const PRINTABLE_YEARS: std::ops::RangeInclusive<u16> = 1400..=9999;

/// The year of a day as boost counts it.
fn calendar_year(days: i64) -> u16 {
    date_of(days).0 as u16
}

/// Writes `2020-01-01T00:00:00`.
fn write_seconds(f: &mut fmt::Formatter<'_>, seconds: i64) -> fmt::Result {
    let days = seconds.div_euclid(DAY_SECONDS);
    let ((_, month, day), year) = (date_of(days), calendar_year(days));
    let second = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

impl fmt::Display for TimePointSec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(f, i64::from(self.0))
    }
}

impl fmt::Display for TimePoint {
    /// With milliseconds. Instants before 1970 are printed as a duration, as fc does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 0 {
            write_seconds(f, self.0 / SECOND_US)?;
            return write!(f, ".{:03}", self.0 % SECOND_US / 1000);
        }
        let elapsed = self.0.unsigned_abs();
        let (seconds, rest) = (elapsed / 1_000_000, elapsed % 1_000_000);
        write!(f, "-{:02}{:02}{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if rest != 0 { write!(f, ".{rest:06}") } else { Ok(()) }
    }
}

impl fmt::Display for BlockTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.time().fmt(f)
    }
}

/// Why a text is no time: what boost says.
type Reason = &'static str;

const NO_NUMBER: Reason = "bad lexical cast: source type value could not be interpreted as target";
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A month as a number or an English name, whole or the first three letters.
fn parse_month(text: &str) -> Result<i64, Reason> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return text.parse().map_err(|_| NO_NUMBER);
    }
    let name = text.to_ascii_lowercase();
    let found = MONTHS.iter().position(|month| *month == name || month[..3] == name);
    found.map(|index| index as i64 + 1).ok_or("Month number is out of range 1..12")
}

/// `2020-01-31`: year, month and day between any of boost's separators.
fn parse_date(text: &str) -> Result<i64, Reason> {
    let (mut year, mut month, mut day) = (0u16, 0, 0u16);
    let parts = text.split([',', '-', '.', ' ', '/']).filter(|part| !part.is_empty());
    for (position, part) in parts.take(3).enumerate() {
        match position {
            0 => year = part.parse().map_err(|_| NO_NUMBER)?,
            1 => month = parse_month(part)?,
            _ => day = part.parse().map_err(|_| NO_NUMBER)?,
        }
    }
    checked_days(i64::from(year), month, i64::from(day))
}

/// Days of a date that exists, within boost's calendar of the years 1400 to 9999.
fn checked_days(year: i64, month: i64, day: i64) -> Result<i64, Reason> {
    if !(1..=31).contains(&day) {
        return Err("Day of month value is out of range 1..31");
    }
    if !(1400..=9999).contains(&year) {
        return Err("Year is out of valid range: 1400..9999");
    }
    if !(1..=12).contains(&month) {
        return Err("Month number is out of range 1..12");
    }
    let days = days_of(year, month, day);
    if date_of(days) == (year, month, day) { Ok(days) } else { Err("Day of month is not valid for year") }
}

/// `12:34:56.789` in seconds; the fraction must be a number and is left to the caller.
fn parse_time_of_day(text: &str) -> Result<i64, Reason> {
    let Some(first) = text.chars().next() else {
        return Err("basic_string::at: __n (which is 0) >= this->size() (which is 0)");
    };
    let mut seconds = 0i64;
    let parts = text.split(['-', ':', ',', '.']).filter(|part| !part.is_empty());
    for (part, unit) in parts.zip([3600, 60, 1, 0]) {
        let digits = if unit == 0 { &part[..part.floor_char_boundary(6)] } else { part };
        let number: i32 = digits.parse().map_err(|_| NO_NUMBER)?;
        seconds += i64::from(number) * unit;
    }
    Ok(if first == '-' { -seconds } else { seconds })
}

/// A number of 16 bits as `lexical_cast` reads it: with a sign it wraps.
fn short_number(text: &[u8]) -> Result<i64, Reason> {
    let text = std::str::from_utf8(text).map_err(|_| NO_NUMBER)?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number: u16 = digits.parse().map_err(|_| NO_NUMBER)?;
    Ok(if digits.len() < text.len() { number.wrapping_neg() } else { number }.into())
}

/// `20200131T123456`.
fn parse_plain(text: &str) -> Result<i64, Reason> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    // boost reads year, month and day by position, and zero where more than one character is missing.
    let part = |from: usize, to: usize| match date.as_bytes().get(from..to.min(date.len())) {
        Some(part) if !part.is_empty() && part.len() + 1 >= to - from => short_number(part),
        _ => Ok(0),
    };
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let days = checked_days(year, month, day)?;
    let time = time.split(['.', ',']).next().unwrap_or_default();
    if !time.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NO_NUMBER);
    }
    let number = |from: usize, to: usize| -> i64 {
        time.get(from..to.min(time.len())).and_then(|digits| digits.parse().ok()).unwrap_or_default()
    };
    Ok(days * DAY_SECONDS + number(0, 2) * 3600 + number(2, 4) * 60 + number(4, 6))
}

/// Seconds since 1970 as `time_point_sec::from_iso_string` reads them; a fraction is dropped.
fn parse_seconds(text: &str) -> Result<u32, Fault> {
    let parse = || {
        if text.as_bytes().get(4) != Some(&b'-') {
            return parse_plain(text);
        }
        let (date, time) = text.split_once('T').unwrap_or((text, ""));
        Ok(parse_date(date)? * DAY_SECONDS + parse_time_of_day(time)?)
    };
    parse().map(|seconds| seconds as u32).map_err(|reason| {
        Fault::standard(reason).with_context("unable to convert ISO-formatted string to fc::time_point_sec")
    })
}

impl FromStr for TimePointSec {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        parse_seconds(text).map(Self)
    }
}

impl FromStr for TimePoint {
    type Err = Fault;

    /// As fc reads it: the digits after the dot count as milliseconds once there are three of them, so a longer
    /// fraction means more than a second.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let Some((_, fraction)) = text.split_once('.') else {
            return Ok(Self(i64::from(parse_seconds(text)?) * SECOND_US));
        };
        let no_number = || Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, "Couldn't parse int64_t");
        let milliseconds: i64 = format!("1{fraction:0<3}").parse().map_err(|_| no_number())?;
        let seconds = i64::from(parse_seconds(text)?);
        let time = (milliseconds - 1000).checked_mul(1000).and_then(|us| us.checked_add(seconds * SECOND_US));
        time.map(Self).ok_or_else(no_number)
    }
}

impl FromStr for BlockTimestamp {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        text.parse().map(Self::at)
    }
}

crate::json::as_text!(TimePoint);
crate::json::as_text!(TimePointSec);
crate::json::as_text!(BlockTimestamp);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts() {
        assert_eq!("2020-01-01T00:00:00.500".parse(), Ok(TimePoint(1_577_836_800_500_000)));
        assert_eq!("2020-01-01T00:00:00.5".parse(), Ok(TimePoint(1_577_836_800_500_000)));
        assert_eq!("2020-01-01T00:00:00".parse(), Ok(TimePointSec(1_577_836_800)));
        assert_eq!("2020-01-01T00:00:00.900".parse(), Ok(TimePointSec(1_577_836_800)));
        assert_eq!("20200101T000000".parse(), Ok(TimePointSec(1_577_836_800)));
        assert_eq!(BlockTimestamp(1).to_string(), "2000-01-01T00:00:00.500");
        assert_eq!(TimePointSec(u32::MAX).to_string(), "2106-02-07T06:28:15");
        assert_eq!(TimePoint(-1_500_000).to_string(), "-000001.500000");
    }

    #[test]
    fn years_wrap_as_boost_cuts_them() {
        assert!(TimePoint(0x73af_c776_c12f_93fc).is_printable());
        assert!(!TimePoint(0x6e1a_08b4_b4b8_89f1).is_printable());
        assert!(!TimePoint(253_402_300_800_000_000).is_printable());
    }

    #[test]
    fn texts_that_are_no_times() {
        for text in ["", "2020-01-01", "2020-02-30T00:00:00", "2020-01-01T00:00:00Z", "now", "2020-13-01T00:00:00"] {
            assert!(text.parse::<TimePoint>().is_err(), "{text}");
            assert!(text.parse::<TimePointSec>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_has_a_text(seconds: u32) {
            prop_assert_eq!(TimePointSec(seconds).to_string().parse::<TimePointSec>(), Ok(TimePointSec(seconds)));
        }

        #[test]
        fn every_slot_has_a_text(slot: u32) {
            let slot = BlockTimestamp(slot);
            prop_assert_eq!(BlockTimestamp::at(slot.time()), slot);
            prop_assume!(slot.time().0 <= i64::from(u32::MAX) * SECOND_US);
            prop_assert_eq!(slot.to_string().parse::<BlockTimestamp>(), Ok(slot));
        }

        #[test]
        fn no_text_and_no_number_panics(text: String, number: i64) {
            let _ = text.parse::<TimePoint>();
            let _ = TimePoint(number).to_string();
        }
    }
}
