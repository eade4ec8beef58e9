//! The page `cli/TOUR.md`, run as it stands: the whole mission by commands of `boreas` on a development chain.

use std::path::Path;
use std::process::Command;

use e2e::{RunningNode, binary};
use serde_json::{Value, json};

/// The commands of a page: what stands in its blocks of shell.
fn commands(page: &str) -> String {
    let mut commands = String::from("set -eu\n");
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => {
                commands.push_str(line);
                commands.push('\n');
            }
            _ => {}
        }
    }
    commands
}

#[test]
fn the_tour_runs_as_it_is_written() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cli/TOUR.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let folder = tempfile::tempdir().expect("temporary folder");
    let node = RunningNode::dev(folder.path(), &[]);
    let home = folder.path().join("home");
    std::fs::create_dir(&home).expect("the folder can be written");
    let programs = binary("boreas").parent().expect("it is in a folder").to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let run = Command::new("sh")
        .args(["-c", &commands(&page)])
        .current_dir(&home)
        .env("PATH", path)
        .env("HOME", &home)
        .env("BOREAS_URL", &node.url)
        .output()
        .expect("a shell runs");
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{text}\n{}", String::from_utf8_lossy(&run.stderr));

    // What the page says has happened.
    let call = |path: &str, body: &Value| node.api.call(path, body).unwrap_or_else(|error| panic!("{path}: {error}"));
    let art = call("/v1/chain/get_account", &json!({ "account_name": "art" }));
    assert_eq!(art["account_name"], "art");
    let schedule = call("/v1/chain/get_producer_schedule", &json!({}));
    let producers = schedule["active"]["producers"].as_array().expect("a list");
    assert_eq!(producers.len(), 21);
    assert!(
        producers
            .iter()
            .all(|producer| producer["producer_name"].as_str().is_some_and(|name| name.starts_with("prody")))
    );
    let balance = call("/v1/chain/get_currency_balance", &json!({ "code": "eosio.token", "account": "carlaproduce" }));
    let held: f64 = balance[0]
        .as_str()
        .and_then(|text| text.split(' ').next())
        .and_then(|text| text.parse().ok())
        .expect("a balance");
    // A thousand less what was staked for good, and some reward.
    assert!(held > 900.0, "{balance}");
    let info = node.info().expect("the node answers");
    let lag = info["head_block_num"].as_u64().zip(info["last_irreversible_block_num"].as_u64());
    assert!(lag.is_some_and(|(head, irreversible)| head - irreversible < 400), "{info}");
}
