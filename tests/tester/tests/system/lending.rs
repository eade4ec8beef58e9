//! REX and powerup over weeks: what is lent comes back, what is earned can be withdrawn, and all of it is held somewhere.

use primitives::Name;
use serde_json::{Value, json};
use tester::Outcome;

use crate::world::{BALANCE, DAY, STAKE, SYS, World, integer, sys, units};

const DIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/dist");
/// The whole of a market of powerup.
const WHOLE: i64 = 1_000_000_000_000_000;
const LENDER: &str = "alice";
const BORROWER: &str = "bob";

fn rex(amount: i64) -> String {
    sys(amount).replace("SYS", "REX")
}

/// A chain on which alice has put money into the pool and bob has some to rent with.
fn world() -> World {
    let mut world = World::new(2, &json!({}));
    act(&mut world, "deposit", LENDER, json!({ "owner": LENDER, "amount": sys(500_000 * SYS) })).succeed();
    act(&mut world, "buyrex", LENDER, json!({ "from": LENDER, "amount": sys(500_000 * SYS) })).succeed();
    act(&mut world, "deposit", BORROWER, json!({ "owner": BORROWER, "amount": sys(10_000 * SYS) })).succeed();
    world
}

#[track_caller]
fn act(world: &mut World, action: &str, actor: &str, arguments: Value) -> Outcome {
    world.system(action, actor, arguments)
}

#[track_caller]
fn rent(world: &mut World, payment: i64, fund: i64) -> Outcome {
    let loan = json!({
        "from": BORROWER, "receiver": "carol", "loan_payment": sys(payment), "loan_fund": sys(fund),
    });
    act(world, "rentcpu", BORROWER, loan)
}

fn cpu_of(world: &mut World, account: &str) -> i64 {
    units(&world.own(account, "userres").expect("resources")["cpu_weight"])
}

/// What is in funds, in the pool and on its way into it is in the account of REX.
#[track_caller]
fn audit(world: &mut World) {
    let funds: i64 = world.rows("rexfund").iter().map(|row| units(&row["balance"])).sum();
    let loans: i64 =
        ["cpuloan", "netloan"].iter().flat_map(|table| world.rows(table)).map(|row| units(&row["balance"])).sum();
    let orders: i64 = world.rows("rexqueue").iter().map(|row| units(&row["proceeds"])).sum();
    let pool = world.global("rexpool");
    let (lent, unlent) = (units(&pool["total_lent"]), units(&pool["total_unlent"]));
    let returns: i64 = world.rows("rexretpool").iter().map(|row| integer(&row["proceeds"])).sum();
    assert_eq!(units(&pool["total_lendable"]), lent + unlent);
    let staked: i64 =
        ["cpuloan", "netloan"].iter().flat_map(|table| world.rows(table)).map(|row| units(&row["total_staked"])).sum();
    assert_eq!(lent, staked, "what is lent is in loans");
    // The price of a loan goes to the fees: out of the system's own account, as in the reference, and not out of the fund.
    let held = world.balance("eosio.rex");
    let known = funds + loans + orders + lent + unlent + returns;
    assert!(held >= known, "{held} is less than {known}");
}

#[test]
fn a_loan_gives_bandwidth_for_thirty_days_and_is_renewed_while_its_fund_lasts() {
    let mut world = world();
    let before = cpu_of(&mut world, "carol");
    rent(&mut world, 100 * SYS, 150 * SYS).succeed();
    let loan = world.rows("cpuloan").remove(0);
    let rented = units(&loan["total_staked"]);
    assert!(rented > 100 * SYS, "bandwidth of more than its price: {loan}");
    assert_eq!(cpu_of(&mut world, "carol"), before + rented);
    audit(&mut world);
    world.chain.advance(30 * DAY);
    act(&mut world, "rexexec", "dave", json!({ "user": "dave", "max": 2 })).succeed();
    let renewed = world.rows("cpuloan").remove(0);
    assert_eq!(units(&renewed["balance"]), 50 * SYS, "the second thirty days are paid out of the fund");
    assert_eq!(cpu_of(&mut world, "carol"), before + units(&renewed["total_staked"]));
    audit(&mut world);
    world.chain.advance(30 * DAY);
    act(&mut world, "rexexec", "dave", json!({ "user": "dave", "max": 2 })).succeed();
    assert_eq!(world.rows("cpuloan"), Vec::<Value>::new());
    assert_eq!(cpu_of(&mut world, "carol"), before);
    let fund = units(&world.row("rexfund", BORROWER)["balance"]);
    assert_eq!(fund, (10_000 - 200) * SYS, "what the fund had left is the borrower's again");
    audit(&mut world);
}

#[test]
fn shares_mature_earn_and_are_sold() {
    let mut world = world();
    world.chain.deploy_folder("eosio.fees", format!("{DIST}/eosio.fees"));
    add_code(&mut world, "eosio.fees");
    let bought =
        units(&json!(world.row("rexbal", LENDER)["rex_balance"].as_str().expect("shares").replace("REX", "SYS")));
    act(&mut world, "sellrex", LENDER, json!({ "from": LENDER, "rex": rex(bought) }))
        .refuse("insufficient available rex");
    rent(&mut world, 1000 * SYS, 0).succeed();
    world.chain.advance(70 * DAY);
    act(&mut world, "rexexec", "dave", json!({ "user": "dave", "max": 9 })).succeed();
    audit(&mut world);
    act(&mut world, "sellrex", LENDER, json!({ "from": LENDER, "rex": rex(bought) })).succeed();
    let fund = units(&world.row("rexfund", LENDER)["balance"]);
    // Fees of RAM, bought for the first accounts, came to eosio.fees before its contract; the loan's came after.
    assert_eq!(fund, 501_000 * SYS, "the lender has earned the price of the loan");
    act(&mut world, "withdraw", LENDER, json!({ "owner": LENDER, "amount": sys(fund) })).succeed();
    assert_eq!(world.balance(LENDER), BALANCE + 1000 * SYS);
    act(&mut world, "closerex", LENDER, json!({ "owner": LENDER })).succeed();
    assert!(world.rows("rexbal").is_empty());
}

#[test]
fn a_sale_waits_until_loans_have_ended_and_counts_in_the_vote_until_then() {
    let mut world = world();
    act(&mut world, "setrex", "eosio", json!({ "balance": sys(SYS) })).succeed();
    rent(&mut world, 100 * SYS, 0).succeed();
    world.chain.advance(6 * DAY);
    let voted = integer(&world.row("voters", LENDER)["staked"]);
    assert_eq!(voted, STAKE + 500_000 * SYS, "shares count in the vote");
    let sale = json!({ "from": LENDER, "rex": rex(400_000 * SYS * 10_000) });
    act(&mut world, "sellrex", LENDER, sale).succeed();
    assert_eq!(world.rows("rexqueue")[0]["is_open"], 1);
    rent(&mut world, SYS, 0).refuse("rex loans are currently not available");
    world.chain.advance(30 * DAY);
    act(&mut world, "rexexec", "dave", json!({ "user": "dave", "max": 2 })).succeed();
    assert_eq!(world.rows("rexqueue")[0]["is_open"], 0, "the pool can pay it now");
    act(&mut world, "updaterex", LENDER, json!({ "owner": LENDER })).succeed();
    assert_eq!(world.rows("rexqueue"), Vec::<Value>::new());
    assert_eq!(integer(&world.row("voters", LENDER)["staked"]), STAKE + 100_000 * SYS);
    audit(&mut world);
}

#[test]
fn a_return_that_begins_and_ends_in_one_look_shows_in_the_trace() {
    let mut world = world();
    let gift = json!({ "payer": "carol", "quantity": sys(SYS), "memo": "" });
    act(&mut world, "donatetorex", "carol", gift).succeed();
    world.chain.advance(40 * DAY);
    let done = act(&mut world, "rexexec", "dave", json!({ "user": "dave", "max": 0 })).succeed();
    let deltas = &done.actions()[0].account_ram_deltas;
    // As nodeos tells of the reference: the list of returns grew by a row and shrank by one.
    assert_eq!(deltas.iter().map(|delta| (delta.account, delta.delta)).collect::<Vec<_>>(), [(Name::new("eosio"), 0)]);
    let returns = world.rows("rexretpool").remove(0);
    assert_eq!((integer(&returns["proceeds"]), integer(&returns["current_rate_of_increase"])), (0, 0), "all is paid");
    audit(&mut world);
}

/// The reserve's limits begin with the market: it needs RAM for what it is.
fn configure(world: &mut World) {
    let ram = json!({ "payer": "eosio", "receiver": "eosio.reserv", "bytes": 5000 });
    act(world, "buyrambytes", "eosio", ram).succeed();
    let market = json!({
        "current_weight_ratio": WHOLE / 100, "target_weight_ratio": WHOLE / 100, "assumed_stake_weight": 1_000_000 * SYS,
        "target_timestamp": null, "exponent": 2.0, "decay_secs": DAY, "min_price": sys(0), "max_price": sys(1_000_000 * SYS),
    });
    let args = json!({ "net": market, "cpu": market, "powerup_days": 2, "min_powerup_fee": sys(1) });
    act(world, "cfgpowerup", "eosio", json!({ "args": args })).succeed();
}

#[test]
fn powerup_costs_more_the_more_is_sold_and_ends() {
    let mut world = World::new(1, &json!({}));
    configure(&mut world);
    let reserve = cpu_of(&mut world, "eosio.reserv");
    let before = cpu_of(&mut world, "carol");
    let mut last = 0;
    for _ in 0..3 {
        let had = world.balance("alice");
        let part = json!({
            "payer": "alice", "receiver": "carol", "days": 2, "net_frac": 0, "cpu_frac": WHOLE / 100,
            "max_payment": sys(BALANCE),
        });
        act(&mut world, "powerup", "alice", part).succeed();
        let price = had - world.balance("alice");
        assert!(price > last, "the market gets dearer with its use: {price} after {last}");
        last = price;
    }
    let given = cpu_of(&mut world, "carol") - before;
    assert_eq!(given, 3 * 99 * 1_000_000 * SYS / 100, "three hundredths of a market of 99 times the stake");
    assert_eq!(cpu_of(&mut world, "eosio.reserv"), reserve - given, "what is sold comes out of the reserve");
    world.chain.advance(2 * DAY + 1);
    act(&mut world, "powerupexec", "dave", json!({ "user": "dave", "max": 9 })).succeed();
    assert_eq!(cpu_of(&mut world, "carol"), before);
    assert_eq!(cpu_of(&mut world, "eosio.reserv"), reserve);
    let state = world.own("", "powup.state").expect("the market's row");
    assert_eq!(integer(&state["cpu"]["utilization"]), 0);
    assert!(integer(&state["cpu"]["adjusted_utilization"]) > 0, "past use is remembered");
}

/// Lets an account's code act for it.
fn add_code(world: &mut World, account: &str) {
    let auth = json!({
        "threshold": 1, "keys": [{ "key": world.chain.key(), "weight": 1 }], "waits": [],
        "accounts": [{ "permission": { "actor": account, "permission": "eosio.code" }, "weight": 1 }],
    });
    let update = json!({ "account": account, "permission": "active", "parent": "owner", "auth": auth });
    world.system("updateauth", account, update).succeed();
}

#[test]
fn what_block_pay_is_sent_is_shared_among_the_elected() {
    let mut world = World::new(3, &json!({}));
    world.chain.deploy_folder("eosio.bpay", format!("{DIST}/eosio.bpay"));
    add_code(&mut world, "eosio.bpay");
    world.transfer("alice", "eosio.bpay", 100 * SYS + 1).succeed();
    let rewards = world.chain.rows_json("eosio.bpay", "eosio.bpay", "rewards");
    assert_eq!(rewards.len(), 3);
    assert!(rewards.iter().all(|row| units(&row["quantity"]) == (100 * SYS + 1) / 3), "{rewards:?}");
    let producer = rewards[0]["owner"].as_str().expect("a name").to_owned();
    let had = world.balance(&producer);
    world.chain.push("eosio.bpay", "claimrewards", &producer, json!({ "owner": producer })).succeed();
    assert_eq!(world.balance(&producer), had + (100 * SYS + 1) / 3);
    world
        .chain
        .push("eosio.bpay", "claimrewards", &producer, json!({ "owner": producer }))
        .refuse("no rewards to claim");
}
