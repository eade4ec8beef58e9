//! The first session of `README.md`, line by line as it stands there.

use std::path::Path;
use std::process::Command;

use e2e::{RunningNode, binary};
use serde_json::json;

/// The lines of the block that begins with an alias, each whole.
fn session(page: &str) -> Vec<String> {
    let begin = page.find("alias boreas=").expect("the session");
    let block = page[begin..].split("```").next().expect("the block").replace("\\\n", " ");
    block.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn the_first_session_works_as_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("README.md")).expect("the page");
    let lines = session(&page);
    assert!(lines.len() >= 7 && lines.iter().all(|line| line.starts_with("boreas ")), "{lines:#?}");
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let (public, private) = node.printed_keys("alice");
    assert!(page.contains(&public) && page.contains(&private), "the keys are those that are printed");
    for line in &lines {
        let script = format!("boreas() {{ \"$BOREAS\" \"$@\"; }}; {line}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(&root).env("BOREAS", binary("boreas"));
        shell.env("BOREAS_URL", &node.url).env("BOREAS_WALLET_DIR", folder.path().join("wallets"));
        let done = shell.env("BOREAS_CONFIG", folder.path().join("none")).output().expect("sh runs");
        let text = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        assert!(done.status.success(), "{line}\n{text}");
    }
    let body = json!({ "code": "eosio.token", "account": "bob", "symbol": "SYS" });
    assert_eq!(node.call("/v1/chain/get_currency_balance", &body), json!(["1000001.0000 SYS"]));
    let code = node.call("/v1/chain/get_code_hash", &json!({ "account_name": "aliceescrow1" }));
    assert_ne!(code["code_hash"], json!("0".repeat(64)), "the contract is there");
}
