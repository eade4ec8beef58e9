//! RAM: sold and bought back at the market's price, given away, burnt.

use crate::accounts::{self, NULL, RAM, RAM_FEE, token_stats};
use crate::globals::{Global, Global2, State};
use crate::parameters::ChainParameters;
use crate::system::calls;
use crate::tables::{Connector, ExchangeState, UserResources, VoterInfo, managed};
use sdk::chain;
use sdk::prelude::*;
use sdk::privileged::{ResourceLimits, resource_limits, set_resource_limits};

/// The market's own unit, and the key of its row.
pub const RAMCORE: Symbol = Symbol::new(SymbolCode::new("RAMCORE"), 4);
/// Bytes of RAM as an amount.
pub const RAM_SYMBOL: Symbol = Symbol::new(SymbolCode::new("RAM"), 0);

const MARKET_SUPPLY: i64 = 100_000_000_000_000;
const RAM_SIZE_MAX: u64 = 1024 * 1024 * 1024 * 1024 * 1024;
const MEMO_BYTES_MAX: usize = 256;
/// Of what goes through the market, the fee is one part in this many, rounded up.
const FEE_DIVISOR: i64 = 200;

/// What buying RAM returns.
#[derive(Record, Clone, Copy)]
#[abi(name = "action_return_buyram")]
pub struct BoughtRam {
    /// Who paid.
    pub payer: Name,
    /// Who has the RAM.
    pub receiver: Name,
    /// What was paid, fee included.
    pub quantity: Asset,
    /// The bytes.
    pub bytes_purchased: i64,
    /// The receiver's bytes after it.
    pub ram_bytes: i64,
    /// The fee.
    pub fee: Asset,
}

/// What selling RAM returns.
#[derive(Record, Clone, Copy)]
#[abi(name = "action_return_sellram")]
pub struct SoldRam {
    /// Who sold.
    pub account: Name,
    /// What was paid, before the fee.
    pub quantity: Asset,
    /// The bytes.
    pub bytes_sold: i64,
    /// The account's bytes after it.
    pub ram_bytes: i64,
    /// The fee.
    pub fee: Asset,
}

/// What giving RAM returns.
#[derive(Record, Clone, Copy)]
#[abi(name = "action_return_ramtransfer")]
pub struct TransferredRam {
    /// Who gave.
    pub from: Name,
    /// Who got.
    pub to: Name,
    /// The bytes.
    pub bytes: i64,
    /// The giver's bytes after it.
    pub from_ram_bytes: i64,
    /// The taker's bytes after it.
    pub to_ram_bytes: i64,
}

fn table() -> Table<ExchangeState> {
    let this = current_receiver();
    Table::new(this, this)
}

/// The chain's core token.
pub fn core_symbol() -> Symbol {
    core_symbol_of(current_receiver())
}

/// The core token of the system contract on an account.
pub fn core_symbol_of(system: Name) -> Symbol {
    let market = Table::<ExchangeState>::new(system, system).get(RAMCORE, "system contract must first be initialized");
    market.quote.balance.symbol
}

/// C++'s conversion of a double: out of range is the least number.
pub fn to_i64(value: f64) -> i64 {
    if value.abs() < 9_223_372_036_854_775_808.0 { value as i64 } else { i64::MIN }
}

/// What the market gives for `input`.
pub fn bancor_output(input_reserve: i64, output_reserve: i64, input: i64) -> i64 {
    let (input_reserve, output_reserve, input) = (input_reserve as f64, output_reserve as f64, input as f64);
    to_i64((input * output_reserve) / (input_reserve + input)).max(0)
}

/// What the market wants for `output`.
fn bancor_input(output_reserve: i64, input_reserve: i64, output: i64) -> i64 {
    let (output_reserve, input_reserve, output) = (output_reserve as f64, input_reserve as f64, output as f64);
    to_i64((input_reserve * output) / (output_reserve - output)).max(0)
}

/// Half a percent, rounded up.
fn fee_of(amount: i64) -> i64 {
    amount.wrapping_add(FEE_DIVISOR - 1) / FEE_DIVISOR
}

fn exchange(from: &mut Connector, to: &mut Connector, given: Asset) -> Asset {
    let amount = bancor_output(from.balance.amount, to.balance.amount, given.amount);
    let taken = Asset { amount, symbol: to.balance.symbol };
    from.balance += given;
    to.balance -= taken;
    taken
}

/// Opens the market for the token `core`.
pub fn init(core: Symbol) {
    let this = current_receiver();
    check(!table().contains(RAMCORE), "system contract has already been initialized");
    let supply = token_stats(core.code()).supply;
    check(supply.symbol == core, "specified core symbol does not exist (precision mismatch)");
    check(supply.amount > 0, "system token supply must be greater than 0");
    let global = State::<Global>::load();
    let free = global.max_ram_size.wrapping_sub(global.total_ram_bytes_reserved) as i64;
    let side = |amount, symbol| Connector { balance: Asset { amount, symbol }, weight: 0.5 };
    table().insert(
        this,
        ExchangeState {
            supply: Asset { amount: MARKET_SUPPLY, symbol: RAMCORE },
            base: side(free, RAM_SYMBOL),
            quote: side(supply.amount / 1000, core),
        },
    );
    accounts::token::open(accounts::TOKEN, accounts::REX, core, this).send_as(this);
}

/// Lets the RAM for sale grow by what the blocks since the last time bring.
fn update_ram_supply(global: &mut State<Global>, global2: &mut State<Global2>) {
    let now = chain::current_block_time();
    if now <= global2.last_ram_increase {
        return;
    }
    if global2.new_ram_per_block != 0 {
        let slots = now.0.wrapping_sub(global2.last_ram_increase.0);
        // The reference multiplies 32-bit numbers here.
        let more = slots.wrapping_mul(u32::from(global2.new_ram_per_block));
        global.max_ram_size = global.max_ram_size.wrapping_add(u64::from(more));
        grow_market(i64::from(more));
    }
    global2.last_ram_increase = now;
}

fn grow_market(bytes: i64) {
    market_for_change().modify(SAME_PAYER, |market| {
        market.base.balance.amount = market.base.balance.amount.wrapping_add(bytes);
    });
}

/// The reference fails as modifying a missing row does.
fn market_for_change() -> Entry<ExchangeState> {
    table().get(RAMCORE, "cannot pass end iterator to modify")
}

/// Sets how much RAM there is.
pub fn setram(max_ram_size: u64) {
    let mut global = State::<Global>::load();
    check(global.max_ram_size < max_ram_size, "ram may only be increased");
    check(max_ram_size < RAM_SIZE_MAX, "ram size is unrealistic");
    check(max_ram_size > global.total_ram_bytes_reserved, "attempt to set max below reserved");
    grow_market((max_ram_size - global.max_ram_size) as i64);
    global.max_ram_size = max_ram_size;
}

/// Sets by how much RAM grows with every block.
pub fn setramrate(bytes_per_block: u16) {
    let mut global2 = State::<Global2>::load();
    update_ram_supply(&mut State::load(), &mut global2);
    global2.new_ram_per_block = bytes_per_block;
}

/// Buys RAM for `quantity` of the core token.
pub fn buy(payer: Name, receiver: Name, quantity: Asset) -> BoughtRam {
    require_auth(payer);
    let mut global = State::<Global>::load();
    update_ram_supply(&mut global, &mut State::load());
    require_recipient(payer);
    require_recipient(receiver);
    let core = core_symbol();
    check(quantity.symbol == core, "must buy ram with core token");
    check(quantity.amount > 0, "must purchase a positive amount");
    let fee = Asset { amount: fee_of(quantity.amount), symbol: core };
    let paid = Asset { amount: quantity.amount.wrapping_sub(fee.amount), symbol: core };
    accounts::transfer_with_both(payer, RAM, paid, "buy ram");
    if fee.amount > 0 {
        accounts::transfer(payer, RAM_FEE, fee, "ram fee");
        accounts::channel_to_system_fees(RAM_FEE, fee);
    }
    let mut bytes = 0;
    table().get(RAMCORE, "ram market does not exist").modify(SAME_PAYER, |market| {
        bytes = exchange(&mut market.quote, &mut market.base, paid).amount;
    });
    check(bytes > 0, "must reserve a positive amount");
    global.total_ram_bytes_reserved = global.total_ram_bytes_reserved.wrapping_add(bytes as u64);
    global.total_ram_stake = global.total_ram_stake.wrapping_add(paid.amount);
    let ram_bytes = add(receiver, bytes, core);
    let this = current_receiver();
    calls::logbuyram(this, payer, receiver, quantity, bytes, ram_bytes, fee).send_as(this);
    calls::logsystemfee(this, RAM, fee, "buy ram".into()).send_as(this);
    BoughtRam { payer, receiver, quantity, bytes_purchased: bytes, ram_bytes, fee }
}

/// Buys a number of bytes at the market's price.
pub fn buy_bytes(payer: Name, receiver: Name, bytes: u32) -> BoughtRam {
    let market = table().get(RAMCORE, "system contract must first be initialized");
    let cost = bancor_input(market.base.balance.amount, market.quote.balance.amount, i64::from(bytes));
    let with_fee = to_i64(cost as f64 / 0.995);
    buy(payer, receiver, Asset::new(with_fee, market.quote.balance.symbol))
}

/// Buys RAM and burns it.
pub fn buy_and_burn(payer: Name, quantity: Asset, memo: ByteStr) -> BoughtRam {
    require_auth(payer);
    check(quantity.symbol == core_symbol(), "quantity must be core token");
    check(quantity.amount > 0, "quantity must be positive");
    let bought = buy(payer, payer, quantity);
    burn(payer, bought.bytes_purchased, memo);
    bought
}

/// Sells RAM back.
pub fn sell(account: Name, bytes: i64) -> SoldRam {
    require_auth(account);
    let mut global = State::<Global>::load();
    update_ram_supply(&mut global, &mut State::load());
    require_recipient(account);
    let ram_bytes = reduce(account, bytes);
    let core = core_symbol();
    let mut quantity = Asset { amount: 0, symbol: core };
    market_for_change().modify(SAME_PAYER, |market| {
        let given = Asset::new(bytes, RAM_SYMBOL);
        quantity = exchange(&mut market.base, &mut market.quote, given);
    });
    check(quantity.amount > 1, "token amount received from selling ram is too low");
    global.total_ram_bytes_reserved = global.total_ram_bytes_reserved.wrapping_sub(bytes as u64);
    global.total_ram_stake = global.total_ram_stake.wrapping_sub(quantity.amount);
    check(global.total_ram_stake >= 0, "error, attempt to unstake more tokens than previously staked");
    accounts::transfer_with_both(RAM, account, quantity, "sell ram");
    let fee = Asset { amount: fee_of(quantity.amount), symbol: core };
    if fee.amount > 0 {
        accounts::transfer(account, RAM_FEE, fee, "sell ram fee");
        accounts::channel_to_system_fees(RAM_FEE, fee);
    }
    let this = current_receiver();
    calls::logsellram(this, account, quantity, bytes, ram_bytes, fee).send_as(this);
    calls::logsystemfee(this, RAM, fee, "sell ram".into()).send_as(this);
    SoldRam { account, quantity, bytes_sold: bytes, ram_bytes, fee }
}

/// Gives RAM to another account.
pub fn transfer(from: Name, to: Name, bytes: i64, memo: ByteStr) -> TransferredRam {
    require_auth(from);
    update_ram_supply(&mut State::load(), &mut State::load());
    check(memo.len() <= MEMO_BYTES_MAX, "memo has more than 256 bytes");
    let from_ram_bytes = reduce(from, bytes);
    let to_ram_bytes = add(to, bytes, core_symbol());
    require_recipient(from);
    require_recipient(to);
    TransferredRam { from, to, bytes, from_ram_bytes, to_ram_bytes }
}

/// Gives RAM to nobody.
pub fn burn(owner: Name, bytes: i64, memo: ByteStr) -> TransferredRam {
    require_auth(owner);
    transfer(owner, NULL, bytes, memo)
}

fn reduce(owner: Name, bytes: i64) -> i64 {
    check(bytes > 0, "cannot reduce negative byte");
    let mut resources = UserResources::of(owner).get(owner, "no resource row");
    check(resources.ram_bytes >= bytes, "insufficient quota");
    resources.modify(SAME_PAYER, |row| row.ram_bytes -= bytes);
    changed(owner, -bytes, resources.ram_bytes)
}

fn add(owner: Name, bytes: i64, core: Symbol) -> i64 {
    check(bytes > 0, "cannot add negative byte");
    check!(is_account(owner), "owner=", owner, " account does not exist");
    let table = UserResources::of(owner);
    let ram_bytes = match table.find(owner) {
        Some(mut resources) => {
            resources.modify(SAME_PAYER, |row| row.ram_bytes = row.ram_bytes.wrapping_add(bytes));
            resources.ram_bytes
        }
        None => {
            table.insert(owner, UserResources { ram_bytes: bytes, ..UserResources::new(owner, core) });
            bytes
        }
    };
    changed(owner, bytes, ram_bytes)
}

/// Sets the account's limit to what it has now, and tells it.
fn changed(owner: Name, bytes: i64, ram_bytes: i64) -> i64 {
    if VoterInfo::managed(owner) & managed::RAM == 0 {
        let (limits, parameters) = (resource_limits(owner), ChainParameters::load());
        if !parameters.keeps(limits.ram_bytes) {
            let gift = parameters.ram_gift(limits.ram_bytes, ram_bytes.wrapping_sub(bytes));
            let ram_bytes = ram_bytes.wrapping_add(gift);
            set_resource_limits(owner, ResourceLimits { ram_bytes, ..limits });
        }
    }
    let this = current_receiver();
    calls::logramchange(this, owner, bytes, ram_bytes).send_as(this);
    ram_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_market_gives_no_more_than_it_gets_back() {
        let (ram, core) = (68_719_476_736i64, 10_000_000_000i64);
        for paid in [1, 100, 10_000, 1_000_000_000] {
            let bytes = bancor_output(core, ram, paid);
            assert!(bancor_output(ram - bytes, core + paid, bytes) <= paid);
        }
    }

    #[test]
    fn asking_for_all_there_is_costs_nothing_and_so_buys_nothing() {
        assert_eq!(bancor_input(1000, 1000, 1000), 0);
        assert_eq!(bancor_input(1000, 1000, 2000), 0);
    }

    #[test]
    fn fees_are_rounded_up() {
        assert_eq!((fee_of(1), fee_of(200), fee_of(201)), (1, 1, 2));
    }
}
