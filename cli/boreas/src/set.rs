//! `boreas set`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use primitives::Compression;
use primitives::{Action, Bytes, Name, Pack, PermissionLevel, Sha256};
use serde_json::json;

use crate::arguments::name;
use crate::permission::SetAccount;
use crate::session::{Session, note, read_abi, say};
use crate::transact::TransactArgs;

const EOSIO: Name = primitives::name!("eosio");

/// What is set.
#[derive(Subcommand)]
pub enum Set {
    /// Create or update the contract of an account
    Contract(SetContract),
    /// Set or update the state of an account
    #[command(subcommand)]
    Account(SetAccount),
}

/// Flags of `set contract`.
#[derive(Args)]
pub struct SetContract {
    /// The account
    account: String,
    /// The folder with the .wasm and .abi
    #[arg(value_name = "contract-dir", required_unless_present = "clear")]
    contract_dir: Option<PathBuf>,
    /// The .wasm, relative to the folder; FOLDER.wasm when not given
    wasm_file: Option<PathBuf>,
    /// The .abi, relative to the folder; FOLDER.abi when not given
    abi_file: Option<PathBuf>,
    /// The same as abi-file
    #[arg(short, long, value_name = "FILE", conflicts_with = "abi_file")]
    abi: Option<PathBuf>,
    /// Remove the contract of the account
    #[arg(short, long)]
    clear: bool,
    /// Send code and ABI even if the account has them already
    #[arg(long)]
    suppress_duplicate_check: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Set {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::Contract(contract) => contract.run(session),
            Self::Account(account) => account.run(session),
        }
    }
}

impl SetContract {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let account = name(&self.account)?;
        let authorization = self.transact.authorization(account)?;
        let (code, abi) = if self.clear { (Vec::new(), Vec::new()) } else { self.read()? };
        let mut actions = Vec::new();
        if self.suppress_duplicate_check || !has_code(session, account, &code)? {
            actions.push(set_code(account, &code, &authorization));
        } else {
            note("Skipping set code because the new code is the same as the existing code");
        }
        if self.suppress_duplicate_check || !has_abi(session, account, &abi)? {
            actions.push(set_abi(account, &abi, &authorization));
        } else {
            note("Skipping set abi because the new abi is the same as the existing abi");
        }
        if actions.is_empty() {
            return say("no transaction is sent");
        }
        note("Publishing contract...");
        self.transact.send(session, actions, Compression::Zlib)
    }

    /// Code and packed ABI of the contract's folder.
    fn read(&self) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
        let folder = self.contract_dir.clone().unwrap_or_default();
        let full = folder.canonicalize().with_context(|| format!("{} is not a folder", folder.display()))?;
        let stem = full.file_name().context("the contract's folder has no name")?.to_string_lossy().into_owned();
        let file = |given: &Option<PathBuf>, extension: &str| {
            full.join(given.clone().unwrap_or_else(|| Path::new(&format!("{stem}.{extension}")).to_owned()))
        };
        let wasm = file(&self.wasm_file, "wasm");
        note(format!("Reading WASM from {}...", wasm.display()));
        let code = std::fs::read(&wasm).with_context(|| wasm.display().to_string())?;
        if !code.starts_with(b"\0asm") {
            bail!("{} is not a WASM module: it does not begin with \\0asm", wasm.display());
        }
        let abi = read_abi(&file(&self.abi_file.clone().or(self.abi.clone()), "abi").to_string_lossy())?;
        Ok((code, abi.to_bytes()))
    }
}

fn has_code(session: &Session, account: Name, code: &[u8]) -> anyhow::Result<bool> {
    let answer = session.call("/v1/chain/get_code_hash", &json!({ "account_name": account }))?;
    let hash = if code.is_empty() { primitives::Checksum256::default() } else { Sha256::of(code) };
    Ok(answer["code_hash"] == json!(hash))
}

fn has_abi(session: &Session, account: Name, abi: &[u8]) -> anyhow::Result<bool> {
    let answer = session.call("/v1/chain/get_raw_abi", &json!({ "account_name": account }))?;
    let hash = if abi.is_empty() { primitives::Checksum256::default() } else { Sha256::of(abi) };
    Ok(answer["abi_hash"] == json!(hash))
}

fn set_code(account: Name, code: &[u8], authorization: &[PermissionLevel]) -> Action {
    let (vm_type, vm_version) = (0u8, 0u8);
    let data = (account, vm_type, vm_version, Bytes::from(code)).to_bytes();
    native(primitives::name!("setcode"), authorization, data)
}

fn set_abi(account: Name, abi: &[u8], authorization: &[PermissionLevel]) -> Action {
    native(primitives::name!("setabi"), authorization, (account, Bytes::from(abi)).to_bytes())
}

fn native(name: Name, authorization: &[PermissionLevel], data: Vec<u8>) -> Action {
    Action { account: EOSIO, name, authorization: authorization.to_vec(), data: Bytes(data) }
}
