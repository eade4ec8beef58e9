//! What every command works with: a node, wallets, ABIs, and where output goes.

use std::io::Write;

use abi::{Abi, AbiDefinition, Limits};
use anyhow::Context;
use clap::Args;
use client::{ClientError, Contracts, Node};
use primitives::{Name, Unpack};
use serde_json::Value;
use wallet::Folder;

/// Flags before the command.
#[derive(Args)]
pub struct SessionArgs {
    /// The URL of the node
    #[arg(short, long, env = "BOREAS_URL", default_value = "http://127.0.0.1:8888")]
    url: String,
    /// Use a local ABI file: CONTRACT:FILE (repeatable)
    #[arg(long = "abi-file", value_name = "CONTRACT:FILE")]
    abi_files: Vec<String>,
    /// Pass a specific HTTP header: NAME:VALUE (repeatable)
    #[arg(short = 'r', long = "header", value_name = "NAME:VALUE")]
    headers: Vec<String>,
    /// Output all lines of actions' consoles
    #[arg(short, long)]
    verbose: bool,
}

/// A command's surroundings.
pub struct Session {
    /// The node.
    pub node: Node,
    /// The user's wallets.
    pub wallets: Folder,
    /// ABIs known so far.
    pub contracts: Contracts,
    /// Print all of every console.
    pub verbose: bool,
}

impl SessionArgs {
    /// Opens the session; nothing is called yet.
    pub fn open(self) -> anyhow::Result<Session> {
        let mut contracts = Contracts::default();
        for pair in &self.abi_files {
            let (account, file) = pair.split_once(':').context("--abi-file wants CONTRACT:FILE")?;
            contracts.set(account.parse::<Name>()?, Abi::new(read_abi(file)?, &Limits::default())?);
        }
        let headers = self.headers.iter().map(|header| {
            let (name, value) = header.split_once(':').context("--header wants NAME:VALUE")?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        });
        let headers = headers.collect::<anyhow::Result<_>>()?;
        Ok(Session {
            node: Node::new(&self.url, headers),
            wallets: Folder::of_user(),
            contracts,
            verbose: self.verbose,
        })
    }
}

impl Session {
    /// Calls the node.
    pub fn call(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(self.node.call(path, body).map_err(ClientError::from)?)
    }

    /// Calls the node and prints the answer.
    pub fn show(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        say(crate::json::pretty(&self.call(path, body)?))
    }
}

/// Prints a line of output.
pub fn say(line: impl AsRef<str>) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", line.as_ref()).context("standard output is closed")
}

/// Prints a line that is not output.
pub fn note(line: impl AsRef<str>) {
    // Notes are for eyes only: losing one is no failure.
    let _ = writeln!(std::io::stderr(), "{}", line.as_ref());
}

/// Reads an ABI from a JSON or binary file.
pub fn read_abi(file: &str) -> anyhow::Result<AbiDefinition> {
    let bytes = std::fs::read(file).with_context(|| file.to_owned())?;
    let abi = match std::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with('{') => serde_json::from_str(text).map_err(anyhow::Error::new),
        _ => AbiDefinition::from_bytes(&bytes).map_err(anyhow::Error::new),
    };
    abi.with_context(|| format!("{file} is not an ABI"))
}
