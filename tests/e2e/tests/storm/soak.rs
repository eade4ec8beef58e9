//! Everything that honest clients do, for a long time, and a storm of attacks in the middle of it.
//!
//! `BOREAS_SOAK=30 cargo test --release --workspace --test storm soak -- --nocapture` takes thirty minutes, a third of which
//! is the storm, and holds the node to its slots; without that it takes seconds, and there is no storm.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::{Node, WaitFor};
use e2e::modules::{nested_loops, rows};
use e2e::{Load, Over, contract};
use primitives::{Name, name};
use serde_json::{Value, json};

use crate::{ALICE, Cap, MISSED_MAX, Strength, every_attack, missed, prepared};

const SHORT: Duration = Duration::from_secs(3);
const KEEPER: Name = name!("keeper");
const DEPLOYER: Name = name!("deployer");
/// Rows of the keeper, and how many of them one transaction rewrites.
const ROWS: u64 = 100_000;
const ROWS_AT_ONCE: u64 = 1000;
/// Functions of the largest contract that is deployed, which then has about 100 KB.
const LARGE_FUNCTIONS: usize = 1000;
/// Share of what honest clients ask for that may be refused during the storm, in percent.
const REFUSED_PERCENT_MAX: u64 = 2;

/// One thing that clients do, at its rate, and how it went.
struct Kind {
    name: &'static str,
    interval: Duration,
    clients: usize,
    done: AtomicU64,
    refused: AtomicU64,
    slowest_us: AtomicU64,
}

impl Kind {
    fn new(name: &'static str, interval_ms: u64, clients: usize) -> Self {
        let [done, refused, slowest_us] = [(); 3].map(|()| AtomicU64::new(0));
        Self { name, interval: Duration::from_millis(interval_ms), clients, done, refused, slowest_us }
    }

    /// Does it on schedule until all is over. A client that is late skips what it missed.
    fn go_on(&self, over: &AtomicBool, mut one: impl FnMut(u64) -> Result<Value, String>) {
        let mut due = Instant::now();
        for number in 0.. {
            if over.load(Ordering::Relaxed) {
                return;
            }
            let begin = Instant::now();
            match one(number) {
                Ok(_) => self.done.fetch_add(1, Ordering::Relaxed),
                Err(error) => {
                    if self.refused.fetch_add(1, Ordering::Relaxed) < 5 {
                        eprintln!("    {}: {error}", self.name);
                    }
                    0
                }
            };
            let took = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.slowest_us.fetch_max(took, Ordering::Relaxed);
            due = (due + self.interval).max(Instant::now());
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }

    /// What was done and refused since this was asked last.
    fn taken(&self) -> [u64; 3] {
        [&self.done, &self.refused, &self.slowest_us].map(|counter| counter.swap(0, Ordering::Relaxed))
    }
}

/// Reports a part of the soak; at most so many percent of each kind may have been refused.
fn report(part: &str, took: Duration, missed: u64, megabytes: u64, kinds: &[Kind], refused_percent_max: u64) {
    eprintln!("{part}: {:.0} s, {missed} slots missed, {megabytes} MB at its end", took.as_secs_f64());
    for kind in kinds {
        let [done, refused, slowest] = kind.taken();
        eprintln!("    {}: {done} done, {refused} refused, the slowest took {} ms", kind.name, slowest / 1000);
        let most = (done + refused) * refused_percent_max / 100;
        assert!(done > 0 && refused <= most, "{part}: {} refused of {}: {}", refused, done + refused, kind.name);
    }
}

fn minutes() -> Option<u64> {
    std::env::var("BOREAS_SOAK").ok().map(|text| text.parse().expect("BOREAS_SOAK is a number of minutes"))
}

#[test]
fn a_soak_with_a_storm_in_it() {
    let whole = minutes().map(|minutes| Duration::from_secs(60 * minutes));
    let part = whole.map_or(SHORT, |whole| whole / 3);
    let (folder, cap) = (tempfile::tempdir().expect("temporary folder"), Cap::new());
    let (mut node, mut load) = prepared(folder.path(), &cap);
    for account in [KEEPER, DEPLOYER] {
        load.new_account(account).expect("the account is made");
    }
    load.set_code(KEEPER, &rows(usize::try_from(ROWS_AT_ONCE).expect("small"))).expect("the module is taken");
    for first in (0..ROWS).step_by(usize::try_from(ROWS_AT_ONCE).expect("small")) {
        load.send_rows(KEEPER, first).expect("the rows are stored");
    }
    let built = ["eosio.token", "eosio.msig"]
        .map(|name| std::fs::read(contract(name).join(format!("{name}.wasm"))).expect("the contract is built"));
    let codes = Vec::from_iter(built.into_iter().chain([nested_loops(LARGE_FUNCTIONS, 4, 20)]));
    let kinds = [
        Kind::new("transfers", 40, 4),
        Kind::new("transfers until they are on the disk", 500, 2),
        Kind::new("questions", 20, 2),
        Kind::new("pages of scopes", 250, 2),
        Kind::new("blocks", 100, 1),
        Kind::new("1,000 rows rewritten", 500, 1),
        Kind::new("deployments and first calls", 5_000, 1),
    ];
    let [transfers, waiting, questions, pages, blocks, rewriting, deploying] = &kinds;
    let api = Node::new(&node.unix_url(), Vec::new());
    let call = |path: &str, body: &Value| api.call(path, body).map_err(|error| error.to_string());
    let (call, over) = (&call, AtomicBool::new(false));
    std::thread::scope(|scope| {
        let over = &over;
        let words = |error: client::ClientError| error.to_string();
        for kind in [transfers, waiting] {
            for _ in 0..kind.clients {
                let mut load = Load::new(api.clone());
                load.wait = std::ptr::eq(kind, waiting).then_some(WaitFor::Stored);
                scope.spawn(move || kind.go_on(over, |_| load.transfer().map_err(words)));
            }
        }
        for _ in 0..questions.clients {
            scope.spawn(move || {
                questions.go_on(over, |number| match number % 3 {
                    0 => call("/v1/chain/get_info", &json!({})),
                    1 => call("/v1/chain/get_account", &json!({ "account_name": "alice" })),
                    _ => call("/v1/chain/get_currency_balance", &json!({ "code": "eosio.token", "account": "alice" })),
                })
            });
        }
        for _ in 0..pages.clients {
            scope.spawn(move || {
                let mut next = String::new();
                pages.go_on(over, |_| {
                    let body = json!({ "code": "alice", "limit": 500, "lower_bound": next });
                    let page = call("/v1/chain/get_table_by_scope", &body)?;
                    next = page["more"].as_str().unwrap_or_default().to_owned();
                    Ok(page)
                })
            });
        }
        scope.spawn(move || {
            blocks.go_on(over, |_| {
                let info = call("/v1/chain/get_info", &json!({}))?;
                call("/v1/chain/get_block", &json!({ "block_num_or_id": info["head_block_num"] }))
            })
        });
        let mut load = Load::new(api.clone());
        scope.spawn(move || {
            rewriting.go_on(over, |number| load.send_rows(KEEPER, number * ROWS_AT_ONCE % ROWS).map_err(words))
        });
        let (mut load, codes) = (Load::new(api.clone()), &codes);
        scope.spawn(move || {
            deploying.go_on(over, |number| {
                load.set_code(DEPLOYER, &codes[usize::try_from(number).expect("small") % codes.len()])
                    .map_err(words)?;
                // What these contracts say to an action that they do not have is of no interest.
                load.send_plain(DEPLOYER, name!("nothing"), ALICE).or_else(|error| {
                    let text = error.to_string();
                    if text.contains("breaker") || text.contains("deadline") { Err(text) } else { Ok(Value::Null) }
                })
            })
        });
        // However a part ends, the clients do.
        let over = Over(over);
        let mut begin = (Instant::now(), missed(&node));
        let mut end_part = |part: &str, node: &e2e::RunningNode, refused_percent_max| {
            let now = (Instant::now(), missed(node));
            let slots = now.1 - begin.1;
            report(part, now.0 - begin.0, slots, node.memory_bytes() >> 20, &kinds, refused_percent_max);
            begin = now;
            slots
        };
        std::thread::sleep(part);
        let mut quiet = end_part("before the storm", &node, 0);
        if whole.is_some() {
            let (until, mut load) = (Instant::now() + part, Load::new(api.clone()));
            while Instant::now() < until {
                every_attack(&mut node, Strength { full: true, timed: false }, &mut load);
            }
            let slots = end_part("in the storm", &node, REFUSED_PERCENT_MAX);
            assert!(slots <= MISSED_MAX, "{slots} slots are missed in the storm");
            std::thread::sleep(part);
            quiet += end_part("after the storm", &node, 0);
            assert_eq!(quiet, 0, "slots are missed outside the storm");
        }
        drop(over);
    });
    assert!(!node.log().contains("panicked"));
}
