//! `boreas convert`: between JSON and packed bytes.

use anyhow::{Context, ensure};
use clap::Subcommand;
use primitives::{Action, Bytes, Compression, PackedTransaction};
use serde_json::json;

use crate::arguments::name;
use crate::json::{Grammar, pretty, text_or_file};
use crate::session::{Session, say};
use crate::transactions;

/// What is converted.
#[derive(Subcommand)]
#[command(rename_all = "snake_case")]
pub enum Convert {
    /// From plain signed JSON to packed form
    #[command(alias = "pack-transaction")]
    PackTransaction {
        /// The transaction as JSON, or a file with it
        transaction: String,
        /// Pack the arguments of all actions, by the ABIs that the node has
        #[arg(long = "pack-action-data")]
        pack_action_data: bool,
    },
    /// From packed to plain signed JSON form
    #[command(alias = "unpack-transaction")]
    UnpackTransaction {
        /// The packed transaction as JSON, or a file with it
        transaction: String,
        /// Unpack the arguments of all actions, by the ABIs that the node has
        #[arg(long = "unpack-action-data")]
        unpack_action_data: bool,
    },
    /// From JSON action data to packed form
    #[command(alias = "pack-action-data")]
    PackActionData {
        /// The contract
        account: String,
        /// The action
        name: String,
        /// The arguments as JSON, or a file with it
        unpacked_action_data: String,
    },
    /// From packed to JSON action data form
    #[command(alias = "unpack-action-data")]
    UnpackActionData {
        /// The contract
        account: String,
        /// The action
        name: String,
        /// The arguments as hexadecimal digits
        packed_action_data: String,
    },
}

impl Convert {
    /// Converts and prints.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::PackTransaction { transaction, pack_action_data } => {
                let value = text_or_file(&transaction, Grammar::Plain)?;
                let signed = if pack_action_data {
                    transactions::signed_from(session, &value)?
                } else {
                    let plain = transactions::plain(&value);
                    plain.context("Fail to convert transaction, --pack-action-data likely needed")?
                };
                say(pretty(&json!(PackedTransaction::new(&signed, Compression::None))))
            }
            Self::UnpackTransaction { transaction, unpack_action_data } => {
                let packed = transactions::packed(text_or_file(&transaction, Grammar::Plain)?)?;
                let signed = packed.unpack_signed().context("the packed transaction cannot be unpacked")?;
                if !unpack_action_data {
                    return say(pretty(&json!(signed)));
                }
                let mut value = transactions::unpacked(session, &signed.transaction)?;
                value["signatures"] = json!(signed.signatures);
                value["context_free_data"] = json!(signed.context_free_data);
                say(pretty(&value))
            }
            Self::PackActionData { account, name: action, unpacked_action_data } => {
                let arguments = text_or_file(&unpacked_action_data, Grammar::Plain)?;
                let action = session.action(name(&account)?, name(&action)?, Vec::new(), &arguments)?;
                say(action.data.to_string())
            }
            Self::UnpackActionData { account, name: action, packed_action_data } => {
                ensure!(packed_action_data.len() >= 2, "No packed_action_data found");
                let data = hex::decode(&packed_action_data);
                let data =
                    data.map_err(|_| anyhow::anyhow!("packed_action_data has to be hexadecimal digits, two a byte"))?;
                let (account, action) = (name(&account)?, name(&action)?);
                let action = Action { account, name: action, authorization: Vec::new(), data: Bytes(data) };
                say(pretty(&session.contracts.arguments(&session.node, &action)?))
            }
        }
    }
}
