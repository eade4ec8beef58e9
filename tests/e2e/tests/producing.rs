//! What a producing node does when something is in its way.

use std::time::Duration;

use e2e::RunningNode;
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
