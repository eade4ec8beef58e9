//! `eosio.token`: balances of any number of tokens, each with an issuer and a greatest supply.
//!
//! Rows, order of checks and messages are those of the reference contract: wallets and scripts match them.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod token {
    use sdk::prelude::*;

    /// What an account holds of one token; the scope is the account.
    #[table("accounts", primary = self.balance.symbol.code())]
    pub struct Account {
        /// How much.
        pub balance: Asset,
    }

    /// A token; the scope is its symbol code.
    #[table("stat", primary = self.supply.symbol.code())]
    pub struct CurrencyStats {
        /// How much there is.
        pub supply: Asset,
        /// How much there may be.
        pub max_supply: Asset,
        /// Who may issue and retire it.
        pub issuer: Name,
    }

    const MEMO_BYTES_MAX: usize = 256;

    fn stats(code: SymbolCode) -> Table<CurrencyStats> {
        Table::new(current_receiver(), code)
    }

    fn accounts(owner: Name) -> Table<Account> {
        Table::new(current_receiver(), owner)
    }

    /// Creates a token of {{maximum_supply}} at most, with {{issuer}} as its issuer.
    #[action]
    fn create(issuer: Name, maximum_supply: Asset) {
        let this = current_receiver();
        require_auth(this);
        check_maximum(&maximum_supply);
        let symbol = maximum_supply.symbol;
        let stats = stats(symbol.code());
        check(!stats.contains(symbol.code()), "token with symbol already exists");
        stats.insert(this, CurrencyStats { supply: Asset { amount: 0, symbol }, max_supply: maximum_supply, issuer });
    }

    /// Issues {{quantity}} to the issuer {{to}}.
    #[action]
    fn issue(to: Name, quantity: Asset, memo: ByteStr) {
        check_symbol_and_memo(quantity, memo);
        let code = quantity.symbol.code();
        let mut token = stats(code).get(code, "token with symbol does not exist, create token before issue");
        check(to == token.issuer, "tokens can only be issued to issuer account");
        require_auth(token.issuer);
        check(quantity.is_valid(), "invalid quantity");
        check(quantity.amount > 0, "must issue positive quantity");
        check_precision(quantity.symbol, &token);
        let left = token.max_supply.amount.wrapping_sub(token.supply.amount);
        check(quantity.amount <= left, "quantity exceeds available supply");
        token.modify(SAME_PAYER, |token| token.supply += quantity);
        add_balance(to, quantity, to);
    }

    /// Issues to {{to}} what is missing for the supply to become {{supply}}.
    #[action]
    fn issuefixed(to: Name, supply: Asset, memo: ByteStr) {
        let code = supply.symbol.code();
        let circulating = stats(code).get(code, "invalid supply symbol code").supply;
        check(circulating.symbol == supply.symbol, "symbol precision mismatch");
        issue(to, supply - circulating, memo);
    }

    /// Sets the greatest supply of {{issuer}}'s token to {{maximum_supply}}.
    #[action]
    fn setmaxsupply(issuer: Name, maximum_supply: Asset) {
        check_maximum(&maximum_supply);
        let code = maximum_supply.symbol.code();
        let mut token = stats(code).get(code, "token supply does not exist");
        check(issuer == token.issuer, "only issuer can set token maximum supply");
        require_auth(token.issuer);
        check_precision(maximum_supply.symbol, &token);
        check(maximum_supply.amount >= token.supply.amount, "max supply is less than available supply");
        token.modify(SAME_PAYER, |token| token.max_supply = maximum_supply);
    }

    /// Takes {{quantity}} of the issuer's own tokens out of the world.
    #[action]
    fn retire(quantity: Asset, memo: ByteStr) {
        check_symbol_and_memo(quantity, memo);
        let code = quantity.symbol.code();
        let mut token = stats(code).get(code, "token with symbol does not exist");
        require_auth(token.issuer);
        check(quantity.is_valid(), "invalid quantity");
        check(quantity.amount > 0, "must retire positive quantity");
        check_precision(quantity.symbol, &token);
        token.modify(SAME_PAYER, |token| token.supply -= quantity);
        sub_balance(token.issuer, quantity);
    }

    /// Transfers {{quantity}} from {{from}} to {{to}}.
    #[action]
    fn transfer(from: Name, to: Name, quantity: Asset, memo: ByteStr) {
        check(from != to, "cannot transfer to self");
        require_auth(from);
        check(is_account(to), "to account does not exist");
        let code = quantity.symbol.code();
        let token = stats(code).get(code, "unable to find key");
        require_recipient(from);
        require_recipient(to);
        check(quantity.is_valid(), "invalid quantity");
        check(quantity.amount > 0, "must transfer positive quantity");
        check_precision(quantity.symbol, &token);
        check_memo(memo);
        sub_balance(from, quantity);
        add_balance(to, quantity, if has_auth(to) { to } else { from });
    }

    /// Gives {{owner}} a balance of zero that {{ram_payer}} pays for, unless there is one.
    #[action]
    fn open(owner: Name, symbol: Symbol, ram_payer: Name) {
        require_auth(ram_payer);
        check(is_account(owner), "owner account does not exist");
        let token = stats(symbol.code()).get(symbol.code(), "symbol does not exist");
        check_precision(symbol, &token);
        let accounts = accounts(owner);
        if !accounts.contains(symbol.code()) {
            accounts.insert(ram_payer, Account { balance: Asset { amount: 0, symbol } });
        }
    }

    /// Removes {{owner}}'s balance, which must be zero, and frees its RAM.
    #[action]
    fn close(owner: Name, symbol: Symbol) {
        require_auth(owner);
        let missing = "Balance row already deleted or never existed. Action won't have any effect.";
        let account = accounts(owner).get(symbol.code(), missing);
        check(account.balance.amount == 0, "Cannot close because the balance is not zero.");
        account.remove();
    }

    fn sub_balance(owner: Name, quantity: Asset) {
        let mut account = accounts(owner).get(quantity.symbol.code(), "no balance object found");
        check(account.balance.amount >= quantity.amount, "overdrawn balance");
        account.modify(owner, |account| account.balance -= quantity);
    }

    fn add_balance(owner: Name, quantity: Asset, payer: Name) {
        let accounts = accounts(owner);
        match accounts.find(quantity.symbol.code()) {
            Some(mut account) => account.modify(SAME_PAYER, |account| account.balance += quantity),
            None => {
                accounts.insert(payer, Account { balance: quantity });
            }
        }
    }

    fn check_maximum(maximum_supply: &Asset) {
        check(maximum_supply.is_valid(), "invalid supply");
        check(maximum_supply.amount > 0, "max-supply must be positive");
    }

    fn check_symbol_and_memo(quantity: Asset, memo: ByteStr) {
        check(quantity.symbol.is_valid(), "invalid symbol name");
        check_memo(memo);
    }

    fn check_memo(memo: ByteStr) {
        check(memo.len() <= MEMO_BYTES_MAX, "memo has more than 256 bytes");
    }

    fn check_precision(symbol: Symbol, token: &CurrencyStats) {
        check(symbol == token.supply.symbol, "symbol precision mismatch");
    }
}
