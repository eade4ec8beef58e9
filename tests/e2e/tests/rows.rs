//! Rows of a development chain that no key allows: written, changed and removed from the command line, in ordinary blocks
//! that replay to the same state.

use std::path::Path;
use std::process::{Command, Output};

use e2e::{Peer, RunningNode, binary, export_blocks, free_port, replay};
use serde_json::{Value, json};

fn boreas(node: &RunningNode, home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("boreas"));
    command.args(["--url", &node.url]).args(arguments).env("HOME", home).env_remove("BOREAS_IMPERSONATE");
    command.output().expect("boreas runs")
}

/// What it prints, notes included.
#[track_caller]
fn succeeds(node: &RunningNode, home: &Path, arguments: &[&str]) -> String {
    let output = boreas(node, home, arguments);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

#[track_caller]
fn fails(node: &RunningNode, home: &Path, arguments: &[&str]) -> String {
    let output = boreas(node, home, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Rows as `get_table_rows` shows them, with who pays.
fn rows(node: &RunningNode, code: &str, scope: &str, table: &str) -> Value {
    let body = json!({ "json": true, "show_payer": true, "code": code, "scope": scope, "table": table, "limit": 100 });
    node.call("/v1/chain/get_table_rows", &body)["rows"].clone()
}

fn code_hash(node: &RunningNode, account: &str) -> Value {
    node.call("/v1/chain/get_code_hash", &json!({ "account_name": account }))["code_hash"].clone()
}

/// nodeos replays a block log, without checking signatures, and says what its state hashes to.
fn replay_on_nodeos(peer: &Peer, log: &Path, head: u64, folder: &Path) -> String {
    let blocks = folder.join("blocks");
    std::fs::create_dir_all(&blocks).expect("the folder can be written");
    std::fs::copy(log, blocks.join("blocks.log")).expect("the log can be copied");
    let output = peer
        .program("nodeos")
        .arg("--data-dir")
        .arg(folder)
        .arg("--config-dir")
        .arg(folder.join("config"))
        .args(["--http-server-address", "", "--p2p-listen-endpoint", &format!("127.0.0.1:{}", free_port())])
        .args(["--hard-replay-blockchain", "--integrity-hash-on-stop"])
        .args(["--eos-vm-oc-enable", "none", "--terminate-at-block", &head.to_string()])
        .output()
        .expect("nodeos runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let hash = said.lines().rev().find_map(|line| line.split("stopped with hash: ").nth(1));
    hash.unwrap_or_else(|| panic!("nodeos does not replay to block {head}:\n{said}")).trim().to_owned()
}

#[test]
fn rows_are_edited_in_blocks_that_replay() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let home = folder.path().join("home");
    let node = RunningNode::dev(folder.path(), &["--block-mode=transaction"]);
    let set = |arguments: &[&str]| succeeds(&node, &home, &[&["dev", "set", "row"], arguments].concat());
    let refused = |arguments: &[&str]| fails(&node, &home, &[&["dev", "set", "row"], arguments].concat());

    // A balance that nobody issued, of who paid before; and one of who had none.
    let token = code_hash(&node, "eosio.token");
    let payer = rows(&node, "eosio.token", "alice", "accounts")[0]["payer"].clone();
    set(&["eosio.token", "alice", "accounts", "SYS", r#"{"balance": "5.0000 SYS"}"#]);
    assert_eq!(
        rows(&node, "eosio.token", "alice", "accounts"),
        json!([{ "data": { "balance": "5.0000 SYS" }, "payer": payer }])
    );
    set(&["eosio.token", "eosio.null", "accounts", "SYS", "--hex", "00", "--payer", "bob"]);
    set(&["eosio.token", "eosio.null", "accounts", "SYS", r#"{"balance": "1.0000 SYS"}"#, "--payer", "bob"]);
    assert_eq!(rows(&node, "eosio.token", "eosio.null", "accounts")[0]["payer"], "bob");
    assert_eq!(code_hash(&node, "eosio.token"), token, "the contract is in its place again");
    succeeds(&node, &home, &["--impersonate", "transfer", "alice", "bob", "5.0000 SYS"]);

    // A contract with a secondary index, whose entries are said to stay.
    let escrow = e2e::contract("escrow");
    succeeds(&node, &home, &["dev", "set", "code", "carol", escrow.to_str().expect("a path of ASCII")]);
    let open = r#"["alice", "bob", "1.0000 SYS", "2040-01-01T00:00:00", "a house"]"#;
    succeeds(&node, &home, &["--impersonate", "push", "action", "carol", "open", open, "-p", "alice"]);
    let mut deal = rows(&node, "carol", "carol", "deals")[0].clone();
    let id = deal["data"]["id"].to_string();
    deal["data"]["price"] = json!("9.0000 SYS");
    let said = set(&["carol", "carol", "deals", &id, &deal["data"].to_string()]);
    assert!(said.contains("has 1 secondary index here, whose entries stay as they are"), "{said}");
    assert_eq!(rows(&node, "carol", "carol", "deals"), json!([deal]));
    let seller = json!({ "account": "alice", "released": 3, "expired": 1 });
    let said = set(&["carol", "carol", "sellers", "alice", &seller.to_string()]);
    assert!(!said.contains("secondary"), "{said}");
    assert_eq!(rows(&node, "carol", "carol", "sellers"), json!([{ "data": seller, "payer": "carol" }]));
    set(&["carol", "carol", "sellers", "alice", "--remove"]);
    assert_eq!(rows(&node, "carol", "carol", "sellers"), json!([]));

    // The system contract itself; an account without a contract.
    let mut producer = rows(&node, "eosio", "eosio", "producers")[0]["data"].clone();
    producer["url"] = json!("https://edited.example");
    set(&["eosio", "eosio", "producers", "producer1", &producer.to_string()]);
    // Each block adds to what is counted there.
    let edited = rows(&node, "eosio", "eosio", "producers")[0]["data"].clone();
    assert_eq!((&edited["url"], &edited["total_votes"]), (&producer["url"], &producer["total_votes"]));
    set(&["dave", "dave", "things", "7", "--hex", "0x00ff"]);
    assert_eq!(code_hash(&node, "dave"), json!("0".repeat(64)));
    let tables = node.call("/v1/chain/get_table_by_scope", &json!({ "code": "dave" }));
    assert_eq!(tables["rows"][0]["count"], 1, "{tables}");

    let message = refused(&["carol", "carol", "sellers", "alice", "--remove"]);
    assert!(message.contains("there is no row alice in the table sellers of carol"), "{message}");
    let message = refused(&["carol", "carol", "dealz", "1", "{}"]);
    assert!(message.contains("carol has no table dealz in its ABI; it has: deals, sellers"), "{message}");
    let message = refused(&["carol", "carol", "sellers", "alice", r#"{"account": "alice", "released": "x"}"#]);
    assert!(message.contains("released has to be uint32"), "{message}");
    let message = refused(&["carol", "carol", "sellers", "alice", "--hex", "0"]);
    assert!(message.contains("is not hexadecimal digits"), "{message}");
    let message = refused(&["carol", "Carol!", "sellers", "alice", "--hex", "00"]);
    assert!(message.contains("is not a valid scope"), "{message}");
    let message = refused(&["nobody", "nobody", "things", "1", "--hex", "00"]);
    assert!(message.contains("no such key: nobody"), "{message}");
    let message = refused(&["carol", "carol", "sellers", "alice", "--hex", "00", "--payer", "nobody"]);
    assert!(message.contains("nobody"), "{message}");

    // The same state from the blocks, here and on nodeos.
    let state = node.call("/v1/producer/get_integrity_hash", &json!({}));
    let head = node.head();
    node.call("/v1/dev/produce", &json!({ "blocks": 5 }));
    node.stop();
    let log = export_blocks(folder.path());
    let replayed = replay(&log, &["--stop-at-block", &head.to_string()]);
    assert_eq!(replayed["integrity_hash"], state["integrity_hash"]);
    let Some(peer) = Peer::find() else { return };
    let theirs = replay_on_nodeos(&peer, &log, head, &folder.path().join("nodeos"));
    assert_eq!(state["integrity_hash"], theirs.as_str());
}

#[test]
fn other_chains_keep_their_rows() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let message = fails(&node, folder.path(), &["dev", "set", "row", "eosio", "eosio", "things", "1", "--hex", "00"]);
    assert!(message.contains("does not run a development chain"), "{message}");
}
