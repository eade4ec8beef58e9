//! State that obeys: a development chain is saved, gone back to, dumped and loaded; accounts act without their keys; keys
//! are added to a node that runs. No other chain lets itself be treated so.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::{DEV_PUBLIC_KEY, Dice, Load, RunningNode, binary, exchange};
use primitives::{Name, name};
use serde_json::{Value, json};

/// The second development key of nodeos' tests.
const OTHER_PRIVATE: &str = "5Jfvr7EigQXFGpeaPA2HMdDu1T5BiMvnwZQj8nANjf6PHXD8gwE";

fn call(node: &RunningNode, path: &str, body: &Value) -> Value {
    node.api.call(path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn refusal(node: &RunningNode, path: &str, body: &Value) -> String {
    node.api.call(path, body).expect_err(path).to_string()
}

/// What `boreas` does with its arguments; `home` has its wallets.
fn boreas(node: &RunningNode, home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("boreas"));
    command.args(["--url", &node.url]).args(arguments).env("HOME", home).env_remove("BOREAS_IMPERSONATE");
    command.output().expect("boreas runs")
}

#[track_caller]
fn succeeds(node: &RunningNode, home: &Path, arguments: &[&str]) -> String {
    let output = boreas(node, home, arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[track_caller]
fn fails(node: &RunningNode, home: &Path, arguments: &[&str]) -> String {
    let output = boreas(node, home, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn balance(node: &RunningNode, account: &str) -> Value {
    call(node, "/v1/chain/get_currency_balance", &json!({ "code": "eosio.token", "account": account }))[0].clone()
}

fn hash(node: &RunningNode) -> (Value, Value) {
    let answer = call(node, "/v1/producer/get_integrity_hash", &json!({}));
    (answer["head_block_id"].clone(), answer["integrity_hash"].clone())
}

#[test]
fn a_chain_is_saved_gone_back_to_dumped_and_loaded_elsewhere() {
    let (folder, other) =
        (tempfile::tempdir().expect("temporary folder"), tempfile::tempdir().expect("temporary folder"));
    let home = folder.path().join("home");
    let node = RunningNode::dev(folder.path(), &["--block-mode=transaction"]);
    let act = |arguments: &[&str]| succeeds(&node, &home, &[&["--impersonate"], arguments].concat());

    act(&["transfer", "alice", "bob", "5.0000 SYS", "one"]);
    assert_eq!(balance(&node, "bob"), "1000005.0000 SYS");
    succeeds(&node, &home, &["dev", "save", "before"]);
    let saved = hash(&node);
    act(&["transfer", "alice", "bob", "7.0000 SYS", "two"]);
    succeeds(&node, &home, &["dev", "time", "+1y"]);
    assert_ne!(hash(&node), saved);
    succeeds(&node, &home, &["dev", "save", "after"]);
    let later = hash(&node);
    succeeds(&node, &home, &["dev", "restore", "before"]);
    assert_eq!((hash(&node), balance(&node, "bob")), (saved.clone(), json!("1000005.0000 SYS")));
    // Another future, and the one that was.
    act(&["transfer", "alice", "bob", "9.0000 SYS", "three"]);
    assert_eq!(balance(&node, "bob"), "1000014.0000 SYS");
    succeeds(&node, &home, &["dev", "restore", "after"]);
    assert_eq!(hash(&node), later);
    assert!(succeeds(&node, &home, &["dev", "states"]).contains("before"));
    assert!(fails(&node, &home, &["dev", "restore", "nothing"]).contains("no state was saved as nothing"));
    assert!(refusal(&node, "/v1/dev/save", &json!({ "name": "../x" })).contains("is not a valid name"));

    // The last blocks are replaced. A transaction that refers to one of them cannot be in the others.
    act(&["transfer", "alice", "bob", "1.0000 SYS", "four"]);
    let (before, head) = (node.block_id(node.head()), node.head());
    let told = boreas(&node, &home, &["dev", "reorganise", "3"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains(" is in no block any more: it refers to one that was replaced"), "{told}");
    assert_ne!(node.block_id(head), before);
    succeeds(&node, &home, &["dev", "rewind", &(head - 3).to_string()]);
    assert_eq!(balance(&node, "bob"), "1000012.0000 SYS");

    assert!(fails(&node, &home, &["dev", "rewind", "999999"]).contains("there is no block 999999 yet"));

    // A file, and the same chain in another folder. What cannot be copied leaves nothing behind.
    assert!(fails(&node, &home, &["dev", "dump", "/nowhere/x"]).contains("/nowhere/x cannot be written: No such file"));
    assert!(fails(&node, &home, &["dev", "load", "/nowhere"]).contains("/nowhere cannot be taken to "));
    assert!(
        fails(&node, &home, &["dev", "load", "/etc/passwd"]).contains("it is not a state that boreas dev dump wrote")
    );
    assert_eq!(std::fs::read_dir(folder.path().join("states")).expect("a folder").count(), 0);
    let file = folder.path().join("chain.state");
    let file_text = file.to_str().expect("a path of ASCII");
    succeeds(&node, &home, &["dev", "dump", file_text]);
    let dumped = hash(&node);
    // States that are kept stay what they are, whatever a file is called.
    let kept = call(&node, "/v1/dev/get_states", &json!({}))["states"].clone();
    let written = call(&node, "/v1/dev/dump", &json!({ "name": "before" }));
    assert_eq!(call(&node, "/v1/dev/get_states", &json!({}))["states"], kept);
    assert!(refusal(&node, "/v1/dev/dump", &json!({ "name": "../x" })).contains("is not a valid name"));
    // One bit of a balance.
    let written = written["file"].as_str().expect("a path");
    let mut bytes = std::fs::read(written).expect("a file");
    let at = bytes.windows(12).position(|at| at[8..] == *b"\x04SYS").expect("an amount of SYS");
    bytes[at] ^= 0x40;
    std::fs::write(written, bytes).expect("a file");
    assert!(refusal(&node, "/v1/dev/load", &json!({ "name": "before" })).contains("it is damaged"));
    assert_eq!(hash(&node), dumped);
    act(&["transfer", "alice", "bob", "1.0000 SYS", "five"]);
    succeeds(&node, &home, &["dev", "load", file_text]);
    assert_eq!(hash(&node), dumped);
    // What was gone back to is what a start finds, however the node ended.
    node.kill();
    let node = RunningNode::dev(folder.path(), &["--block-mode=transaction"]);
    assert_eq!(hash(&node), dumped);
    let copy = RunningNode::dev(other.path(), &["--block-mode=transaction", "--load", file_text]);
    assert_eq!(hash(&copy), dumped);
    succeeds(&copy, &home, &["--impersonate", "transfer", "alice", "bob", "1.0000 SYS", "six"]);
    assert_eq!(balance(&copy, "bob"), "1000013.0000 SYS");
    copy.stop();
    let message = RunningNode::refusal(other.path(), &["dev", "--load", file_text]);
    assert!(message.contains("has a chain already") && message.contains("--reset"), "{message}");
}

/// How often a state is gone back to, unless `BOREAS_STATE_ROUNDS` says so.
const ROUNDS: usize = 20;

/// Something that users do, at random; what the chain refuses is as good.
fn act_at_random(node: &RunningNode, users: &mut [(Name, Load)], dice: &mut Dice) {
    let (actor, load) = &mut users[dice.below(2)];
    let other = dice.of(&["carol", "dave", "erin", "bob", "eosio"]);
    let asset = format!("{}.{:04} SYS", dice.below(300), dice.below(10_000));
    let memo = dice.bits().to_string();
    let (code, action, arguments) = match dice.below(8) {
        0 => (name!("eosio"), name!("buyram"), json!({ "payer": actor, "receiver": other, "quant": asset })),
        1 => (name!("eosio"), name!("sellram"), json!({ "account": actor, "bytes": dice.below(5000) })),
        2 => {
            let stake = json!({ "from": actor, "receiver": other, "stake_net_quantity": asset,
                "stake_cpu_quantity": "1.0000 SYS", "transfer": dice.once_in(2) });
            (name!("eosio"), name!("delegatebw"), stake)
        }
        3 => {
            let unstake = json!({ "from": actor, "receiver": actor, "unstake_net_quantity": asset,
                "unstake_cpu_quantity": "0.5000 SYS" });
            (name!("eosio"), name!("undelegatebw"), unstake)
        }
        4 => {
            let producers = if dice.once_in(3) { json!([]) } else { json!(["producer1"]) };
            (name!("eosio"), name!("voteproducer"), json!({ "voter": actor, "proxy": "", "producers": producers }))
        }
        5 => (
            name!("eosio"),
            name!("bidname"),
            json!({ "bidder": actor, "newname": dice.of(&["a", "b", "c"]), "bid": asset }),
        ),
        _ => (
            name!("eosio.token"),
            name!("transfer"),
            json!({ "from": actor, "to": other, "quantity": asset, "memo": memo }),
        ),
    };
    // Refused by the contract, or taken: either is a state.
    let _ = load.send(code, action, *actor, &arguments);
    if dice.once_in(6) {
        call(node, "/v1/dev/produce", &json!({ "blocks": 1 + dice.below(4) }));
    }
    if dice.once_in(25) {
        call(node, "/v1/dev/move_time", &json!({ "seconds": 1 + dice.below(200_000) }));
    }
}

#[test]
fn states_are_gone_back_to_with_the_same_hash_each_time() {
    let rounds = std::env::var("BOREAS_STATE_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &["--block-mode=transaction"]);
    let mut dice = Dice::of_test(9);
    let mut users = [name!("alice"), name!("bob")]
        .map(|user| (user, Load::signing_with(node.api.clone(), &node.printed_keys(&user.to_string()).1)));
    // Three places, each left for another future and come back to.
    let mut places: Vec<Option<(Value, Value)>> = vec![None; 3];
    let mut changed = 0;
    for round in 0..rounds {
        let place = dice.below(places.len());
        let body = json!({ "name": format!("place{place}") });
        if places[place].is_none() || dice.once_in(5) {
            call(&node, "/v1/dev/save", &body);
            places[place] = Some(hash(&node));
        }
        for _ in 0..1 + dice.below(4) {
            act_at_random(&node, &mut users, &mut dice);
        }
        changed += usize::from(Some(hash(&node)) != places[place]);
        call(&node, "/v1/dev/restore", &body);
        assert_eq!(Some(hash(&node)), places[place], "round {round}, SEED={}", dice.seed());
    }
    assert!(changed > rounds / 2, "{changed} of {rounds} rounds did anything");
    let known = hash(&node);
    node.kill();
    assert_eq!(hash(&RunningNode::dev(folder.path(), &["--block-mode=transaction"])), known);
}

#[test]
fn what_was_done_just_before_is_in_what_is_saved() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let home = folder.path().join("home");
    let node = RunningNode::dev(folder.path(), &[]);
    for (round, after) in ["1000001.0000 SYS", "1000002.0000 SYS", "1000003.0000 SYS"].into_iter().enumerate() {
        // The block of a transaction is under way when its sender is told.
        let memo = round.to_string();
        succeeds(&node, &home, &["--impersonate", "transfer", "alice", "bob", "1.0000 SYS", &memo]);
        call(&node, "/v1/dev/save", &json!({ "name": "now" }));
        call(&node, "/v1/dev/restore", &json!({ "name": "now" }));
        assert_eq!(balance(&node, "bob"), after);
    }
    succeeds(&node, &home, &["--impersonate", "transfer", "alice", "bob", "1.0000 SYS", "last"]);
    call(&node, "/v1/dev/reorganise", &json!({ "blocks": 1 }));
    assert_eq!(balance(&node, "bob"), "1000004.0000 SYS");
}

#[test]
fn accounts_act_without_keys_and_have_what_they_are_given() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let home = folder.path().join("home");
    let node = RunningNode::dev(folder.path(), &[]);
    // Nobody has a key here.
    fails(&node, &home, &["transfer", "alice", "bob", "1.0000 SYS"]);
    for (amount, account) in [("12.3456 SYS", "alice"), ("2000000.0000 SYS", "bob"), ("0.0000 SYS", "carol")] {
        succeeds(&node, &home, &["dev", "set", "balance", account, amount]);
        assert_eq!(balance(&node, account), amount);
    }
    succeeds(
        &node,
        &home,
        &["dev", "set", "resources", "alice", "--ram", "12345678", "--net", "-1", "--cpu", "7000000"],
    );
    let alice = call(&node, "/v1/chain/get_account", &json!({ "account_name": "alice" }));
    assert_eq!(alice["ram_quota"], 12_345_678, "{alice}");
    assert_eq!((&alice["net_weight"], &alice["cpu_weight"]), (&json!(-1), &json!(7_000_000)), "{alice}");
    succeeds(&node, &home, &["dev", "set", "key", "alice", DEV_PUBLIC_KEY]);
    let mut with_new_key = Load::new(node.api.clone());
    let transfer = json!({ "from": "alice", "to": "bob", "quantity": "0.0001 SYS", "memo": "" });
    with_new_key
        .send(name!("eosio.token"), name!("transfer"), name!("alice"), &transfer)
        .expect("the key is alice's now");
    let contract = e2e::contract("escrow");
    succeeds(&node, &home, &["dev", "set", "code", "alice", contract.to_str().expect("a path of ASCII")]);
    assert!(call(&node, "/v1/chain/get_abi", &json!({ "account_name": "alice" }))["abi"].is_object());
    // What was done so is in ordinary blocks: the node applies them again.
    call(&node, "/v1/dev/produce", &json!({ "blocks": 1 }));
    node.kill();
    let node = RunningNode::dev(folder.path(), &["--block-mode=manual"]);
    assert_eq!(balance(&node, "carol"), "0.0000 SYS");
}

#[test]
fn only_programs_on_the_machine_and_only_development_chains() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let host = node.url.strip_prefix("http://").expect("a URL");
    let ask = |headers: &str, path: &str| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        exchange(host, request.as_bytes())
    };
    for path in ["/v1/dev/produce", "/v1/dev/get_time", "/v1/dev/get_states", "/v1/producer/get_signing_keys"] {
        assert!(ask("", path).starts_with("HTTP/1.1 403"), "{path} without a JSON content type");
        let page = "Content-Type: application/json\r\nOrigin: http://evil.example\r\n";
        assert!(ask(page, path).starts_with("HTTP/1.1 403"), "{path} from a page");
        assert!(ask("Content-Type: application/json\r\n", path).starts_with("HTTP/1.1 20"), "{path}");
    }
    node.stop();
    let plain = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(plain.path(), &[]);
    for path in ["/v1/dev/produce", "/v1/dev/send_transaction", "/v1/dev/save"] {
        let message = refusal(&node, path, &json!({ "name": "a" }));
        assert!(message.contains("Unknown Endpoint"), "{path}: {message}");
    }
    let message = fails(&node, plain.path(), &["dev", "time", "+3d"]);
    assert!(message.contains("does not run a development chain"), "{message}");
}

#[test]
fn keys_are_added_while_the_node_runs_and_kept_if_that_is_wanted() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let home = folder.path().join("home");
    let node = RunningNode::start(folder.path(), &[]);
    let key =
        OTHER_PRIVATE.parse::<primitives::PrivateKey>().and_then(|key| key.public_key()).expect("a key").to_string();
    let message = fails(&node, &home, &["producer", "key", "remove", &key]);
    assert!(message.contains("was not added"), "{message}");
    let text = succeeds(&node, &home, &["producer", "key", "add", "--private-key", OTHER_PRIVATE, "--keep", "secret"]);
    assert!(text.contains(&key) && text.contains("kept"), "{text}");
    assert!(succeeds(&node, &home, &["producer", "key", "list"]).contains(&format!("{key} (added)")));
    node.stop();
    let mut node = RunningNode::start(folder.path(), &[]);
    assert!(node.log().contains("which are locked"), "{}", node.log());
    assert!(!succeeds(&node, &home, &["producer", "key", "list"]).contains("(added)"));
    let message = fails(&node, &home, &["producer", "key", "unlock", "--password", "wrong"]);
    assert!(message.contains("the password is not that of"), "{message}");
    succeeds(&node, &home, &["producer", "key", "unlock", "--password", "secret"]);
    assert!(succeeds(&node, &home, &["producer", "key", "list"]).contains(&format!("{key} (added)")));
    succeeds(&node, &home, &["producer", "key", "remove", &key, "--forget", "secret"]);
    assert!(!succeeds(&node, &home, &["producer", "key", "list"]).contains(&key));
    node.wait_until("blocks", |info| info["head_block_num"].as_u64() > Some(1));
}

#[test]
fn a_scheduled_producer_without_a_key_is_told_with_the_command_that_adds_it() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let home = folder.path().join("home");
    let node = RunningNode::dev(folder.path(), &["--schedule-interval=1s"]);
    // A key that nobody gave to the node.
    let output = succeeds(&node, &home, &["create", "key", "--to-console"]);
    let word =
        |prefix: &str| output.lines().find_map(|line| line.strip_prefix(prefix)).expect("a key").trim().to_owned();
    let (private, public) = (word("Private key:"), word("Public key:"));
    let act = |arguments: &[&str]| succeeds(&node, &home, &[&["--impersonate"], arguments].concat());
    act(&["system", "regproducer", "bob", &public, "http://bob"]);
    for user in ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"] {
        act(&["system", "voteproducer", "prods", user, "bob", "producer1"]);
    }
    let arrival = call(&node, "/v1/dev/move_time", &json!({ "seconds": 30 }));
    let missing = |answer: &Value| answer["missing_producers"] == json!(["bob"]);
    let arrival = if missing(&arrival) { arrival } else { call(&node, "/v1/dev/produce", &json!({ "blocks": 30 })) };
    assert!(missing(&arrival), "{arrival}");
    succeeds(&node, &home, &["producer", "key", "add", "--private-key", &private]);
    let arrival = call(&node, "/v1/dev/produce", &json!({ "blocks": 60 }));
    assert_eq!(arrival["missing_producers"], json!([]), "{arrival}");
    let lag = arrival["head_block_num"].as_u64().zip(arrival["last_irreversible_block_num"].as_u64());
    assert!(lag.is_some_and(|(head, irreversible)| head - irreversible < 40), "irreversibility goes on: {arrival}");
}

/// The same thousand transactions on two chains are billed alike, though the machine is busy under one of them.
#[test]
fn cpu_is_billed_by_what_a_transaction_is() {
    const LENGTHS: usize = 40;
    const BUSY_MAX: Duration = Duration::from_secs(60);
    let billed = || {
        let folder = tempfile::tempdir().expect("temporary folder");
        let node = RunningNode::dev(folder.path(), &[]);
        let mut load = Load::signing_with(node.api.clone(), &node.printed_keys("alice").1);
        let mut bills = Vec::new();
        for number in 0..1_000 {
            let memo = format!("{number:04}{}", "x".repeat(number % LENGTHS * 5));
            let transfer = json!({ "from": "alice", "to": "bob", "quantity": "0.0001 SYS", "memo": memo });
            let answer =
                load.send(name!("eosio.token"), name!("transfer"), name!("alice"), &transfer).expect("a transfer");
            bills.push(answer["processed"]["receipt"]["cpu_usage_us"].as_u64().expect("a number"));
        }
        bills
    };
    let bills = billed();
    let (done, begin) = (AtomicBool::new(false), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) && begin.elapsed() < BUSY_MAX {
                    std::hint::spin_loop()
                }
            });
        }
        let again = billed();
        done.store(true, Ordering::Relaxed);
        assert_eq!(bills, again);
    });
    let first = &bills[..LENGTHS];
    assert!(first.is_sorted() && first[0] >= 100 && first[LENGTHS - 1] > first[0], "{first:?}");
}

/// The signal of `abort`.
const ABORT: i32 = 6;

/// Whether a process that is told to abort leaves a core dump, where it may.
fn aborted(process: &str) -> bool {
    let folder = tempfile::tempdir().expect("temporary folder");
    let script = format!("ulimit -c unlimited && cd \"$0\" && exec {process}");
    let mut child = Command::new("sh").arg("-c").arg(script).arg(folder.path()).spawn().expect("sh runs");
    std::thread::sleep(Duration::from_secs(1));
    let told = Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().expect("kill runs");
    let status = child.wait().expect("a child can be waited for");
    assert!(told.success() && status.signal() == Some(ABORT), "{process}: {status}");
    status.core_dumped()
}

#[test]
fn keys_are_in_no_core_dump() {
    if !aborted("sleep 60") {
        return; // this system dumps no cores at all
    }
    let (boreas, boreasd) = (binary("boreas").display().to_string(), binary("boreasd").display().to_string());
    let folders = "--data-dir . --config-dir . --http-server-address 127.0.0.1:0";
    assert!(!aborted(&format!("{boreasd} {folders} -e -p eosio >log 2>&1")));
    assert!(!aborted(&format!("{boreas} wallet serve --data-dir . --unix-socket-path=keosd.sock >log 2>&1")));
}
