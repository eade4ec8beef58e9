//! `boreasd check`: what is damaged in a folder is found and named before somebody needs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Load, RunningNode, binary};

/// Status and words of `boreasd check`.
fn check(folder: &Path) -> (Option<i32>, String) {
    let output = Command::new(binary("boreasd")).arg("check").arg("--data-dir").arg(folder).output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn tables(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("db")).expect("the database is there");
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths.filter(|path| path.extension().is_some_and(|found| found == "sst")).collect()
}

#[test]
fn damage_is_found_and_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = folder.path();
    assert!(check(place).1.contains("there is no chain in"));
    let mut node = RunningNode::start(place, &["--plugin", "eosio::trace_api_plugin"]);
    let mut load = Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    (0..20).for_each(|_| drop(load.transfer().expect("a transfer is taken")));
    let last = node.head();
    node.wait_until("more blocks", |info| info["head_block_num"].as_u64() > Some(last + 1));
    let (status, text) = check(place);
    assert!(status == Some(1) && text.contains("Another boreasd may be running"), "{text}");
    node.stop();
    // What is in the log becomes files of tables.
    RunningNode::start(place, &[]).stop();
    let (status, text) = check(place);
    assert_eq!(status, Some(0), "{text}");
    for part in ["blocks 1 to ", "the traces of ", "the state of block "] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }

    // A byte at the beginning of a file is one of its first row: of blocks, traces, the state, or what is found by them.
    let mut named = String::new();
    for path in tables(place) {
        let whole = std::fs::read(&path).expect("readable");
        let mut damaged = whole.clone();
        damaged[20] ^= 0x40;
        std::fs::write(&path, damaged).expect("writable");
        let (status, text) = check(place);
        assert!(status == Some(1) && text.contains("damaged"), "{}: {text}", path.display());
        named += &text;
        std::fs::write(&path, whole).expect("writable");
    }
    for part in ["block", "the state: ", "--replay-blockchain"] {
        assert!(named.contains(part), "{part:?} is not in {named}");
    }
    assert_eq!(check(place).0, Some(0));
    let node = RunningNode::start(place, &[]);
    assert!(node.head() > last);
}
