//! CPU of common transactions with our system contracts, and with those of a folder beside them, on the chain of the
//! tester: host functions, tables and modules included, signatures and blocks not.
//!
//! ```text
//! cargo run --release -p tester --example contract_cost -- [REFERENCE]
//! ```
//! REFERENCE has folders `eosio.system` and `eosio.token` as `cleos set contract` wants them.

use std::io::Write as _;
use std::path::Path;

use execution::Clock;
use primitives::Action;
use serde_json::json;
use tester::Tester;

const BATCHES: u32 = 9;
const ROUNDS: u32 = 60;
/// The whole of a market of powerup.
const WHOLE: u64 = 1_000_000_000_000_000;

/// CPU time of this thread, so that other work on the machine does not count.
struct ThreadTime;

impl Clock for ThreadTime {
    fn now_us(&self) -> i64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the system writes one timespec.
        let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        assert_eq!(status, 0, "this system has clocks of threads");
        time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
    }
}

/// A name of twelve letters for every number, so that nobody need have won it.
fn newcomer(number: u32) -> String {
    let letter = |power: u32| char::from(b'a' + (number / 26u32.pow(power) % 26) as u8);
    format!("newcomer{}{}{}{}", letter(3), letter(2), letter(1), letter(0))
}

/// What is measured: a title, and the actions of the transaction with this number.
type Case = (&'static str, fn(&mut Tester, u32) -> Vec<Action>);

const CASES: [Case; 10] = [
    ("transfer", |chain, at| {
        let transfer = json!({ "from": "alice", "to": "bob", "quantity": asset(at), "memo": "for you" });
        vec![chain.action("eosio.token", "transfer", "alice", &transfer)]
    }),
    ("delegatebw", |chain, at| {
        let stake = json!({
            "from": "alice", "receiver": "bob", "stake_net_quantity": asset(at), "stake_cpu_quantity": asset(1),
            "transfer": false,
        });
        vec![chain.action("eosio", "delegatebw", "alice", &stake)]
    }),
    ("undelegatebw", |chain, _| {
        let stake = json!({
            "from": "alice", "receiver": "bob", "unstake_net_quantity": asset(0), "unstake_cpu_quantity": asset(0),
        });
        vec![chain.action("eosio", "undelegatebw", "alice", &stake)]
    }),
    ("buyram", |chain, at| {
        let purchase = json!({ "payer": "alice", "receiver": "bob", "quant": asset(10_000 + at) });
        vec![chain.action("eosio", "buyram", "alice", &purchase)]
    }),
    ("newaccount", |chain, at| {
        let key = json!({
            "threshold": 1, "keys": [{ "key": chain.key(), "weight": 1 }], "accounts": [], "waits": [],
        });
        let name = newcomer(at);
        let account = json!({ "creator": "alice", "name": name, "owner": key, "active": key });
        let ram = json!({ "payer": "alice", "receiver": name, "bytes": 4000 });
        let stake = json!({
            "from": "alice", "receiver": name, "stake_net_quantity": asset(9_999), "stake_cpu_quantity": asset(9_999),
            "transfer": false,
        });
        vec![
            chain.action("eosio", "newaccount", "alice", &account),
            chain.action("eosio", "buyrambytes", "alice", &ram),
            chain.action("eosio", "delegatebw", "alice", &stake),
        ]
    }),
    ("voteproducer", |chain, _| vec![vote(chain)]),
    ("buyrex", |chain, at| {
        vec![chain.action("eosio", "buyrex", "alice", &json!({ "from": "alice", "amount": asset(10_000 + at) }))]
    }),
    ("rentcpu", |chain, at| {
        let loan = json!({
            "from": "alice", "receiver": "bob", "loan_payment": asset(10_000 + at), "loan_fund": "0.0000 SYS",
        });
        vec![chain.action("eosio", "rentcpu", "alice", &loan)]
    }),
    ("rexexec", |chain, at| {
        vec![chain.action("eosio", "rexexec", "alice", &json!({ "user": "alice", "max": at % 100 }))]
    }),
    ("powerup", |chain, at| {
        let part = json!({
            "payer": "alice", "receiver": "bob", "days": 1, "net_frac": WHOLE / 100_000,
            "cpu_frac": WHOLE / 100_000 + u64::from(at), "max_payment": "100.0000 SYS",
        });
        vec![chain.action("eosio", "powerup", "alice", &part)]
    }),
];

/// Shares of REX that can be lent, a market of powerup, and the RAM that loans take.
fn open_markets(chain: &mut Tester) {
    let market = json!({
        "current_weight_ratio": WHOLE / 100, "target_weight_ratio": WHOLE / 100, "assumed_stake_weight": 1_000_000_000_000_u64,
        "target_timestamp": null, "exponent": 2.0, "decay_secs": 86_400, "min_price": "0.0000 SYS",
        "max_price": "1000.0000 SYS",
    });
    let markets = json!({ "net": market, "cpu": market, "powerup_days": 1, "min_powerup_fee": "0.0001 SYS" });
    let ram = |account: &str, bytes: u32| json!({ "payer": "eosio", "receiver": account, "bytes": bytes });
    for (action, actor, arguments) in [
        ("deposit", "alice", json!({ "owner": "alice", "amount": "200000.0000 SYS" })),
        ("buyrex", "alice", json!({ "from": "alice", "amount": "100000.0000 SYS" })),
        ("buyrambytes", "eosio", ram("alice", 1_000_000)),
        ("buyrambytes", "eosio", ram("eosio.reserv", 5_000)),
        ("cfgpowerup", "eosio", json!({ "args": markets })),
    ] {
        chain.push("eosio", action, actor, arguments).succeed();
    }
}

fn vote(chain: &mut Tester) -> Action {
    let vote = json!({ "voter": "alice", "proxy": "", "producers": ["producer1"] });
    chain.action("eosio", "voteproducer", "alice", &vote)
}

fn asset(at: u32) -> String {
    format!("{}.{:04} SYS", (at + 1) / 10_000, (at + 1) % 10_000)
}

/// Microseconds of each case: the median of the batches' means.
fn measure(reference: Option<&Path>) -> Vec<f64> {
    let mut chain = Tester::timed_system(Box::new(ThreadTime));
    if let Some(folder) = reference {
        chain.deploy_folder("eosio.token", folder.join("eosio.token"));
        chain.deploy_folder("eosio", folder.join("eosio.system"));
    }
    let first_vote = vote(&mut chain); // from now on alice's stake moves her vote
    chain.push_action(first_vote).succeed();
    open_markets(&mut chain);
    let mut number = 0;
    CASES
        .map(|(_, actions)| {
            let mut means: Vec<f64> = (0..BATCHES)
                .map(|_| {
                    let total: i64 = (0..ROUNDS)
                        .map(|_| {
                            number += 1;
                            let actions = actions(&mut chain, number);
                            chain
                                .push_actions(actions)
                                .succeed()
                                .actions()
                                .iter()
                                .map(|trace| trace.elapsed_us)
                                .sum::<i64>()
                        })
                        .sum();
                    total as f64 / f64::from(ROUNDS)
                })
                .collect();
            means.sort_by(f64::total_cmp);
            means[means.len() / 2]
        })
        .to_vec()
}

fn main() -> std::io::Result<()> {
    let reference = std::env::args().nth(1);
    // On one large stack, as in the node.
    let measured = |folder: Option<&str>| wasm::with_enough_stack(|| measure(folder.map(Path::new)));
    let (ours, theirs) = (measured(None), reference.as_deref().map(|folder| measured(Some(folder))));
    let mut out = std::io::stdout();
    for (at, (title, _)) in CASES.iter().enumerate() {
        write!(out, "{title:14} {:7.1} us", ours[at])?;
        if let Some(theirs) = &theirs {
            write!(out, "   reference {:7.1} us   ratio {:.2}", theirs[at], ours[at] / theirs[at])?;
        }
        writeln!(out)?;
    }
    Ok(())
}
