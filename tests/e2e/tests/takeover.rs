//! The chain of others on a development node: it begins with a snapshot that nodeos wrote, has keys of its own for the
//! producers, and goes on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use client::{Connection, Node};
use e2e::{DEV_PUBLIC_KEY, Peer, RunningNode, binary, export_blocks};
use serde_json::{Value, json};

/// nodeos that has written no snapshot after this is broken.
const SNAPSHOT_LIMIT: Duration = Duration::from_secs(30);

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

/// The names and the keys of the schedule.
fn schedule(node: &RunningNode) -> Vec<(String, String)> {
    let schedule = node.call("/v1/chain/get_producer_schedule", &json!({}));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let entry = |entry: &Value| (text(&entry["producer_name"]), text(&entry["authority"][1]["keys"][0]["key"]));
    schedule["active"]["producers"].as_array().expect("a list").iter().map(entry).collect()
}

fn producers(node: &RunningNode) -> Vec<String> {
    schedule(node).into_iter().map(|(name, _)| name).collect()
}

fn hash(node: &RunningNode) -> (Value, Value) {
    let answer = node.call("/v1/producer/get_integrity_hash", &json!({}));
    (answer["head_block_id"].clone(), answer["integrity_hash"].clone())
}

/// A chain whose three elected producers, and a fourth one that has no votes, have keys of their own.
fn real_chain(folder: &Path) -> PathBuf {
    let producers_of = ["proda", "prodb", "prodc"].map(|name| json!({ "name": name, "key": DEV_PUBLIC_KEY }));
    let document = json!({
        "core_symbol": "4,SYS", "maximum_supply": "90000000.0000 SYS", "initial_supply": "80000000.0000 SYS",
        "parameters": { "min_activated_stake": 0 },
        "accounts": [{
            "name": "alice", "balance": "7.0000 SYS", "stake": "2000.0000 SYS", "ram_bytes": 8192,
            "key": DEV_PUBLIC_KEY, "votes": ["proda", "prodb", "prodc"],
        }, {
            "name": "prodd", "balance": "1.0000 SYS", "stake": "20.0000 SYS", "ram_bytes": 8192, "key": DEV_PUBLIC_KEY,
        }],
        "producers": producers_of,
    });
    let file = folder.join("chain.json");
    std::fs::write(&file, document.to_string()).expect("the folder can be written");
    let node = RunningNode::dev(
        folder,
        &["--block-mode=manual", "--genesis-document", file.to_str().expect("a path of ASCII")],
    );
    succeeds(&node, &["--impersonate", "system", "regproducer", "prodd", DEV_PUBLIC_KEY]);
    assert_eq!(producers(&node), ["proda", "prodb", "prodc"]);
    node.call("/v1/dev/produce", &json!({ "blocks": 120 }));
    node.stop();
    export_blocks(folder)
}

/// The snapshot that nodeos writes of the end of a block log.
fn snapshot_of_nodeos(peer: &Peer, log: &Path, folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder.join("blocks")).expect("the folder can be made");
    std::fs::copy(log, folder.join("blocks/blocks.log")).expect("the log is copied");
    let peers = format!("127.0.0.1:{}", e2e::free_port());
    let plugin = "eosio::producer_api_plugin";
    let nodeos = peer.join(
        folder,
        &["--hard-replay-blockchain", "--plugin", plugin, "--p2p-listen-endpoint", &peers, "--read-only-threads", "0"],
    );
    // The request waits until the block is irreversible, but the file is there at once, under another name.
    let hasty = Connection { try_timeout: Some(Duration::from_millis(500)), ..Connection::default() };
    let api = Node::connect(&nodeos.url, hasty);
    let begin = Instant::now();
    loop {
        let _ = api.call("/v1/producer/create_snapshot", &json!({}));
        let files = std::fs::read_dir(folder.join("snapshots")).into_iter().flatten().flatten();
        let mut written =
            files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "bin"));
        if let Some(file) = written.next() {
            let copy = folder.join("copy.bin");
            std::fs::copy(file, &copy).expect("the snapshot is copied");
            return copy;
        }
        assert!(begin.elapsed() < SNAPSHOT_LIMIT, "nodeos writes no snapshot");
    }
}

#[test]
fn a_chain_goes_on_from_a_snapshot_of_nodeos_with_keys_of_this_node() {
    let Some(peer) = Peer::find() else { return };
    let root = tempfile::tempdir().expect("temporary folder");
    let folder = |name: &str| {
        let folder = root.path().join(name);
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        folder
    };
    let log = real_chain(&folder("real"));
    let snapshot = snapshot_of_nodeos(&peer, &log, &folder("nodeos"));
    let snapshot = snapshot.to_str().expect("a path of ASCII");

    let data = folder("dev");
    let node = RunningNode::dev(&data, &["--block-mode=manual", "--snapshot", snapshot]);
    let first = node.head();
    let keys = schedule(&node);
    assert_eq!(producers(&node), ["proda", "prodb", "prodc"]);
    assert!(keys.iter().all(|(_, key)| key != DEV_PUBLIC_KEY) && keys[0].1 != keys[1].1, "{keys:?}");
    let body = json!({ "json": true, "code": "eosio", "scope": "eosio", "table": "producers", "limit": 10 });
    let rows = node.call("/v1/chain/get_table_rows", &body)["rows"].clone();
    for (at, row) in rows.as_array().expect("a list").iter().enumerate() {
        let key = &row["producer_key"];
        assert_ne!(key, DEV_PUBLIC_KEY);
        assert_eq!(&row["producer_authority"][1]["keys"][0]["key"], key, "{row}");
        assert!(at > 2 || *key == keys[at].1, "{row}");
    }
    let begin = Instant::now();
    while !node.log().contains("It has left the real chain") {
        assert!(begin.elapsed() < SNAPSHOT_LIMIT, "{}", node.log());
    }
    assert!(node.log().contains("proda, prodb, prodc"));

    // Blocks of all go on, become irreversible, and take a transaction that nobody signed.
    succeeds(&node, &["--impersonate", "transfer", "alice", "proda", "1.0000 SYS", "hello"]);
    let made = node.call("/v1/dev/produce", &json!({ "blocks": 120 }));
    assert_eq!(made["missing_producers"], json!([]));
    assert!(made["last_irreversible_block_num"].as_u64() > Some(first), "{made}");
    assert!(node.head() >= first + 120, "{made}");
    let balance = json!({ "code": "eosio.token", "account": "proda" });
    assert_eq!(node.call("/v1/chain/get_currency_balance", &balance), json!(["1.0000 SYS"]));

    // Who is elected later has a key here, too.
    succeeds(&node, &["--impersonate", "system", "voteproducer", "prods", "alice", "prodb", "prodc", "prodd"]);
    succeeds(&node, &["dev", "time", "+5m"]);
    assert_eq!(producers(&node), ["prodb", "prodc", "prodd"]);
    let made = node.call("/v1/dev/produce", &json!({ "blocks": 30 }));
    assert_eq!(made["missing_producers"], json!([]));

    // A start goes on from there, however the node ended; the chain is cut back, dumped and loaded as any other.
    let state = hash(&node);
    node.kill();
    let node = RunningNode::dev(&data, &["--block-mode=manual"]);
    assert_eq!(hash(&node), state);
    assert_eq!(node.call("/v1/dev/produce", &json!({ "blocks": 3 }))["missing_producers"], json!([]));
    let file = root.path().join("chain.state");
    let file = file.to_str().expect("a path of ASCII");
    succeeds(&node, &["dev", "dump", file]);
    let dumped = hash(&node);
    succeeds(&node, &["dev", "rewind", &(first + 2).to_string()]);
    assert_eq!((node.head(), producers(&node)), (first + 2, ["proda", "prodb", "prodc"].map(str::to_owned).to_vec()));
    node.stop();
    let copy = RunningNode::dev(&folder("copy"), &["--block-mode=manual", "--load", file]);
    assert_eq!(hash(&copy), dumped);
    assert_eq!(copy.call("/v1/dev/produce", &json!({ "blocks": 3 }))["missing_producers"], json!([]));
    copy.stop();

    let message = RunningNode::refusal(&data, &["dev", "--snapshot", snapshot]);
    assert!(message.contains("has a state already") && message.contains("Leave --snapshot out"), "{message}");
    let message = RunningNode::refusal(&folder("none"), &["dev", "--preset=minimal", "--snapshot", snapshot]);
    assert!(message.contains("not with both"), "{message}");
    let message = RunningNode::refusal(&folder("none"), &["dev", "--snapshot", log.to_str().expect("a path of ASCII")]);
    assert!(message.contains("is not a snapshot that this node can use"), "{message}");
}
