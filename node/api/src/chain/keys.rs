//! `get_required_keys`, `get_transaction_id`.

use abi::present;
use primitives::{Fault, FaultKind, PublicKey, Transaction};
use serde::Deserialize;
use serde_json::{Value, json as value};

use crate::abis::SHORT;
use crate::block_json::{contracts_of_json, from_set};
use crate::node::Node;
use crate::recover::DESERIALIZE;
use crate::reply::{Answer, json};
use crate::{ApiError, params};

#[derive(Deserialize)]
struct RequiredKeysParams {
    #[serde(default)]
    transaction: Value,
    #[serde(default)]
    available_keys: Vec<PublicKey>,
}

/// `get_required_keys`: which of the given keys must sign a transaction.
pub fn get_required_keys(node: &Node, body: &[u8]) -> Answer {
    let params: RequiredKeysParams = params::required(body)?;
    let contracts = contracts_of_json(&params.transaction);
    let abis = node.handle.read(|chain| node.abis.set(chain.ledger(), contracts));
    let transaction =
        present::transaction_from(&params.transaction, &mut from_set(&abis), &SHORT).map_err(|fault| {
            fault.with_context(DESERIALIZE).rethrown_as(FaultKind::TRANSACTION_TYPE_EXCEPTION, "Invalid transaction")
        })?;
    let mut available = params.available_keys;
    available.sort_unstable();
    available.dedup();
    let keys = node.handle.read(|chain| execution::get_required_keys(chain.ledger(), &transaction, &available))?;
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    json(200, &value!({"required_keys": keys}))
}

/// `get_transaction_id`: actions' data in hexadecimal only.
pub fn get_transaction_id(_: &Node, body: &[u8]) -> Answer {
    if body.is_empty() {
        return Err(params::missing());
    }
    let refuse = |message: &str| {
        let fault = Fault::new(FaultKind::INVALID_HTTP_REQUEST, message).with_context("Invalid transaction");
        ApiError::of(&fault)
    };
    let parsed: Value = serde_json::from_slice(body)
        .map_err(|error| ApiError::bad_body("Invalid transaction", vec![params::plain(&error)]))?;
    let Value::Object(mut fields) = parsed else { return Err(refuse("Transaction object is missing or invalid")) };
    let Some(Value::Array(actions)) = fields.get_mut("actions") else {
        return Err(refuse("Transaction actions are missing or invalid"));
    };
    for action in actions {
        let Value::Object(action) = action else { return Err(refuse("Transaction contains invalid or empty action")) };
        match (action.get("data"), action.get("hex_data").cloned()) {
            (Some(_), Some(bytes)) => {
                action.insert("data".to_owned(), bytes);
            }
            (Some(data), None) if !data.is_string() => {
                return Err(refuse("Request supports only un-exploded 'data' (hex form)"));
            }
            _ => {}
        }
    }
    let transaction: Transaction = serde_json::from_value(Value::Object(fields))
        .map_err(|error| ApiError::bad_body("Invalid transaction", vec![params::plain(&error)]))?;
    if transaction.id() == Transaction::default().id() {
        return Err(refuse("Invalid transaction object"));
    }
    json(200, &transaction.id().to_string())
}
