//! What an attacker sends, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e2e::RunningNode;
use e2e::modules::nested_loops;
use primitives::{Action, Bytes, Name, Pack as _, PermissionLevel, Transaction, TransactionHeader, name};
use serde_json::{Value, json};

use crate::ALICE;

/// How long an attacker waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Characters of a reason that are shown.
const REASON_CHARS: usize = 110;

/// Sockets that were opened and are kept until the attack is over.
pub type Kept = Vec<TcpStream>;

/// What became of requests: how often each status with its reason came.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<String, usize>>);

impl Tally {
    pub fn count(&self, outcome: &str) {
        // Numbers differ from one to the next.
        let shown = outcome.chars().filter(|c| !c.is_ascii_digit() || outcome.len() < 4).take(REASON_CHARS).collect();
        *self.0.lock().expect("nobody panicked with it").entry(shown).or_default() += 1;
    }

    pub fn all(&self) -> usize {
        self.0.lock().expect("nobody panicked with it").values().sum()
    }

    /// Those that were not answered with what was asked for.
    pub fn refused(&self) -> usize {
        let map = self.0.lock().expect("nobody panicked with it");
        map.iter().filter(|(outcome, _)| *outcome != "done").map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let map = self.0.lock().expect("nobody panicked with it");
        map.iter().try_for_each(|(outcome, count)| writeln!(out, "    {count} x {outcome}"))
    }
}

/// Sends a request; what came of it is counted.
pub fn post(address: &str, path: &str, body: &str, tally: &Tally) {
    tally.count(&asked(address, path, "application/json", body).unwrap_or_else(|error| format!("cut off: {error}")));
}

/// `done`, or how the node refuses.
pub fn asked(address: &str, path: &str, content_type: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://page.test\r\nContent-Type: {content_type}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut begin = Vec::new();
    // Of what comes after it only that it comes is of interest.
    (&mut stream).take(64 << 10).read_to_end(&mut begin)?;
    std::io::copy(&mut stream, &mut std::io::sink())?;
    let text = String::from_utf8_lossy(&begin).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).unwrap_or("no status");
    if status.starts_with('2') {
        return Ok("done".to_owned());
    }
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let reason = body.pointer("/error/details/0/message").and_then(Value::as_str).unwrap_or("no reason");
    Ok(format!("status {}: {reason}", spelt(status)))
}

/// A status, which stays when numbers are left out.
fn spelt(status: &str) -> &'static str {
    match status {
        "400" => "four hundred",
        "403" => "forbidden",
        "404" => "not found",
        "408" => "too slow",
        "429" => "too many",
        "503" => "not now",
        _ => "failed",
    }
}

/// Sends requests by several clients at once, which take them from one list.
pub fn post_all(address: &str, path: &str, bodies: &[String], clients: usize, tally: &Tally) {
    each(bodies, clients, |body| post(address, path, body, tally));
}

/// Sends requests whose answers nobody waits for.
pub fn post_and_leave(address: &str, path: &str, bodies: &[String], clients: usize, tally: &Tally) {
    each(bodies, clients, |body| {
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let sent = TcpStream::connect(address).and_then(|mut stream| stream.write_all(request.as_bytes()));
        tally.count(if sent.is_ok() { "left" } else { "cut off" });
    });
}

fn each<T: Sync>(all: &[T], clients: usize, work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}

/// Connections that each begin with `bytes`, as far as the node takes them.
pub fn connections(address: &str, count: usize, bytes: &[u8], tally: &Tally) -> Kept {
    let open = |_| {
        let opened = TcpStream::connect(address).and_then(|mut stream| {
            stream.set_write_timeout(Some(Duration::from_millis(100)))?;
            stream.write_all(bytes).map(|()| stream)
        });
        tally.count(if opened.is_ok() { "done" } else { "cut off" });
        opened.ok()
    };
    (0..count).filter_map(open).collect()
}

/// The unsigned dry run of some actions, as `compute_transaction` takes it.
pub fn dry_run(node: &RunningNode, actions: Vec<Action>) -> String {
    let info = node.info().expect("the node answers");
    let id = info["head_block_id"].as_str().expect("an id");
    let byte = |at: usize| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).expect("digits");
    let time: primitives::TimePoint = info["head_block_time"].as_str().expect("a time").parse().expect("a time");
    let header = TransactionHeader {
        expiration: primitives::TimePoint(time.0 + 60_000_000).seconds(),
        ref_block_num: u16::from_be_bytes([byte(2), byte(3)]),
        ref_block_prefix: u32::from_le_bytes([byte(8), byte(9), byte(10), byte(11)]),
        ..TransactionHeader::default()
    };
    let packed = hex(&Transaction { header, actions, ..Transaction::default() }.to_bytes());
    json!({ "transaction": {
        "signatures": [], "compression": "none", "packed_context_free_data": "", "packed_trx": packed,
    }})
    .to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn action(account: Name, name: Name, actor: Name, data: Vec<u8>) -> Action {
    let authorization = vec![PermissionLevel { actor, permission: name!("active") }];
    Action { account, name, authorization, data: Bytes(data) }
}

/// Sets code and calls it.
pub fn code_and_call(node: &RunningNode, code: &[u8]) -> String {
    let set = (ALICE, 0u8, 0u8, Bytes(code.to_vec())).to_bytes();
    dry_run(
        node,
        vec![action(name!("eosio"), name!("setcode"), ALICE, set), action(ALICE, name!("go"), ALICE, Vec::new())],
    )
}

/// Dry runs of code that is slow to compile, in three shapes.
pub fn bombs(node: &RunningNode) -> [String; 3] {
    [(2, 400), (25, 200), (1, 900)]
        .map(|(functions, nested)| code_and_call(node, &nested_loops(functions, nested, 1000)))
}

/// Asks which of `keys` are needed for `levels` authorizations.
pub fn required_keys(levels: usize, keys: usize) -> String {
    let level = json!({ "actor": "eosio", "permission": "active" });
    let action = json!({ "account": "eosio", "name": "x", "authorization": vec![level; levels], "data": "" });
    let transaction =
        json!({ "expiration": "2030-01-01T00:00:00", "ref_block_num": 0, "ref_block_prefix": 0, "actions": [action] });
    let key = |number: usize| {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&u32::try_from(number).expect("small").to_le_bytes());
        primitives::PrivateKey::k1_from_seed(seed).expect("a key").public_key().expect("a key").to_string()
    };
    json!({ "transaction": transaction, "available_keys": (0..keys).map(key).collect::<Vec<_>>() }).to_string()
}

/// Asks for all rows of a table: `decoded` as its ABI has it, or as they are.
pub fn rows(code: &str, table: &str, decoded: bool) -> String {
    json!({ "json": decoded, "code": code, "scope": code, "table": table, "limit": 1_000_000 }).to_string()
}
