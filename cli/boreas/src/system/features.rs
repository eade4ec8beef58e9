//! `boreas system activate`: protocol features by name.

use anyhow::{Context, bail};
use clap::Args;
use primitives::{Compression, PermissionLevel};
use serde_json::{Value, json};

use crate::arguments::{name, permission};
use crate::session::Session;
use crate::transact::TransactArgs;

/// This one is activated by an endpoint of the node, as no contract can before it.
const NOT_BY_ACTION: &str = "PREACTIVATE_FEATURE";

/// Flags of `system activate`.
#[derive(Args)]
pub struct Activate {
    /// The name, as "boreas get supported_protocol_features" prints it
    feature: String,
    /// The account of the contract
    #[arg(short, long, default_value = "eosio")]
    account: String,
    #[command(flatten)]
    transact: TransactArgs,
}

impl Activate {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let wanted = self.feature.to_uppercase();
        let features = supported_features(session)?;
        let Some((_, digest)) = features.iter().find(|(name, _)| *name == wanted) else {
            let names: Vec<_> = features.into_iter().map(|(name, _)| name).collect();
            bail!("{wanted} is unknown. Following protocol features are supported\n\n{}", names.join("\n"));
        };
        let by = match self.transact.given_authorization()? {
            given if given.is_empty() => vec![permission("eosio")?],
            given => given,
        };
        let by: Vec<PermissionLevel> = by;
        let action = session.action(name(&self.account)?, primitives::name!("activate"), by, &json!([digest]))?;
        self.transact.send(session, vec![action], Compression::None)
    }
}

/// Names and digests of the protocol features that a contract can activate.
pub fn supported_features(session: &Session) -> anyhow::Result<Vec<(String, String)>> {
    let body = json!({ "exclude_disabled": true, "exclude_unactivatable": true });
    let answer = session.call("/v1/producer/get_supported_protocol_features", &body)?;
    let features = answer.as_array().context("the node tells of no protocol features")?;
    let feature = |feature: &Value| {
        let name = feature["specification"][0]["value"].as_str()?;
        (name != NOT_BY_ACTION).then_some((name.to_owned(), feature["feature_digest"].as_str()?.to_owned()))
    };
    Ok(features.iter().filter_map(feature).collect())
}
