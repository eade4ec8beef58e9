//! `boreas`: drives a node from the command line, with the names and flags of cleos.
//!
//! One file for each command group; what they share is [`session::Session`] (node, wallets, ABIs) and
//! [`transact`] (the flags and the way of every command that sends a transaction).

mod account;
mod advice;
mod arguments;
mod config;
mod contract;
mod convert;
mod create;
mod dev;
mod get;
mod json;
mod keys;
mod layout;
mod manual;
mod multisig;
mod net;
mod output;
mod permission;
mod producer;
mod push;
mod receipt;
mod secret_file;
mod secrets;
mod session;
mod set;
mod sign;
mod similar;
mod stopped;
mod system;
mod top;
mod trace;
mod transact;
mod transactions;
mod transfer;
mod usage;
mod version;
mod wallets;
mod wrap;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::receipt::FailedTransaction;
use crate::session::{Session, SessionArgs};

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
    /// Show the version of this program
    #[command(subcommand)]
    Version(version::Version),
    /// Write, build, test and deploy contracts
    #[command(subcommand)]
    Contract(contract::Contract),
    /// Create keys and accounts
    #[command(subcommand)]
    Create(create::Create),
    /// Pack and unpack transactions and arguments of actions
    #[command(subcommand)]
    Convert(convert::Convert),
    /// Recover who signed a transaction
    #[command(subcommand)]
    Validate(sign::Validate),
    /// Retrieve information from the blockchain
    #[command(subcommand)]
    Get(get::Get),
    /// Set or update blockchain state
    #[command(subcommand)]
    Set(set::Set),
    /// Push arbitrary transactions to the blockchain
    #[command(subcommand)]
    Push(push::Push),
    /// Watch a chain at work: its head, producers and their turns, transactions, resources, peers
    Top(top::Top),
    /// Show what a transaction did: its actions as a tree, with consoles, RAM and rows
    Trace(trace::Trace),
    /// Transfer tokens from account to account
    Transfer(transfer::Transfer),
    /// See and change the node's connections to other nodes
    #[command(subcommand)]
    Net(net::Net),
    /// Keep private keys in encrypted files
    #[command(subcommand)]
    Wallet(wallets::WalletCommand),
    /// Sign a transaction
    Sign(sign::Sign),
    /// Propose transactions that several have to approve
    #[command(subcommand)]
    Multisig(multisig::Multisig),
    /// Act without asking for authority
    #[command(subcommand)]
    Wrap(wrap::Wrap),
    /// Send eosio.system contract actions
    #[command(subcommand)]
    System(system::System),
    /// See and change what a node produces with
    #[command(subcommand)]
    Producer(producer::Producer),
    /// Move the time and the state of a development chain
    #[command(subcommand)]
    Dev(dev::Dev),
    /// Print a script by which a shell completes commands
    Completion(manual::Completion),
    /// Write the manual's pages
    Man(manual::Manual),
}

fn main() -> ExitCode {
    wallet::keep_out_of_dumps();
    let parsed = usage::parsed(&usage::prepared(Boreas::command()), std::env::args_os());
    let Boreas { session, command } = match parsed.and_then(|matches| Boreas::from_arg_matches(&matches)) {
        Ok(boreas) => boreas,
        Err(error) => return complain(&error),
    };
    let mut session = match session.open() {
        Ok(session) => session,
        Err(error) => return fail(None, &error),
    };
    match run(command, &mut session) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(Some(&session), &error),
    }
}

fn run(command: Command, session: &mut Session) -> anyhow::Result<()> {
    match command {
        Command::Version(command) => command.run(),
        Command::Contract(command) => command.run(session),
        Command::Convert(command) => command.run(session),
        Command::Validate(command) => command.run(session),
        Command::Create(command) => command.run(session),
        Command::Get(command) => command.run(session),
        Command::Set(command) => command.run(session),
        Command::Push(command) => command.run(session),
        Command::Top(command) => command.run(session),
        Command::Trace(command) => command.run(session),
        Command::Transfer(command) => command.run(session),
        Command::Net(command) => command.run(session),
        Command::Wallet(command) => command.run(session),
        Command::Sign(command) => command.run(session),
        Command::Multisig(command) => command.run(session),
        Command::Wrap(command) => command.run(session),
        Command::System(command) => command.run(session),
        Command::Producer(command) => command.run(session),
        Command::Dev(command) => command.run(session),
        Command::Completion(command) => command.run(Boreas::command()),
        Command::Man(command) => command.run(Boreas::command()),
    }
}

/// Prints help, or what is wrong with the command line.
fn complain(error: &clap::Error) -> ExitCode {
    let (text, status) = usage::complaint(error);
    // The streams may be closed; the status still tells.
    let _ = match error.use_stderr() {
        true => write!(std::io::stderr(), "{text}"),
        false => write!(std::io::stdout(), "{text}"),
    };
    ExitCode::from(status)
}

/// Prints an error and what helps. As from cleos, the status of a transaction that failed is its fault's number modulo
/// 256, and 1 for everything else.
fn fail(session: Option<&Session>, error: &anyhow::Error) -> ExitCode {
    session::note(layout::alarming(&advice::plain(&format!("{error:#}"))));
    let failed = error.downcast_ref::<FailedTransaction>();
    if let (Some(session), Some(failed)) = (session, failed) {
        stopped::of_failed(session, failed).into_iter().for_each(session::note);
    }
    if let Some(advice) = session.and_then(|session| advice::advice(session, error)) {
        session::note(advice);
    }
    match failed.map(|failed| failed.fault.code.to_le_bytes()[0]) {
        Some(status) if status != 0 => ExitCode::from(status),
        _ => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_command_says_what_it_does() {
        fn look(command: &clap::Command) {
            let mut told = BTreeSet::new();
            for below in command.get_subcommands() {
                let about = below.get_about().map(ToString::to_string).unwrap_or_default();
                let (name, group) = (below.get_name(), command.get_name());
                assert!(!about.is_empty() && told.insert(about.clone()), "{group} {name}: {about:?}");
                look(below);
            }
        }
        look(&Boreas::command());
    }
}
