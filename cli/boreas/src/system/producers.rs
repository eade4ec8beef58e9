//! `boreas system regproducer` and `listproducers`.

use clap::Args;
use primitives::Compression;
use serde_json::{Value, json};

use super::action;
use crate::arguments::{name, public_key};
use crate::json::pretty;
use crate::session::{Session, say};
use crate::transact::TransactArgs;

/// Flags of `system regproducer`.
#[derive(Args)]
pub struct RegisterProducer {
    /// The account to register as a producer
    account: String,
    /// The producer's public key
    producer_key: String,
    /// Where there is information about the producer
    #[arg(default_value = "")]
    url: String,
    /// Relative location for purpose of nearest neighbor scheduling
    #[arg(default_value_t = 0)]
    location: u16,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `system listproducers`.
#[derive(Args)]
pub struct ListProducers {
    /// Print JSON
    #[arg(short, long)]
    json: bool,
    /// The maximum number of rows
    #[arg(short, long, default_value_t = 50)]
    limit: u32,
    /// The first producer
    #[arg(short = 'L', long, default_value = "")]
    lower: String,
    /// Limit of the time in milliseconds
    #[arg(long, value_name = "MS")]
    time_limit: Option<u32>,
}

impl RegisterProducer {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let producer = name(&self.account)?;
        let key = public_key(&self.producer_key, "the producer's key")?;
        let authorization = self.transact.authorization(producer)?;
        let arguments =
            json!({ "producer": producer, "producer_key": key, "url": self.url, "location": self.location });
        let action = action(session, primitives::name!("regproducer"), &authorization, &arguments)?;
        self.transact.send(session, vec![action], Compression::None)
    }
}

impl ListProducers {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut body = json!({ "json": true, "lower_bound": self.lower, "limit": self.limit });
        if let Some(limit) = self.time_limit {
            body["time_limit_ms"] = json!(limit);
        }
        let answer = session.call("/v1/chain/get_producers", &body)?;
        say(if self.json { pretty(&answer) } else { table(&answer) })
    }
}

fn table(answer: &Value) -> String {
    let rows = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let more = answer["more"].as_str().unwrap_or_default();
    if rows.is_empty() && more.is_empty() {
        return "No producers found".to_owned();
    }
    let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).or(value.as_f64()).unwrap_or(0.0);
    let total = Some(number(&answer["total_producer_vote_weight"])).filter(|total| *total != 0.0).unwrap_or(1.0);
    let mut lines = vec![format!("{:<13} {:<57} {:<59} Scaled votes", "Producer", "Producer key", "Url")];
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let (owner, key, url) = (text("owner"), text("producer_key"), text("url"));
        lines.push(format!("{owner:<13.13} {key:<57.57} {url:<59.59} {:1.4}", number(&row["total_votes"]) / total));
    }
    if !more.is_empty() {
        lines.push(format!("-L {more} for more"));
    }
    lines.join("\n")
}
