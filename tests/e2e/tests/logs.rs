//! Block logs: one that does not begin with block 1, one of another chain, one that is torn.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::{RunningNode, binary, export_blocks, replay};
use serde_json::json;

fn run(arguments: &[&str]) -> Output {
    Command::new(binary("boreasd")).args(arguments).output().expect("boreasd runs")
}

fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && !text.contains("panicked"), "{arguments:?}: {text}");
    text
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ASCII")
}

/// A chain with a snapshot of one of its blocks: its log, the snapshot, and the snapshot's number.
fn chain_with_snapshot(folder: &Path) -> (PathBuf, PathBuf, u64) {
    let mut node = RunningNode::start(folder, &[]);
    let made = node.call("/v1/producer/create_snapshot", &json!({}));
    let number = made["head_block_num"].as_u64().expect("a number");
    let snapshot = PathBuf::from(made["snapshot_name"].as_str().expect("a path"));
    node.wait_until("later blocks", |info| info["head_block_num"].as_u64() > Some(number + 4));
    node.stop();
    (export_blocks(folder), snapshot, number)
}

#[test]
fn a_snapshot_is_continued_from_a_log() {
    let [whole, begun, empty, elsewhere] = [(); 4].map(|()| tempfile::tempdir().expect("temporary folder"));
    let (log, snapshot, number) = chain_with_snapshot(whole.path());
    let result = replay(&log, &[]);
    let last = result["head_block_num"].as_u64().expect("a number");
    // In memory, from the snapshot.
    let from_snapshot = replay(&log, &["--snapshot", text(&snapshot)]);
    assert_eq!(from_snapshot["integrity_hash"], result["integrity_hash"]);
    assert_eq!(from_snapshot["blocks"], last - number);

    // Into a folder that begins so, in two steps, and a node goes on from there.
    let half = (number + 2).to_string();
    let folder = text(begun.path());
    replay(&log, &["--snapshot", text(&snapshot), "--data-dir", folder, "--stop-at-block", &half]);
    let output =
        run(&["--http-server-address", "", "--data-dir", folder, "--config-dir", folder, "--terminate-at-block", "1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let continued = replay(&log, &["--data-dir", folder]);
    assert_eq!(continued["integrity_hash"], result["integrity_hash"]);
    let mut node = RunningNode::start(begun.path(), &[]);
    node.wait_until("a block after the log's", |info| info["head_block_num"].as_u64() > Some(last));
    assert_eq!(node.block_id(last).as_deref(), result["head_block_id"].as_str());
    node.stop();

    // A log without the genesis says what it takes, and begins nothing.
    let later = export_blocks(begun.path());
    let message = refusal(&["replay", "--blocks-log", text(&later)]);
    assert!(message.contains(&format!("Give a snapshot of block {number}")), "{message}");
    let message = refusal(&["replay", "--blocks-log", text(&later), "--data-dir", text(empty.path())]);
    assert!(message.contains(&format!("Give a snapshot of block {number}")), "{message}");
    assert!(!empty.path().join("db").exists(), "nothing was begun");
    replay(&later, &["--snapshot", text(&snapshot), "--data-dir", text(empty.path())]);

    // A folder of another chain is left as it was.
    std::fs::write(elsewhere.path().join("genesis.json"), r#"{"initial_timestamp": "2024-01-01T00:00:00.000"}"#)
        .expect("the folder can be written");
    let genesis = elsewhere.path().join("genesis.json");
    let node = RunningNode::start(elsewhere.path(), &["--genesis-json", text(&genesis)]);
    let (head, chain) = (node.head(), node.info().expect("it answers")["chain_id"].as_str().expect("text").to_owned());
    node.stop();
    let message = refusal(&["replay", "--blocks-log", text(&log), "--data-dir", text(elsewhere.path())]);
    assert!(message.contains(&chain) && message.contains("the block log is of chain"), "{message}");
    let node = RunningNode::start(elsewhere.path(), &[]);
    assert!(node.head() >= head);
}

#[test]
fn a_torn_log_is_salvaged() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (log, ..) = chain_with_snapshot(folder.path());
    let whole = replay(&log, &[]);
    let (last, torn, saved) =
        (whole["head_block_num"].as_u64(), folder.path().join("torn.log"), folder.path().join("saved.log"));
    let bytes = std::fs::read(&log).expect("readable");
    std::fs::write(&torn, &bytes[..bytes.len() - 3]).expect("writable");
    let message = refusal(&["replay", "--blocks-log", text(&torn)]);
    assert!(message.contains("boreasd salvage --blocks-log FILE NEW_FILE"), "{message}");
    let output = run(&["salvage", "--blocks-log", text(&torn), text(&saved)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(replay(&saved, &[])["head_block_num"].as_u64(), last.map(|last| last - 1));
    // What is there is not written over, and a log without a whole block makes none.
    assert!(refusal(&["salvage", "--blocks-log", text(&torn), text(&saved)]).contains("exists already"));
    std::fs::write(&torn, &bytes[..200]).expect("writable");
    let other = folder.path().join("other.log");
    assert!(refusal(&["salvage", "--blocks-log", text(&torn), text(&other)]).contains("has no whole block"));
    assert!(!other.exists());
}

#[test]
fn an_export_writes_over_nothing_unless_told() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start(folder.path(), &[]);
    node.wait_until("irreversible blocks", |info| info["last_irreversible_block_num"].as_u64() > Some(2));
    node.stop();
    let (kept, data) = (folder.path().join("kept.log"), text(folder.path()));
    std::fs::write(&kept, "the only copy").expect("writable");
    let message = refusal(&["export-blocks", "--data-dir", data, text(&kept)]);
    assert!(message.contains("exists already") && message.contains("--overwrite"), "{message}");
    assert_eq!(std::fs::read_to_string(&kept).expect("readable"), "the only copy");
    assert!(refusal(&["export-blocks", "--overwrite", "--data-dir", data, data]).contains("is a folder"));
    let output = run(&["export-blocks", "--overwrite", "--data-dir", data, text(&kept)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(replay(&kept, &[])["head_block_num"].as_u64() > Some(2));
}
