//! What an account has in REX: its fund, its shares and when they mature, and what both mean for its vote.
//!
//! A row is written where the reference writes it: what is taken out of it and put back shows in traces as a change of RAM
//! by nothing.

use super::tables::{Bucket, NEVER, RexBalance, RexFund, RexMaturity, RexOrder, RexPool, table};
use crate::parameters::{ChainParameters, DAY_SEC};
use crate::ram::core_symbol;
use crate::voting;
use sdk::prelude::*;

/// Takes from an account's fund.
pub fn transfer_from_fund(owner: Name, amount: Asset) {
    let fits = amount.amount > 0 && amount.symbol == core_symbol();
    check(fits, "must transfer positive amount from REX fund");
    let mut fund = table::<RexFund>().get(owner, "must deposit to REX fund first");
    check(amount <= fund.balance, "insufficient funds");
    fund.modify(SAME_PAYER, |fund| fund.balance.amount -= amount.amount);
}

/// Adds to an account's fund.
pub fn transfer_to_fund(owner: Name, amount: Asset) {
    let fits = amount.amount > 0 && amount.symbol == core_symbol();
    check(fits, "must transfer positive amount to REX fund");
    match table::<RexFund>().find(owner) {
        Some(mut fund) => {
            fund.modify(SAME_PAYER, |fund| fund.balance.amount = fund.balance.amount.wrapping_add(amount.amount));
        }
        None => {
            table().insert(owner, RexFund { version: 0, owner, balance: amount });
        }
    }
}

/// The shares of an account, which must have some.
pub fn balance_of(owner: Name) -> Entry<RexBalance> {
    table::<RexBalance>().get(owner, "account has no REX balance")
}

/// What an amount of shares is worth.
pub fn worth(pool: &RexPool, rex: i64) -> i64 {
    (rex as u128 * pool.total_lendable.amount as u128 / pool.total_rex.amount as u128) as i64
}

/// Settles a sale of the owner's that waited and was done meanwhile, and adds more to its fund and its vote. Returns the
/// shares in a sale that still waits.
pub fn update_rex_account(owner: Name, proceeds: i64, stake: i64, renew_vote: bool) -> i64 {
    let (mut to_fund, mut to_stake, mut in_order) = (proceeds, stake, 0);
    if let Some(order) = table::<RexOrder>().find(owner) {
        if order.is_open {
            in_order = order.rex_requested.amount;
        } else {
            to_fund = to_fund.wrapping_add(order.proceeds.amount);
            to_stake = to_stake.wrapping_add(order.stake_change.amount);
            order.remove();
        }
    }
    let core = core_symbol();
    if to_fund > 0 {
        transfer_to_fund(owner, Asset { amount: to_fund, symbol: core });
    }
    if renew_vote || to_stake != 0 {
        let change = Asset { amount: to_stake, symbol: core };
        voting::update_voting_power(owner, change, true, &ChainParameters::load());
    }
    in_order
}

/// Brings what a voter's shares count in its vote up to date; they are part of its stake from then on.
pub fn update_stake(voter: Name) {
    let Some(mut balance) = table::<RexBalance>().find(voter) else { return };
    let Some(pool) = super::pool::available() else { return };
    let before = balance.vote_stake.amount;
    let now = worth(&pool, balance.rex_balance.amount);
    balance.modify(SAME_PAYER, |balance| balance.vote_stake.amount = now);
    if now != before
        && let Some(mut row) = crate::tables::VoterInfo::table().find(voter)
    {
        row.modify(SAME_PAYER, |row| row.staked = row.staked.wrapping_add(now.wrapping_sub(before)));
    }
}

/// When shares bought now mature: some days after the end of this one.
pub fn maturity() -> TimePointSec {
    let now = current_time().seconds();
    let days = RexMaturity::load().num_of_maturity_buckets;
    TimePointSec(now.wrapping_sub(now % DAY_SEC).wrapping_add(days.wrapping_mul(DAY_SEC)))
}

/// Takes the savings out of the buckets, so that the others can be treated alike.
pub fn take_savings(balance: &mut Entry<RexBalance>) -> i64 {
    let Some(&(NEVER, rex)) = balance.rex_maturities.last() else { return 0 };
    balance.modify(SAME_PAYER, |balance| {
        balance.rex_maturities.pop();
    });
    rex
}

/// Puts savings back.
pub fn put_savings(balance: &mut Entry<RexBalance>, rex: i64) {
    if rex != 0 {
        balance.modify(SAME_PAYER, |balance| balance.add_to_last(NEVER, rex));
    }
}

/// Puts all that is not in savings or in a sale into one bucket.
pub fn consolidate(balance: &mut Entry<RexBalance>, in_order: i64) {
    let savings = take_savings(balance);
    balance.modify(SAME_PAYER, |balance| {
        let buckets = balance.rex_maturities.drain(..).map(|(_, rex): Bucket| rex).fold(0, i64::wrapping_add);
        let total = balance.matured_rex.wrapping_sub(in_order).wrapping_add(buckets);
        balance.matured_rex = in_order;
        if total > 0 {
            balance.rex_maturities.push((maturity(), total));
        }
    });
    put_savings(balance, savings);
}

impl RexBalance {
    /// Adds shares to the last bucket if that is of this time, or else to a new one.
    pub fn add_to_last(&mut self, time: TimePointSec, rex: i64) {
        match self.rex_maturities.last_mut() {
            Some(last) if last.0 == time => last.1 = last.1.wrapping_add(rex),
            _ => self.rex_maturities.push((time, rex)),
        }
    }

    /// Lets those buckets mature whose time has come.
    pub fn mature(&mut self) {
        let now: TimePointSec = current_time().into();
        let due = self.rex_maturities.iter().take_while(|bucket| bucket.0 <= now).count();
        for (_, rex) in self.rex_maturities.drain(..due) {
            self.matured_rex = self.matured_rex.wrapping_add(rex);
        }
    }

    /// Takes shares from the buckets, the youngest first, then from those that have matured.
    pub fn take_youngest(&mut self, rex: i64, in_order: i64) {
        let mut left = rex;
        while left > 0
            && let Some(last) = self.rex_maturities.last_mut()
        {
            let taken = left.min(last.1);
            last.1 -= taken;
            left -= taken;
            if last.1 == 0 {
                self.rex_maturities.pop();
            }
        }
        if left > 0 {
            self.matured_rex -= left;
            check(in_order <= self.matured_rex, "logic error in mvtosavings");
        }
    }
}

/// Gives bought shares to an account. Returns what they add to its vote.
pub fn add_to_balance(pool: &RexPool, owner: Name, payment: Asset, rex: Asset) -> i64 {
    let (mut balance, added) = match table::<RexBalance>().find(owner) {
        Some(mut balance) => {
            let before = balance.vote_stake.amount;
            balance.modify(SAME_PAYER, |balance| {
                balance.rex_balance.amount = balance.rex_balance.amount.wrapping_add(rex.amount);
                balance.vote_stake.amount = worth(pool, balance.rex_balance.amount);
            });
            let added = balance.vote_stake.amount.wrapping_sub(before);
            (balance, added)
        }
        None => {
            let (vote_stake, rex_balance) = (payment, rex);
            let row =
                RexBalance { version: 0, owner, vote_stake, rex_balance, matured_rex: 0, rex_maturities: Vec::new() };
            (table().insert(owner, row), payment.amount)
        }
    };
    let savings = take_savings(&mut balance);
    balance.modify(SAME_PAYER, RexBalance::mature);
    balance.modify(SAME_PAYER, |balance| balance.add_to_last(maturity(), rex.amount));
    put_savings(&mut balance, savings);
    added
}
