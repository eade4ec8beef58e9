//! `boreas system delegatebw`, `undelegatebw`, `listbw` and `buyram`.

use anyhow::{Context, bail};
use clap::Args;
use primitives::{Action, Compression, Name, PermissionLevel};
use serde_json::{Value, json};

use super::action;
use crate::arguments::name;
use crate::json::pretty;
use crate::session::{Session, say};
use crate::transact::TransactArgs;

const BYTES_PER_KIB: u32 = 1024;

/// Flags of `system delegatebw`.
#[derive(Args)]
pub struct Delegate {
    /// The account to delegate bandwidth from
    from: String,
    /// The account to receive the delegated bandwidth
    receiver: String,
    /// The amount of tokens to stake for network bandwidth
    stake_net_quantity: String,
    /// The amount of tokens to stake for CPU bandwidth
    stake_cpu_quantity: String,
    /// The amount of tokens to buy RAM with
    #[arg(long, value_name = "AMOUNT")]
    buyram: Option<String>,
    /// The amount of RAM to buy in bytes
    #[arg(long, value_name = "BYTES", conflicts_with = "buyram")]
    buy_ram_bytes: Option<u32>,
    /// Transfer voting power and right to unstake tokens to receiver
    #[arg(long)]
    transfer: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `system undelegatebw`.
#[derive(Args)]
pub struct Undelegate {
    /// The account undelegating bandwidth
    from: String,
    /// The account to undelegate bandwidth from
    receiver: String,
    /// The amount of tokens to undelegate for network bandwidth
    unstake_net_quantity: String,
    /// The amount of tokens to undelegate for CPU bandwidth
    unstake_cpu_quantity: String,
    #[command(flatten)]
    transact: TransactArgs,
}

/// Flags of `system listbw`.
#[derive(Args)]
pub struct ListBandwidth {
    /// The account that delegated
    account: String,
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

/// Flags of `system buyram`.
#[derive(Args)]
pub struct BuyRam {
    /// The account paying for RAM
    payer: String,
    /// The account receiving bought RAM
    receiver: String,
    /// The amount of tokens to pay, or of bytes with --bytes, of KiB with --kbytes
    amount: String,
    /// The amount is in kibibytes (KiB)
    #[arg(short, long, conflicts_with = "bytes")]
    kbytes: bool,
    /// The amount is in bytes
    #[arg(short, long)]
    bytes: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Delegate {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (from, receiver) = (name(&self.from)?, name(&self.receiver)?);
        let arguments = json!({
            "from": from,
            "receiver": receiver,
            "stake_net_quantity": session.core_token(&self.stake_net_quantity)?,
            "stake_cpu_quantity": session.core_token(&self.stake_cpu_quantity)?,
            "transfer": self.transfer,
        });
        let authorization = self.transact.authorization(from)?;
        let mut actions = vec![action(session, primitives::name!("delegatebw"), &authorization, &arguments)?];
        if let Some(amount) = &self.buyram {
            actions.push(buy_for(session, from, receiver, amount, &authorization)?);
        } else if let Some(bytes) = self.buy_ram_bytes.filter(|bytes| *bytes > 0) {
            actions.push(buy_bytes(session, from, receiver, bytes, &authorization)?);
        }
        self.transact.send(session, actions, Compression::None)
    }
}

impl Undelegate {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let from = name(&self.from)?;
        let arguments = json!({
            "from": from,
            "receiver": name(&self.receiver)?,
            "unstake_net_quantity": session.core_token(&self.unstake_net_quantity)?,
            "unstake_cpu_quantity": session.core_token(&self.unstake_cpu_quantity)?,
        });
        let authorization = self.transact.authorization(from)?;
        let action = action(session, primitives::name!("undelegatebw"), &authorization, &arguments)?;
        self.transact.send(session, vec![action], Compression::None)
    }
}

impl ListBandwidth {
    /// Asks and prints.
    pub fn run(self, session: &Session) -> anyhow::Result<()> {
        let account = name(&self.account)?;
        let body = json!({ "json": true, "code": "eosio", "scope": account, "table": "delband" });
        let answer = session.call("/v1/chain/get_table_rows", &body)?;
        if self.json {
            return say(pretty(&answer));
        }
        let rows = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
        if rows.is_empty() {
            bail!("Delegated bandwidth not found: {account} has delegated nothing");
        }
        say(format!("{:<13}{:<21}{:<21}", "Receiver", "Net bandwidth", "CPU bandwidth"))?;
        rows.iter().try_for_each(|row: &Value| {
            let text = |key: &str| row[key].as_str().unwrap_or_default();
            say(format!("{:<13}{:<21}{:<21}", text("to"), text("net_weight"), text("cpu_weight")))
        })
    }
}

impl BuyRam {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (payer, receiver) = (name(&self.payer)?, name(&self.receiver)?);
        let authorization = self.transact.authorization(payer)?;
        let action = if self.kbytes || self.bytes {
            let unit = if self.kbytes { BYTES_PER_KIB } else { 1 };
            let number = self.amount.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
            let bytes =
                number.with_context(|| format!("{:?} is not a valid number of bytes, or too many", self.amount))?;
            buy_bytes(session, payer, receiver, bytes, &authorization)?
        } else {
            if self.amount.parse::<u64>().is_ok() {
                bail!("{0} of what? {0} bytes: --bytes; {0} KiB: --kbytes; for tokens: \"{0} SYS\"", self.amount);
            }
            buy_for(session, payer, receiver, &self.amount, &authorization)?
        };
        self.transact.send(session, vec![action], Compression::None)
    }
}

fn buy_for(
    session: &mut Session,
    payer: Name,
    receiver: Name,
    amount: &str,
    authorization: &[PermissionLevel],
) -> anyhow::Result<Action> {
    let arguments = json!({ "payer": payer, "receiver": receiver, "quant": session.core_token(amount)? });
    action(session, primitives::name!("buyram"), authorization, &arguments)
}

fn buy_bytes(
    session: &mut Session,
    payer: Name,
    receiver: Name,
    bytes: u32,
    authorization: &[PermissionLevel],
) -> anyhow::Result<Action> {
    let arguments = json!({ "payer": payer, "receiver": receiver, "bytes": bytes });
    action(session, primitives::name!("buyrambytes"), authorization, &arguments)
}
