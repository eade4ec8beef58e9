//! Loans: CPU time and network bandwidth for thirty days, renewed as long as their fund lasts and the price is fair.

use super::balance::{transfer_from_fund, transfer_to_fund};
use super::pool;
use super::tables::{CpuLoan, Loan, NetLoan, RexBalance, RexLoan, RexOrder, RexPool, table};
use crate::accounts::{self, REX, results};
use crate::parameters::DAY_US;
use crate::ram::{bancor_output, core_symbol};
use crate::system::calls;
use crate::tables::{UserResources, VoterInfo, managed};
use sdk::prelude::*;
use sdk::privileged::{ResourceLimits, resource_limits, set_resource_limits};

/// How long a loan is.
const LOAN_US: i64 = 30 * DAY_US;

/// Closes or renews up to `max` loans of each kind that have ended, and does up to `max` sales that wait. Returns the pool.
pub fn run(max: u16) -> Entry<RexPool> {
    let mut pool = pool::find().unwrap_or_else(|| fail("rex system not initialized yet"));
    run_with(&mut pool, max);
    pool
}

/// As [`run`], for who has the pool already.
pub fn run_with(pool: &mut Entry<RexPool>, max: u16) {
    pool::update(pool);
    end_loans::<CpuLoan>(pool, max);
    end_loans::<NetLoan>(pool, max);
    fill_orders(pool, max);
}

fn end_loans<L: Loan>(pool: &mut Entry<RexPool>, max: u16) {
    let now = current_time();
    for _ in 0..max {
        // A renewed loan goes to the end of the index: the next is the first again.
        let Some(mut loan) = table::<L>().index(L::EXPIRATIONS).iter().next() else { break };
        if loan.expiration > now {
            break;
        }
        let (from, receiver) = (loan.from, loan.receiver);
        let renewed = renew(pool, &mut loan);
        let change = renewed.unwrap_or_else(|| loan.total_staked.amount.wrapping_neg());
        if change != 0 {
            lend::<L>(from, receiver, change);
        }
        if renewed.is_none() {
            loan.remove();
        }
    }
}

/// Takes a loan back and gives it again if it can be paid and its price is fair. Returns by how much it grew, or nothing
/// when it has ended; then what was left to renew it with is in its payer's fund.
fn renew<L: Loan>(pool: &mut Entry<RexPool>, loan: &mut Entry<L>) -> Option<i64> {
    let lent = loan.total_staked.amount;
    let rent = bancor_output(pool.total_unlent.amount, pool.total_rent.amount, lent);
    pool.modify(SAME_PAYER, |pool| {
        pool.total_rent.amount = pool.total_rent.amount.wrapping_sub(rent);
        pool.total_unlent.amount = pool.total_unlent.amount.wrapping_add(lent);
        pool.total_lent.amount = pool.total_lent.amount.wrapping_sub(lent);
        pool.total_lendable.amount = pool.total_unlent.amount.wrapping_add(pool.total_lent.amount);
    });
    let (payment, balance) = (loan.payment, loan.balance);
    let rented = bancor_output(pool.total_rent.amount, pool.total_unlent.amount, payment.amount);
    if payment <= balance && payment.amount < rented && available(pool) {
        add_to_pool(pool, payment, rented, false);
        loan.modify(SAME_PAYER, |loan| {
            loan.total_staked.amount = rented;
            loan.expiration = loan.expiration.plus_us(LOAN_US);
            loan.balance.amount = loan.balance.amount.wrapping_sub(payment.amount);
        });
        return Some(rented.wrapping_sub(lent));
    }
    if balance.amount > 0 {
        transfer_to_fund(loan.from, balance);
    }
    None
}

/// Does the sales that wait longest, those that the pool has enough for.
fn fill_orders(pool: &mut Entry<RexPool>, max: u16) {
    let orders = table::<RexOrder>();
    for mut order in orders.index(RexOrder::BY_TIME).iter().take(usize::from(max)) {
        if !order.is_open {
            break;
        }
        let Some(mut balance) = table::<RexBalance>().find(order.owner) else { continue };
        let Some(sale) = pool::sell(pool, &mut balance, order.rex_requested.amount) else { continue };
        order.modify(SAME_PAYER, |order| {
            order.proceeds.amount = sale.proceeds;
            order.stake_change.amount = sale.stake_change;
            order.is_open = false;
        });
        results::orderresult(REX, order.owner, order.proceeds).send(&[]);
    }
}

/// Loans are given while there are shares and no sale waits.
fn available(pool: &RexPool) -> bool {
    let waits = || table::<RexOrder>().index(RexOrder::BY_TIME).iter().next().is_some_and(|order| order.is_open);
    pool.total_rex.amount > 0 && !waits()
}

/// Takes a fee and what is lent for it.
fn add_to_pool(pool: &mut Entry<RexPool>, payment: Asset, rented: i64, new: bool) {
    accounts::channel_to_system_fees(current_receiver(), payment);
    pool.modify(SAME_PAYER, |pool| {
        pool.total_rent.amount = pool.total_rent.amount.wrapping_add(payment.amount);
        pool.total_unlent.amount = pool.total_unlent.amount.wrapping_sub(rented);
        pool.total_lent.amount = pool.total_lent.amount.wrapping_add(rented);
        pool.loan_num += u64::from(new);
    });
}

/// Rents for thirty days.
pub fn rent<L: Loan>(from: Name, receiver: Name, payment: Asset, fund: Asset) {
    require_auth(from);
    let mut pool = run(2);
    check(available(&pool), "rex loans are currently not available");
    let core = core_symbol();
    check(payment.symbol == core && fund.symbol == core, "must use core token");
    check(payment.amount > 0 && fund.amount >= 0, "must use positive asset amount");
    transfer_from_fund(from, payment + fund);
    let rented = bancor_output(pool.total_rent.amount, pool.total_unlent.amount, payment.amount);
    check(payment.amount < rented, "loan price does not favor renting");
    add_to_pool(&mut pool, payment, rented, true);
    let loan = RexLoan {
        version: 0,
        from,
        receiver,
        payment,
        balance: fund,
        total_staked: Asset::new(rented, core),
        loan_num: pool.loan_num,
        expiration: current_time().plus_us(LOAN_US),
    };
    table::<L>().insert(from, L::from(loan));
    results::rentresult(REX, Asset::new(rented, core)).send(&[]);
    let this = current_receiver();
    calls::logsystemfee(this, REX, payment, "rent rex".into()).send_as(this);
    lend::<L>(from, receiver, rented);
}

fn lend<L: Loan>(from: Name, receiver: Name, change: i64) {
    let (net, cpu) = if L::CPU { (0, change) } else { (change, 0) };
    update_limits(from, receiver, net, cpu);
}

/// Adds to what a loan can be renewed with.
pub fn fund<L: Loan>(from: Name, loan_num: u64, payment: Asset) {
    require_auth(from);
    check(payment.symbol == core_symbol(), "must use core token");
    transfer_from_fund(from, payment);
    let mut loan = running::<L>(from, loan_num);
    loan.modify(SAME_PAYER, |loan| loan.balance.amount = loan.balance.amount.wrapping_add(payment.amount));
}

/// Takes from what a loan can be renewed with.
pub fn defund<L: Loan>(from: Name, loan_num: u64, amount: Asset) {
    require_auth(from);
    check(amount.symbol == core_symbol(), "must use core token");
    let mut loan = running::<L>(from, loan_num);
    check(loan.balance >= amount, "insufficent loan balance");
    loan.modify(SAME_PAYER, |loan| loan.balance.amount = loan.balance.amount.wrapping_sub(amount.amount));
    transfer_to_fund(from, amount);
}

fn running<L: Loan>(from: Name, loan_num: u64) -> Entry<L> {
    let loan = table::<L>().get(loan_num, "loan not found");
    check(loan.from == from, "user must be loan creator");
    check(loan.expiration > current_time(), "loan has already expired");
    loan
}

/// Whether an account has no loans of a kind.
pub fn none_of<L: Loan>(owner: Name) -> bool {
    table::<L>().index(L::OWNERS).find(owner).is_none()
}

/// Gives an account more or less bandwidth; its RAM stays as it is.
pub fn update_limits(payer: Name, receiver: Name, net: i64, cpu: i64) {
    if net == 0 && cpu == 0 {
        return;
    }
    let table = UserResources::of(receiver);
    let row = match table.find(receiver) {
        Some(mut row) => {
            row.modify(SAME_PAYER, |row| {
                row.net_weight.amount = row.net_weight.amount.wrapping_add(net);
                row.cpu_weight.amount = row.cpu_weight.amount.wrapping_add(cpu);
            });
            row
        }
        None => {
            check(net >= 0 && cpu >= 0, "logic error, should not occur");
            let core = core_symbol();
            let (net_weight, cpu_weight) = (Asset::new(net, core), Asset::new(cpu, core));
            table.insert(payer, UserResources { owner: receiver, net_weight, cpu_weight, ram_bytes: 0 })
        }
    };
    check(row.net_weight.amount >= 0, "insufficient staked total net bandwidth");
    check(row.cpu_weight.amount >= 0, "insufficient staked total cpu bandwidth");
    let by_hand = VoterInfo::managed(receiver);
    if by_hand & managed::NET == 0 || by_hand & managed::CPU == 0 {
        let limits = resource_limits(receiver);
        let weight = |resource, limit, staked: Asset| if by_hand & resource != 0 { limit } else { staked.amount };
        let net_weight = weight(managed::NET, limits.net_weight, row.net_weight);
        let cpu_weight = weight(managed::CPU, limits.cpu_weight, row.cpu_weight);
        set_resource_limits(receiver, ResourceLimits { net_weight, cpu_weight, ..limits });
    }
    if row.net_weight.amount == 0 && row.cpu_weight.amount == 0 && row.ram_bytes == 0 {
        row.remove();
    }
}
