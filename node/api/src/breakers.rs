//! Circuit breakers: what is refused with status 429 before something runs out, under the name of what that is. How often
//! each did is counted (`boreas_breaker_trips_total`) and told by `/v1/node/health`.
//!
//! Besides those here, `dry_runs`, `waits` and `disk` are the engine's.

use std::path::Path;

use engine::metrics::{Metrics, registered};
use prometheus::{IntCounterVec, IntGauge, Opts};
use serde_json::{Value, json as value};

use crate::ApiError;
use crate::reply::integer;

/// Requests under way (`--http-max-in-flight-requests`).
pub const REQUESTS: &str = "requests";
/// Bytes of bodies and answers under way (`--http-max-bytes-in-flight-mb`).
pub const IN_FLIGHT: &str = "in_flight";
/// Large requests that wait for one another.
pub const LARGE: &str = "large";
/// The memory of the whole process.
pub const PARENT: &str = "parent";
/// All of them.
const ALL: [&str; 7] = [REQUESTS, IN_FLIGHT, LARGE, PARENT, "dry_runs", "waits", "disk"];

/// Percentage of the memory given that the process may take before more is refused.
const PARENT_PERCENT: u64 = 95;
/// Bytes of bodies and answers count twice: what is made of them takes room, too.
const IN_FLIGHT_FACTOR: u64 = 2;

/// What is counted, and the memory that there is.
#[derive(Debug)]
pub struct Breakers {
    trips: IntCounterVec,
    /// Bytes of memory that the process is given; none where the system does not say.
    given: Option<u64>,
}

impl Breakers {
    /// Those of a node with these metrics.
    pub fn new(metrics: &Metrics) -> Self {
        let options = Opts::new("boreas_breaker_trips_total", "requests that a circuit breaker refused");
        let trips = registered(metrics.registry(), IntCounterVec::new(options, &["breaker"]));
        // All of them are shown from the beginning.
        ALL.iter().for_each(|breaker| trips.with_label_values(&[*breaker]).inc_by(0));
        let given = memory_given();
        let gauge = IntGauge::new("boreas_memory_given_bytes", "bytes of memory that the process is given");
        let shown = given.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(0);
        registered(metrics.registry(), gauge).set(shown);
        Self { trips, given }
    }

    /// Counts a refusal.
    pub fn tripped(&self, breaker: &str) {
        self.trips.with_label_values(&[breaker]).inc();
    }

    /// What bodies and answers under way may take at most, where `asked` allows so much.
    pub fn in_flight_max(&self, asked: Option<u64>) -> Option<u64> {
        let bound = self.given.map(|given| given / IN_FLIGHT_FACTOR);
        asked.into_iter().chain(bound).min()
    }

    /// Makes sure that the process has memory for a large request.
    ///
    /// # Errors
    /// It has little left.
    pub fn check_memory(&self) -> Result<(), ApiError> {
        let (Some(given), Some(used)) = (self.given, memory_used()) else { return Ok(()) };
        if used <= given / 100 * PARENT_PERCENT {
            return Ok(());
        }
        let [used, given] = [used, given].map(|bytes| bytes >> 20);
        Err(ApiError::busy(PARENT, format!("the node holds {used} of {given} MB of memory")))
    }

    /// As `/v1/node/health` shows them.
    pub fn shown(&self) -> Value {
        let trips = |breaker: &str| integer(self.trips.with_label_values(&[breaker]).get());
        value!({
            "memory_given_bytes": self.given.map(integer),
            "memory_used_bytes": memory_used().map(integer),
            "trips": ALL.iter().map(|breaker| ((*breaker).to_owned(), trips(breaker))).collect::<serde_json::Map<_, _>>(),
        })
    }
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
        let mut breakers = Breakers::new(&Metrics::default());
        assert!(breakers.check_memory().is_ok() && breakers.given > memory_used());
        assert_eq!(breakers.in_flight_max(Some(7)), Some(7));
        breakers.given = memory_used().map(|used| used / 2);
        assert_eq!(breakers.in_flight_max(None), breakers.given.map(|given| given / 2));
        let refused = breakers.check_memory().expect_err("more is held than given");
        assert_eq!((refused.status(), refused.breaker()), (429, Some("parent")));
        breakers.tripped("parent");
        assert_eq!(breakers.shown()["trips"]["parent"], 1);
        assert_eq!(breakers.shown()["trips"]["disk"], 0);
    }
}
