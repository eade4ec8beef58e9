//! `boreas transfer`.

use clap::Args;
use primitives::Compression;
use serde_json::json;

use crate::arguments::name;
use crate::session::Session;
use crate::transact::{TransactArgs, unique_text};

/// Flags of `transfer`.
#[derive(Args)]
pub struct Transfer {
    /// The account sending tokens
    sender: String,
    /// The account receiving tokens
    recipient: String,
    /// The amount to send, such as "1.0000 SYS"
    amount: String,
    /// The memo
    #[arg(default_value = "")]
    memo: String,
    /// The contract that keeps the token
    #[arg(short, long, default_value = "eosio.token")]
    contract: String,
    /// Pay the RAM of the recipient's balance row
    #[arg(long)]
    pay_ram_to_open: bool,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Transfer {
    /// Sends it.
    pub fn run(mut self, session: &mut Session) -> anyhow::Result<()> {
        let (sender, recipient) = (name(&self.sender)?, name(&self.recipient)?);
        let contract = name(&self.contract)?;
        let amount = session.token(contract, &self.amount)?;
        if self.memo.is_empty() && self.transact.take_force_unique() {
            self.memo = unique_text();
        }
        let authorization = self.transact.authorization(sender)?;
        let mut actions = Vec::new();
        if self.pay_ram_to_open {
            let symbol = json!({ "owner": recipient, "symbol": amount.symbol, "ram_payer": sender });
            actions.push(session.action(contract, primitives::name!("open"), authorization.clone(), &symbol)?);
        }
        let arguments = json!({ "from": sender, "to": recipient, "quantity": amount, "memo": self.memo });
        actions.push(session.action(contract, primitives::name!("transfer"), authorization, &arguments)?);
        self.transact.send(session, actions, Compression::None)
    }
}
