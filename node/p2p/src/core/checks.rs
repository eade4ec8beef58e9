//! How a peer's checks go: when the next one is due, and when nothing came of too many.

use primitives::TimePoint;

/// When a peer counts as gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckSettings {
    /// `p2p-check-interval-ms`, in microseconds.
    pub interval_us: i64,
    /// `p2p-check-timeout-ms`, in microseconds.
    pub timeout_us: i64,
    /// `p2p-check-failures`: checks in a row.
    pub failures_max: u32,
}

impl Default for CheckSettings {
    fn default() -> Self {
        Self { interval_us: 1_000_000, timeout_us: 10_000_000, failures_max: 3 }
    }
}

/// A peer's checks.
#[derive(Debug, Clone, Default)]
pub(super) struct Checks {
    /// When the one under way was sent.
    sent: Option<TimePoint>,
    /// When the last one was sent.
    last: TimePoint,
    failures: u32,
    /// Why it is not well, as it says.
    unwell: Option<String>,
    /// How far its clock is ahead of this machine's, in microseconds.
    clock_offset_us: Option<i64>,
}

impl Checks {
    /// Whether it says that it is not well.
    pub fn is_unwell(&self) -> bool {
        self.unwell.is_some()
    }

    /// How far its clock is ahead of this machine's, in microseconds, once it has answered.
    pub fn clock_offset_us(&self) -> Option<i64> {
        self.clock_offset_us
    }

    /// It answered, and its clock is so far ahead. Whether it was not well before.
    pub fn answered(&mut self, clock_offset_us: i64) -> bool {
        (self.sent, self.failures, self.clock_offset_us) = (None, 0, Some(clock_offset_us));
        self.unwell.take().is_some()
    }

    /// It answered that it is not well. Whether that is news.
    pub fn refused(&mut self, reason: String) -> bool {
        (self.sent, self.failures) = (None, 0);
        self.unwell.replace(reason).is_none()
    }

    /// How the one under way stands.
    pub fn judge(&mut self, settings: &CheckSettings, heard: TimePoint, now: TimePoint) -> State {
        if let Some(sent) = self.sent {
            if now.us_since(sent) < settings.timeout_us {
                return State::Waits;
            }
            self.sent = None;
            // Who sends something else is there, and busy.
            self.failures = if heard > sent { 0 } else { self.failures + 1 };
            if self.failures >= settings.failures_max {
                return State::Gone;
            }
        }
        if now.us_since(self.last) < settings.interval_us {
            return State::Waits;
        }
        (self.sent, self.last) = (Some(now), now);
        State::Due
    }
}

/// What is to be done about a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing is to be done.
    Waits,
    /// It is to be asked.
    Due,
    /// It is to be given up.
    Gone,
}

/// The middle one; of an even number the lower of two.
pub(super) fn median(values: impl Iterator<Item = i64>) -> Option<i64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: CheckSettings = CheckSettings { interval_us: 100, timeout_us: 1000, failures_max: 3 };

    fn at(us: i64) -> TimePoint {
        TimePoint(1_000_000 + us)
    }

    #[test]
    fn who_answers_nothing_is_given_up_after_three_checks() {
        let mut checks = Checks::default();
        let mut told = Vec::new();
        for us in (0..10_000).step_by(50) {
            match checks.judge(&SETTINGS, at(-1), at(us)) {
                State::Waits => {}
                state => told.push((us, state)),
            }
            if told.last().is_some_and(|(_, state)| *state == State::Gone) {
                break;
            }
        }
        assert_eq!(told, [(0, State::Due), (1000, State::Due), (2000, State::Due), (3000, State::Gone)]);
    }

    #[test]
    fn who_sends_something_else_is_there() {
        let mut checks = Checks::default();
        for us in (0..100_000).step_by(50) {
            assert_ne!(checks.judge(&SETTINGS, at(us), at(us)), State::Gone);
        }
    }

    #[test]
    fn the_middle_counts() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([7].into_iter()), Some(7));
        assert_eq!(median([i64::MAX, 3].into_iter()), Some(3));
        assert_eq!(median([i64::MAX, 1, 2, i64::MIN, 3].into_iter()), Some(2));
    }
}
