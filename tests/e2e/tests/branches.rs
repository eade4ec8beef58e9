//! Two branches from one genesis: a node that follows them knows both after a restart, however it ended.

use e2e::RunningNode;
use serde_json::{Value, json};

fn block(node: &RunningNode, number: u64) -> Value {
    node.call("/v1/chain/get_raw_block", &json!({ "block_num_or_id": number }))
}

fn push(node: &RunningNode, block: &Value) {
    assert_eq!(node.call("/v1/chain/push_block", block), json!({}));
}

#[test]
fn branches_are_known_after_a_restart() {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    // Each begins the default chain for itself.
    let [one, two] = [0, 1].map(|index| RunningNode::start(folders[index].path(), &[]));
    assert_ne!(one.block_id(2), two.block_id(2));
    let ends: [fn(RunningNode); 2] = [RunningNode::kill, |node| {
        node.stop();
    }];
    for end in ends {
        let folder = tempfile::tempdir().expect("temporary folder");
        let following = RunningNode::follow(folder.path());
        push(&following, &block(&one, 2));
        push(&following, &block(&two, 2));
        assert_eq!(following.block_id(2), one.block_id(2), "the first of two equals stays");
        end(following);
        let following = RunningNode::follow(folder.path());
        assert_eq!((following.head(), following.block_id(2)), (2, one.block_id(2)));
        push(&following, &block(&two, 3));
        assert_eq!((following.head(), following.block_id(3)), (3, two.block_id(3)), "{}", following.log());
        end(following);
        let following = RunningNode::follow(folder.path());
        assert_eq!((following.head(), following.block_id(2)), (3, two.block_id(2)));
        // What was undone is no part of a better branch: block 2 is irreversible.
        push(&following, &block(&one, 3));
        assert_eq!(following.block_id(3), two.block_id(3));
    }
}
