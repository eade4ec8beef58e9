//! What one answer may take: large answers come in parts that can be followed to the end, and what cannot come in parts
//! is refused.

use e2e::{Load, RunningNode};
use primitives::{Action, Bytes, PrivateKey, Transaction, name};
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

/// Each authorization may want each key: their product is what the writer would wait for.
#[test]
fn too_many_keys_and_authorizations_are_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let key = |number: u16| {
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&number.to_le_bytes());
        PrivateKey::k1_from_seed(seed).expect("a key").public_key().expect("a key")
    };
    let level = primitives::PermissionLevel { actor: name!("eosio"), permission: name!("active") };
    let action =
        Action { account: name!("eosio"), name: name!("x"), authorization: vec![level], data: Bytes::default() };
    let own: primitives::PublicKey = e2e::DEV_PUBLIC_KEY.parse().expect("a key");
    let asked = |levels: usize, keys: u16| {
        let transaction = Transaction { actions: vec![action.clone(); levels], ..Transaction::default() };
        let keys: Vec<_> = (1..keys).map(key).chain([own.clone()]).collect();
        node.api.call("/v1/chain/get_required_keys", &json!({ "transaction": transaction, "available_keys": keys }))
    };
    assert_eq!(asked(1000, 1000).expect("it is just not too much")["required_keys"], json!([own]));
    let refused = asked(1001, 1000).expect_err("it is too much").to_string();
    assert!(
        refused.contains("1001 authorizations and 1000 available keys") && refused.contains("fewer keys"),
        "{refused}"
    );
    // The same key many times is one key.
    let transaction = Transaction { actions: vec![action.clone(); 1001], ..Transaction::default() };
    let body = json!({ "transaction": transaction, "available_keys": vec![own.clone(); 2000] });
    assert_eq!(node.call("/v1/chain/get_required_keys", &body)["required_keys"], json!([own]));
}
