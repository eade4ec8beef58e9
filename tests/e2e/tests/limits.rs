//! What one answer may take: large answers come in parts that can be followed to the end, and what cannot come in parts
//! is refused.

use std::time::{Duration, Instant};

use e2e::{Load, RunningNode};
use primitives::{Action, Bytes, Name, PermissionLevel, PublicKey, Transaction, name};
use serde_json::{Value, json};

/// Rows of the table `big` and their bytes: more than an answer is made of.
const ROWS: usize = 40;
const ROW_BYTES: usize = 500_000;
/// Scopes of the table `many`, likewise, and how many of them one transaction makes.
const SCOPES: usize = 34_000;
const SCOPES_AT_ONCE: usize = 2000;
/// The node's `READ_BYTES_MAX`.
const READ_BYTES_MAX: usize = 16 << 20;

/// `big` stores all rows, `many` the next scopes.
fn module() -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "env" "db_store_i64" (func $store (param i64 i64 i64 i64 i32 i32) (result i32)))
            (import "env" "db_find_i64" (func $find (param i64 i64 i64 i64) (result i32)))
            (memory 10)
            (func (export "apply") (param $receiver i64) (param $code i64) (param $action i64)
                (local $number i64) (local $end i64)
                (if (i64.eq (local.get $action) (i64.const {big}))
                    (then (loop $next
                        (local.set $number (i64.add (local.get $number) (i64.const 1)))
                        (drop (call $store (local.get $receiver) (local.get $action) (local.get $receiver) (local.get $number)
                            (i32.const 0) (i32.const {ROW_BYTES})))
                        (br_if $next (i64.lt_u (local.get $number) (i64.const {ROWS})))))
                    (else
                        (block $found (loop $next
                            (local.set $number (i64.add (local.get $number) (i64.const {SCOPES_AT_ONCE})))
                            (br_if $next (i32.ge_s (call $find (local.get $receiver) (local.get $number) (local.get $action)
                                (i64.const 1)) (i32.const 0)))))
                        (local.set $end (local.get $number))
                        (local.set $number (i64.sub (local.get $number) (i64.const {SCOPES_AT_ONCE})))
                        (loop $next
                            (local.set $number (i64.add (local.get $number) (i64.const 1)))
                            (drop (call $store (local.get $number) (local.get $action) (local.get $receiver) (i64.const 1)
                                (i32.const 0) (i32.const 0)))
                            (br_if $next (i64.lt_u (local.get $number) (local.get $end))))))))"#,
        big = name!("big").0
    );
    wat::parse_str(text).expect("a module")
}

fn abi() -> abi::AbiDefinition {
    let table = |name: &str| json!({ "name": name, "index_type": "i64", "type": "row" });
    let abi = json!({
        "version": "eosio::abi/1.2", "structs": [{ "name": "row", "base": "", "fields": [] }],
        "tables": [table("big"), table("many")],
    });
    serde_json::from_value(abi).expect("an ABI")
}

/// A node with a contract that stores much.
fn start(folder: &std::path::Path) -> (RunningNode, Load) {
    let node = RunningNode::start(folder, &["--max-transaction-time", "400"]);
    let mut load = Load::set_up(node.api.clone()).expect("the accounts are made");
    load.set_code(name!("alice"), &module()).expect("the module is taken");
    load.set_abi(name!("alice"), &abi()).expect("the ABI is taken");
    (node, load)
}

#[test]
fn rows_and_scopes_come_in_parts_until_the_last() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (node, mut load) = start(folder.path());
    load.send_plain(name!("alice"), name!("big"), name!("alice")).expect("the rows are stored");
    let (mut next, mut rows, mut parts) = (Value::Null, 0, 0);
    loop {
        let body = json!({ "code": "alice", "scope": "alice", "table": "big", "limit": 100, "lower_bound": next });
        let answer = node.call("/v1/chain/get_table_rows", &body);
        let here = answer["rows"].as_array().expect("rows");
        assert!(!here.is_empty() && here.len() * ROW_BYTES <= READ_BYTES_MAX + ROW_BYTES, "{} rows", here.len());
        rows += here.len();
        parts += 1;
        if answer["more"] == false {
            break;
        }
        assert_eq!(answer["next_key"], (rows + 1).to_string());
        next = answer["next_key"].clone();
    }
    assert_eq!(rows, ROWS);
    assert!(parts > 1, "one answer holds all");

    for _ in 0..SCOPES / SCOPES_AT_ONCE {
        load.send_plain(name!("alice"), name!("many"), name!("alice")).expect("the scopes are made");
    }
    let (mut next, mut scopes, mut parts) = (Value::Null, Vec::new(), 0);
    loop {
        let body = json!({ "code": "alice", "table": "many", "limit": 1_000_000, "lower_bound": next });
        let answer = node.call("/v1/chain/get_table_by_scope", &body);
        let here = answer["rows"].as_array().expect("rows").iter();
        scopes.extend(here.map(|row| row["scope"].as_str().expect("a name").to_owned()));
        parts += 1;
        if answer["more"] == "" {
            break;
        }
        next = answer["more"].clone();
    }
    assert_eq!(scopes.len(), SCOPES);
    scopes.dedup();
    assert_eq!(scopes.len(), SCOPES, "no scope is there twice");
    assert!(parts > 1, "one answer holds all");
}

/// Permissions that have many keys each, and how many.
const WIDE_PERMISSIONS: usize = 100;
const WIDE_KEYS: u32 = 4000;
/// A transaction that may run for 30 ms is refused within this, even on a busy machine; not bounded, it would take some
/// seconds.
const ASKING_MAX: Duration = Duration::from_secs(1);

/// Asks whether `permission` of the account holds with 200,000 keys that nobody has.
fn asking_module(actor: Name, permission: Name) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "env" "check_permission_authorization"
                (func $check (param i64 i64 i32 i32 i32 i32 i64) (result i32)))
            (memory 120)
            (data (i32.const 0) "\c0\9a\0c")
            (func (export "apply") (param i64 i64 i64)
                (local $number i32) (local $at i32)
                (local.set $at (i32.const 3))
                (loop $next
                    (i32.store (i32.add (local.get $at) (i32.const 2)) (local.get $number))
                    (local.set $at (i32.add (local.get $at) (i32.const 34)))
                    (local.set $number (i32.add (local.get $number) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $number) (i32.const 200000))))
                (drop (call $check (i64.const {}) (i64.const {}) (i32.const 0) (local.get $at)
                    (i32.const 0) (i32.const 0) (i64.const 0)))))"#,
        actor.0 as i64, permission.0 as i64
    );
    wat::parse_str(text).expect("a module")
}

/// Each authorization may want each key of its authority, and whoever shows an account shows them all: the writer waits for
/// no more than a part of that.
#[test]
fn permissions_with_many_keys_do_not_hold_up_the_chain() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &["--enable-account-queries", "true"]);
    let mut load = Load::new(node.api.clone());
    let eosio = name!("eosio");
    let key = |number: u32| {
        let mut bytes = [2; 33];
        bytes[1..5].copy_from_slice(&number.to_be_bytes());
        PublicKey::K1(bytes)
    };
    let own: PublicKey = e2e::DEV_PUBLIC_KEY.parse().expect("a key");
    let asked = |permissions: &[Name]| {
        let action = |permission: &Name| Action {
            account: eosio,
            name: name!("x"),
            authorization: vec![PermissionLevel { actor: eosio, permission: *permission }],
            data: Bytes::default(),
        };
        let transaction = Transaction { actions: permissions.iter().map(action).collect(), ..Transaction::default() };
        let keys: Vec<_> = (0..1000).map(|number| key(number * 2 + 1)).chain([own.clone()]).collect();
        node.api.call("/v1/chain/get_required_keys", &json!({ "transaction": transaction, "available_keys": keys }))
    };
    // The same authorization again needs the same keys.
    let active = name!("active");
    assert_eq!(asked(&vec![active; 20_000]).expect("it is no more than one")["required_keys"], json!([own]));

    // Keys that nobody has; then the account's own.
    let mut keys: Vec<_> = (0..WIDE_KEYS).map(|number| json!({ "key": key(number * 2), "weight": 1 })).collect();
    keys.push(json!({ "key": own, "weight": 1 }));
    keys.sort_by_key(|key| key["key"].as_str().and_then(|key| key.parse::<PublicKey>().ok()));
    let auth = json!({ "threshold": 1, "keys": keys, "accounts": [], "waits": [] });
    let letter = |number: usize| char::from(b'a' + number as u8);
    let names: Vec<Name> = (0..WIDE_PERMISSIONS)
        .map(|at| format!("wide{}{}", letter(at / 20), letter(at % 20)).parse().expect("a name"))
        .collect();
    for name in &names {
        let update = json!({ "account": eosio, "permission": name, "parent": active, "auth": auth });
        load.send(eosio, name!("updateauth"), eosio, &update).expect("a permission");
    }
    assert_eq!(asked(&names[..2]).expect("a few are looked through")["required_keys"], json!([own]));
    let refused = asked(&names).expect_err("all are too many").to_string();
    assert!(refused.contains("longer than the 20 ms") && refused.contains("fewer"), "{refused}");

    // A contract may ask as well, for as long as it may run.
    let alice = name!("alice");
    load.new_account(alice).expect("an account");
    load.set_code(alice, &asking_module(eosio, names[0])).expect("a contract");
    let began = Instant::now();
    let refused = load.send_plain(alice, name!("ask"), alice).expect_err("it takes too long").to_string();
    assert!(refused.contains("executing for too long"), "{refused}");
    assert!(began.elapsed() < ASKING_MAX, "{:?}", began.elapsed());

    let account = node.call("/v1/chain/get_account", &json!({ "account_name": eosio }));
    let shown = account["permissions"].as_array().expect("a list").len();
    assert!(account["more"] == true && (1..WIDE_PERMISSIONS).contains(&shown), "{shown} permissions");
    let found = |keys: &[PublicKey]| {
        node.call("/v1/chain/get_accounts_by_authorizers", &json!({ "accounts": [], "keys": keys }))
    };
    let few = found(&[key(0), key(2)]);
    assert_eq!(few["accounts"].as_array().expect("a list").len(), 2 * WIDE_PERMISSIONS);
    assert_eq!(few["more"], Value::Null);
    let many = found(&(0..WIDE_KEYS).map(|number| key(number * 2)).collect::<Vec<_>>());
    let shown = many["accounts"].as_array().expect("a list").len();
    assert!(many["more"] == true && (1..WIDE_PERMISSIONS * WIDE_KEYS as usize).contains(&shown), "{shown} found");
}
