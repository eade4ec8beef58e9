//! Blocks that a client pushes: a node that does not produce follows one that does, and takes nothing else.

use std::path::Path;
use std::process::Command;

use e2e::{RunningNode, binary, export_blocks, replay};
use serde_json::{Value, json};

fn block(node: &RunningNode, number: u64) -> Value {
    node.call("/v1/chain/get_raw_block", &json!({ "block_num_or_id": number }))
}

fn push(node: &RunningNode, block: &Value) {
    assert_eq!(node.call("/v1/chain/push_block", block), json!({}));
}

#[test]
fn pushed_blocks_are_judged() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let mut producing = RunningNode::start(folders[0].path(), &[]);
    let following = RunningNode::follow(folders[1].path());
    producing.wait_until("blocks", |info| info["head_block_num"].as_u64() > Some(8));
    (2..=4).for_each(|number| push(&following, &block(&producing, number)));
    let refused = |change: &dyn Fn(&mut Value), why: &str| {
        let mut block = block(&producing, 5);
        change(&mut block);
        push(&following, &block);
        assert_eq!(following.head(), 4, "{why}");
        assert!(following.log().contains(why), "{why} is not in the log:\n{}", following.log());
    };
    refused(&|block| block["timestamp"] = json!("2099-01-01T00:00:00.000"), "received a block from the future");
    refused(&|block| block["previous"] = json!("05".repeat(32)), "unlinkable block");
    refused(&|block| block["producer"] = json!("mallory"), "wrong producer specified");
    refused(&|block| block["schedule_version"] = json!(9), "schedule_version in signed block is corrupted");
    refused(&|block| block["transaction_mroot"] = json!("07".repeat(32)), "invalid block transaction merkle root");
    refused(&|block| block["action_mroot"] = json!("07".repeat(32)), "block signed by unexpected key");
    push(&following, &block(&producing, 7));
    assert_eq!(following.head(), 4, "block 5 is missing");
    (4..=7).for_each(|number| push(&following, &block(&producing, number)));
    assert_eq!(following.block_id(7), producing.block_id(7));
    assert!(!following.log().contains("panicked"));
}

#[test]
fn a_block_log_is_kept_beside_the_database_and_survives_crashes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let blocks = folder.path().join("blocks");
    let (log, index) = (blocks.join("blocks.log"), blocks.join("blocks.index"));
    let options = ["--blocks-dir", "blocks"];
    let irreversible = |info: &Value| info["last_irreversible_block_num"].as_u64();
    let mut node = RunningNode::start(folder.path(), &options);
    let last =
        irreversible(&node.wait_until("irreversible blocks", |info| irreversible(info) > Some(5))).expect("a number");
    let read = || std::fs::read(&log).expect("the log is there");
    // It follows a block behind what clients see.
    node.wait_until("the next block", |info| irreversible(info) > Some(last));
    let end = replay(&log, &[])["head_block_num"].as_u64().expect("a number");
    assert!(end >= last, "the log ends at {end}, block {last} is irreversible");
    node.kill();

    // A crash may tear the end of either file.
    let mut torn = read();
    torn.truncate(torn.len() - 10);
    torn.extend_from_slice(&[7; 100]);
    std::fs::write(&log, torn).expect("written");
    let mut node = RunningNode::start(folder.path(), &options);
    node.wait_until("more blocks", |info| irreversible(info) > Some(end + 3));
    node.stop();
    let exported = std::fs::read(export_blocks(folder.path())).expect("it is written");
    assert!(exported == read(), "the log is not what export-blocks writes");
    let entries = std::fs::read(&index).expect("the index is there").len() / 8;
    assert_eq!(entries as u64, replay(&log, &[])["head_block_num"].as_u64().expect("a number"));

    // Without the option nothing is written; with it again the log catches up.
    let mut node = RunningNode::start(folder.path(), &[]);
    let head = node.head();
    node.wait_until("more blocks", |info| irreversible(info) > Some(head + 2));
    node.stop();
    assert_eq!(exported, read());
    RunningNode::start(folder.path(), &options).stop();
    assert!(read().len() > exported.len() && read().starts_with(&exported));

    // The log of another chain, or of more blocks than the database has, stays as it is.
    let other = tempfile::tempdir().expect("temporary folder");
    let genesis = other.path().join("genesis.json");
    let genesis = genesis.to_str().expect("ASCII");
    let extracted = Command::new(binary("boreasd"))
        .args(["--extract-genesis-json", genesis, "--data-dir"])
        .args([folder.path(), Path::new("--config-dir"), folder.path()])
        .status();
    assert!(extracted.expect("boreasd runs").success());
    let another = ["--genesis-json", genesis, "--genesis-timestamp", "2020-01-01T00:00:00.000"];
    RunningNode::start(other.path(), &another).stop();
    let young = tempfile::tempdir().expect("temporary folder");
    RunningNode::start(young.path(), &[]).stop();
    let before = read();
    for (data_dir, what) in [(&other, "the log of another chain"), (&young, "blocks that the database does not have")] {
        let place = ["-e", "-p", "eosio", "--blocks-dir", blocks.to_str().expect("ASCII")];
        let failure = RunningNode::refusal(data_dir.path(), &place);
        assert!(failure.contains(what) && failure.contains("--blocks-dir"), "{failure}");
    }
    // That is found before anything else is changed: the options are those that cut blocks off, or begin a chain.
    let place = ["-e", "-p", "eosio", "--blocks-dir", blocks.to_str().expect("ASCII")];
    let cut = ["--hard-replay-blockchain", "--truncate-at-block", "2"];
    let failure = RunningNode::refusal(other.path(), &[&place[..], &cut].concat());
    assert!(failure.contains("the log of another chain"), "{failure}");
    assert!(RunningNode::start(other.path(), &[]).head() > 2, "blocks are gone");
    let empty = tempfile::tempdir().expect("temporary folder");
    let failure = RunningNode::refusal(empty.path(), &[&place[..], &["--genesis-json", genesis]].concat());
    assert!(failure.contains("blocks that the database does not have"), "{failure}");
    assert!(!empty.path().join("db").exists(), "a chain was begun");
    assert!(read() == before, "the log was touched");

    // It goes with the blocks, unless they are nodeos' own.
    RunningNode::start(folder.path(), &["--delete-all-blocks", "--blocks-dir", "blocks"]).stop();
    assert!(read().len() < before.len());
    std::fs::write(&log, &before).expect("written");
    std::fs::remove_dir_all(folder.path().join("db")).expect("the database is there");
    let failure = RunningNode::refusal(folder.path(), &["--delete-all-blocks", "--blocks-dir", "blocks"]);
    assert!(failure.contains("--blocks-dir") && read() == before, "{failure}");
}
