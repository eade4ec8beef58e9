//! A user's first contract: made, tested, deployed and called; scenarios; and the mistakes on the way.

use std::path::Path;
use std::process::Command;

use e2e::{Peer, RunningNode, binary, target_dir};

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

/// A test of a project: states, time, RAM, several actors, JSON beside types.
const STATES: &str = r#"//! The chain of a test.
use counter::contract::{Count, calls};
use sdk::prelude::*;
use tester::{Tester, json};

const CONTRACT: Name = name!("contract");

#[test]
fn a_chain_goes_back_to_what_it_was() {
    let mut chain = Tester::bare();
    chain.create("contract");
    chain.create("alice");
    chain.deploy_folder("contract", concat!(env!("CARGO_MANIFEST_DIR"), "/dist/counter"));
    let empty = chain.save();
    let begin = chain.now();
    let hello = || calls::hello(CONTRACT, name!("alice"));
    chain.call("alice", hello()).succeed();
    let once = chain.save();
    let used = chain.ram_bytes("alice");
    for _ in 0..2 {
        chain.advance(3600);
        assert!(chain.now() - begin >= Duration::from_secs(3600));
        assert_eq!(chain.calls(&[("alice", hello()), ("alice", hello())]).succeed().actions().len(), 2);
        assert_eq!(chain.rows_json("contract", "contract", "counts"), [json!({ "account": "alice", "hellos": 3 })]);
        chain.restore(once);
        assert_eq!(chain.table::<Count>("contract", CONTRACT), [Count { account: name!("alice"), hellos: 1 }]);
        assert_eq!(chain.ram_bytes("alice"), used);
    }
    chain.restore(empty);
    assert!(chain.table::<Count>("contract", CONTRACT).is_empty() && chain.ram_bytes("alice") < used);
    assert_eq!(chain.now(), begin);
    let told = chain.push("contract", "hello", "alice@owner", json!({ "account": "alice" })).succeed();
    assert_eq!((told.returned::<u64>(), told.result::<u64>(&mut chain)), (1, 1));
    assert_eq!((told.actions()[0].by[0].as_str(), told.actions()[0].ram["alice"] > 0), ("alice@owner", true));
    chain.call("alice", calls::hello(CONTRACT, name!("bob"))).fail(3_090_004, "missing authority of bob");
}

#[test]
#[should_panic(expected = "there is no account nobody")]
fn what_cannot_be_asked_is_told() {
    Tester::bare().ram_bytes("nobody");
}
"#;

/// A test of it that fails.
const WRONG: &str = r#"//! What is not so.
use counter::contract::calls;
use sdk::prelude::*;
use tester::Tester;

#[test]
fn alice_speaks_for_bob() {
    let mut chain = Tester::bare();
    ["contract", "alice", "bob"].iter().for_each(|account| chain.create(account));
    chain.deploy_folder("contract", concat!(env!("CARGO_MANIFEST_DIR"), "/dist/counter"));
    chain.call("alice", calls::hello(name!("contract"), name!("bob"))).succeed();
}
"#;

#[test]
fn a_first_contract_is_made_tested_and_called() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = folder.path();
    let succeed = |arguments: &[&str]| {
        let (status, text) = boreas(place, arguments);
        assert_eq!(status, Some(0), "boreas {}: {text}", arguments.join(" "));
        text
    };
    succeed(&["contract", "new", "counter"]);
    std::fs::write(place.join("counter/tests/states.rs"), STATES).expect("written");
    // A project is handed on: nothing in it says where it was made.
    std::fs::rename(place.join("counter"), place.join("made")).expect("moved");
    std::fs::create_dir(place.join("other")).expect("a folder");
    std::fs::rename(place.join("made"), place.join("other/counter")).expect("moved");
    std::os::unix::fs::symlink(place.join("other/counter"), place.join("counter")).expect("a link");
    // A test that fails tells where the contract was, in the code's own words.
    let wrong = place.join("counter/tests/wrong.rs");
    std::fs::write(&wrong, WRONG).expect("written");
    let (status, told) = boreas(place, &["contract", "test", "other/counter", "--", "--test", "wrong"]);
    assert_eq!(status, Some(1), "{told}");
    for part in ["missing authority of bob", "the code of contract stopped in\n", "contract::hello at src/lib.rs:22\n"]
    {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    std::fs::remove_file(&wrong).expect("it is there");
    let told = succeed(&["contract", "test", "other/counter"]);
    // What a first test costs is what there is to compile.
    let lock = std::fs::read_to_string(place.join("counter/Cargo.lock")).expect("a lock");
    let compiled: Vec<_> = lock.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    let few = ["counter", "proc-macro2", "quote", "sdk", "sdk-macros", "syn", "tester", "unicode-ident"]
        .map(|name| format!("{name:?}"));
    assert_eq!(compiled, few, "a dependency more for every project");
    for part in ["counter: ", "imports: action_data_size", "stack: 32768 bytes", "contract::hello", "last time"] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }

    let chain = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(chain.path(), &[]);
    let on_chain = |arguments: &[&str]| succeed(&[&["--url", &node.url], arguments].concat());
    succeed(&["wallet", "create", "--to-console"]);
    succeed(&["wallet", "import", "--private-key", &node.printed_keys("alice").1]);
    let (key, _) = node.printed_keys("alice");
    deploy(&on_chain, &key);
    on_chain(&["set", "contract", "alice", "counter/dist/counter", "counter.wasm", "counter.abi"]);
    for count in 1..=2 {
        let told = on_chain(&["push", "action", "-f", "alice", "hello", r#"["alice"]"#, "-p", "alice"]);
        assert!(told.contains(&format!("return value: {count}")), "{told}");
    }
    let (status, told) =
        boreas(place, &["--url", &node.url, "push", "action", "alice", "hello", r#"["bob"]"#, "-p", "alice"]);
    assert_eq!(status, Some(84), "{told}");
    for part in ["the code of alice stopped in\n", "contract::hello at src/lib.rs:22\n"] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    let rows = on_chain(&["get", "table", "alice", "alice", "counts"]);
    assert!(rows.contains(r#""account": "alice""#) && rows.contains(r#""hellos": 2"#), "{rows}");

    on_chain(&["set", "account", "permission", "alice", "active", "--add-code"]);
    let told = on_chain(&["get", "account", "alice"]);
    assert!(told.contains("1 alice@eosio.code"), "{told}");
    on_chain(&["set", "account", "permission", "alice", "active", "--remove-code"]);
    assert!(!on_chain(&["get", "account", "alice"]).contains("eosio.code"));
}

/// The counter on an account that is made for it; once more with nothing to do; and with what it lacks.
fn deploy(on_chain: &dyn Fn(&[&str]) -> String, key: &str) {
    let create = ["contract", "deploy", "counter11111", "counter", "--create", key, "--payer", "alice"];
    let told = on_chain(&[&create[..], &["--dry-run"]].concat());
    for part in
        ["counter (", "would be deployed on counter11111", "account counter11111 created by alice", "nothing was done"]
    {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    let price = |told: &str| told.lines().find(|line| line.starts_with("alice pays ")).map(str::to_owned);
    let expected = price(&told);
    let told = on_chain(&create);
    for part in [
        "is deployed on counter11111",
        "bytes of RAM bought",
        "10.0000 SYS staked for net, 10.0000 SYS for CPU",
        "eosio.code is in counter11111@active",
        "code set",
        "ABI set",
        "20.0000 SYS as stake",
        "counter11111 uses ",
    ] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    assert_eq!((price(&told), told.matches("transaction ").count()), (expected, 2), "{told}");
    let told = on_chain(&["push", "action", "counter11111", "hello", r#"["alice"]"#, "-p", "alice"]);
    assert!(told.contains("return value: 1"), "{told}");
    assert!(on_chain(&["get", "account", "counter11111"]).contains("1 counter11111@eosio.code"));
    assert!(on_chain(&create).contains("counter11111: counter is there as it is built: nothing to do"));

    // What an account lacks, and nothing else, in one transaction.
    on_chain(&["set", "account", "permission", "counter11111", "active", "--remove-code"]);
    on_chain(&["set", "abi", "counter11111", "--clear"]);
    let told = on_chain(&["contract", "deploy", "counter11111", "counter"]);
    assert!(told.contains("eosio.code added to counter11111@active") && told.contains("ABI set"), "{told}");
    assert!(!told.contains("code set") && !told.contains("RAM bought"), "{told}");
    assert!(told.contains("counter11111 pays nothing but CPU and net"), "{told}");
    let told = on_chain(&["contract", "deploy", "bob", "counter", "--dry-run", "--stake-cpu", "2 SYS"]);
    assert!(told.contains("0.0000 SYS staked for net, 2.0000 SYS for CPU"), "{told}");

    // As accounts whose keys nobody here has: one that is there, and one that is made for it.
    let told = on_chain(&["--impersonate", "contract", "deploy", "erin", "counter"]);
    assert!(told.contains("is deployed on erin") && told.contains("code set"), "{told}");
    let create = ["contract", "deploy", "counter22222", "counter", "--create", key, "--payer", "frank"];
    let told = on_chain(&[&["--impersonate"], &create[..]].concat());
    assert!(told.contains("account counter22222 created by frank") && told.contains("frank pays "), "{told}");
    for account in ["erin", "counter22222"] {
        let told = on_chain(&["--impersonate", "push", "action", account, "hello", r#"["judy"]"#, "-p", "judy"]);
        assert!(told.contains("return value: 1"), "{told}");
    }
}

#[test]
fn a_contract_of_any_language_is_tested_by_a_scenario() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/examples");
    let scenario = std::fs::read_to_string(examples.join("token.toml")).expect("the example");
    let dist = examples.join("../dist").canonicalize().expect("built contracts");
    let play = |text: &str| {
        std::fs::write(folder.path().join("token.toml"), text).expect("written");
        boreas(folder.path(), &["contract", "test", "token.toml"])
    };
    let (status, told) = play(&scenario.replace("../dist", dist.to_str().expect("a path of ASCII")));
    assert!(status == Some(0) && told.contains("token.toml: 9 steps passed"), "{told}");
    // The same for a token that was written in C++.
    if let Some(peer) = Peer::find() {
        let token = peer.contract("eosio.token");
        let (status, told) = play(&scenario.replace("../dist/eosio.token", token.to_str().expect("a path of ASCII")));
        assert!(status == Some(0) && told.contains("token.toml: 9 steps passed"), "{told}");
    }
    let scenario = scenario.replace("../dist", dist.to_str().expect("a path of ASCII"));
    for (right, wrong, message) in [
        ("overdrawn balance", "nothing left", "step 6: \"nothing left\" was expected, but: "),
        ("2.5001 TOK", "2.5000 TOK", "step 6: transfer succeeded, \"overdrawn balance\" was expected"),
        (
            "[{ balance = \"2.5000 TOK\" }]",
            "[]",
            "step 7: the rows of accounts in bob are [{\"balance\":\"2.5000 TOK\"}], not []",
        ),
        ("push = \"eosio.token::create\"", "push = \"create\"", "step 2: \"create\" is not contract::action"),
        ("advance = 3600", "wait = 3600", "unknown field `wait`"),
        (
            "advance = 3600",
            "advance = 3600\nproduce = 1",
            "step 8: a step says exactly one of deploy, push, rows, advance",
        ),
    ] {
        let (status, told) = play(&scenario.replacen(right, wrong, 1));
        assert!(status == Some(1) && told.contains(message), "{message:?} is not in {told}");
    }
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
    refused(&["contract", "deploy", "alice", "there"], "there has no .wasm at all: is the contract built?");
    refused(&["contract", "deploy", "alice", "nowhere"], "nowhere is not there");

    // Two things of one name in the ABI: the build says which, and how to tell them apart.
    let (status, text) = boreas(place, &["contract", "new", "twice"]);
    assert_eq!(status, Some(0), "{text}");
    let source = place.join("twice/src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("the template");
    std::fs::write(&source, text.replace("fn hello(", "fn count(")).expect("written");
    refused(&["contract", "build", "twice"], "two types are called \"count\" in the ABI");

    // No mistake: a module that has no constants.
    let plain = "#![no_std]\n#[sdk::contract]\nmod plain {\n    #[sdk::action]\n    fn nothing() {}\n}\n";
    std::fs::write(&source, plain).expect("written");
    let (status, text) = boreas(place, &["contract", "build", "twice"]);
    assert!(status == Some(0) && text.contains("constants: 0;"), "{text}");
}

/// Stands in for cargo, rustc, rustup and `contracts/toolchain`: notes what it is asked for. `there` is a target that is
/// installed, `rustup-fails` a machine that cannot fetch one.
const STAND_IN: &str = r#"#!/bin/bash
case "$(basename "$0") $*" in
  "rustc -vV") echo "host: x86_64-unknown-linux-gnu";;
  "rustc --print target-libdir"*) echo "$HERE/libdir"; [ ! -e "$HERE/there" ] || { mkdir -p "$HERE/libdir"; : >"$HERE/libdir/libcore-1.rlib"; };;
  "rustc --print sysroot") echo "$HERE";;
  "cargo metadata"*) printf '{"packages":[{"name":"c","manifest_path":"%s/Cargo.toml","metadata":null,"targets":[{"name":"c","kind":["cdylib"]}]}],"workspace_root":"%s","target_directory":"%s"}' "$HERE" "$HERE" "$HERE";;
  "cargo build"*) echo "builds with ${RUSTC:-rustc}" >>"$HERE/log"; exit 1;;
  "rustup "*) echo "rustup $*" >>"$HERE/log"; [ ! -e "$HERE/rustup-fails" ] || exit 1; : >"$HERE/there";;
  "toolchain "*) echo "makes a compiler" >>"$HERE/log"; mkdir -p "$1"; : >"$1/complete";;
esac
"#;

#[test]
fn the_compiler_of_rustup_comes_first_and_is_fetched_when_asked_for() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/build");
    let made = "builds with MADE/rustc";
    for (given, environment, expected) in [
        (&["there"][..], &[][..], "builds with rustc"),
        (&["there"], &["FETCH"], "builds with rustc"),
        (&[], &["FETCH"], "rustup target add wasm32v1-none, builds with rustc"),
        (&["rustup-fails"], &["FETCH"], &format!("rustup target add wasm32v1-none, makes a compiler, {made}")),
        (&["MADE/complete"], &["FETCH"], made),
        (&["there", "MADE/complete"], &[], "builds with rustc"),
        (&["there"], &["PINNED", "FETCH"], &format!("makes a compiler, {made}")),
        (&[], &["CI"], &format!("makes a compiler, {made}")),
        (&[], &[], "run: rustup target add wasm32v1-none"),
    ] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let place = folder.path();
        std::fs::copy(&script, place.join("build")).expect("copied");
        std::fs::write(place.join("Cargo.toml"), "").expect("written");
        std::fs::write(place.join("lib.rs"), "#[sdk::contract]").expect("written");
        std::fs::create_dir(place.join("MADE")).expect("a folder");
        for name in ["cargo", "rustc", "rustup", "toolchain"] {
            std::fs::write(place.join(name), STAND_IN).expect("written");
            std::fs::set_permissions(place.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .expect("set");
        }
        given.iter().for_each(|file| std::fs::write(place.join(file), "").expect("written"));
        let path = format!("{}:{}", place.display(), std::env::var("PATH").expect("a path"));
        let mut build = Command::new("bash");
        build.arg(place.join("build")).arg(place).env("PATH", path).env("HERE", place).env("HOME", place);
        for name in ["CI", "FETCH", "PINNED", "WASM_RUST_DIR", "RUSTC", "XDG_CACHE_HOME"] {
            build.env_remove(name);
        }
        build.envs(environment.iter().map(|name| (name, "1")));
        // Where the made compiler is kept, without asking for one.
        std::fs::create_dir_all(place.join(".cache")).expect("a folder");
        std::os::unix::fs::symlink(place.join("MADE"), place.join(".cache/wasm-rust")).expect("a link");
        let told = build.output().expect("bash runs");
        let log = std::fs::read_to_string(place.join("log")).unwrap_or_default();
        let cache = place.join(".cache/wasm-rust").display().to_string();
        let log = log.trim_end().replace('\n', ", ").replace(&cache, "MADE");
        let errors = String::from_utf8_lossy(&told.stderr).into_owned();
        let done = if log.is_empty() { errors.trim_end().to_owned() } else { log };
        assert!(
            done == expected || done.ends_with(&format!("build: {expected}")),
            "{given:?} {environment:?}: {done}; {errors}"
        );
    }
}
