//! An honest client, and how it fared. It comes over a Unix socket: over TCP it would have the attackers' own address, and
//! share with them what an address may have.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use client::Node;
use e2e::{Load, RunningNode};

/// Time between two questions.
const INTERVAL: Duration = Duration::from_millis(20);
/// Questions that may be under way together: a late answer delays no other question.
const TOGETHER: usize = 16;
/// Time between two transfers.
const TRANSFER_INTERVAL: Duration = Duration::from_millis(100);
/// What is asked in turn.
const QUESTIONS: [(&str, &str); 4] = [
    ("/v1/chain/get_info", "{}"),
    ("/v1/chain/get_account", r#"{"account_name":"alice"}"#),
    ("/v1/chain/get_currency_balance", r#"{"code":"eosio.token","account":"eosio"}"#),
    ("/v1/chain/get_table_rows", r#"{"json":true,"code":"eosio.token","scope":"alice","table":"accounts"}"#),
];

/// How it fared.
pub struct Honest {
    /// From when each question was due to its answer, ascending.
    pub answers: Vec<Duration>,
    /// The same of transfers, from when they were sent.
    pub transfers: Vec<Duration>,
    /// Transfers that were refused.
    pub refused: usize,
    /// The most memory that the node had, in bytes.
    pub peak_bytes: u64,
}

pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Asks on schedule, sends transfers and looks at the node's memory until it is over.
///
/// # Panics
/// When a question is not answered.
pub fn client(node: &RunningNode, over: &AtomicBool) -> Honest {
    let api = Node::new(&node.unix_url(), Vec::new());
    let (begin, next, answers) = (Instant::now(), AtomicU32::new(0), Mutex::new(Vec::new()));
    let asking = || {
        while !over.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let due = begin + INTERVAL * number;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (path, body) = QUESTIONS[number as usize % QUESTIONS.len()];
            let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
            if let Err(error) = api.call(path, &body) {
                panic!("an honest client is not served: {path}: {error}");
            }
            answers.lock().expect("nobody panicked with it").push(due.elapsed());
        }
    };
    let sending = || {
        let (mut load, mut times, mut refused) = (Load::new(api.clone()), Vec::new(), 0);
        while !over.load(Ordering::Relaxed) {
            let begin = Instant::now();
            match load.transfer() {
                Ok(_) => times.push(begin.elapsed()),
                // A machine that is busy with other things as well may need longer than a transaction may take.
                Err(error) => {
                    refused += 1;
                    eprintln!("    an honest transfer is refused: {error}");
                }
            }
            std::thread::sleep(TRANSFER_INTERVAL);
        }
        times.sort_unstable();
        (times, refused)
    };
    let watching = || {
        let mut peak = 0;
        while !over.load(Ordering::Relaxed) {
            peak = node.memory_bytes().max(peak);
            std::thread::sleep(INTERVAL);
        }
        peak
    };
    let ((transfers, refused), peak_bytes) = std::thread::scope(|scope| {
        (0..TOGETHER).for_each(|_| drop(scope.spawn(asking)));
        let (transfers, peak) = (scope.spawn(sending), scope.spawn(watching));
        (transfers.join().expect("the honest client's transfers are taken"), peak.join().expect("the node lives"))
    });
    let mut answers = answers.into_inner().expect("nobody panicked with it");
    answers.sort_unstable();
    Honest { answers, transfers, refused, peak_bytes }
}
