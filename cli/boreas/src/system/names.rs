//! `boreas system bidname` and `bidnameinfo`.

use clap::Args;
use primitives::{Compression, TimePoint};
use serde_json::{Value, json};

use super::action;
use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, say};
use crate::transact::TransactArgs;

/// Flags of `system bidname`.
#[derive(Args)]
pub struct Bid {
    /// The bidding account
    bidder: String,
    /// The name that is bid for
    newname: String,
    /// The amount of tokens to bid
    bid: String,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `system bidnameinfo`.
#[derive(Args)]
pub struct BidInfo {
    /// The name that is bid for
    newname: String,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

impl Bid {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let bidder = name(&self.bidder)?;
        let arguments =
            json!({ "bidder": bidder, "newname": name(&self.newname)?, "bid": session.core_token(&self.bid)? });
        let authorization = self.transact.authorization(bidder)?;
        let action = action(session, primitives::name!("bidname"), &authorization, &arguments)?;
        self.transact.send(session, vec![action], Compression::None)
    }
}

impl BidInfo {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let newname = name(&self.newname)?;
        let answer = session.rows("eosio", "eosio", "namebids", newname)?;
        if self.json {
            return say(pretty(&answer));
        }
        match answer["rows"].as_array().and_then(|rows| rows.first()) {
            Some(row) if row["newname"] == json!(newname) => say(describe(row)),
            _ => say("No bidname record found"),
        }
    }
}

fn describe(row: &Value) -> String {
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default();
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let bid = number(&row["high_bid"]);
    // Older contracts keep microseconds.
    let time = text("last_bid_time");
    let time = time.parse::<i64>().map_or(time, |micro| TimePoint(micro).to_string());
    let line = |label: &str, value: String| format!("{label:<18}{value:>24}");
    let mut lines = vec![
        line("bidname:", text("newname")),
        line("highest bidder:", text("high_bidder")),
        line("highest bid:", bid.unsigned_abs().to_string()),
        line("last bid time:", time),
    ];
    if bid < 0 {
        lines.push("This auction has already closed".to_owned());
    }
    lines.join("\n")
}
