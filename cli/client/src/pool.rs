//! Several endpoints of one chain: calls go round them; one that fails is put aside for a while, and then tried alone.
//!
//! The rule is that of Elasticsearch's clients: after n failures in a row an endpoint rests for min(1 s * 2^(n-1), 30 s),
//! less some jitter so that many clients do not come back at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an endpoint rests after its first failure.
const REST: Duration = Duration::from_secs(1);
/// No endpoint rests longer.
const REST_MAX: Duration = Duration::from_secs(30);
/// Further failures no longer change the rest.
const DOUBLINGS_MAX: u32 = 5;
/// Rounds over all endpoints before a call is given up.
const ROUNDS: usize = 3;

/// Which endpoint is next.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    health: Vec<Health>,
    next: usize,
    /// Seeds the jitter.
    dice: u64,
}

/// What is known of one endpoint.
#[derive(Debug, Clone, Copy, Default)]
struct Health {
    /// Failures since its last answer.
    failures: u32,
    /// Until when it rests.
    rests_until: Option<Instant>,
    /// A call is trying it after its rest: the others leave it alone until that one is through.
    tried: bool,
}

impl Pool {
    /// A pool of so many endpoints; `seed` decides which one is first.
    pub fn new(count: usize, seed: u64) -> Self {
        let next = usize::try_from(seed % count.max(1) as u64).unwrap_or_default();
        Self { state: Mutex::new(State { health: vec![Health::default(); count], next, dice: seed }) }
    }

    /// How often a call may be tried.
    pub fn tries(&self) -> usize {
        match self.state().health.len() {
            0 | 1 => 1,
            count => count * ROUNDS,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Counters are whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The endpoint for the next call: the next one that does not rest, else the one whose rest is over first.
    pub fn take(&self, now: Instant) -> usize {
        let mut state = self.state();
        let count = state.health.len().max(1);
        let order: Vec<_> = (0..count).map(|step| (state.next + step) % count).collect();
        let free = |at: &usize| {
            let Health { rests_until, tried, .. } = state.health[*at];
            rests_until.is_none_or(|until| until <= now && !tried)
        };
        let chosen = order.iter().copied().find(free);
        let chosen = chosen.or_else(|| {
            order.iter().copied().min_by_key(|at| (state.health[*at].tried, state.health[*at].rests_until))
        });
        let chosen = chosen.unwrap_or_default();
        state.next = chosen + 1;
        let health = &mut state.health[chosen];
        health.tried = health.rests_until.is_some();
        chosen
    }

    /// An endpoint answered.
    pub fn answered(&self, endpoint: usize) {
        self.state().health[endpoint] = Health::default();
    }

    /// An endpoint failed.
    pub fn failed(&self, endpoint: usize, now: Instant) {
        let mut state = self.state();
        // Knuth's generator: any spread will do.
        state.dice = state.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let jitter = (state.dice >> 40) as f64 / (1u64 << 24) as f64;
        let health = &mut state.health[endpoint];
        let rest = REST_MAX.min(REST * 2u32.pow(health.failures.min(DOUBLINGS_MAX)));
        health.failures = health.failures.saturating_add(1);
        health.rests_until = Some(now + rest.mul_f64(1.0 - jitter / 2.0));
        health.tried = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_go_round() {
        let (pool, now) = (Pool::new(3, 1), Instant::now());
        assert_eq!([1, 2, 0, 1], std::array::from_fn(|_| pool.take(now)));
        assert_eq!((pool.tries(), Pool::new(1, 7).tries()), (9, 1));
    }

    #[test]
    fn a_failing_endpoint_rests_longer_each_time_and_is_tried_alone() {
        let (pool, begin) = (Pool::new(2, 0), Instant::now());
        let mut now = begin;
        for failures in 0..10u32 {
            assert_eq!(pool.take(now), 0, "its rest is over");
            if failures > 0 {
                assert_eq!((pool.take(now), pool.take(now)), (1, 1), "the others leave it alone while it is tried");
            }
            pool.failed(0, now);
            pool.answered(1);
            let rest = Duration::from_secs(30.min(1 << failures.min(5)));
            assert_eq!(pool.take(now + rest / 2 - Duration::from_millis(1)), 1, "after {failures} failures it rests");
            now += rest;
            // The turn is the other one's: make it this one's.
            pool.state().next = 0;
        }
        assert_eq!(pool.take(now), 0);
        pool.answered(0);
        assert_eq!((pool.take(now), pool.take(now)), (1, 0), "an answer makes all well");
    }

    #[test]
    fn where_all_rest_the_first_to_be_ready_is_tried() {
        let (pool, now) = (Pool::new(3, 0), Instant::now());
        for (endpoint, failures) in [(0, 3), (1, 1), (2, 2)] {
            (0..failures).for_each(|_| pool.failed(endpoint, now));
        }
        assert_eq!(pool.take(now), 1);
    }
}
