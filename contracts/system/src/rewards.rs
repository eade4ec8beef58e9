//! Inflation and what producers get of it.

use crate::accounts::{self, BLOCK_PAY, Balance, CurrencyStats, SAVING, TOKEN, VOTE_PAY, token, token_stats};
use crate::globals::{Global, Global4, State, continuous_rate};
use crate::parameters::{ChainParameters, YEAR_US, us};
use crate::ram::{core_symbol, to_i64};
use crate::tables::{ProducerInfo, ProducerInfo2, SchedulesInfo};
use crate::voting::Tally;
use sdk::prelude::*;

const PAY_FACTOR_PRECISION: i64 = 10_000;
/// The largest double below 2^63.
const TOKENS_MAX: f64 = (i64::MAX - 1023) as f64;

/// Pays a producer for its blocks and votes since it last claimed.
pub fn claimrewards(owner: Name) {
    require_auth(owner);
    let mut global4 = State::<Global4>::load();
    execute_next_schedule(&mut global4);
    let mut producer = ProducerInfo::table().get(owner, "producer not registered");
    check(producer.is_active, "producer does not have an active key");
    let parameters = ChainParameters::load();
    let mut tally = Tally::load(&parameters);
    check(
        tally.global.thresh_activated_stake_time != TimePoint(0),
        "cannot claim rewards until the chain is activated (at least 15% of all tokens participate in voting)",
    );
    let now = current_time();
    let waited = now.since(producer.last_claim_time) > us(parameters.claim_interval_sec);
    check(waited, "already claimed rewards within past day");
    let core = core_symbol();
    fill_buckets(&mut tally.global, &global4, core, now);
    let block_pay = block_pay(&tally.global, &producer);
    let vote_pay = vote_pay(&mut tally, &producer, &parameters);
    tally.global.pervote_bucket -= vote_pay;
    tally.global.perblock_bucket -= block_pay;
    tally.global.total_unpaid_blocks = tally.global.total_unpaid_blocks.wrapping_sub(producer.unpaid_blocks);
    producer.modify(SAME_PAYER, |row| {
        row.last_claim_time = now;
        row.unpaid_blocks = 0;
    });
    if block_pay > 0 {
        accounts::transfer_with_both(BLOCK_PAY, owner, Asset::new(block_pay, core), "producer block pay");
    }
    if vote_pay > 0 {
        accounts::transfer_with_both(VOTE_PAY, owner, Asset::new(vote_pay, core), "producer vote pay");
    }
}

/// Issues what the time since the last claim brings, and shares it out.
fn fill_buckets(global: &mut State<Global>, global4: &Global4, core: Symbol, now: TimePoint) {
    let this = current_receiver();
    let stats = token_stats(core.code());
    let balance = Table::<Balance>::new(TOKEN, this).get(core.code(), "no balance with specified symbol").balance;
    let elapsed = now.since(global.last_pervote_bucket_fill);
    if elapsed <= 0 || global.last_pervote_bucket_fill <= TimePoint(0) {
        return;
    }
    let inflation = (global4.continuous_rate * stats.supply.amount as f64 * elapsed as f64) / YEAR_US as f64;
    let message = "overflow in calculating new tokens to be issued; inflation rate is too high";
    check(inflation <= TOKENS_MAX, message);
    let issued = if inflation < 0.0 { 0 } else { to_i64(inflation) };
    let to_producers = share(issued, global4.inflation_pay_factor);
    let to_block_pay = share(to_producers, global4.votepay_factor);
    let to_vote_pay = to_producers - to_block_pay;
    if issued > 0 {
        issue(&stats, balance, issued, core);
        let parts = [
            (SAVING, issued - to_producers, "unallocated bucket"),
            (BLOCK_PAY, to_block_pay, "fund per-block bucket"),
            (VOTE_PAY, to_vote_pay, "fund per-vote bucket"),
        ];
        for (account, amount, memo) in parts {
            if amount > 0 {
                accounts::transfer(this, account, Asset::new(amount, core), memo);
            }
        }
    }
    global.pervote_bucket += to_vote_pay;
    global.perblock_bucket += to_block_pay;
    global.last_pervote_bucket_fill = now;
}

/// Ten thousand parts in `factor`.
fn share(amount: i64, factor: i64) -> i64 {
    (amount as u128 * PAY_FACTOR_PRECISION as u128 / factor as u128) as i64
}

/// New tokens while there may be more, then the system's own.
fn issue(stats: &CurrencyStats, balance: Asset, amount: i64, core: Symbol) {
    let this = current_receiver();
    if stats.supply.amount.wrapping_add(amount) <= stats.max_supply.amount {
        let memo = "issue tokens for producer pay and savings";
        token::issue(TOKEN, this, Asset::new(amount, core), memo).send_as(this);
    } else {
        check(balance.amount >= amount, "insufficient system token balance for claiming rewards");
    }
}

fn block_pay(global: &Global, producer: &ProducerInfo) -> i64 {
    if global.total_unpaid_blocks == 0 {
        return 0;
    }
    global.perblock_bucket.wrapping_mul(i64::from(producer.unpaid_blocks)) / i64::from(global.total_unpaid_blocks)
}

/// What a producer's votes earned, by the time they were held; its share begins anew.
fn vote_pay(tally: &mut Tally<'_>, producer: &ProducerInfo, parameters: &ChainParameters) -> i64 {
    let now = current_time();
    let expiry = tally.votepay_expiry(producer);
    let shares = ProducerInfo2::table();
    let (mut row, expired_before) = match shares.find(producer.owner) {
        Some(row) => {
            let expired_before = expiry <= row.last_votepay_share_update;
            (row, expired_before)
        }
        None => {
            let row = ProducerInfo2 { owner: producer.owner, votepay_share: 0.0, last_votepay_share_update: now };
            (shares.insert(producer.owner, row), true)
        }
    };
    let rate = if expired_before { 0.0 } else { producer.total_votes };
    let share = tally.update_producer_votepay_share(&mut row, rate, true);
    let bucket = tally.global.pervote_bucket;
    let mut pay = 0;
    if tally.global2.revision > 0 {
        let total = tally.update_total_votepay_share(0.0, 0.0);
        if total > 0.0 && expiry > now {
            pay = to_i64((share * bucket as f64) / total).min(bucket);
        }
    } else if tally.global.total_producer_vote_weight > 0.0 {
        pay = to_i64((bucket as f64 * producer.total_votes) / tally.global.total_producer_vote_weight);
    }
    tally.update_total_votepay_share(-share, if expired_before { producer.total_votes } else { 0.0 });
    if pay < parameters.min_pervote_daily_pay { 0 } else { pay }
}

/// Sets the inflation, in hundredths of a percent a year, and the producers' shares in it.
pub fn setinflation(annual_rate: i64, inflation_pay_factor: i64, votepay_factor: i64) {
    require_auth(current_receiver());
    check(annual_rate >= 0, "annual_rate can't be negative");
    set_factors(Some(continuous_rate(annual_rate)), inflation_pay_factor, votepay_factor);
}

/// Sets the producers' shares in the inflation.
pub fn setpayfactor(inflation_pay_factor: i64, votepay_factor: i64) {
    require_auth(current_receiver());
    set_factors(None, inflation_pay_factor, votepay_factor);
}

fn set_factors(rate: Option<f64>, inflation_pay_factor: i64, votepay_factor: i64) {
    let least = PAY_FACTOR_PRECISION;
    check!(inflation_pay_factor >= least, "inflation_pay_factor must not be less than ", least);
    check!(votepay_factor >= least, "votepay_factor must not be less than ", least);
    let mut global4 = State::<Global4>::load();
    global4.continuous_rate = rate.unwrap_or(global4.continuous_rate);
    global4.inflation_pay_factor = inflation_pay_factor;
    global4.votepay_factor = votepay_factor;
}

fn schedules() -> Table<SchedulesInfo> {
    let this = current_receiver();
    Table::new(this, this)
}

/// Plans a change of inflation.
pub fn setschedule(start_time: TimePointSec, continuous_rate: f64) {
    require_auth(current_receiver());
    check(continuous_rate >= 0.0, "continuous_rate can't be negative");
    check(continuous_rate <= 1.0, "continuous_rate can't be over 100%");
    match schedules().find(start_time.0) {
        Some(mut row) => row.modify(SAME_PAYER, |row| row.continuous_rate = continuous_rate),
        None => {
            schedules().insert(current_receiver(), SchedulesInfo { start_time, continuous_rate });
        }
    }
}

/// Takes a planned change back.
pub fn delschedule(start_time: TimePointSec) {
    require_auth(current_receiver());
    schedules().get(start_time.0, "schedule not found").remove();
}

/// Applies the first planned change whose time has come.
pub fn execschedule() {
    check(execute_next_schedule(&mut State::load()), "no schedule to execute");
}

fn execute_next_schedule(global4: &mut State<Global4>) -> bool {
    match schedules().iter().next() {
        Some(row) if current_time().seconds() >= row.start_time.0 => {
            global4.continuous_rate = row.continuous_rate;
            row.remove();
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_ten_thousand_parts() {
        assert_eq!(share(1_000_000, 50_000), 200_000);
        assert_eq!(share(200_000, 40_000), 50_000);
        assert_eq!(share(i64::MAX, 10_000), i64::MAX);
    }
}
