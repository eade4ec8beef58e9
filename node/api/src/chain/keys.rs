//! `get_required_keys`, `get_transaction_id`.

use std::cell::Cell;

use abi::{json as reader, present};
use execution::RequiredKeys;
use primitives::{Fault, FaultKind, PublicKey, Transaction, ensure};
use serde_json::{Value, json as value};

use crate::ApiError;
use crate::block_json::{contracts_of_json, from_set};
use crate::bounds::{Bounds, Deadline, READ_TIME_MAX_US};
use crate::node::Node;
use crate::params::{self, Fields, FromVariant};
use crate::recover::DESERIALIZE;
use crate::reply::{Answer, json};

/// Looks at the clock that end nothing, so that no busy machine refuses ordinary questions.
const UNCUT_LOOKS: usize = 32;

/// `get_required_keys`: which of the given keys must sign a transaction.
pub fn get_required_keys(node: &Node, body: &[u8]) -> Answer {
    let mut params = Fields::required(body)?;
    let available: Vec<PublicKey> = params.get("available_keys")?;
    let transaction = params.take("transaction");
    let contracts = contracts_of_json(&transaction);
    let (abis, bounds) = (node.abis.set(&node.handle, contracts), Bounds::new());
    let transaction =
        present::transaction_from(&transaction, &mut from_set(&abis), &bounds.limits()).map_err(|fault| {
            fault.with_context(DESERIALIZE).rethrown_as(FaultKind::TRANSACTION_TYPE_EXCEPTION, "Invalid transaction")
        })?;
    let required = RequiredKeys::new(&transaction, available);
    let keys = node.handle.read(|chain| {
        let (deadline, looks) = (Deadline::from_now(), Cell::new(0));
        required.find(chain.ledger(), &|| {
            looks.set(looks.get() + 1);
            ensure!(
                looks.get() <= UNCUT_LOOKS || !deadline.time_is_over(),
                INVALID_HTTP_REQUEST,
                "to find the required keys takes longer than the {} ms that a question may hold up the chain: send fewer \
                 actions, authorizations or keys",
                READ_TIME_MAX_US / 1000
            );
            Ok(())
        })
    })?;
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
    let parsed = reader::from_slice(body).map_err(|fault| ApiError::bad_body("Invalid transaction", fault.details))?;
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
    let transaction = Transaction::from_variant(&Value::Object(fields))
        .map_err(|fault| fault.rethrown_as(FaultKind::INVALID_HTTP_REQUEST, "Invalid transaction"))?;
    if transaction.id() == Transaction::default().id() {
        return Err(refuse("Invalid transaction object"));
    }
    json(200, &transaction.id().to_string())
}
