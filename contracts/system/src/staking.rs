//! Staking: what an account gives to itself or others for bandwidth, and how it gets it back.

use crate::accounts::{self, B1, STAKE};
use crate::globals::{Global, State};
use crate::parameters::{ChainParameters, us};
use crate::ram::core_symbol;
use crate::rex;
use crate::tables::{DelegatedBandwidth, RefundPart, RefundRequest, UserResources, VoterInfo, managed};
use crate::voting;
use sdk::prelude::*;
use sdk::privileged::{ResourceLimits, resource_limits, set_resource_limits};

/// Parts of a refund that one action pays.
const PARTS_AT_ONCE: usize = 32;

/// What one staking changes: both amounts of the same sign.
#[derive(Clone, Copy)]
struct Change {
    net: Asset,
    cpu: Asset,
}

impl Change {
    fn total(self) -> Asset {
        self.net + self.cpu
    }
}

/// Stakes from one account to another, or gives the stake itself away.
pub fn delegatebw(from: Name, receiver: Name, net: Asset, cpu: Asset, transfer: bool) {
    let nothing = Asset { amount: 0, symbol: core_symbol() };
    check(cpu >= nothing, "must stake a positive amount");
    check(net >= nothing, "must stake a positive amount");
    check(net.amount.wrapping_add(cpu.amount) > 0, "must stake a positive amount");
    check(!transfer || from != receiver, "cannot use transfer flag if delegating to self");
    changebw(from, receiver, Change { net, cpu }, transfer);
}

/// Takes stake back; it is refunded later.
pub fn undelegatebw(from: Name, receiver: Name, net: Asset, cpu: Asset) {
    let nothing = Asset { amount: 0, symbol: core_symbol() };
    check(cpu >= nothing, "must unstake a positive amount");
    check(net >= nothing, "must unstake a positive amount");
    check(cpu.amount.wrapping_add(net.amount) > 0, "must unstake a positive amount");
    check(
        State::<Global>::load().thresh_activated_stake_time != TimePoint(0),
        "cannot undelegate bandwidth until the chain is activated (at least 15% of all tokens participate in voting)",
    );
    changebw(from, receiver, Change { net: -net, cpu: -cpu }, false);
}

fn changebw(payer: Name, receiver: Name, change: Change, transfer: bool) {
    require_auth(payer);
    let Change { net, cpu } = change;
    check(net.amount != 0 || cpu.amount != 0, "should stake non-zero amount");
    let larger = net.amount.unsigned_abs().max(cpu.amount.unsigned_abs());
    check(change.total().amount.unsigned_abs() >= larger, "net and cpu deltas cannot be opposite signs");
    let parameters = ChainParameters::load();
    if parameters.refunds_swept {
        sweep(payer, &parameters);
    }
    let from = if transfer { receiver } else { payer };
    update_stake_delegated(from, receiver, change);
    update_user_resources(from, receiver, change, &parameters);
    if payer != STAKE {
        let left = settle_refund(from, receiver, change, transfer, &parameters);
        if left.amount > 0 {
            accounts::transfer(payer, STAKE, left, "stake bandwidth");
        }
    }
    rex::balance::update_stake(from);
    let renew = from == payer || parameters.gifts_renew_votes();
    let staked = voting::update_voting_power(from, change.total(), renew, &parameters);
    if from == B1 {
        validate_b1_vesting(staked, change.total());
    }
}

fn update_stake_delegated(from: Name, receiver: Name, change: Change) {
    let table = Table::<DelegatedBandwidth>::new(current_receiver(), from);
    let row = match table.find(receiver) {
        Some(mut row) => {
            row.modify(SAME_PAYER, |row| {
                row.net_weight += change.net;
                row.cpu_weight += change.cpu;
            });
            row
        }
        None => {
            let row = DelegatedBandwidth { from, to: receiver, net_weight: change.net, cpu_weight: change.cpu };
            table.insert(from, row)
        }
    };
    check(row.net_weight.amount >= 0, "insufficient staked net bandwidth");
    check(row.cpu_weight.amount >= 0, "insufficient staked cpu bandwidth");
    if row.net_weight.amount == 0 && row.cpu_weight.amount == 0 {
        row.remove();
    }
}

fn update_user_resources(from: Name, receiver: Name, change: Change, parameters: &ChainParameters) {
    let table = UserResources::of(receiver);
    let row = match table.find(receiver) {
        Some(mut row) => {
            row.modify(if from == receiver { from } else { SAME_PAYER }, |row| {
                row.net_weight += change.net;
                row.cpu_weight += change.cpu;
            });
            row
        }
        None => {
            let row = UserResources { owner: receiver, net_weight: change.net, cpu_weight: change.cpu, ram_bytes: 0 };
            table.insert(from, row)
        }
    };
    check(row.net_weight.amount >= 0, "insufficient staked total net bandwidth");
    check(row.cpu_weight.amount >= 0, "insufficient staked total cpu bandwidth");
    apply_limits(receiver, &row, parameters);
    if row.net_weight.amount == 0 && row.cpu_weight.amount == 0 && row.ram_bytes == 0 {
        row.remove();
    }
}

/// Makes the account's limits what it has, but for those that are managed.
pub fn apply_limits(account: Name, row: &UserResources, parameters: &ChainParameters) {
    let managed = VoterInfo::managed(account);
    let is = |resource: u32| managed & resource != 0;
    if is(managed::NET) && is(managed::CPU) {
        return;
    }
    let limits = resource_limits(account);
    let stays = |resource, limit| is(resource) || parameters.keeps(limit);
    let ram = row.ram_bytes.wrapping_add(parameters.ram_gift_bytes).max(limits.ram_bytes);
    set_resource_limits(
        account,
        ResourceLimits {
            ram_bytes: if stays(managed::RAM, limits.ram_bytes) { limits.ram_bytes } else { ram },
            net_weight: if stays(managed::NET, limits.net_weight) { limits.net_weight } else { row.net_weight.amount },
            cpu_weight: if stays(managed::CPU, limits.cpu_weight) { limits.cpu_weight } else { row.cpu_weight.amount },
        },
    );
}

/// Lets the change meet the refund that is under way: what is staked again is not paid out. Returns what must be paid in.
fn settle_refund(from: Name, receiver: Name, change: Change, transfer: bool, parameters: &ChainParameters) -> Asset {
    let undelegating = change.net.amount.wrapping_add(change.cpu.amount) < 0;
    let to_self = !transfer && from == receiver;
    if !undelegating && !to_self {
        return change.total();
    }
    if undelegating && parameters.refunds_apart() {
        add_part(from, change);
        return Asset { amount: 0, ..change.net };
    }
    let change = if undelegating { change } else { take_parts(from, change) };
    let table = Table::<RefundRequest>::new(current_receiver(), from);
    match table.find(from) {
        Some(request) => update_refund(request, change),
        None if undelegating => {
            let (net_amount, cpu_amount) = (-change.net, -change.cpu);
            let request_time = current_time().into();
            table.insert(from, RefundRequest { owner: from, request_time, net_amount, cpu_amount });
            Asset { amount: 0, ..change.net }
        }
        None => change.total(),
    }
}

fn update_refund(mut request: Entry<RefundRequest>, change: Change) -> Asset {
    let mut left = change;
    request.modify(SAME_PAYER, |request| {
        if change.net.amount < 0 || change.cpu.amount < 0 {
            request.request_time = current_time().into();
        }
        left.net = take_from(&mut request.net_amount, change.net);
        left.cpu = take_from(&mut request.cpu_amount, change.cpu);
    });
    if request.net_amount.amount == 0 && request.cpu_amount.amount == 0 {
        request.remove();
    }
    left.total()
}

/// Takes `wanted` from what is to be refunded (adds it, when negative); returns what it does not cover.
fn take_from(refund: &mut Asset, wanted: Asset) -> Asset {
    *refund -= wanted;
    if refund.amount < 0 {
        let missing = -*refund;
        refund.amount = 0;
        return missing;
    }
    Asset { amount: 0, ..wanted }
}

/// Keeps what is undelegated apart from what was before; what is undelegated in one second is one part.
fn add_part(owner: Name, change: Change) {
    let table = RefundPart::of(owner);
    let request_time = current_time().into();
    let (net_amount, cpu_amount) = (-change.net, -change.cpu);
    match table.last() {
        Some(mut part) if part.request_time == request_time => part.modify(SAME_PAYER, |part| {
            part.net_amount += net_amount;
            part.cpu_amount += cpu_amount;
        }),
        last => {
            let id = last.map_or(0, |part| part.id.saturating_add(1));
            table.insert(owner, RefundPart { id, request_time, net_amount, cpu_amount });
        }
    }
}

/// Lets what is staked again meet the parts that have waited least. Returns what they do not cover.
#[inline(never)]
fn take_parts(owner: Name, wanted: Change) -> Change {
    let mut left = wanted;
    for mut part in RefundPart::of(owner).iter().rev() {
        if left.net.amount == 0 && left.cpu.amount == 0 {
            break;
        }
        part.modify(SAME_PAYER, |part| {
            left.net = take_from(&mut part.net_amount, left.net);
            left.cpu = take_from(&mut part.cpu_amount, left.cpu);
        });
        if part.net_amount.amount == 0 && part.cpu_amount.amount == 0 {
            part.remove();
        }
    }
    left
}

/// Pays an account what is due of its refunds.
pub fn refund(owner: Name) {
    let parameters = ChainParameters::load();
    if !parameters.refunds_swept {
        require_auth(owner);
    }
    let paid = pay_due(owner, &parameters);
    check(paid.is_some(), "refund request not found");
    check(paid != Some(0), "refund is not available yet");
}

/// Pays the account what is due.
fn sweep(owner: Name, parameters: &ChainParameters) {
    pay_due(owner, parameters);
}

/// Pays what is due, at most [`PARTS_AT_ONCE`] parts of it. Returns how much that is, or nothing where nothing waits.
#[inline(never)]
fn pay_due(owner: Name, parameters: &ChainParameters) -> Option<i64> {
    let now = current_time();
    let is_due = |since: TimePointSec| TimePoint::from(since).plus_us(us(parameters.refund_delay_sec)) <= now;
    let mut due = Asset { amount: 0, symbol: Symbol(0) };
    let mut waits = false;
    if let Some(request) = Table::<RefundRequest>::new(current_receiver(), owner).find(owner) {
        waits = true;
        if is_due(request.request_time) {
            due = request.net_amount + request.cpu_amount;
            request.remove();
        }
    }
    for part in RefundPart::of(owner).iter().take(PARTS_AT_ONCE) {
        waits = true;
        if !is_due(part.request_time) {
            break;
        }
        let amount = part.net_amount + part.cpu_amount;
        due = if due.amount == 0 { amount } else { due + amount };
        part.remove();
    }
    if due.amount > 0 {
        accounts::transfer_with_both(STAKE, owner, due, "unstake");
    }
    waits.then_some(due.amount)
}

/// The whole of what the account `b1` was given, and what of it was its own when vesting ended.
const B1_TOTAL: i64 = 1_000_000_000_000;
const B1_FROM_SEC: i64 = 1_527_811_200;
const B1_UNTIL_SEC: i64 = 1_638_921_540;
const TEN_YEARS_SEC: i64 = 10 * 52 * 7 * 24 * 3600;

fn b1_unvested() -> i64 {
    let vested = B1_TOTAL as f64 * (B1_UNTIL_SEC - B1_FROM_SEC) as f64 / TEN_YEARS_SEC as f64;
    B1_TOTAL - vested as i64
}

fn validate_b1_vesting(staked: i64, change: Asset) {
    let unvested = b1_unvested();
    let was_below = change.amount < 0 && staked < unvested && staked.wrapping_sub(change.amount) < unvested;
    check(was_below || staked >= unvested, "b1 can only claim what has already vested");
}

/// Takes what `b1` has not earned out of the world.
pub fn unvest(account: Name, net: Asset, cpu: Asset) {
    let this = current_receiver();
    require_auth(this);
    check(account == B1, "only b1 account can unvest");
    check(cpu.amount >= 0, "must unvest a positive amount");
    check(net.amount >= 0, "must unvest a positive amount");
    let unvesting = net + cpu;
    check(unvesting.amount <= b1_unvested(), "can only unvest what is not already vested");
    let parameters = ChainParameters::load();
    let change = Change { net: -net, cpu: -cpu };
    voting::update_voting_power(account, -unvesting, true, &parameters);
    update_stake_delegated(account, account, change);
    update_user_resources(account, account, change, &parameters);
    rex::balance::update_stake(account);
    accounts::transfer(STAKE, this, unvesting, "unvest");
    accounts::token::retire(accounts::TOKEN, unvesting, "unvest").send_as(this);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sys(amount: i64) -> Asset {
        Asset { amount, symbol: Symbol::new(SymbolCode::new("SYS"), 4) }
    }

    #[test]
    fn staking_again_uses_the_refund_first() {
        for (refund, wanted, left, missing) in [(100, 30, 70, 0), (100, 100, 0, 0), (100, 130, 0, 30), (0, -50, 50, 0)]
        {
            let mut refund = sys(refund);
            assert_eq!(take_from(&mut refund, sys(wanted)), sys(missing));
            assert_eq!(refund, sys(left));
        }
    }
}
