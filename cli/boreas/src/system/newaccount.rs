//! `boreas system newaccount`.

use anyhow::bail;
use clap::Args;
use primitives::{Compression, Name};
use serde_json::{Value, json};

use super::action;
use crate::arguments::{authority, name};
use crate::create::newaccount;
use crate::session::Session;
use crate::transact::TransactArgs;

const BYTES_PER_KIB: u32 = 1024;

/// Flags of `system newaccount`.
#[derive(Args)]
pub struct NewAccount {
    /// The account that creates
    creator: String,
    /// The new account
    name: String,
    /// Owner: public key, account@permission, or authority as JSON
    #[arg(value_name = "OwnerKey")]
    owner: String,
    /// Active: the same; as the owner when not given
    #[arg(value_name = "ActiveKey")]
    active: Option<String>,
    /// Tokens delegated for net bandwidth
    #[arg(long)]
    stake_net: String,
    /// Tokens delegated for CPU bandwidth
    #[arg(long)]
    stake_cpu: String,
    /// RAM to buy, in KiB
    #[arg(long, value_name = "KIB")]
    buy_ram_kbytes: Option<u32>,
    /// RAM to buy, in bytes
    #[arg(long, value_name = "BYTES", conflicts_with = "buy_ram_kbytes")]
    buy_ram_bytes: Option<u32>,
    /// RAM to buy, for so many tokens
    #[arg(long, value_name = "AMOUNT", conflicts_with_all = ["buy_ram_kbytes", "buy_ram_bytes"])]
    buy_ram: Option<String>,
    /// Transfer the stake to the new account: it may vote with it and unstake it
    #[arg(long)]
    transfer: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

impl NewAccount {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (creator, new) = (name(&self.creator)?, name(&self.name)?);
        let owner = authority(&self.owner, "the owner")?;
        let active = self.active.as_deref().map_or_else(|| Ok(owner.clone()), |text| authority(text, "the active"))?;
        let (buy, buy_arguments) = self.ram(session, creator, new)?;
        let (net, cpu) = (session.core_token(&self.stake_net)?, session.core_token(&self.stake_cpu)?);
        let authorization = self.transact.authorization(creator)?;

        let mut actions = vec![newaccount(creator, new, &owner, &active, authorization.clone())];
        actions.push(action(session, buy, &authorization, &buy_arguments)?);
        if net.amount != 0 || cpu.amount != 0 {
            let stake = json!({
                "from": creator, "receiver": new,
                "stake_net_quantity": net, "stake_cpu_quantity": cpu, "transfer": self.transfer,
            });
            actions.push(action(session, primitives::name!("delegatebw"), &authorization, &stake)?);
        }
        self.transact.send(session, actions, Compression::None)
    }

    fn ram(&self, session: &Session, payer: Name, receiver: Name) -> anyhow::Result<(Name, Value)> {
        if let Some(tokens) = &self.buy_ram {
            let arguments = json!({ "payer": payer, "receiver": receiver, "quant": session.core_token(tokens)? });
            return Ok((primitives::name!("buyram"), arguments));
        }
        let kib = self.buy_ram_kbytes.map(|kib| kib.saturating_mul(BYTES_PER_KIB));
        match self.buy_ram_bytes.or(kib) {
            Some(bytes) if bytes > 0 => {
                let arguments = json!({ "payer": payer, "receiver": receiver, "bytes": bytes });
                Ok((primitives::name!("buyrambytes"), arguments))
            }
            _ => bail!("ERROR: One of --buy-ram, --buy-ram-kbytes or --buy-ram-bytes should have non-zero value"),
        }
    }
}
