//! Scheduled transactions that failed by this node's own limits, such as its time: they stay scheduled, and would be in
//! the way of all others in each block. nodeos leaves each out until it expires (`_blacklisted_transactions`); here those
//! of the same payer rest for a while, too, so that many of one kind cannot take the whole share of every block.

use std::collections::BTreeSet;

use primitives::{Name, TimePoint, TransactionId};
use rustc_hash::{FxHashMap, FxHashSet};

/// Transactions that are left out at most; beyond, those that expire first are tried again.
const LEFT_OUT_MAX: usize = 65_536;
/// Payers whose transactions rest at most; nobody's rest beyond.
const PAYERS_MAX: usize = 4096;
/// How long the transactions of a payer rest after a failure, in microseconds; twice as long after each further one.
const REST_FIRST_US: i64 = 1_000_000;
/// How long they rest at most.
const REST_MAX_US: i64 = 32_000_000;
/// How long after a failure the next one of the same payer is the first again.
const REST_FORGOTTEN_US: i64 = 2 * REST_MAX_US;

/// What is left out of blocks, and until when. All times are those of blocks.
#[derive(Debug, Default)]
pub(crate) struct PutOff {
    ids: FxHashSet<TransactionId>,
    by_expiration: BTreeSet<(TimePoint, TransactionId)>,
    payers: FxHashMap<Name, Rest>,
}

/// The rest of a payer's transactions.
#[derive(Debug, Clone, Copy)]
struct Rest {
    begins: TimePoint,
    length_us: i64,
}

impl Rest {
    /// Whether it is on; not if time went back to before it.
    fn is_on(self, now: TimePoint) -> bool {
        (0..self.length_us).contains(&(now.0 - self.begins.0))
    }

    /// Whether a failure at `now` is a further one.
    fn counts(self, now: TimePoint) -> bool {
        now.0 - self.begins.0 <= REST_FORGOTTEN_US
    }
}

impl PutOff {
    /// Leaves a transaction out that failed in a block of time `now`.
    pub fn failed(&mut self, id: TransactionId, payer: Name, expiration: TimePoint, now: TimePoint) {
        self.forget_expired(now);
        if self.ids.insert(id) {
            self.by_expiration.insert((expiration, id));
        }
        if self.ids.len() > LEFT_OUT_MAX
            && let Some((_, first)) = self.by_expiration.pop_first()
        {
            self.ids.remove(&first);
        }
        if self.payers.len() < PAYERS_MAX || self.payers.contains_key(&payer) {
            let before = self.payers.get(&payer).filter(|rest| rest.counts(now));
            let length_us = before.map_or(REST_FIRST_US, |rest| (rest.length_us * 2).min(REST_MAX_US));
            self.payers.insert(payer, Rest { begins: now, length_us });
        }
    }

    /// Whether a transaction is left out of a block of time `now`. One that expired is not: running it retires it.
    pub fn leaves_out(&self, id: &TransactionId, payer: Name, expiration: TimePoint, now: TimePoint) -> bool {
        expiration >= now && (self.ids.contains(id) || self.payers.get(&payer).is_some_and(|rest| rest.is_on(now)))
    }

    /// Forgets what is over at `now`.
    fn forget_expired(&mut self, now: TimePoint) {
        while let Some((expiration, id)) = self.by_expiration.first().copied()
            && expiration < now
        {
            self.by_expiration.pop_first();
            self.ids.remove(&id);
        }
        if self.payers.len() >= PAYERS_MAX {
            self.payers.retain(|_, rest| rest.counts(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{Sha256, name};

    const S: i64 = 1_000_000;

    fn id(number: usize) -> TransactionId {
        Sha256::of(&number.to_le_bytes())
    }

    #[test]
    fn what_failed_is_left_out_until_it_expires_and_its_payer_rests_longer_each_time() {
        let mut put_off = PutOff::default();
        let (payer, end, at) = (name!("payer"), TimePoint(600 * S), |s: i64| TimePoint(s * S));
        put_off.failed(id(1), payer, end, at(0));
        assert!(put_off.leaves_out(&id(1), payer, end, at(599)), "until it expires");
        assert!(!put_off.leaves_out(&id(1), payer, end, at(601)), "then it is retired");
        assert!(put_off.leaves_out(&id(2), payer, end, at(0)), "the payer's others rest");
        assert!(!put_off.leaves_out(&id(2), payer, end, at(1)) && !put_off.leaves_out(&id(2), payer, end, at(-1)));
        assert!(!put_off.leaves_out(&id(3), name!("other"), end, at(0)), "nobody else's do");
        for number in 2..9 {
            put_off.failed(id(number), payer, end, at(100));
        }
        assert!(put_off.leaves_out(&id(9), payer, end, at(131)) && !put_off.leaves_out(&id(9), payer, end, at(132)));
        put_off.failed(id(9), payer, end, at(200));
        assert!(put_off.leaves_out(&id(10), payer, end, at(200)) && !put_off.leaves_out(&id(10), payer, end, at(201)));
    }

    #[test]
    fn it_is_bounded_and_what_expired_is_forgotten() {
        let mut put_off = PutOff::default();
        for number in 0..LEFT_OUT_MAX + 5 {
            let payer = Name(number as u64);
            put_off.failed(id(number), payer, TimePoint(number as i64), TimePoint(0));
        }
        assert_eq!((put_off.ids.len(), put_off.by_expiration.len()), (LEFT_OUT_MAX, LEFT_OUT_MAX));
        assert!(put_off.payers.len() <= PAYERS_MAX);
        assert!(!put_off.ids.contains(&id(0)) && put_off.ids.contains(&id(LEFT_OUT_MAX)), "the first to expire goes");
        put_off.failed(id(0), name!("payer"), TimePoint(i64::MAX), TimePoint(i64::MAX));
        assert_eq!((put_off.ids.len(), put_off.by_expiration.len()), (1, 1));
    }
}
