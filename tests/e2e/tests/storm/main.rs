//! Every attack that a stranger or an owner of one account was found to have, one after another, against a node with 1 GB
//! of memory and 1,024 descriptors, all of whose 21 producers it signs for: it lives, makes its blocks, serves an honest
//! client and gives the memory back.
//!
//! `BOREAS_STORM=1 cargo test --release --workspace --test storm -- --nocapture` mounts them at full strength, prints the
//! table of `node/TRUST.md` and holds the node to its times as well; without that they are short, and nothing depends on
//! how fast the machine is. `soak` has everything that honest clients do go on beside it for longer.

mod attacker;
mod honest;
mod modules;
mod soak;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use attacker::{Kept, Tally, action, asked, connections, dry_run, post_all, post_and_leave};
use e2e::{DEV_PUBLIC_KEY, Load, PRODUCERS, RunningNode, producer_names, producer_options};
use honest::percentile;
use primitives::{Name, name};
use serde_json::json;

/// What the node is given.
const MEMORY_BYTES: u64 = 1 << 30;
const DESCRIPTORS: u32 = 1024;
/// What an honest client's 99th percentile may be, and what the node may keep of an attack.
const LATENCY_MAX: Duration = Duration::from_millis(250);
const KEPT_BYTES_MAX: u64 = 50 << 20;
/// Memory that is waited for, as long as the node takes to give back what it will, so that the table shows that.
const SOME_BYTES: u64 = 4 << 20;
const TRIMMED_IN: Duration = Duration::from_secs(3);
/// How long the node may take to give memory back, and to make the next block, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(20);
/// Slots that may be missed during an attack.
const MISSED_MAX: u64 = 2;
/// Bytes of log beside those that a contract may print.
const LOG_BYTES_MAX: u64 = 8 << 20;

const ALICE: Name = name!("alice");
const MALLORY: Name = name!("mallory");

/// How strong the attacks are.
#[derive(Clone, Copy)]
struct Strength {
    full: bool,
    /// Whether each attack by itself has to leave the node time for the honest.
    timed: bool,
}

impl Strength {
    fn of(self, short: usize, full: usize) -> usize {
        if self.full { full } else { short }
    }
}

/// A group of processes with so much memory, where the system lets one be made; with it goes what it counts.
struct Cap(Option<PathBuf>);

impl Cap {
    fn new() -> Self {
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let of = |controller: &str| own.lines().find_map(|line| line.split_once(controller)).map(|(_, path)| path);
        let groups = [
            of(":memory:").map(|path| (format!("/sys/fs/cgroup/memory{path}"), "memory.limit_in_bytes")),
            of("0::").map(|path| (format!("/sys/fs/cgroup{path}"), "memory.max")),
        ];
        let made = groups.into_iter().flatten().find_map(|(parent, limit)| {
            let path = Path::new(&parent).join(format!("boreas-{}", std::process::id()));
            std::fs::create_dir(&path).ok()?;
            let group = Self(Some(path.clone()));
            std::fs::write(path.join(limit), MEMORY_BYTES.to_string()).is_ok().then_some(group)
        });
        made.unwrap_or_else(|| {
            eprintln!("the system gives no group with limited memory: what the node holds is looked at instead");
            Self(None)
        })
    }

    /// What a shell does to be in it.
    fn enter(&self) -> String {
        let enter = self.0.as_ref().map(|path| format!("echo $$ > {}/cgroup.procs; ", path.display()));
        format!("{}ulimit -n {DESCRIPTORS}", enter.unwrap_or_default())
    }
}

impl Drop for Cap {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // It is empty once the node is gone.
            let _ = std::fs::remove_dir(path);
        }
    }
}

/// Slots without a block, asked over the Unix socket as the honest client does.
fn missed(node: &RunningNode) -> u64 {
    let url = node.unix_url();
    let mut stream = UnixStream::connect(url.trim_start_matches("unix://")).expect("the node listens");
    let request = "GET /v1/node/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("a request is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let health: serde_json::Value = serde_json::from_str(body).expect("JSON");
    health["slots_missed"]["since_start"].as_u64().expect("a number")
}

/// Mounts one attack and says how it went.
fn mount(node: &mut RunningNode, strength: Strength, name: &str, attack: impl FnOnce(&RunningNode, &Tally) -> Kept) {
    let (before, missed_before, over) = (node.memory_bytes(), missed(node), AtomicBool::new(false));
    let (begin, tally) = (Instant::now(), Tally::default());
    let attacked: &RunningNode = node;
    let seen = std::thread::scope(|scope| {
        let client = scope.spawn(|| honest::client(attacked, &over));
        let kept = attack(attacked, &tally);
        // What was begun goes on for a while, and the client sees enough of it.
        std::thread::sleep(Duration::from_secs(1).saturating_sub(begin.elapsed()).max(Duration::from_millis(400)));
        over.store(true, Ordering::Relaxed);
        drop(kept);
        client.join().expect("the honest client is served")
    });
    let took = begin.elapsed();
    let head = std::cell::Cell::new(None);
    node.wait_until("block after the attack", |info| {
        let now = info["head_block_num"].as_u64();
        head.get().or_else(|| head.replace(now)).is_some_and(|before| now > Some(before))
    });
    let missed = missed(node) - missed_before;
    let (waiting, mut after) = (Instant::now(), node.memory_bytes());
    let kept = |after| {
        after > before + KEPT_BYTES_MAX
            || (strength.full && after > before + SOME_BYTES && waiting.elapsed() < TRIMMED_IN)
    };
    while kept(after) && waiting.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
        after = node.memory_bytes();
    }
    let ms = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e3);
    let [p50, p99] = [50, 99].map(|percent| percentile(&seen.answers, percent));
    let row = format!(
        "| {name} | {:.1} | {} / {} | {} / {} | {} / {} | {missed} | {} / {} / {} |",
        took.as_secs_f64(),
        tally.all(),
        tally.refused(),
        ms(p50),
        ms(p99),
        ms(percentile(&seen.transfers, 50)),
        ms(percentile(&seen.transfers, 99)),
        before >> 20,
        seen.peak_bytes >> 20,
        after >> 20
    );
    eprint!("{row}\n{tally}");
    assert!(seen.peak_bytes < MEMORY_BYTES, "too much memory: {row}");
    assert!(after < before + KEPT_BYTES_MAX, "the node keeps memory: {row}");
    if strength.timed {
        assert!(p99 < LATENCY_MAX, "an honest client waits: {row}");
        assert!(missed <= MISSED_MAX, "slots are missed: {row}");
        assert!(seen.transfers.len() > 10 * seen.refused, "{} honest transfers are refused: {row}", seen.refused);
    }
}

/// A chain of 21 producers, all of this node, with the contracts of the attacks.
fn prepared(folder: &Path, cap: &Cap) -> (RunningNode, Load) {
    let producers = producer_names(PRODUCERS);
    let options = producer_options(&producers);
    let mut arguments =
        vec!["--contracts-console", "--disable-subjective-billing", "false", "--unix-socket-path", "node.sock"];
    arguments.extend(options.iter().map(String::as_str));
    let mut node = RunningNode::start_with_limits(folder, &cap.enter(), &arguments);
    // A transaction refers to a recent block, and block 1 of a new chain lies years back.
    node.wait_until("first blocks", |info| info["head_block_num"].as_u64() > Some(4));
    let mut load = Load::set_up(node.api.clone()).expect("the chain takes its set-up");
    load.new_account(MALLORY).expect("the account is made");
    load.set_code(ALICE, &modules::contract()).expect("the module is taken");
    load.set_abi(ALICE, &modules::swelling()).expect("the ABI is taken");
    load.set_abi(MALLORY, &modules::chained(4000)).expect("the ABI is taken");
    load.send_plain(ALICE, name!("none"), ALICE).expect("the rows are stored");
    // A machine that is busy with other things as well may need longer than a transaction may take.
    assert!((0..20).any(|_| load.send_plain(ALICE, name!("big"), ALICE).is_ok()), "the large rows are not stored");
    assert!((0..20).any(|_| load.send_plain(ALICE, name!("renew"), ALICE).is_ok()), "the rows to renew are not stored");
    (0..5).for_each(|_| drop(load.send_plain(ALICE, name!("scopes"), ALICE)));
    load.schedule(&mut node, &producers);
    (node, load)
}

#[test]
fn the_node_weathers_every_attack() {
    let full = std::env::var("BOREAS_STORM").is_ok_and(|value| value != "0");
    let strength = Strength { full, timed: full };
    // The node ends before its group.
    let (folder, cap) = (tempfile::tempdir().expect("temporary folder"), Cap::new());
    let (mut node, mut load) = prepared(folder.path(), &cap);
    let node = &mut node;
    eprintln!(
        "| attack | s | requests / refused | answers, p50 / p99 ms | transfers, p50 / p99 ms | slots missed \
         | MB before / most / after |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    mount(node, strength, "nothing", |_, _| Kept::new());
    every_attack(node, strength, &mut load);
    mount(node, strength, "nothing, afterwards", |_, _| Kept::new());
    let log = std::fs::metadata(folder.path().join("node.log")).expect("the node logs").len();
    eprintln!("the log has {} KB", log >> 10);
    assert!(!node.log().contains("panicked") && log < LOG_BYTES_MAX, "{log} bytes of log");
}

fn every_attack(node: &mut RunningNode, strength: Strength, load: &mut Load) {
    dry_runs(node, strength);
    reads(node, strength);
    doors(node, strength);
    held_connections(node, strength);
    of_an_account(node, strength, load);
}

/// Code and calls that nobody signed.
fn dry_runs(node: &mut RunningNode, strength: Strength) {
    const COMPUTE: &str = "/v1/chain/compute_transaction";
    mount(node, strength, "code that is slow to compile", |node, tally| {
        let bombs = vec![attacker::bombs(node); strength.of(1, 10)].concat();
        post_all(node.address(), COMPUTE, &bombs, 4, tally);
        Kept::new()
    });
    let touching = |node: &RunningNode, numbers: std::ops::Range<usize>| -> Vec<_> {
        numbers.map(|number| attacker::code_and_call(node, &modules::touching(number))).collect()
    };
    mount(node, strength, "codes that each touch all memory", |node, tally| {
        post_all(node.address(), COMPUTE, &touching(node, 0..strength.of(20, 200)), 8, tally);
        Kept::new()
    });
    mount(node, strength, "the same, by clients that leave", |node, tally| {
        post_and_leave(node.address(), COMPUTE, &touching(node, 1000..1000 + strength.of(20, 200)), 8, tally);
        Kept::new()
    });
    mount(node, strength, "dry runs of 1 KB", |node, tally| {
        let run = dry_run(node, vec![action(ALICE, name!("nothing"), ALICE, vec![7; 1000])]);
        post_all(node.address(), COMPUTE, &vec![run; strength.of(200, 3000)], 32, tally);
        Kept::new()
    });
    mount(node, strength, "dry runs that print 30 MB", |node, tally| {
        let run = dry_run(node, vec![action(ALICE, name!("print"), ALICE, vec![])]);
        post_all(node.address(), COMPUTE, &vec![run; strength.of(10, 200)], 32, tally);
        Kept::new()
    });
    mount(node, strength, "dry runs that do not end", |node, tally| {
        let run = dry_run(node, vec![action(ALICE, name!("spin"), ALICE, vec![])]);
        post_all(node.address(), COMPUTE, &vec![run; strength.of(10, 200)], 32, tally);
        Kept::new()
    });
}

/// Questions that cost much.
fn reads(node: &mut RunningNode, strength: Strength) {
    mount(node, strength, "keys times authorizations", |node, tally| {
        let bodies = [attacker::required_keys(1000, 1000), attacker::required_keys(24_000, 3000)];
        post_all(node.address(), "/v1/chain/get_required_keys", &vec![bodies; strength.of(2, 20)].concat(), 4, tally);
        Kept::new()
    });
    let table = |name: &str, code: &str, rows: &str, [short, full]: [usize; 2], node: &mut RunningNode| {
        mount(node, strength, name, |node, tally| {
            let bodies = vec![attacker::rows(code, rows, rows != "big"); strength.of(short, full)];
            post_all(node.address(), "/v1/chain/get_table_rows", &bodies, 8, tally);
            Kept::new()
        });
    };
    table("an ABI that makes much of little", "alice", "none", [8, 60], node);
    table("an ABI of 4,000 aliases and bases", "mallory", "rows", [8, 200], node);
    table("large rows, read by many", "alice", "big", [8, 100], node);
    mount(node, strength, "actions of such an ABI, to bytes", |node, tally| {
        let action = json!({ "account": "mallory", "name": "act", "authorization": [], "data": {} });
        let transaction = json!({
            "expiration": "2030-01-01T00:00:00", "ref_block_num": 0, "ref_block_prefix": 0, "actions": vec![action; 20],
        });
        let body = json!({ "transaction": transaction, "available_keys": [DEV_PUBLIC_KEY] }).to_string();
        post_all(node.address(), "/v1/chain/get_required_keys", &vec![body; strength.of(4, 100)], 8, tally);
        Kept::new()
    });
    mount(node, strength, "actions that swell in traces", |node, tally| {
        let data = || modules::swelling_bytes(20_000);
        let actions = (0..10).map(|_| action(ALICE, name!("nothing"), ALICE, data())).collect();
        let run = dry_run(node, actions);
        post_all(node.address(), "/v1/chain/compute_transaction", &vec![run; strength.of(8, 100)], 8, tally);
        Kept::new()
    });
    mount(node, strength, "10,000 scopes, listed", |node, tally| {
        let body = json!({ "code": "alice", "limit": 4_000_000_000_u32 }).to_string();
        post_all(node.address(), "/v1/chain/get_table_by_scope", &vec![body; strength.of(8, 200)], 8, tally);
        Kept::new()
    });
    mount(node, strength, "JSON that nests", |node, tally| {
        let bodies = ["[".repeat(1_000_000), r#"{"a":"#.repeat(200_000), format!("[{}1]", "0,".repeat(500_000))];
        for path in ["push_transactions", "get_required_keys", "get_table_rows", "push_block"] {
            let bodies = vec![bodies.clone(); strength.of(1, 8)].concat();
            post_all(node.address(), &format!("/v1/chain/{path}"), &bodies, 4, tally);
        }
        Kept::new()
    });
}

/// What a web page can send to a node on its visitor's machine, or a stranger to one whose operator named no plugin.
fn doors(node: &mut RunningNode, strength: Strength) {
    mount(node, strength, "calls for operators, by a web page", |node, tally| {
        for _ in 0..strength.of(2, 50) {
            for path in ["pause", "resume", "create_snapshot", "update_runtime_options", "schedule_snapshot"] {
                let answer = asked(node.address(), &format!("/v1/producer/{path}"), "text/plain", "{}");
                let answer = answer.expect("the node answers");
                assert_ne!(answer, "done", "{path}");
                tally.count(&answer);
            }
        }
        Kept::new()
    });
}

/// Connections, bodies, heads and answers that are held.
fn held_connections(node: &mut RunningNode, strength: Strength) {
    mount(node, strength, "answers that nobody takes", |node, tally| {
        let body = r#"{"account_name":"eosio.token"}"#;
        let (host, length) = (node.address(), body.len());
        let head =
            format!("POST /v1/chain/get_raw_code_and_abi HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
        connections(host, strength.of(50, 150), (head + body).repeat(100).as_bytes(), tally)
    });
    mount(node, strength, "bodies that do not end", |node, tally| {
        let host = node.address();
        let head = format!("POST /v1/chain/get_account HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1900001\r\n\r\n");
        connections(host, strength.of(100, 1000), (head + &" ".repeat(1_900_000)).as_bytes(), tally)
    });
    mount(node, strength, "idle connections", |node, tally| {
        connections(node.address(), strength.of(1000, 2000), b"", tally)
    });
    mount(node, strength, "heads that do not end", |node, tally| {
        let begin = b"POST /v1/chain/get_info HTTP/1.1\r\nX-Slow: ";
        connections(node.address(), strength.of(500, 1000), begin, tally)
    });
}

/// Transactions that an account signs.
fn of_an_account(node: &mut RunningNode, strength: Strength, load: &mut Load) {
    for (name, action, actor, [short, full]) in [
        ("transactions that do not end", name!("spin"), MALLORY, [5, 200]),
        ("a row of 400 KB, rewritten", name!("rewrite"), ALICE, [5, 300]),
        ("2,000 new rows a transaction", name!("many"), ALICE, [10, 100]),
        ("prints that fail", name!("print"), ALICE, [5, 40]),
    ] {
        mount(node, strength, name, |_, tally| {
            for _ in 0..strength.of(short, full) {
                match load.send_plain(ALICE, action, actor) {
                    Ok(_) => tally.count("done"),
                    Err(error) => tally.count(&error.to_string().replace('\n', " ")),
                }
            }
            Kept::new()
        });
    }
    // What undoes each of the blocks is as large as the rows, and three hundred blocks are reversible.
    mount(node, strength, "20 rows of 400 KB, other ones each block", |_, tally| {
        for _ in 0..strength.of(12, 150) {
            match load.send_plain(ALICE, name!("renew"), ALICE) {
                Ok(_) => tally.count("done"),
                Err(error) => tally.count(&error.to_string().replace('\n', " ")),
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        Kept::new()
    });
}
