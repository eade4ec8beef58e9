//! `boreas push`.

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use primitives::{Compression, Name};
use serde_json::{Map, Value};

use crate::arguments::{name, permission};
use crate::json::{Grammar, parse, pretty, text_or_file};
use crate::receipt::FailedTransaction;
use crate::session::{Session, say};
use crate::similar;
use crate::transact::TransactArgs;
use crate::transactions;

/// What is pushed.
#[derive(Subcommand)]
pub enum Push {
    /// Push a transaction with a single action
    Action(PushAction),
    /// Push a transaction given as JSON
    Transaction(PushTransaction),
    /// Push several transactions given as a JSON list
    Transactions {
        /// The list as JSON, or a file with it: each packed and signed
        transactions: String,
    },
}

/// Flags of `push action`.
#[derive(Args)]
pub struct PushAction {
    /// The contract
    account: String,
    /// The action
    action: String,
    /// Its arguments: JSON (object, or list in order), a file with it, - for standard input, or NAME=VALUE ...
    #[arg(required = true)]
    data: Vec<String>,
    /// Execute a read-only action and keep nothing of it
    #[arg(long)]
    read: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `push transaction`.
#[derive(Args)]
pub struct PushTransaction {
    /// The transaction as JSON, or a file with it
    transaction: String,
    /// Add a signature (repeatable)
    #[arg(long = "signature", value_name = "SIGNATURE")]
    signatures: Vec<String>,
    /// Execute it and keep nothing of it; signed only with --sign-with
    #[arg(long, conflicts_with = "read")]
    dry_run: bool,
    /// Execute a read-only transaction and keep nothing of it
    #[arg(long)]
    read: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Push {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Action(push) => push.run(session),
            Self::Transaction(push) => push.run(session),
            Self::Transactions { transactions } => {
                let list = text_or_file(&transactions, Grammar::Plain)?;
                ensure!(list.is_array(), "a list of transactions in [ ] is expected");
                session.show("/v1/chain/push_transactions", &list)
            }
        }
    }
}

impl PushAction {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (account, action) = (name(&self.account)?, name(&self.action)?);
        let mut authorization = self.transact.given_authorization()?;
        if let (true, Some(own)) = (authorization.is_empty() && !self.read, session.account.as_deref()) {
            authorization.push(permission(own)?);
        }
        let arguments = arguments(session, account, action, &self.data)?;
        let action = session.action(account, action, authorization, &arguments)?;
        let mut transact = self.transact;
        if self.read {
            transact.read_only();
        }
        transact.send(session, vec![action], Compression::None)
    }
}

/// The arguments of an action, as they were typed.
fn arguments(session: &mut Session, account: Name, action: Name, data: &[String]) -> anyhow::Result<Value> {
    let pairs: Option<Vec<_>> = data.iter().map(|text| pair(text)).collect();
    match (data, pairs) {
        ([text], _) if text.is_empty() => Ok(Value::Null),
        (_, Some(pairs)) => {
            let kinds = session.contracts.fields(&session.node, account, action)?;
            let field = |(key, text): (&str, &str)| {
                let kind = kinds.iter().find(|(name, _)| name == key).map(|(_, kind)| kind.as_str());
                let Some(kind) = kind else {
                    let names: Vec<_> = kinds.iter().map(|(name, _)| name.as_str()).collect();
                    let meant = similar::meant(key, &names);
                    bail!("{account}::{action} has no argument {key}; it has: {}{meant}", names.join(", "));
                };
                Ok((key.to_owned(), value_of(kind, text)?))
            };
            let mut arguments = Map::new();
            for pair in pairs {
                let (name, value) = field(pair)?;
                let before = arguments.insert(name, value);
                ensure!(before.is_none(), "the argument {} is given twice", pair.0);
            }
            Ok(Value::Object(arguments))
        }
        ([text], None) => text_or_file(text, Grammar::Relaxed),
        ([first, second, ..], None) => bail!(
            "the arguments are one text, but there are more: {first:?} and {second:?}. Were quotes lost in the shell? \
             '[\"alice\", \"1.0000 SYS\"]' in single quotes is one, as is NAME=VALUE for each"
        ),
        ([], None) => bail!("the arguments are missing: JSON, or NAME=VALUE for each"),
    }
}

/// `name=value`, where the name could be a field's.
fn pair(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    let fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    (!key.is_empty() && key.chars().all(fine)).then_some((key, value))
}

/// The value of a field: a text as it stands, anything else as JSON.
fn value_of(kind: &str, text: &str) -> anyhow::Result<Value> {
    let is_json = text.starts_with(['[', '{']) || matches!(text, "true" | "false" | "null");
    if kind.trim_end_matches(['?', '$']) == "string" || !is_json {
        return Ok(Value::String(text.to_owned()));
    }
    parse(text, Grammar::Relaxed)
}

impl PushTransaction {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (mut signed, _) = transactions::signed(session, &self.transaction)?;
        for text in &self.signatures {
            signed.signatures.push(text.parse().with_context(|| format!("{text} is not a valid signature"))?);
        }
        let mut transact = self.transact;
        match (self.read, self.dry_run) {
            (true, _) => transact.read_only(),
            (_, true) => transact.dry_run(),
            _ => {}
        }
        let answer = transact.transact(session, signed, Compression::None)?;
        say(pretty(&answer))?;
        FailedTransaction::of(&answer["processed"]).map_or(Ok(()), |failed| Err(anyhow::Error::new(failed)))
    }
}
