//! `boreas system vote`: the commands of `voteproducer`, and what a vote weighs.

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::rules::{Rules, columns, integer, real, span};
use super::votes::Vote;
use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, say};

/// How is voted, and a look at it.
#[derive(Subcommand)]
pub enum Votes {
    /// Show what an account's vote weighs, and what it is worth beside a new one
    Show {
        /// The account
        account: String,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
    #[command(flatten)]
    Cast(Vote),
}

/// What a vote weighs.
struct Weight {
    staked: i64,
    /// Weight that others have lent to a proxy.
    lent: f64,
    /// What counts, as it was last reckoned.
    counted: f64,
    /// What the same stake would weigh, cast now.
    new: f64,
    /// What one unit of stake weighs now.
    unit: f64,
}

impl Votes {
    /// Sends or shows it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Show { account, json } => show(session, &account, json),
            Self::Cast(vote) => vote.run(session),
        }
    }
}

impl Weight {
    fn of(rules: &Rules, voter: &Value) -> Self {
        let staked = integer(&voter["staked"]);
        let unit = rules.doublings(rules.now).exp2();
        let lent = if integer(&voter["is_proxy"]) != 0 { real(&voter["proxied_vote_weight"]) } else { 0.0 };
        let new = staked as f64 * unit + lent;
        Self { staked, lent, counted: real(&voter["last_vote_weight"]), new, unit }
    }

    /// The stake that would weigh as much, cast now.
    fn worth(&self) -> i64 {
        (self.counted / self.unit).round() as i64
    }

    /// How much of a new vote's weight counts.
    fn share(&self) -> Option<f64> {
        (self.new > 0.0).then(|| self.counted / self.new)
    }
}

fn show(session: &Session, account: &str, as_json: bool) -> anyhow::Result<()> {
    let account = name(account)?;
    let rules = Rules::of(session)?;
    let Some(voter) = session.row("eosio", "eosio", "voters", account)? else {
        session.call("/v1/chain/get_account", &json!({ "account_name": account }))?;
        bail!(
            "{account} has neither stake nor vote: boreas system delegatebw {account} {account} \"1 SYS\" \"1 SYS\", then boreas system vote prods {account} PRODUCER ..."
        );
    };
    let weight = Weight::of(&rules, &voter);
    let producers: Vec<_> = voter["producers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let proxy = voter["proxy"].as_str().unwrap_or_default();
    let is_proxy = integer(&voter["is_proxy"]) != 0;
    if as_json {
        return say(pretty(&json!({
            "account": account,
            "now": rules.now,
            "producers": producers,
            "proxy": proxy,
            "is_proxy": is_proxy,
            "staked": rules.tokens(weight.staked),
            "weight_at_vote": weight.counted,
            "weight_lent": weight.lent,
            "worth_now": rules.tokens(weight.worth()),
            "new_vote_weight": weight.new,
            "new_vote_adds": weight.new - weight.counted,
            "share_of_new_vote": weight.share(),
            "half_life_sec": rules.half_life_sec(),
        })));
    }
    let cast = match (proxy, producers.is_empty()) {
        ("", true) => "for nobody".to_owned(),
        ("", false) => producers.join(", "),
        (proxy, _) => format!("through the proxy {proxy}"),
    };
    let share = weight.share().map_or_else(String::new, |share| format!(" ({:.2} % of a new vote)", 100.0 * share));
    let mut table = vec![
        ("votes".to_owned(), cast),
        ("staked".to_owned(), rules.tokens(weight.staked)),
        ("weight at the vote".to_owned(), format!("{:.4e}", weight.counted)),
        ("worth now".to_owned(), format!("{}{share}", rules.tokens(weight.worth()))),
        ("a new vote adds".to_owned(), format!("{:.4e}", weight.new - weight.counted)),
        ("half-life".to_owned(), span(rules.half_life_sec())),
    ];
    if is_proxy {
        table.insert(2, ("is a proxy for".to_owned(), format!("{:.4e}", weight.lent)));
    }
    say(columns(&table.into_iter().map(|(label, value)| vec![label, value]).collect::<Vec<_>>()))?;
    let again = match (proxy, producers.is_empty()) {
        ("", true) => format!("boreas system vote prods {account} PRODUCER ..."),
        ("", false) => format!("boreas system vote prods {account} {}", producers.join(" ")),
        (proxy, _) => format!("boreas system vote proxy {account} {proxy}"),
    };
    // A rounding of the last digit is not a reason to vote.
    let stale = weight.new > weight.counted * (1.0 + f64::EPSILON * 4.0);
    if stale { say(format!("\nto vote anew: {again}")) } else { Ok(()) }.context("what to do next")
}
