//! `boreas`: drives a node from the command line, with the names and flags of cleos.
//!
//! One file for each command group; what they share is [`session::Session`] (node, wallets, ABIs) and
//! [`transact`] (the flags and the way of every command that sends a transaction).

mod account;
mod arguments;
mod contract;
mod create;
mod get;
mod hints;
mod json;
mod permission;
mod push;
mod session;
mod set;
mod system;
mod transact;
mod transfer;
mod wallets;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use client::{ApiError, ClientError};

use crate::session::{Session, SessionArgs};
use crate::transact::FailedTransaction;

/// Drives an Antelope node: keys, accounts, contracts, actions.
#[derive(Parser)]
#[command(name = "boreas", version, arg_required_else_help = true)]
struct Boreas {
    #[command(flatten)]
    session: SessionArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write, build and test contracts
    #[command(subcommand)]
    Contract(contract::Contract),
    /// Create keys and accounts
    #[command(subcommand)]
    Create(create::Create),
    /// Retrieve information from the blockchain
    #[command(subcommand)]
    Get(get::Get),
    /// Set or update blockchain state
    #[command(subcommand)]
    Set(set::Set),
    /// Push arbitrary transactions to the blockchain
    #[command(subcommand)]
    Push(push::Push),
    /// Transfer tokens from account to account
    Transfer(transfer::Transfer),
    /// Keep private keys in encrypted files
    #[command(subcommand)]
    Wallet(wallets::WalletCommand),
    /// Send eosio.system contract actions
    #[command(subcommand)]
    System(system::System),
}

fn main() -> ExitCode {
    let Boreas { session, command } = Boreas::parse();
    let done = session.open().and_then(|mut session| run(command, &mut session));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn run(command: Command, session: &mut Session) -> anyhow::Result<()> {
    match command {
        Command::Contract(command) => command.run(),
        Command::Create(command) => command.run(session),
        Command::Get(command) => command.run(session),
        Command::Set(command) => command.run(session),
        Command::Push(command) => command.run(session),
        Command::Transfer(command) => command.run(session),
        Command::Wallet(command) => command.run(session),
        Command::System(command) => command.run(session),
    }
}

/// Prints an error and what helps. As from cleos, the status of a transaction that failed is its fault's number modulo
/// 256, and 1 for everything else.
fn fail(error: &anyhow::Error) -> ExitCode {
    let failed = error.downcast_ref::<FailedTransaction>().map(|failed| &failed.0);
    let refused = || match error.downcast_ref::<ClientError>()? {
        ClientError::Api(api) => match &**api {
            ApiError::Fault(fault) => Some(fault),
            _ => None,
        },
        ClientError::Refused(fault) => Some(&**fault),
        ClientError::Value(_) => None,
    };
    let hint = failed.or_else(refused).and_then(|fault| hints::hint(fault.code));
    // Standard error may be closed; the status still tells.
    let _ = match hint {
        Some(hint) => writeln!(std::io::stderr(), "{error:#}\n{hint}"),
        None => writeln!(std::io::stderr(), "{error:#}"),
    };
    match failed.map(|fault| fault.code.to_le_bytes()[0]) {
        Some(status) if status != 0 => ExitCode::from(status),
        _ => ExitCode::FAILURE,
    }
}
