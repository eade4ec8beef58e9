//! `boreas wrap`: the contract that acts without asking for authority.

use clap::{Args, Subcommand};
use primitives::{Compression, PermissionLevel, name};
use serde_json::json;

use crate::arguments::name;
use crate::session::Session;
use crate::transact::TransactArgs;
use crate::transactions;

/// What is done with it.
#[derive(Subcommand)]
pub enum Wrap {
    /// Execute a transaction while bypassing authorization checks
    Exec(Exec),
}

/// Flags of `wrap exec`.
#[derive(Args)]
pub struct Exec {
    /// Account executing the transaction and paying for the RAM of the deferred transaction
    executer: String,
    /// The transaction as JSON, or a file with it
    transaction: String,
    /// The account of the wrap contract
    #[arg(short, long, default_value = "eosio.wrap")]
    contract: String,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Wrap {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let Self::Exec(exec) = self;
        let (executer, contract) = (name(&exec.executer)?, name(&exec.contract)?);
        let (signed, _) = transactions::signed(session, &exec.transaction)?;
        let by = match exec.transact.given_authorization()? {
            given if given.is_empty() => {
                [executer, contract].map(|actor| PermissionLevel { actor, permission: name!("active") }).to_vec()
            }
            given => given,
        };
        let arguments = json!({ "executer": executer, "trx": signed.transaction });
        let action = session.action(contract, name!("exec"), by, &arguments)?;
        exec.transact.send(session, vec![action], Compression::None)
    }
}
