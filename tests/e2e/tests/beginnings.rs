//! How a start begins: every line of the table in `node/README.md`, run on boreasd and, where it is installed, on
//! nodeos, on folders with the same blocks. A start that is refused must leave the folder as it was.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use client::Node;
use e2e::{Peer, binary, export_blocks, free_port, replay};
use serde_json::{Value, json};

const TABLE: &str = include_str!("../../../node/README.md");
/// The last block of the folders' chains, and of the whole chain that they are cut from.
const HEAD: u32 = 12;
const WHOLE: u32 = 16;
/// The blocks of the snapshots.
const SNAPSHOT: u32 = 5;
const LATE: u32 = 15;
/// Lines that are drawn at random in a run; the environment's COUNT says how many else.
const RANDOM_LINES: usize = 12;
/// What they are drawn from; the environment's SEED gives others.
const SEED: u64 = 4711;
/// What a node does within this it does at all.
const LIMIT: Duration = Duration::from_secs(20);

/// What a start came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// It runs: number and id of the head, id of the chain.
    Runs(u64, String, String),
    /// It ended in good order.
    Ends,
    /// It ended with an error.
    Refused(String),
}

impl Outcome {
    /// Without the log, which differs from start to start.
    fn silent(self) -> Self {
        if let Self::Refused(_) = self { Self::Refused(String::new()) } else { self }
    }
}

/// Which node runs.
#[derive(Clone, Copy)]
enum Program<'a> {
    Boreasd,
    Nodeos(&'a Peer),
}

impl Program<'_> {
    fn command(self, folder: &Path, address: &str) -> Command {
        let (mut command, own) = match self {
            Self::Boreasd => (Command::new(binary("boreasd")), vec![]),
            Self::Nodeos(peer) => {
                let p2p = format!("127.0.0.1:{}", free_port());
                let own =
                    ["--eos-vm-oc-enable", "none", "--chain-state-db-size-mb", "256", "--p2p-listen-endpoint", &p2p];
                (peer.nodeos(), own.map(str::to_owned).to_vec())
            }
        };
        command
            .args(["--http-server-address", address, "--http-validate-host", "false"])
            .args(["--plugin", "eosio::chain_api_plugin", "--plugin", "eosio::producer_api_plugin"])
            .args([Path::new("--data-dir"), folder, Path::new("--config-dir"), &folder.join("config")])
            .args(own)
            .env("XDG_CACHE_HOME", folder)
            .stdin(Stdio::null());
        command
    }

    /// Starts it, looks at what it does, and stops it.
    fn run(self, folder: &Path, options: &[String]) -> Outcome {
        let address = format!("127.0.0.1:{}", free_port());
        let log = log_path(folder);
        let output = std::fs::File::create(&log).expect("the folder can be written");
        let mut command = self.command(folder, &address);
        command.args(options).stdout(output.try_clone().expect("cloned")).stderr(output);
        let mut process = command.spawn().expect("the node starts");
        let api = Node::new(&format!("http://{address}"), Vec::new());
        let begin = Instant::now();
        let info = loop {
            if process.try_wait().expect("a child can be asked").is_some() {
                break None;
            }
            if let Ok(info) = api.call("/v1/chain/get_info", &json!({})) {
                break Some(info);
            }
            if begin.elapsed() > LIMIT {
                process.kill().expect("a child can be killed");
                panic!("neither an answer nor an end: {options:?}\n{}", read(&log));
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let ended = info.is_some().then(|| {
            let kill = Command::new("kill").arg(process.id().to_string()).status();
            kill.expect("kill runs")
        });
        let status = process.wait().expect("a child can be waited for");
        let log = read(&log);
        assert!(!log.contains("panicked"), "{log}");
        match info {
            // Where the last block is reached a node may answer once and end.
            Some(_) if log.contains("Reached configured maximum block") => Outcome::Ends,
            Some(info) => {
                assert!(ended.is_some() && status.success(), "{options:?} ended with {status}: {log}");
                let text = |key: &str| info[key].as_str().expect("text").to_owned();
                Outcome::Runs(
                    info["head_block_num"].as_u64().expect("a number"),
                    text("head_block_id"),
                    text("chain_id"),
                )
            }
            None if status.success() => Outcome::Ends,
            None => Outcome::Refused(log),
        }
    }
}

/// What the last start on a folder printed.
fn log_of(folder: &Path) -> String {
    read(&log_path(folder))
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("start.log")
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

fn boreasd(folder: &Path, options: &[&str]) {
    let output = Program::Boreasd.command(folder, "").args(options).output().expect("boreasd runs");
    assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A genesis with the development key.
fn genesis(path: &Path, time: &str) -> String {
    let template = Command::new(binary("boreasd")).args(["--print-genesis-json", "--data-dir"]).arg(path).output();
    let mut document: Value = serde_json::from_slice(&template.expect("boreasd runs").stdout).expect("JSON");
    document["initial_timestamp"] = json!(time);
    document.to_string()
}

/// The files that the options of the table name, and the folders.
struct Stage {
    root: PathBuf,
}

impl Stage {
    fn build(root: &Path) -> Self {
        let stage = Self { root: root.to_owned() };
        boreasd(&stage.path("default"), &["--terminate-at-block", "1"]);
        for (name, time) in [("GENESIS", "2024-01-01T00:00:00.000"), ("OTHER", "2024-02-02T00:00:00.000")] {
            let text = genesis(&stage.path("default"), time);
            std::fs::write(stage.path(name), text).expect("the folder can be written");
        }
        // Three chains, of which two have the same genesis.
        let produce = |name: &str, genesis: &str, last: u32| {
            let (folder, genesis) = (stage.path(name), stage.path(genesis));
            let last = last.to_string();
            let options = ["-e", "-p", "eosio", "--genesis-json", text(&genesis), "--terminate-at-block", &last];
            boreasd(&folder, &options);
            export_blocks(&folder)
        };
        let [whole, other] = std::thread::scope(|scope| {
            let chains = [("whole", "GENESIS", WHOLE + 1), ("other", "OTHER", SNAPSHOT + 1)];
            let threads = chains.map(|(name, genesis, last)| scope.spawn(move || produce(name, genesis, last)));
            threads.map(|thread| thread.join().expect("the chain is produced"))
        });
        // Not beside the whole one: blocks of the same slots would be the same blocks.
        let fork = produce("fork", "GENESIS", SNAPSHOT + 1);
        let [whole, fork, other] = [&whole, &fork, &other];
        stage.snapshot("SNAPSHOT", whole, SNAPSHOT);
        stage.snapshot("LATE", whole, LATE);
        stage.snapshot("FORK", fork, SNAPSHOT);
        stage.snapshot("OTHER_SNAPSHOT", other, SNAPSHOT);
        let replay_to = |name: &str, options: &[&str]| {
            let folder = stage.path(name);
            replay(whole, &[&["--data-dir", text(&folder), "--stop-at-block", &HEAD.to_string()], options].concat())
        };
        replay_to("chain", &[]);
        replay_to("begun", &["--snapshot", text(&stage.path("SNAPSHOT"))]);
        boreasd(&stage.path("bare"), &["--snapshot", text(&stage.path("SNAPSHOT")), "--terminate-at-block", "1"]);
        std::fs::create_dir_all(stage.path("empty")).expect("the folder can be made");
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A snapshot of a block, which a node makes that stands there.
    fn snapshot(&self, name: &str, log: &Path, num: u32) {
        let folder = self.path(&format!("at {name}"));
        replay(log, &["--data-dir", text(&folder), "--stop-at-block", &num.to_string()]);
        let address = format!("127.0.0.1:{}", free_port());
        let mut node =
            Program::Boreasd.command(&folder, &address).stderr(Stdio::null()).spawn().expect("boreasd starts");
        let api = Node::new(&format!("http://{address}"), Vec::new());
        let begin = Instant::now();
        let made = loop {
            match api.call("/v1/producer/create_snapshot", &json!({})) {
                Ok(made) => break made,
                Err(error) => assert!(begin.elapsed() < LIMIT, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        node.kill().expect("a child can be killed");
        node.wait().expect("a child can be waited for");
        assert_eq!(made["head_block_num"], num);
        std::fs::copy(made["snapshot_name"].as_str().expect("a path"), self.path(name))
            .expect("the snapshot is copied");
    }

    /// The same folders for nodeos, under a prefix: it replays logs of the same blocks.
    fn build_for_nodeos(&self, peer: &Peer) {
        let program = Program::Nodeos(peer);
        for (name, options) in [("chain", &[][..]), ("begun", &["--snapshot", "SNAPSHOT"])] {
            let (folder, log) = (self.path(&format!("nodeos {name}")), export_blocks(&self.path(name)));
            std::fs::create_dir_all(folder.join("blocks")).expect("the folder can be made");
            std::fs::copy(log, folder.join("blocks/blocks.log")).expect("the log is copied");
            let options: Vec<_> = options.iter().map(|word| self.word(word)).collect();
            let started = program.run(&folder, &[options, vec!["--hard-replay-blockchain".to_owned()]].concat());
            assert!(
                matches!(started, Outcome::Runs(num, ..) if num == u64::from(HEAD)),
                "{started:?}: {}",
                log_of(&folder)
            );
        }
        let snapshot = ["--snapshot".to_owned(), self.word("SNAPSHOT")];
        let folder = prepared(&self.path("nodeos bare"));
        let started = program.run(&folder, &snapshot);
        assert!(
            matches!(started, Outcome::Runs(num, ..) if num == u64::from(SNAPSHOT)),
            "{started:?}: {}",
            log_of(&folder)
        );
        prepared(&self.path("nodeos empty"));
    }

    /// A word of the table's options, with the path of the file that it names.
    fn word(&self, word: &str) -> String {
        let is_file = word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
        if is_file { text(&self.path(word)).to_owned() } else { word.to_owned() }
    }

    /// A copy of a folder to start on.
    fn copy(&self, name: &str, number: usize) -> PathBuf {
        let copy = self.path(&format!("copy {number}"));
        let copied = Command::new("cp").arg("-r").arg(self.path(name)).arg(&copy).status();
        assert!(copied.expect("cp runs").success());
        copy
    }
}

fn prepared(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    folder.to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ASCII")
}

/// A line of the table.
struct Line {
    folder: String,
    options: Vec<String>,
    boreas: String,
    nodeos: String,
}

fn lines() -> Vec<Line> {
    // The page has other tables below this one.
    let rows = TABLE.lines().skip_while(|line| !line.starts_with("| folder |")).take_while(|line| !line.is_empty());
    let rows = rows.filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    let lines = cells.filter(|cells| cells[0] != "folder").map(|cells| {
        let [folder, options, boreas, nodeos] = cells.try_into().expect("a line of the table has four cells");
        let options = options.split_whitespace().map(str::to_owned).collect();
        Line { folder, options, boreas, nodeos }
    });
    lines.collect()
}

/// Whether the outcome is what a cell says; `after` is what a plain start then comes to, and `before` what it came to.
fn fits(cell: &str, outcome: &Outcome, before: &Outcome, after: &Outcome, default_chain: &str) -> bool {
    match (cell.split_once(": ").unwrap_or((cell, "")), outcome) {
        (("new", _), Outcome::Runs(1, _, chain)) => chain == default_chain && after == outcome,
        (("own", _), Outcome::Runs(1, _, chain)) => chain != default_chain && after == outcome,
        (("ends", ""), Outcome::Ends) => head(after) >= head(before),
        (("ends", number), Outcome::Ends) => number.parse() == Ok(head(after)),
        (("refused", words), Outcome::Refused(log)) => log.contains(words) && after == before,
        (("broken", _), Outcome::Refused(_)) => after != before,
        ((number, _), Outcome::Runs(num, ..)) => number.parse() == Ok(*num) && after == outcome,
        _ => false,
    }
}

fn head(outcome: &Outcome) -> u64 {
    if let Outcome::Runs(num, ..) = outcome { *num } else { 0 }
}

fn check(program: Program<'_>, stage: &Stage, default_chain: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let nodeos = matches!(program, Program::Nodeos(_));
    let mut known = std::collections::BTreeMap::new();
    for (number, line) in lines().iter().enumerate() {
        let cell = if nodeos { &line.nodeos } else { &line.boreas };
        let folder = match (nodeos, line.folder.as_str()) {
            (true, "nodeos") => "nodeos chain".to_owned(),
            (true, name) => format!("nodeos {name}"),
            (false, "nodeos") => "nodeos chain".to_owned(),
            (false, name) => name.to_owned(),
        };
        if !stage.path(&folder).exists() {
            continue;
        }
        let before = known.entry(folder.clone()).or_insert_with(|| {
            let copy = stage.copy(&folder, 1000);
            let outcome = program.run(&copy, &[]);
            std::fs::remove_dir_all(copy).expect("the copy can be removed");
            outcome.silent()
        });
        let copy = stage.copy(&folder, number);
        let options: Vec<_> = line.options.iter().map(|word| stage.word(word)).collect();
        let outcome = program.run(&copy, &options);
        let after = program.run(&copy, &[]).silent();
        if !fits(cell, &outcome, before, &after, default_chain) {
            wrong.push(format!("{folder} {}: {cell}, not {outcome:?}, then {after:?}", line.options.join(" ")));
        }
        std::fs::remove_dir_all(copy).expect("the copy can be removed");
    }
    wrong
}

/// Options drawn at random: both nodes start, end or refuse alike, on the same head, and ours loses nothing that it was
/// not asked to delete.
fn random_lines(stage: &Stage, peer: &Peer, seed: u64, count: usize) -> Vec<String> {
    let mut state = seed;
    let mut draw = |most: usize| {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).expect("it is below a usize")
    };
    let mut wrong = Vec::new();
    for number in 0..count {
        let folder = ["empty", "chain", "chain", "begun", "begun", "bare", "bare", "nodeos"][draw(8)];
        let mut words: Vec<&str> = Vec::new();
        let snapshots = ["SNAPSHOT", "LATE", "FORK", "OTHER_SNAPSHOT", "GENESIS"];
        let (snapshot, genesis) = (snapshots[draw(5)], ["GENESIS", "OTHER", "SNAPSHOT"][draw(3)]);
        match draw(16) {
            0..=6 => words.extend(["--snapshot", snapshot]),
            7..=9 => words.extend(["--genesis-json", genesis]),
            10 => words.extend(["--snapshot", snapshot, "--genesis-json", genesis]),
            11 => words.extend(["--genesis-json", genesis, "--genesis-timestamp", "2024-03-01T00:00:00.000"]),
            12 => words.extend(["--snapshot", snapshot, "--genesis-timestamp", "2024-03-01T00:00:00.000"]),
            _ => {}
        }
        for mode in ["--replay-blockchain", "--hard-replay-blockchain", "--delete-all-blocks"] {
            words.extend((draw(3) == 0).then_some(mode));
        }
        if draw(3) == 0 {
            words.extend(["--truncate-at-block", ["3", "5", "8", "12", "99"][draw(5)]]);
        }
        if draw(4) == 0 {
            words.extend(["--terminate-at-block", ["3", "8", "12", "99"][draw(4)]]);
        }
        let options: Vec<_> = words.iter().map(|word| stage.word(word)).collect();
        let run = |program: Program<'_>, folder: &str| {
            let copy = stage.copy(folder, 2000 + number);
            let [before, outcome, after] = [&[][..], &options, &[]].map(|options| program.run(&copy, options));
            std::fs::remove_dir_all(copy).expect("the copy can be removed");
            (before.silent(), outcome, after.silent())
        };
        let (before, ours, after) = run(Program::Boreasd, if folder == "nodeos" { "nodeos chain" } else { folder });
        let theirs = if folder == "nodeos" { "nodeos chain".to_owned() } else { format!("nodeos {folder}") };
        let (their_before, theirs, their_after) = run(Program::Nodeos(peer), &theirs);
        let deletes = ["--delete-all-blocks", "--truncate-at-block"].iter().any(|option| words.contains(option));
        let lost =
            if let Outcome::Refused(_) = ours { before != after } else { !deletes && head(&after) < head(&before) };
        let alike = match (&ours, &theirs) {
            (Outcome::Refused(log), Outcome::Runs(..) | Outcome::Ends) => {
                // Where nodeos goes back to a block before all others, changes branches or loses blocks unasked.
                (!deletes && head(&their_after) < head(&their_before))
                    || ["cannot be before it", "of different branches", "do not go on", "holds a chain of nodeos"]
                        .iter()
                        .any(|reason| log.contains(reason))
            }
            (Outcome::Refused(_), Outcome::Refused(_)) => true,
            (Outcome::Runs(num, _, chain), Outcome::Runs(their_num, _, their_chain)) => {
                (num, chain) == (their_num, their_chain)
            }
            (ours, theirs) => ours == theirs,
        };
        if lost || !alike {
            wrong.push(format!("{folder} {}: {ours:?}, then {after:?}; nodeos {theirs:?}", words.join(" ")));
        }
    }
    wrong
}

#[test]
fn every_line_of_the_table_holds() {
    assert!(lines().len() > 80, "the table is not where it was");
    let root = tempfile::tempdir().expect("temporary folder");
    let stage = Stage::build(root.path());
    let Outcome::Runs(1, _, default_chain) = Program::Boreasd.run(&stage.path("default"), &[]) else {
        panic!("a default chain begins")
    };
    let peer = Peer::find();
    if let Some(peer) = &peer {
        stage.build_for_nodeos(peer);
    }
    let mut wrong = check(Program::Boreasd, &stage, &default_chain);
    if let Some(peer) = &peer {
        let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or(SEED);
        let count = std::env::var("COUNT").ok().and_then(|text| text.parse().ok());
        let random = random_lines(&stage, peer, seed, count.unwrap_or(RANDOM_LINES));
        wrong.extend(random.into_iter().map(|line| format!("SEED={seed}: {line}")));
        wrong.extend(
            check(Program::Nodeos(peer), &stage, &default_chain).into_iter().map(|line| format!("nodeos: {line}")),
        );
    }
    assert!(wrong.is_empty(), "{} lines do not hold:\n{}", wrong.len(), wrong.join("\n"));
}
