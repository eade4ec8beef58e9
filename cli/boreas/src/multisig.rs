//! `boreas multisig`: proposals of the contract `eosio.msig`.

mod review;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use primitives::{Action, Compression, Name, PermissionLevel, TimePoint, TimePointSec, Transaction, TransactionHeader};
use serde_json::{Value, json};

use crate::arguments::{self, name};
use crate::json::{Grammar, text_or_file};
use crate::session::Session;
use crate::transact::TransactArgs;
use crate::transactions;
use primitives::name;

const MSIG: Name = name!("eosio.msig");
const SECONDS_PER_HOUR: u32 = 3600;
/// Microseconds by which a chain is ahead of this machine whose time was moved; clocks of machines differ by less.
const MOVED_AHEAD_US: i64 = 60_000_000;

/// What is done with proposals.
#[derive(Subcommand)]
pub enum Multisig {
    /// Propose an action
    Propose(Propose),
    /// Propose a transaction
    #[command(name = "propose_trx", alias = "propose-trx")]
    ProposeTrx(ProposeTransaction),
    /// Show a proposed transaction
    Review(review::Review),
    /// Approve a proposed transaction
    Approve(Approve),
    /// Take an approval back
    Unapprove(Unapprove),
    /// Invalidate all approvals of an account
    Invalidate(Invalidate),
    /// Cancel a proposed transaction
    Cancel(ByOne),
    /// Execute a proposed transaction
    Exec(ByOne),
}

/// Flags of `multisig propose`.
#[derive(Args)]
pub struct Propose {
    /// The name of the proposal
    proposal_name: String,
    /// Permissions that are asked to approve: a JSON list of {"actor", "permission"}, or a file, or ACCOUNT@PERMISSION,...
    requested_permissions: String,
    /// Permissions that the action is authorized with: in the same forms
    trx_permissions: String,
    /// The contract of the action
    contract: String,
    /// The action
    action: String,
    /// Its arguments as JSON, or a file with it
    data: String,
    /// The account that proposes; that of -p when not given
    proposer: Option<String>,
    /// Hours until the proposal expires
    #[arg(default_value_t = 24)]
    proposal_expiration: u32,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `multisig propose_trx`.
#[derive(Args)]
pub struct ProposeTransaction {
    /// The name of the proposal
    proposal_name: String,
    /// Permissions that are asked to approve: a JSON list of {"actor", "permission"}, or a file, or ACCOUNT@PERMISSION,...
    requested_permissions: String,
    /// The transaction as JSON, or a file with it
    transaction: String,
    /// The account that proposes; that of -p when not given
    proposer: Option<String>,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `multisig approve`.
#[derive(Args)]
pub struct Approve {
    /// The account that proposed
    proposer: String,
    /// The name of the proposal
    proposal_name: String,
    /// The permission that approves: {"actor", "permission"} as JSON, or a file, or ACCOUNT@PERMISSION
    #[arg(value_name = "permissions")]
    level: String,
    /// The id of the proposed transaction: another one is not approved
    proposal_hash: Option<String>,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `multisig unapprove`.
#[derive(Args)]
pub struct Unapprove {
    /// The account that proposed
    proposer: String,
    /// The name of the proposal
    proposal_name: String,
    /// The permission that takes its approval back: {"actor", "permission"} as JSON, or a file, or ACCOUNT@PERMISSION
    #[arg(value_name = "permissions")]
    level: String,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `multisig invalidate`.
#[derive(Args)]
pub struct Invalidate {
    /// The account whose approvals are invalidated
    invalidator: String,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `multisig cancel` and `exec`.
#[derive(Args)]
pub struct ByOne {
    /// The account that proposed
    proposer: String,
    /// The name of the proposal
    proposal_name: String,
    /// The account that does it; that of -p when not given
    actor: Option<String>,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Multisig {
    /// Sends or shows it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Propose(command) => command.run(session),
            Self::ProposeTrx(command) => command.run(session),
            Self::Review(command) => command.run(session),
            Self::Approve(Approve { proposer, proposal_name, level, proposal_hash, transact }) => {
                let hash = proposal_hash.as_deref().map(arguments::transaction_id).transpose()?;
                approval(session, name!("approve"), &proposer, &proposal_name, &level, json!(hash), &transact)
            }
            Self::Unapprove(Unapprove { proposer, proposal_name, level, transact }) => {
                approval(session, name!("unapprove"), &proposer, &proposal_name, &level, Value::Null, &transact)
            }
            Self::Invalidate(Invalidate { invalidator, transact }) => {
                let account = name(&invalidator)?;
                let by = transact.authorization(account)?;
                send(session, name!("invalidate"), by, &json!({ "account": account }), &transact)
            }
            Self::Cancel(command) => command.run(session, name!("cancel"), "canceler"),
            Self::Exec(command) => command.run(session, name!("exec"), "executer"),
        }
    }
}

/// The time that a proposal's life counts from: this machine's, as for cleos, but that of a chain whose time was moved
/// ahead of it.
fn time_of_proposal(session: &mut Session) -> anyhow::Result<TimePointSec> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let machine = TimePoint(i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
    let info = session.call("/v1/chain/get_info", &Value::Null)?;
    let head = info["head_block_time"].as_str().context("the node does not say what time it is")?;
    let head: TimePoint = head.parse()?;
    Ok(if head.us_since(machine) > MOVED_AHEAD_US { head } else { machine }.seconds())
}

impl Propose {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let requested = permissions(&self.requested_permissions)?;
        let authorization = permissions(&self.trx_permissions)?;
        let data = text_or_file(&self.data, Grammar::Plain)?;
        let action = session.action(name(&self.contract)?, name(&self.action)?, authorization, &data)?;
        let now = time_of_proposal(session)?;
        let expiration = now.plus_seconds(self.proposal_expiration.saturating_mul(SECONDS_PER_HOUR));
        let transaction = Transaction {
            header: TransactionHeader { expiration, ..TransactionHeader::default() },
            actions: vec![action],
            ..Transaction::default()
        };
        propose(session, &self.proposal_name, &requested, &transaction, self.proposer.as_deref(), &self.transact)
    }
}

impl ProposeTransaction {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let requested = permissions(&self.requested_permissions)?;
        let (signed, _) = transactions::signed(session, &self.transaction)?;
        let transaction = &signed.transaction;
        propose(session, &self.proposal_name, &requested, transaction, self.proposer.as_deref(), &self.transact)
    }
}

impl ByOne {
    fn run(self, session: &mut Session, action: Name, role: &str) -> anyhow::Result<()> {
        let (actor, by) = actor(self.actor.as_deref(), role, &self.transact)?;
        let (proposer, proposal) = (name(&self.proposer)?, name(&self.proposal_name)?);
        let arguments = json!({ "proposer": proposer, "proposal_name": proposal, role: actor });
        send(session, action, by, &arguments, &self.transact)
    }
}

fn propose(
    session: &mut Session,
    proposal: &str,
    requested: &[PermissionLevel],
    transaction: &Transaction,
    proposer: Option<&str>,
    transact: &TransactArgs,
) -> anyhow::Result<()> {
    let (proposer, by) = actor(proposer, "proposer", transact)?;
    let arguments = json!({
        "proposer": proposer,
        "proposal_name": name(proposal)?,
        "requested": requested,
        "trx": transaction,
    });
    send(session, name!("propose"), by, &arguments, transact)
}

/// Who acts, and with which permissions: the one is taken from the other where it is not given.
fn actor(given: Option<&str>, role: &str, transact: &TransactArgs) -> anyhow::Result<(Name, Vec<PermissionLevel>)> {
    let by = transact.given_authorization()?;
    match (given, by.first()) {
        (Some(text), Some(_)) => Ok((name(text)?, by)),
        (None, Some(first)) => Ok((first.actor, by)),
        (Some(text), None) => {
            let actor = name(text)?;
            Ok((actor, vec![PermissionLevel { actor, permission: name!("active") }]))
        }
        (None, None) => bail!("Authority is not provided (either by multisig parameter <{role}> or -p)"),
    }
}

fn approval(
    session: &mut Session,
    action: Name,
    proposer: &str,
    proposal: &str,
    level: &str,
    hash: Value,
    transact: &TransactArgs,
) -> anyhow::Result<()> {
    let level = match permissions(level)?.as_slice() {
        [level] => *level,
        levels => bail!("one permission approves at a time, not {}", levels.len()),
    };
    let proposer = name(proposer)?;
    let mut arguments = json!({ "proposer": proposer, "proposal_name": name(proposal)?, "level": level });
    if !hash.is_null() {
        arguments["proposal_hash"] = hash;
    }
    // cleos takes the proposer here, which is right for nobody but the proposer.
    let by = match transact.given_authorization()? {
        given if given.is_empty() => vec![level],
        given => given,
    };
    send(session, action, by, &arguments, transact)
}

fn send(
    session: &mut Session,
    action: Name,
    by: Vec<PermissionLevel>,
    arguments: &Value,
    transact: &TransactArgs,
) -> anyhow::Result<()> {
    let action: Action = session.action(MSIG, action, by, arguments)?;
    transact.send(session, vec![action], Compression::None)
}

/// Permissions as JSON, in a file, or as `account@permission` with commas between.
fn permissions(text: &str) -> anyhow::Result<Vec<PermissionLevel>> {
    let is_plain = !text.trim_start().starts_with(['[', '{']) && text.contains('@');
    if is_plain {
        return text.split(',').map(|level| arguments::permission(level.trim())).collect();
    }
    let value = text_or_file(text, Grammar::Plain)?;
    let list = if value.is_array() { value } else { json!([value]) };
    let context = "permissions look like [{\"actor\": \"alice\", \"permission\": \"active\"}] or alice@active";
    arguments::of_chain_type(&list, "permission_level[]", &Value::Null).context(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_have_three_forms() {
        let level =
            |actor: &str| PermissionLevel { actor: actor.parse().expect("a name"), permission: name!("active") };
        let list = r#"[{"actor":"alice","permission":"active"},{"actor":"bob","permission":"active"}]"#;
        assert_eq!(permissions(list).expect("a list"), [level("alice"), level("bob")]);
        assert_eq!(permissions("alice@active, bob@active").expect("texts"), [level("alice"), level("bob")]);
        assert_eq!(permissions(r#"{"actor":"bob","permission":"active"}"#).expect("one"), [level("bob")]);
        let error = permissions(r#"[{"actr":"bob"}]"#).expect_err("a typo");
        assert!(format!("{error:#}").contains("permissions look like"), "{error:#}");
        assert!(format!("{error:#}").contains("[0].actor (account_name) is missing; there is no"), "{error:#}");
        let error = permissions(r#"["bob"]"#).expect_err("a name");
        assert!(format!("{error:#}").ends_with("expected, not the text \"bob\""), "{error:#}");
    }
}
