//! A chain of nodeos is taken over: its block log, the parts of one that was split, and the blocks that were reversible
//! when it stopped.

use std::path::Path;
use std::process::Command;

use conformance::answers;
use e2e::{DEV_PRIVATE_KEY, Peer, RunningNode, binary, replay};
use primitives::PrivateKey;
use serde_json::{Value, json};

/// A recorded chain that elects two producers at its end: blocks stay reversible for a while.
const RECORDING: &str = "api";
/// The key of one of them.
const ALICE_PRODUCES_WITH: &str = "5Jja7Xxy4JQebRRErFUwxHBBFQt5hBfQbWcJEay8GjEDVQsksYh";
/// Blocks in each part of the log.
const STRIDE: u64 = 8;
/// Blocks that are reversible at least when nodeos stops.
const REVERSIBLE_MIN: u64 = 4;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ASCII")
}

/// Head and last irreversible block.
fn place(info: &Value) -> (u64, u64) {
    let number = |name: &str| info[name].as_u64().expect("a number");
    (number("head_block_num"), number("last_irreversible_block_num"))
}

/// Lets nodeos go on with the recorded chain until there are parts and reversible blocks, and gives the hash of its
/// state and its last answer about itself.
fn produce(peer: &Peer, folder: &Path) -> (String, Value) {
    std::fs::create_dir_all(folder.join("blocks")).expect("the folder can be made");
    std::fs::write(folder.join("blocks/blocks.log"), answers::blocks(RECORDING)).expect("the log can be written");
    let stride = STRIDE.to_string();
    let mut arguments = vec!["-p", "alice", "-p", "bob", "--plugin", "eosio::producer_api_plugin"];
    arguments.extend(["--hard-replay-blockchain", "--integrity-hash-on-stop", "--blocks-log-stride", &stride]);
    arguments.extend(["--blocks-retained-dir", "retained", "--max-retained-block-files", "100"]);
    let keys = [DEV_PRIVATE_KEY, ALICE_PRODUCES_WITH].map(|key| {
        let public = key.parse::<PrivateKey>().and_then(|key| key.public_key()).expect("a private key");
        format!("{public}=KEY:{key}")
    });
    for key in &keys {
        arguments.extend(["--signature-provider", key]);
    }
    let nodeos = peer.serve_with(folder, &arguments);
    let api = client::Node::new(&nodeos.url, Vec::new());
    let info = loop {
        let info = api.call("/v1/chain/get_info", &json!({})).expect("nodeos answers");
        let (head, irreversible) = place(&info);
        if irreversible > 4 * STRIDE && head - irreversible >= REVERSIBLE_MIN {
            // It is to stop with this block.
            api.call("/v1/producer/pause", &json!({})).expect("nodeos pauses");
            let last = api.call("/v1/chain/get_info", &json!({})).expect("nodeos answers");
            break last;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let log = nodeos.stop();
    let hash = log.lines().rev().find_map(|line| line.split("stopped with hash: ").nth(1)).expect("a hash");
    (hash.trim().to_owned(), info)
}

#[test]
fn parts_of_a_log_and_reversible_blocks_are_taken_over() {
    let Some(peer) = Peer::find() else { return };
    let root = tempfile::tempdir().expect("temporary folder");
    let theirs = root.path().join("nodeos");
    let (hash, info) = produce(&peer, &theirs);
    let (head, irreversible) = place(&info);
    assert!(theirs.join("blocks/reversible/fork_db.dat").is_file());
    let parts = std::fs::read_dir(theirs.join("blocks/retained")).expect("there are parts").count();
    assert!(parts >= 4, "{parts} files");

    // In memory, from nodeos' data folder and from its blocks folder.
    for named in [theirs.clone(), theirs.join("blocks")] {
        let end = replay(&named, &[]);
        assert_eq!((&end["head_block_id"], &end["integrity_hash"]), (&info["head_block_id"], &json!(hash)));
        assert_eq!(end["last_irreversible_block_num"], irreversible);
    }
    // The log's last part alone does not say how the chain began.
    let refused = Command::new(binary("boreasd"))
        .args(["replay", "--blocks-log", text(&theirs.join("blocks/blocks.log"))])
        .output()
        .expect("boreasd runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("has no genesis"), "{said}");
    // A part that is missing is named. The recorded blocks are in the first part.
    let first = theirs.join(format!("blocks/retained/blocks-{}-{}.log", 2 * STRIDE + 1, 3 * STRIDE));
    std::fs::rename(&first, root.path().join("aside")).expect("the part is there");
    let refused = Command::new(binary("boreasd")).args(["replay", "--blocks-log", text(&theirs)]).output();
    let said = String::from_utf8_lossy(&refused.expect("boreasd runs").stderr).into_owned();
    assert!(
        said.contains("what is between them is missing") && said.contains(&format!("block {} ", 2 * STRIDE)),
        "{said}"
    );
    std::fs::rename(root.path().join("aside"), &first).expect("the part is put back");

    // Into a folder of ours, which then goes on; named one by one, the parts are the same.
    let all = [theirs.join("blocks/retained"), theirs.join("blocks")];
    let ours = root.path().join("ours");
    let more = ["--blocks-log", text(&all[1]), "--data-dir", text(&ours)];
    let end = replay(&all[0], &more);
    assert_eq!((&end["head_block_id"], &end["integrity_hash"]), (&info["head_block_id"], &json!(hash)));
    // Once more changes nothing.
    assert_eq!(replay(&all[0], &more)["head_block_id"], info["head_block_id"]);
    for replayed in [&[][..], &["--replay-blockchain"], &["--hard-replay-blockchain"]] {
        let node = RunningNode::follow_with(&ours, replayed);
        let here = node.info().expect("the node answers");
        assert_eq!(here["head_block_id"], info["head_block_id"], "{replayed:?}");
        assert_eq!(place(&here), (head, irreversible), "{replayed:?}");
        let state = node.call("/v1/producer/get_integrity_hash", &json!({}));
        assert_eq!(state["integrity_hash"], json!(hash), "{replayed:?}");
        node.stop();
    }
    // And the folder that nodeos left can be that folder.
    let end = replay(&theirs, &["--data-dir", text(&theirs)]);
    assert_eq!(end["head_block_id"], info["head_block_id"]);
    let node = RunningNode::follow(&theirs);
    assert_eq!(node.info().expect("the node answers")["head_block_id"], info["head_block_id"]);
}
