//! The SDK seen from inside a chain: `contracts/sdk/probe` checks what it does, so that succeeding is the test.

use primitives::{PrivateKey, Sha256};
use serde_json::{Value, json};
use tester::{Outcome, Tester};

const PROBE: &str = "../../contracts/dist/probe";

fn world() -> Tester {
    let mut chain = Tester::bare();
    for account in ["probe", "alice", "eosio.token", "fake.token"] {
        chain.create(account);
    }
    chain.deploy_folder("probe", PROBE);
    chain.push("eosio", "setpriv", "eosio", json!({ "account": "probe", "is_priv": 1 })).succeed();
    chain
}

fn ask(chain: &mut Tester, action: &str, arguments: Value) -> Outcome {
    chain.push("probe", action, "probe", arguments)
}

#[test]
fn tables_indexes_and_ranges() {
    let mut chain = world();
    ask(&mut chain, "tables", json!({})).succeed();
    assert!(chain.rows_json("probe", "probe", "things").is_empty());
}

#[test]
fn singletons_and_variants() {
    let mut chain = world();
    for shape in [
        json!(["uint64", 5]),
        json!(["pair_uint32_string", { "first": 1, "second": "x" }]),
        json!(["name[]", ["a", "b"]]),
    ] {
        let told = ask(&mut chain, "singleton", json!({ "shape": shape })).succeed();
        assert_eq!(told.result::<Value>(&mut chain), shape);
        assert_eq!(chain.row("probe", "probe", "only"), Some(json!({ "value": shape })));
    }
}

#[test]
fn every_kind_of_value_comes_back() {
    let mut chain = world();
    let key = chain.key().to_string();
    let everything = |late: Option<u64>| {
        let mut everything = json!({
            "truth": 1,
            "small": { "field_0": -1, "field_1": 255, "field_2": -300 },
            "wide": { "first": "-170141183460469231731687303715884105728", "second": "340282366920938463463374607431768211455" },
            "reals": { "first": "0.50000000000000000", "second": "-0.25000000000000000" },
            "variable": { "first": -65, "second": 300 },
            "when": { "field_0": "2025-01-31T23:59:59.500", "field_1": "2025-01-31T23:59:59", "field_2": "2025-01-31T23:59:59.500" },
            "money": { "quantity": "-1.2345 SYS", "contract": "eosio.token" },
            "symbol": { "first": "4,SYS", "second": "RAM" },
            "digests": { "field_0": "01".repeat(20), "field_1": "02".repeat(32), "field_2": "03".repeat(64) },
            "key": key,
            "bytes": "00ff10",
            "lists": [[], ["a", "b"]],
            "maybe": [1, 2],
            "maybes": [null, 7],
            "map": [{ "first": "alice", "second": "one" }, { "first": "bob", "second": "two" }],
            "shape": ["name[]", ["x"]],
            "color": 5,
            "tags": ["red", "rough"],
            "boxed": { "actor": "alice", "permission": "owner" },
        });
        if let Some(late) = late {
            everything["late"] = json!(late);
        }
        everything
    };
    for late in [None, Some(9)] {
        ask(&mut chain, "keep", json!({ "everything": everything(late) })).succeed();
        assert_eq!(chain.row("probe", "probe", "everything"), Some(everything(late)));
    }
    let mut wrong = everything(None);
    wrong["color"] = json!(2);
    ask(&mut chain, "keep", json!({ "everything": wrong })).refuse("invalid enum value");
}

#[test]
fn hashes_and_signatures() {
    let mut chain = world();
    let secret = PrivateKey::k1_from_seed(Sha256::of(b"somebody's key").0).expect("a hash is a valid secret");
    let digest = Sha256::of(b"something signed");
    let signature = secret.sign(&digest).expect("a valid secret").to_string();
    let key = secret.public_key().expect("a valid secret").to_string();
    let arguments = |digest| json!({ "digest": digest, "signature": signature, "key": key });
    ask(&mut chain, "hashes", arguments(digest)).succeed();
    ask(&mut chain, "hashes", arguments(Sha256::of(b"something else"))).refuse("recovered");
}

#[test]
fn what_the_chain_tells() {
    let mut chain = world();
    chain.produce(1);
    ask(&mut chain, "privileged", json!({ "account": "alice" })).succeed();
    chain.push("probe", "asks", "alice", json!({ "account": "alice" })).succeed();
    chain.push("probe", "asks", "probe", json!({ "account": "alice" })).refuse("who authorised");
}

#[test]
fn the_console() {
    let mut chain = world();
    let told = ask(&mut chain, "prints", json!({})).succeed();
    let digest = "ab".repeat(32);
    assert_eq!(
        told.console(),
        format!(
            "n=eosio -5 7 -1.2345 SYS true 4,SYS 5.000000000000000e-01 {digest} 01ff {} {} 3.333333333333333333e-01 \
             2024-12-31T23:59:59 x3",
            u128::MAX,
            i128::MIN
        )
    );
}

#[test]
fn inline_actions_typed_by_the_contract() {
    let mut chain = world();
    let told = ask(&mut chain, "sends", json!({ "account": "alice" })).succeed();
    let consoles: Vec<_> = told.actions()[1..].iter().map(|trace| String::from_utf8_lossy(&trace.console)).collect();
    assert_eq!(consoles, ["alice inline", "alice twice"]);
}

#[test]
fn notifications_of_the_token_and_of_a_false_one() {
    let mut chain = world();
    for (token, told) in [("eosio.token", "token"), ("fake.token", "any")] {
        chain.deploy(token.parse().expect("a name"), &genesis::contracts::TOKEN);
        let create = json!({ "issuer": "alice", "maximum_supply": "9.0000 SYS" });
        chain.push(token, "create", token, create).succeed();
        chain.push(token, "issue", "alice", json!({ "to": "alice", "quantity": "9.0000 SYS", "memo": "" })).succeed();
        let transfer = json!({ "from": "alice", "to": "probe", "quantity": "1.0000 SYS", "memo": "m" });
        let seen = chain.push(token, "transfer", "alice", transfer).succeed();
        let at_probe = seen.actions().iter().find(|trace| trace.receiver.to_string() == "probe").expect("notified");
        assert_eq!(String::from_utf8_lossy(&at_probe.console), format!("{told} alice probe 1.0000 SYS m"));
    }
}

#[test]
fn every_way_to_fail_says_what_failed() {
    let mut chain = world();
    for (how, message) in [
        ("check", "checked"),
        ("parts", "parts 1 and probe"),
        ("panic", "panicked plainly"),
        ("formatted", "probe panicked with \"formatted\""),
        ("expect", "a digit"),
        ("result", "called `Result::unwrap()` on an `Err` value: eosio"),
        ("overflow", "attempt to add with overflow"),
        ("bounds", "index out of bounds: the len is 6 but the index is 6"),
        ("variant", "invalid variant index"),
        ("color", "invalid enum value"),
        ("memory", "out of memory"),
        ("key", "row 1"),
        ("foreign", "cannot create objects in table of another contract"),
        ("limit", "next primary key in table is at autoincrement limit"),
        ("range", "range start is greater than range end"),
        ("short", "datastream attempted to read past the end"),
        ("number", "get"),
        ("another", "unknown way"),
    ] {
        ask(&mut chain, "fails", json!({ "how": how })).refuse(message);
    }
    ask(&mut chain, "fails", json!({ "how": "taken" })).fail(13, "could not insert object");
}

#[test]
fn an_action_that_is_not_there() {
    let mut chain = world();
    let mut action = chain.action("probe", "prints", "probe", &json!({}));
    action.name = "nothing".parse().expect("a name");
    chain.push_action(action).fail(3_050_004, "8000000000000000000");
}
