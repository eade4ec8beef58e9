//! A node whose state stands at the last irreversible block (`--read-mode irreversible`), behind a chain of two elected
//! producers that stands still when it is asked to, and beside nodeos in that mode.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use client::Node;
use e2e::{Peer, RunningNode, binary, exchange, free_port};
use primitives::{
    Action, Bytes, Compression, PackedTransaction, PermissionLevel, SignedTransaction, TimePointSec, Transaction, name,
};
use serde_json::{Value, json};

/// Blocks in which another producer has its turn, so that earlier ones become irreversible.
const ROUND: u64 = 24;
const MODE: [&str; 2] = ["--read-mode", "irreversible"];
const PLUGINS: [&str; 6] = [
    "--plugin",
    "eosio::trace_api_plugin",
    "--trace-no-abis",
    "--plugin",
    "eosio::producer_api_plugin",
    "--http-validate-host=false",
];
/// What must happen has happened after this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Fields of `get_info` that differ because the programs do.
const OF_THE_PROGRAM: [&str; 3] = ["server_version", "server_version_string", "server_full_version_string"];
/// What is asked of both nodes about a block.
const QUESTIONS: [&str; 4] = ["get_block", "get_raw_block", "get_block_header", "get_block_header_state"];

fn info(node: &Node) -> Value {
    let mut info = node.call("/v1/chain/get_info", &json!({})).expect("the node answers");
    let fields = info.as_object_mut().expect("an object");
    fields.retain(|name, _| !OF_THE_PROGRAM.contains(&name.as_str()));
    info
}

fn number(info: &Value, field: &str) -> u64 {
    info[field].as_u64().unwrap_or_else(|| panic!("no {field}: {info}"))
}

fn wait(what: &str, node: &Node, wanted: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let now = info(node);
        if wanted(&now) {
            return now;
        }
        assert!(begin.elapsed() < PATIENCE, "no {what}: {now}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn hash(node: &Node) -> Value {
    node.call("/v1/producer/get_integrity_hash", &json!({})).expect("the node answers")
}

/// The body of an answer, good or not, without the places in the source.
fn answer(url: &str, path: &str, body: &Value) -> Value {
    let (address, body) = (url.trim_start_matches("http://"), body.to_string());
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}", body.len());
    let response = exchange(address, format!("{head}\r\n\r\n{body}").as_bytes());
    let (_, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    let mut answer: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {response}"));
    for detail in answer["error"]["details"].as_array_mut().into_iter().flatten() {
        *detail = detail["message"].take();
    }
    answer
}

/// A chain of two producers that makes blocks when it is asked to, with its genesis in a file.
struct Leader {
    node: RunningNode,
    peers: String,
    genesis: String,
}

impl Leader {
    fn start(folder: &Path) -> Self {
        let peers = format!("127.0.0.1:{}", free_port());
        let chain = ["--block-mode=manual", "--producers", "2"];
        let options = [&chain[..], &["--p2p-listen-endpoint", &peers, "--p2p-max-nodes-per-host", "9"]].concat();
        RunningNode::dev(folder, &options).stop();
        let genesis = folder.join("genesis.json").to_str().expect("a path of ASCII").to_owned();
        let mut extract = Command::new(binary("boreasd"));
        extract.args(["--extract-genesis-json", &genesis, "--config-dir"]).arg(folder).arg("--data-dir").arg(folder);
        assert!(extract.status().expect("boreasd runs").success());
        Self { node: RunningNode::dev(folder, &options), peers, genesis }
    }

    fn produce(&self) {
        self.node.call("/v1/dev/produce", &json!({ "blocks": ROUND }));
    }

    fn follow(&self, folder: &Path, arguments: &[&str]) -> RunningNode {
        RunningNode::follow_with(folder, &[&PLUGINS[..], arguments].concat())
    }

    fn connect(&self, node: &Node) {
        node.call("/v1/net/connect", &json!(self.peers)).expect("the node dials");
    }
}

/// That a node in this mode has all blocks of the leader and the state of the last irreversible one.
fn stands_behind(node: &Node, leader: &Leader) -> Value {
    let led = info(&leader.node.api);
    let stands = wait("best block of the leader", node, |now| {
        now["fork_db_head_block_id"] == led["head_block_id"]
            && now["last_irreversible_block_id"] == led["last_irreversible_block_id"]
    });
    assert_eq!(stands["head_block_id"], led["last_irreversible_block_id"]);
    assert_eq!(stands["head_block_time"], led["last_irreversible_block_time"]);
    assert!(number(&stands, "head_block_num") < number(&led, "head_block_num"), "there are reversible blocks");
    stands
}

/// What runs to be taken back runs on the state of the block that the node stands at.
fn dry_runs(node: &RunningNode, stands: &Value) {
    let action =
        |authorization| Action { account: name!("bob"), name: name!("nothing"), authorization, data: Bytes::default() };
    let alice = vec![PermissionLevel { actor: name!("alice"), permission: name!("active") }];
    for (path, authorization) in [("compute_transaction", alice), ("send_read_only_transaction", Vec::new())] {
        let mut transaction = Transaction { actions: vec![action(authorization)], ..Transaction::default() };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock of this century");
        transaction.header.expiration = TimePointSec(now.as_secs() as u32 + 60);
        let head = stands["head_block_id"].as_str().expect("an id").parse().expect("an id");
        transaction.header.set_reference_block(&head);
        let signed = SignedTransaction { transaction, ..SignedTransaction::default() };
        let body = json!({ "transaction": PackedTransaction::new(&signed, Compression::None) });
        let answer = node.call(&format!("/v1/chain/{path}"), &body);
        assert_eq!(answer["processed"]["block_num"], number(stands, "head_block_num") + 1, "{path}: {answer}");
    }
}

#[test]
fn the_state_stands_at_the_last_irreversible_block() {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let leader = Leader::start(folders[0].path());
    let begin = ["--genesis-json", &leader.genesis, "--plugin", "eosio::net_api_plugin"];
    let dial = ["--p2p-peer-address", &leader.peers];
    let following = leader.follow(folders[1].path(), &[&MODE[..], &begin, &dial].concat());
    let stands = stands_behind(&following.api, &leader);
    let state = hash(&following.api);
    assert_eq!(state["head_block_id"], stands["head_block_id"]);

    let reversible = number(&stands, "fork_db_head_block_num");
    let traces = |number: u64| answer(&following.url, "/v1/trace_api/get_block", &json!({ "block_num": number }));
    assert!(traces(reversible).to_string().contains("block trace missing"), "{}", traces(reversible));
    assert_eq!(traces(number(&stands, "head_block_num"))["status"], "irreversible");
    let block = json!({ "block_num_or_id": reversible.to_string() });
    let raw = following.call("/v1/chain/get_raw_block", &block);
    for (path, body) in [
        ("push_block", &raw),
        ("push_transaction", &json!({})),
        ("push_transactions", &json!([])),
        ("send_transaction", &json!({})),
        ("send_transaction2", &json!({})),
    ] {
        let refused = answer(&following.url, &format!("/v1/chain/{path}"), body).to_string();
        assert!(refused.contains("Not allowed, node has api-accept-transactions = false"), "{path}: {refused}");
    }
    dry_runs(&following, &stands);
    // Of a block that is irreversible: at once.
    let snapshot = following.call("/v1/producer/create_snapshot", &json!({}));
    assert_eq!(snapshot["head_block_id"], stands["head_block_id"]);

    if let Some(peer) = Peer::find() {
        let listen = format!("127.0.0.1:{}", free_port());
        // Wider than the longest transaction, which `join` sets.
        let own = ["--p2p-listen-endpoint", &listen, "--read-only-read-window-time-us", "500000"];
        let options = [&MODE[..], &begin, &dial, &PLUGINS, &own].concat();
        let nodeos = peer.join(folders[2].path(), &options);
        let theirs = Node::new(&nodeos.url, Vec::new());
        assert_eq!(stands_behind(&theirs, &leader), stands);
        assert_eq!(hash(&theirs), state);
        let ids = ["fork_db_head_block_id", "head_block_id"].map(|field| stands[field].clone());
        let numbers = [reversible, reversible + 1, number(&stands, "head_block_num")];
        for which in ids.into_iter().chain(numbers.map(|number| json!(number.to_string()))) {
            for question in QUESTIONS {
                let path = format!("/v1/chain/{question}");
                let body = json!({ "block_num_or_id": which, "include_extensions": true });
                assert_eq!(answer(&following.url, &path, &body), answer(&nodeos.url, &path, &body), "{path} {body}");
            }
        }
        for block_num in numbers {
            let body = json!({ "block_num": block_num });
            for path in ["/v1/chain/get_block_info", "/v1/trace_api/get_block"] {
                assert_eq!(answer(&following.url, path, &body), answer(&nodeos.url, path, &body), "{path} {body}");
            }
        }
    }

    // Neither end loses the blocks that are not applied.
    following.kill();
    let again = leader.follow(folders[1].path(), &MODE);
    assert_eq!((info(&again.api), hash(&again.api)), (stands.clone(), state.clone()), "{}", again.log());
    again.stop();
    let again = leader.follow(folders[1].path(), &MODE);
    assert_eq!((info(&again.api), hash(&again.api)), (stands.clone(), state.clone()), "{}", again.log());
    again.stop();

    // The other mode applies them, and back again they are undone.
    let led = info(&leader.node.api);
    let at_head = leader.follow(folders[1].path(), &[]);
    assert_eq!(info(&at_head.api)["head_block_id"], led["head_block_id"], "{}", at_head.log());
    assert_eq!(hash(&at_head.api), hash(&leader.node.api));
    let traced = answer(&at_head.url, "/v1/trace_api/get_block", &json!({ "block_num": reversible }));
    assert_eq!(traced["status"], "pending", "{traced}");
    at_head.kill();
    let at_head = leader.follow(folders[1].path(), &[]);
    assert_eq!(hash(&at_head.api), hash(&leader.node.api));
    at_head.stop();
    let net = ["--plugin", "eosio::net_api_plugin"];
    let again = leader.follow(folders[1].path(), &[&MODE[..], &net].concat());
    assert_eq!((info(&again.api), hash(&again.api)), (stands.clone(), state), "{}", again.log());

    // And it goes on with the others.
    leader.produce();
    leader.connect(&again.api);
    let later = stands_behind(&again.api, &leader);
    assert!(number(&later, "head_block_num") > number(&stands, "head_block_num"), "{later}");
    let state = hash(&again.api);
    again.stop();

    // From the blocks anew, and to an end.
    let again = leader.follow(folders[1].path(), &[&MODE[..], &["--replay-blockchain"]].concat());
    assert_eq!((info(&again.api), hash(&again.api)), (later.clone(), state.clone()), "{}", again.log());
    again.stop();
    let end = (number(&later, "head_block_num") + 1).to_string();
    let again = leader.follow(folders[1].path(), &[&MODE[..], &net, &["--terminate-at-block", &end]].concat());
    assert_eq!((info(&again.api), hash(&again.api)), (later, state), "{}", again.log());
    leader.produce();
    leader.connect(&again.api);
    assert!(again.wait_for_end(PATIENCE).contains("Reached configured maximum block"));
}

/// What follows a node in this mode has its reversible blocks too.
#[test]
fn reversible_blocks_are_passed_on() {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let leader = Leader::start(folders[0].path());
    let begin = ["--genesis-json", &leader.genesis, "--plugin", "eosio::net_api_plugin"];
    let middle_peers = format!("127.0.0.1:{}", free_port());
    let options = [&MODE[..], &begin, &["--p2p-peer-address", &leader.peers, "--p2p-listen-endpoint", &middle_peers]];
    let middle = leader.follow(folders[1].path(), &options.concat());
    stands_behind(&middle.api, &leader);
    let last = leader.follow(folders[2].path(), &[&begin[..], &["--p2p-peer-address", &middle_peers]].concat());
    let follows = || {
        let led = info(&leader.node.api);
        wait("head of the leader", &last.api, |now| now["head_block_id"] == led["head_block_id"]);
        assert_eq!(hash(&last.api), hash(&leader.node.api));
    };
    follows();
    leader.produce();
    follows();
    stands_behind(&middle.api, &leader);
}

/// A development chain takes a transaction that nobody signed, and no other node does: its block has a good header, and
/// turns out bad when it is irreversible.
#[test]
fn a_bad_block_is_left_out_when_it_becomes_irreversible() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let leader = Leader::start(folders[0].path());
    let begin = ["--genesis-json", &leader.genesis, "--p2p-peer-address", &leader.peers];
    let following = leader.follow(folders[1].path(), &[&MODE[..], &begin].concat());
    stands_behind(&following.api, &leader);
    let good = info(&leader.node.api);
    let mut transfer = Command::new(binary("boreas"));
    transfer.args(["--url", &leader.node.url, "--impersonate", "transfer", "alice", "bob", "1.0000 SYS"]);
    assert!(transfer.env("HOME", folders[0].path()).output().expect("boreas runs").status.success());
    (0..2).for_each(|_| leader.produce());
    let led = info(&leader.node.api);
    assert!(number(&led, "last_irreversible_block_num") > number(&good, "head_block_num"), "{led}");
    // It may hear of the bad block again from its peer, which does not matter.
    wait("verdict", &following.api, |_| {
        following.log().contains("became irreversible and breaks a rule: unsatisfied_authorization")
    });
    let state = hash(&following.api);
    assert_eq!(state["head_block_id"], good["head_block_id"]);
    following.kill();
    for mode in [&MODE[..], &[]] {
        let again = leader.follow(folders[1].path(), mode);
        assert_eq!(hash(&again.api), state, "{}", again.log());
        again.stop();
    }
}
