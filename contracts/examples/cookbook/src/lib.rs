//! The recipes of `contracts/COOKBOOK.md`: its code is this, to the letter.

#![no_std]

/// The contract.
#[sdk::contract]
pub mod cookbook {
    use sdk::prelude::*;

    // --- deposit by memo

    const TOKEN: Name = name!("eosio.token");
    const SYS: Symbol = symbol!("4,SYS");

    /// What is called of the token.
    #[interface]
    mod token {
        use sdk::prelude::*;

        #[action]
        fn transfer(from: Name, to: Name, quantity: Asset, memo: &str) {}
    }

    /// What an account has paid in.
    #[table("deposits")]
    pub struct Deposit {
        /// Whose it is.
        #[primary]
        pub owner: Name,
        /// How much.
        pub balance: Asset,
    }

    fn deposits() -> Table<Deposit> {
        let this = current_receiver();
        Table::new(this, this)
    }

    /// Money comes in.
    #[on_notify("eosio.token::transfer")]
    fn received(from: Name, to: Name, quantity: Asset, memo: ByteStr) {
        let this = current_receiver();
        if from == this || to != this {
            return;
        }
        check(memo.as_bytes() == b"deposit", "the memo must be: deposit");
        check(quantity.symbol == SYS, "only SYS can be deposited");
        match deposits().find(from) {
            Some(mut deposit) => deposit.modify(SAME_PAYER, |deposit| deposit.balance += quantity),
            // A notified contract cannot let the sender pay for a row.
            None => drop(deposits().insert(this, Deposit { owner: from, balance: quantity })),
        }
    }

    /// {{owner}} takes {{quantity}} of what it has paid in.
    #[action]
    fn withdraw(owner: Name, quantity: Asset) {
        require_auth(owner);
        check(!config().paused, "withdrawals are paused");
        let mut deposit = deposits().get(owner, "nothing is deposited");
        check(quantity.symbol == SYS && quantity.amount > 0, "the quantity must be a positive amount of SYS");
        check!(quantity.amount <= deposit.balance.amount, "only ", deposit.balance, " are deposited");
        // The row first, then the money: whoever is notified of the transfer finds the row as it will be.
        if quantity == deposit.balance {
            deposit.remove();
        } else {
            deposit.modify(SAME_PAYER, |deposit| deposit.balance -= quantity);
        }
        let this = current_receiver();
        token::transfer(TOKEN, this, owner, quantity, "withdrawal").send_as(this);
    }

    // --- settings of the whole contract

    /// The contract's settings.
    #[table("config", singleton)]
    #[derive(Default)]
    pub struct Config {
        /// Nothing is paid out meanwhile.
        pub paused: bool,
    }

    fn config() -> Config {
        let this = current_receiver();
        Singleton::<Config>::new(this, this).get_or_default()
    }

    /// Stops withdrawals, or lets them go on.
    #[action]
    fn pause(paused: bool) {
        let this = current_receiver();
        require_auth(this);
        Singleton::new(this, this).set(Config { paused }, this);
    }

    // --- paging

    /// A note that is kept for a while.
    #[table("notes")]
    pub struct Note {
        /// Its number.
        #[primary]
        pub id: u64,
        /// Whose it is.
        pub author: Name,
        /// Until when it is kept.
        #[secondary]
        pub expires: TimePointSec,
        /// What it says.
        pub text: String,
    }

    /// Some notes, and where the next ones begin.
    #[derive(Record)]
    pub struct Page {
        /// Numbers of the notes.
        pub notes: Vec<u64>,
        /// What to ask for next, if there are more.
        pub next: Option<u64>,
    }

    fn notes() -> Table<Note> {
        let this = current_receiver();
        Table::new(this, this)
    }

    /// {{author}} leaves a note.
    #[action]
    fn leave(author: Name, expires: TimePointSec, text: String) -> u64 {
        require_auth(author);
        let id = notes().available_primary_key();
        notes().insert(author, Note { id, author, expires, text });
        id
    }

    /// At most {{limit}} notes from number {{from}} on.
    #[action]
    fn list(from: u64, limit: u32) -> Page {
        let mut rows = notes().lower_bound(from);
        let notes = rows.by_ref().take(limit as usize).map(|note| note.id).collect();
        Page { notes, next: rows.next().map(|note| note.id) }
    }

    /// Removes at most {{limit}} notes whose time is over, the oldest first. Anyone may: their authors get the RAM back.
    #[action]
    fn sweep(limit: u32) -> u32 {
        let now = TimePointSec::from(current_time());
        let over = notes().index(Note::EXPIRES).iter().take_while(|note| note.expires <= now);
        over.take(limit as usize).map(Entry::remove).count() as u32
    }

    // --- migration

    /// A member. The first version of the contract had no `since`.
    #[table("members")]
    pub struct Member {
        /// Who.
        #[primary]
        pub account: Name,
        /// What the others call it.
        pub nickname: String,
        /// Since when; rows of the first version end before it.
        pub since: Extension<TimePointSec>,
    }

    fn members() -> Table<Member> {
        let this = current_receiver();
        Table::new(this, this)
    }

    /// {{account}} becomes a member.
    #[action]
    fn join(account: Name, nickname: String) {
        require_auth(account);
        let since = Extension(Some(current_time().into()));
        members().insert(account, Member { account, nickname, since });
    }

    /// Completes at most {{limit}} rows from {{from}} on; says where to go on.
    #[action]
    fn migrate(from: Name, limit: u32) -> Option<Name> {
        let this = current_receiver();
        require_auth(this);
        let mut rows = members().lower_bound(from);
        for mut member in rows.by_ref().take(limit as usize) {
            if member.since.0.is_none() {
                // The row grows, and its owner has not signed: the contract pays from now on.
                member.modify(this, |member| member.since = Extension(Some(TimePointSec(0))));
            }
        }
        rows.next().map(|member| member.account)
    }

    // --- permissions, and an oracle

    const FRESH_SEC: u32 = 60;

    /// A price, as the feeder last reported it.
    #[table("prices")]
    pub struct Price {
        /// What is priced.
        #[primary]
        pub pair: Name,
        /// Millionths.
        pub micros: u64,
        /// When it was reported.
        pub time: TimePointSec,
    }

    /// The price of {{pair}} is {{micros}} millionths.
    #[action]
    fn report(pair: Name, micros: u64) {
        let this = current_receiver();
        require_auth_of(PermissionLevel { actor: this, permission: name!("feeder") });
        let price = Price { pair, micros, time: current_time().into() };
        let prices = Table::<Price>::new(this, this);
        match prices.find(pair) {
            Some(mut row) => row.modify(SAME_PAYER, |row| *row = price),
            None => drop(prices.insert(this, price)),
        }
    }

    /// What {{quantity}} is worth by the price of {{pair}} that the contract {{oracle}} has, if it is fresh.
    #[action]
    fn worth(oracle: Name, pair: Name, quantity: Asset) -> i64 {
        let price = Table::<Price>::new(oracle, oracle).get(pair, "the oracle has no such price");
        let age_sec = TimePointSec::from(current_time()).0 - price.time.0;
        check!(age_sec <= FRESH_SEC, "the price is ", age_sec, " s old");
        let worth = i128::from(quantity.amount) * i128::from(price.micros) / 1_000_000;
        check(worth <= i128::from(i64::MAX), "the worth is too large a number");
        worth as i64
    }

    // --- which version runs, for the recipe of upgrades

    /// The version of the code.
    #[action]
    fn version() -> u32 {
        2
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use sdk::mock::Mock;

        /// The row as the first version wrote it.
        #[table("members")]
        struct MemberBefore {
            #[primary]
            account: Name,
            nickname: String,
        }

        #[test]
        fn rows_of_the_first_version_are_read_and_completed() {
            let host = Mock::new("cookbook");
            let this = current_receiver();
            for (account, nickname) in [(name!("alice"), "al"), (name!("bob"), "bo"), (name!("carol"), "ca")] {
                let nickname = String::from(nickname);
                Table::<MemberBefore>::new(this, this).insert(this, MemberBefore { account, nickname });
            }
            let read = members().get(name!("bob"), "a row");
            assert!(read.nickname == "bo" && read.since.0.is_none());
            host.authorize(&["cookbook"]);
            assert_eq!(migrate(Name(0), 2), Some(name!("carol")));
            let complete = || members().iter().filter(|member| member.since.0.is_some()).count();
            assert_eq!(complete(), 2);
            assert_eq!(migrate(name!("carol"), 2), None);
            assert_eq!(complete(), 3);
        }

        #[test]
        #[should_panic(expected = "missing authority of cookbook")]
        fn only_the_contract_migrates() {
            let host = Mock::new("cookbook");
            host.authorize(&["alice"]);
            migrate(Name(0), 1);
        }
    }
}
