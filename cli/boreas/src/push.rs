//! `boreas push`.

use clap::{Args, Subcommand};
use primitives::Compression;
use serde_json::Value;

use crate::arguments::name;
use crate::session::Session;
use crate::transact::TransactArgs;

/// What is pushed.
#[derive(Subcommand)]
pub enum Push {
    /// Push a transaction with a single action
    Action(PushAction),
}

/// Flags of `push action`.
#[derive(Args)]
pub struct PushAction {
    /// The contract
    account: String,
    /// The action
    action: String,
    /// Its arguments: JSON (object, or list in order), or a file with it
    data: String,
    /// Execute a read-only action and keep nothing of it
    #[arg(long)]
    read: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Push {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let Self::Action(push) = self;
        let arguments: Value = crate::json::text_or_file(&push.data)?;
        let authorization = push.transact.given_authorization()?;
        let Session { node, contracts, .. } = session;
        let action = contracts.action(node, name(&push.account)?, name(&push.action)?, authorization, &arguments)?;
        let mut transact = push.transact;
        if push.read {
            transact.read_only();
        }
        transact.send(session, vec![action], Compression::None)
    }
}
