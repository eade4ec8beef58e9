//! The flags of every command that sends a transaction, and the way from actions to a printed receipt.

use std::fs::File;
use std::io::Write;

use anyhow::{Context, ensure};
use clap::Args;
use clap::builder::BoolishValueParser;
use client::{Receipt, Route, SendSettings, WaitFor, complete};
use primitives::{Action, Compression, Name, PackedTransaction, PermissionLevel, PublicKey, SignedTransaction};
use serde_json::{Value, json};

use crate::json::{Grammar, pretty};
use crate::receipt::{FailedTransaction, print_receipt};
use crate::session::{Session, note, say};
use crate::usage::number;
use crate::{arguments, json};

/// Flags of a transaction.
#[derive(Args)]
pub struct TransactArgs {
    /// Seconds before the transaction expires
    #[arg(short = 'x', long, default_value = "30", value_parser = seconds, value_name = "SECONDS")]
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
    #[arg(long)]
    use_old_rpc: bool,
    /// Send by the old endpoint send_transaction
    #[arg(long)]
    use_old_send_rpc: bool,
    /// Set by commands that send by an endpoint of their own
    #[arg(skip)]
    route: Option<Route>,
    /// Number or id of the block that the transaction is bound to
    #[arg(short, long, value_name = "BLOCK")]
    ref_block: Option<String>,
    /// Compression of the transaction
    #[arg(long, value_enum, ignore_case = true)]
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
    #[arg(short = 't', long, default_value = "true", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new(), value_name = "BOOLEAN")]
    return_failure_trace: bool,
    /// Let the node retry the transaction until it is irreversible or expires
    #[arg(long, value_parser = BoolishValueParser::new(), value_name = "BOOLEAN")]
    retry_irreversible: Option<bool>,
    /// Let the node retry the transaction until it is so many blocks deep
    #[arg(long, value_name = "BLOCKS")]
    retry_num_blocks: Option<u32>,
    /// Answer when the transaction's block is part of the chain, synced to the node's disk, or irreversible [boreasd only]
    #[arg(long, value_name = "UNTIL")]
    wait: Option<WaitArg>,
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

#[derive(Clone, Copy, clap::ValueEnum)]
enum WaitArg {
    Block,
    Stored,
    Irreversible,
}

impl TransactArgs {
    /// Makes it a read-only transaction, which needs no signature.
    pub fn read_only(&mut self) {
        self.route = Some(Route::ReadOnly);
        self.skip_sign = true;
    }

    /// Makes it a dry run, which is signed only with keys that are named.
    pub fn dry_run(&mut self) {
        self.route = Some(Route::DryRun);
        self.skip_sign |= self.sign_with.is_none();
    }

    /// Whether it has to be unlike every other; from now on the caller sees to that.
    pub fn take_force_unique(&mut self) -> bool {
        std::mem::take(&mut self.force_unique)
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
            retry_irreversible: self.retry_irreversible == Some(true),
            retry_num_blocks: self.retry_num_blocks,
            wait: self.wait.map(|wait| match wait {
                WaitArg::Block => WaitFor::Block,
                WaitArg::Stored => WaitFor::Stored,
                WaitArg::Irreversible => WaitFor::Irreversible,
            }),
            route: self.route()?,
        })
    }

    fn route(&self) -> anyhow::Result<Route> {
        if self.dont_broadcast {
            return Ok(self.route.unwrap_or(Route::Send2));
        }
        ensure!(
            !(self.use_old_rpc && self.use_old_send_rpc),
            "--use-old-rpc cannot be used with --use-old-send-rpc: the transaction is sent once"
        );
        let irreversible = self.retry_irreversible == Some(true);
        ensure!(
            !(irreversible && self.retry_num_blocks.is_some()),
            "--retry-irreversible cannot be used with --retry-num-blocks: one of them is waited for"
        );
        let retry = irreversible || self.retry_num_blocks.is_some();
        ensure!(
            !(retry && self.wait.is_some()),
            "--wait cannot be used with --retry-irreversible or --retry-num-blocks: one of them is waited for"
        );
        let old = match (self.use_old_rpc, self.use_old_send_rpc) {
            (true, _) => Some((Route::Push, "--use-old-rpc")),
            (_, true) => Some((Route::Send, "--use-old-send-rpc")),
            _ => None,
        };
        match (self.route, old) {
            (Some(_), Some((_, option))) => anyhow::bail!("--read and --dry-run cannot be used with {option}"),
            (Some(route), None) => {
                ensure!(!retry, "--retry-irreversible and --retry-num-blocks cannot be used with --read or --dry-run");
                ensure!(self.wait.is_none(), "--wait cannot be used with --read or --dry-run: nothing is changed");
                Ok(route)
            }
            (None, Some((route, option))) => {
                ensure!(!retry, "--retry-irreversible and --retry-num-blocks cannot be used with {option}");
                ensure!(self.wait.is_none(), "--wait cannot be used with {option}");
                Ok(route)
            }
            (None, None) => Ok(Route::Send2),
        }
    }

    /// Signs, sends and prints.
    pub fn send(&self, session: &mut Session, actions: Vec<Action>, compression: Compression) -> anyhow::Result<()> {
        let mut signed = SignedTransaction::default();
        signed.transaction.actions = actions;
        let file = self.json_file.as_deref().map(create).transpose()?;
        let answer = self.transact(session, signed, compression)?;
        self.print(session, &answer, file)
    }

    /// Signs and sends; gives the node's answer, or the transaction itself with `--dont-broadcast`.
    pub fn transact(
        &self,
        session: &mut Session,
        mut signed: SignedTransaction,
        compression: Compression,
    ) -> anyhow::Result<Value> {
        let mut settings = self.settings(compression)?;
        if session.impersonate && settings.route == Route::Send2 {
            (settings.sign, settings.route) = (false, Route::Impersonate);
        }
        session.payer = Some(signed.transaction.first_authorizer().to_string());
        if self.force_unique && signed.signatures.is_empty() {
            signed.transaction.context_free_actions.push(nonce());
        }
        complete(&mut signed, &session.node, &session.keys, &settings)?;
        if !self.dont_broadcast {
            return Ok(Receipt::of(&session.node, &signed, &settings)?.0);
        }
        if self.return_packed {
            return Ok(json!(PackedTransaction::new(&signed, settings.compression)));
        }
        let mut value = json!(signed);
        if self.unpack_action_data {
            unpack_arguments(session, &signed.transaction.actions, &mut value["actions"])?;
        }
        Ok(value)
    }

    fn print(&self, session: &Session, answer: &Value, file: Option<File>) -> anyhow::Result<()> {
        if let Some(mut file) = file {
            file.write_all(pretty(answer).as_bytes()).context("--json-file cannot be written")?;
        }
        let processed = &answer["processed"];
        if self.json {
            say(pretty(answer))?;
        } else if !processed.is_object() {
            // As cleos: without --json standard output is for what actions did.
            note(pretty(answer));
        } else {
            print_receipt(processed, session.layout)?;
        }
        FailedTransaction::of(processed).map_or(Ok(()), |failed| Err(anyhow::Error::new(failed)))
    }
}

fn create(file: &str) -> anyhow::Result<File> {
    File::create(file).with_context(|| format!("{file} cannot be written"))
}

/// Seconds, with or without a fraction, which is left out.
fn seconds(text: &str) -> Result<u32, String> {
    if text.starts_with("0x") || text.starts_with("0X") {
        return number(text);
    }
    let seconds: f64 = text.parse().map_err(|_| "seconds are a number".to_owned())?;
    if (0.0..=f64::from(u32::MAX)).contains(&seconds) { Ok(seconds as u32) } else { Err("out of range".to_owned()) }
}

/// A number that is unlike every other: the time, and which process it is.
fn unique() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(48)
}

/// A text that is unlike every other.
pub fn unique_text() -> String {
    unique().to_string()
}

/// A context-free action on `eosio.null` that makes a transaction unlike every other.
fn nonce() -> Action {
    Action {
        account: primitives::name!("eosio.null"),
        name: primitives::name!("nonce"),
        authorization: Vec::new(),
        data: primitives::Bytes(primitives::Pack::to_bytes(&unique())),
    }
}

fn keys(text: &str) -> anyhow::Result<Vec<PublicKey>> {
    if !text.trim_start().starts_with('[') {
        return Ok(vec![arguments::public_key(text.trim(), "--sign-with")?]);
    }
    let list = json::parse(text, Grammar::Relaxed).context("--sign-with is not a valid list of public keys")?;
    let texts = list.as_array().into_iter().flatten();
    texts.map(|key| arguments::public_key(key.as_str().unwrap_or_default(), "a key of --sign-with")).collect()
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
