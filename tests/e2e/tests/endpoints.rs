//! Several endpoints of one chain, of which none is well: every transfer arrives, and each once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use client::{Connection, Node};
use e2e::{Load, RunningNode, binary, free_port};
use serde_json::json;

const TRANSFERS: usize = 1000;
/// How long the client waits for an answer before it asks the next one.
const TRY_TIMEOUT: Duration = Duration::from_millis(500);

/// What is wrong with an endpoint.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// It takes requests, passes them on, and never answers.
    Stalls,
    /// It has no time for every third request.
    Busy,
}

/// A node's address behind which something is wrong.
struct Proxy {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(node: &str, fault: Fault) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", free_port())).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (node, requests) = (node.to_owned(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (node, counted) = (node.clone(), Arc::clone(&counted));
                // A client that is gone ends its conversation.
                std::thread::spawn(move || converse(stream, &node, fault, &counted).unwrap_or_default());
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Serves the requests of one client.
fn converse(stream: TcpStream, node: &str, fault: Fault, counted: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let start = head.len();
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
            let line = head[start..].trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or_default();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let number = counted.fetch_add(1, Ordering::Relaxed);
        if fault == Fault::Busy && number.is_multiple_of(3) {
            writer.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")?;
            continue;
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {node}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        let mut upstream = TcpStream::connect(node)?;
        upstream.write_all(&[request.as_bytes(), &body].concat())?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        if fault == Fault::Busy {
            // The node has closed its side: the length is in its answer.
            let text = String::from_utf8_lossy(&answer).replace("connection: close\r\n", "");
            writer.write_all(text.as_bytes())?;
        }
    }
}

#[test]
fn each_of_a_thousand_transfers_arrives_once() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    Load::set_up(node.api.clone()).expect("a token");
    let dead = format!("http://127.0.0.1:{}", free_port());
    let (stalled, busy) = (Proxy::start(node.address(), Fault::Stalls), Proxy::start(node.address(), Fault::Busy));
    let connection = Connection { try_timeout: Some(TRY_TIMEOUT), ..Connection::default() };
    let pool = Node::connect_all(&[&dead, &stalled.url, &busy.url], connection);
    let mut load = Load::new(pool);
    let mut ids = BTreeSet::new();
    for number in 0..TRANSFERS {
        let answer = load.transfer().unwrap_or_else(|error| panic!("transfer {number}: {error}"));
        assert_eq!(answer["processed"]["receipt"]["status"], "executed", "{answer}");
        ids.insert(answer["transaction_id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(ids.len(), TRANSFERS);
    let body = json!({ "code": "eosio.token", "account": "alice", "symbol": "SYS" });
    let balance = node.call("/v1/chain/get_currency_balance", &body);
    assert_eq!(balance, json!(["0.1000 SYS"]), "each moved 0.0001 SYS, once");
    // All three were asked, and the stalled one only now and then: it rests longer each time.
    assert!((1..60).contains(&stalled.requests()), "{}", stalled.requests());
    assert!(busy.requests() >= 2 * TRANSFERS);
}

#[test]
fn boreas_goes_round_several_urls() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let dead = format!("http://127.0.0.1:{}", free_port());
    let (stalled, busy) = (Proxy::start(node.address(), Fault::Stalls), Proxy::start(node.address(), Fault::Busy));
    let config = folder.path().join("config.toml");
    let urls = json!([dead, stalled.url, busy.url]);
    std::fs::write(&config, format!("network = 'test'\n[networks.test]\nurls = {urls}\n")).expect("a file");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(binary("boreas"));
        command.env("BOREAS_CONFIG", &config).env("BOREAS_TRY_TIMEOUT", "0.5").args(arguments);
        let done = command.stdin(Stdio::null()).output().expect("boreas runs");
        (done.status.code(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    for _ in 0..4 {
        let (status, text) = run(&["get", "info"]);
        assert!(status == Some(0) && text.contains("chain_id"), "{text}");
    }
    let (status, text) = run(&["-u", &dead, "-u", &busy.url, "get", "info"]);
    assert!(status == Some(0) && text.contains("chain_id"), "{text}");
    let (status, text) = run(&["-u", &dead, "get", "info"]);
    assert!(status == Some(1) && text.contains("nobody listens there"), "{text}");
    let (status, text) = run(&["--network", "tset", "get", "info"]);
    assert!(status == Some(1) && text.contains("has no network tset; is test meant?"), "{text}");
    std::fs::write(&config, "netwrok = 'test'").expect("a file");
    let (status, text) = run(&["get", "info"]);
    assert!(status == Some(1) && text.contains("config.toml is not valid") && text.contains("netwrok"), "{text}");
}
