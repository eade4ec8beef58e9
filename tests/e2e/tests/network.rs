//! Two nodes: one produces, and one that comes later has the blocks from it and sends it transactions.

use std::path::Path;
use std::time::{Duration, Instant};

use client::Node;
use e2e::{DEV_PRIVATE_KEY, DEV_PUBLIC_KEY, Load, RunningNode, free_port};
use serde_json::{Value, json};

/// What must happen has happened after this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Transfers before the others come, and after.
const TRANSFERS: usize = 20;

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A genesis of the last minute, so that there are not years of empty slots before the first block.
fn genesis(path: &Path) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock of this century");
    let began = primitives::TimePoint((now.as_secs() as i64 - 60) * 1_000_000);
    let document = json!({ "initial_timestamp": began.to_string(), "initial_key": DEV_PUBLIC_KEY });
    std::fs::write(path, document.to_string()).expect("written");
    path.to_str().expect("a path of ASCII").to_owned()
}

fn balance(node: &Node) -> Value {
    let question = json!({ "code": "eosio.token", "account": "alice", "symbol": "SYS" });
    node.call("/v1/chain/get_currency_balance", &question).unwrap_or_default()
}

/// The first node's head with its state, once all nodes are there.
fn integrity(nodes: &[&Node]) -> Vec<Value> {
    let mut seen = Vec::new();
    until("moment at which all are at one head", || {
        let answers = nodes.iter().map(|node| node.call("/v1/producer/get_integrity_hash", &json!({})));
        seen = answers.map(|answer| answer.expect("the node answers")).collect();
        seen.iter().all(|one| one["head_block_id"] == seen[0]["head_block_id"])
    });
    seen
}

#[test]
fn blocks_and_transactions_travel_between_nodes() {
    let folders: Vec<_> = (0..2).map(|_| tempfile::tempdir().expect("temporary folder")).collect();
    let genesis = genesis(&folders[0].path().join("genesis.json"));
    let first = format!("127.0.0.1:{}", free_port());

    let producer =
        RunningNode::start(folders[0].path(), &["--genesis-json", &genesis, "--p2p-listen-endpoint", &first]);
    let mut load = Load::set_up(producer.api.clone()).expect("the chain is set up");
    for _ in 0..TRANSFERS {
        load.transfer().expect("the producer takes it");
    }

    let follower = RunningNode::follow_with(
        folders[1].path(),
        &[&["--genesis-json", &genesis, "--p2p-peer-address", &first][..], &["--plugin", "eosio::net_api_plugin"]]
            .concat(),
    );
    let nodes = [&producer.api, &follower.api];
    let sent = |count: usize| json!([format!("0.{count:04} SYS")]);
    until("chain of the producer at all nodes", || nodes.iter().all(|node| balance(node) == sent(TRANSFERS)));

    // Entered where nobody produces, they reach who does, and come back in blocks.
    let mut load = Load::signing_with(follower.api.clone(), DEV_PRIVATE_KEY);
    for _ in 0..TRANSFERS {
        load.transfer().expect("the follower takes it");
    }
    until("transfers at the producer", || balance(&producer.api) == sent(2 * TRANSFERS));
    until("transfers at all nodes", || nodes.iter().all(|node| balance(node) == sent(2 * TRANSFERS)));

    let states = integrity(&nodes);
    assert!(states.iter().all(|state| state["integrity_hash"] == states[0]["integrity_hash"]), "{states:?}");
    let connections = follower.call("/v1/net/connections", &json!({}));
    assert!(connections.as_array().is_some_and(|list| list.iter().any(|one| one["peer"] == first)), "{connections}");
    follower.stop();
    producer.stop();
}
