//! Contracts of a running chain, a nodeos' and our own, copied to a development chain by `boreas dev fork` and by
//! `boreasd dev --fork-url`: rows, payers and the order of every index are the same on both ends.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use client::editor::{self, EditedKey, EditedRow, SecondaryKey};
use client::{Draft, Node, Receipt, SendSettings};
use e2e::{DEV_PRIVATE_KEY, DEV_PUBLIC_KEY, Load, Peer, RunningNode, binary};
use primitives::{Action, Name, PrivateKey, name};
use serde_json::{Value, json};

const MULTI: Name = name!("multi");
const GHOST: Name = name!("ghost");
const ALICE: Name = name!("alice");
const THINGS: Name = name!("things");
/// Copying is said to have taken too long after this.
const FORK_LIMIT: Duration = Duration::from_secs(60);

fn boreas(node: &RunningNode, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("boreas"));
    command.args(["--url", &node.url]).args(arguments).env("HOME", "/nowhere").env_remove("BOREAS_IMPERSONATE");
    command.output().expect("boreas runs")
}

#[track_caller]
fn succeeds(node: &RunningNode, arguments: &[&str]) -> String {
    let output = boreas(node, arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[track_caller]
fn fails(node: &RunningNode, arguments: &[&str]) -> String {
    let output = boreas(node, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Sends actions that the development key signs.
fn push(node: &Node, actions: Vec<Action>) {
    let key: PrivateKey = DEV_PRIVATE_KEY.parse().expect("a key");
    let settings = SendSettings {
        sign_with: vec![key.public_key().expect("a key")],
        return_failure_trace: false,
        ..SendSettings::default()
    };
    let draft = Draft { context_free_actions: Vec::new(), actions };
    let signed = draft.sign(node, std::slice::from_ref(&key), &settings).expect("the transaction is signed");
    Receipt::of(node, &signed, &settings).unwrap_or_else(|error| panic!("{error}"));
}

/// A contract with a table that has an index of each kind, in two scopes: keys with gaps and without, keys that several
/// rows have, and rows that are alike.
fn fill(api: &Node, load: &mut Load) {
    let authority = json!({
        "threshold": 1, "keys": [{ "key": DEV_PUBLIC_KEY, "weight": 1 }], "accounts": [], "waits": [],
    });
    let coded = json!({
        "threshold": 1, "keys": [{ "key": DEV_PUBLIC_KEY, "weight": 1 }], "waits": [],
        "accounts": [{ "permission": { "actor": "multi", "permission": "eosio.code" }, "weight": 1 }],
    });
    for (account, active) in [(MULTI, &coded), (GHOST, &authority)] {
        let new = json!({ "creator": "eosio", "name": account, "owner": authority, "active": active });
        load.send(name!("eosio"), name!("newaccount"), name!("eosio"), &new).expect("an account is created");
    }
    load.set_code(MULTI, editor::MODULE).expect("the editor is a contract");
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let abi = json!({
        "version": "eosio::abi/1.1",
        "structs": [{ "name": "thing", "base": "", "fields": [field("text", "bytes")] }],
        "tables": [{ "name": "things", "index_type": "i64", "key_names": [], "key_types": [], "type": "thing" }],
    });
    load.set_abi(MULTI, &serde_json::from_value(abi).expect("an ABI")).expect("the ABI is taken");
    let index = |number: u64| Name(THINGS.0 | number);
    for (scope, ids) in [(MULTI, vec![0, 1, 2, 3, 4, 5, 1000, 1001, u64::MAX - 2]), (name!("other"), vec![77])] {
        let (mut rows, mut keys) = (Vec::new(), Vec::new());
        for (at, id) in ids.iter().copied().enumerate() {
            let payer = [MULTI, ALICE, GHOST][at % 3];
            let small = at as f64 / 1e10 / 3.0;
            let mut bytes = small.to_le_bytes().to_vec();
            bytes.extend_from_slice(&(id.min(2000) / 3).to_le_bytes());
            // Two rows are alike.
            let bytes = if (1000..2000).contains(&id) { vec![1, 2, 3] } else { bytes };
            rows.push(EditedRow { scope, table: THINGS, payer, id, bytes: Some(bytes) });
            let wide = u128::from(u64::MAX) << 3 | at as u128;
            let kinds = [
                SecondaryKey::Key64(100 - id.min(2000) / 3 % 3),
                SecondaryKey::Key128(u128::MAX - wide),
                SecondaryKey::Key256([wide, 7]),
                SecondaryKey::Double((if (1000..2000).contains(&id) { -2.5 } else { small }).to_bits()),
                SecondaryKey::LongDouble(0x3fff_u128 << 112 | (at as u128) << 60),
            ];
            for (number, key) in kinds.into_iter().enumerate() {
                keys.push(EditedKey { scope, table: index(number as u64), payer, id, key });
            }
        }
        let keys_of_all = std::mem::take(&mut keys);
        push(api, vec![editor::write(MULTI, &rows, &keys_of_all)]);
    }
    let token = std::fs::read(e2e::contract("eosio.token").join("eosio.token.wasm")).expect("the token is built");
    load.set_code(MULTI, &token).expect("another contract is taken");
}

/// The rows of a table by an index, and what pages of one row say.
fn rows(node: &Node, code: &str, scope: &str, table: &str, index: (u32, &str)) -> (Value, Value) {
    let mut body = json!({
        "json": false, "show_payer": true, "code": code, "scope": scope, "table": table, "limit": 1000,
        "index_position": index.0.to_string(), "key_type": index.1, "time_limit_ms": 1000,
    });
    let all = node.call("/v1/chain/get_table_rows", &body).expect("rows")["rows"].clone();
    body["limit"] = json!(1);
    body["reverse"] = json!(true);
    (all, node.call("/v1/chain/get_table_rows", &body).expect("rows")["next_key"].clone())
}

fn tables(node: &Node, code: &str) -> Vec<(Value, Value, Value)> {
    let body = json!({ "code": code, "limit": 1000 });
    let answer = node.call("/v1/chain/get_table_by_scope", &body).expect("tables");
    let rows = answer["rows"].as_array().expect("a list").clone();
    rows.iter().map(|row| (row["scope"].clone(), row["table"].clone(), row["count"].clone())).collect()
}

const INDEXES: [(u32, &str); 6] = [(1, "i64"), (2, "i64"), (3, "i128"), (4, "sha256"), (5, "float64"), (6, "float128")];

#[test]
fn contracts_of_nodeos_are_copied_whole() {
    let Some(peer) = Peer::find() else { return };
    let folder = tempfile::tempdir().expect("temporary folder");
    let theirs = tempfile::tempdir().expect("temporary folder");
    let nodeos = peer.serve(theirs.path());
    let source = Node::new(&nodeos.url, Vec::new());
    let mut load = Load::set_up(source.clone()).expect("the chain of nodeos is set up");
    load.transfer().expect("a transfer");
    fill(&source, &mut load);

    let node = RunningNode::dev(folder.path(), &[]);
    let message = fails(&node, &["dev", "fork", &nodeos.url, "nosuch"]);
    assert!(
        message.contains("nosuch is not copied") && message.contains("unable to retrieve account info"),
        "{message}"
    );
    let message = fails(&node, &["dev", "fork", &nodeos.url, "alice"]);
    assert!(message.contains("alice has no contract at"), "{message}");
    let message = fails(&node, &["dev", "fork", &nodeos.url, "eosio"]);
    assert!(message.contains("it is the chain itself"), "{message}");
    let message = fails(&node, &["dev", "fork", "http://127.0.0.1:9", "multi"]);
    assert!(message.contains("no answer from http://127.0.0.1:9"), "{message}");

    let said = succeeds(&node, &["dev", "fork", &nodeos.url, "multi,eosio.token"]);
    assert!(said.contains("multi is here, with an account of its own: 10 rows and 50 entries"), "{said}");
    assert!(said.contains("whose payers are not here or have not enough RAM: ghost"), "{said}");
    for scope in ["multi", "other"] {
        for index in INDEXES {
            let (there, here) =
                (rows(&source, "multi", scope, "things", index), rows(&node.api, "multi", scope, "things", index));
            let billed: Value = there.0.to_string().replace("\"ghost\"", "\"multi\"").parse().expect("JSON");
            assert_eq!((billed, there.1), here, "{scope} {index:?}");
        }
    }
    for contract in ["multi", "eosio.token"] {
        assert_eq!(tables(&source, contract), tables(&node.api, contract));
        for path in ["/v1/chain/get_raw_abi", "/v1/chain/get_code_hash"] {
            let body = json!({ "account_name": contract });
            let hash = |node: &Node| {
                node.call(path, &body).map(|answer| [answer["abi_hash"].clone(), answer["code_hash"].clone()])
            };
            assert_eq!(hash(&source).expect("an answer"), hash(&node.api).expect("an answer"), "{path}");
        }
    }
    for scope in ["eosio", "alice"] {
        let index = (1, "i64");
        assert_eq!(
            rows(&source, "eosio.token", scope, "accounts", index),
            rows(&node.api, "eosio.token", scope, "accounts", index)
        );
    }
    let account = node.call("/v1/chain/get_account", &json!({ "account_name": "multi" }));
    let active = &account["permissions"][0]["required_auth"];
    assert_eq!(active["keys"][0]["key"], DEV_PUBLIC_KEY);
    assert_eq!(active["accounts"][0]["permission"], json!({ "actor": "multi", "permission": "eosio.code" }));
    assert_eq!(account["ram_quota"], (1_u64 << 40).to_string());
    assert_eq!((&account["net_weight"], &account["cpu_weight"]), (&json!(-1), &json!(-1)));
    // The token of nodeos works here.
    succeeds(&node, &["--impersonate", "transfer", "eosio", "bob", "1.0000 SYS"]);
    // Once more over what is there.
    succeeds(&node, &["dev", "fork", &nodeos.url, "multi"]);
    assert_eq!(tables(&source, "multi"), tables(&node.api, "multi"));
}

/// Waits until a line of the log has a text.
fn wait_for(node: &RunningNode, text: &str) {
    let begin = Instant::now();
    while !node.log().contains(text) {
        assert!(begin.elapsed() < FORK_LIMIT, "{text:?} is not in the log:\n{}", node.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_development_chain_begins_with_contracts_of_another() {
    let (folder, other) =
        (tempfile::tempdir().expect("temporary folder"), tempfile::tempdir().expect("temporary folder"));
    let source = RunningNode::dev(other.path(), &["--block-mode=transaction", "--preset=minimal"]);
    let act = |arguments: &[&str]| succeeds(&source, &[&["--impersonate"], arguments].concat());
    for (id, account) in [("eosio", "zed"), ("eosio", "yod")] {
        act(&[
            "system",
            "newaccount",
            id,
            account,
            DEV_PUBLIC_KEY,
            "--stake-net",
            "1 SYS",
            "--stake-cpu",
            "1 SYS",
            "--buy-ram-kbytes",
            "900",
        ]);
    }
    let escrow = e2e::contract("escrow");
    succeeds(&source, &["dev", "set", "code", "zed", escrow.to_str().expect("a path of ASCII")]);
    for subject in ["a house", "a boat", "a tree"] {
        let open = format!(r#"["eosio", "yod", "1.0000 SYS", "2040-01-01T00:00:00", "{subject}"]"#);
        act(&["push", "action", "zed", "open", &open, "-p", "eosio"]);
    }
    let propose = r#"[{"actor": "eosio", "permission": "active"}]"#;
    let transfer = r#"{"from": "eosio", "to": "zed", "quantity": "1.0000 SYS", "memo": ""}"#;
    act(&["multisig", "propose", "pay", propose, propose, "eosio.token", "transfer", transfer, "-p", "eosio"]);

    let options = ["--block-mode=manual", "--fork-url", &source.url, "--contract", "zed,eosio.msig"];
    let node = RunningNode::dev(folder.path(), &options);
    wait_for(&node, "zed is here");
    wait_for(&node, "eosio.msig is here");
    for (code, scope, table, index) in [
        ("zed", "zed", "deals", (1, "i64")),
        ("zed", "zed", "deals", (2, "i64")),
        ("eosio.msig", "eosio", "proposal", (1, "i64")),
        ("eosio.msig", "eosio", "approvals2", (1, "i64")),
    ] {
        let (there, here) = (rows(&source.api, code, scope, table, index), rows(&node.api, code, scope, table, index));
        let billed: Value = there.0.to_string().replace("\"yod\"", "\"zed\"").parse().expect("JSON");
        assert_eq!((billed, there.1), here, "{code} {table} {index:?}");
        assert!(!there.0.as_array().expect("a list").is_empty(), "{code} {table}");
    }
    // The contract is whole: it finds its deals and makes another one.
    succeeds(
        &node,
        &[
            "--impersonate",
            "push",
            "action",
            "zed",
            "open",
            r#"["eosio", "alice", "2.0000 SYS", "2040-01-01T00:00:00", "a bell"]"#,
            "-p",
            "eosio",
        ],
    );
    assert_eq!(rows(&node.api, "zed", "zed", "deals", (1, "i64")).0.as_array().map(Vec::len), Some(4));
    node.call("/v1/dev/produce", &json!({ "blocks": 1 }));
    node.stop();
    let node = RunningNode::dev(folder.path(), &options);
    wait_for(&node, "was copied by an earlier start");
    assert_eq!(rows(&node.api, "zed", "zed", "deals", (1, "i64")).0.as_array().map(Vec::len), Some(4));
    node.stop();

    // What cannot be copied ends the node, with the reason.
    let address = format!("127.0.0.1:{}", e2e::free_port());
    let output = Command::new(binary("boreasd"))
        .args(["dev", "--reset", "--fork-url", &source.url, "--contract", "nosuch", "--http-server-address", &address])
        .arg("--data-dir")
        .arg(folder.path())
        .output()
        .expect("boreasd runs");
    let missing = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && missing.contains("nosuch cannot be copied"), "{missing}");
    assert!(missing.contains("unable to retrieve account info"), "{missing}");
    let missing = RunningNode::refusal(folder.path(), &["dev", "--fork-url", &source.url]);
    assert!(missing.contains("--contract"), "{missing}");
}
