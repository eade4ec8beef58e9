//! The system's own accounts and the token's contract, by name; and calls of the token.

use sdk::prelude::*;

/// The system contract itself.
pub const SYSTEM: Name = name!("eosio");
/// The token's contract.
pub const TOKEN: Name = name!("eosio.token");
/// Holds what was paid for RAM.
pub const RAM: Name = name!("eosio.ram");
/// Where RAM fees pass through.
pub const RAM_FEE: Name = name!("eosio.ramfee");
/// Holds what is staked.
pub const STAKE: Name = name!("eosio.stake");
/// Holds what is paid per block.
pub const BLOCK_PAY: Name = name!("eosio.bpay");
/// Holds what is paid per vote.
pub const VOTE_PAY: Name = name!("eosio.vpay");
/// Holds bids for names.
pub const NAMES: Name = name!("eosio.names");
/// Holds the rest of the inflation.
pub const SAVING: Name = name!("eosio.saving");
/// Where fees end.
pub const FEES: Name = name!("eosio.fees");
/// Holds what is in REX, and hears of its results.
pub const REX: Name = name!("eosio.rex");
/// Whose stake is what powerup has not sold; hears of its results.
pub const RESERVE: Name = name!("eosio.reserv");
/// What fees of powerup are logged under.
pub const POWERUP: Name = name!("eosio.powup");
/// Whose RAM is burnt.
pub const NULL: Name = name!("eosio.null");
/// An account with rules of its own on the first of these chains.
pub const B1: Name = name!("b1");

/// The token's actions.
#[interface]
pub mod token {
    use sdk::prelude::*;

    #[action]
    fn transfer(from: Name, to: Name, quantity: Asset, memo: ByteStr) {}

    #[action]
    fn issue(to: Name, quantity: Asset, memo: &str) {}

    #[action]
    fn retire(quantity: Asset, memo: &str) {}

    #[action]
    fn open(owner: Name, symbol: Symbol, ram_payer: Name) {}
}

/// Actions that nobody carries out: what they tell shows up in traces.
#[interface]
pub mod results {
    use sdk::prelude::*;

    #[action]
    fn powupresult(fee: Asset, powup_net: i64, powup_cpu: i64) {}

    #[action]
    fn buyresult(rex_received: Asset) {}

    #[action]
    fn sellresult(proceeds: Asset) {}

    #[action]
    fn orderresult(owner: Name, proceeds: Asset) {}

    #[action]
    fn rentresult(rented_tokens: Asset) {}
}

/// A token's row of `stat`.
#[table("stat", primary = self.supply.symbol.code())]
pub struct CurrencyStats {
    /// How much there is.
    pub supply: Asset,
    /// How much there may be.
    pub max_supply: Asset,
    /// Who issues it.
    pub issuer: Name,
}

/// A token balance.
#[table("accounts", primary = self.balance.symbol.code())]
pub struct Balance {
    /// How much.
    pub balance: Asset,
}

/// Transfers, authorised by the giver alone.
pub fn transfer(from: Name, to: Name, quantity: Asset, memo: &str) {
    token::transfer(TOKEN, from, to, quantity, memo.into()).send_as(from);
}

/// Transfers out of a system account, authorised by giver and taker: the taker cannot say that it did not ask.
pub fn transfer_with_both(from: Name, to: Name, quantity: Asset, memo: &str) {
    token::transfer(TOKEN, from, to, quantity, memo.into()).send_as_both(from, to);
}

/// Passes fees on to where they end.
pub fn channel_to_system_fees(from: Name, quantity: Asset) {
    transfer(from, FEES, quantity, &text!("transfer from ", from, " to ", FEES));
}

/// The token's row.
pub fn token_stats(code: SymbolCode) -> Entry<CurrencyStats> {
    Table::<CurrencyStats>::new(TOKEN, code).get(code, "invalid supply symbol code")
}
