//! The door to the time. One [`Clock`] is made when the node starts and handed to everything that asks what time it is:
//! block slots, deadlines, bills, expirations. On a development chain it can be moved.
//!
//! A machine's clock may be set wrong and corrected soon after. A producer that followed it at once would sign a block of
//! the future and could sign no other until that time has come, so a jump is doubted for a while: the time goes on as it
//! did before, by the time since the machine started, until the clock is back, a block of others shows that the jump is
//! right, or the while is over.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use primitives::TimePoint;

/// How often running contracts look at the time.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// A difference that is no jump: programs that keep a clock right step it by less, or turn it slower or faster.
pub const JUMP_US: i64 = 1_000_000;
/// How far the time of a block of others may be from the clock that it bears out.
const WITNESS_US: u64 = 5_000_000;
/// How long a jump is doubted.
pub const DOUBT_US: i64 = 60_000_000;

/// The time as the node sees it; clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<State>);

#[derive(Debug)]
struct State {
    /// Microseconds beyond the machine's time, or since 1970 for a clock that stands still.
    shift_us: AtomicI64,
    stands_still: bool,
    belief: Mutex<Belief>,
}

/// What is believed of the machine's clock.
#[derive(Debug)]
struct Belief {
    /// The time of day less the time since the machine started, in microseconds; none before the first look.
    offset_us: Option<i64>,
    /// Since when, by the time since the machine started, the clock says something else.
    doubted_since: Option<i64>,
}

/// What is worth telling of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// It jumped by so many microseconds.
    Jumped(i64),
    /// It jumped, and is back.
    Back,
    /// It jumped by so many, and that is believed now.
    Believed(i64),
}

impl fmt::Display for News {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = |us: i64| {
            let way = if us > 0 { "forward" } else { "back" };
            format!("{}.{} s {way}", us.abs() / 1_000_000, us.abs() % 1_000_000 / 100_000)
        };
        match *self {
            Self::Jumped(us) => write!(
                out,
                "the machine's clock jumped {}. This node goes on by the time before for {} s, so that no block is signed \
                 for a wrong time. If the clock is wrong, set it (chronyc makestep, or timedatectl set-ntp true)",
                by(us),
                DOUBT_US / 1_000_000
            ),
            Self::Back => write!(out, "the machine's clock is back at the time that this node went on with"),
            Self::Believed(us) => write!(
                out,
                "the machine's clock still says so: this node follows it now, {}. Turns that lie between are missed",
                by(us)
            ),
        }
    }
}

impl Belief {
    /// The time of day that is believed, given the clock's and the time since the machine started.
    fn time(&mut self, clock_us: i64, steady_us: i64) -> (i64, Option<News>) {
        let offset = clock_us.saturating_sub(steady_us);
        let jump = offset.saturating_sub(*self.offset_us.get_or_insert(offset));
        if jump.saturating_abs() < JUMP_US {
            self.offset_us = Some(offset);
            return (clock_us, self.doubted_since.take().map(|_| News::Back));
        }
        match self.doubted_since {
            Some(since) if steady_us.saturating_sub(since) >= DOUBT_US => {
                self.follow(offset);
                (clock_us, Some(News::Believed(jump)))
            }
            Some(_) => (clock_us.saturating_sub(jump), None),
            None => {
                self.doubted_since = Some(steady_us);
                (clock_us.saturating_sub(jump), Some(News::Jumped(jump)))
            }
        }
    }

    /// Whether a block of others, of this time, shows that a clock which jumped forward is right: it is followed then.
    fn is_borne_out(&mut self, time_us: i64, clock_us: i64, steady_us: i64) -> bool {
        if self.doubted_since.is_none() {
            return false;
        }
        let (believed, _) = self.time(clock_us, steady_us);
        let is_right = time_us > believed.saturating_add(JUMP_US) && time_us.abs_diff(clock_us) < WITNESS_US;
        if is_right {
            self.follow(clock_us.saturating_sub(steady_us));
        }
        is_right
    }

    fn follow(&mut self, offset_us: i64) {
        (self.offset_us, self.doubted_since) = (Some(offset_us), None);
    }
}

impl Clock {
    /// The machine's time, until it is moved.
    pub fn real() -> Self {
        Self::new(0, false)
    }

    /// A time that passes only when it is set.
    pub fn manual(time: TimePoint) -> Self {
        Self::new(time.0, true)
    }

    fn new(shift_us: i64, stands_still: bool) -> Self {
        let belief = Mutex::new(Belief { offset_us: None, doubted_since: None });
        Self(Arc::new(State { shift_us: AtomicI64::new(shift_us), stands_still, belief }))
    }

    /// The time now, in microseconds since 1970.
    pub fn now(&self) -> TimePoint {
        TimePoint(self.base_us().saturating_add(self.0.shift_us.load(Ordering::Relaxed)))
    }

    /// It is `time` now; from then on it goes on as before.
    pub fn set(&self, time: TimePoint) {
        self.0.shift_us.store(time.0.saturating_sub(self.base_us()), Ordering::Relaxed);
    }

    /// Somebody else made a block of `time`: a clock that jumped forward to it is right.
    pub fn witness(&self, time: TimePoint) {
        if self.0.belief.lock().is_borne_out(time.0, machine_time().0, since_boot_us()) {
            tracing::info!("a block of {time} shows that the machine's clock is right: this node follows it");
        }
    }

    /// How far the machine's clock is from the time that this node goes by, in microseconds; 0 unless it jumped lately.
    pub fn jump_us(&self) -> i64 {
        let mut belief = self.0.belief.lock();
        let clock = machine_time().0;
        if belief.doubted_since.is_none() { 0 } else { clock.saturating_sub(belief.time(clock, since_boot_us()).0) }
    }

    fn base_us(&self) -> i64 {
        if self.0.stands_still {
            return 0;
        }
        let (time, news) = self.0.belief.lock().time(machine_time().0, since_boot_us());
        if let Some(news) = news {
            tracing::warn!("{news}");
        }
        time
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

/// Microseconds since the machine started, with the time that it slept: nobody sets this clock.
pub fn since_boot_us() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for the call, which cannot fail: Linux has this clock since 2.6.39.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut time) };
    time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1000)
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
    fn a_jump_is_doubted_for_a_while() {
        const SECOND_US: i64 = 1_000_000;
        let hour = 3600 * SECOND_US;
        for jump in [hour, -hour, JUMP_US] {
            let mut belief = Belief { offset_us: None, doubted_since: None };
            let mut at = |seconds: i64, off: i64| {
                let time = YEAR_US + seconds * SECOND_US;
                let (believed, news) = belief.time(time + off, seconds * SECOND_US);
                (believed - time, news)
            };
            assert_eq!(at(0, 0), (0, None));
            assert_eq!(at(5, SECOND_US / 2), (SECOND_US / 2, None), "a small step is followed");
            assert_eq!(at(6, 0), (0, None));
            assert_eq!(at(10, jump), (0, Some(News::Jumped(jump))));
            assert_eq!(at(69, jump), (0, None), "said once");
            assert_eq!(at(70, 0), (0, Some(News::Back)), "as if nothing had been");
            assert_eq!(at(80, jump), (0, Some(News::Jumped(jump))));
            assert_eq!(at(140, jump), (jump, Some(News::Believed(jump))));
            assert_eq!(at(141, jump), (jump, None));
            assert_eq!(at(150, 0), (jump, Some(News::Jumped(-jump))), "so is the way back");
        }
        assert!(News::Jumped(-hour - SECOND_US / 2).to_string().contains("jumped 3600.5 s back"));
    }

    #[test]
    fn a_block_of_others_bears_a_jump_out() {
        const SECOND_US: i64 = 1_000_000;
        let hour = 3600 * SECOND_US;
        let jumped = |by: i64| {
            let mut belief = Belief { offset_us: None, doubted_since: None };
            belief.time(YEAR_US, 0);
            assert!(!belief.is_borne_out(YEAR_US + hour, YEAR_US, 0), "nothing is in doubt");
            belief.time(YEAR_US + by, 0);
            belief
        };
        let mut belief = jumped(hour);
        assert!(!belief.is_borne_out(YEAR_US, YEAR_US + hour, 0), "a block of the time before");
        assert!(!belief.is_borne_out(YEAR_US + hour / 2, YEAR_US + hour, 0), "of a time that no clock shows");
        assert_eq!(belief.time(YEAR_US + hour, 0), (YEAR_US, None));
        assert!(belief.is_borne_out(YEAR_US + hour - SECOND_US, YEAR_US + hour, 0));
        assert_eq!(belief.time(YEAR_US + hour, 0), (YEAR_US + hour, None), "it is followed");
        // A clock that was set back is not right because of blocks that were made before.
        assert!(!jumped(-hour).is_borne_out(YEAR_US, YEAR_US - hour, 0));
        assert!(!jumped(-hour).is_borne_out(YEAR_US - hour, YEAR_US - hour, 0));
    }

    #[test]
    fn a_manual_clock_stands_still() {
        let clock = Clock::manual(TimePoint(7));
        assert_eq!(clock.now(), TimePoint(7));
        clock.set(TimePoint(5));
        assert_eq!(clock.clone().now(), TimePoint(5));
    }
}
