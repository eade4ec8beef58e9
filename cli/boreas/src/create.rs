//! `boreas create`.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use primitives::{Action, Authority, Bytes, Compression, FaultKind, Name, Pack, PermissionLevel};

use crate::arguments::{authority, name};
use crate::secret_file::SecretFile;
use crate::session::{Session, note, say};
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
        // The file first: a key that cannot be written is not made.
        let file =
            self.file.as_deref().map(|file| Ok::<_, anyhow::Error>((file, SecretFile::open(file)?))).transpose()?;
        let key = wallet::generate_key(self.r1);
        let text = format!("Private key: {}\nPublic key: {}", key.to_secret_text(), key.public_key()?);
        match file {
            Some((file, opened)) => {
                note(format!("saving keys to {file}"));
                opened.write(&(text + "\n")).with_context(|| format!("{file} cannot be written"))
            }
            None => say(text),
        }
    }
}

impl CreateAccount {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (creator, new) = (name(&self.creator)?, name(&self.name)?);
        let owner = authority(&self.owner, "the owner")?;
        let active = self.active.as_deref().map_or_else(|| Ok(owner.clone()), |text| authority(text, "the active"))?;
        // On a chain with the system contract the new account starts without RAM.
        let (key, active_key) = (&self.owner, self.active.as_deref().map_or(String::new(), |key| format!(" {key}")));
        let advice = format!(
            "On this chain an account needs resources from its creator: boreas system newaccount {creator} {new} \
             {key}{active_key} --stake-net \"1 SYS\" --stake-cpu \"1 SYS\" --buy-ram-kbytes 4"
        );
        session.advice.push((FaultKind::RAM_USAGE_EXCEEDED, advice));
        let authorization = self.transact.authorization(creator)?;
        let action = newaccount(creator, new, &owner, &active, authorization);
        self.transact.send(session, vec![action], Compression::None)
    }
}

/// The action that creates an account.
pub fn newaccount(
    creator: Name,
    new: Name,
    owner: &Authority,
    active: &Authority,
    authorization: Vec<PermissionLevel>,
) -> Action {
    Action {
        account: primitives::name!("eosio"),
        name: primitives::name!("newaccount"),
        authorization,
        data: Bytes((creator, new, owner, active).to_bytes()),
    }
}
