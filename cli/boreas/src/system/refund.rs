//! `boreas system refund`: unstaked tokens, claimed or only looked at.

use clap::{Args, Subcommand};
use primitives::{Asset, Compression, TimePoint};
use serde_json::{Value, json};

use super::action;
use super::rules::{Rules, away, clock, columns, rows, time};
use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, say};
use crate::transact::TransactArgs;

const SECOND_US: i64 = 1_000_000;

/// Flags of `system refund`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Refund {
    #[command(subcommand)]
    show: Option<Show>,
    /// The account that unstaked
    #[arg(required = true)]
    owner: Option<String>,
    #[command(flatten)]
    transact: TransactArgs,
}

/// What is looked at.
#[derive(Subcommand)]
enum Show {
    /// Show what an account has unstaked, and when it can be claimed
    Show {
        /// The account
        account: String,
        /// Print JSON
        #[arg(short, long)]
        json: bool,
    },
}

/// What one undelegation gives back.
#[derive(Debug)]
pub struct Waiting {
    /// When it was undelegated.
    requested: TimePoint,
    /// When it can be claimed.
    due: TimePoint,
    net: String,
    cpu: String,
}

impl Refund {
    /// Sends or shows it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        if let Some(Show::Show { account, json }) = self.show {
            return show(session, &account, json);
        }
        let owner = name(&self.owner.unwrap_or_default())?;
        let authorization = self.transact.authorization(owner)?;
        let action = action(session, primitives::name!("refund"), &authorization, &json!({ "owner": owner }))?;
        self.transact.send(session, vec![action], Compression::None)
    }
}

impl Waiting {
    /// What an account waits for, the earliest first.
    pub fn of(session: &Session, rules: &Rules, account: &str) -> anyhow::Result<Vec<Self>> {
        let mut waiting = rows(session, account, "refunds", json!({}))?;
        // Only where each undelegation is kept apart.
        waiting.extend(rows(session, account, "refundparts", json!({})).unwrap_or_default());
        let mut waiting: Vec<_> = waiting.iter().map(|row| Self::read(rules, row)).collect();
        waiting.sort_by_key(|waiting| waiting.due);
        Ok(waiting)
    }

    fn read(rules: &Rules, row: &Value) -> Self {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let requested = time(&row["request_time"]);
        let due = TimePoint(requested.0 + rules.refund_delay_sec() * SECOND_US);
        Self { requested, due, net: text("net_amount"), cpu: text("cpu_amount") }
    }

    fn amount(&self) -> i64 {
        let amount = |text: &str| text.parse::<Asset>().map_or(0, |asset| asset.amount);
        amount(&self.net).saturating_add(amount(&self.cpu))
    }
}

/// A sentence on when an account's next refund can be claimed, where it waits for one.
pub fn when_refund_is_due(session: &Session, account: &str) -> Option<String> {
    let rules = Rules::of(session).ok()?;
    let waiting = Waiting::of(session, &rules, account).ok()?;
    let next = waiting.iter().find(|waiting| waiting.due > rules.now)?;
    let (amount, due) = (rules.tokens(next.amount()), clock(next.due));
    Some(format!(
        "{account}'s {amount} is due {due} UTC, {}: boreas system refund {account} then",
        away(rules.now, next.due)
    ))
}

fn show(session: &Session, account: &str, as_json: bool) -> anyhow::Result<()> {
    let account = name(account)?.to_string();
    let rules = Rules::of(session)?;
    let waiting = Waiting::of(session, &rules, &account)?;
    if waiting.is_empty() {
        // Nobody waits for less than an account that does not exist.
        session.call("/v1/chain/get_account", &json!({ "account_name": account }))?;
    }
    let is_due = |waiting: &&Waiting| waiting.due <= rules.now;
    let due: i64 = waiting.iter().filter(is_due).map(Waiting::amount).sum();
    let all: i64 = waiting.iter().map(Waiting::amount).sum();
    if as_json {
        let row = |waiting: &Waiting| {
            json!({
                "requested": waiting.requested, "due": waiting.due, "is_due": waiting.due <= rules.now,
                "net": waiting.net, "cpu": waiting.cpu, "total": rules.tokens(waiting.amount()),
            })
        };
        return say(pretty(&json!({
            "account": account,
            "now": rules.now,
            "delay_sec": rules.refund_delay_sec(),
            "claimable": rules.tokens(due),
            "waiting": rules.tokens(all - due),
            "refunds": waiting.iter().map(row).collect::<Vec<_>>(),
        })));
    }
    if waiting.is_empty() {
        return say(format!("{account} waits for no refund"));
    }
    let mut table = vec![["net", "cpu", "total", "unstaked", "due"].map(str::to_owned).to_vec()];
    table.extend(waiting.iter().map(|one| {
        let due = if one.due <= rules.now {
            "now".to_owned()
        } else {
            format!("{}, {}", clock(one.due), away(rules.now, one.due))
        };
        vec![one.net.clone(), one.cpu.clone(), rules.tokens(one.amount()), clock(one.requested), due]
    }));
    say(columns(&table))?;
    match due {
        0 => Ok(()),
        _ => say(format!("\n{} can be claimed: boreas system refund {account}", rules.tokens(due))),
    }
}
