//! `boreas system market`: the RAM market, and what bytes cost.

use anyhow::ensure;
use clap::Args;
use primitives::Asset;
use serde_json::{Value, json};

use super::rules::{Rules, columns, integer, rows};
use crate::json::pretty;
use crate::session::{Session, say};

const BYTES_PER_KIB: i64 = 1024;
/// Of what goes through the market, the fee is one part in this many, rounded up.
const FEE_DIVISOR: i64 = 200;
/// What is left of a price after the fee, as the contract reckons it the other way round.
const AFTER_FEE: f64 = 0.995;
/// What is shown when no number of bytes is asked for: a balance of a token, a KiB, an account, a small contract.
const SHOWN_BYTES: [i64; 4] = [240, BYTES_PER_KIB, 4 * BYTES_PER_KIB, 256 * BYTES_PER_KIB];

/// Flags of `system market`.
#[derive(Args)]
pub struct Market {
    /// Numbers of bytes whose price is wanted
    bytes: Vec<u32>,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

/// The two sides of the market.
#[derive(Debug, Clone, Copy)]
struct Sides {
    /// Bytes for sale.
    bytes: i64,
    /// Tokens.
    tokens: i64,
}

impl Market {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let rules = Rules::of(session)?;
        let market = rows(session, "eosio", "rammarket", json!({}))?;
        let sides = Sides::of(market.first().unwrap_or(&Value::Null));
        let sides = Sides { bytes: sides.bytes + rules.ram_to_come(), ..sides };
        ensure!(sides.bytes > 0 && sides.tokens > 0, "the RAM market of this chain is empty");
        let wanted: Vec<i64> = match self.bytes.is_empty() {
            true => SHOWN_BYTES.to_vec(),
            false => self.bytes.iter().map(|bytes| i64::from(*bytes)).collect(),
        };
        let total = integer(rules.global("max_ram_size")) + rules.ram_to_come();
        let sold = integer(rules.global("total_ram_bytes_reserved"));
        let tokens = |amount: Option<i64>| amount.map(|amount| rules.tokens(amount));
        if self.json {
            let price = |bytes: &i64| json!({ "bytes": bytes, "buy": tokens(sides.price(*bytes)), "sell": tokens(sides.proceeds(*bytes)) });
            return say(pretty(&json!({
                "bytes_for_sale": sides.bytes,
                "bytes_sold": sold,
                "bytes_in_all": total,
                "tokens": rules.tokens(sides.tokens),
                "price_per_kib": tokens(sides.price(BYTES_PER_KIB)),
                "fee": "0.5 %, rounded up",
                "prices": wanted.iter().map(price).collect::<Vec<_>>(),
            })));
        }
        let share = 100.0 * sold as f64 / total.max(1) as f64;
        say(format!(
            "{} KiB for sale, {} KiB sold ({share:.1} %); prices with the fee of 0.5 %",
            sides.bytes / BYTES_PER_KIB,
            sold / BYTES_PER_KIB
        ))?;
        let mut table = vec![["bytes", "buy", "sell"].map(str::to_owned).to_vec()];
        table.extend(wanted.iter().map(|bytes| {
            let shown = |amount| tokens(amount).unwrap_or_else(|| "too many".to_owned());
            vec![bytes.to_string(), shown(sides.price(*bytes)), shown(sides.proceeds(*bytes))]
        }));
        say(columns(&table))
    }
}

impl Sides {
    fn of(market: &Value) -> Self {
        let amount = |side: &str| {
            let text = market[side]["balance"].as_str().unwrap_or_default();
            text.parse::<Asset>().map_or(0, |asset| asset.amount)
        };
        Self { bytes: amount("base"), tokens: amount("quote") }
    }

    /// What `buyrambytes` takes for so many bytes, with the fee.
    fn price(self, bytes: i64) -> Option<i64> {
        if bytes >= self.bytes {
            return None;
        }
        let (have, tokens, bytes) = (self.bytes as f64, self.tokens as f64, bytes as f64);
        let cost = ((tokens * bytes) / (have - bytes)) as i64;
        Some((cost as f64 / AFTER_FEE) as i64)
    }

    /// What `sellram` pays for so many bytes, without the fee.
    fn proceeds(self, bytes: i64) -> Option<i64> {
        let (have, tokens, bytes) = (self.bytes as f64, self.tokens as f64, bytes as f64);
        let paid = ((bytes * tokens) / (have + bytes)) as i64;
        Some(paid - (paid + FEE_DIVISOR - 1) / FEE_DIVISOR)
    }
}
