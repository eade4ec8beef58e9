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
fn keys_have_the_order_of_their_values() {
    ask(&mut world(), "disguises", json!({})).succeed();
}

/// An action whose only argument is a text of these bytes, which JSON could not carry.
fn with_memo(chain: &mut Tester, action: &str, memo: &[u8]) -> Outcome {
    let mut packed = chain.action("probe", action, "probe", &json!({ "memo": "" }));
    packed.data.0 = [&[memo.len() as u8], memo].concat();
    chain.push_action(packed)
}

#[test]
fn text_that_is_not_utf_8_is_refused_by_str_and_taken_by_byte_str() {
    let mut chain = world();
    // Each ends inside of a character: read unchecked, the rest of the memory would seem to follow it.
    for memo in [&b"\xf0"[..], b"\xe2\x80", b" \xc3", b"a\xf4\x8f\xbf"] {
        with_memo(&mut chain, "chars", memo).refuse("text is not valid UTF-8");
        let told = with_memo(&mut chain, "octets", memo).succeed();
        assert_eq!(told.result::<u64>(&mut chain), memo.len() as u64);
        assert_eq!(told.actions()[0].console, memo);
    }
    assert_eq!(with_memo(&mut chain, "chars", "é € 𝄞 ".as_bytes()).succeed().result::<u64>(&mut chain), 5);
}

#[test]
fn errors_of_actions_name_contract_and_action() {
    let mut chain = world();
    assert_eq!(ask(&mut chain, "half", json!({ "number": 8 })).succeed().result::<u64>(&mut chain), 4);
    ask(&mut chain, "half", json!({ "number": 7 })).refuse("probe::half: 7 is odd");
    let arguments = |limit| json!({ "limit": limit, "three": { "item_0": 1, "item_1": 2, "item_2": 3 } });
    let most = arguments(json!(["at_most", 5]));
    let told = ask(&mut chain, "limits", most.clone()).succeed().result::<Value>(&mut chain);
    assert_eq!(told, json!({ "first": most["limit"], "second": most["three"] }));
    ask(&mut chain, "limits", arguments(json!(["at_least", 0]))).refuse("probe::limits: at least nothing is no limit");
}

#[test]
fn a_large_local_list_fits_the_stack() {
    let mut chain = world();
    let sum: u64 = (0..10_000u64).map(|at| (3 + at) % 256).sum();
    assert_eq!(ask(&mut chain, "large", json!({ "seed": 3 })).succeed().result::<u64>(&mut chain), sum);
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
fn a_memo_of_any_bytes_passes_through_the_token_as_through_the_references() {
    let mut chain = world();
    chain.deploy("eosio.token".parse().expect("a name"), &genesis::contracts::TOKEN);
    let create = json!({ "issuer": "alice", "maximum_supply": "9.0000 SYS" });
    chain.push("eosio.token", "create", "eosio.token", create).succeed();
    let issue = json!({ "to": "alice", "quantity": "9.0000 SYS", "memo": "" });
    chain.push("eosio.token", "issue", "alice", issue).succeed();
    let transfer = json!({ "from": "alice", "to": "eosio", "quantity": "1.0000 SYS", "memo": "" });
    let mut packed = chain.action("eosio.token", "transfer", "alice", &transfer);
    assert_eq!(packed.data.0.pop(), Some(0), "the memo's length");
    packed.data.0.extend_from_slice(b"\x03\xf0\x28\xff");
    chain.push_action(packed).succeed();
    assert_eq!(chain.balance("eosio.token", "eosio", "SYS").as_deref(), Some("1.0000 SYS"));
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
