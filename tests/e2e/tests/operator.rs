//! What an operator does to a running node: lists, snapshots and their schedule, transactions that are waited for.

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::{Load, RunningNode};
use primitives::name;
use serde_json::{Value, json};

/// How long something that follows a block may take.
const SOON: Duration = Duration::from_secs(15);

fn call(node: &RunningNode, path: &str, body: &Value) -> Value {
    node.api.call(path, body).unwrap_or_else(|error| panic!("{path} {body}: {error}"))
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < SOON, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn snapshots(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("snapshots")).map(|files| {
        files.filter_map(|file| file.ok()?.file_name().into_string().ok()).filter(|name| name.starts_with("snapshot-0"))
    });
    files.map(Iterator::collect).unwrap_or_default()
}

#[test]
fn lists_bind_from_the_next_transaction_on() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let mut load = Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    let set = |lists: Value| call(&node, "/v1/producer/set_whitelist_blacklist", &lists);
    set(json!({"action_blacklist": [["eosio.token", "transfer"]]}));
    let refused = load.transfer().expect_err("the action is on the blacklist").to_string();
    assert!(refused.contains("action 'eosio.token::transfer' is on the action blacklist"), "{refused}");
    set(json!({"action_blacklist": [], "contract_blacklist": ["eosio.token"]}));
    let refused = load.transfer().expect_err("the contract is on the blacklist").to_string();
    assert!(refused.contains("account 'eosio.token' is on the contract blacklist"), "{refused}");
    set(json!({"contract_blacklist": []}));
    load.transfer().expect("no list is in the way");

    let ratio = || {
        let account = call(&node, "/v1/chain/get_account", &json!({"account_name": "alice"}));
        account["cpu_limit"]["max"].as_i64().expect("a number")
    };
    call(&node, "/v1/producer/add_greylist_accounts", &json!({"accounts": ["alice"]}));
    assert_eq!(call(&node, "/v1/producer/get_greylist", &json!({})), json!({"accounts": ["alice"]}));
    assert_eq!(ratio(), -1, "without stakes there is no limit to shorten");
    call(&node, "/v1/producer/remove_greylist_accounts", &json!({"accounts": ["alice"]}));
    assert_eq!(call(&node, "/v1/producer/get_greylist", &json!({})), json!({"accounts": []}));
}

#[test]
fn snapshots_are_made_as_scheduled_and_the_schedule_survives() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let made = call(&node, "/v1/producer/create_snapshot", &json!({}));
    let file = made["snapshot_name"].as_str().expect("a path");
    assert!(Path::new(file).is_file() && file.contains(made["head_block_id"].as_str().expect("an id")), "{made}");
    let head = node.head();
    let request = json!({"block_spacing": 2, "start_block_num": head + 2, "snapshot_description": "nightly"});
    let scheduled = call(&node, "/v1/producer/schedule_snapshot", &request);
    assert_eq!(scheduled["snapshot_request_id"], 0);
    assert!(node.api.call("/v1/producer/schedule_snapshot", &request).is_err(), "it is scheduled already");
    until("scheduled snapshots are made", || snapshots(folder.path()).len() >= 3);
    node.kill();

    let node = RunningNode::start(folder.path(), &[]);
    let before = snapshots(folder.path()).len();
    let requests = call(&node, "/v1/producer/get_snapshot_requests", &json!({}));
    assert_eq!(requests["snapshot_requests"][0]["snapshot_description"], "nightly", "{requests}");
    until("the schedule goes on after a restart", || snapshots(folder.path()).len() > before);
    call(&node, "/v1/producer/unschedule_snapshot", &json!({"snapshot_request_id": 0}));
    let requests = call(&node, "/v1/producer/get_snapshot_requests", &json!({}));
    assert_eq!(requests, json!({"snapshot_requests": []}));
    let newest = snapshots(folder.path()).into_iter().max().expect("there are snapshots");
    node.stop();

    let other = tempfile::tempdir().expect("temporary folder");
    let snapshot = folder.path().join("snapshots").join(newest);
    let node = RunningNode::start(other.path(), &["--snapshot", snapshot.to_str().expect("a path of ASCII")]);
    assert!(node.head() > head, "a chain begins from a scheduled snapshot");
}

#[test]
fn a_retried_transaction_is_answered_when_it_is_irreversible() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(
        folder.path(),
        &["--transaction-retry-max-storage-size-gb", "1", "--transaction-finality-status-max-storage-size-gb", "1"],
    );
    let mut load = Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    load.retry_irreversible = true;
    let answer = load.transfer().expect("the transfer is good");
    let trace = &answer["processed"];
    let block = trace["block_num"].as_u64().expect("a number");
    assert!(trace["producer_block_id"].is_string(), "it is in a block: {trace}");
    let info = node.info().expect("the node answers");
    assert!(info["last_irreversible_block_num"].as_u64() >= Some(block), "{info}");
    let status = call(&node, "/v1/chain/get_transaction_status", &json!({"id": answer["transaction_id"]}));
    assert_eq!(status["state"], "IRREVERSIBLE", "{status}");
    assert_eq!(status["block_number"].as_u64(), Some(block), "{status}");

    let bare = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(bare.path(), &[]);
    let refused =
        Load::set_up_retrying(node.api.clone()).expect_err("retry is off unless it is given memory").to_string();
    assert!(refused.contains("Transaction retry not enabled on node"), "{refused}");
}

#[test]
fn accounts_pay_this_node_for_what_fails() {
    let used = |node: &RunningNode, account: &str| {
        let answer = call(node, "/v1/chain/get_account", &json!({"account_name": account}));
        answer["subjective_cpu_bill_limit"]["used"].as_u64().expect("a number")
    };
    let fail = |load: &mut Load, number: u32| {
        let transfer =
            json!({"from": "alice", "to": "eosio", "quantity": "999999999.0000 SYS", "memo": number.to_string()});
        load.send(name!("eosio.token"), name!("transfer"), name!("alice"), &transfer)
            .expect_err("alice has nothing")
            .to_string()
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let on = ["--disable-subjective-billing", "false", "--subjective-account-max-failures-window-size", "1000"];
    let mut node = RunningNode::start(folder.path(), &on);
    let mut load = Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    assert_eq!(used(&node, "alice"), 0);
    for number in 0..3 {
        let error = fail(&mut load, number);
        assert!(error.contains("no balance object found"), "{error}");
    }
    let refused = fail(&mut load, 3);
    assert!(refused.contains("exceeded failure limit for account alice until"), "{refused}");
    assert!(used(&node, "alice") > 0);
    let head = node.head();
    node.wait_until("a block with the accounts", |info| info["head_block_num"].as_u64() > Some(head + 1));
    node.stop();

    // Without the option, and for accounts that are exempt, failing is free.
    for options in
        [&[][..], &["--disable-subjective-api-billing", "false", "--disable-subjective-account-billing", "alice"]]
    {
        let node = RunningNode::start(folder.path(), options);
        let mut load = Load::new(node.api.clone());
        for number in 10..16 {
            let error = fail(&mut load, number);
            assert!(error.contains("no balance object found"), "{error}");
        }
        assert_eq!(used(&node, "alice"), 0);
        node.stop();
    }
}
