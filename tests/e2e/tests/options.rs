//! Options of nodeos that scripts of private testnets rely on.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use e2e::{DEV_PRIVATE_KEY, DEV_PUBLIC_KEY, Keosd, Peer, RunningNode, binary};
use serde_json::{Value, json};

/// Runs `boreasd` on a folder to its end.
fn boreasd(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let output = Command::new(binary("boreasd"))
        .args(["--http-server-address", "", "--config-dir"])
        .args([folder, Path::new("--data-dir"), folder])
        .args(arguments)
        .output()
        .expect("boreasd runs");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, log)
}

fn hash(log: &str, when: &str) -> String {
    let mark = format!("chain database {when} with hash: ");
    log.split(&mark).nth(1).unwrap_or_else(|| panic!("no hash in {log}")).trim()[..64].to_owned()
}

#[test]
fn a_node_ends_at_a_block_and_goes_back_to_one() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let run = |arguments: &[&str]| {
        let (output, log) = boreasd(folder.path(), arguments);
        assert!(output.status.success(), "{log}");
        log
    };
    let produce = ["-e", "-p", "eosio", "--integrity-hash-on-stop", "--integrity-hash-on-start"];
    let log = run(&[&produce[..], &["--terminate-at-block", "5"]].concat());
    assert!(log.contains("Reached configured maximum block 5; terminating"), "{log}");
    let end = hash(&log, "stopped");
    let line = log.lines().find(|line| line.contains("Produced block")).expect("a line for each block");
    let expected =
        ["... #2 @ ", " signed by eosio [trxs: 0, lib: 1, confirmed: 0, net: 0, cpu: 100, elapsed: ", ", time: "];
    assert!(expected.iter().all(|part| line.contains(part)), "{line}");

    let again = run(&[&produce[1..], &["--terminate-at-block", "5", "--replay-blockchain"]].concat());
    assert_eq!(hash(&again, "stopped"), end);
    run(&["--hard-replay-blockchain", "--truncate-at-block", "3", "--terminate-at-block", "3"]);
    let log = run(&[&produce[..], &["--terminate-at-block", "4"]].concat());
    assert!(log.contains("#4 @ ") && !log.contains("#5 @ "), "the producer signs block 4 again: {log}");
}

#[test]
fn what_is_printed_is_what_nodeos_would_read() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let print = |arguments: &[&str]| {
        let (output, log) = boreasd(folder.path(), arguments);
        assert!(output.status.success(), "{log}");
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(print(&["--version"]).starts_with('v'));
    let build: Value = serde_json::from_str(&print(&["--print-build-info"])).expect("JSON");
    assert!(build["arch"].is_string() && build["debug"].is_boolean(), "{build}");

    let template = print(&["--print-default-config"]);
    assert!(
        template.contains("# http-server-address = 127.0.0.1:8888") && template.contains("# contracts-console = false")
    );
    let set: String = template
        .lines()
        .map(|line| match line.strip_prefix("# ").filter(|line| line.contains(" = ") && !line.ends_with("= ")) {
            Some(option) if option.split(" = ").next().is_some_and(|name| !name.contains(' ')) => format!("{option}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    std::fs::write(folder.path().join("config.ini"), set).expect("the folder can be written");
    let (output, log) = boreasd(folder.path(), &["--terminate-at-block", "1"]);
    assert!(output.status.success(), "the defaults are no valid configuration: {log}");

    let genesis: Value = serde_json::from_str(&print(&["--print-genesis-json"])).expect("JSON");
    assert_eq!(genesis["initial_key"], DEV_PUBLIC_KEY);
    let file = folder.path().join("genesis.json");
    print(&["--extract-genesis-json", file.to_str().expect("a path of ASCII")]);
    assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(file).expect("it is written")).expect("JSON"), genesis);
}

fn ask_socket(socket: &Path, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("the socket is there");
    write!(stream, "POST {path} HTTP/1.1\r\nHost: anything\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_api_is_served_where_the_options_say() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &["--unix-socket-path", "node.sock", "--http-keep-alive", "false"]);
    let answer = ask_socket(&folder.path().join("node.sock"), "/v1/chain/get_info");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("head_block_num"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    node.stop();
    assert!(!folder.path().join("node.sock").exists());

    let category = ["--http-category-address", "chain_ro,./ro.sock"];
    let node = RunningNode::by_category(folder.path(), &["chain_rw", "producer_ro"], &category);
    let read =
        node.api.call("/v1/chain/get_account", &json!({ "account_name": "eosio" })).expect_err("another address");
    assert!(read.to_string().contains("plugin is not enabled"), "{read}");
    let apis = node.api.call("/v1/node/get_supported_apis", &json!({})).expect("every address lists its endpoints");
    let apis = apis["apis"].to_string();
    assert!(apis.contains("push_transaction") && apis.contains("paused") && !apis.contains("get_block"), "{apis}");
    let answer = ask_socket(&folder.path().join("ro.sock"), "/v1/chain/get_consensus_parameters");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(ask_socket(&folder.path().join("ro.sock"), "/v1/producer/pause").starts_with("HTTP/1.1 404"));
}

#[test]
fn requests_are_turned_away_where_the_options_say() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let options = ["--api-accept-transactions", "false", "--http-max-bytes-in-flight-mb", "1"];
    let node = RunningNode::start(folder.path(), &options);
    let refused = node.api.call("/v1/chain/push_transaction", &json!({})).expect_err("no transactions");
    assert!(refused.to_string().contains("api-accept-transactions = false"), "{refused}");
    let large = json!({ "account_name": " ".repeat(1_200_000) });
    let refused = node.api.call("/v1/chain/get_account", &large).expect_err("no room");
    assert!(refused.to_string().contains("Too many bytes in flight"), "{refused}");
}

#[test]
fn a_block_from_outside_must_be_the_one_the_operator_named() {
    let (own, other) = (tempfile::tempdir().expect("temporary folder"), tempfile::tempdir().expect("temporary folder"));
    let source = RunningNode::start(own.path(), &[]);
    let block = |number: u64| {
        source.api.call("/v1/chain/get_raw_block", &json!({ "block_num_or_id": number })).expect("it is there")
    };
    let id = source.block_id(2).expect("block 2 is there");
    let wrong = format!("[2,\"{}{}\"]", &id[..8], "0".repeat(56));
    let refuse = RunningNode::follow_with(other.path(), &["--checkpoint", &wrong]);
    // As from nodeos, the answer does not tell.
    refuse.api.call("/v1/chain/push_block", &block(2)).expect("an answer");
    assert_eq!(refuse.head(), 1);
    assert!(refuse.log().contains("Checkpoint does not match for block number 2"), "{}", refuse.log());
    refuse.stop();
    let follower = RunningNode::follow_with(
        other.path(),
        &["--checkpoint", &format!("[2,\"{id}\"]"), "--validation-mode", "light"],
    );
    for number in 2..=4 {
        follower.api.call("/v1/chain/push_block", &block(number)).expect("the named block");
    }
    assert_eq!(follower.head(), 4);
    let log = follower.log();
    let line = log.lines().find(|line| line.contains("Received block")).expect("a line for each block");
    let expected = [
        "... #2 @ ",
        " signed by eosio [trxs: 0, lib: 1, confirmed: 0, net: 0, cpu: 100, elapsed: ",
        ", time: ",
        ", latency: ",
        " ms]",
    ];
    assert!(expected.iter().all(|part| line.contains(part)), "{line}");
}

#[test]
fn keosd_signs_blocks_and_its_silence_does_not_stop_the_node() {
    let Some(peer) = Peer::find() else { return };
    let keosd = Keosd::with_key(&peer, DEV_PRIVATE_KEY);
    let folder = tempfile::tempdir().expect("temporary folder");
    let provider = format!("{DEV_PUBLIC_KEY}=KEOSD:{}/v1/wallet/sign_digest", keosd.url);
    let mut node =
        RunningNode::start(folder.path(), &["--signature-provider", &provider, "--keosd-provider-timeout", "200"]);
    keosd.freeze(true);
    std::thread::sleep(Duration::from_secs(2));
    let head = node.head();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(node.head(), head, "nobody signs");
    assert!(node.log().contains("keosd does not sign"), "{}", node.log());
    let failures = node.log().matches("keosd does not sign").count();
    assert!(failures <= 3, "it is told once per turn, not {failures} times in four seconds");
    keosd.freeze(false);
    node.wait_until("blocks again", |info| info["head_block_num"].as_u64() > Some(head + 1));
    assert!(node.stop() < Duration::from_secs(1));

    let provider = format!("{DEV_PUBLIC_KEY}=KEOSD:unix://{}/v1/wallet/sign_digest", keosd.socket.display());
    let node =
        RunningNode::start(folder.path(), &["--signature-provider", &provider, "--keosd-provider-timeout", "200"]);
    assert!(node.head() > head + 1);
}
