//! From a client's JSON to a transaction that the writer can run: unpacked, hashed, its keys recovered. All of it on
//! the thread that serves the request.

use std::sync::Arc;

use abi::present;
use execution::RecoveredTransaction;
use primitives::{
    Action, Bytes, Compression, Fault, FaultKind, PackedTransaction, Signature, SignedTransaction, TimePointSec,
    Transaction, TransactionHeader, VarUint32,
};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::ApiError;
use crate::block_json::{contracts_of_json, from_set};
use crate::bounds::Bounds;
use crate::node::Node;
use crate::params::{self, Fields, FromVariant, field};

/// A transaction as clients send it: packed, or with actions in the form of their contracts' ABIs. serde reads only
/// what it understands as nodeos does; all else is read again by [`FromVariant`].
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields)]
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
    #[serde(default, deserialize_with = "as_nodeos")]
    transaction: Option<Value>,
}

/// The most levels that a transaction stands deep in a body; one that is too deep then is read again with its body.
const TRANSACTION_DEPTH: u32 = 2;

/// Reads a part with nodeos' rules for numbers and strings, which are not those of serde_json.
fn as_nodeos<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let text = <&RawValue>::deserialize(deserializer)?.get();
    abi::json::from_part(text.as_bytes(), TRANSACTION_DEPTH).map(Some).map_err(serde::de::Error::custom)
}

/// What nodeos' reader adds to a fault inside a transaction.
pub const DESERIALIZE: &str = "Failed to deserialize variant";

/// A fault inside of what a client sent as a transaction.
fn invalid(fault: Fault) -> Fault {
    fault
        .with_context(DESERIALIZE)
        .rethrown_as(FaultKind::PACKED_TRANSACTION_TYPE_EXCEPTION, "Invalid packed transaction")
}

fn absent(what: &str) -> Fault {
    Fault::new(FaultKind::PACKED_TRANSACTION_TYPE_EXCEPTION, format!("Missing {what}"))
}

fn missing(what: &str) -> Fault {
    invalid(absent(what))
}

/// Reads a body that is one transaction.
///
/// # Errors
/// `invalid_http_request`, or why it is no packed transaction.
pub fn read_body(body: &[u8]) -> Result<TransactionJson, ApiError> {
    match strict(body) {
        Some(read) if TransactionJson::is_whole(&read) => Ok(read),
        _ => {
            let value = params::value(body)?;
            Fields::from_variant(&value).map_err(params::unreadable)?;
            Ok(TransactionJson::read(&value)?)
        }
    }
}

/// Reads an object that is strict JSON, as nearly all are. serde would take a list for an object.
pub fn strict<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Option<T> {
    body.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(body).ok()).flatten()
}

impl TransactionJson {
    /// Whether all that a transaction needs is there.
    pub fn is_whole(&self) -> bool {
        self.signatures.is_some()
            && self.compression.is_some()
            && (self.packed_trx.is_some() || self.transaction.is_some())
    }

    /// Reads what is no strict JSON of a transaction as nodeos does.
    ///
    /// # Errors
    /// Why it is no packed transaction.
    pub fn read(value: &Value) -> Result<Self, Fault> {
        Self::from_variant(value).map_err(invalid)
    }
}

impl FromVariant for TransactionJson {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        Fields::from_variant(value)?;
        let needed = |name: &str| value.get(name).ok_or_else(|| absent(name));
        let (signatures, compressed) = (needed("signatures")?, needed("compression")?);
        let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (signatures, compression) = (FromVariant::from_variant(signatures)?, compression(compressed)?);
        // Nobody looks at what is not packed where there is what is packed.
        let packed_data = text("packed_context_free_data");
        let data = value.get("context_free_data").filter(|_| packed_data.is_none());
        Ok(Self {
            signatures: Some(signatures),
            compression: Some(compression),
            packed_context_free_data: packed_data.map(str::to_owned),
            context_free_data: data.map(FromVariant::from_variant).transpose()?,
            packed_trx: text("packed_trx").map(str::to_owned),
            transaction: value.get("transaction").cloned(),
        })
    }
}

impl FromVariant for Transaction {
    /// What is missing has its default; actions' data is hexadecimal.
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        let header = TransactionHeader {
            expiration: value.get("expiration").map_or(Ok(TimePointSec::default()), time)?,
            ref_block_num: field(value, "ref_block_num")?,
            ref_block_prefix: field(value, "ref_block_prefix")?,
            max_net_usage_words: VarUint32(field(value, "max_net_usage_words")?),
            max_cpu_usage_ms: field::<u32>(value, "max_cpu_usage_ms")? as u8,
            delay_sec: VarUint32(field(value, "delay_sec")?),
        };
        Ok(Self {
            header,
            context_free_actions: field(value, "context_free_actions")?,
            actions: field(value, "actions")?,
            extensions: field(value, "transaction_extensions")?,
        })
    }
}

fn time(value: &Value) -> Result<TimePointSec, Fault> {
    String::from_variant(value)?.parse()
}

impl FromVariant for Action {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        Fields::from_variant(value)?;
        Ok(Self {
            account: field(value, "account")?,
            name: field(value, "name")?,
            authorization: field(value, "authorization")?,
            data: field(value, "data")?,
        })
    }
}

impl FromVariant for Signature {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        let text = String::from_variant(value)?;
        text.parse().map_err(|fault: Fault| fault.with_context("error parsing signature"))
    }
}

impl FromVariant for Bytes {
    fn from_variant(value: &Value) -> Result<Self, Fault> {
        primitives::json::bytes_of_hex(params::plain_text(value)?).map(Self)
    }
}

/// By name or number, the number as text too, as fc reads enumerations; of a number its lowest 32 bits count.
fn compression(value: &Value) -> Result<Compression, Fault> {
    let unknown = |what: &str, shown: &dyn std::fmt::Display| {
        let message = format!("invalid {what} '{shown}' in enum 'eosio::chain::packed_transaction::compression_type'");
        Fault::new(FaultKind::BAD_CAST_EXCEPTION, message)
    };
    let index = match value.as_str() {
        Some("none") => 0,
        Some("zlib") => 1,
        Some(other) => other.parse::<i64>().map_err(|_| unknown("name", &other))?,
        None => i64::from_variant(value)?,
    };
    match index as i32 {
        0 => Ok(Compression::None),
        1 => Ok(Compression::Zlib),
        _ => Err(unknown("index", &index)),
    }
}

/// The packed form of what a client sent.
///
/// # Errors
/// `packed_transaction_type_exception` and the faults of its parts.
pub fn packed(node: &Node, json: TransactionJson) -> Result<PackedTransaction, Fault> {
    let signatures = json.signatures.ok_or_else(|| missing("signatures"))?;
    let compression = json.compression.ok_or_else(|| missing("compression"))?;
    let bytes = |text: &str| hex::decode(text).or_else(|_| primitives::json::bytes_of_hex(text)).map_err(invalid);
    let packed_data = json.packed_context_free_data.filter(|text| !text.is_empty());
    let packed_data = packed_data.map(|text| bytes(&text)).transpose()?;
    let data = json.context_free_data.unwrap_or_default();
    let (packed_trx, transaction) = match json.packed_trx.filter(|text| !text.is_empty()) {
        Some(text) => (Some(bytes(&text)?), Transaction::default()),
        None => {
            let json = json.transaction.ok_or_else(|| missing("transaction"))?;
            Fields::from_variant(&json).map_err(invalid)?;
            let contracts = contracts_of_json(&json);
            let abis = node.abis.set(&node.handle, contracts);
            let bounds = Bounds::new();
            (None, present::transaction_from(&json, &mut from_set(&abis), &bounds.limits()).map_err(invalid)?)
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
    let started = engine::clock::machine_time();
    let packed = if signed { packed } else { PackedTransaction { signatures: Vec::new(), ..packed } };
    let recovered = chain::recover_transaction(packed.clone(), &node.handle.chain_id());
    let mut recovered = recovered.map_err(|fault| {
        let unpacked = packed.transaction().and_then(|_| packed.context_free_data());
        if unpacked.is_err() { invalid(fault) } else { fault }
    })?;
    recovered.signature_cpu_us = u32::try_from(engine::clock::machine_time().0 - started.0).unwrap_or(0);
    Ok(Arc::new(recovered))
}
