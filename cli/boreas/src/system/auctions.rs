//! `boreas system names`: auctions of names, which closes next, and what it waits for.

use clap::Args;
use primitives::TimePoint;
use serde_json::{Value, json};

use super::rules::{Rules, away, clock, columns, integer, rows, time};
use crate::json::pretty;
use crate::session::{Session, say};

const SECOND_US: i64 = 1_000_000;
/// Auctions with a bid stand behind this key in the index of high bids, the highest bid first.
const OPEN_FROM: u64 = u64::MAX / 2;

/// Flags of `system names`.
#[derive(Args)]
pub struct Auctions {
    /// The maximum number of auctions
    #[arg(short, long, default_value_t = 20)]
    limit: u32,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

/// What has to be before an auction closes.
struct Condition {
    what: &'static str,
    from: TimePoint,
}

impl Auctions {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let rules = Rules::of(session)?;
        let question = json!({
            "index_position": 2, "key_type": "i64", "lower_bound": OPEN_FROM.to_string(), "limit": self.limit,
        });
        let open = rows(session, "eosio", "namebids", question)?;
        let open: Vec<_> = open.into_iter().filter(|row| integer(&row["high_bid"]) > 0).collect();
        let conditions = open.first().map(|first| conditions(&rules, first)).unwrap_or_default();
        let close = conditions.iter().map(|condition| condition.from).max();
        // What is past already is no reason.
        let waits_for: Vec<_> = conditions.iter().filter(|condition| condition.from > rules.now).collect();
        let activated = rules.activated().is_some();
        if self.json {
            let row = |row: &Value| {
                json!({
                    "name": row["newname"], "high_bidder": row["high_bidder"],
                    "high_bid": rules.tokens(integer(&row["high_bid"])), "last_bid_time": time(&row["last_bid_time"]),
                })
            };
            return say(pretty(&json!({
                "now": rules.now,
                "next": open.first().map(|row| &row["newname"]),
                "closes": close.filter(|_| activated),
                "activated": activated,
                "waits_for": waits_for.iter().map(|one| json!({ "what": one.what, "until": one.from })).collect::<Vec<_>>(),
                "auctions": open.iter().map(row).collect::<Vec<_>>(),
            })));
        }
        let Some(first) = open.first() else {
            return say("No name has a bid: boreas system bidname BIDDER NAME \"1 SYS\"");
        };
        let mut table = vec![["name", "high bid", "bidder", "last bid"].map(str::to_owned).to_vec()];
        table.extend(open.iter().map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let last = time(&row["last_bid_time"]);
            let last = format!("{}, {}", clock(last), away(rules.now.max(last), last));
            vec![text("newname"), rules.tokens(integer(&row["high_bid"])), text("high_bidder"), last]
        }));
        say(columns(&table))?;
        let name = first["newname"].as_str().unwrap_or_default();
        let Some(close) = close.filter(|_| activated) else {
            let (need, have) = (rules.min_activated_stake(), integer(rules.global("total_activated_stake")));
            return say(format!(
                "\n{name} is next, once the chain is activated: {} of {} must have voted, {} has",
                rules.tokens(need),
                rules.symbol.code(),
                rules.tokens(have)
            ));
        };
        say(format!("\n{name} is next: it closes {}, {}", clock(close), away(rules.now, close)))?;
        waits_for.iter().try_for_each(|one| say(format!("  {} until {}", one.what, clock(one.from))))
    }
}

/// What the auction with the highest bid waits for: the contract closes no other one.
fn conditions(rules: &Rules, first: &Value) -> Vec<Condition> {
    // The contract wants more than these seconds; times of blocks are half seconds.
    let after = |from: TimePoint, seconds: i64| TimePoint(from.0 + seconds * SECOND_US + super::rules::SLOT_US);
    let activated = rules.activated().unwrap_or_default();
    let mut conditions = vec![
        Condition { what: "a higher bid may come", from: after(time(&first["last_bid_time"]), rules.name_quiet_sec()) },
        Condition { what: "the chain is too young", from: after(activated, rules.name_activation_sec()) },
        Condition { what: "another name closed not long ago", from: rules.next_name_close() },
    ];
    // Auctions are looked at when producers are elected.
    let ready = conditions.iter().map(|condition| condition.from.0).max().unwrap_or_default();
    let mut election = rules.next_election().0;
    let interval = rules.election_interval_us();
    if election < ready {
        election += (ready - election + interval - 1) / interval * interval;
    }
    conditions.push(Condition { what: "the next election of producers", from: TimePoint(election) });
    conditions
}
