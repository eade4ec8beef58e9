//! `boreas get schedule`.

use serde_json::{Value, json};

use crate::json::pretty;
use crate::session::{Session, say};

/// Asks and prints.
pub fn run(session: &Session, as_json: bool) -> anyhow::Result<()> {
    let answer = session.call("/v1/chain/get_producer_schedule", &json!({}))?;
    if as_json {
        return say(pretty(&answer));
    }
    ["active", "pending", "proposed"].into_iter().try_for_each(|state| say(describe(state, &answer[state])))
}

fn describe(state: &str, schedule: &Value) -> String {
    if schedule.is_null() {
        return format!("{state} schedule empty\n");
    }
    let version = schedule["version"].as_u64().unwrap_or_default();
    let mut out = format!("{state} schedule version {version}\n");
    out += &format!("    {:<13} {}\n", "Producer", "Producer Authority");
    out += &format!("    {:<13} {}\n", "=============", "==================");
    for row in schedule["producers"].as_array().into_iter().flatten() {
        let name = row["producer_name"].as_str().unwrap_or_default();
        // Before version 2.0 a producer had one key.
        let authority =
            row["block_signing_key"].as_str().map_or_else(|| row["authority"][1].to_string(), str::to_owned);
        out += &format!("    {name:<13} {authority}\n");
    }
    out
}
