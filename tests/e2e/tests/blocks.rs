//! Blocks that a client pushes: a node that does not produce follows one that does, and takes nothing else.

use e2e::RunningNode;
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
