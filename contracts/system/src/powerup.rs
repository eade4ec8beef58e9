//! Powerup: network bandwidth and CPU for a number of days, sold from a market whose price rises with its use.

use crate::accounts::{self, POWERUP, RESERVE};
use crate::parameters::{ChainParameters, DAY_SEC};
use crate::ram::{core_symbol, to_i64};
use crate::staking::apply_limits;
use crate::system::calls;
use crate::tables::{UserResources, VoterInfo, managed};
use sdk::prelude::*;

/// The whole of a market, and a ratio of one.
const WHOLE: i64 = 1_000_000_000_000_000;
/// Expired orders that every purchase closes.
const ORDERS_CLOSED_AT_ONCE: usize = 2;

/// What may be set of one resource's market; what is left out stays.
#[derive(Record)]
#[abi(name = "powerup_config_resource")]
pub struct ResourceConfig {
    /// The ratio from now on, in parts of 10^15.
    pub current_weight_ratio: Option<i64>,
    /// The ratio that it shrinks to.
    pub target_weight_ratio: Option<i64>,
    /// Stake that the ratio is reckoned with.
    pub assumed_stake_weight: Option<i64>,
    /// When the target is reached.
    pub target_timestamp: Option<TimePointSec>,
    /// How the price rises with use.
    pub exponent: Option<f64>,
    /// Seconds in which the memory of past use fades to a third.
    pub decay_secs: Option<u32>,
    /// What the whole market costs at the least price.
    pub min_price: Option<Asset>,
    /// What the whole market costs at the highest price.
    pub max_price: Option<Asset>,
}

/// What may be set of the market; what is left out stays.
#[derive(Record)]
#[abi(name = "powerup_config")]
pub struct Config {
    /// Network bandwidth.
    pub net: ResourceConfig,
    /// CPU time.
    pub cpu: ResourceConfig,
    /// For how many days is sold.
    pub powerup_days: Option<u32>,
    /// The least fee.
    pub min_powerup_fee: Option<Asset>,
}

/// The market of one resource.
#[derive(Record)]
#[abi(name = "powerup_state_resource")]
pub struct ResourceMarket {
    /// 0.
    pub version: u8,
    /// How much there is, in units of stake.
    pub weight: i64,
    /// What stake is to stake and market together.
    pub weight_ratio: i64,
    /// Stake that the ratio is reckoned with.
    pub assumed_stake_weight: i64,
    /// The ratio when it began to shrink.
    pub initial_weight_ratio: i64,
    /// The ratio that it shrinks to.
    pub target_weight_ratio: i64,
    /// When it began to shrink.
    pub initial_timestamp: TimePointSec,
    /// When the target is reached.
    pub target_timestamp: TimePointSec,
    /// How the price rises with use.
    pub exponent: f64,
    /// Seconds in which the memory of past use fades to a third.
    pub decay_secs: u32,
    /// What the whole market costs at the least price.
    pub min_price: Asset,
    /// What the whole market costs at the highest price.
    pub max_price: Asset,
    /// What is sold.
    pub utilization: i64,
    /// What is sold, with what was sold fading slowly.
    pub adjusted_utilization: i64,
    /// When that was reckoned.
    pub utilization_timestamp: TimePointSec,
}

/// The market.
#[table("powup.state", singleton)]
#[abi(name = "powerup_state")]
pub struct Market {
    /// 0.
    pub version: u8,
    /// Network bandwidth.
    pub net: ResourceMarket,
    /// CPU time.
    pub cpu: ResourceMarket,
    /// For how many days is sold.
    pub powerup_days: u32,
    /// The least fee.
    pub min_powerup_fee: Asset,
}

/// What was sold and has not expired.
#[table("powup.order", index(by_owner: Name = self.owner), index(by_expires: u64 = u64::from(self.expires.0)))]
#[abi(name = "powerup_order")]
pub struct Order {
    /// 0.
    pub version: u8,
    /// Its number.
    #[primary]
    pub id: u64,
    /// Who has it.
    pub owner: Name,
    /// Network bandwidth.
    pub net_weight: i64,
    /// CPU time.
    pub cpu_weight: i64,
    /// When it ends.
    pub expires: TimePointSec,
}

/// An asset that was never set.
const UNSET: Asset = Asset { amount: 0, symbol: Symbol(0) };

impl ResourceMarket {
    fn first(now: TimePointSec) -> Self {
        Self {
            version: 0,
            weight: 0,
            weight_ratio: 0,
            assumed_stake_weight: 0,
            initial_weight_ratio: WHOLE,
            target_weight_ratio: WHOLE / 100,
            initial_timestamp: TimePointSec(0),
            target_timestamp: TimePointSec(0),
            exponent: 2.0,
            decay_secs: DAY_SEC,
            min_price: UNSET,
            max_price: UNSET,
            utilization: 0,
            adjusted_utilization: 0,
            utilization_timestamp: now,
        }
    }

    /// Lets the memory of past use fade.
    fn update_utilization(&mut self, now: TimePointSec) {
        if now <= self.utilization_timestamp {
            return;
        }
        self.adjusted_utilization = if self.utilization >= self.adjusted_utilization {
            self.utilization
        } else {
            let above = self.adjusted_utilization - self.utilization;
            let elapsed = f64::from(now.0 - self.utilization_timestamp.0);
            let left = to_i64(above as f64 * libm::exp(-elapsed / f64::from(self.decay_secs)));
            self.utilization + left.clamp(0, above)
        };
        self.utilization_timestamp = now;
    }

    /// Lets the ratio shrink, and the market grow with it. Returns by how much.
    fn update_weight(&mut self, now: TimePointSec) -> i64 {
        self.weight_ratio = if now >= self.target_timestamp {
            self.target_weight_ratio
        } else {
            let change = i128::from(self.target_weight_ratio.wrapping_sub(self.initial_weight_ratio));
            let elapsed = now.0.wrapping_sub(self.initial_timestamp.0);
            let whole = self.target_timestamp.0.wrapping_sub(self.initial_timestamp.0);
            (i128::from(self.initial_weight_ratio) + change * i128::from(elapsed) / i128::from(whole)) as i64
        };
        let stake = i128::from(self.assumed_stake_weight);
        let weight = (stake * i128::from(WHOLE) / i128::from(self.weight_ratio) - stake) as i64;
        let grown = weight.wrapping_sub(self.weight);
        self.weight = weight;
        grown
    }

    fn configure(&mut self, config: &ResourceConfig, now: TimePointSec, core: Symbol) {
        let ratio_now = if self.weight_ratio != 0 { self.weight_ratio } else { self.initial_weight_ratio };
        let ratio = config.current_weight_ratio.unwrap_or(ratio_now);
        let target = config.target_weight_ratio.unwrap_or(self.target_weight_ratio);
        let stake = config.assumed_stake_weight.unwrap_or_else(|| {
            check(self.assumed_stake_weight != 0, "assumed_stake_weight does not have a default value");
            self.assumed_stake_weight
        });
        let until = if ratio == target { now } else { self.target_time(config, now) };
        let exponent = config.exponent.unwrap_or(self.exponent);
        let decay_secs = config.decay_secs.unwrap_or(self.decay_secs);
        let max_price = config.max_price.unwrap_or_else(|| {
            check(self.max_price != UNSET, "max_price does not have a default value");
            self.max_price
        });
        let least = if self.min_price == UNSET { Asset { amount: 0, ..max_price } } else { self.min_price };
        let min_price = config.min_price.unwrap_or(least);
        check(ratio > 0, "current_weight_ratio is too small");
        check(ratio <= WHOLE, "current_weight_ratio is too large");
        check(target > 0, "target_weight_ratio is too small");
        check(target <= ratio, "weight can't grow over time");
        check(stake >= 1, "assumed_stake_weight must be at least 1; a much larger value is recommended");
        let largest = i128::from(stake) * i128::from(WHOLE) / i128::from(target);
        check(largest <= i128::from(i64::MAX), "assumed_stake_weight/target_weight_ratio is too large");
        check(exponent >= 1.0, "exponent must be >= 1");
        check(decay_secs >= 1, "decay_secs must be >= 1");
        check(max_price.symbol == core, "max_price doesn't match core symbol");
        check(max_price.amount > 0, "max_price must be positive");
        check(min_price.symbol == core, "min_price doesn't match core symbol");
        check(min_price.amount >= 0, "min_price must be non-negative");
        check(min_price.amount <= max_price.amount, "min_price cannot exceed max_price");
        if exponent == 1.0 {
            let flat = min_price.amount == max_price.amount;
            check(flat, "min_price and max_price must be the same if the exponent is 1");
        }
        self.assumed_stake_weight = stake;
        self.initial_weight_ratio = ratio;
        self.target_weight_ratio = target;
        self.initial_timestamp = now;
        self.target_timestamp = until;
        self.exponent = exponent;
        self.decay_secs = decay_secs;
        self.min_price = min_price;
        self.max_price = max_price;
    }

    fn target_time(&self, config: &ResourceConfig, now: TimePointSec) -> TimePointSec {
        let until = config.target_timestamp.unwrap_or_else(|| {
            check(self.target_timestamp.0 != 0, "target_timestamp does not have a default value");
            self.target_timestamp
        });
        check(until > now, "target_timestamp must be in the future");
        until
    }

    /// Sells a fraction, in parts of 10^15. Returns the amount and adds its price to `fee`.
    fn sell(&mut self, fraction: i64, fee: &mut i64) -> i64 {
        if fraction == 0 {
            return 0;
        }
        let amount = (i128::from(fraction) * i128::from(self.weight) / i128::from(WHOLE)) as i64;
        check(self.weight != 0, "market doesn't have resources available");
        let enough = self.utilization.wrapping_add(amount) <= self.weight;
        check(enough, "market doesn't have enough resources available");
        let price = self.price_of(amount);
        check(price > 0, "calculated fee is below minimum; try powering up with more resources");
        *fee = fee.wrapping_add(price);
        self.utilization = self.utilization.wrapping_add(amount);
        amount
    }

    /// The fee for `amount` more: up to where the memory of past use ends at its price, from there on the integral of the
    /// price. With u the part in use, the price is min + (max - min) * u^(exponent - 1).
    fn price_of(&self, amount: i64) -> i64 {
        if amount <= 0 {
            return 0;
        }
        let (mut start, end) = (self.utilization, self.utilization + amount);
        let mut fee = 0.0;
        if start < self.adjusted_utilization {
            let remembered = amount.min(self.adjusted_utilization - start);
            fee += self.price_at(self.adjusted_utilization) * remembered as f64 / self.weight as f64;
            start = self.adjusted_utilization;
        }
        if start < end {
            fee += self.price_between(start, end);
        }
        to_i64(libm::ceil(fee))
    }

    fn price_at(&self, utilization: i64) -> f64 {
        let exponent = self.exponent - 1.0;
        if exponent <= 0.0 {
            return self.max_price.amount as f64;
        }
        let above = (self.max_price.amount - self.min_price.amount) as f64;
        self.min_price.amount as f64 + above * libm::pow(utilization as f64 / self.weight as f64, exponent)
    }

    fn price_between(&self, start: i64, end: i64) -> f64 {
        let (least, weight) = (self.min_price.amount as f64, self.weight as f64);
        let coefficient = (self.max_price.amount - self.min_price.amount) as f64 / self.exponent;
        let (from, to) = (start as f64 / weight, end as f64 / weight);
        least * to - least * from + coefficient * libm::pow(to, self.exponent)
            - coefficient * libm::pow(from, self.exponent)
    }
}

fn kept() -> Singleton<Market> {
    Singleton::new(current_receiver(), 0u64)
}

fn orders() -> Table<Order> {
    Table::new(current_receiver(), 0u64)
}

/// What becomes free of both resources.
#[derive(Default)]
struct Free {
    net: i64,
    cpu: i64,
}

/// Sets up the market or changes it.
pub fn cfgpowerup(args: &Config) {
    let this = current_receiver();
    require_auth(this);
    let now: TimePointSec = current_time().into();
    let core = core_symbol();
    let before = kept().find();
    check(is_account(RESERVE), "eosio.reserv account must first be created");
    let mut free = Free::default();
    let mut state = match before {
        Some(mut state) => {
            state.net.update_utilization(now);
            state.cpu.update_utilization(now);
            free = Free { net: state.net.update_weight(now), cpu: state.cpu.update_weight(now) };
            state
        }
        None => Market {
            version: 0,
            net: ResourceMarket::first(now),
            cpu: ResourceMarket::first(now),
            powerup_days: 30,
            min_powerup_fee: UNSET,
        },
    };
    let days = args.powerup_days.unwrap_or(state.powerup_days);
    let least_fee = args.min_powerup_fee.unwrap_or_else(|| {
        check(state.min_powerup_fee != UNSET, "min_powerup_fee does not have a default value");
        state.min_powerup_fee
    });
    check(days > 0, "powerup_days must be > 0");
    check(least_fee.symbol == core, "min_powerup_fee doesn't match core symbol");
    check(least_fee.amount > 0, "min_powerup_fee must be positive");
    state.powerup_days = days;
    state.min_powerup_fee = least_fee;
    state.net.configure(&args.net, now, core);
    state.cpu.configure(&args.cpu, now, core);
    free.net = free.net.wrapping_add(state.net.update_weight(now));
    free.cpu = free.cpu.wrapping_add(state.cpu.update_weight(now));
    check(state.net.weight >= state.net.utilization, "weight can't shrink below utilization");
    check(state.cpu.weight >= state.cpu.utilization, "weight can't shrink below utilization");
    for market in [&mut state.net, &mut state.cpu] {
        market.adjusted_utilization = market.adjusted_utilization.min(market.weight);
    }
    adjust_resources(this, RESERVE, core, &free, true);
    kept().set(state, this);
}

/// Closes up to `max` expired orders; anyone may.
pub fn powerupexec(user: Name, max: u16) {
    require_auth(user);
    let (mut state, now, core) = begin();
    let free = close_expired(now, core, &mut state, usize::from(max));
    adjust_resources(current_receiver(), RESERVE, core, &free, true);
    kept().set(state, current_receiver());
}

fn begin() -> (Market, TimePointSec, Symbol) {
    let state = kept().find().unwrap_or_else(|| fail("powerup hasn't been initialized"));
    (state, current_time().into(), core_symbol())
}

/// Takes back what has expired. Returns what is free by it and by the markets' growth.
fn close_expired(now: TimePointSec, core: Symbol, state: &mut Market, max: usize) -> Free {
    let this = current_receiver();
    state.net.update_utilization(now);
    state.cpu.update_utilization(now);
    let mut free = Free::default();
    for order in orders().index(Order::BY_EXPIRES).iter().take(max) {
        if order.expires > now {
            break;
        }
        free.net = free.net.wrapping_add(order.net_weight);
        free.cpu = free.cpu.wrapping_add(order.cpu_weight);
        let back = Free { net: -order.net_weight, cpu: -order.cpu_weight };
        adjust_resources(this, order.owner, core, &back, false);
        order.remove();
    }
    state.net.utilization = state.net.utilization.wrapping_sub(free.net);
    state.cpu.utilization = state.cpu.utilization.wrapping_sub(free.cpu);
    free.net = free.net.wrapping_add(state.net.update_weight(now));
    free.cpu = free.cpu.wrapping_add(state.cpu.update_weight(now));
    free
}

/// Buys fractions of both markets, in parts of 10^15, for `receiver`.
pub fn powerup(payer: Name, receiver: Name, days: u32, net_frac: i64, cpu_frac: i64, max_payment: Asset) {
    require_auth(payer);
    let (mut state, now, core) = begin();
    check(max_payment.symbol == core, "max_payment doesn't match core symbol");
    check(days == state.powerup_days, "days doesn't match configuration");
    check(net_frac >= 0, "net_frac can't be negative");
    check(cpu_frac >= 0, "cpu_frac can't be negative");
    check(net_frac <= WHOLE, "net can't be more than 100%");
    check(cpu_frac <= WHOLE, "cpu can't be more than 100%");
    let mut free = close_expired(now, core, &mut state, ORDERS_CLOSED_AT_ONCE);
    let mut price = 0;
    let net_weight = state.net.sell(net_frac, &mut price);
    let cpu_weight = state.cpu.sell(cpu_frac, &mut price);
    let fee = Asset { amount: price, symbol: core };
    check!(fee.amount <= max_payment.amount, "max_payment is less than calculated fee: ", fee);
    let enough = fee >= state.min_powerup_fee;
    check(enough, "calculated fee is below minimum; try powering up with more resources");
    let expires = TimePointSec(now.0.wrapping_add(days.wrapping_mul(DAY_SEC)));
    let id = orders().available_primary_key();
    orders().insert(payer, Order { version: 0, id, owner: receiver, net_weight, cpu_weight, expires });
    free.net = free.net.wrapping_sub(net_weight);
    free.cpu = free.cpu.wrapping_sub(cpu_weight);
    let this = current_receiver();
    adjust_resources(payer, receiver, core, &Free { net: net_weight, cpu: cpu_weight }, true);
    adjust_resources(this, RESERVE, core, &free, true);
    accounts::channel_to_system_fees(payer, fee);
    kept().set(state, this);
    accounts::results::powupresult(RESERVE, fee, net_weight, cpu_weight).send(&[]);
    calls::logsystemfee(this, POWERUP, fee, "buy powerup".into()).send_as(this);
}

/// Gives an account more or less of both resources.
fn adjust_resources(payer: Name, account: Name, core: Symbol, change: &Free, unmanaged: bool) {
    if change.net == 0 && change.cpu == 0 {
        return;
    }
    let table = UserResources::of(account);
    let row = match table.find(account) {
        Some(mut row) => {
            row.modify(SAME_PAYER, |row| {
                row.net_weight.amount = row.net_weight.amount.wrapping_add(change.net);
                row.cpu_weight.amount = row.cpu_weight.amount.wrapping_add(change.cpu);
            });
            row
        }
        None => {
            let (net_weight, cpu_weight) = (Asset::new(change.net, core), Asset::new(change.cpu, core));
            table.insert(payer, UserResources { owner: account, net_weight, cpu_weight, ram_bytes: 0 })
        }
    };
    check(row.net_weight.amount >= 0, "insufficient staked total net bandwidth");
    check(row.cpu_weight.amount >= 0, "insufficient staked total cpu bandwidth");
    if unmanaged {
        let by_hand = VoterInfo::managed(account) & (managed::NET | managed::CPU) != 0;
        check(!by_hand, "something is managed which shouldn't be");
    }
    apply_limits(account, &row, &ChainParameters::load());
    if row.net_weight.amount == 0 && row.cpu_weight.amount == 0 && row.ram_bytes == 0 {
        row.remove();
    }
}
