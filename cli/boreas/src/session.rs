//! What every command works with: a node, wallets, ABIs, and where output goes.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use abi::{Abi, AbiDefinition, Limits};
use anyhow::Context;
use clap::Args;
use client::{ClientError, Contracts, Message, Node};
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
    /// Print what is sent to the node, on standard error
    #[arg(long)]
    print_request: bool,
    /// Print what the node answers, on standard error
    #[arg(long)]
    print_response: bool,
    /// Of cleos, without meaning here: wallets are files
    #[arg(long, hide = true)]
    wallet_url: Option<String>,
    /// Of cleos, without meaning here
    #[arg(long, hide = true)]
    no_auto_keosd: bool,
    /// Of cleos, without meaning here
    #[arg(short, long, hide = true)]
    no_verify: bool,
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
        if self.wallet_url.is_some() {
            note("--wallet-url has no meaning here: keys are in files, see boreas wallet");
        }
        let node = Node::new(&self.url, headers);
        Ok(Session {
            node: match (self.print_request, self.print_response) {
                (true, true) => node.observed(print_message),
                (true, false) => node.observed(|message, body| print_if(message, Message::Request, body)),
                (false, true) => node.observed(|message, body| print_if(message, Message::Response, body)),
                (false, false) => node,
            },
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

fn print_if(message: Message, wanted: Message, body: &str) {
    if message == wanted {
        print_message(message, body);
    }
}

/// A message between this program and the node, in the layout of cleos.
fn print_message(message: Message, body: &str) {
    const LINE: &str = "---------------------";
    let body = serde_json::from_str(body).map_or_else(|_| body.to_owned(), |value| crate::json::pretty(&value));
    note(format!("{}:\n{LINE}\n{body}\n{LINE}", format!("{message:?}").to_uppercase()));
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

/// Writes a file that only its owner may read.
pub fn write_secret(file: &str, text: &str) -> anyhow::Result<()> {
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
    opened.and_then(|mut opened| opened.write_all(text.as_bytes())).with_context(|| file.to_owned())
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
