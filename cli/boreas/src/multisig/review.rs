//! `boreas multisig review`: a proposal with its transaction unpacked, and who has approved it.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use clap::Args;
use primitives::{Bytes, PermissionLevel, TimePoint, Transaction, Unpack};
use serde_json::{Map, Value, json};

use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, say};
use crate::transactions;

const MSIG: &str = "eosio.msig";

/// Flags of `multisig review`.
#[derive(Args)]
pub struct Review {
    /// The account that proposed
    proposer: String,
    /// The name of the proposal
    proposal_name: String,
    /// Show who was asked to approve, and who has
    #[arg(long)]
    show_approvals: bool,
}

impl Review {
    /// Asks and prints.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (proposer, proposal) = (name(&self.proposer)?, name(&self.proposal_name)?);
        let scope = proposer.to_string();
        let Some(row) = session.row(MSIG, &scope, "proposal", proposal)? else {
            bail!("Proposal not found: {proposer} has no proposal {proposal}");
        };
        let packed: Bytes = serde_json::from_value(row["packed_transaction"].clone()).context("the proposal's row")?;
        let transaction = Transaction::from_prefix(&packed).context("the proposal holds no valid transaction")?;
        let mut shown = Map::new();
        shown.insert("proposer".to_owned(), json!(proposer));
        shown.insert("proposal_name".to_owned(), row["proposal_name"].clone());
        shown.insert("transaction_id".to_owned(), json!(transaction.id()));
        let others = row.as_object().into_iter().flatten().filter(|(key, _)| *key != "proposal_name");
        shown.extend(others.map(|(key, value)| (key.clone(), value.clone())));
        shown.insert("transaction".to_owned(), transactions::unpacked(session, &transaction)?);
        if self.show_approvals {
            let approvals = match session.row(MSIG, &scope, "approvals2", proposal)? {
                Some(row) => approvals(session, &row)?,
                None => {
                    let row = session.row(MSIG, &scope, "approvals", proposal)?;
                    approvals(session, &row.context("Proposal not found: it has no approvals")?)?
                }
            };
            shown.insert("approvals".to_owned(), approvals);
        }
        say(pretty(&Value::Object(shown)))
    }
}

/// An approval that was asked for or given, and when; older contracts keep no time.
#[derive(Clone, Copy)]
struct Approval {
    time: Option<TimePoint>,
    given: bool,
}

fn approvals(session: &Session, row: &Value) -> anyhow::Result<Value> {
    let mut all = BTreeMap::new();
    for (key, given) in [("requested_approvals", false), ("provided_approvals", true)] {
        for item in row[key].as_array().into_iter().flatten() {
            let (level, time) = read(item).context("the proposal's approvals")?;
            all.insert(level, Approval { time, given });
        }
    }
    let shown = all.into_iter().map(|(level, approval)| describe(session, level, approval));
    Ok(Value::Array(shown.collect::<anyhow::Result<_>>()?))
}

fn read(item: &Value) -> anyhow::Result<(PermissionLevel, Option<TimePoint>)> {
    match item.get("level") {
        Some(level) => {
            Ok((serde_json::from_value(level.clone())?, Some(serde_json::from_value(item["time"].clone())?)))
        }
        None => Ok((serde_json::from_value(item.clone())?, None)),
    }
}

fn describe(session: &Session, level: PermissionLevel, approval: Approval) -> anyhow::Result<Value> {
    let mut shown = json!({ "level": level });
    if !approval.given {
        shown["status"] = json!("unapproved");
        if let Some(time) = approval.time.filter(|time| time.0 != 0) {
            shown["last_unapproval_time"] = json!(time);
        }
        return Ok(shown);
    }
    let Some(time) = approval.time else {
        shown["status"] = json!("approved");
        return Ok(shown);
    };
    let invalid = session.row(MSIG, MSIG, "invals", level.actor)?;
    let invalid = invalid.map(|row| serde_json::from_value::<TimePoint>(row["last_invalidation_time"].clone()));
    match invalid.transpose().context("the table of invalidations")?.filter(|invalid| *invalid >= time) {
        Some(invalid) => {
            shown["status"] = json!("invalidated");
            shown["last_approval_time"] = json!(time);
            shown["invalidation_time"] = json!(invalid);
        }
        None => {
            shown["status"] = json!("approved");
            shown["last_approval_time"] = json!(time);
        }
    }
    Ok(shown)
}
