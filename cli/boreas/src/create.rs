//! `boreas create`.

use anyhow::bail;
use clap::{Args, Subcommand};
use primitives::Compression;
use primitives::{Action, Authority, Name, PermissionLevel};
use serde_json::json;

use crate::arguments::{authority, name};
use crate::session::{Session, note, say, write_secret};
use crate::transact::TransactArgs;

/// What is created.
#[derive(Subcommand)]
pub enum Create {
    /// Create a new keypair and print the public and private keys
    Key(CreateKey),
    /// Create a new account (where the system contract does not restrict RAM; else: system newaccount)
    Account(CreateAccount),
}

/// Flags of `create key`.
#[derive(Args)]
pub struct CreateKey {
    /// Use the R1 curve (iPhone), not the K1 curve (Bitcoin)
    #[arg(long)]
    r1: bool,
    /// The file to write the keys to
    #[arg(short, long)]
    file: Option<String>,
    /// Print the keys
    #[arg(long)]
    to_console: bool,
}

/// Flags of `create account`.
#[derive(Args)]
pub struct CreateAccount {
    /// The account that creates
    creator: String,
    /// The new account
    name: String,
    /// Owner: public key, account@permission, or authority as JSON
    #[arg(value_name = "OwnerKey")]
    owner: String,
    /// Active: the same; as the owner when not given
    #[arg(value_name = "ActiveKey")]
    active: Option<String>,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Create {
    /// Does it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Key(key) => key.run(),
            Self::Account(account) => account.run(session),
        }
    }
}

impl CreateKey {
    fn run(self) -> anyhow::Result<()> {
        if self.file.is_none() && !self.to_console {
            bail!("ERROR: Either indicate a file using \"--file\" or pass \"--to-console\"");
        }
        let key = wallet::generate_key(self.r1);
        let text = format!("Private key: {}\nPublic key: {}", key.to_secret_text(), key.public_key()?);
        match self.file {
            Some(file) => {
                note(format!("saving keys to {file}"));
                write_secret(&file, &(text + "\n"))
            }
            None => say(text),
        }
    }
}

impl CreateAccount {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let creator = name(&self.creator)?;
        let owner = authority(&self.owner)?;
        let active = self.active.as_deref().map_or_else(|| Ok(owner.clone()), authority)?;
        let authorization = self.transact.authorization(creator)?;
        let action = newaccount(session, creator, name(&self.name)?, &owner, &active, authorization)?;
        self.transact.send(session, vec![action], Compression::None)
    }
}

/// The action that creates an account.
pub fn newaccount(
    session: &mut Session,
    creator: Name,
    new: Name,
    owner: &Authority,
    active: &Authority,
    authorization: Vec<PermissionLevel>,
) -> anyhow::Result<Action> {
    let arguments = json!({ "creator": creator, "name": new, "owner": owner, "active": active });
    let Session { node, contracts, .. } = session;
    let (eosio, action) = (primitives::name!("eosio"), primitives::name!("newaccount"));
    Ok(contracts.action(node, eosio, action, authorization, &arguments)?)
}
