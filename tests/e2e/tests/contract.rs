//! A user's first contract: made, built, deployed and called, and the mistakes on the way.

use std::path::Path;
use std::process::Command;

use e2e::{RunningNode, binary, target_dir};

/// Runs `boreas` in a folder; its status, and all it printed.
fn boreas(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(binary("boreas"))
        .args(arguments)
        .current_dir(folder)
        .env("BOREAS_WALLET_DIR", folder.join("wallets"))
        .env("CARGO_TARGET_DIR", target_dir().join("e2e-contract")) // what the SDK needs is built once for all tests
        .output()
        .expect("boreas runs");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_first_contract_is_made_built_and_called() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = folder.path();
    let succeed = |arguments: &[&str]| {
        let (status, text) = boreas(place, arguments);
        assert_eq!(status, Some(0), "boreas {}: {text}", arguments.join(" "));
        text
    };
    succeed(&["contract", "new", "counter"]);
    let told = succeed(&["contract", "build", "counter"]);
    assert!(
        told.contains("counter: ") && told.contains("bytes") && told.contains("imports: action_data_size"),
        "{told}"
    );

    let chain = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(chain.path(), &[]);
    let on_chain = |arguments: &[&str]| succeed(&[&["--url", &node.url], arguments].concat());
    succeed(&["wallet", "create", "--to-console"]);
    succeed(&["wallet", "import", "--private-key", &node.printed_keys("alice").1]);
    on_chain(&["set", "contract", "alice", "counter/dist/counter", "counter.wasm", "counter.abi"]);
    for count in 1..=2 {
        let told = on_chain(&["push", "action", "-f", "alice", "hello", r#"["alice"]"#, "-p", "alice"]);
        assert!(told.contains(&format!("return value: {count}")), "{told}");
    }
    let rows = on_chain(&["get", "table", "alice", "alice", "counts"]);
    assert!(rows.contains(r#""account": "alice""#) && rows.contains(r#""hellos": 2"#), "{rows}");

    on_chain(&["set", "account", "permission", "alice", "active", "--add-code"]);
    let told = on_chain(&["get", "account", "alice"]);
    assert!(told.contains("1 alice@eosio.code"), "{told}");
    on_chain(&["set", "account", "permission", "alice", "active", "--remove-code"]);
    assert!(!on_chain(&["get", "account", "alice"]).contains("eosio.code"));
}

#[test]
fn mistakes_are_told() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = folder.path();
    let refused = |arguments: &[&str], message: &str| {
        let (status, text) = boreas(place, arguments);
        assert_eq!(status, Some(1), "boreas {}: {text}", arguments.join(" "));
        assert!(text.contains(message), "{message:?} is not in {text}");
    };
    refused(&["contract", "new", "Counter"], "a project is named with small letters");
    refused(&["contract", "build", "nowhere"], "nowhere has no Cargo.toml");
    std::fs::create_dir(place.join("there")).expect("a folder");
    refused(&["contract", "new", "there"], "there is there already");
    refused(&["contract", "test", "there"], "there has no Cargo.toml");

    // Two things of one name in the ABI: the build says which, and how to tell them apart.
    let (status, text) = boreas(place, &["contract", "new", "twice"]);
    assert_eq!(status, Some(0), "{text}");
    let source = place.join("twice/src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("the template");
    std::fs::write(&source, text.replace("fn hello(", "fn count(")).expect("written");
    refused(&["contract", "build", "twice"], "two types are called \"count\" in the ABI");
}
