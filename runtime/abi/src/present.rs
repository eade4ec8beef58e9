//! Transactions and blocks in JSON with their actions' arguments decoded, and transactions back from JSON.
//!
//! The shapes of nodeos' `abi_serializer::to_variant` and `from_variant`. Traces are shaped by who makes them; the
//! action inside a trace comes from here.

use std::sync::Arc;

use codec::Bytes;
use primitives::block::ReceiptTransaction;
use primitives::{
    Action, Compression, Fault, FaultKind, Name, PackedTransaction, PermissionLevel, Signature, SignedBlock,
    SignedTransaction, Transaction, TransactionReceipt, ensure,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{Abi, Limits};

/// Levels of nodeos' conversion above an action's arguments.
const ACTION_DEPTH: usize = 8;

/// Bytes of text that a receipt is expected to become.
const TEXT_PER_RECEIPT: usize = 1024;

/// Where the ABIs of accounts come from; `None` for an account without one, a fault for one that cannot be used.
pub type Abis<'a> = dyn FnMut(Name) -> Result<Option<Arc<Abi>>, Fault> + 'a;

fn value_of<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).expect("values of the chain have a JSON form")
}

/// Adds fields in order.
macro_rules! fields {
    ($($name:literal: $value:expr),* $(,)?) => {{
        let mut fields = Map::new();
        $(fields.insert($name.to_owned(), $value);)*
        fields
    }};
}

/// An action: `data` is decoded where the contract's ABI can, else it is hex like `hex_data`.
pub fn action(action: &Action, abis: &mut Abis<'_>, limits: &Limits<'_>) -> Value {
    let limits = Limits { short_path: true, depth_used: limits.depth_used.max(ACTION_DEPTH), ..*limits };
    let decode = |abi: &Abi| abi.decode(abi.action_type(action.name)?, &action.data, &limits).ok();
    let hex = Value::String(action.data.to_string());
    let abi = abis(action.account).ok().flatten();
    let data = abi.and_then(|abi| decode(&abi)).unwrap_or_else(|| hex.clone());
    Value::Object(fields! {
        "account": value_of(&action.account),
        "name": value_of(&action.name),
        "authorization": value_of(&action.authorization),
        "data": data,
        "hex_data": hex,
    })
}

/// What an action returned, decoded where the contract's ABI can.
pub fn return_value(act: &Action, value: &[u8], abis: &mut Abis<'_>, limits: &Limits<'_>) -> Option<Value> {
    let limits = Limits { short_path: true, ..*limits };
    let abi = abis(act.account).ok()??;
    abi.decode(abi.action_result_type(act.name)?, value, &limits).ok()
}

/// A transaction.
///
/// # Errors
/// When an extension is ill-formed.
pub fn transaction(transaction: &Transaction, abis: &mut Abis<'_>, limits: &Limits<'_>) -> Result<Value, Fault> {
    let Value::Object(mut fields) = value_of(&transaction.header) else { unreachable!("headers are objects") };
    for (name, actions) in
        [("context_free_actions", &transaction.context_free_actions), ("actions", &transaction.actions)]
    {
        let items = actions.iter().map(|item| action(item, abis, limits)).collect();
        fields.insert(name.to_owned(), Value::Array(items));
    }
    if let Some(context) = transaction.deferred_context()? {
        let context = json!({
            "sender_trx_id": context.sender_trx_id,
            "sender_id": context.sender_id.to_string(),
            "sender": context.sender,
        });
        fields.insert("deferred_transaction_generation".to_owned(), context);
    }
    Ok(Value::Object(fields))
}

/// A packed transaction with its contents.
///
/// # Errors
/// When it cannot be unpacked.
pub fn packed_transaction(
    packed: &PackedTransaction,
    abis: &mut Abis<'_>,
    limits: &Limits<'_>,
) -> Result<Value, Fault> {
    let unpacked = packed.transaction()?;
    Ok(Value::Object(fields! {
        "id": value_of(&unpacked.id()),
        "signatures": value_of(&packed.signatures),
        "compression": value_of(&packed.compression),
        "packed_context_free_data": value_of(&packed.packed_context_free_data),
        "context_free_data": value_of(&packed.context_free_data()?),
        "packed_trx": value_of(&packed.packed_trx),
        "transaction": transaction(&unpacked, abis, limits)?,
    }))
}

/// A receipt: the transaction's id, or the transaction with its contents.
///
/// # Errors
/// When the transaction cannot be unpacked.
pub fn receipt(receipt: &TransactionReceipt, abis: &mut Abis<'_>, limits: &Limits<'_>) -> Result<Value, Fault> {
    Ok(Value::Object(fields! {
        "status": value_of(&receipt.status),
        "cpu_usage_us": value_of(&receipt.cpu_usage_us),
        "net_usage_words": value_of(&receipt.net_usage_words),
        "trx": match &receipt.trx {
            ReceiptTransaction::Id(id) => value_of(id),
            ReceiptTransaction::Packed(packed) => packed_transaction(packed, abis, limits)?,
        },
    }))
}

/// A block as text, with fields `beside` its own at the end. Only one transaction at a time is in memory as a value.
///
/// # Errors
/// When extensions are ill-formed or a transaction cannot be unpacked.
pub fn block(
    block: &SignedBlock,
    beside: Map<String, Value>,
    abis: &mut Abis<'_>,
    limits: &Limits<'_>,
) -> Result<Vec<u8>, Fault> {
    let Value::Object(mut fields) = value_of(block.header()) else { unreachable!("headers are objects") };
    fields.shift_remove("header_extensions");
    fields.insert("new_producers".to_owned(), value_of(&block.header().new_producers));
    let extensions = block.header().extensions()?;
    if !extensions.protocol_features.is_empty() {
        let digests = extensions.protocol_features.iter().map(|digest| json!({ "feature_digest": digest })).collect();
        fields.insert("new_protocol_features".to_owned(), Value::Array(digests));
    }
    if let Some(schedule) = &extensions.new_schedule {
        fields.insert("new_producer_schedule".to_owned(), value_of(schedule));
    }
    fields.insert("producer_signature".to_owned(), value_of(&block.signed_header.producer_signature));
    let mut last = Map::new();
    let additional = block.additional_signatures()?;
    if !additional.is_empty() {
        last.insert("additional_signatures".to_owned(), json!({ "signatures": additional }));
    }
    last.extend(beside);

    let mut out = Vec::with_capacity(TEXT_PER_RECEIPT * (1 + block.transactions.len()));
    let mut separator = b'{';
    let mut write_fields = |out: &mut Vec<u8>, fields: Map<String, Value>| {
        for (name, value) in &fields {
            out.push(std::mem::replace(&mut separator, b','));
            write(out, name);
            out.push(b':');
            write(out, value);
        }
    };
    write_fields(&mut out, fields);
    out.extend_from_slice(b",\"transactions\":");
    let mut separator = b'[';
    for item in &block.transactions {
        out.push(std::mem::replace(&mut separator, b','));
        write(&mut out, &receipt(item, abis, limits)?);
    }
    out.extend_from_slice(if block.transactions.is_empty() { b"[]" } else { b"]" });
    write_fields(&mut out, last);
    out.push(b'}');
    Ok(out)
}

fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("writing into memory does not fail");
}

/// Reads a value with serde; a fault inside is found again.
fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    T::deserialize(value).map_err(|error: serde_json::Error| {
        let text = error.to_string();
        Fault::recognise(&text).unwrap_or_else(|| Fault::new(FaultKind::BAD_CAST_EXCEPTION, text))
    })
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| Fault::new(FaultKind::BAD_CAST_EXCEPTION, format!("{what} is not an object")))
}

fn required<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a Value, Fault> {
    let missing = || Fault::new(FaultKind::PACKED_TRANSACTION_TYPE_EXCEPTION, format!("Missing {name}"));
    fields.get(name).ok_or_else(missing)
}

/// A text that is not empty.
fn filled<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| value.as_str().is_some_and(|text| !text.is_empty()))
}

/// Who authorizes an action. What is missing of an entry is empty; serde would refuse that, and take a list for an entry.
fn authorization(value: &Value) -> Result<Vec<PermissionLevel>, Fault> {
    let level = |value: &Value| {
        let fields = object(value, "authorization")?;
        let part = |name: &str| fields.get(name).map(read::<Name>).transpose().map(Option::unwrap_or_default);
        Ok(PermissionLevel { actor: part("actor")?, permission: part("permission")? })
    };
    crate::builtin::as_array(value)?.iter().map(level).collect()
}

/// An action from JSON: `data` is hex or an object that the contract's ABI encodes; `hex_data` is the last resort.
///
/// # Errors
/// `packed_transaction_type_exception` when there is no data; faults of encoding.
pub fn action_from(value: &Value, abis: &mut Abis<'_>, limits: &Limits<'_>) -> Result<Action, Fault> {
    let fields = object(value, "action")?;
    let mut action = Action {
        account: read(required(fields, "account")?)?,
        name: read(required(fields, "name")?)?,
        authorization: fields.get("authorization").map(authorization).transpose()?.unwrap_or_default(),
        data: Bytes::default(),
    };
    let mut empty_on_purpose = false;
    match fields.get("data") {
        Some(data @ Value::String(_)) => {
            action.data = read(data)?;
            empty_on_purpose = action.data.is_empty();
        }
        Some(data @ Value::Object(_)) => {
            if let Some(abi) = abis(action.account)?
                && let Some(kind) = abi.action_type(action.name)
            {
                action.data = Bytes(abi.encode(kind, data, &Limits { short_path: true, ..*limits })?);
                empty_on_purpose = action.data.is_empty();
            }
        }
        _ => {}
    }
    if !empty_on_purpose && action.data.is_empty() {
        if let Some(data @ Value::String(_)) = fields.get("hex_data") {
            action.data = read(data)?;
        }
        let (account, name) = (action.account, action.name);
        let found = !action.data.is_empty();
        ensure!(found, PACKED_TRANSACTION_TYPE_EXCEPTION, "Failed to deserialize data for {account}:{name}");
    }
    Ok(action)
}

/// A transaction from JSON; missing fields keep their defaults.
///
/// # Errors
/// Faults of the parts.
pub fn transaction_from(value: &Value, abis: &mut Abis<'_>, limits: &Limits<'_>) -> Result<Transaction, Fault> {
    let fields = object(value, "transaction")?;
    let mut actions = |name: &str| match fields.get(name) {
        None => Ok(Vec::new()),
        Some(items) => {
            let items = crate::builtin::as_array(items)?;
            items.iter().map(|item| action_from(item, abis, limits)).collect::<Result<Vec<_>, Fault>>()
        }
    };
    Ok(Transaction {
        header: read(value)?,
        context_free_actions: actions("context_free_actions")?,
        actions: actions("actions")?,
        extensions: fields.get("transaction_extensions").map(read).transpose()?.unwrap_or_default(),
    })
}

/// A packed transaction from JSON: `packed_trx` and `packed_context_free_data` in hex, or `transaction` and
/// `context_free_data`.
///
/// # Errors
/// `packed_transaction_type_exception` when a part is missing; faults of the parts.
pub fn packed_transaction_from(
    value: &Value,
    abis: &mut Abis<'_>,
    limits: &Limits<'_>,
) -> Result<PackedTransaction, Fault> {
    let fields = object(value, "packed transaction")?;
    let signatures: Vec<Signature> = read(required(fields, "signatures")?)?;
    let compression: Compression = read(required(fields, "compression")?)?;
    let packed_data = filled(fields, "packed_context_free_data").map(read::<Bytes>).transpose()?;
    let context_free_data: Vec<Bytes> = match (&packed_data, fields.get("context_free_data")) {
        (None, Some(data)) => read(data)?,
        _ => Vec::new(),
    };
    let packed_trx = filled(fields, "packed_trx").map(read::<Bytes>).transpose()?;
    let transaction = match packed_trx {
        Some(_) => Transaction::default(),
        None => transaction_from(required(fields, "transaction")?, abis, limits)?,
    };
    let mut packed =
        PackedTransaction::new(&SignedTransaction { transaction, signatures, context_free_data }, compression);
    packed.packed_trx = packed_trx.unwrap_or(packed.packed_trx);
    packed.packed_context_free_data = packed_data.unwrap_or(packed.packed_context_free_data);
    Ok(packed)
}
