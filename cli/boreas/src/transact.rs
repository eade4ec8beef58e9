//! The flags of every command that sends a transaction, and the way from actions to a printed receipt.

use anyhow::{Context, bail};
use clap::Args;
use client::{Draft, Receipt, Route, SendSettings};
use primitives::Compression;
use primitives::{Action, Name, PackedTransaction, PermissionLevel, PublicKey};
use serde_json::{Value, json};

use crate::arguments;
use crate::session::{Session, note, say};

/// Arguments and results longer than this are cut in the receipt.
const PRINTED_MAX: usize = 100;

/// Flags of a transaction.
#[derive(Args)]
pub struct TransactArgs {
    /// Seconds before the transaction expires
    #[arg(short = 'x', long, default_value_t = 30, value_name = "SECONDS")]
    expiration: u32,
    /// Force the transaction to be unique, at the cost of some bandwidth
    #[arg(short, long)]
    force_unique: bool,
    /// Do not sign with keys of unlocked wallets
    #[arg(short, long)]
    skip_sign: bool,
    /// Print the result as JSON
    #[arg(short, long)]
    json: bool,
    /// Save the result as JSON in a file
    #[arg(long, value_name = "FILE")]
    json_file: Option<String>,
    /// Print the transaction and do not send it
    #[arg(short, long)]
    dont_broadcast: bool,
    /// With --dont-broadcast: print the actions' arguments unpacked
    #[arg(short, long, conflicts_with = "return_packed")]
    unpack_action_data: bool,
    /// With --dont-broadcast: print the packed transaction
    #[arg(long)]
    return_packed: bool,
    /// Send by the old endpoint push_transaction
    #[arg(long, conflicts_with = "use_old_send_rpc")]
    use_old_rpc: bool,
    /// Send by the old endpoint send_transaction
    #[arg(long)]
    use_old_send_rpc: bool,
    #[arg(skip)]
    read_only: bool,
    /// Number or id of the block that the transaction is bound to
    #[arg(short, long, value_name = "BLOCK")]
    ref_block: Option<String>,
    /// Compression of the transaction
    #[arg(long, value_enum)]
    compression: Option<CompressionArg>,
    /// An account and permission to authorize: ACCOUNT@PERMISSION (repeatable)
    #[arg(short, long = "permission", value_name = "ACCOUNT@PERMISSION")]
    permissions: Vec<String>,
    /// Upper limit of CPU milliseconds; 0 for no limit
    #[arg(long, default_value_t = 0, value_name = "MS")]
    max_cpu_usage_ms: u8,
    /// Upper limit of net bytes; 0 for no limit
    #[arg(long, default_value_t = 0, value_name = "BYTES")]
    max_net_usage: u32,
    /// Seconds to wait before the transaction runs
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    delay_sec: u32,
    /// Return partial traces of failed transactions
    #[arg(short = 't', long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOLEAN")]
    return_failure_trace: bool,
    /// Let the node retry the transaction until it is irreversible or expires
    #[arg(long, default_value_t = false, action = clap::ArgAction::Set, value_name = "BOOLEAN")]
    retry_irreversible: bool,
    /// Let the node retry the transaction until it is so many blocks deep
    #[arg(long, value_name = "BLOCKS")]
    retry_num_blocks: Option<u32>,
    /// Public key, or JSON list of public keys, to sign with
    #[arg(long, value_name = "KEYS")]
    sign_with: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum CompressionArg {
    #[value(alias = "0")]
    None,
    #[value(alias = "1")]
    Zlib,
}

/// A transaction that was executed and failed; the status of the program tells its fault's number.
#[derive(Debug)]
pub struct FailedTransaction(pub client::ApiFault);

impl std::fmt::Display for FailedTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for FailedTransaction {}

impl TransactArgs {
    /// Makes it a read-only transaction, which needs no signature.
    pub fn read_only(&mut self) {
        self.read_only = true;
        self.skip_sign = true;
    }

    /// The permissions given, or `actor@active`.
    pub fn authorization(&self, actor: Name) -> anyhow::Result<Vec<PermissionLevel>> {
        if self.permissions.is_empty() {
            return Ok(vec![PermissionLevel { actor, permission: primitives::name!("active") }]);
        }
        self.permissions.iter().map(|text| arguments::permission(text)).collect()
    }

    /// The permissions given, which may be none.
    pub fn given_authorization(&self) -> anyhow::Result<Vec<PermissionLevel>> {
        self.permissions.iter().map(|text| arguments::permission(text)).collect()
    }

    fn settings(&self, compression: Compression) -> anyhow::Result<SendSettings> {
        let compression = match self.compression {
            None => compression,
            Some(CompressionArg::None) => Compression::None,
            Some(CompressionArg::Zlib) => Compression::Zlib,
        };
        let sign_with = self.sign_with.as_deref().map(keys).transpose()?.unwrap_or_default();
        Ok(SendSettings {
            expiration_sec: self.expiration,
            ref_block: self.ref_block.clone(),
            max_cpu_usage_ms: self.max_cpu_usage_ms,
            max_net_usage: self.max_net_usage,
            delay_sec: self.delay_sec,
            compression,
            sign: !self.skip_sign,
            sign_with,
            return_failure_trace: self.return_failure_trace,
            retry_irreversible: self.retry_irreversible,
            retry_num_blocks: self.retry_num_blocks,
            route: match (self.read_only, self.use_old_rpc, self.use_old_send_rpc) {
                (true, ..) => Route::ReadOnly,
                (_, true, _) => Route::Push,
                (.., true) => Route::Send,
                _ => Route::Send2,
            },
        })
    }

    /// Signs, sends and prints.
    pub fn send(&self, session: &mut Session, actions: Vec<Action>, compression: Compression) -> anyhow::Result<()> {
        let settings = self.settings(compression)?;
        let mut draft = Draft { context_free_actions: Vec::new(), actions };
        if self.force_unique {
            draft.context_free_actions.push(nonce());
        }
        let keys = if self.skip_sign { Vec::new() } else { session.wallets.unlocked_keys()? };
        let signed = draft.sign(&session.node, &keys, &settings)?;
        if self.dont_broadcast {
            let mut value = match self.return_packed {
                true => json!(PackedTransaction::new(&signed, settings.compression)),
                false => json!(signed),
            };
            if self.unpack_action_data {
                unpack_arguments(session, &signed.transaction.actions, &mut value["actions"])?;
            }
            return say(crate::json::pretty(&value));
        }
        let Receipt(answer) = Receipt::of(&session.node, &signed, &settings)?;
        self.print(session, &answer)
    }

    fn print(&self, session: &Session, answer: &Value) -> anyhow::Result<()> {
        if let Some(file) = &self.json_file {
            std::fs::write(file, crate::json::pretty(answer)).with_context(|| file.clone())?;
        }
        if self.json {
            say(crate::json::pretty(answer))?;
        }
        let processed = &answer["processed"];
        let failed = !processed["except"].is_null();
        if !self.json {
            print_receipt(session, processed)?;
        }
        if failed { Err(failure(&processed["except"])) } else { Ok(()) }
    }
}

/// A context-free action on `eosio.null` that makes a transaction unlike every other.
fn nonce() -> Action {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let unique = now.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(48);
    let text = unique.to_string();
    Action {
        account: primitives::name!("eosio.null"),
        name: primitives::name!("nonce"),
        authorization: Vec::new(),
        data: primitives::Bytes(primitives::Pack::to_bytes(text.as_str())),
    }
}

fn keys(text: &str) -> anyhow::Result<Vec<PublicKey>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).context("--sign-with wants a public key or a JSON list of them");
    }
    Ok(vec![text.parse().with_context(|| format!("{text} is not a public key"))?])
}

/// The error inside a trace, as if the node had answered with it.
fn failure(except: &Value) -> anyhow::Error {
    let stack = except["stack"].as_array().map(Vec::as_slice).unwrap_or_default();
    let details = stack.iter().map(|frame| fill(frame["format"].as_str().unwrap_or_default(), &frame["data"]));
    let text = |key: &str| except[key].as_str().unwrap_or_default().to_owned();
    let fault = client::ApiFault {
        status: 202,
        code: except["code"].as_u64().unwrap_or_default(),
        name: text("name"),
        what: text("message"),
        details: details.filter(|line| !line.is_empty()).collect(),
    };
    anyhow::Error::new(FailedTransaction(fault))
}

/// Puts the values of a log message into its format: `${key}`.
fn fill(format: &str, data: &Value) -> String {
    let mut out = format.to_owned();
    for (key, value) in data.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out = out.replace(&format!("${{{key}}}"), &text);
    }
    out
}

fn print_receipt(session: &Session, processed: &Value) -> anyhow::Result<()> {
    let receipt = &processed["receipt"];
    let count = |value: Option<i64>| value.map_or("<unknown>".to_owned(), |value| value.to_string());
    note(format!(
        "{} transaction: {}  {} bytes  {} us",
        receipt["status"].as_str().unwrap_or("failed"),
        processed["id"].as_str().unwrap_or_default(),
        count(receipt["net_usage_words"].as_i64().map(|words| words * 8)),
        count(receipt["cpu_usage_us"].as_i64()),
    ));
    if !receipt.is_object() {
        return Ok(());
    }
    for trace in processed["action_traces"].as_array().into_iter().flatten() {
        print_action(session, trace)?;
    }
    note("warning: transaction executed locally, but may not be confirmed by the network yet");
    Ok(())
}

fn print_action(session: &Session, trace: &Value) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let call = format!("{}::{}", text(&trace["act"]["account"]), text(&trace["act"]["name"]));
    let arguments = cut(trace["act"]["data"].to_string());
    say(format!("#{:>14} <= {call:<28} {arguments}", text(&trace["receiver"])))?;
    let returned = match (trace.get("return_value_data"), trace["return_value_hex_data"].as_str()) {
        (Some(value), _) => Some(("return value: ", value.to_string())),
        (None, Some(hex)) if !hex.is_empty() => Some(("return value (hex): ", hex.to_owned())),
        _ => None,
    };
    if let Some((label, value)) = returned {
        say(format!("=>{label:>46}{}", cut(value)))?;
    }
    let console = text(&trace["console"]);
    let lines = if session.verbose { usize::MAX } else { 1 };
    console.lines().take(lines).try_for_each(|line| say(format!(">> {}", line.escape_default())))?;
    trace["inline_traces"].as_array().into_iter().flatten().try_for_each(|inline| print_action(session, inline))
}

/// The beginning of a text too long for a line.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(PRINTED_MAX) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// Puts the arguments of actions in place of their bytes, which move to `hex_data`.
fn unpack_arguments(session: &mut Session, actions: &[Action], shown: &mut Value) -> anyhow::Result<()> {
    for (action, shown) in actions.iter().zip(shown.as_array_mut().into_iter().flatten()) {
        let Session { node, contracts, .. } = session;
        let arguments = contracts.arguments(node, action)?;
        shown["hex_data"] = std::mem::replace(&mut shown["data"], arguments);
    }
    Ok(())
}

/// An asset's text, or what is wrong with it.
pub fn asset(text: &str) -> anyhow::Result<primitives::Asset> {
    match text.parse::<primitives::Asset>() {
        Ok(asset) => Ok(asset),
        Err(fault) => {
            let why = fault.details.first().map(String::as_str).unwrap_or_default();
            bail!("{text:?} is not an asset, which looks like \"1.0000 SYS\": {why}")
        }
    }
}
