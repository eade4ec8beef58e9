//! `boreas get code` and `get abi`.

use abi::AbiDefinition;
use anyhow::Context;
use base64::Engine as _;
use clap::Args;
use primitives::{Checksum256, Sha256, Unpack};
use serde_json::{Value, json};

use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, note, say};

/// Flags of `get code`.
#[derive(Args)]
pub struct GetCode {
    /// The account
    name: String,
    /// The file to save the contract's WASM to
    #[arg(short, long, value_name = "FILE")]
    code: Option<String>,
    /// The file to save the contract's ABI to
    #[arg(short, long, value_name = "FILE")]
    abi: Option<String>,
    /// Of cleos, where it is the default
    #[arg(long, hide = true)]
    wasm: bool,
}

/// Flags of `get abi`.
#[derive(Args)]
pub struct GetAbi {
    /// The account
    name: String,
    /// The file to save the ABI to
    #[arg(short, long)]
    file: Option<String>,
}

impl GetCode {
    /// Asks, prints the hash and saves what is wanted.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let answer = session.call("/v1/chain/get_raw_code_and_abi", &json!({ "account_name": name(&self.name)? }))?;
        let wasm = blob(&answer["wasm"])?;
        let hash = if wasm.is_empty() { Checksum256::default() } else { Sha256::of(&wasm) };
        say(format!("code hash: {hash}"))?;
        if let Some(file) = &self.code {
            say(format!("saving wasm to {file}"))?;
            std::fs::write(file, &wasm).with_context(|| format!("{file} cannot be written"))?;
        }
        if let Some(file) = &self.abi {
            say(format!("saving abi to {file}"))?;
            let text = definition(&blob(&answer["abi"])?)?.map_or_else(String::new, |abi| pretty(&json!(abi)));
            std::fs::write(file, text).with_context(|| format!("{file} cannot be written"))?;
        }
        Ok(())
    }
}

impl GetAbi {
    /// Asks and prints or saves.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let answer = session.call("/v1/chain/get_raw_abi", &json!({ "account_name": name(&self.name)? }))?;
        let abi = definition(&blob(&answer["abi"])?)?;
        let none = || format!("{} has no ABI: no contract was set, or one without it", self.name);
        let text = pretty(&json!(abi.with_context(none)?));
        match self.file {
            Some(file) => {
                note(format!("saving abi to {file}"));
                std::fs::write(&file, text).with_context(|| format!("{file} cannot be written"))
            }
            None => say(text),
        }
    }
}

/// Bytes as nodes give them: base64, sometimes with one `=` too many.
fn blob(value: &Value) -> anyhow::Result<Vec<u8>> {
    let text = value.as_str().unwrap_or_default().trim_end_matches('=');
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).context("the node's answer is not base64")
}

fn definition(bytes: &[u8]) -> anyhow::Result<Option<AbiDefinition>> {
    match bytes {
        [] => Ok(None),
        bytes => AbiDefinition::from_prefix(bytes).map(Some).context("the account's ABI is not valid"),
    }
}
