//! A whole chain booted by `boreas` alone, with `boreas wallet serve` as its keosd: features, system contracts, accounts,
//! producers, votes, REX, powerup, permissions, proposals.
//!
//! The steps, and how each of them ended, are recorded from the real cleos and keosd on nodeos with the contracts of
//! `contracts/dist`: `cleos/boot.jsonl` has one a line, with the status and the message of those that are refused. (Only that
//! contracts are set with more time, `-x`: they are compiled meanwhile, on any machine.)

use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{Keosd, RunningNode, binary, contract};
use serde_json::{Value, json};

const STEPS: &str = include_str!("../cleos/boot.jsonl");
/// What switches on that features can be switched on by a contract.
const PREACTIVATE: &str = "0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd";
/// Who produces, at first and once elected, and what they sign with: test keys, public knowledge.
const PRODUCERS: [(&str, &str); 6] = [
    (
        "eosio",
        "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV=KEY:5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3",
    ),
    (
        "proda",
        "EOS6Xpu5horujB8Udvt8geztj61xveQzL2GhrBS4ztWzHbXLWrLRM=KEY:5KjHUZhw8xHHA41QiiYR9LmbWLQT5RNY4DqM9MvhVfVvyD1kCQn",
    ),
    (
        "prodb",
        "EOS6qoo1vVBiPhBJCSEJf5hWtim6tMuo467whXrQewe54juPXbaau=KEY:5HsYYToDrSwqpdioqR9cpQZE9aVy4rUfmDMrrRieLpenCtw8BhG",
    ),
    (
        "prodc",
        "EOS6FpxJG461RwPXEm72EeK29fQz5SaZCAxUt8TKETsy1FLjKYFZe=KEY:5KWVHGjxEjSPzbwuCm9zRCsXxEpxJgikom44zs5Kpun9mwdgPjT",
    ),
    (
        "prodd",
        "EOS6KPMkJDmEoDhB49yVvkfRGzarRoMKD8hzont2dkzbtiqTgfvLA=KEY:5KVwKwyxLRhkRaDzpHQS8pJfp4ArWMks7MNfwGaEByBBjvxefsh",
    ),
    (
        "prode",
        "EOS8UxehbmNZZnxzFJbWJZY79p2LGsWqxTafhnSqtXq4e9QwJJJeG=KEY:5KVDVPL3xnqiT8paYmyEhmPEx4fUcutoC6PAEvC3pgAefYNna6X",
    ),
];
const WITHIN: Duration = Duration::from_secs(20);

/// What a line of the file says.
enum Step {
    /// `run`: arguments of a command; `code`: its status, 0 where it is not there; `says`: what is said then. `@NAME` is
    /// the folder of a contract, `@WRAPPED` the transaction that the step before printed.
    Run { arguments: Vec<String>, code: i32, says: String },
    /// `features`: those that are not active yet are, in an order that they allow; so many are there.
    Features(usize),
}

fn step(line: &str) -> Step {
    let told: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    if let Some(features) = told["features"].as_u64() {
        return Step::Features(features as usize);
    }
    let arguments = told["run"].as_array().unwrap_or_else(|| panic!("nothing to run: {line}")).iter();
    Step::Run {
        arguments: arguments.map(|argument| argument.as_str().expect("a text").to_owned()).collect(),
        code: told["code"].as_i64().unwrap_or_default() as i32,
        says: told["says"].as_str().unwrap_or_default().to_owned(),
    }
}

/// Runs `boreas` with what every step has; its status and all it printed.
fn boreas(node: &RunningNode, keosd: &Keosd, arguments: &[String]) -> (Option<i32>, String) {
    let output = Command::new(binary("boreas"))
        .args(["-u", &node.url, "--wallet-url", &keosd.url, "--no-auto-keosd"])
        .args(arguments)
        .output()
        .expect("boreas runs");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

fn active(node: &RunningNode) -> Vec<String> {
    let asked = json!({ "limit": 100 });
    let told = node.call("/v1/chain/get_activated_protocol_features", &asked)["activated_protocol_features"].take();
    let digests = told.as_array().expect("a list").iter();
    digests.map(|feature| feature["feature_digest"].as_str().expect("a digest").to_owned()).collect()
}

fn preactivate(node: &RunningNode) {
    let wanted = json!({ "protocol_features_to_activate": [PREACTIVATE] });
    node.call("/v1/producer/schedule_protocol_feature_activations", &wanted);
    let begin = Instant::now();
    while !active(node).iter().any(|digest| digest == PREACTIVATE) {
        assert!(begin.elapsed() < WITHIN, "the first feature is not active");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Digests of the features that are not active, each after those that it needs.
fn inactive(node: &RunningNode) -> Vec<String> {
    let supported = node.call("/v1/producer/get_supported_protocol_features", &json!({}));
    let mut done = active(node);
    let before = done.len();
    let text = |value: &Value| value.as_str().expect("a digest").to_owned();
    let mut todo: Vec<&Value> = supported.as_array().expect("a list").iter().collect();
    for _ in 0..todo.len() {
        todo.retain(|feature| {
            let digest = text(&feature["feature_digest"]);
            let needs = feature["dependencies"].as_array().expect("a list");
            let ready = needs.iter().all(|needed| done.contains(&text(needed)));
            if ready && !done.contains(&digest) {
                done.push(digest);
            }
            !ready
        });
    }
    done.split_off(before)
}

#[test]
fn a_whole_chain_is_booted_with_the_steps_that_cleos_and_nodeos_took() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let keys = PRODUCERS.iter().flat_map(|(name, key)| ["-p", name, "--signature-provider", key]);
    let arguments: Vec<&str> = ["--max-transaction-time", "400"].into_iter().chain(keys).collect();
    let node = RunningNode::start(folder.path(), &arguments);
    let keosd = Keosd::ours(&[]);
    preactivate(&node);
    let mut printed = String::new();
    for (number, line) in (1..).zip(STEPS.lines()) {
        match step(line) {
            Step::Features(features) => {
                let digests = inactive(&node);
                assert_eq!(digests.len(), features, "line {number}: {digests:?}");
                for digest in digests {
                    let push =
                        ["push", "action", "eosio", "activate", &json!([digest]).to_string(), "-p", "eosio@active"];
                    let (status, told) = boreas(&node, &keosd, &push.map(str::to_owned));
                    assert_eq!(status, Some(0), "line {number}, {digest}: {told}");
                }
            }
            Step::Run { arguments, code, says } => {
                let arguments: Vec<String> = arguments.into_iter().map(|argument| filled(argument, &printed)).collect();
                let (status, told) = boreas(&node, &keosd, &arguments);
                let ended = (status, told.contains(&says));
                assert_eq!(
                    ended,
                    (Some(code), true),
                    "line {number}: boreas {}\n{told}\nexpected: {says:?}",
                    arguments.join(" ")
                );
                printed = told;
            }
        }
    }
    let alice = node.call("/v1/chain/get_account", &json!({ "account_name": "alice" }));
    let permissions = alice["permissions"].as_array().expect("a list").iter();
    assert_eq!(permissions.map(|one| &one["perm_name"]).collect::<Vec<_>>(), ["active", "owner", "trading"]);
}

/// An argument with what stands for something in it.
fn filled(argument: String, printed: &str) -> String {
    match argument.strip_prefix('@') {
        Some("WRAPPED") => {
            let transaction = printed.find('{').map_or(printed, |at| &printed[at..]);
            let mut transaction: Value = serde_json::from_str(transaction).expect("the step before printed JSON");
            let fields = transaction.as_object_mut().expect("an object");
            fields.remove("signatures");
            fields.extend([("ref_block_num".to_owned(), json!(0)), ("ref_block_prefix".to_owned(), json!(0))]);
            transaction.to_string()
        }
        Some(name) => contract(name).to_str().expect("a path of ASCII").to_owned(),
        None => argument,
    }
}
