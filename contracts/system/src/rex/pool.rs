//! The pool: how shares are bought and sold, and how fees flow into it over thirty days.

use super::balance::worth;
use super::tables::{NEVER, REX_SYMBOL, ReturnBuckets, ReturnPool, RexBalance, RexPool, table};
use crate::ram::core_symbol;
use sdk::prelude::*;

/// Shares per unit of the first payment.
const REX_RATIO: i64 = 10_000;
/// What the market for loans begins with on its other side, so that small pools cannot be rented with profit.
const RENT_AT_FIRST: i64 = 200_000_000;
/// Proceeds flow into the pool every ten minutes,
const INTERVAL_SEC: u32 = 10 * 60;
/// for thirty days,
const INTERVALS: u32 = 30 * 144;
/// in buckets of twelve hours.
const BUCKET_SEC: u32 = 12 * 3600;
/// Of what is lent, a tenth must remain in the pool for a sale to be done.
const LENT_PER_RESERVE: i64 = 10;

/// The pool, if REX was ever bought.
pub fn find() -> Option<Entry<RexPool>> {
    table::<RexPool>().find(0u64)
}

/// The pool, if somebody has shares.
pub fn available() -> Option<Entry<RexPool>> {
    find().filter(|pool| pool.total_rex.amount > 0)
}

/// Buys shares of the pool. Returns the pool and the shares.
pub fn add(payment: Asset) -> (Entry<RexPool>, Asset) {
    let core = core_symbol();
    let nothing = Asset { amount: 0, symbol: core };
    let first = || Asset { amount: payment.amount.wrapping_mul(REX_RATIO), symbol: REX_SYMBOL };
    let rent = Asset { amount: RENT_AT_FIRST, symbol: core };
    let Some(mut pool) = find() else {
        let rex = first();
        let row = RexPool {
            version: 0,
            total_lent: nothing,
            total_unlent: payment,
            total_rent: rent,
            total_lendable: payment,
            total_rex: rex,
            namebid_proceeds: nothing,
            loan_num: 0,
        };
        return (table().insert(current_receiver(), row), rex);
    };
    if pool.total_rex.amount <= 0 {
        let rex = first();
        pool.modify(SAME_PAYER, |pool| {
            pool.total_lendable.amount = payment.amount;
            pool.total_lent.amount = 0;
            pool.total_unlent.amount = payment.amount;
            pool.total_rent.amount = RENT_AT_FIRST;
            pool.total_rex.amount = rex.amount;
        });
        return (pool, rex);
    }
    check(pool.total_lendable.amount > 0, "lendable REX pool is empty");
    let lendable = pool.total_lendable.amount.wrapping_add(payment.amount);
    let rex_before = pool.total_rex.amount;
    let rex = (lendable as u128 * rex_before as u128 / pool.total_lendable.amount as u128) as i64;
    pool.modify(SAME_PAYER, |pool| {
        pool.total_lendable.amount = lendable;
        pool.total_rex.amount = rex;
        pool.total_unlent.amount = lendable.wrapping_sub(pool.total_lent.amount);
        check(pool.total_unlent.amount >= 0, "programmer error, this should never go negative");
    });
    (pool, Asset { amount: rex.wrapping_sub(rex_before), symbol: REX_SYMBOL })
}

/// What a sale brings.
pub struct Sale {
    /// For the owner's fund.
    pub proceeds: i64,
    /// For its vote.
    pub stake_change: i64,
}

/// Sells shares, if the pool has enough that is not lent.
pub fn sell(pool: &mut Entry<RexPool>, balance: &mut Entry<RexBalance>, rex: i64) -> Option<Sale> {
    let proceeds = Asset::new(worth(pool, rex), core_symbol()).amount;
    let reserve = pool.total_lent.amount / LENT_PER_RESERVE;
    if proceeds > pool.total_unlent.amount.wrapping_sub(reserve) {
        return None;
    }
    let (before, value) = (balance.vote_stake.amount, worth(pool, balance.rex_balance.amount));
    pool.modify(SAME_PAYER, |pool| {
        pool.total_rex.amount = pool.total_rex.amount.wrapping_sub(rex);
        pool.total_lendable.amount = pool.total_lendable.amount.wrapping_sub(proceeds);
        pool.total_unlent.amount = pool.total_lendable.amount.wrapping_sub(pool.total_lent.amount);
    });
    balance.modify(SAME_PAYER, |balance| {
        balance.vote_stake.amount = value.wrapping_sub(proceeds);
        balance.rex_balance.amount = balance.rex_balance.amount.wrapping_sub(rex);
        balance.matured_rex = balance.matured_rex.wrapping_sub(rex);
    });
    Some(Sale { proceeds, stake_change: balance.vote_stake.amount.wrapping_sub(before) })
}

/// Lets proceeds flow into the pool, from now on for thirty days.
pub fn donate(pool: &mut Entry<RexPool>, amount: i64) {
    update(pool);
    if amount <= 0 {
        return;
    }
    let now = current_time().seconds();
    let begins = TimePointSec(now.wrapping_sub(now % BUCKET_SEC).wrapping_add(BUCKET_SEC));
    match table::<ReturnPool>().find(0u64) {
        Some(mut returns) => returns.modify(SAME_PAYER, |returns| {
            returns.pending_bucket_proceeds = returns.pending_bucket_proceeds.wrapping_add(amount);
            returns.proceeds = returns.proceeds.wrapping_add(amount);
            if returns.pending_bucket_time == NEVER {
                returns.pending_bucket_time = begins;
            }
        }),
        None => {
            let this = current_receiver();
            let row = ReturnPool {
                version: 0,
                last_dist_time: begins,
                pending_bucket_time: begins,
                oldest_bucket_time: TimePointSec(0),
                pending_bucket_proceeds: amount,
                current_rate_of_increase: 0,
                proceeds: amount,
            };
            table().insert(this, row);
            table().insert(this, ReturnBuckets { version: 0, return_buckets: Vec::new() });
        }
    }
}

fn intervals_between(from: TimePointSec, to: TimePointSec) -> i64 {
    i64::from(to.0.wrapping_sub(from.0) / INTERVAL_SEC)
}

/// Pays into the pool what the time since the last interval brings.
pub fn update(pool: &mut Entry<RexPool>) {
    let now = current_time().seconds();
    let until = TimePointSec(now.wrapping_sub(now % INTERVAL_SEC));
    let Some(mut returns) = table::<ReturnPool>().find(0u64).filter(|returns| until > returns.last_dist_time) else {
        return;
    };
    let elapsed = intervals_between(returns.last_dist_time, until);
    let mut change = returns.current_rate_of_increase.wrapping_mul(elapsed);
    let row = returns.row_mut();
    let new_bucket = begin_bucket(row, until, &mut change);
    row.proceeds = row.proceeds.wrapping_sub(change);
    row.last_dist_time = until;
    let oldest = TimePointSec(until.0.wrapping_sub(INTERVALS * INTERVAL_SEC));
    let expires = row.oldest_bucket_time <= oldest;
    if new_bucket.is_some() || expires {
        let mut buckets = table::<ReturnBuckets>().get(0u64, "cannot pass end iterator to modify");
        // Each is written by itself, as by the reference: the RAM of both shows in the trace, also where it is equal.
        if let Some(bucket) = new_bucket {
            let list = &mut buckets.row_mut().return_buckets;
            match list.binary_search_by_key(&bucket.0, |bucket| bucket.0) {
                Ok(at) => list[at] = bucket,
                Err(at) => list.insert(at, bucket),
            }
            buckets.save(SAME_PAYER);
        }
        if expires {
            end_buckets(row, &mut buckets.row_mut().return_buckets, oldest, until, &mut change);
            buckets.save(SAME_PAYER);
        }
    }
    if change > 0 && row.proceeds < 0 {
        change = change.wrapping_add(row.proceeds);
        row.proceeds = 0;
    }
    returns.save(SAME_PAYER);
    if change > 0 {
        pool.modify(SAME_PAYER, |pool| {
            pool.total_unlent.amount = pool.total_unlent.amount.wrapping_add(change);
            pool.total_lendable = pool.total_unlent + pool.total_lent;
        });
    }
}

/// Begins to pay the bucket that was being filled, once its time has come. Returns it with what it pays in an interval.
fn begin_bucket(returns: &mut ReturnPool, until: TimePointSec, change: &mut i64) -> Option<(TimePointSec, i64)> {
    let began = returns.pending_bucket_time;
    if began > until {
        return None;
    }
    let remainder = returns.pending_bucket_proceeds % i64::from(INTERVALS);
    let rate = (returns.pending_bucket_proceeds - remainder) / i64::from(INTERVALS);
    returns.current_rate_of_increase = returns.current_rate_of_increase.wrapping_add(rate);
    let paid = rate.wrapping_mul(intervals_between(began, until));
    *change = change.wrapping_add(remainder.wrapping_add(paid));
    returns.pending_bucket_proceeds = 0;
    returns.pending_bucket_time = NEVER;
    if began < returns.oldest_bucket_time {
        returns.oldest_bucket_time = began;
    }
    Some((began, rate))
}

/// Ends the buckets that have been paid for thirty days, and takes back what they paid beyond.
fn end_buckets(
    returns: &mut ReturnPool,
    list: &mut Vec<(TimePointSec, i64)>,
    oldest: TimePointSec,
    until: TimePointSec,
    change: &mut i64,
) {
    let (mut ended_rate, mut surplus) = (0i64, 0i64);
    let ended = list.iter().take_while(|bucket| bucket.0 <= oldest).count();
    for (began, rate) in list.drain(..ended) {
        let end = TimePointSec(began.0.wrapping_add(INTERVALS * INTERVAL_SEC));
        surplus = surplus.wrapping_add(rate.wrapping_mul(intervals_between(end, until)));
        ended_rate = ended_rate.wrapping_add(rate);
    }
    returns.oldest_bucket_time = list.first().map_or(TimePointSec(0), |bucket| bucket.0);
    if ended_rate > 0 {
        returns.current_rate_of_increase = returns.current_rate_of_increase.wrapping_sub(ended_rate);
    }
    if surplus > 0 {
        *change = change.wrapping_sub(surplus);
        returns.proceeds = returns.proceeds.wrapping_add(surplus);
    }
}
