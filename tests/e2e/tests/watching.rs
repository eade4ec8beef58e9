//! What `boreas trace` and `boreas top` show of a chain.

use std::process::{Command, Output};

use e2e::{RunningNode, binary};
use serde_json::{Value, json};

fn boreas(node: &RunningNode, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().expect("temporary folder");
    let command =
        Command::new(binary("boreas")).env("HOME", home.path()).args(["-u", &node.url]).args(arguments).output();
    command.expect("boreas runs")
}

fn told(node: &RunningNode, arguments: &[&str]) -> String {
    let output = boreas(node, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(node: &RunningNode, arguments: &[&str]) -> String {
    let output = boreas(node, arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn transfer(node: &RunningNode, quantity: &str) -> Output {
    let arguments = json!({ "from": "alice", "to": "bob", "quantity": quantity, "memo": "hello" }).to_string();
    let command = ["--impersonate", "push", "action", "-j", "eosio.token", "transfer", &arguments, "-p", "alice"];
    boreas(node, &command)
}

fn id_of(sent: &Output) -> String {
    let answer: Value = serde_json::from_slice(&sent.stdout).unwrap_or_default();
    answer["transaction_id"]
        .as_str()
        .map(str::to_owned)
        .unwrap_or_else(|| panic!("{}{}", String::from_utf8_lossy(&sent.stdout), String::from_utf8_lossy(&sent.stderr)))
}

#[test]
fn a_trace_shows_actions_and_rows_before_and_after() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let id = id_of(&transfer(&node, "1.0000 SYS"));
    node.call("/v1/dev/produce", &json!({}));
    let check = |node: &RunningNode| {
        let text = told(node, &["trace", &id]);
        for shown in [
            &format!("transaction {id}\nin block "),
            "executed, ",
            "eosio.token::transfer  from=alice to=bob quantity=\"1.0000 SYS\" memo=hello",
            "~ accounts/alice 5462355: balance 1000000.0000 SYS -> 999999.0000 SYS",
            "~ accounts/bob 5462355: balance 1000000.0000 SYS -> 1000001.0000 SYS",
            "├─ alice was told",
            "└─ bob was told",
        ] {
            assert!(text.contains(shown), "{shown} is not in\n{text}");
        }
        let whole: Value = serde_json::from_str(&told(node, &["trace", "--json", &id])).expect("it is JSON");
        assert_eq!(whole["processed"]["action_traces"][0]["row_changes"][0]["before"]["payer"], "eosio");
        // The answers of nodeos' own endpoints have no more fields than there.
        let plain = node.call("/v1/trace_api/get_transaction_trace", &json!({ "id": id }));
        assert_eq!(plain["actions"][0]["params"]["memo"], "hello");
        assert!(!plain.to_string().contains("row_changes"));
    };
    check(&node);
    node.kill();
    let node = RunningNode::dev(folder.path(), &[]);
    check(&node);

    let missing = refused(&node, &["trace", &"ab".repeat(32)]);
    assert!(missing.contains("has no trace of transaction abab") && missing.contains("is in no block"), "{missing}");
    assert!(refused(&node, &["trace", "xy"]).contains("64 hexadecimal digits"));
    // nodeos' own endpoint tells of mistakes beside its error, which is empty.
    let message = "Error: Trace API: transaction id missing in the transaction id log files\n";
    assert_eq!(refused(&node, &["get", "transaction_trace", &"ab".repeat(32)]), message);
}

#[test]
fn a_trace_shows_what_failed_lately() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let failed = boreas(
        &node,
        &[
            "--impersonate",
            "push",
            "action",
            "-j",
            "eosio.token",
            "transfer",
            r#"["alice","bob","9999999.0000 SYS","x"]"#,
            "-p",
            "alice",
        ],
    );
    assert!(!failed.status.success());
    let told_id = String::from_utf8_lossy(&failed.stderr).into_owned() + &String::from_utf8_lossy(&failed.stdout);
    let id = told_id.split(|letter: char| !letter.is_ascii_hexdigit()).find(|word| word.len() == 64);
    let text = told(&node, &["trace", id.unwrap_or_else(|| panic!("no id in {told_id}"))]);
    for shown in ["in no block: it failed at ", "failed here", "overdrawn balance", "in action eosio.token::transfer"] {
        assert!(text.contains(shown), "{shown} is not in\n{text}");
    }
}

/// A contract with names of functions in it, as a linker writes them; it traps, or asserts where an action is called so.
const NAMED: &str = r#"(module
    (import "env" "eosio_assert" (func $eosio_assert (param i32 i32)))
    (memory 1)
    (data (i32.const 8) "the deal is off\00")
    (func (export "apply") (param i64 i64 i64) (call $_ZN4deal5close17h0123456789abcdefE (local.get 2)))
    (func $_ZN4deal5close17h0123456789abcdefE (param i64)
        (if (i64.eq (local.get 0) (i64.const 0x63b6a00000000000)) (then (call $eosio_assert (i32.const 0) (i32.const 8))))
        (call $_ZN4deal4fall17hfedcba9876543210E))
    (func $_ZN4deal4fall17hfedcba9876543210E (drop (i32.div_u (i32.const 1) (i32.const 0)))))"#;

#[test]
fn a_contract_that_fails_tells_in_which_functions() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let code = folder.path().join("deal.wasm");
    std::fs::write(&code, wat::parse_str(NAMED).expect("a module")).expect("written");
    told(&node, &["--impersonate", "set", "code", "alice", &code.to_string_lossy(), "-p", "alice"]);
    let sent = |node: &RunningNode, action: &str| {
        let trx = json!({ "actions": [{
            "account": "alice", "name": action, "data": "", "authorization": [{ "actor": "bob", "permission": "active" }],
        }] });
        boreas(node, &["--impersonate", "push", "transaction", &trx.to_string()])
    };
    let push = |node: &RunningNode, action: &str| {
        let output = sent(node, action);
        assert!(!output.status.success(), "{action}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let trapped = ["the code of alice stopped in\n  deal::fall\n  deal::close\n  apply"];
    let asserted =
        ["assertion failure with message: the deal is off", "the code of alice stopped in\n  deal::close\n  apply"];
    for round in 0..2 {
        // The second time its code is optimised.
        (0..25 * round).for_each(|_| drop(push(&node, "again")));
        for (action, shown) in [("cancel", &trapped[..]), ("give", &asserted[..])] {
            let text = push(&node, action);
            for shown in shown {
                assert!(text.contains(shown), "{shown} is not in\n{text}");
            }
        }
    }
    // The answers of nodeos' own endpoints have no more fields than there.
    let answer = String::from_utf8_lossy(&sent(&node, "give").stdout).into_owned();
    assert!(answer.contains("\"action_traces\"") && !answer.contains("backtrace"), "{answer}");

    let quiet = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(quiet.path(), &["--trace-rows=false"]);
    told(&node, &["--impersonate", "set", "code", "alice", &code.to_string_lossy(), "-p", "alice"]);
    let text = push(&node, "cancel");
    assert!(!text.contains("stopped in"), "{text}");
}

/// Waits until a program on a terminal of its own has made that raw, ends it by a signal, reads what it still said, and
/// says how the terminal is: `raw` or `cooked`, and whether the other screen was left.
const TERMINAL: &str = r#"
import fcntl, os, pty, select, signal, struct, sys, termios, time
number = getattr(signal, sys.argv[1])
child, master = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", 40, 120, 0, 0))
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[2], sys.argv[2:])
def raw():
    return not termios.tcgetattr(master)[3] & termios.ICANON
said, end, killed, ended = b"", time.monotonic() + 60, False, False
while time.monotonic() < end:
    if select.select([master], [], [], 0.05)[0]:
        try:
            said += os.read(master, 65536)
        except OSError:
            break
    elif ended:
        break
    if not killed and raw() and b"head" in said:
        os.kill(child, number)
        killed = True
    ended = ended or (killed and os.waitpid(child, os.WNOHANG)[0] != 0)
print("raw" if raw() else "cooked", b"\x1b[?1049l" in said, killed)
"#;

#[test]
fn a_screen_that_a_signal_ends_gives_the_terminal_back() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    for signal in ["SIGTERM", "SIGINT", "SIGHUP"] {
        let boreas = binary("boreas");
        let arguments = ["-c", TERMINAL, signal, &boreas.to_string_lossy(), "-u", &node.url, "top"];
        let output = Command::new("python3").args(arguments).output().expect("python3 runs");
        let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(told.trim(), "cooked True True", "{signal}: {failed}");
    }
}

#[test]
fn rows_are_kept_only_where_that_is_wanted() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &["--trace-rows=false"]);
    let id = id_of(&transfer(&node, "1.0000 SYS"));
    node.call("/v1/dev/produce", &json!({}));
    let text = told(&node, &["trace", &id]);
    assert!(text.contains("eosio.token::transfer") && !text.contains("accounts/alice"), "{text}");
}

#[test]
fn one_screen_shows_the_chain() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &["--producers", "3", "--block-mode=manual"]);
    let head = node.call("/v1/dev/produce", &json!({ "blocks": 5 }))["head_block_num"].to_string();
    let text = told(&node, &["top"]);
    for shown in [&format!("head {head} "), "development chain", "producer3", "last blocks", "peers: 0", "q ends"] {
        assert!(text.contains(shown), "{shown} is not in\n{text}");
    }
    let silent = format!("http://127.0.0.1:{}", e2e::free_port());
    let output = Command::new(binary("boreas")).args(["-u", &silent, "top"]).output().expect("boreas runs");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains(&silent));
}
