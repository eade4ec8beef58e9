//! A running system: producers, users with tokens and stake, and short ways to do and to read things.

use genesis::document::{Account, Document, Producer};
use primitives::{Action, Asset, Authority, Name, PermissionLevel, PermissionLevelWeight};
use serde_json::{Map, Value, json};
use tester::{Outcome, Tester};

pub const USERS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
pub const DAY: u32 = 24 * 3600;
/// The reference's year.
pub const YEAR: u32 = 52 * 7 * DAY;
/// Smallest units in one SYS.
pub const SYS: i64 = 10_000;
/// What every user can spend at first, and what is staked for it.
pub const BALANCE: i64 = 1_000_000 * SYS;
pub const STAKE: i64 = 20_000 * SYS;
const RAM_BYTES: u32 = 200_000;
/// The reference's.
const RAM_GIFT_BYTES: i64 = 1400;
/// The account whose stake activates the chain and elects the first producers.
pub const FOUNDER: &str = "founder";

/// The chain.
pub struct World {
    pub chain: Tester,
    /// Every RAM gift that the chain ever had.
    pub gifts: Vec<i64>,
}

/// An amount as the token shows it.
pub fn sys(units: i64) -> String {
    asset(units).to_string()
}

fn asset(units: i64) -> Asset {
    let one: Asset = "1.0000 SYS".parse().expect("a constant asset");
    Asset { amount: units, ..one }
}

/// An asset's amount in smallest units.
#[track_caller]
pub fn units(value: &Value) -> i64 {
    value.as_str().expect("an asset").parse::<Asset>().expect("an asset").amount
}

/// A number that may be spelled as text.
#[track_caller]
pub fn float(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
pub fn integer(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

/// Microseconds since 1970 of a time as rows show it.
#[track_caller]
pub fn time(value: &Value) -> i64 {
    value.as_str().expect("a time").parse::<primitives::TimePoint>().expect("a time").0
}

/// An account of the document.
fn user(name: Name, balance: Asset, stake: Asset, votes: Vec<Name>) -> Account {
    Account { name, key: None, balance, stake, ram_bytes: RAM_BYTES, votes }
}

/// The names of the first `count` producers, in order.
pub fn producer_names(count: usize) -> Vec<String> {
    assert!(count <= 26 * 26, "names are two letters long");
    let letter = |at: usize| char::from(b'a' + at as u8);
    (0..count).map(|at| format!("producer{}{}", letter(at / 26), letter(at % 26))).collect()
}

impl World {
    /// The reference's numbers but for `parameters`; that many producers are elected.
    pub fn new(producers: usize, parameters: &Value) -> Self {
        let mut document = Document::dev();
        document.parameters = parameters.as_object().cloned().unwrap_or_else(Map::new);
        document.accounts = (USERS.map(Name::new).into_iter())
            .map(|name| user(name, asset(BALANCE), asset(STAKE), Vec::new()))
            .collect();
        let names = producer_names(producers).iter().map(|name| Name::new(name)).collect();
        let quarter = Asset { amount: document.initial_supply.amount / 4, ..document.initial_supply };
        document.accounts.push(user(Name::new(FOUNDER), asset(0), quarter, names));
        document.producers = (producer_names(producers).iter())
            .map(|text| Name::new(text))
            .map(|name| Producer { name, key: None, url: String::new() })
            .collect();
        Self { chain: Tester::from_document(&document), gifts: vec![RAM_GIFT_BYTES] }
    }

    /// Creates an account with the tester's key, RAM, some stake and tokens. Its code may act for it.
    #[track_caller]
    pub fn account(&mut self, account: &str) {
        let owner = Authority::of_key(self.chain.key());
        let code = PermissionLevel { actor: Name::new(account), permission: Name::new("eosio.code") };
        let mut active = owner.clone();
        active.accounts.push(PermissionLevelWeight { permission: code, weight: 1 });
        let newcomer = json!({ "creator": "eosio", "name": account, "owner": owner, "active": active });
        let actions = vec![
            self.chain.action("eosio", "newaccount", "eosio", &newcomer),
            self.chain.action(
                "eosio",
                "buyrambytes",
                "eosio",
                &json!({ "payer": "eosio", "receiver": account, "bytes": RAM_BYTES }),
            ),
            self.chain.action("eosio", "delegatebw", "eosio", &stake("eosio", account, 1000 * SYS, 1000 * SYS, true)),
            self.chain.action("eosio.token", "transfer", "eosio", &payment("eosio", account, 1000 * SYS)),
        ];
        self.chain.push_actions(actions).succeed();
    }

    /// Creates an account that stands for election with the tester's key.
    #[track_caller]
    pub fn producer(&mut self, account: &str) {
        self.account(account);
        self.register(account).succeed();
    }

    #[must_use]
    #[track_caller]
    pub fn register(&mut self, account: &str) -> Outcome {
        let key = self.chain.key();
        self.system(
            "regproducer",
            account,
            json!({ "producer": account, "producer_key": key, "url": "", "location": 0 }),
        )
    }

    #[must_use]
    #[track_caller]
    pub fn system(&mut self, action: &str, actor: &str, arguments: Value) -> Outcome {
        self.chain.push("eosio", action, actor, arguments)
    }

    #[must_use]
    #[track_caller]
    pub fn transfer(&mut self, from: &str, to: &str, amount: i64) -> Outcome {
        self.chain.push("eosio.token", "transfer", from, payment(from, to, amount))
    }

    #[must_use]
    #[track_caller]
    pub fn delegate(&mut self, from: &str, to: &str, net: i64, cpu: i64) -> Outcome {
        self.system("delegatebw", from, stake(from, to, net, cpu, false))
    }

    #[must_use]
    #[track_caller]
    pub fn undelegate(&mut self, from: &str, to: &str, net: i64, cpu: i64) -> Outcome {
        self.system(
            "undelegatebw",
            from,
            json!({
                "from": from, "receiver": to, "unstake_net_quantity": sys(net), "unstake_cpu_quantity": sys(cpu),
            }),
        )
    }

    #[must_use]
    #[track_caller]
    pub fn refund(&mut self, owner: &str) -> Outcome {
        self.system("refund", owner, json!({ "owner": owner }))
    }

    #[must_use]
    #[track_caller]
    pub fn vote<T: AsRef<str>>(&mut self, voter: &str, producers: &[T]) -> Outcome {
        let producers: Vec<_> = producers.iter().map(AsRef::as_ref).collect();
        self.system("voteproducer", voter, json!({ "voter": voter, "proxy": "", "producers": producers }))
    }

    #[must_use]
    #[track_caller]
    pub fn vote_by(&mut self, voter: &str, proxy: &str) -> Outcome {
        self.system("voteproducer", voter, json!({ "voter": voter, "proxy": proxy, "producers": [] }))
    }

    #[must_use]
    #[track_caller]
    pub fn bid(&mut self, bidder: &str, newname: &str, amount: i64) -> Outcome {
        self.system("bidname", bidder, json!({ "bidder": bidder, "newname": newname, "bid": sys(amount) }))
    }

    /// What an account can spend, in smallest units.
    #[track_caller]
    pub fn balance(&mut self, account: &str) -> i64 {
        self.chain.balance("eosio.token", account, "SYS").map_or(0, |text| units(&json!(text)))
    }

    /// The one row of a table of `eosio` that is scoped by its owner.
    #[track_caller]
    pub fn own(&mut self, account: &str, table: &str) -> Option<Value> {
        self.chain.row("eosio", account, table)
    }

    /// A row of a table in the scope `eosio`, by its owner.
    #[track_caller]
    pub fn row(&mut self, table: &str, owner: &str) -> Value {
        let mut rows = self.rows(table).into_iter();
        rows.find(|row| row["owner"] == owner).unwrap_or_else(|| panic!("{table} has no row of {owner}"))
    }

    /// The rows of a table in the scope `eosio`.
    #[track_caller]
    pub fn rows(&mut self, table: &str) -> Vec<Value> {
        self.chain.rows_json("eosio", "eosio", table)
    }

    #[track_caller]
    pub fn global(&mut self, table: &str) -> Value {
        self.chain.row("eosio", "eosio", table).unwrap_or_else(|| panic!("no row in {table}"))
    }

    #[track_caller]
    pub fn votes_of(&mut self, producer: &str) -> f64 {
        float(&self.row("producers", producer)["total_votes"])
    }

    /// The producers of the schedule in force, in its order.
    pub fn schedule(&self) -> Vec<String> {
        let schedule = &self.chain.chain().head().header.active_schedule;
        schedule.producers.iter().map(|entry| entry.producer_name.to_string()).collect()
    }

    /// Who made the last block.
    pub fn last_producer(&self) -> String {
        self.chain.chain().head().header.header.header.producer.to_string()
    }

    /// Lets time pass until an election is due, and blocks until its schedule is in force.
    #[track_caller]
    pub fn elect(&mut self) {
        const ELECTION_SEC: u32 = 61;
        // Two rounds and a half of 21 producers with 12 blocks each, and two more for a schedule that waits for another.
        const BLOCKS: u32 = 21 * 12 * 4;
        self.chain.advance(ELECTION_SEC);
        self.chain.produce(BLOCKS);
    }

    /// Changes these of the chain's numbers.
    #[must_use]
    #[track_caller]
    pub fn set_chain(&mut self, actor: &str, changed: &Value) -> Outcome {
        let changed = changed.as_object().expect("an object of numbers");
        let changes = genesis::plan::changes(changed).unwrap_or_else(|error| panic!("{error}"));
        if let Some(gift) = changed.get("ram_gift_bytes") {
            self.gifts.push(integer(gift));
        }
        self.system("setchain", actor, json!({ "changes": changes }))
    }
}

pub fn payment(from: &str, to: &str, amount: i64) -> Value {
    json!({ "from": from, "to": to, "quantity": sys(amount), "memo": "" })
}

pub fn stake(from: &str, to: &str, net: i64, cpu: i64, transfer: bool) -> Value {
    json!({
        "from": from, "receiver": to, "stake_net_quantity": sys(net), "stake_cpu_quantity": sys(cpu), "transfer": transfer,
    })
}

/// An action that the ABI need not know.
pub fn raw_action(account: &str, action: &str, actor: &str, data: Vec<u8>) -> Action {
    let authorization = vec![PermissionLevel { actor: Name::new(actor), permission: Name::new("active") }];
    Action { account: Name::new(account), name: Name::new(action), authorization, data: primitives::Bytes(data) }
}
