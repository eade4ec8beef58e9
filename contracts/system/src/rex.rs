//! REX: who lends stake to a pool gets shares of it and of its fees; who pays a fee gets bandwidth for thirty days.
//!
//! This file is the actions; `tables` are their rows, `pool` the market of shares, `loans` that of bandwidth, and `balance`
//! what an account has.

pub mod balance;
pub mod loans;
pub mod pool;
pub mod tables;

use crate::accounts::{self, B1, REX, STAKE, results, token};
use crate::ram::core_symbol;
use crate::tables::DelegatedBandwidth;
use balance::{
    add_to_balance, balance_of, put_savings, take_savings, transfer_from_fund, transfer_to_fund, update_rex_account,
    worth,
};
use loans::{run, run_with, update_limits};
use sdk::prelude::*;
use tables::{CpuLoan, NetLoan, RexBalance, RexFund, RexMaturity, RexOrder, RexPool, table};

/// Loans and sales that every action looks at.
const WORK_AT_ONCE: u16 = 2;
const MATURITY_DAYS_MAX: u32 = 30;

/// Sets how shares mature; what is left out stays, but for the days, which the reference demands.
pub fn setrexmature(days: Option<u32>, sell_matured: Option<bool>, buy_to_savings: Option<bool>) {
    require_auth(current_receiver());
    let mut state = RexMaturity::load();
    let days = days.unwrap_or_default();
    check(days > 0, "num_of_maturity_buckets must be positive");
    check(days <= MATURITY_DAYS_MAX, "num_of_maturity_buckets must be less than or equal to 30");
    state.num_of_maturity_buckets = days;
    state.sell_matured_rex = sell_matured.unwrap_or(state.sell_matured_rex);
    state.buy_rex_to_savings = buy_to_savings.unwrap_or(state.buy_rex_to_savings);
    RexMaturity::kept().set(state, current_receiver());
}

/// Moves tokens into the fund that REX and loans are bought with.
pub fn deposit(owner: Name, amount: Asset) {
    require_auth(owner);
    check(amount.symbol == core_symbol(), "must deposit core token");
    check(amount.amount > 0, "must deposit a positive amount");
    accounts::transfer(owner, REX, amount, "deposit to REX fund");
    transfer_to_fund(owner, amount);
}

/// Moves tokens out of the fund.
pub fn withdraw(owner: Name, amount: Asset) {
    require_auth(owner);
    check(amount.symbol == core_symbol(), "must withdraw core token");
    check(amount.amount > 0, "must withdraw a positive amount");
    update_rex_account(owner, 0, 0, false);
    transfer_from_fund(owner, amount);
    accounts::transfer(REX, owner, amount, "withdraw from REX fund");
}

/// Buys shares out of the fund.
pub fn buyrex(from: Name, amount: Asset) {
    require_auth(from);
    check(amount.symbol == core_symbol(), "asset must be core token");
    check(amount.amount > 0, "must use positive amount");
    transfer_from_fund(from, amount);
    let (mut pool, rex) = pool::add(amount);
    let stake = add_to_balance(&pool, from, amount, rex);
    run_with(&mut pool, WORK_AT_ONCE);
    update_rex_account(from, 0, stake, false);
    after_buying(&mut pool, from, rex);
}

/// Buys shares with what is staked.
pub fn unstaketorex(owner: Name, receiver: Name, net: Asset, cpu: Asset) {
    require_auth(owner);
    let core = core_symbol();
    check(net.symbol == core && cpu.symbol == core, "asset must be core token");
    let positive = net.amount >= 0 && cpu.amount >= 0 && (net.amount > 0 || cpu.amount > 0);
    check(positive, "must unstake a positive amount to buy rex");
    let staked = Table::<DelegatedBandwidth>::new(current_receiver(), owner);
    let mut staked = staked.get(receiver, "delegated bandwidth record does not exist");
    check(net.amount <= staked.net_weight.amount, "amount exceeds tokens staked for net");
    check(cpu.amount <= staked.cpu_weight.amount, "amount exceeds tokens staked for cpu");
    staked.modify(SAME_PAYER, |staked| {
        staked.net_weight.amount -= net.amount;
        staked.cpu_weight.amount -= cpu.amount;
    });
    if staked.net_weight.amount == 0 && staked.cpu_weight.amount == 0 {
        staked.remove();
    }
    update_limits(SAME_PAYER, receiver, -net.amount, -cpu.amount);
    let payment = net + cpu;
    accounts::transfer(STAKE, REX, payment, "buy REX with staked tokens");
    let (mut pool, rex) = pool::add(payment);
    let stake = add_to_balance(&pool, owner, payment, rex);
    run_with(&mut pool, WORK_AT_ONCE);
    update_rex_account(owner, 0, stake.wrapping_sub(payment.amount), true);
    after_buying(&mut pool, owner, rex);
}

/// What the chain lets follow a purchase, and the word of it.
fn after_buying(pool: &mut Entry<RexPool>, owner: Name, rex: Asset) {
    if rex.amount > 0 && RexMaturity::load().buy_rex_to_savings {
        move_to_savings(pool, owner, rex);
    }
    sell_matured(pool, owner);
    results::buyresult(REX, rex).send(&[]);
}

fn sell_matured(pool: &mut Entry<RexPool>, owner: Name) {
    if !RexMaturity::load().sell_matured_rex {
        return;
    }
    let matured = table::<RexBalance>().find(owner).map_or(0, |balance| balance.matured_rex);
    if matured > 0 {
        sell(pool, owner, Asset { amount: matured, symbol: tables::REX_SYMBOL });
    }
}

/// Sells shares, at once or as soon as the pool has enough that is not lent.
pub fn sellrex(from: Name, rex: Asset) {
    require_auth(from);
    let mut pool = pool::find().unwrap_or_else(|| fail("rex system not initialized yet"));
    sell(&mut pool, from, rex);
    sell_matured(&mut pool, from);
}

fn sell(pool: &mut Entry<RexPool>, from: Name, rex: Asset) {
    run_with(pool, WORK_AT_ONCE);
    let mut balance = table::<RexBalance>().get(from, "user must first buyrex");
    check_shares(&balance, rex);
    balance.modify(SAME_PAYER, RexBalance::mature);
    check(rex.amount <= balance.matured_rex, "insufficient available rex");
    let core = core_symbol();
    let sold = pool::sell(pool, &mut balance, rex.amount);
    check(sold.as_ref().is_none_or(|sale| sale.proceeds != 0), "proceeds are negligible");
    let waiting = match &sold {
        Some(sale) => update_rex_account(from, sale.proceeds, sale.stake_change, false),
        None => {
            update_rex_account(from, 0, 0, false);
            wait(from, rex, core)
        }
    };
    check(waiting <= balance.matured_rex, "insufficient funds for current and scheduled orders");
    if let Some(sale) = sold {
        results::sellresult(REX, Asset { amount: sale.proceeds, symbol: core }).send(&[]);
    }
}

/// Lets a sale wait, or more of one that waits already. Returns how much waits.
fn wait(from: Name, rex: Asset, core: Symbol) -> i64 {
    check(from != B1, "b1 sellrex orders should not be queued");
    let order = match table::<RexOrder>().find(from) {
        Some(mut order) => {
            order.modify(SAME_PAYER, |order| {
                order.rex_requested.amount = order.rex_requested.amount.wrapping_add(rex.amount);
            });
            order
        }
        None => {
            let nothing = Asset { amount: 0, symbol: core };
            let order = RexOrder {
                version: 0,
                owner: from,
                rex_requested: rex,
                proceeds: nothing,
                stake_change: nothing,
                order_time: current_time(),
                is_open: true,
            };
            table().insert(from, order)
        }
    };
    order.rex_requested.amount
}

fn check_shares(balance: &RexBalance, rex: Asset) {
    let fits = rex.amount > 0 && rex.symbol == balance.rex_balance.symbol;
    check(fits, "asset must be a positive amount of (REX, 4)");
}

/// Takes a sale that waits back.
pub fn cnclrexorder(owner: Name) {
    require_auth(owner);
    let order = table::<RexOrder>().get(owner, "no sellrex order is scheduled");
    check(order.is_open, "sellrex order has been filled and cannot be canceled");
    order.remove();
}

/// Brings what shares count in their owner's vote up to date.
pub fn updaterex(owner: Name) {
    require_auth(owner);
    let pool = run(WORK_AT_ONCE);
    let mut balance = balance_of(owner);
    let before = balance.vote_stake.amount;
    let now = if pool.total_rex.amount > 0 { worth(&pool, balance.rex_balance.amount) } else { 0 };
    let core = core_symbol();
    balance.modify(SAME_PAYER, |balance| balance.vote_stake = Asset { amount: now, symbol: core });
    update_rex_account(owner, 0, now.wrapping_sub(before), true);
    balance.modify(SAME_PAYER, RexBalance::mature);
}

/// Sets the other side of the market for loans.
pub fn setrex(balance: Asset) {
    require_auth(name!("eosio"));
    check(balance.amount > 0, "balance must be set to have a positive amount");
    check(balance.symbol == core_symbol(), "balance symbol must be core symbol");
    let mut pool = pool::find().unwrap_or_else(|| fail("rex system is not initialized"));
    pool.modify(SAME_PAYER, |pool| pool.total_rent = balance);
}

/// Does what is due; anyone may.
pub fn rexexec(user: Name, max: u16) {
    require_auth(user);
    run(max);
}

/// Puts an account's shares into one bucket.
pub fn consolidate(owner: Name) {
    require_auth(owner);
    run(WORK_AT_ONCE);
    let mut balance = balance_of(owner);
    let in_order = update_rex_account(owner, 0, 0, false);
    balance::consolidate(&mut balance, in_order);
}

/// Moves shares to savings, which do not mature.
pub fn mvtosavings(owner: Name, rex: Asset) {
    require_auth(owner);
    let mut pool = pool::find().unwrap_or_else(|| fail("rex system not initialized yet"));
    move_to_savings(&mut pool, owner, rex);
}

fn move_to_savings(pool: &mut Entry<RexPool>, owner: Name, rex: Asset) {
    run_with(pool, WORK_AT_ONCE);
    let mut balance = balance_of(owner);
    check_shares(&balance, rex);
    let in_order = update_rex_account(owner, 0, 0, false);
    let savings = take_savings(&mut balance);
    let wanted = rex.amount.wrapping_add(in_order).wrapping_add(savings);
    check(wanted <= balance.rex_balance.amount, "insufficient REX balance");
    balance.modify(SAME_PAYER, RexBalance::mature);
    balance.modify(SAME_PAYER, |balance| balance.take_youngest(rex.amount, in_order));
    put_savings(&mut balance, savings.wrapping_add(rex.amount));
}

/// Moves shares out of savings; they mature as if bought now.
pub fn mvfrsavings(owner: Name, rex: Asset) {
    require_auth(owner);
    run(WORK_AT_ONCE);
    let mut balance = balance_of(owner);
    check_shares(&balance, rex);
    let savings = take_savings(&mut balance);
    check(rex.amount <= savings, "insufficient REX in savings");
    balance.modify(SAME_PAYER, RexBalance::mature);
    balance.modify(SAME_PAYER, |balance| balance.add_to_last(balance::maturity(), rex.amount));
    put_savings(&mut balance, savings - rex.amount);
    update_rex_account(owner, 0, 0, false);
}

/// Removes an account's rows, when it has nothing left.
pub fn closerex(owner: Name) {
    require_auth(owner);
    if let Some(mut pool) = pool::find() {
        run_with(&mut pool, WORK_AT_ONCE);
    }
    update_rex_account(owner, 0, 0, false);
    let without_loans = loans::none_of::<CpuLoan>(owner) && loans::none_of::<NetLoan>(owner);
    if without_loans
        && let Some(fund) = table::<RexFund>().find(owner)
        && fund.balance.amount == 0
    {
        fund.remove();
    }
    if let Some(balance) = table::<RexBalance>().find(owner) {
        check(balance.rex_balance.amount == 0, "account has remaining REX balance, must sell first");
        balance.remove();
    }
}

/// Gives tokens to all who have shares, over thirty days.
pub fn donatetorex(payer: Name, quantity: Asset, memo: ByteStr) {
    require_auth(payer);
    let mut pool = pool::available().unwrap_or_else(|| fail("rex system is not initialized"));
    check(quantity.symbol == core_symbol(), "quantity must be core token");
    check(quantity.amount > 0, "quantity must be positive");
    pool::donate(&mut pool, quantity.amount);
    token::transfer(accounts::TOKEN, payer, REX, quantity, memo).send_as(payer);
}
