//! What others' transactions may cost: the time of those that fail, which nobody is billed for.

use parking_lot::Mutex;
use primitives::TimePoint;

/// Microseconds that failed transactions of one peer may take at once, and each second.
pub const PEER_FAILURES_US: (i64, i64) = (200_000, 50_000);
/// The same for all peers together: a fifth of a slot, each slot.
pub const PEERS_FAILURES_US: (i64, i64) = (100_000, 200_000);

/// Time that may be spent, which comes back as time passes. The last transaction may take more than is there.
#[derive(Debug)]
pub struct Purse {
    most_us: i64,
    per_second_us: i64,
    left: Mutex<(i64, TimePoint)>,
}

impl Purse {
    /// A full one: microseconds that it holds, and that it gets each second.
    pub fn new((most_us, per_second_us): (i64, i64)) -> Self {
        Self { most_us, per_second_us, left: Mutex::new((most_us, TimePoint(0))) }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self, now: TimePoint) -> bool {
        self.at(now).0 <= 0
    }

    /// Whether nothing is missing.
    pub fn is_full(&self, now: TimePoint) -> bool {
        self.at(now).0 >= self.most_us
    }

    /// Takes out what a transaction took, in microseconds.
    pub fn spend(&self, us: i64, now: TimePoint) {
        let left = self.at(now).0 - us.max(0);
        *self.left.lock() = (left, now);
    }

    fn at(&self, now: TimePoint) -> (i64, TimePoint) {
        let (left, at) = *self.left.lock();
        let passed_us = now.us_since(at).max(0);
        // Whatever was spent is back after so long, and more does not fit into the number.
        let back = passed_us.min(1_000_000_000).saturating_mul(self.per_second_us) / 1_000_000;
        (left.saturating_add(back).min(self.most_us), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_comes_back_with_time() {
        let (purse, now) = (Purse::new((200_000, 50_000)), TimePoint(1_000_000_000_000_000));
        purse.spend(199_999, now);
        assert!(!purse.is_empty(now));
        purse.spend(50_001, now);
        assert!(purse.is_empty(now) && purse.is_empty(now.plus_us(1_000_000)));
        assert!(!purse.is_empty(now.plus_us(1_001_000)));
        // No more than it holds, and a clock that is set back takes nothing.
        purse.spend(200_000, now.plus_us(3_600_000_000));
        assert!(purse.is_empty(now.plus_us(3_600_000_000)) && purse.is_empty(now));
    }
}
