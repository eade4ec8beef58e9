//! Nodes that produce and nodes that come later, over each wire: these have the blocks from the others and send them
//! transactions. Peers that are none hurt nobody.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use client::Node;
use e2e::{DEV_PRIVATE_KEY, Load, RunningNode, free_port, genesis};
use serde_json::{Value, json};

/// What must happen has happened after this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Transfers before the others come, and after.
const TRANSFERS: usize = 20;
/// What all nodes of these tests have: they share a host.
const OPTIONS: [&str; 4] = ["--plugin", "eosio::net_api_plugin", "--p2p-max-nodes-per-host", "20"];

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Folders for nodes, and the genesis of their chain.
struct Ground {
    folders: Vec<tempfile::TempDir>,
    genesis: String,
}

impl Ground {
    fn new(nodes: usize) -> Self {
        Self::begun(nodes, 60)
    }

    fn begun(nodes: usize, seconds: i64) -> Self {
        let folders: Vec<_> = (0..nodes).map(|_| tempfile::tempdir().expect("temporary folder")).collect();
        let genesis = genesis(&folders[0].path().join("genesis.json"), seconds);
        Self { folders, genesis }
    }

    fn producer(&self, at: usize, arguments: &[&str]) -> RunningNode {
        let all = [&["--genesis-json", &self.genesis][..], &OPTIONS, arguments].concat();
        RunningNode::start(self.folders[at].path(), &all)
    }

    fn follower(&self, at: usize, arguments: &[&str]) -> RunningNode {
        let all = [&["--genesis-json", &self.genesis][..], &OPTIONS, arguments].concat();
        RunningNode::follow_with(self.folders[at].path(), &all)
    }
}

fn nodeos_address() -> String {
    format!("127.0.0.1:{}", free_port())
}

fn tcp_address() -> String {
    format!("/ip4/127.0.0.1/tcp/{}", free_port())
}

fn quic_address() -> String {
    format!("/ip4/127.0.0.1/udp/{}/quic-v1", free_port())
}

fn balance(node: &Node) -> Value {
    let question = json!({ "code": "eosio.token", "account": "alice", "symbol": "SYS" });
    node.call("/v1/chain/get_currency_balance", &question).unwrap_or_default()
}

/// Names of the peers that have introduced themselves.
fn peers(node: &RunningNode) -> Vec<String> {
    let connections = node.call("/v1/net/connections", &json!({}));
    let open = connections
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["connecting"] == false && one["last_handshake"]["generation"].as_i64() > Some(0));
    open.map(|one| one["last_handshake"]["node_id"].as_str().unwrap_or_default().to_owned()).collect()
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

/// Blocks of `producer` reach all nodes, and transactions of the last node reach it.
fn share_a_chain(load: &mut Load, nodes: &[&RunningNode]) {
    let nodes: Vec<_> = nodes.iter().map(|node| &node.api).collect();
    let sent = |count: usize| json!([format!("0.{count:04} SYS")]);
    for _ in 0..TRANSFERS {
        load.transfer().expect("the producer takes it");
    }
    until("chain of the producer at all nodes", || nodes.iter().all(|node| balance(node) == sent(TRANSFERS)));

    // Entered where nobody produces, they reach who does, and come back in blocks.
    let last = *nodes.last().expect("there are nodes");
    let mut load = Load::signing_with(last.clone(), DEV_PRIVATE_KEY);
    for _ in 0..TRANSFERS {
        load.transfer().expect("the follower takes it");
    }
    until("transfers at all nodes", || nodes.iter().all(|node| balance(node) == sent(2 * TRANSFERS)));
    let states = integrity(&nodes);
    assert!(states.iter().all(|state| state["integrity_hash"] == states[0]["integrity_hash"]), "{states:?}");
}

/// Two nodes, the second one of which dials the first one's address after the chain was begun.
fn two_nodes_share_a_chain(address: &str) {
    let ground = Ground::new(2);
    let producer = ground.producer(0, &["--p2p-listen-endpoint", address]);
    let mut load = Load::set_up(producer.api.clone()).expect("the chain is set up");
    let follower = ground.follower(1, &["--p2p-peer-address", address]);
    share_a_chain(&mut load, &[&producer, &follower]);
    let connections = follower.call("/v1/net/connections", &json!({}));
    assert!(connections.as_array().is_some_and(|list| list.iter().any(|one| one["peer"] == address)), "{connections}");
    assert_eq!(follower.call("/v1/net/disconnect", &json!(address)), "connection removed");
    until("end of the connection", || peers(&producer).is_empty());
    assert_eq!(follower.call("/v1/net/connect", &json!(address)), "added connection");
    until("connection again", || peers(&producer).len() == 1);
    follower.stop();
    producer.stop();
}

#[test]
fn blocks_and_transactions_travel_over_nodeos_wire() {
    two_nodes_share_a_chain(&nodeos_address());
}

#[test]
fn blocks_and_transactions_travel_over_tcp_and_noise() {
    two_nodes_share_a_chain(&tcp_address());
}

#[test]
fn blocks_and_transactions_travel_over_quic() {
    two_nodes_share_a_chain(&quic_address());
}

/// The node in the middle speaks nodeos' wire to one side and libp2p to the other.
#[test]
fn a_node_bridges_both_wires() {
    let ground = Ground::new(3);
    let (plain, encrypted) = (nodeos_address(), quic_address());
    let producer = ground.producer(0, &["--p2p-listen-endpoint", &plain]);
    let mut load = Load::set_up(producer.api.clone()).expect("the chain is set up");
    let bridge = ground.follower(1, &["--p2p-peer-address", &plain, "--p2p-listen-endpoint", &encrypted]);
    let follower = ground.follower(2, &["--p2p-peer-address", &encrypted]);
    share_a_chain(&mut load, &[&producer, &bridge, &follower]);
}

#[test]
fn one_known_address_is_enough() {
    let ground = Ground::new(3);
    let address = tcp_address();
    let mut known = ground.follower(0, &["--p2p-listen-endpoint", &address]);
    let (second, third) = (tcp_address(), tcp_address());
    let producer = ground.producer(1, &["--p2p-peer-address", &address, "--p2p-listen-endpoint", &second]);
    let follower = ground.follower(2, &["--p2p-peer-address", &address, "--p2p-listen-endpoint", &third]);
    until("acquaintance of all with all", || [&known, &producer, &follower].iter().all(|node| peers(node).len() >= 2));
    // The two that met go on without the one that they met through.
    known.wait_until("blocks", |info| info["head_block_num"].as_u64() > Some(2));
    known.kill();
    let head = producer.head();
    until("blocks from who was met", || follower.head() > head + 2);
}

#[test]
fn a_node_of_another_chain_is_refused_with_the_reason() {
    let (ours, theirs) = (Ground::new(1), Ground::begun(1, 90));
    let address = tcp_address();
    let node = ours.follower(0, &["--p2p-listen-endpoint", &address]);
    let other = theirs.producer(0, &["--p2p-peer-address", &address]);
    until("reason at who refuses", || node.log().contains("is on another chain"));
    until("reason at who is refused", || other.log().contains("ends the connection: wrong chain"));
    assert!(peers(&node).is_empty() && peers(&other).is_empty());
    assert_eq!(node.head(), 1);
}

/// Sends this, reads nothing, and stays.
#[test]
fn a_frozen_node_is_found_and_comes_back() {
    for address in [nodeos_address(), tcp_address()] {
        let ground = Ground::new(2);
        let checks = ["--p2p-check-interval-ms", "100", "--p2p-check-timeout-ms", "300", "--p2p-check-failures", "3"];
        let producer = ground.producer(0, &[&["--p2p-listen-endpoint", &address], &checks[..]].concat());
        let follower = ground.follower(1, &["--p2p-peer-address", &address]);
        let connected = || producer.get("/v1/node/health").1["peers"]["connected"].as_u64();
        until("peer", || connected() == Some(1));
        until("comparison of clocks", || {
            producer.get("/v1/node/health").1["peers"]["clock_offset_us"]
                .as_i64()
                .is_some_and(|offset| offset.abs() < 1_000_000)
        });
        follower.signal("STOP");
        until("peer that is given up", || connected() == Some(0));
        assert!(producer.log().contains("is given up: nothing came of 3 checks in a row"), "{}", producer.log());
        follower.signal("CONT");
        until("peer that is back", || connected() == Some(1));
        let head = producer.head();
        until("blocks", || follower.head() >= head);
    }
}

fn intruder(address: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the node listens");
    let timeout = Some(Duration::from_millis(200));
    stream.set_write_timeout(timeout).expect("a socket has one");
    // The node may have closed it already.
    let _ = stream.write_all(bytes);
    stream
}

#[test]
fn who_does_not_speak_the_protocol_hurts_nobody() {
    let ground = Ground::new(2);
    let port = free_port();
    let (address, socket) = (format!("/ip4/127.0.0.1/tcp/{port}"), format!("127.0.0.1:{port}"));
    let producer = ground.producer(0, &["--p2p-listen-endpoint", &address]);
    let mut load = Load::set_up(producer.api.clone()).expect("the chain is set up");
    let before = producer.memory_bytes();

    let negotiation = b"\x13/multistream/1.0.0\n\x07/noise\n";
    let mut garbage = vec![0_u8; 1 << 20];
    let mut state = 1_u32;
    for byte in &mut garbage {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    let half = &negotiation[..10];
    let claims = [&negotiation[..], &[0xff, 0xff], &garbage[..1000]].concat();
    let inputs: [&[u8]; 6] = [b"", half, negotiation, &claims, &garbage, b"GET / HTTP/1.1\r\n\r\n"];
    let mut intruders: Vec<_> = (0..5).flat_map(|_| inputs).map(|bytes| intruder(&socket, bytes)).collect();

    // They are let go of, and a node comes in beside them.
    let follower = ground.follower(1, &["--p2p-peer-address", &address]);
    share_a_chain(&mut load, &[&producer, &follower]);
    until("end of the intruders", || {
        intruders.retain_mut(|stream| {
            stream.set_read_timeout(Some(Duration::from_millis(10))).expect("a socket has one");
            let mut buffer = [0; 4096];
            !matches!(stream.read(&mut buffer), Ok(0))
                && stream.peek(&mut buffer).is_err_and(|error| {
                    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
                })
        });
        intruders.is_empty()
    });
    let grown = producer.memory_bytes().saturating_sub(before);
    assert!(grown < 100 << 20, "{grown} bytes more");
}

#[test]
fn the_identity_is_kept_and_a_damaged_one_refused() {
    let ground = Ground::new(1);
    let (folder, address) = (ground.folders[0].path(), tcp_address());
    let arguments = ["--p2p-listen-endpoint", &address, "--genesis-json", &ground.genesis];
    RunningNode::follow_with(folder, &arguments).stop();
    let file = folder.join("p2p-identity.key");
    let key = std::fs::read_to_string(&file).expect("the identity is kept");
    let log = RunningNode::follow_with(folder, &arguments[..2]);
    let named = |log: &str| -> Vec<String> {
        let lines = log.lines().filter_map(|line| line.split_once("/p2p/"));
        lines.filter_map(|(_, rest)| rest.split_whitespace().next().map(str::to_owned)).collect()
    };
    until("both starts in the log", || named(&log.log()).len() == 2);
    let names = named(&log.log());
    assert_eq!(names[0], names[1]);
    log.stop();
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), key);
    std::fs::write(&file, "not a key").expect("the folder can be written");
    let refusal = RunningNode::refusal(folder, &arguments[..2]);
    assert!(refusal.contains("p2p-identity.key") && refusal.contains("64 hexadecimal digits"), "{refusal}");
}
