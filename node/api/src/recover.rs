//! From a client's JSON to a transaction that the writer can run: unpacked, hashed, its keys recovered. All of it on
//! the thread that serves the request.

use std::sync::Arc;

use abi::present;
use execution::RecoveredTransaction;
use primitives::{Bytes, Compression, Fault, FaultKind, PackedTransaction, Signature, SignedTransaction, Transaction};
use serde::Deserialize;
use serde_json::Value;

use crate::abis::SHORT;
use crate::block_json::{contracts_of_json, from_set};
use crate::node::Node;
use crate::{ApiError, params};

/// A transaction as clients send it: packed, or with actions in the form of their contracts' ABIs.
#[derive(Deserialize, Default)]
pub struct TransactionJson {
    #[serde(default)]
    signatures: Option<Vec<Signature>>,
    #[serde(default)]
    compression: Option<Compression>,
    #[serde(default)]
    packed_context_free_data: Option<String>,
    #[serde(default)]
    context_free_data: Option<Vec<Bytes>>,
    #[serde(default)]
    packed_trx: Option<String>,
    #[serde(default)]
    transaction: Option<Value>,
}

/// Reads a body that is a transaction. A body that is JSON, but no transaction, is the transaction's fault.
///
/// # Errors
/// `invalid_http_request`, or why it is no packed transaction.
pub fn read_body<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, ApiError> {
    if params::is_empty(body) {
        return Err(params::missing());
    }
    match serde_json::from_slice(body) {
        Ok(read) => Ok(read),
        Err(error) if error.is_data() && serde_json::from_slice::<Value>(body).is_ok_and(|json| json.is_object()) => {
            Err(ApiError::of(&invalid(&params::plain(&error))))
        }
        Err(error) => Err(params::unreadable(&error)),
    }
}

/// What nodeos' reader adds to a fault inside a transaction.
pub const DESERIALIZE: &str = "Failed to deserialize variant";

fn invalid(text: &str) -> Fault {
    let fault = Fault::recognise(text).unwrap_or_else(|| Fault::new(FaultKind::EXCEPTION, text));
    let fault = fault.with_context(DESERIALIZE);
    fault.rethrown_as(FaultKind::PACKED_TRANSACTION_TYPE_EXCEPTION, "Invalid packed transaction")
}

fn missing(what: &str) -> Fault {
    Fault::new(FaultKind::PACKED_TRANSACTION_TYPE_EXCEPTION, format!("Missing {what}"))
        .with_context(DESERIALIZE)
        .with_context("Invalid packed transaction")
}

/// The packed form of what a client sent.
///
/// # Errors
/// `packed_transaction_type_exception` and the faults of its parts.
pub fn packed(node: &Node, json: TransactionJson) -> Result<PackedTransaction, Fault> {
    let signatures = json.signatures.ok_or_else(|| missing("signatures"))?;
    let compression = json.compression.ok_or_else(|| missing("compression"))?;
    let bytes = |text: &str| {
        hex::decode(text).or_else(|_| primitives::json::bytes_of_hex(text)).map_err(|fault| {
            fault
                .with_context(DESERIALIZE)
                .rethrown_as(FaultKind::PACKED_TRANSACTION_TYPE_EXCEPTION, "Invalid packed transaction")
        })
    };
    let packed_data = json.packed_context_free_data.filter(|text| !text.is_empty());
    let packed_data = packed_data.map(|text| bytes(&text)).transpose()?;
    let data = json.context_free_data.unwrap_or_default();
    let (packed_trx, transaction) = match json.packed_trx.filter(|text| !text.is_empty()) {
        Some(text) => (Some(bytes(&text)?), Transaction::default()),
        None => {
            let json = json.transaction.ok_or_else(|| missing("transaction"))?;
            let contracts = contracts_of_json(&json);
            let abis = node.handle.read(|chain| node.abis.set(chain.ledger(), contracts));
            let transaction = present::transaction_from(&json, &mut from_set(&abis), &SHORT).map_err(|fault| {
                let fault = fault.with_context(DESERIALIZE);
                fault.rethrown_as(FaultKind::PACKED_TRANSACTION_TYPE_EXCEPTION, "Invalid packed transaction")
            })?;
            (None, transaction)
        }
    };
    let signed = SignedTransaction { transaction, signatures, context_free_data: data };
    let mut packed = PackedTransaction::new(&signed, compression);
    if let Some(packed_trx) = packed_trx {
        packed.packed_trx = Bytes(packed_trx);
    }
    if let Some(packed_data) = packed_data {
        packed.packed_context_free_data = Bytes(packed_data);
    }
    Ok(packed)
}

/// Unpacks, hashes and recovers the keys of a transaction; `signed` is false where nobody asks for signatures.
///
/// # Errors
/// Why it cannot be unpacked, or a signature that is none.
pub fn recovered(node: &Node, packed: PackedTransaction, signed: bool) -> Result<Arc<RecoveredTransaction>, Fault> {
    let bytes_max = node.settings.signature_bytes_max;
    for signature in &packed.signatures {
        let bytes = signature.variable_size();
        if bytes > bytes_max {
            let message = format!(
                "variable length component of signature ({bytes}) greater than subjective maximum ({bytes_max})"
            );
            return Err(Fault::new(FaultKind::SIG_VARIABLE_SIZE_LIMIT_EXCEPTION, message));
        }
    }
    let started = engine::clock::now();
    let packed = if signed { packed } else { PackedTransaction { signatures: Vec::new(), ..packed } };
    let mut recovered = chain::recover_transaction(packed, &node.handle.chain_id())?;
    recovered.signature_cpu_us = u32::try_from(engine::clock::now().0 - started.0).unwrap_or(0);
    Ok(Arc::new(recovered))
}
