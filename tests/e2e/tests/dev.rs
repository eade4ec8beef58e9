//! `boreasd dev`: a running system in one command, that goes on where it stopped.

use std::process::Command;
use std::time::Duration;

use e2e::{Load, RunningNode, binary};
use primitives::{BlockTimestamp, TimePoint, name};
use serde_json::{Value, json};

/// An empty folder to a served chain takes half a second on two cores; tests run side by side.
const STARTS_WITHIN: Duration = Duration::from_secs(5);
/// The built-in document's refunds are due after five seconds.
const REFUND_DELAY: Duration = Duration::from_secs(6);

fn call(node: &RunningNode, path: &str, body: &Value) -> Value {
    node.api.call(path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn schedule(node: &RunningNode) -> Vec<String> {
    let schedule = call(node, "/v1/chain/get_producer_schedule", &json!({}));
    let producers = schedule["active"]["producers"].as_array().expect("a list").clone();
    producers.iter().map(|entry| entry["producer_name"].as_str().expect("a name").to_owned()).collect()
}

/// What `boreasd` says when it refuses to start.
fn refusal(arguments: &[&str]) -> String {
    let address = ["--http-server-address", "127.0.0.1:0"];
    let output = Command::new(binary("boreasd")).args(arguments).args(address).output().expect("boreasd runs");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_dev_chain_has_a_running_system_and_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    assert!(node.started_in < STARTS_WITHIN, "served after {:?}", node.started_in);

    let features = call(&node, "/v1/chain/get_activated_protocol_features", &json!({ "limit": 100 }));
    assert_eq!(features["activated_protocol_features"].as_array().map(Vec::len), Some(19));
    assert_eq!(schedule(&node), ["producer1"]);
    // The last one to be printed.
    node.printed_keys("producer1");
    let printed = node.log().lines().filter(|line| line.contains(" 5") && line.contains(" EOS")).count();
    assert_eq!(printed, 12, "eosio, ten accounts and a producer are printed with their keys");
    let alice = call(&node, "/v1/chain/get_account", &json!({ "account_name": "alice" }));
    assert_eq!(alice["core_liquid_balance"], "1000000.0000 SYS");
    assert!(alice["ram_quota"].as_i64() >= Some(1 << 20), "{alice}");
    assert_eq!(alice["total_resources"]["net_weight"], "10000.0000 SYS");

    let mut sender = Load::signing_with(node.api.clone(), &node.printed_keys("alice").1);
    let mut push = |action, arguments: Value| sender.send(name!("eosio"), action, name!("alice"), &arguments);
    let stake = |quantities: [&str; 2]| json!({ "from": "alice", "receiver": "bob", quantities[0]: "1.0000 SYS", quantities[1]: "1.0000 SYS" });
    let mut delegate = stake(["stake_net_quantity", "stake_cpu_quantity"]);
    delegate["transfer"] = json!(false);
    push(name!("delegatebw"), delegate).expect("alice can delegate");
    push(name!("undelegatebw"), stake(["unstake_net_quantity", "unstake_cpu_quantity"])).expect("and undelegate");
    push(name!("voteproducer"), json!({ "voter": "alice", "proxy": "", "producers": ["producer1"] }))
        .expect("and vote");
    let early = push(name!("refund"), json!({ "owner": "alice" })).expect_err("a refund takes five seconds");
    assert!(early.to_string().contains("refund is not available yet"), "{early}");
    std::thread::sleep(REFUND_DELAY);
    push(name!("refund"), json!({ "owner": "alice" })).expect("the refund is due");

    let (head, boots) = (node.head(), |node: &RunningNode| node.log().matches("booted the chain").count());
    let id = node.block_id(head);
    assert!(node.stop() < Duration::from_secs(1));
    let node = RunningNode::dev(folder.path(), &[]);
    assert_eq!((node.block_id(head), boots(&node)), (id, 1));
    node.kill();
    let node = RunningNode::dev(folder.path(), &["--reset"]);
    assert!(node.head() < head);
    assert_eq!(boots(&node), 2);
}

#[test]
fn a_document_sets_accounts_producers_and_parameters() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let document = folder.path().join("chain.json");
    let write = |refund_delay_sec: u32| {
        let document = json!({
            "core_symbol": "4,TOK", "maximum_supply": "90000000.0000 TOK", "initial_supply": "80000000.0000 TOK",
            "parameters": { "refund_delay_sec": refund_delay_sec, "min_activated_stake": 0 },
            "accounts": [{ "name": "zoe", "balance": "7.0000 TOK", "stake": "2.0000 TOK", "ram_bytes": 8192 }],
            "producers": [{ "name": "prodb" }, { "name": "proda" }],
        });
        std::fs::write(folder.path().join("chain.json"), document.to_string()).expect("the folder can be written");
    };
    write(1);
    let given = ["--genesis-document", document.to_str().expect("a path of ASCII")];
    let mut node = RunningNode::dev(folder.path(), &given);
    assert_eq!(schedule(&node), ["proda", "prodb"]);
    let balance = json!({ "code": "eosio.token", "account": "zoe" });
    assert_eq!(call(&node, "/v1/chain/get_currency_balance", &balance), json!(["7.0000 TOK"]));
    for producer in ["proda", "prodb"] {
        node.wait_until(&format!("block of {producer}"), |info| info["head_block_producer"] == producer);
    }
    node.stop();

    let data_dir = folder.path().to_str().expect("a path of ASCII");
    write(2);
    let message = refusal(&[&["dev", "--data-dir", data_dir], &given[..]].concat());
    assert!(message.contains("booted from another document") && message.contains("--reset"), "{message}");
    std::fs::write(&document, r#"{"core_symbol":"4,SYS","acounts":[]}"#).expect("the folder can be written");
    let message = refusal(&[&["dev", "--reset", "--data-dir", data_dir], &given[..]].concat());
    assert!(message.contains("acounts"), "{message}");
}

#[test]
fn each_document_has_a_chain_id_of_its_own() {
    let id = |arguments: &[&str]| {
        let folder = tempfile::tempdir().expect("temporary folder");
        let begun = RunningNode::dev(folder.path(), arguments);
        let id = begun.info().expect("it answers")["chain_id"].clone();
        begun.stop();
        // It goes on as what it is.
        let found = RunningNode::dev(folder.path(), &[]).info().expect("it answers")["chain_id"].clone();
        assert_eq!(found, id);
        id
    };
    let (built_in, again, three) = (id(&[]), id(&[]), id(&["--accounts", "3"]));
    assert_eq!(built_in, again);
    let folder = tempfile::tempdir().expect("temporary folder");
    let plain = RunningNode::start(folder.path(), &[]).info().expect("it answers")["chain_id"].clone();
    assert!(built_in != three && built_in != plain && three != plain, "{built_in} {three} {plain}");
}

#[test]
fn a_chain_of_another_kind_is_not_touched() {
    let folder = tempfile::tempdir().expect("temporary folder");
    RunningNode::start(folder.path(), &[]).stop();
    let message = refusal(&["dev", "--data-dir", folder.path().to_str().expect("a path of ASCII")]);
    assert!(message.contains("not begun by boreasd dev") && message.contains("--reset"), "{message}");
    RunningNode::start(folder.path(), &[]).stop();
}

/// A block's place in time: half seconds since 2000.
fn slot(node: &RunningNode, number: u64) -> u32 {
    let block = call(node, "/v1/chain/get_block", &json!({ "block_num_or_id": number }));
    let time: TimePoint = block["timestamp"].as_str().expect("a text").parse().expect("a time");
    BlockTimestamp::at(time).0
}

/// Slots between a block and the one before it.
fn gap(node: &RunningNode, number: u64) -> u32 {
    slot(node, number) - slot(node, number - 1)
}

fn head_of(info: &Value) -> u64 {
    info["head_block_num"].as_u64().expect("a number")
}

/// Sends a transfer; the number of the block that it is in, or will be.
fn transfer(node: &RunningNode, memo: &str) -> u64 {
    let mut sender = Load::signing_with(node.api.clone(), &node.printed_keys("alice").1);
    let arguments = json!({ "from": "alice", "to": "bob", "quantity": "1.0000 SYS", "memo": memo });
    let sent = sender.send(name!("eosio.token"), name!("transfer"), name!("alice"), &arguments).expect("she has some");
    sent["processed"]["block_num"].as_u64().expect("a number")
}

#[test]
fn empty_blocks_are_left_out_but_where_something_waits_for_them() {
    /// Slots between blocks that nothing waits for: five seconds.
    const QUIET_SLOTS: u32 = 10;
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::dev(folder.path(), &["--no-empty-blocks"]);
    let mut head = node.head();
    // The boot's last blocks become irreversible first.
    while gap(&node, head) < QUIET_SLOTS {
        head = head_of(&node.wait_until("the next block", |info| head_of(info) > head));
    }
    node.wait_until("one more block", |info| head_of(info) > head);
    assert!(gap(&node, head + 1) >= QUIET_SLOTS, "nothing happened, and block {} was made", head + 1);
    // What was sent becomes irreversible by a block that is as empty as the others; a busy machine may make it late.
    let follows_soon = (0..5).any(|number| {
        let block = transfer(&node, &format!("transfer {number}"));
        node.wait_until("an irreversible transfer", |info| info["last_irreversible_block_num"].as_u64() >= Some(block));
        gap(&node, block + 1) < QUIET_SLOTS
    });
    assert!(follows_soon, "a transfer waits for its irreversibility as long as nothing does");
}

#[test]
fn blocks_are_made_as_their_mode_says() {
    /// Longer than a slot.
    const A_WHILE: Duration = Duration::from_millis(1200);
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));

    let mut node = RunningNode::dev(folders[0].path(), &["--block-mode=transaction"]);
    let head = node.head();
    std::thread::sleep(A_WHILE);
    assert_eq!(node.head(), head, "nothing was sent");
    for (memo, number) in [("a", head + 1), ("b", head + 2)] {
        assert_eq!(transfer(&node, memo), number);
        node.wait_until("its block", |info| head_of(info) >= number);
    }
    std::thread::sleep(A_WHILE);
    assert_eq!(node.head(), head + 2, "two were sent");

    let node = RunningNode::dev(folders[1].path(), &["--block-mode=manual"]);
    let head = node.head();
    assert_eq!(transfer(&node, "a"), head + 1);
    std::thread::sleep(A_WHILE);
    assert_eq!(node.head(), head, "nobody asked for a block");
    let produced = call(&node, "/v1/dev/produce", &json!({}));
    assert_eq!((&produced["blocks"], node.head()), (&json!(1), head + 1));
    let block = call(&node, "/v1/chain/get_block", &json!({ "block_num_or_id": head + 1 }));
    assert_eq!(block["transactions"].as_array().map(Vec::len), Some(1), "{block}");
    assert_eq!(transfer(&node, "b"), head + 2);
    let produced = call(&node, "/v1/dev/produce", &json!({ "blocks": 3 }));
    assert_eq!((&produced["blocks"], node.head()), (&json!(3), head + 4));

    let mut node = RunningNode::dev(folders[2].path(), &["--block-mode=interval=2s"]);
    let head = node.head();
    node.wait_until("three blocks", |info| head_of(info) >= head + 3);
    for number in head + 2..=head + 3 {
        assert!(gap(&node, number) >= 4, "block {number} is not two seconds after the one before");
    }
}
