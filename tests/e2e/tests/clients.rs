//! The clients that users have: eosjs and wharfkit against our node and nodeos, `boreas`, a browser and tests of a
//! contract in JavaScript against ours.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use e2e::{DEV_PRIVATE_KEY, DEV_PUBLIC_KEY, Peer, RunningNode, binary, contract, target_dir};

/// Held while packages are installed: two tests run the same script.
static INSTALLING: Mutex<()> = Mutex::new(());

/// Where a script can run: its npm packages are installed once.
fn installed(script: &str) -> PathBuf {
    let _alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let place = target_dir().join("e2e-clients").join(script);
    std::fs::create_dir_all(&place).expect("the target folder can be written");
    for file in ["package.json", "abi.js", script] {
        std::fs::copy(sources.join(file), place.join(file)).expect("the sources are there");
    }
    if !place.join("node_modules/eosjs").exists() {
        let arguments = ["install", "--no-audit", "--no-fund", "--silent"];
        let installed = Command::new("npm").args(arguments).current_dir(&place).status().expect("npm is installed");
        assert!(installed.success(), "npm install failed in {}", place.display());
    }
    place
}

/// Runs a script against a node; `compression` is `zlib` or nothing.
fn run_script(script: &str, url: &str, compression: &[&str]) {
    run_with(script, url, "eosio.token", compression);
}

/// Runs a script against a node, with one of our contracts.
fn run_with(script: &str, url: &str, name: &str, more: &[&str]) {
    let folder = contract(name);
    let output = Command::new("node")
        .current_dir(installed(script))
        .args([script, url])
        .args([folder.join(format!("{name}.wasm")), folder.join(format!("{name}.abi"))])
        .args(more)
        .output()
        .expect("node.js is installed");
    let text = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{script} at {url}, {more:?}: {printed}{text}");
}

/// Runs a script on a new chain of ours and, where it can be had, of nodeos.
fn run_on_both(script: &str, compression: &[&str]) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    run_script(script, &node.url, compression);
    if let Some(peer) = Peer::find() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let nodeos = peer.serve(folder.path());
        run_script(script, &nodeos.url, compression);
    }
}

#[test]
fn eosjs_creates_deploys_pushes_and_reads() {
    run_on_both("eosjs.js", &[]);
}

#[test]
fn eosjs_does_so_with_compression() {
    run_on_both("eosjs.js", &["zlib"]);
}

#[test]
fn wharfkit_creates_deploys_pushes_and_reads() {
    run_on_both("wharfkit.js", &[]);
}

#[test]
fn wharfkit_does_so_with_compression() {
    run_on_both("wharfkit.js", &["zlib"]);
}

#[test]
fn a_contract_is_tested_from_javascript() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    node.printed_keys("alice"); // it serves as soon as this is there
    run_with("contract.js", &node.url, "cookbook", &[]);
}

/// A contract that fails in a function with a name.
const TRAPS: &str = r#"(module
    (memory 1)
    (func (export "apply") (param i64 i64 i64) (call $_ZN4deal5close17h0123456789abcdefE))
    (func $_ZN4deal5close17h0123456789abcdefE (call $_ZN4deal4fall17hfedcba9876543210E))
    (func $_ZN4deal4fall17hfedcba9876543210E (drop (i32.div_u (i32.const 1) (i32.const 0)))))"#;
const TRAPS_ABI: &str = r#"{"version":"eosio::abi/1.2","structs":[{"name":"close","base":"","fields":[{"name":"account","type":"name"}]}],
    "actions":[{"name":"close","type":"close","ricardian_contract":""}]}"#;

#[test]
fn a_browser_shows_and_moves_a_development_chain() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let contract = folder.path().join("deal");
    std::fs::create_dir(&contract).expect("a folder");
    std::fs::write(contract.join("deal.wasm"), wat::parse_str(TRAPS).expect("a module")).expect("written");
    std::fs::write(contract.join("deal.abi"), TRAPS_ABI).expect("written");
    let set = Command::new(binary("boreas"))
        .args(["-u", &node.url, "--impersonate", "set", "contract", "carol", &contract.to_string_lossy()])
        .env("BOREAS_WALLET_DIR", folder.path().join("wallets"))
        .output()
        .expect("boreas runs");
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    let place = installed("page.js");
    let output = Command::new("node").current_dir(&place).args(["page.js", &node.url]).arg(&place).output();
    let output = output.expect("node.js is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Chains that are not for development have no page.
    let folder = tempfile::tempdir().expect("temporary folder");
    let plain = RunningNode::start(folder.path(), &[]);
    let answer = e2e::exchange(plain.address(), b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[test]
fn boreas_serves_a_users_first_hour() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::start(folder.path(), &[]);
    let boreas = |arguments: &[&str]| {
        let output = Command::new(binary("boreas"))
            .args(["--url", &node.url])
            .args(arguments)
            .env("BOREAS_WALLET_DIR", folder.path().join("wallets"))
            .output()
            .expect("boreas runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let succeed = |arguments: &[&str]| {
        let (status, text) = boreas(arguments);
        assert_eq!(status, Some(0), "boreas {}: {text}", arguments.join(" "));
        text
    };
    succeed(&["wallet", "create", "--to-console"]);
    succeed(&["wallet", "import", "--private-key", DEV_PRIVATE_KEY]);
    let (status, text) = boreas(&["wallet", "import", "--private-key", &DEV_PRIVATE_KEY.replace("zkv", "zkw")]);
    assert_eq!(status, Some(1));
    assert!(text.contains("Invalid private key") && !text.contains("5KQwr"), "{text}");
    succeed(&["create", "account", "eosio", "eosio.token", DEV_PUBLIC_KEY]);
    succeed(&["create", "account", "eosio", "alice", DEV_PUBLIC_KEY]);
    let token = contract("eosio.token");
    succeed(&["set", "contract", "eosio.token", token.to_str().expect("a path of ASCII")]);
    succeed(&["push", "action", "eosio.token", "create", r#"["eosio", "1000.0000 SYS"]"#, "-p", "eosio.token"]);
    succeed(&["push", "action", "eosio.token", "issue", r#"["eosio", "10.0000 SYS", ""]"#, "-p", "eosio"]);
    succeed(&["transfer", "eosio", "alice", "1.2500 SYS", "hello"]);
    assert_eq!(succeed(&["get", "currency", "balance", "eosio.token", "alice"]).trim(), "1.2500 SYS");
    assert!(succeed(&["get", "table", "eosio.token", "alice", "accounts"]).contains("1.2500 SYS"));
    assert!(succeed(&["get", "account", "alice"]).contains("permissions:"));
    let told = succeed(&["set", "contract", "eosio.token", token.to_str().expect("a path of ASCII")]);
    assert!(told.contains("no transaction is sent"), "{told}");
    let told = succeed(&["transfer", "alice", "eosio", "0.2500 SYS", "-d", "-u", "-s"]);
    assert!(told.contains("\"quantity\": \"0.2500 SYS\""), "{told}");

    let (status, text) = boreas(&["transfer", "alice", "eosio", "9.0000 SYS"]);
    assert_eq!(status, Some(3_050_003 & 0xff));
    assert!(text.contains("Error 3050003") && text.contains("overdrawn balance"), "{text}");
    assert!(text.starts_with("failed transaction: "), "{text}");
    let (status, text) = boreas(&["get", "account", "nobody"]);
    assert_eq!(status, Some(1), "queries fail with 1, as from cleos: {text}");
    assert!(text.contains("Error 3060002") && text.contains("--url"), "{text}");
    let (status, text) = boreas(&["push", "action", "eosio.token", "tranfer", "[]", "-p", "alice"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("it has: close, create, issue"), "{text}");
    let (status, text) = boreas(&["transfer", "alice", "eosio", "1.0000 SYS", "--expiraton", "9"]);
    assert_eq!(status, Some(109), "as from cleos");
    assert!(text.contains("a similar argument exists: '--expiration'"), "{text}");
    let (status, text) = boreas(&["transfer", "Alice", "eosio", "9.0000 SYS"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("is not a valid name"), "{text}");
    succeed(&["wallet", "lock_all"]);
    let (status, text) = boreas(&["transfer", "alice", "eosio", "1.0000 SYS"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("Error 3090003") && text.contains("boreas wallet unlock"), "{text}");
}
