//! `boreas set`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use primitives::Compression;
use primitives::{Action, Bytes, Name, Pack, PermissionLevel, Sha256};
use serde_json::json;

use crate::arguments::name;
use crate::permission::{SetAccount, SetAction};
use crate::session::{Session, note, read_abi, say};
use crate::transact::TransactArgs;

const EOSIO: Name = primitives::name!("eosio");

/// What is set.
#[derive(Subcommand)]
pub enum Set {
    /// Create or update the contract of an account
    Contract(SetContract),
    /// Create or update the code of an account
    Code(SetCode),
    /// Create or update the ABI of an account
    Abi(SetAbi),
    /// Set or update the state of an account
    #[command(subcommand)]
    Account(SetAccount),
    /// Set or update the state of an account's actions
    #[command(subcommand)]
    Action(SetAction),
}

/// Flags of `set code`.
#[derive(Args)]
pub struct SetCode {
    /// The account
    account: String,
    /// The .wasm
    #[arg(value_name = "code-file", required_unless_present = "clear")]
    code_file: Option<PathBuf>,
    /// Remove the code of the account
    #[arg(short, long)]
    clear: bool,
    /// Send the code even if the account has it already
    #[arg(long)]
    suppress_duplicate_check: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `set abi`.
#[derive(Args)]
pub struct SetAbi {
    /// The account
    account: String,
    /// The .abi
    #[arg(value_name = "abi-file", required_unless_present = "clear")]
    abi_file: Option<PathBuf>,
    /// Remove the ABI of the account
    #[arg(short, long)]
    clear: bool,
    /// Send the ABI even if the account has it already
    #[arg(long)]
    suppress_duplicate_check: bool,
    #[command(flatten)]
    transact: TransactArgs,
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
            Self::Code(code) => code.run(session),
            Self::Abi(abi) => abi.run(session),
            Self::Account(account) => account.run(session),
            Self::Action(action) => action.run(session),
        }
    }
}

impl SetContract {
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
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
        let full = self.folder(&folder)?;
        let stem = full.file_name().context("the contract's folder has no name")?.to_string_lossy().into_owned();
        let file = |given: &Option<PathBuf>, extension: &str| {
            full.join(given.clone().unwrap_or_else(|| Path::new(&format!("{stem}.{extension}")).to_owned()))
        };
        let wasm = file(&self.wasm_file, "wasm");
        let abi = file(&self.abi_file.clone().or(self.abi.clone()), "abi");
        for (path, extension) in [(&wasm, "wasm"), (&abi, "abi")] {
            ensure!(path.exists(), "{}", nothing_there(path, &full, extension));
        }
        Ok((read_code(&wasm)?, read_abi(&abi.to_string_lossy())?.to_bytes()))
    }

    /// The whole path of the folder; what is not one says what would be right.
    fn folder(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let account = &self.account;
        let is_file = folder.is_file();
        let right = match (is_file, folder.parent(), folder.file_name()) {
            (true, Some(parent), Some(file)) => {
                let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
                let abi = Path::new(file).with_extension("abi");
                format!("set contract {account} {} {} {}", parent.display(), file.to_string_lossy(), abi.display())
            }
            _ => format!("set contract {account} FOLDER"),
        };
        ensure!(!is_file, "{} is a file; the folder that it is in is wanted: boreas {right}", folder.display());
        folder.canonicalize().ok().filter(|path| path.is_dir()).with_context(|| {
            format!("{} is not a folder; one with .wasm and .abi is wanted: boreas {right}", folder.display())
        })
    }
}

impl SetCode {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let account = name(&self.account)?;
        let authorization = self.transact.authorization(account)?;
        let code = self.code_file.filter(|_| !self.clear).map_or_else(|| Ok(Vec::new()), |file| read_code(&file))?;
        if !self.suppress_duplicate_check && has_code(session, account, &code)? {
            note("Skipping set code because the new code is the same as the existing code");
            return Ok(());
        }
        note("Setting Code...");
        self.transact.send(session, vec![set_code(account, &code, &authorization)], Compression::Zlib)
    }
}

impl SetAbi {
    fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let account = name(&self.account)?;
        let authorization = self.transact.authorization(account)?;
        let read = |file: PathBuf| Ok::<_, anyhow::Error>(read_abi(&file.to_string_lossy())?.to_bytes());
        let abi = self.abi_file.filter(|_| !self.clear).map_or_else(|| Ok(Vec::new()), read)?;
        if !self.suppress_duplicate_check && has_abi(session, account, &abi)? {
            note("Skipping set abi because the new abi is the same as the existing abi");
            return Ok(());
        }
        note("Setting ABI...");
        self.transact.send(session, vec![set_abi(account, &abi, &authorization)], Compression::Zlib)
    }
}

/// The bytes of a module's file.
pub fn read_code(wasm: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = wasm.display();
    note(format!("Reading WASM from {shown}..."));
    ensure!(!wasm.is_dir(), "{shown} is a folder, not a .wasm; with its .abi it is set by: boreas set contract");
    let code = std::fs::read(wasm).with_context(|| format!("{shown} cannot be read"))?;
    ensure!(!code.is_empty(), "{shown} is empty");
    if !code.starts_with(b"\0asm") {
        let text = code.trim_ascii_start().starts_with(b"(module");
        let what = if text { "it is a module as text: wat2wasm makes it one" } else { "it does not begin with \\0asm" };
        bail!("{shown} is not a WASM module: {what}");
    }
    Ok(code)
}

/// A file of a contract that is missing, and those that are there instead.
pub fn nothing_there(path: &Path, folder: &Path, extension: &str) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let fitting = entries.filter(|entry| entry.extension().is_some_and(|found| found == extension));
    let mut names: Vec<_> =
        fitting.filter_map(|entry| Some(entry.file_name()?.to_string_lossy().into_owned())).collect();
    names.sort();
    let others = match names.as_slice() {
        [] => format!("{} has no .{extension} at all: is the contract built?", folder.display()),
        names => format!("the folder has {}: name it after the folder", names.join(", ")),
    };
    format!("{} is not there; {others}", path.display())
}

/// Whether an account has this code.
pub fn has_code(session: &Session, account: Name, code: &[u8]) -> anyhow::Result<bool> {
    let answer = session.call("/v1/chain/get_code_hash", &json!({ "account_name": account }))?;
    let hash = if code.is_empty() { primitives::Checksum256::default() } else { Sha256::of(code) };
    Ok(answer["code_hash"] == json!(hash))
}

/// Whether an account has this packed ABI.
pub fn has_abi(session: &Session, account: Name, abi: &[u8]) -> anyhow::Result<bool> {
    let answer = session.call("/v1/chain/get_raw_abi", &json!({ "account_name": account }))?;
    let hash = if abi.is_empty() { primitives::Checksum256::default() } else { Sha256::of(abi) };
    Ok(answer["abi_hash"] == json!(hash))
}

/// The action that sets an account's code.
pub fn set_code(account: Name, code: &[u8], authorization: &[PermissionLevel]) -> Action {
    let (vm_type, vm_version) = (0u8, 0u8);
    let data = (account, vm_type, vm_version, Bytes::from(code)).to_bytes();
    native(primitives::name!("setcode"), authorization, data)
}

/// The action that sets an account's packed ABI.
pub fn set_abi(account: Name, abi: &[u8], authorization: &[PermissionLevel]) -> Action {
    native(primitives::name!("setabi"), authorization, (account, Bytes::from(abi)).to_bytes())
}

fn native(name: Name, authorization: &[PermissionLevel], data: Vec<u8>) -> Action {
    Action { account: EOSIO, name, authorization: authorization.to_vec(), data: Bytes(data) }
}
