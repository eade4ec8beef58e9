//! What a producing node does when something is in its way.

use std::process::Command;
use std::time::Duration;

use e2e::{DEV_PRIVATE_KEY, DEV_PUBLIC_KEY, RunningNode, binary};
use serde_json::json;

/// How long a node is watched: a little longer than a turn of six seconds.
const WATCHED: Duration = Duration::from_secs(8);
/// Lines that one obstacle may take meanwhile: a turn may end and another begin.
const LINES_MAX: usize = 3;

/// Starts a node that is scheduled but cannot produce, and counts what it says about that.
fn refusals(arguments: &[&str], words: &str) -> (usize, String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let genesis = folder.path().join("genesis.json");
    let document = json!({
        "initial_timestamp": "2018-06-01T12:00:00.000",
        "initial_key": "EOS7CQrusQQfhmYYjBD9GwKkM3xgJGSFLAzXBrPq6f3xmzS9qbyZN",
    });
    std::fs::write(&genesis, document.to_string()).expect("written");
    let genesis = genesis.to_str().expect("a path of ASCII");
    let own_genesis = if arguments.is_empty() { &["--genesis-json", genesis][..] } else { &[] };
    let node = RunningNode::follow_with(folder.path(), &[&["-e", "-p", "eosio"], own_genesis, arguments].concat());
    std::thread::sleep(WATCHED);
    let log = node.log();
    node.stop();
    (log.matches(words).count(), log)
}

#[test]
fn what_keeps_a_node_from_producing_is_told_once_per_turn_with_its_remedy() {
    let (count, log) = refusals(&[], "I don't have any private keys");
    assert!((1..=LINES_MAX).contains(&count), "{count} lines: {}", &log[..log.len().min(2000)]);
    assert!(log.contains("--signature-provider"), "{log}");
    let (count, log) = refusals(&["--max-irreversible-block-age", "1"], "the irreversible block is too old");
    assert!((1..=LINES_MAX).contains(&count), "{count} lines: {}", &log[..log.len().min(2000)]);
    assert!(log.contains("Raise --max-irreversible-block-age"), "{log}");
}

/// Digest of PREACTIVATE_FEATURE, without which the chain takes no `eosio.bios`.
const PREACTIVATE: &str = "0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd";

/// Blocks that a chain has at most when it has a schedule and three turns are over.
const BLOCKS_MAX: u64 = 120;

/// On an ordinary chain a scheduled producer may be somebody else's. One whose turn nobody takes is told of once per
/// turn; with its key, which is kept encrypted, this node makes its blocks, after a restart too.
#[test]
fn a_turn_that_nobody_takes_is_told_with_the_command_that_adds_its_key() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let boreas = |node: &RunningNode, arguments: &[&str]| {
        let mut command = Command::new(binary("boreas"));
        command.args(["--url", &node.url]).args(arguments).env("HOME", folder.path());
        let output = command.env("BOREAS_SIGNING_KEYS_PASSWORD", "for later").output().expect("boreas runs");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    };
    let mut node = RunningNode::start(folder.path(), &[]);
    boreas(&node, &["wallet", "create", "--to-console"]);
    boreas(&node, &["wallet", "import", "--private-key", DEV_PRIVATE_KEY]);
    let created = boreas(&node, &["create", "key", "--to-console"]);
    let word =
        |prefix: &str| created.lines().find_map(|line| line.strip_prefix(prefix)).expect("a key").trim().to_owned();
    let (private, public) = (word("Private key:"), word("Public key:"));
    boreas(&node, &["create", "account", "eosio", "zed", &public]);
    let features = json!({ "protocol_features_to_activate": [PREACTIVATE] });
    node.call("/v1/producer/schedule_protocol_feature_activations", &features);
    let head = node.head();
    node.wait_until("the feature", |info| number(info) > head + 1);
    let bios = e2e::contract("eosio.bios");
    boreas(&node, &["set", "contract", "eosio", bios.to_str().expect("a path of ASCII")]);
    let producer = |name: &str, key: &str| {
        let authority = json!({ "threshold": 1, "keys": [{ "key": key, "weight": 1 }] });
        json!({ "producer_name": name, "authority": ["block_signing_authority_v0", authority] })
    };
    let schedule = json!({ "schedule": [producer("eosio", DEV_PUBLIC_KEY), producer("zed", &public)] });
    boreas(&node, &["push", "action", "eosio", "setprods", &schedule.to_string(), "-p", "eosio"]);
    let told = "Nobody made the blocks of zed's turn. Where this node shall make them, it needs the producer's key: \
                boreas producer key add";
    // The schedule comes into force in the middle of some turn; a whole one of zed's is over three turns later.
    let mut head = node.head();
    while !node.log().contains(told) && head < BLOCKS_MAX {
        head = number(&node.wait_until("a block", |info| number(info) > head));
    }
    assert_eq!(node.log().matches(told).count(), 1, "{}", node.log());

    let text = boreas(&node, &["producer", "key", "add", "--private-key", &private, "--keep"]);
    assert!(text.contains("is kept for later starts"), "{text}");
    let of_zed = |info: &serde_json::Value| info["head_block_producer"] == "zed";
    node.wait_until("a block of zed", of_zed);
    let kept = std::fs::read_to_string(folder.path().join("signing-keys.wallet")).expect("kept");
    assert!(!kept.contains(&private) && !node.log().contains(&private));
    node.stop();
    let mut node = RunningNode::start(folder.path(), &[]);
    boreas(&node, &["producer", "key", "unlock"]);
    let head = node.head();
    node.wait_until("another block of zed", |info| number(info) > head && of_zed(info));
}

fn number(info: &serde_json::Value) -> u64 {
    info["head_block_num"].as_u64().expect("a number")
}
