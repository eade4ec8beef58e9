//! Transactions as arguments: JSON, packed or not, with their actions' arguments in hex or as the ABI has them.

use anyhow::{Context, bail};
use client::{Contracts, Node};
use primitives::{Bytes, Fault, Name, PackedTransaction, Signature, SignedTransaction};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::arguments;
use crate::json::{Grammar, text_or_file};
use crate::session::Session;

/// The name of a transaction's type in the chain's ABI.
const TRANSACTION: &str = "transaction";

/// A transaction from JSON or a file with it; and whether it was packed. Actions' arguments that are objects are packed
/// by the ABIs of their contracts.
pub fn signed(session: &mut Session, argument: &str) -> anyhow::Result<(SignedTransaction, bool)> {
    let value = text_or_file(argument, Grammar::Plain)?;
    if value.get("packed_trx").is_some() {
        return Ok((packed(value)?.unpack_signed().context("the packed transaction cannot be unpacked")?, true));
    }
    signed_from(session, &value).map(|signed| (signed, false))
}

/// A packed transaction from its JSON.
pub fn packed(value: Value) -> anyhow::Result<PackedTransaction> {
    if value.get("packed_trx").is_none() {
        bail!("this is not a packed transaction: it has no packed_trx");
    }
    serde_json::from_value(value).context("this is not a valid packed transaction")
}

/// A transaction from its JSON.
pub fn signed_from(session: &mut Session, value: &Value) -> anyhow::Result<SignedTransaction> {
    let value = hex_first(value);
    let Some(fields) = value.as_object() else { bail!("a transaction is an object in {{ }}, not {value}") };
    if fields.get("actions").is_none() && fields.get("context_free_actions").is_none() {
        bail!("this is not a transaction: it has no actions");
    }
    let mut failed = None;
    let Session { node, contracts, .. } = session;
    let mut abis = |account| Ok(abi(contracts, node, account, &mut failed));
    let transaction = abi::present::transaction_from(&value, &mut abis, &abi::Limits::default());
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(SignedTransaction {
        transaction: transaction.map_err(|fault| why_not_valid(session, &value, fault))?,
        signatures: list::<Signature>(&value, "signatures")?,
        context_free_data: list::<Bytes>(&value, "context_free_data")?,
    })
}

/// A transaction from JSON in which the arguments of actions are packed.
pub fn plain(value: &Value) -> anyhow::Result<SignedTransaction> {
    arguments::of_chain_type(value, TRANSACTION, &defaults())
}

/// What may be left out of a transaction.
fn defaults() -> Value {
    json!({
        "expiration": "1970-01-01T00:00:00", "ref_block_num": 0, "ref_block_prefix": 0, "max_net_usage_words": 0,
        "max_cpu_usage_ms": 0, "delay_sec": 0, "context_free_actions": [], "actions": [], "transaction_extensions": [],
    })
}

/// Which part of a transaction is wrong: one of its own, or the arguments of an action.
fn why_not_valid(session: &mut Session, value: &Value, fault: Fault) -> anyhow::Error {
    const CONTEXT: &str = "this is not a valid transaction";
    let (mut packed, mut arguments) = (value.clone(), Vec::new());
    for key in ["context_free_actions", "actions"] {
        for action in packed.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(data) =
                action.get_mut("data").filter(|data| data.is_object() || data.is_array()).map(Value::take)
            {
                action["data"] = json!("");
                arguments.push((action["account"].clone(), action["name"].clone(), data));
            }
        }
    }
    if let Some(reason) = client::mismatch_of_chain_type(TRANSACTION, &packed, &defaults()) {
        return anyhow::anyhow!(reason).context(CONTEXT);
    }
    let name = |value: &Value| value.as_str().unwrap_or_default().parse::<Name>().unwrap_or_default();
    let Session { node, contracts, .. } = session;
    let wrong = arguments.iter().find_map(|(account, action, data)| {
        contracts.action(node, name(account), name(action), Vec::new(), data).err()
    });
    wrong.map_or_else(|| fault.into(), anyhow::Error::from).context(CONTEXT)
}

/// An account's ABI, or why there is none.
fn abi(
    contracts: &mut Contracts,
    node: &Node,
    account: Name,
    failed: &mut Option<anyhow::Error>,
) -> Option<std::sync::Arc<abi::Abi>> {
    contracts.abi(node, account).map_err(|error| *failed = Some(error.into())).ok()
}

fn list<T: DeserializeOwned>(value: &Value, key: &str) -> anyhow::Result<Vec<T>> {
    let list = value.get(key).filter(|list| !list.is_null());
    let list = list.map(|list| serde_json::from_value(list.clone())).transpose();
    Ok(list.with_context(|| format!("{key} of the transaction"))?.unwrap_or_default())
}

/// Actions that have both forms of their arguments, as nodes print them, are taken by the bytes.
fn hex_first(value: &Value) -> Value {
    let mut value = value.clone();
    for key in ["actions", "context_free_actions"] {
        for action in value.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(hex) = action.get("hex_data").filter(|hex| hex.is_string()).cloned() {
                action["data"] = hex;
            }
        }
    }
    value
}

/// A transaction for people: actions' arguments by their ABIs where there are some.
pub fn unpacked(session: &mut Session, transaction: &primitives::Transaction) -> anyhow::Result<Value> {
    let Session { node, contracts, .. } = session;
    let mut missing = None;
    let mut abis = |account| Ok(abi(contracts, node, account, &mut missing));
    Ok(abi::present::transaction(transaction, &mut abis, &abi::Limits::default())?)
}
