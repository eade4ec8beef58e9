//! One bit is wrong in one file of a database: it opens with all that was written, or is refused as damaged, or what
//! is read later is refused. It never opens with less in silence, and never forgets what was signed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use primitives::{BlockId, BlockTimestamp, Checksum256, Name};
use store::{AcceptedBlock, CodeFolder, Head, Store, StoreError, StoreSettings, Watermark};

const BLOCKS: u32 = 400;
const FLIPS: u64 = 120;
const PRODUCER: Name = Name(7);

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(&StoreSettings { path: path.to_owned() })
}

fn id(num: u32) -> BlockId {
    let mut id = [num as u8; 32];
    id[..4].copy_from_slice(&num.to_be_bytes());
    Checksum256(id)
}

fn bytes(num: u32) -> Vec<u8> {
    (0..num * 37 % 900).map(|at| (at * num) as u8 | 1).collect()
}

fn mark(num: u32) -> Watermark {
    Watermark { num, slot: BlockTimestamp(num + 1000) }
}

fn append(store: &Store, num: u32) {
    let (bytes, signed) = (bytes(num), Some((PRODUCER, mark(num))));
    let block = AcceptedBlock { num, id: id(num), bytes: &bytes, head: true, irreversible: num - 1, signed };
    store.append_block(&block).expect("written");
    store.sync().expect("synced");
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

#[test]
fn a_flipped_bit_is_refused_or_harmless() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("whole");
    let store = open(&path).expect("a new store");
    (1..BLOCKS / 2).for_each(|num| append(&store, num));
    drop(store);
    // What is in the log becomes a file of tables; the rest stays in the log, as a killed process leaves it.
    let store = open(&path).expect("it opens");
    (BLOCKS / 2..=BLOCKS).for_each(|num| append(&store, num));
    let killed = folder.path().join("killed");
    std::fs::create_dir(&killed).expect("made");
    copy(&path, &killed);
    drop(store);
    let mut files: Vec<_> =
        std::fs::read_dir(&killed).expect("readable").map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    let (mut random, mut refused, mut harmless) = (88_172_645_463_325_252_u64, 0, 0);
    let mut below = |count: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % count
    };
    for round in 0..FLIPS {
        let file = &files[(round % files.len() as u64) as usize];
        let mut content = std::fs::read(file).expect("readable");
        if content.is_empty() {
            continue;
        }
        let at = below(content.len() as u64) as usize;
        content[at] ^= 1 << below(8);
        let flipped = folder.path().join(format!("flipped-{round}"));
        std::fs::create_dir(&flipped).expect("made");
        copy(&killed, &flipped);
        let name = file.file_name().expect("a file");
        std::fs::write(flipped.join(name), &content).expect("writable");
        let what = format!("round {round}: {} at {at} of {}", name.to_string_lossy(), content.len());
        match open(&flipped) {
            Err(error) => {
                assert!(error.to_string().len() > 20, "{what}: {error}");
                refused += 1;
            }
            Ok(store) => {
                match store.head() {
                    Ok(head) => assert_eq!(head, Some(Head { num: BLOCKS, id: id(BLOCKS) }), "{what}"),
                    Err(error) => assert!(error.is_damage(), "{what}: {error}"),
                }
                match store.watermark(PRODUCER) {
                    Ok(found) => assert_eq!(found, Some(mark(BLOCKS)), "{what}"),
                    Err(error) => assert!(error.is_damage(), "{what}: {error}"),
                }
                for num in 1..=BLOCKS {
                    match store.block_by_id(&id(num)) {
                        Ok(found) => assert_eq!(found, Some(bytes(num)), "{what}: block {num}"),
                        Err(error) => assert!(error.is_damage(), "{what}: {error}"),
                    }
                }
                harmless += 1;
            }
        }
        std::fs::remove_dir_all(&flipped).expect("removed");
    }
    assert!(refused > 10 && harmless > 10, "{refused} refused, {harmless} harmless");
}

#[test]
fn what_was_signed_outlives_the_end_of_the_log() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("db");
    let store = open(&path).expect("a new store");
    (1..=20).for_each(|num| append(&store, num));
    let torn = folder.path().join("torn");
    std::fs::create_dir(&torn).expect("made");
    copy(&path, &torn);
    drop(store);
    // The last blocks are cut off, as by a disk that lost them.
    for entry in std::fs::read_dir(&torn).expect("readable") {
        let file = entry.expect("readable").path();
        let bytes = std::fs::read(&file).expect("readable");
        if file.extension().is_some_and(|extension| extension == "log") && !bytes.is_empty() {
            std::fs::write(&file, &bytes[..bytes.len() - bytes.len().min(2000)]).expect("writable");
        }
    }
    let store = open(&torn).expect("a torn log is normal");
    let head = store.head().expect("readable").expect("there is a head");
    assert!(head.num < 20, "{head:?}");
    assert_eq!(store.watermark(PRODUCER).expect("readable"), Some(mark(20)));
    assert_eq!(store.signers().expect("readable"), [PRODUCER]);
    // The operator wants another future.
    store.truncate(head, BlockTimestamp(5)).expect("cut");
    let mark = Watermark { num: head.num, slot: BlockTimestamp(5) };
    assert_eq!(store.watermark(PRODUCER).expect("readable"), Some(mark));
    drop(store);
    assert_eq!(open(&torn).expect("it opens").watermark(PRODUCER).expect("readable"), Some(mark));
    Store::destroy(&torn).expect("removed");
    assert_eq!(open(&torn).expect("a new store").signers().expect("readable"), []);
}

/// The newest log of a database.
fn log_of(path: &Path) -> PathBuf {
    let files = std::fs::read_dir(path).expect("readable").map(|entry| entry.expect("readable").path());
    let mut logs: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "log")).collect();
    logs.sort();
    logs.pop().expect("there is a log")
}

#[test]
fn a_torn_log_is_normal_and_a_hole_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("db");
    let store = open(&path).expect("a new store");
    (1..=150).for_each(|num| append(&store, num));
    let whole = folder.path().join("whole");
    std::fs::create_dir(&whole).expect("made");
    copy(&path, &whole);
    drop(store);
    let bytes = std::fs::read(log_of(&whole)).expect("readable");
    assert!(bytes.len() > 2 * (32 << 10), "writes cross the log's blocks");
    let with_log = |round: usize, content: &[u8]| {
        let copied = folder.path().join(format!("copy-{round}"));
        std::fs::create_dir(&copied).expect("made");
        copy(&whole, &copied);
        std::fs::write(log_of(&copied), content).expect("writable");
        copied
    };
    let mut last = BLOCKS;
    for (round, cut) in (0..bytes.len()).step_by(bytes.len() / 30).enumerate() {
        let store = open(&with_log(round, &bytes[..bytes.len() - cut])).expect("a torn end");
        let head = store.head().expect("readable").map_or(0, |head| head.num);
        assert!(head <= last, "less log has fewer blocks");
        last = head;
    }
    // The space behind the end was reserved and not written.
    let store = open(&with_log(90, &[&bytes[..], &[0; 5000]].concat())).expect("an end in zeros");
    assert_eq!(store.head().expect("readable").map(|head| head.num), Some(150));
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 4;
    let damaged = with_log(91, &flipped);
    let error = open(&damaged).expect_err("a hole");
    let text = error.to_string();
    assert!(error.is_damage() && text.contains(&log_of(&damaged).display().to_string()), "{text}");
    assert!(text.contains("--replay-blockchain"), "{text}");
    assert_eq!(std::fs::read(log_of(&damaged)).expect("readable"), flipped, "nothing is changed");
    // Who accepts the loss goes on with what is before the hole, and signs nothing again.
    Store::rebuild_without_state(&damaged).expect("rebuilt");
    let store = open(&damaged).expect("it opens");
    let head = store.head().expect("readable").expect("there is a head");
    assert!(head.num > 20 && head.num < 150, "{head:?}");
    assert_eq!(store.watermark(PRODUCER).expect("readable"), Some(mark(150)));
}

#[test]
fn the_marks_of_what_was_signed_stay_small() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = open(folder.path()).expect("a new store");
    for num in 1..5000 {
        let signed = Some((Name(u64::from(num % 2)), mark(num)));
        let block = AcceptedBlock { num, id: id(num), bytes: &[1], head: true, irreversible: num - 1, signed };
        store.append_block(&block).expect("written");
    }
    drop(store);
    let file = folder.path().join("signed");
    assert!(std::fs::metadata(&file).expect("there is a file").len() < 70_000);
    // A record that is cut short is left out.
    let mut bytes = std::fs::read(&file).expect("readable");
    bytes.extend([1, 2, 3]);
    std::fs::write(&file, &bytes).expect("writable");
    let store = open(folder.path()).expect("it opens");
    let marks = [0, 1].map(|name| store.watermark(Name(name)).expect("readable"));
    assert_eq!(marks, [Some(mark(4998)), Some(mark(4999))]);
}

#[test]
fn the_compiled_code_that_was_used_longest_ago_makes_room() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let code = CodeFolder::open(folder.path()).expect("made").with_limit(25);
    let written = |key: &str, seconds: u64| {
        code.write(key, &[7; 10]).expect("written");
        let file = File::options().write(true).open(code.file(key)).expect("there");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).expect("set");
    };
    written("a", 1);
    written("b", 2);
    assert!(code.read("a").is_some(), "a is used again");
    written("c", 3);
    assert_eq!(["a", "b", "c"].map(|key| code.read(key).is_some()), [true, false, true]);
}

#[test]
fn a_list_of_files_that_ends_too_early_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("whole");
    let store = open(&path).expect("a new store");
    (1..=20).for_each(|num| append(&store, num));
    drop(store);
    // What is in the log becomes files, which the list names.
    drop(open(&path).expect("it opens"));
    let current = std::fs::read_to_string(path.join("CURRENT")).expect("readable");
    let list = std::fs::read(path.join(current.trim_end())).expect("readable");
    for end in 0..list.len() {
        let cut = folder.path().join("cut");
        std::fs::create_dir(&cut).expect("made");
        copy(&path, &cut);
        std::fs::write(cut.join(current.trim_end()), &list[..end]).expect("writable");
        let refused = open(&cut).expect_err("it is cut").to_string();
        assert!(refused.contains("MANIFEST"), "{end} of {}: {refused}", list.len());
        std::fs::remove_dir_all(&cut).expect("removed");
    }
    assert_eq!(open(&path).expect("it opens").head().expect("readable"), Some(Head { num: 20, id: id(20) }));
}

/// Removes the logs of a database, or the files whose names begin in one of these ways.
fn without(path: &Path, prefixes: &[&str]) {
    for entry in std::fs::read_dir(path).expect("readable") {
        let file = entry.expect("readable").path();
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        let is_log = prefixes.contains(&"log") && name.ends_with(".log");
        if is_log || prefixes.iter().any(|prefix| *prefix != "log" && name.starts_with(prefix)) {
            std::fs::remove_file(file).expect("removed");
        }
    }
}

/// A database with blocks in tables and in a log, in `folder`.
fn stored(folder: &Path) -> PathBuf {
    let path = folder.join("whole");
    let store = open(&path).expect("a new store");
    (1..=20).for_each(|num| append(&store, num));
    drop(store);
    let store = open(&path).expect("it opens");
    assert_eq!(store.losses(), store::Losses::default());
    (21..=30).for_each(|num| append(&store, num));
    path
}

#[test]
fn a_log_that_is_gone_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let whole = stored(folder.path());
    let copied = |name: &str, gone: &[&str]| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).expect("made");
        copy(&whole, &path);
        without(&path, gone);
        path
    };
    for (round, gone) in [&["log"][..], &["log", "signed"]].into_iter().enumerate() {
        let path = copied(&format!("gone-{round}"), gone);
        let before = std::fs::read_dir(&path).expect("readable").count();
        let error = open(&path).expect_err("ten blocks are missing");
        assert!(matches!(error, StoreError::LogMissing { stored: 30, left: 20, .. }), "{error}");
        assert!(error.is_damage() && error.to_string().contains("--replay-blockchain"), "{error}");
        assert_eq!(std::fs::read_dir(&path).expect("readable").count(), before, "nothing is changed");
        let rebuilt = Store::rebuild_without_state(&path).expect("rebuilt");
        assert_eq!(rebuilt.lost_blocks, Some((30, 20)));
        let store = open(&path).expect("it opens");
        assert_eq!(store.head().expect("readable"), Some(Head { num: 20, id: id(20) }));
        if round == 0 {
            assert_eq!(store.watermark(PRODUCER).expect("readable"), Some(mark(30)));
            assert_eq!(store.forgot_signatures().expect("readable"), None);
        } else {
            assert_eq!(store.forgot_signatures().expect("readable"), Some(30));
            let bar = Watermark { num: 30, slot: BlockTimestamp(5000) };
            store.bar_signing(bar).expect("written");
            drop(store);
            let store = open(&path).expect("it opens");
            assert_eq!(store.forgot_signatures().expect("readable"), None);
            assert_eq!(store.watermark(store::EVERYBODY).expect("readable"), Some(bar));
        }
    }
    // Without the note nobody can tell, and nobody signs what may have been signed.
    let store = open(&copied("all", &["log", "signed", "stored"])).expect("it opens");
    assert!(store.losses().reach_unknown && store.losses().signed);
    assert_eq!(store.forgot_signatures().expect("readable"), Some(0));
    // What was signed is in the database, too.
    let store = open(&copied("signed", &["signed"])).expect("it opens");
    assert_eq!(store.head().expect("readable"), Some(Head { num: 30, id: id(30) }));
    assert_eq!(store.watermark(PRODUCER).expect("readable"), Some(mark(30)));
    assert_eq!((store.losses().signed, store.forgot_signatures().expect("readable")), (true, None));
    drop(store);
    let store = open(&folder.path().join("signed")).expect("it opens");
    assert_eq!(store.losses(), store::Losses::default());
    // As an older version leaves it.
    assert_eq!(
        open(&copied("old", &["stored"])).expect("it opens").head().expect("readable").map(|head| head.num),
        Some(30)
    );
}

#[test]
fn a_torn_log_is_told_until_something_new_is_stored() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = stored(folder.path());
    let log = log_of(&path);
    let bytes = std::fs::read(&log).expect("readable");
    std::fs::write(&log, &bytes[..bytes.len() - 100]).expect("writable");
    for _ in 0..2 {
        let store = open(&path).expect("a torn end");
        assert_eq!(store.losses().stored, Some(30));
        assert!(store.head().expect("readable").is_some_and(|head| head.num < 30));
    }
    let store = open(&path).expect("it opens");
    (29..=40).for_each(|num| append(&store, num));
    drop(store);
    assert_eq!(open(&path).expect("it opens").losses(), store::Losses::default());
}

#[test]
fn a_list_of_files_that_is_gone_is_found_or_made_again() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let whole = stored(folder.path());
    let head = Some(Head { num: 30, id: id(30) });
    for (round, gone) in [&["CURRENT"][..], &["MANIFEST"], &["CURRENT", "MANIFEST", "signed"]].into_iter().enumerate() {
        let path = folder.path().join(format!("gone-{round}"));
        std::fs::create_dir(&path).expect("made");
        copy(&whole, &path);
        without(&path, gone);
        assert!(Store::is_there(&path));
        if round > 0 {
            let error = open(&path).expect_err("nobody knows which files count");
            assert!(error.is_damage() && error.to_string().contains("--replay-blockchain"), "{error}");
            let rebuilt = Store::rebuild_without_state(&path).expect("rebuilt");
            assert_eq!(rebuilt.lost_blocks, None);
        }
        let store = open(&path).expect("it opens");
        assert_eq!(store.head().expect("readable"), head);
        (1..=30).for_each(|num| assert_eq!(store.block_by_id(&id(num)).expect("readable"), Some(bytes(num))));
        assert_eq!(store.watermark(PRODUCER).expect("readable"), Some(mark(30)));
        drop(store);
        Store::destroy(&path).expect("removed");
        assert!(!Store::is_there(&path));
    }
    // Nothing of the blocks is left: the folder stays as it is.
    let path = folder.path().join("nothing");
    std::fs::create_dir(&path).expect("made");
    copy(&whole, &path);
    without(&path, &["log", "MANIFEST", "0"]);
    let refused = Store::rebuild_without_state(&path).expect_err("there are no blocks").to_string();
    assert!(refused.contains("--delete-all-blocks") && refused.contains("peers"), "{refused}");
    assert!(path.join("signed").exists());
    Store::destroy(&path).expect("removed");
    open(&path).expect("a new store");
}
