//! The escrow on a chain in the test process: every deal's fate, and those who try to cheat.

use tester::{Outcome, Tester, Value, json};

const DAY: u32 = 24 * 3600;

/// A chain with a token, an escrow, a buyer with 100 and a seller with nothing.
fn world() -> Tester {
    let mut chain = Tester::bare();
    for account in ["eosio.token", "escrow", "buyer", "seller", "thief", "fake.token"] {
        chain.create(account);
    }
    for token in ["eosio.token", "fake.token"] {
        chain.deploy(token.parse().expect("a name"), &genesis::contracts::TOKEN);
        let create = json!({ "issuer": "buyer", "maximum_supply": "1000.0000 SYS" });
        chain.push(token, "create", token, create).succeed();
        chain.push(token, "issue", "buyer", json!({ "to": "buyer", "quantity": "100.0000 SYS", "memo": "" })).succeed();
    }
    chain.deploy_folder("escrow", "../../contracts/dist/escrow");
    chain
}

fn open(chain: &mut Tester, price: &str, in_seconds: i64) -> Outcome {
    let deadline = i64::from(chain.now().seconds().0) + in_seconds;
    let deadline = primitives::TimePointSec(deadline as u32).to_string();
    let deal =
        json!({ "buyer": "buyer", "seller": "seller", "price": price, "deadline": deadline, "subject": "a book" });
    chain.push("escrow", "open", "buyer", deal)
}

fn pay(chain: &mut Tester, token: &str, from: &str, quantity: &str, memo: &str) -> Outcome {
    chain.push(token, "transfer", from, json!({ "from": from, "to": "escrow", "quantity": quantity, "memo": memo }))
}

fn call(chain: &mut Tester, action: &str, actor: &str) -> Outcome {
    chain.push("escrow", action, actor, json!({ "id": 0 }))
}

fn balance(chain: &mut Tester, account: &str) -> Option<String> {
    chain.balance("eosio.token", account, "SYS")
}

#[test]
fn a_released_deal_pays_the_seller_and_leaves_nothing() {
    let mut chain = world();
    let opened = open(&mut chain, "2.0000 SYS", 3600).succeed();
    assert_eq!(opened.result::<u64>(&mut chain), 0);
    pay(&mut chain, "eosio.token", "buyer", "2.0000 SYS", "0").succeed();
    assert_eq!(balance(&mut chain, "escrow").as_deref(), Some("2.0000 SYS"));
    call(&mut chain, "release", "buyer").succeed();
    assert_eq!(balance(&mut chain, "seller").as_deref(), Some("2.0000 SYS"));
    assert_eq!(balance(&mut chain, "escrow").as_deref(), Some("0.0000 SYS"));
    assert!(chain.rows_json("escrow", "escrow", "deals").is_empty());
    let sellers: Vec<Value> = chain.rows("escrow", "escrow", "sellers");
    assert_eq!(sellers, [json!({ "account": "seller", "released": 1, "expired": 0 })]);
}

#[test]
fn a_deal_that_ran_out_goes_back_to_the_buyer() {
    let mut chain = world();
    open(&mut chain, "2.0000 SYS", i64::from(DAY)).succeed();
    pay(&mut chain, "eosio.token", "buyer", "2.0000 SYS", "0").succeed();
    call(&mut chain, "refund", "buyer").refuse("before the deadline the seller must agree");
    chain.advance(DAY);
    call(&mut chain, "refund", "thief").fail(3_090_004, "missing authority of buyer");
    call(&mut chain, "refund", "buyer").succeed();
    assert_eq!(balance(&mut chain, "buyer").as_deref(), Some("100.0000 SYS"));
}

#[test]
fn only_the_right_money_counts() {
    let mut chain = world();
    open(&mut chain, "2.0000 SYS", 3600).succeed();
    pay(&mut chain, "eosio.token", "buyer", "1.9999 SYS", "0").refuse("the price is 2.0000 SYS, not 1.9999 SYS");
    pay(&mut chain, "eosio.token", "buyer", "2.0000 SYS", "1").refuse("there is no such deal");
    pay(&mut chain, "eosio.token", "buyer", "2.0000 SYS", "zero").refuse("the memo must be the number of a deal");
    // Money of another contract with the same symbol passes by without a trace.
    pay(&mut chain, "fake.token", "buyer", "2.0000 SYS", "0").succeed();
    call(&mut chain, "release", "buyer").refuse("the deal is not paid");
    pay(&mut chain, "eosio.token", "buyer", "2.0000 SYS", "0").succeed();
    pay(&mut chain, "eosio.token", "buyer", "2.0000 SYS", "0").refuse("the deal is paid already");
    call(&mut chain, "release", "thief").fail(3_090_004, "missing authority of buyer");
}

#[test]
fn impossible_deals_are_refused() {
    let mut chain = world();
    open(&mut chain, "2.0000 SYS", -1).refuse("the deadline has passed already");
    open(&mut chain, "0.0000 SYS", 60).refuse("the price must be a positive amount");
    open(&mut chain, "-1.0000 SYS", 60).refuse("the price must be a positive amount");
}

#[test]
fn the_sellers_open_deals_are_found_by_index() {
    let mut chain = world();
    for _ in 0..3 {
        open(&mut chain, "1.0000 SYS", 3600).succeed();
    }
    let pending = |chain: &mut Tester, seller: &str| {
        let told = chain.push("escrow", "pending", "seller", json!({ "seller": seller })).succeed();
        told.result::<u32>(chain)
    };
    assert_eq!((pending(&mut chain, "seller"), pending(&mut chain, "buyer")), (3, 0));
}
