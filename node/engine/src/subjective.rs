//! What this node counts against accounts beside what the chain bills: the time of transactions that fail, and of those
//! that have not come into a block (nodeos: subjective_billing.hpp, and `account_failures` of producer_plugin.cpp).
//! Nothing of it is in the state, and no other node knows it.

use std::collections::{BTreeSet, HashMap};

use ledger::config::RATE_LIMITING_PRECISION;
use primitives::{Fault, FaultKind, Name, TimePoint, TimePointSec, TransactionId, time::SLOT_US};
use rustc_hash::FxBuildHasher;

use crate::moved::{Follows, Moved};

/// Microseconds between two ordinals of the decay (`subjective_time_interval_ms`).
const INTERVAL_US: i64 = 5_000_000;
/// Intervals of a minute.
const INTERVALS_PER_MINUTE: u32 = 12;
/// Transactions that are waited for at most; more are not billed until they are in a block.
const PENDING_MAX: usize = 1 << 20;

/// Which transactions are billed so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectiveSettings {
    /// Failures after which an account's transactions are refused until the window is over.
    pub max_failures: u32,
    /// Blocks of a window of failures; at least 1.
    pub failures_window_blocks: u32,
    /// Minutes until nothing is left of a bill; at least 1.
    pub decay_minutes: u32,
    /// Accounts that are not billed.
    pub exempt: BTreeSet<Name>,
    /// Bill transactions that come over the API.
    pub api: bool,
    /// Bill transactions that come from other nodes, or run again.
    pub network: bool,
}

impl Default for SubjectiveSettings {
    fn default() -> Self {
        let exempt = BTreeSet::new();
        Self { max_failures: 3, failures_window_blocks: 1, decay_minutes: 1440, exempt, api: false, network: false }
    }
}

type Map<K, V> = HashMap<K, V, FxBuildHasher>;

/// Bills and failures of accounts.
#[derive(Debug)]
pub(crate) struct Subjective {
    settings: SubjectiveSettings,
    failures: Map<Name, u32>,
    /// The head at which the failures were forgotten last.
    cleared_at: u32,
    bills: Map<Name, Bill>,
    pending: Map<TransactionId, Pending>,
    by_expiry: BTreeSet<(TimePointSec, TransactionId)>,
}

/// A transaction that may still come into a block.
#[derive(Debug, Clone, Copy)]
struct Pending {
    account: Name,
    cpu_us: u64,
    expiration: TimePointSec,
}

/// What an account owes.
#[derive(Debug, Clone, Copy, Default)]
struct Bill {
    /// For transactions that may still come into a block.
    pending_us: u64,
    /// For those that failed or expired, with [`RATE_LIMITING_PRECISION`], as of an ordinal.
    past_ex: u64,
    ordinal: u32,
}

impl Bill {
    fn past_ex_at(&self, ordinal: u32, window: u32) -> u64 {
        let passed = ordinal.saturating_sub(self.ordinal);
        if passed >= window {
            return 0;
        }
        let left = u128::from(self.past_ex) * u128::from(window - passed) / u128::from(window);
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    fn add(&mut self, cpu_us: u64, ordinal: u32, window: u32) {
        self.past_ex = self.past_ex_at(ordinal, window).saturating_add(cpu_us.saturating_mul(RATE_LIMITING_PRECISION));
        self.ordinal = self.ordinal.max(ordinal);
    }

    fn at(&self, ordinal: u32, window: u32) -> u64 {
        self.pending_us.saturating_add(self.past_ex_at(ordinal, window).div_ceil(RATE_LIMITING_PRECISION))
    }
}

fn ordinal(now: TimePoint) -> u32 {
    u32::try_from(now.0 / INTERVAL_US).unwrap_or(0)
}

impl Subjective {
    pub fn new(settings: SubjectiveSettings) -> Self {
        Self {
            settings,
            failures: Map::default(),
            cleared_at: 0,
            bills: Map::default(),
            pending: Map::default(),
            by_expiry: BTreeSet::new(),
        }
    }

    fn window(&self) -> u32 {
        self.settings.decay_minutes.max(1).saturating_mul(INTERVALS_PER_MINUTE)
    }

    /// Whether transactions of an account are billed that came over the API, or another way.
    pub fn bills(&self, account: Name, over_api: bool) -> bool {
        let on = if over_api { self.settings.api } else { self.settings.network };
        on && !account.is_empty() && !self.settings.exempt.contains(&account)
    }

    /// Accounts that owe something.
    pub fn len(&self) -> usize {
        self.bills.len()
    }

    /// What an account owes.
    pub fn bill(&self, account: Name, now: TimePoint) -> u64 {
        self.bills.get(&account).map_or(0, |bill| bill.at(ordinal(now), self.window()))
    }

    /// Refuses the transaction of an account that has failed too often since the window began.
    ///
    /// # Errors
    /// `tx_cpu_usage_exceeded`.
    pub fn may_try(&mut self, account: Name, id: &TransactionId, head: (u32, TimePoint)) -> Result<(), Fault> {
        let Some(failures) = self.failures.get_mut(&account).filter(|count| **count >= self.settings.max_failures)
        else {
            return Ok(());
        };
        *failures += 1;
        let window = self.settings.failures_window_blocks.max(1);
        let until = TimePoint(head.1.0 + i64::from(window - head.0 % window) * SLOT_US);
        let message = format!("transaction {id} exceeded failure limit for account {account} until {until}");
        Err(Fault::new(FaultKind::TX_CPU_USAGE_EXCEEDED, message))
    }

    /// A transaction failed.
    pub fn failed(&mut self, account: Name, elapsed_us: i64, now: TimePoint) {
        let window = self.window();
        self.bills.entry(account).or_default().add(positive(elapsed_us), ordinal(now), window);
        *self.failures.entry(account).or_default() += 1;
    }

    /// A transaction ran in a block that this node will not produce.
    pub fn ran(&mut self, account: Name, id: TransactionId, expiration: TimePointSec, elapsed_us: i64) {
        if self.pending.len() >= PENDING_MAX || self.pending.contains_key(&id) {
            return;
        }
        let cpu_us = positive(elapsed_us);
        self.pending.insert(id, Pending { account, cpu_us, expiration });
        self.by_expiry.insert((expiration, id));
        let bill = self.bills.entry(account).or_default();
        bill.pending_us = bill.pending_us.saturating_add(cpu_us);
    }

    /// Transactions came into a block: the chain bills them.
    pub fn included<'a>(&mut self, ids: impl IntoIterator<Item = &'a TransactionId>, now: TimePoint) {
        if self.pending.is_empty() {
            return;
        }
        let (ordinal, window) = (ordinal(now), self.window());
        for id in ids {
            let Some(pending) = self.pending.remove(id) else { continue };
            self.by_expiry.remove(&(pending.expiration, *id));
            let Some(bill) = self.bills.get_mut(&pending.account) else { continue };
            bill.pending_us = bill.pending_us.saturating_sub(pending.cpu_us);
            if bill.at(ordinal, window) == 0 {
                self.bills.remove(&pending.account);
            }
        }
    }

    /// A block begins after `head`: expired transactions are failed ones, and a window of failures may be over.
    pub fn block_begins(&mut self, head: u32, block_time: TimePoint, now: TimePoint) {
        if self.cleared_at != head && head.is_multiple_of(self.settings.failures_window_blocks.max(1)) {
            self.failures.clear();
            self.cleared_at = head;
            let (ordinal, window) = (ordinal(now), self.window());
            self.bills.retain(|_, bill| bill.at(ordinal, window) > 0);
        }
        while let Some((expiration, id)) = self.by_expiry.first().copied() {
            if expiration.time() > block_time {
                break;
            }
            self.by_expiry.pop_first();
            let Some(pending) = self.pending.remove(&id) else { continue };
            let window = self.window();
            let bill = self.bills.entry(pending.account).or_default();
            bill.pending_us = bill.pending_us.saturating_sub(pending.cpu_us);
            bill.add(pending.cpu_us, ordinal(now), window);
        }
    }
}

impl Follows for Subjective {
    fn follow(&mut self, moved: &Moved<'_>) {
        for sealed in &moved.applied.applied {
            self.included(sealed.state.transactions.iter().map(|transaction| &transaction.id), moved.now);
        }
    }
}

fn positive(elapsed_us: i64) -> u64 {
    u64::try_from(elapsed_us).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use primitives::name;

    use super::*;

    const ALICE: Name = name!("alice");
    const MINUTE_US: i64 = 60_000_000;

    fn at(minutes: i64) -> TimePoint {
        TimePoint(1_000_000_000 * 1_000_000 + minutes * MINUTE_US)
    }

    fn seconds(minutes: i64) -> TimePointSec {
        TimePointSec(u32::try_from(at(minutes).0 / 1_000_000).unwrap())
    }

    fn id(byte: u8) -> TransactionId {
        let mut id = TransactionId::default();
        id.0[0] = byte;
        id
    }

    fn subjective(decay_minutes: u32) -> Subjective {
        Subjective::new(SubjectiveSettings { decay_minutes, api: true, ..SubjectiveSettings::default() })
    }

    #[test]
    fn failures_are_owed_until_they_have_decayed() {
        let mut billing = subjective(10);
        billing.failed(ALICE, 1000, at(0));
        billing.failed(ALICE, -5, at(0));
        assert_eq!(billing.bill(ALICE, at(0)), 1000);
        assert_eq!(billing.bill(ALICE, at(5)), 500);
        billing.failed(ALICE, 1000, at(5));
        assert_eq!(billing.bill(ALICE, at(5)), 1500);
        assert_eq!(billing.bill(ALICE, at(10)), 750);
        assert_eq!(billing.bill(ALICE, at(15)), 0);
        billing.block_begins(7, at(15), at(15));
        assert_eq!(billing.len(), 0);
    }

    #[test]
    fn what_comes_into_a_block_is_owed_no_more_and_what_expires_has_failed() {
        let mut billing = subjective(10);
        billing.ran(ALICE, id(1), seconds(3), 100);
        billing.ran(ALICE, id(2), seconds(4), 10);
        billing.ran(ALICE, id(2), seconds(4), 10);
        assert_eq!(billing.bill(ALICE, at(2)), 110, "what is waited for does not decay");
        billing.included(&[id(1), id(9)], at(2));
        assert_eq!(billing.bill(ALICE, at(2)), 10);
        billing.block_begins(1, at(4), at(4));
        assert_eq!((billing.bill(ALICE, at(4)), billing.pending.len()), (10, 0));
        assert_eq!(billing.bill(ALICE, at(9)), 5);
    }

    #[test]
    fn three_strikes_until_the_window_is_over() {
        let mut billing = Subjective::new(SubjectiveSettings {
            failures_window_blocks: 4,
            api: true,
            exempt: [name!("bob")].into(),
            ..SubjectiveSettings::default()
        });
        billing.block_begins(8, at(0), at(0));
        for _ in 0..3 {
            assert!(billing.may_try(ALICE, &id(1), (9, at(0))).is_ok());
            billing.failed(ALICE, 1, at(0));
        }
        let refused = billing.may_try(ALICE, &id(1), (9, at(0))).unwrap_err();
        let until = TimePoint(at(0).0 + 3 * SLOT_US);
        let words = format!("exceeded failure limit for account alice until {until}");
        assert!(refused.details[0].ends_with(&words), "{refused}");
        billing.block_begins(11, at(0), at(0));
        assert!(billing.may_try(ALICE, &id(1), (11, at(0))).is_err());
        billing.block_begins(12, at(0), at(0));
        assert!(billing.may_try(ALICE, &id(1), (12, at(0))).is_ok());
        assert!(billing.bills(ALICE, true) && !billing.bills(ALICE, false) && !billing.bills(name!("bob"), true));
    }
}
