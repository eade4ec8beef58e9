//! Circuit breakers: what is refused with status 429 before something runs out, under the name of what that is. How often
//! each did is counted (`boreas_breaker_trips_total`) and told by `/v1/node/health`.
//!
//! What each counts and what it may come to are gauges (`boreas_breaker_used`, `boreas_breaker_limit`).
//!
//! Besides those here, `dry_runs`, `waits` and `disk` are the engine's.

use std::path::Path;

use engine::metrics::{BREAKER, Load, Metrics, registered};
use engine::{retry, transients};
use prometheus::{IntCounterVec, IntGauge, Opts};
use serde_json::{Value, json as value};

use crate::ApiError;
use crate::bounds::LARGE_BYTES_MAX;
use crate::in_flight::InFlight;
use crate::large::{self, Aside};
use crate::reply::integer;

/// Requests under way (`--http-max-in-flight-requests`).
pub const REQUESTS: &str = "requests";
/// Bytes of bodies and answers under way (`--http-max-bytes-in-flight-mb`).
pub const IN_FLIGHT: &str = "in_flight";
/// The memory of the whole process.
pub const PARENT: &str = "parent";
/// All of them.
const ALL: [&str; 7] = [REQUESTS, IN_FLIGHT, large::BREAKER, PARENT, transients::BREAKER, retry::BREAKER, "disk"];

/// Percentage of the memory given that the process may take before more is refused.
const PARENT_PERCENT: u64 = 95;
/// Bytes of bodies and answers count twice: what is made of them takes room, too.
const IN_FLIGHT_FACTOR: u64 = 2;
/// Percentage of the memory given that large requests may take together while they run.
const LARGE_PERCENT: u64 = 60;

/// What is counted, and the memory that there is.
#[derive(Debug)]
pub struct Breakers {
    trips: IntCounterVec,
    /// Bytes of memory that the process is given; none where the system does not say.
    given: Option<u64>,
    /// What is under way.
    pub(crate) in_flight: InFlight,
}

impl Breakers {
    /// Those of a node with these metrics. `requests_max` and `bytes_max` are what may be under way; none for any number.
    pub fn new(metrics: &Metrics, requests_max: Option<u64>, bytes_max: Option<u64>) -> Self {
        let options = Opts::new("boreas_breaker_trips_total", "requests that a circuit breaker refused");
        let trips = registered(metrics.registry(), IntCounterVec::new(options, &[BREAKER]));
        // All of them are shown from the beginning.
        for breaker in ALL {
            trips.with_label_values(&[breaker]).inc_by(0);
            metrics.loaded(breaker, Load { used: 0, limit: None });
        }
        let given = memory_given();
        let gauge = IntGauge::new("boreas_memory_given_bytes", "bytes of memory that the process is given");
        let shown = given.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(0);
        registered(metrics.registry(), gauge).set(shown);
        let bytes_max = in_flight_max(given, bytes_max);
        Self { trips, given, in_flight: InFlight::new(requests_max, bytes_max) }
    }

    /// Counts a refusal.
    pub fn tripped(&self, breaker: &str) {
        self.trips.with_label_values(&[breaker]).inc();
    }

    /// How many large requests there is memory for at a time; at least one.
    pub fn large_max(&self) -> usize {
        let room = self.given.map(|given| given / 100 * LARGE_PERCENT / LARGE_BYTES_MAX as u64);
        room.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX).max(1))
    }

    /// Makes sure that the process has memory for a large request.
    ///
    /// # Errors
    /// It has little left.
    pub fn check_memory(&self) -> Result<(), ApiError> {
        let (Some(given), Some(used)) = (self.given, memory_used()) else { return Ok(()) };
        if used <= parent_max(given) {
            return Ok(());
        }
        let [used, given] = [used, given].map(|bytes| bytes >> 20);
        Err(ApiError::busy(PARENT, format!("the node holds {used} of {given} MB of memory")))
    }

    /// Brings the gauges of what the API counts up to date.
    pub fn measure(&self, metrics: &Metrics, aside: &Aside) {
        metrics.loaded(REQUESTS, self.in_flight.requests());
        metrics.loaded(IN_FLIGHT, self.in_flight.bytes());
        metrics.loaded(large::BREAKER, aside.load());
        if let Some(used) = memory_used() {
            metrics.loaded(PARENT, Load { used, limit: self.given.map(parent_max) });
        }
    }

    /// As `/v1/node/health` shows them.
    pub fn shown(&self, metrics: &Metrics) -> Value {
        let trips = |breaker: &str| integer(self.trips.with_label_values(&[breaker]).get());
        let by_name = |shown: &dyn Fn(&str) -> Value| -> Value {
            ALL.iter().map(|breaker| ((*breaker).to_owned(), shown(breaker))).collect::<serde_json::Map<_, _>>().into()
        };
        value!({
            "memory_given_bytes": self.given.map(integer),
            "memory_used_bytes": memory_used().map(integer),
            "used": by_name(&|breaker| integer(metrics.load(breaker).used)),
            "limits": by_name(&|breaker| metrics.load(breaker).limit.map_or(Value::Null, integer)),
            "trips": by_name(&trips),
        })
    }
}

/// What bodies and answers under way may take at most, where `asked` allows so much.
fn in_flight_max(given: Option<u64>, asked: Option<u64>) -> Option<u64> {
    let bound = given.map(|given| given / IN_FLIGHT_FACTOR);
    asked.into_iter().chain(bound).min()
}

/// What a process that is given so much may hold before more is refused, in bytes.
fn parent_max(given: u64) -> u64 {
    given / 100 * PARENT_PERCENT
}

/// Bytes of memory that this process is given: what the machine has, or the smallest limit of the groups it is in.
fn memory_given() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok()?;
    let machine = kilobytes(&machine, "MemTotal:")?;
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return Vec::new(),
        };
        let groups = Path::new(path.trim_start_matches('/')).ancestors();
        groups.filter_map(|group| std::fs::read_to_string(Path::new(root).join(group).join(file)).ok()).collect()
    });
    // One without a limit says so in a word, or has a number beyond all machines.
    limits.filter_map(|text| text.trim().parse().ok()).chain([machine]).min()
}

/// Bytes of memory that this process holds.
fn memory_used() -> Option<u64> {
    kilobytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The number of a line of the system's, which is in kilobytes, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_runs_out_is_told_by_name() {
        let metrics = Metrics::default();
        let mut breakers = Breakers::new(&metrics, Some(7), None);
        assert!(breakers.check_memory().is_ok() && breakers.given > memory_used());
        let half = breakers.given.map(|given| given / 2);
        assert_eq!((in_flight_max(breakers.given, Some(7)), in_flight_max(breakers.given, None)), (Some(7), half));
        breakers.measure(&metrics, &Aside::new(1));
        let shown = breakers.shown(&metrics);
        assert_eq!((&shown["used"]["requests"], &shown["limits"]["requests"]), (&value!(0), &value!(7)));
        assert!(shown["limits"]["disk"].is_null(), "{shown}");
        assert!(metrics.text().contains("boreas_breaker_limit{breaker=\"requests\"} 7"));

        breakers.given = memory_used().map(|used| used / 2);
        let refused = breakers.check_memory().expect_err("more is held than given");
        assert_eq!((refused.status(), refused.breaker()), (429, Some("parent")));
        breakers.tripped("parent");
        let shown = breakers.shown(&metrics);
        assert_eq!((&shown["trips"]["parent"], &shown["trips"]["disk"]), (&value!(1), &value!(0)));
    }

    #[test]
    fn large_requests_have_their_share_of_the_memory() {
        let mut breakers = Breakers::new(&Metrics::default(), None, None);
        breakers.given = Some(100 * LARGE_BYTES_MAX as u64);
        assert_eq!(breakers.large_max(), 60);
        breakers.given = Some(LARGE_BYTES_MAX as u64);
        assert_eq!(breakers.large_max(), 1, "one can always run");
        breakers.given = None;
        assert_eq!(breakers.large_max(), usize::MAX);
    }
}
