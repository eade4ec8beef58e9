//! Disks that are full, files that are damaged, folders that others use: the node says so and loses nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use e2e::{Load, RunningNode, binary};

/// Bytes that a file may have: reached after some seconds.
const ROOM: u64 = 3 << 20;
const FULL_WITHIN: Duration = Duration::from_secs(60);

/// The newest block that the node shows.
fn head(node: &RunningNode) -> Option<(u64, String)> {
    let info = node.info()?;
    Some((info["head_block_num"].as_u64()?, info["head_block_id"].as_str()?.to_owned()))
}

#[test]
fn a_full_disk_stops_the_node_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start(folder.path(), &[]);
    Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    let begun = node.head();
    node.wait_until("a block with the set-up", |info| info["head_block_num"].as_u64() > Some(begun + 1));
    node.stop();
    let node = RunningNode::start_without_room(folder.path(), ROOM);
    let (api, seen) = (node.api.clone(), Mutex::new(head(&node).expect("the node answers")));
    let log = std::thread::scope(|scope| {
        let filling: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut load = Load::new(api.clone());
                    while let Ok(info) = api.call("/v1/chain/get_info", &serde_json::json!({})) {
                        let number = info["head_block_num"].as_u64().expect("a number");
                        let id = info["head_block_id"].as_str().expect("an id").to_owned();
                        let mut seen = seen.lock().expect("nobody panics with it");
                        if number > seen.0 {
                            *seen = (number, id);
                        }
                        drop(seen);
                        // Some find no time left in a block.
                        drop(load.fill());
                    }
                })
            })
            .collect();
        let log = node.wait_for_failure(FULL_WITHIN);
        filling.into_iter().for_each(|thread| thread.join().expect("a client does not panic"));
        log
    });
    assert!(log.contains("cannot write in the database") && log.contains("File too large"), "{log}");
    assert!(log.contains("Make room there and start again"), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    let node = RunningNode::start(folder.path(), &[]);
    let (number, id) = seen.into_inner().expect("nobody panicked with it");
    assert_eq!(node.block_id(number), Some(id));
}

/// What `boreasd` says when it refuses to start on a folder.
fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(binary("boreasd"))
        .args(["--http-server-address", "", "--data-dir"])
        .arg(folder)
        .arg("--config-dir")
        .arg(folder)
        .args(arguments)
        .output()
        .expect("boreasd runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("db")).expect("the database is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == ending));
    paths.sort();
    paths
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start(folder.path(), &[]);
    Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    let seen = head(&node).expect("the node answers");
    node.wait_until("more blocks", |info| info["head_block_num"].as_u64() > Some(seen.0 + 1));
    let busy = refusal(folder.path(), &[]);
    assert!(busy.contains("Another boreasd may be running"), "{busy}");
    node.stop();
    // What a start reads from the log becomes a file.
    RunningNode::start(folder.path(), &[]).stop();

    // The end of the log is torn, as by a loss of power: what came before it is whole.
    let log = files(folder.path(), "log").pop().expect("there is a log");
    let bytes = std::fs::read(&log).expect("readable");
    std::fs::write(&log, &bytes[..bytes.len() - bytes.len().min(40)]).expect("writable");
    let node = RunningNode::start(folder.path(), &[]);
    assert_eq!(node.block_id(seen.0), Some(seen.1));
    node.stop();

    let tables = files(folder.path(), "sst");
    assert!(!tables.is_empty(), "the state was written to files");
    for path in tables {
        let bytes = std::fs::read(&path).expect("readable");
        let damaged: Vec<_> = bytes.iter().map(|byte| byte ^ 0x55).collect();
        std::fs::write(&path, damaged).expect("writable");
        let text = refusal(folder.path(), &[]);
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        assert!(text.contains(&name) && text.contains("A file is damaged"), "{name}: {text}");
        std::fs::write(&path, bytes).expect("writable");
    }
    let current = folder.path().join("db/CURRENT");
    std::fs::write(&current, b"nonsense\n").expect("writable");
    let text = refusal(folder.path(), &[]);
    assert!(text.contains("A file is damaged"), "{text}");
}

/// Every file of tables is damaged in turn. Where it holds state a replay builds that anew, where it holds blocks the
/// refusal stays; nothing is lost in either case.
#[test]
fn a_damaged_state_is_built_from_the_blocks() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start(folder.path(), &[]);
    Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    let seen = head(&node).expect("the node answers");
    node.wait_until("more blocks", |info| info["head_block_num"].as_u64() > Some(seen.0 + 1));
    node.stop();
    RunningNode::start(folder.path(), &[]).stop();
    let mut healed = 0;
    for option in ["--replay-blockchain", "--hard-replay-blockchain"] {
        for path in files(folder.path(), "sst") {
            let copy = tempfile::tempdir().expect("temporary folder");
            let copied = Command::new("cp").arg("-r").arg(folder.path().join("db")).arg(copy.path()).status();
            assert!(copied.expect("cp runs").success());
            let path = copy.path().join("db").join(path.file_name().expect("a file"));
            let mut bytes = std::fs::read(&path).expect("readable");
            bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
            std::fs::write(&path, bytes).expect("writable");
            let output = Command::new(binary("boreasd"))
                .args(["--http-server-address", "", "--terminate-at-block", "1", option])
                .args([Path::new("--data-dir"), copy.path(), Path::new("--config-dir"), copy.path()])
                .output()
                .expect("boreasd runs");
            let log = String::from_utf8_lossy(&output.stderr);
            if output.status.success() {
                assert!(log.contains("the damaged database is kept in"), "{log}");
                let node = RunningNode::start(copy.path(), &[]);
                assert_eq!(node.block_id(seen.0), Some(seen.1.clone()));
                healed += 1;
            } else {
                assert!(log.contains("A file is damaged") && !log.contains("panicked"), "{log}");
            }
        }
    }
    assert!(healed > 0, "no file holds state only");
}
