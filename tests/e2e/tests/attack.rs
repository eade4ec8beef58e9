//! Strangers who hold connections, bodies and answers: each costs a bounded time and memory, and honest clients are
//! served meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use e2e::RunningNode;
use serde_json::json;

/// The node's `HEAD_TIME_MAX` and `SEND_TIME_MAX`, with room for a busy machine.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(45);
/// The node's `TRIM_AFTER`, with room for a busy machine.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of memory that the node may keep of an attack that is over.
const KEPT_BYTES_MAX: u64 = 50 << 20;

fn host(node: &RunningNode) -> String {
    node.url.trim_start_matches("http://").to_owned()
}

fn connect(node: &RunningNode) -> TcpStream {
    let stream = TcpStream::connect(host(node)).expect("the node takes connections");
    stream.set_read_timeout(Some(GIVEN_UP_WITHIN)).expect("a timeout can be set");
    stream
}

/// Asks over a connection that stays open. None when the node has closed it.
fn ask(stream: &mut TcpStream, node: &RunningNode) -> Option<String> {
    let request = format!("POST /v1/chain/get_info HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", host(node));
    stream.write_all(request.as_bytes()).ok()?;
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) | Err(_) => None,
        Ok(count) => Some(String::from_utf8_lossy(&buffer[..count]).into_owned()),
    }
}

/// An honest client gets an answer at once, and blocks go on.
fn serves(node: &RunningNode) {
    let begin = Instant::now();
    let head = node.head();
    assert!(begin.elapsed() < Duration::from_secs(1), "an answer took {:?}", begin.elapsed());
    while node.head() <= head {
        assert!(begin.elapsed() < Duration::from_secs(5), "no block within five seconds");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Memory that is not in use any more goes back to the system after a while.
fn gives_back(node: &RunningNode, before: u64) {
    let begin = Instant::now();
    while node.memory_bytes() >= before + KEPT_BYTES_MAX {
        let after = node.memory_bytes();
        assert!(begin.elapsed() < GIVEN_BACK_WITHIN, "{before} bytes became {after}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What comes until the node closes the connection, and how long that took.
fn until_closed(mut stream: TcpStream) -> (usize, Duration) {
    let begin = Instant::now();
    let (mut buffer, mut bytes) = (vec![0; 1 << 16], 0);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (bytes, begin.elapsed()),
            Ok(count) => bytes += count,
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                return (bytes, begin.elapsed());
            }
            Err(error) => panic!("the node keeps the connection: {error}"),
        }
    }
}

#[test]
fn unfinished_bodies_count_from_their_first_byte() {
    const LIMIT_MB: u64 = 32;
    const BODY_BYTES: usize = 1_900_000;
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &["--http-max-bytes-in-flight-mb", &LIMIT_MB.to_string()]);
    serves(&node);
    let before = node.memory_bytes();
    let head = format!(
        "POST /v1/chain/get_account HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
        host(&node),
        BODY_BYTES + 1
    );
    let body = vec![b' '; BODY_BYTES];
    let hold = |stream: &mut TcpStream| {
        stream.set_write_timeout(Some(GIVEN_UP_WITHIN)).expect("a timeout can be set");
        // The node answers 429 and closes where there is no room.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    };
    let mut held: Vec<TcpStream> = (0..100).map(|_| connect(&node)).collect();
    held.iter_mut().for_each(hold);
    let during = node.memory_bytes();
    assert!(during < before + (LIMIT_MB << 20) + KEPT_BYTES_MAX, "{before} bytes became {during}");
    serves(&node);
    let large = json!({ "account_name": " ".repeat(BODY_BYTES) });
    let asked = || node.api.call("/v1/chain/get_account", &large).expect_err("it is not a name").to_string();
    let mut refused = asked();
    // One that was refused may have given room back after the last of them had come.
    while !refused.contains("Too many bytes in flight") && held.len() < 200 {
        held.push(connect(&node));
        held.last_mut().into_iter().for_each(hold);
        refused = asked();
    }
    assert!(refused.contains("Too many bytes in flight"), "{refused}");
    drop(held);
    let begin = Instant::now();
    while asked().contains("Too many bytes in flight") {
        assert!(begin.elapsed() < Duration::from_secs(5), "the share of clients that left is not given back");
        std::thread::sleep(Duration::from_millis(20));
    }
    serves(&node);
    gives_back(&node, before);
}

/// A client that is still sending sees why it is refused, and goes on over the same connection.
#[test]
fn a_refusal_waits_for_the_body() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &["--max-body-size", "100000"]);
    let host = host(&node);
    let mut stream = connect(&node);
    let mut refused = |path: &str, host: &str, bytes: usize| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {bytes}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a head can be sent");
        for part in vec![b' '; bytes].chunks(bytes / 3) {
            std::thread::sleep(Duration::from_millis(50));
            stream.write_all(part).unwrap_or_else(|error| panic!("{path}: a body can be sent: {error}"));
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).unwrap_or_else(|error| panic!("{path}: an answer comes: {error}"));
        let answer = String::from_utf8_lossy(&buffer[..count]).into_owned();
        let told = ask(&mut stream, &node).unwrap_or_else(|| panic!("{path}: the connection stays: {answer}"));
        assert!(told.starts_with("HTTP/1.1 200"), "{path}: {told}");
        answer.split(' ').nth(1).map(str::to_owned)
    };
    assert_eq!(refused("/v1/chain/nothing", &host, 300).as_deref(), Some("404"));
    assert_eq!(refused("/v1/chain/get_info", "evil.example", 300).as_deref(), Some("400"));
    assert_eq!(refused("/v1/dev/get_time", &host, 300).as_deref(), Some("403"));
    assert_eq!(refused("/v1/chain/get_info", &host, 100_001).as_deref(), Some("400"));
}

#[test]
fn clients_that_send_or_take_nothing_are_given_up() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let before = node.memory_bytes();
    // Answers that nobody takes: many requests on each connection, all for the largest code of the chain.
    let body = r#"{"account_name":"eosio"}"#;
    let request = format!(
        "POST /v1/chain/get_raw_code_and_abi HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
        host(&node),
        body.len()
    );
    const REQUESTS: usize = 100;
    let requests = request.repeat(REQUESTS);
    let whole =
        REQUESTS * node.call("/v1/chain/get_raw_code_and_abi", &json!({ "account_name": "eosio" })).to_string().len();
    let greedy: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = connect(&node);
            stream.write_all(requests.as_bytes()).expect("requests are small");
            stream
        })
        .collect();
    // Heads that never end, and connections that say nothing.
    let mut slow = connect(&node);
    slow.write_all(b"POST /v1/chain/get_info HTTP/1.1\r\nHost: x\r\nX-Slow: ").expect("a part of a head can be sent");
    let silent = connect(&node);
    let mut honest = connect(&node);
    assert!(ask(&mut honest, &node).is_some());
    serves(&node);
    let during = node.memory_bytes();
    assert!(during < before + (200 << 20), "{before} bytes became {during}");

    let drip = std::thread::spawn({
        let mut slow = slow.try_clone().expect("a handle can be cloned");
        move || {
            while slow.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    });
    assert!(until_closed(silent).1 < GIVEN_UP_WITHIN);
    assert!(until_closed(slow).1 < GIVEN_UP_WITHIN);
    drip.join().expect("the node closed the connection");
    for stream in greedy {
        let (bytes, _) = until_closed(stream);
        assert!(bytes < whole, "the node waited until all of {bytes} bytes were taken");
    }
    serves(&node);
    gives_back(&node, before);
}

#[test]
fn idle_connections_make_room_for_honest_ones() {
    // 448 descriptors, of which 256 are kept for the node itself: one address may have half of the rest.
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::start_with_limits(folder.path(), "ulimit -n 448", &[]);
    let idle: Vec<TcpStream> = (0..600).map(|_| connect(&node)).collect();
    for _ in 0..5 {
        let mut honest = connect(&node);
        for _ in 0..3 {
            let answer = ask(&mut honest, &node).expect("an honest client is served");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
    serves(&node);
    assert!(!node.log().contains("cannot take a connection"), "{}", node.log());
    drop(idle);
    node.wait_until("an answer", |_| true);
}

#[test]
fn the_node_takes_all_descriptors_that_the_system_gives() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start_with_limits(folder.path(), "ulimit -Sn 300", &[]);
    let mut open: Vec<TcpStream> = (0..400).map(|_| connect(&node)).collect();
    for stream in &mut open {
        ask(stream, &node).expect("each connection is served");
    }
    ask(&mut open[0], &node).expect("and stays open");
}

#[test]
fn many_connect_at_once_while_the_node_is_busy() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    // While it does not take them, connections wait: the system drops what is more than may, and tries again later.
    node.signal("STOP");
    let address = host(&node).parse().expect("an address");
    let open: Vec<_> = (0..600)
        .map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(500)).map_err(|e| e.kind()))
        .collect();
    node.signal("CONT");
    let refused = open.iter().filter(|stream| stream.is_err()).count();
    assert_eq!(refused, 0, "of {} connections", open.len());
    let mut last = open.into_iter().next_back().expect("there are some").expect("it is open");
    last.set_read_timeout(Some(GIVEN_UP_WITHIN)).expect("a timeout can be set");
    assert!(ask(&mut last, &node).is_some());
}
