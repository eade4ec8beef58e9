//! `boreas system canceldelay`.

use clap::Args;
use primitives::{Compression, PermissionLevel};
use serde_json::json;

use super::action;
use crate::arguments::{name, transaction_id};
use crate::session::Session;
use crate::transact::TransactArgs;

/// Flags of `system canceldelay`.
#[derive(Args)]
pub struct CancelDelay {
    /// An account that authorized the delayed transaction
    canceling_account: String,
    /// The permission with which it did
    canceling_permission: String,
    /// The id of the delayed transaction
    trx_id: String,
    #[command(flatten)]
    transact: TransactArgs,
}

impl CancelDelay {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let (actor, permission) = (name(&self.canceling_account)?, name(&self.canceling_permission)?);
        let by = PermissionLevel { actor, permission };
        let authorization = match self.transact.given_authorization()? {
            given if given.is_empty() => vec![by],
            given => given,
        };
        let arguments = json!({ "canceling_auth": by, "trx_id": transaction_id(&self.trx_id)? });
        let action = action(session, primitives::name!("canceldelay"), &authorization, &arguments)?;
        self.transact.send(session, vec![action], Compression::None)
    }
}
