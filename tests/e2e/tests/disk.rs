//! Disks that are full, files that are damaged, folders that others use: the node says so and loses nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use e2e::{Dice, Load, RunningNode, binary};

/// Bytes that a file may have: reached after some seconds.
const ROOM: u64 = 3 << 20;
const FULL_WITHIN: Duration = Duration::from_secs(60);
/// How long a node that lost blocks may try to sign.
const SIGNING_TIME: Duration = Duration::from_secs(3);

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

#[test]
fn a_disk_with_little_left_takes_no_transactions() {
    let folder = tempfile::tempdir().expect("temporary folder");
    // More than any disk has.
    let mut node = RunningNode::start(folder.path(), &["--disk-reserve-mb", "4294967295"]);
    let health = node.wait_for_health("the breaker of the disk", |health| {
        health["reasons"].to_string().contains("no transactions are taken")
    });
    assert!(health["disk"]["flood_stage_bytes"].is_string(), "{health}");
    let refused = Load::set_up(node.api.clone()).expect_err("no transactions are taken").to_string();
    assert!(refused.contains("the breaker disk is open"), "{refused}");
    let refused = node.api.call("/v1/producer/create_snapshot", &serde_json::json!({})).expect_err("it takes room");
    assert!(refused.to_string().contains("the breaker disk is open"), "{refused}");
    let trips = &node.get("/v1/node/health").1["breakers"]["trips"];
    assert_eq!(trips["disk"], 1, "{trips}");
    let head = node.head();
    node.wait_until("blocks that go on", |info| info["head_block_num"].as_u64() > Some(head + 1));
    node.stop();
    let node = RunningNode::start(folder.path(), &["--disk-reserve-mb", "0"]);
    Load::set_up(node.api.clone()).expect("there is room");
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
    // The list of files that is in force is known from elsewhere, too.
    std::fs::write(folder.path().join("db/CURRENT"), b"nonsense\n").expect("writable");
    let node = RunningNode::start(folder.path(), &[]);
    assert!(node.block_id(seen.0).is_some());
    node.stop();
}

/// Files that say what there is are removed. The node goes on with all blocks, or says what is missing; the remedy that it
/// names works, and nothing is signed again.
#[test]
fn a_missing_file_is_told_and_its_remedy_works() {
    let folder = tempfile::tempdir().expect("temporary folder");
    RunningNode::start(folder.path(), &[]).stop();
    let mut node = RunningNode::start(folder.path(), &[]);
    let first = node.head();
    node.wait_until("more blocks", |info| info["head_block_num"].as_u64() > Some(first + 4));
    let (last, id) = head(&node).expect("the node answers");
    node.stop();
    let lost: &[(&[&str], bool)] =
        &[(&["log"], true), (&["log", "signed"], true), (&["MANIFEST"], false), (&["CURRENT", "MANIFEST"], false)];
    for (prefixes, shorter) in lost {
        let copy = tempfile::tempdir().expect("temporary folder");
        let copied = Command::new("cp").arg("-r").arg(folder.path().join("db")).arg(copy.path()).status();
        assert!(copied.expect("cp runs").success());
        for entry in std::fs::read_dir(copy.path().join("db")).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            if prefixes.iter().any(|prefix| name.starts_with(prefix) || (*prefix == "log" && name.ends_with(".log"))) {
                std::fs::remove_file(path).expect("removed");
            }
        }
        let text = refusal(copy.path(), &[]);
        assert!(text.contains("--replay-blockchain"), "{prefixes:?}: {text}");
        let node = RunningNode::try_follow(copy.path(), &["--replay-blockchain"]).expect("the remedy works");
        let (left, log) = (node.head(), node.log());
        assert_eq!(left < last, *shorter, "{prefixes:?}: {left} of {last}: {log}");
        assert_eq!(log.contains(&format!("blocks {} to", left + 1)), *shorter, "{prefixes:?}: {log}");
        assert_eq!(node.block_id(last).is_some_and(|found| found == id), !shorter, "{prefixes:?}");
        node.stop();
        RunningNode::start_and_kill(copy.path(), &["-e", "-p", "eosio"], SIGNING_TIME);
        let node = RunningNode::try_follow(copy.path(), &[]).expect("it starts");
        assert_eq!(node.head() == left, *shorter, "{prefixes:?}: it signs again where nothing is lost, and only there");
        node.stop();
    }
}

/// Runs `boreasd` on a copy of a folder until it has looked at the chain. Its log, where it ran well.
fn looked_at(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(binary("boreasd"))
        .args(arguments)
        .args([Path::new("--data-dir"), folder])
        .env("XDG_CACHE_HOME", folder)
        .output()
        .expect("boreasd runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("panicked") && output.status.code().is_some(), "{text}");
    if output.status.success() { Ok(text) } else { Err(text) }
}

/// All files below a folder.
fn all_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            all_files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// Bytes are changed at random places of every file of the data folder, and files are cut there (`BOREAS_FLIPS` says at
/// how many of each, `SEED` at which). The node starts on the same head with the same state, or says which file is damaged
/// and what to do. Where the end of the log is gone, as after a loss of power, it says how much is lost, and does not sign
/// again at the heights that it signed. Blocks are exported as they were, or not.
#[test]
fn a_damaged_file_is_harmless_or_named() {
    let flips: usize = std::env::var("BOREAS_FLIPS").map_or(1, |count| count.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("temporary folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("the folder can be written");
    let mut node = RunningNode::start(&data, &["--plugin", "eosio::trace_api_plugin"]);
    let mut load = Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    (0..20).for_each(|_| drop(load.transfer().expect("a transfer is taken")));
    let last = node.head();
    node.wait_until("a block with the last", |info| info["head_block_num"].as_u64() > Some(last + 1));
    node.stop();
    // What is in the log becomes a file of tables; the rest stays in the log, as a killed process leaves it.
    let mut node = RunningNode::start(&data, &["--plugin", "eosio::trace_api_plugin"]);
    let mut load = Load::new(node.api.clone());
    (0..20).for_each(|_| drop(load.transfer().expect("a transfer is taken")));
    let last = node.head();
    node.wait_until("more blocks", |info| info["head_block_num"].as_u64() > Some(last + 2));
    node.kill();
    std::fs::remove_file(data.join("node.log")).expect("the log is there");

    let copy = folder.path().join("copy");
    let copied = || {
        let _ = std::fs::remove_dir_all(&copy);
        assert!(
            Command::new("cp")
                .args(["-r", "--sparse=always"])
                .args([&data, &copy])
                .status()
                .expect("cp runs")
                .success()
        );
    };
    // The head and the hash of the state with which it starts, and its log.
    let started = |folder: &Path| {
        let node = RunningNode::try_follow(folder, &["--integrity-hash-on-start"])?;
        let (head, log) = (head(&node).expect("the node answers"), node.log());
        node.stop();
        assert!(!log.contains("panicked"), "{log}");
        let hash = log.lines().find_map(|line| line.split_once("started with hash: ")).map(|(_, hash)| hash.to_owned());
        Ok::<_, String>(((head, hash.expect("it was asked for")), log))
    };
    let exported = |folder: &Path| {
        let log = folder.join("exported.log");
        let log = log.to_str().expect("a path of ASCII");
        looked_at(folder, &["export-blocks", log]).map(|_| std::fs::read(log).expect("it was written"))
    };
    copied();
    let (whole, _) = started(&copy).expect("it starts");
    assert!(whole.0.0 > last + 2, "{whole:?} after {last}");
    let blocks = exported(&copy).expect("the blocks are there");

    let mut paths = Vec::new();
    all_files(&data, &mut paths);
    paths.retain(|path| path.metadata().is_ok_and(|file| file.len() > 0));
    paths.sort();
    let mut dice = Dice::of_test(11);
    let (mut refused, mut harmless, mut shorter, mut wrong) = (0, 0, 0, Vec::new());
    let mut expect = |holds: bool, what: &str, seen: &str| {
        if !holds {
            eprintln!("{what}: {seen}");
            wrong.push(format!("{what}: {seen}"));
        }
    };
    for path in &paths {
        let name = path.strip_prefix(&data).expect("it is in there");
        let bytes = std::fs::read(path).expect("readable");
        for cut in [false, true].repeat(flips) {
            copied();
            let at = dice.below(bytes.len());
            let mut damaged = bytes.clone();
            if cut {
                damaged.truncate(at);
            } else {
                damaged[at] ^= 1 << dice.below(8);
            }
            std::fs::write(copy.join(name), damaged).expect("writable");
            let done = if cut { "cut" } else { "changed" };
            let what = format!("{} {done} at {at} of {} (SEED={})", name.display(), bytes.len(), dice.seed());
            match started(&copy) {
                Ok((found, _)) if found == whole => {
                    match exported(&copy) {
                        Ok(found) => expect(found == blocks, &what, "other blocks"),
                        Err(text) => expect(text.contains("damaged"), &what, &text),
                    }
                    harmless += 1;
                }
                Ok((found, log)) => {
                    let torn = cut && name.extension().is_some_and(|extension| extension == "log");
                    expect(torn && found.0.0 < whole.0.0 && log.contains("lost"), &what, &format!("{found:?}: {log}"));
                    RunningNode::start_and_kill(&copy, &["-e", "-p", "eosio"], SIGNING_TIME);
                    let found = exported(&copy).expect("the blocks are whole");
                    expect(blocks.starts_with(&found) || found.starts_with(&blocks), &what, "signed again");
                    shorter += 1;
                }
                Err(text) => {
                    let is_told = text.lines().any(|line| line.starts_with("error: ") && line.len() > 30);
                    expect(is_told && !text.contains("panicked"), &what, &text);
                    refused += 1;
                }
            }
        }
    }
    eprintln!(
        "{} files, {harmless} damages harmless, {refused} refused, {shorter} with a loss that is told",
        paths.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(refused > 0 && harmless > 0, "{refused} refused, {harmless} harmless");
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
