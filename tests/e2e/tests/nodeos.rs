//! The real programs of nodeos against ours: cleos and keosd drive a development chain through a session, and nodeos
//! replays the blocks of it with every check.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::{Peer, RunningNode, binary, free_port};
use serde_json::Value;

/// When a transaction fails, cleos ends with the lowest byte of the fault's number.
const ASSERTION_FAILED: i32 = 3_050_003 & 0xff;
/// When the node cannot say which keys are needed, it ends so.
const NOT_SIGNED: i32 = 1;
/// keosd that does not answer after this is broken.
const START_LIMIT: Duration = Duration::from_secs(20);

/// keosd and cleos, both of them on one node.
struct Session<'a> {
    peer: &'a Peer,
    url: String,
    wallet_url: String,
    keosd: Child,
}

impl<'a> Session<'a> {
    fn start(peer: &'a Peer, node: &RunningNode, folder: &Path) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let keosd = peer
            .program("keosd")
            .arg("--wallet-dir")
            .arg(folder.join("keosd"))
            .arg("--data-dir")
            .arg(folder.join("keosd"))
            .arg("--config-dir")
            .arg(folder.join("keosd"))
            .args(["--http-server-address", &address, "--unlock-timeout", "9999"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("keosd starts");
        let session = Self { peer, url: node.url.clone(), wallet_url: format!("http://{address}"), keosd };
        let begin = Instant::now();
        while session.cleos(&["wallet", "list"]).0 != Some(0) {
            assert!(begin.elapsed() < START_LIMIT, "keosd does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        session
    }

    /// Runs cleos: its exit status and all that it prints.
    fn cleos(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self
            .peer
            .program("cleos")
            .args(["--url", &self.url, "--wallet-url", &self.wallet_url, "--no-auto-keosd"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("cleos runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let (status, text) = self.cleos(arguments);
        assert_eq!(status, Some(0), "cleos {}: {text}", arguments.join(" "));
        text
    }

    fn fail(&self, arguments: &[&str], status: i32, message: &str) {
        let (found, text) = self.cleos(arguments);
        assert_eq!(found, Some(status), "cleos {}: {text}", arguments.join(" "));
        assert!(text.contains(message), "cleos {}: {text}", arguments.join(" "));
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // Both fail where the process is gone already.
        let _ = self.keosd.kill();
        let _ = self.keosd.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ASCII")
}

/// Accounts, stakes, votes, a contract of CDT's, a proposal, and what is refused.
fn drive(session: &Session<'_>, (public, private): &(String, String), contract: &Path) {
    session.succeed(&["wallet", "create", "--to-console"]);
    session.succeed(&["wallet", "import", "--private-key", private]);
    assert!(session.succeed(&["get", "info"]).contains("\"head_block_producer\": \"producer1\""));

    let stakes = ["--stake-net", "10.0000 SYS", "--stake-cpu", "10.0000 SYS", "--buy-ram-kbytes", "600"];
    session.succeed(&[&["system", "newaccount", "alice", "alicestokens", public][..], &stakes].concat());
    session.succeed(&["set", "contract", "alicestokens", text(contract), "eosio.token.wasm", "eosio.token.abi"]);
    let create = r#"["alice", "1000.00 TOK"]"#;
    session.succeed(&["push", "action", "alicestokens", "create", create, "-p", "alicestokens@active"]);
    let issue = r#"["alice", "10.00 TOK", "first"]"#;
    session.succeed(&["push", "action", "alicestokens", "issue", issue, "-p", "alice@active"]);
    session.succeed(&["transfer", "alice", "bob", "2.50 TOK", "hello", "--contract", "alicestokens"]);
    assert_eq!(session.succeed(&["get", "currency", "balance", "alicestokens", "bob"]).trim(), "2.50 TOK");
    let rows: Value = serde_json::from_str(&session.succeed(&["get", "table", "alicestokens", "alice", "accounts"]))
        .expect("cleos prints the rows as JSON");
    assert_eq!(rows["rows"][0]["balance"], "7.50 TOK");

    session.succeed(&["system", "delegatebw", "alice", "bob", "3.0000 SYS", "4.0000 SYS"]);
    assert!(session.succeed(&["system", "listbw", "alice"]).contains("3.0000 SYS"));
    session.succeed(&["system", "undelegatebw", "alice", "bob", "1.0000 SYS", "1.0000 SYS"]);
    session.succeed(&["system", "voteproducer", "prods", "alice", "producer1"]);
    session.succeed(&["system", "buyram", "alice", "alice", "--kbytes", "8"]);
    session.succeed(&["system", "bidname", "alice", "zz", "1.0000 SYS"]);
    assert!(session.succeed(&["get", "account", "alice"]).contains("producer1"));
    session.succeed(&["set", "account", "permission", "alice", "trading", public, "active"]);
    session.succeed(&["set", "action", "permission", "alice", "alicestokens", "transfer", "trading"]);
    session.succeed(&["transfer", "alice", "bob", "0.01 TOK", "", "--contract", "alicestokens", "-p", "alice@trading"]);

    let level = r#"[{"actor": "alice", "permission": "active"}]"#;
    let action = r#"{"from": "alice", "to": "carol", "quantity": "1.0000 SYS", "memo": "proposed"}"#;
    let propose = ["multisig", "propose", "pay", level, level, "eosio.token", "transfer", action, "-p", "alice"];
    session.succeed(&propose);
    assert!(session.succeed(&["multisig", "review", "alice", "pay"]).contains("proposed"));
    session.succeed(&["multisig", "approve", "alice", "pay", &level[1..level.len() - 1], "-p", "alice"]);
    session.succeed(&["multisig", "exec", "alice", "pay", "-p", "alice"]);
    assert_eq!(session.succeed(&["get", "currency", "balance", "eosio.token", "carol"]).trim(), "1000001.0000 SYS");

    let overdrawn = ["transfer", "alice", "bob", "99.00 TOK", "", "--contract", "alicestokens"];
    session.fail(&overdrawn, ASSERTION_FAILED, "assertion failure with message: overdrawn balance");
    session.fail(&["push", "action", "eosio", "refund", r#"["bob"]"#, "-p", "bob@nosuch"], NOT_SIGNED, "3090003");
    let refund = ["push", "action", "eosio", "refund", r#"["alice"]"#, "-p", "alice"];
    session.fail(&refund, ASSERTION_FAILED, "refund is not available yet");
}

/// nodeos replays a block log with all checks and says what its state hashes to.
fn replay_on_nodeos(peer: &Peer, log: &Path, head: u64, folder: &Path) -> String {
    let blocks = folder.join("blocks");
    std::fs::create_dir_all(&blocks).expect("the folder can be written");
    std::fs::copy(log, blocks.join("blocks.log")).expect("the log can be copied");
    let output = peer
        .nodeos()
        .arg("--data-dir")
        .arg(folder)
        .arg("--config-dir")
        .arg(folder.join("config"))
        .args(["--http-server-address", "", "--p2p-listen-endpoint", &format!("127.0.0.1:{}", free_port())])
        .args(["--hard-replay-blockchain", "--force-all-checks", "--integrity-hash-on-stop"])
        .args(["--eos-vm-oc-enable", "none", "--terminate-at-block", &head.to_string()])
        .stdin(Stdio::null())
        .output()
        .expect("nodeos runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let hash = said.lines().rev().find_map(|line| line.split("stopped with hash: ").nth(1));
    hash.unwrap_or_else(|| panic!("nodeos does not replay to block {head}:\n{said}")).trim().to_owned()
}

fn boreasd(arguments: &[&str]) -> String {
    let output = Command::new(binary("boreasd")).args(arguments).output().expect("boreasd runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "boreasd {}: {said}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn cleos_drives_a_chain_that_nodeos_accepts() {
    let Some(peer) = Peer::find() else { return };
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut node = RunningNode::dev(folder.path(), &["--max-transaction-time", "400"]);
    let session = Session::start(&peer, &node, folder.path());
    drive(&session, &node.printed_keys("alice"), &peer.contract("eosio.token"));
    let head = node.head();
    node.wait_until("irreversibility", |info| info["last_irreversible_block_num"].as_u64() > Some(head));
    node.stop();

    let log = folder.path().join("exported.log");
    boreasd(&["export-blocks", "--data-dir", text(folder.path()), text(&log)]);
    let result = boreasd(&["replay", "--force-all-checks", "--json", "--blocks-log", text(&log)]);
    let result: Value = serde_json::from_str(result.lines().last().expect("a line")).expect("the last line is JSON");
    let last = result["head_block_num"].as_u64().expect("a number");
    assert!(last > head);
    let theirs = replay_on_nodeos(&peer, &log, last, &folder.path().join("nodeos"));
    assert_eq!(result["integrity_hash"], theirs.as_str());
}
