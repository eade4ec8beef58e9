//! What comes over nodeos' wire and what is answered: boreasd beside nodeos.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use client::Node;
use e2e::{Peer, RunningNode, RunningNodeos, Told, WirePeer, framed, free_port};
use primitives::{Checksum256, Pack, SignedBlock, Unpack};
use serde_json::{Value, json};

/// Who says nothing for so long has said it all.
const QUIET: Duration = Duration::from_millis(700);
/// Connections that one address may have in these tests.
const PER_HOST: &str = "40";

/// Something that listens.
enum Listening {
    Boreasd(RunningNode),
    Nodeos(Node, #[allow(dead_code, reason = "it runs until it is dropped")] RunningNodeos),
}

/// A producing node and where peers reach it.
struct Target {
    node: Listening,
    peers: String,
}

impl Target {
    fn boreasd(folder: &Path, more: &[&str]) -> Self {
        let peers = format!("127.0.0.1:{}", free_port());
        let options = [&["--p2p-listen-endpoint", &peers], more].concat();
        Self { node: Listening::Boreasd(RunningNode::start(folder, &options)), peers: peers.clone() }
    }

    fn nodeos(peer: &Peer, folder: &Path) -> Self {
        let peers = format!("127.0.0.1:{}", free_port());
        let options = ["-e", "-p", "eosio", "--p2p-listen-endpoint", &peers, "--p2p-max-nodes-per-host", PER_HOST];
        let running = peer.join(folder, &options);
        Self { node: Listening::Nodeos(Node::new(&running.url, Vec::new()), running), peers }
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        match &self.node {
            Listening::Boreasd(node) => node.call(path, body),
            Listening::Nodeos(api, _) => api.call(path, body).expect("nodeos answers"),
        }
    }

    fn info(&self) -> Value {
        self.call("/v1/chain/get_info", &json!({}))
    }

    fn block_id(&self, number: u32) -> Checksum256 {
        let block = self.call("/v1/chain/get_block", &json!({ "block_num_or_id": number }));
        block["id"].as_str().expect("an id").parse().expect("an id")
    }

    /// A peer that has the genesis alone.
    fn beginner(&self) -> WirePeer {
        WirePeer::new(self.info()["chain_id"].as_str().expect("an id").parse().expect("an id"), self.block_id(1))
    }

    fn wait_for_block(&self, number: u64) {
        let begin = Instant::now();
        while self.info()["head_block_num"].as_u64() < Some(number) {
            assert!(begin.elapsed() < Duration::from_secs(30), "no block {number}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// What a node answers to a beginner that was changed, and to what it sends after its handshake.
fn answer(target: &Target, change: impl FnOnce(&mut WirePeer), then: &[u8]) -> Told {
    let mut peer = target.beginner();
    change(&mut peer);
    let mut stream = peer.connect(&target.peers);
    if !then.is_empty() {
        Told::hear(&mut stream, QUIET, |told| !told.versions.is_empty());
        stream.write_all(then).expect("sent");
    }
    let mut told = Told::hear(&mut stream, QUIET, |_| false);
    if told.go_away.is_some() {
        // What else is said on the way out, and how soon it closes, does not matter.
        told = Told { go_away: told.go_away, ..Told::default() };
    }
    // Blocks as they are made come sooner or later; ranges are compared by themselves.
    told.blocks.clear();
    told.requests.dedup();
    told
}

/// The stimuli and what is said to them.
fn answers(target: &Target) -> Vec<(&'static str, Told)> {
    let request = |ids: u8| {
        let mut message = vec![5];
        message.extend([0; 9]);
        message.extend([3, 0, 0, 0, 0, 0, 0, 0, ids]);
        message.extend(vec![1; usize::from(ids) * 32]);
        framed(&message)
    };
    let other = Checksum256([5; 32]);
    vec![
        ("a beginner", answer(target, |_| {}, &[])),
        ("another chain", answer(target, |peer| peer.chain_id = other, &[])),
        (
            "another irreversible block",
            answer(target, |peer| (peer.irreversible, peer.head) = ((2, other), (2, other)), &[]),
        ),
        ("no address", answer(target, |peer| peer.p2p_address.clear(), &[])),
        ("version 12", answer(target, |peer| peer.network_version = 0x04b5 + 12, &[])),
        ("version 5", answer(target, |peer| peer.network_version = 0x04b5 + 5, &[])),
        ("two ids", answer(target, |_| {}, &request(2))),
        ("an unknown message", answer(target, |_| {}, &framed(&[9, 0]))),
        ("too long a message", answer(target, |_| {}, &(8 * 1024 * 1024 + 1u32).to_le_bytes())),
    ]
}

#[test]
fn boreasd_answers_as_nodeos_does() {
    let Some(peer) = Peer::find() else { return };
    let (one, other) = (tempfile::tempdir().expect("temporary folder"), tempfile::tempdir().expect("temporary folder"));
    let targets =
        [Target::nodeos(&peer, one.path()), Target::boreasd(other.path(), &["--p2p-max-nodes-per-host", PER_HOST])];
    targets.iter().for_each(|target| target.wait_for_block(12));
    let [nodeos, boreasd] = targets.each_ref().map(answers);
    for ((stimulus, expected), (_, found)) in nodeos.iter().zip(&boreasd) {
        assert_eq!(found, expected, "{stimulus}");
    }
    let told = |answers: &[(&str, Told)], stimulus: &str| {
        answers.iter().find(|(name, _)| *name == stimulus).map(|(_, told)| told.clone())
    };
    assert_eq!(told(&nodeos, "another chain").and_then(|told| told.go_away), Some(3));
    assert_eq!(told(&nodeos, "another irreversible block").and_then(|told| told.go_away), Some(5));
    for target in &targets {
        ranges_come_in_order(target);
    }
}

/// A range is sent whole, in order, with the ids that the API shows.
fn ranges_come_in_order(target: &Target) {
    let mut stream = target.beginner().connect(&target.peers);
    Told::hear(&mut stream, QUIET, |told| !told.versions.is_empty());
    stream.write_all(&framed(&[&[6][..], &(2u32, 9u32).to_bytes()].concat())).expect("sent");
    let told = Told::hear(&mut stream, Duration::from_secs(5), |told| told.blocks.len() == 8);
    let ids: Vec<_> = told.blocks.iter().map(|block| SignedBlock::from_bytes(block).expect("a block").id()).collect();
    assert_eq!(ids, (2..=9).map(|number| target.block_id(number)).collect::<Vec<_>>());
}
