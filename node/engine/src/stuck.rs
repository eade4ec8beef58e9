//! What every block begins with, `onblock` of the system contract, has no limit that all nodes know, and no producer may
//! leave it out. Where it takes too long, this node makes no block and tries again later, so that it goes on answering.

use primitives::{BlockId, TimePoint};

/// Ticks of 10 ms that the start of a block may take: two slots. Everybody runs it again within one.
pub(crate) const START_TICKS_MAX: u64 = 100;
/// Microseconds until a block is tried again whose start took too long; twice as long after each further try.
const PAUSE_FIRST_US: i64 = 1_000_000;
/// The longest such pause, in microseconds.
const PAUSE_MAX_US: i64 = 32_000_000;

/// The block on which none could be started, and for how long none is tried.
#[derive(Debug, Default)]
pub(crate) struct Stuck {
    on: BlockId,
    begins: TimePoint,
    pause_us: i64,
}

impl Stuck {
    /// A start on block `head` took too long. How long none is tried on it, in microseconds.
    pub fn meet(&mut self, head: BlockId, now: TimePoint) -> i64 {
        let pause_us = if self.pause_us == 0 { PAUSE_FIRST_US } else { (self.pause_us * 2).min(PAUSE_MAX_US) };
        *self = Self { on: head, begins: now, pause_us };
        pause_us
    }

    /// A block was started. Whether none could be before.
    pub fn is_over(&mut self) -> bool {
        std::mem::take(self).pause_us > 0
    }

    /// Until when no block is tried on block `head`, if that is still to come. A clock that went back does not count.
    pub fn until(&self, head: BlockId, now: TimePoint) -> Option<TimePoint> {
        let waits = self.on == head && (0..self.pause_us).contains(&(now.0 - self.begins.0));
        waits.then(|| TimePoint(self.begins.0 + self.pause_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Sha256;

    #[test]
    fn pauses_grow_to_a_bound_and_hold_for_one_head() {
        let (mut stuck, head, other) = (Stuck::default(), Sha256::of(b"head"), Sha256::of(b"other"));
        let pauses: Vec<_> = (0..8).map(|s| stuck.meet(head, TimePoint(s * 1_000_000)) / 1_000_000).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 32, 32]);
        assert_eq!(stuck.until(head, TimePoint(8_000_000)), Some(TimePoint(39_000_000)));
        assert_eq!(stuck.until(other, TimePoint(8_000_000)), None);
        assert_eq!(stuck.until(head, TimePoint(39_000_000)), None);
        assert_eq!(stuck.until(head, TimePoint(6_000_000)), None);
        assert!(stuck.is_over() && !stuck.is_over() && stuck.until(head, TimePoint(8_000_000)).is_none());
    }
}
