//! `/v1/trace_api`: what the transactions of stored blocks did.

use chain::SealedBlock;
use execution::features::Feature;
use execution::{ReceiptHeader, RecoveredTransaction};
use primitives::transaction::TransactionHeader;
use primitives::{FaultKind, Name, TimePointSec, TransactionId, TransactionStatus};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json as value};

use crate::bounds::Bounds;
use crate::node::Node;
use crate::params::FromVariant;
use crate::reply::{Answer, integer, json};
use crate::{ApiError, block_json};

/// Digits that a transaction's id may have.
const ID_DIGITS: std::ops::RangeInclusive<usize> = 8..=64;

fn refuse(status: u16, message: &'static str) -> ApiError {
    ApiError::plain(status, message)
}

/// A block's traces as the store keeps them.
pub fn encode(sealed: &SealedBlock) -> Vec<u8> {
    let Some(block) = &sealed.state.block else { return Vec::new() };
    let header = &block.signed_header.header;
    let input: FxHashMap<TransactionId, &RecoveredTransaction> =
        sealed.state.transactions.iter().map(|transaction| (transaction.id, &**transaction)).collect();
    let transactions: Vec<Value> = sealed
        .traces
        .iter()
        .enumerate()
        .filter_map(|(index, trace)| Some((index, trace, trace.receipt.filter(is_shown)?)))
        .map(|(index, trace, receipt)| {
            // A deferred transaction that failed is shown with what its error handler did.
            let shown = trace.failed_dtrx_trace.as_deref().unwrap_or(trace);
            let id = shown.id;
            let (signatures, header) = match (input.get(&id), &shown.scheduled_header) {
                (_, Some(header)) => (value!([]), header.clone()),
                (Some(transaction), None) => {
                    (block_json::value(&transaction.packed.signatures), transaction.parts.header.clone())
                }
                (None, None) => (value!([]), if index == 0 { onblock_header(sealed) } else { Default::default() }),
            };
            value!({
                "id": id.to_string(),
                "block_num": trace.block_num,
                "block_time": trace.block_time.to_string(),
                "producer_block_id": trace.producer_block_id.map(|id| id.to_string()),
                "actions": actions(trace),
                "status": receipt.status.name(),
                "cpu_usage_us": receipt.cpu_usage_us,
                "net_usage_words": receipt.net_usage_words.0,
                "signatures": signatures,
                "transaction_header": block_json::value(&header),
            })
        })
        .collect();
    let trace = value!({
        "id": sealed.state.id().to_string(),
        "number": sealed.state.number(),
        "previous_id": header.previous.to_string(),
        "status": "pending",
        "timestamp": format!("{}Z", header.timestamp),
        "producer": header.producer.to_string(),
        "transaction_mroot": header.transaction_mroot.to_string(),
        "action_mroot": header.action_mroot.to_string(),
        "schedule_version": header.schedule_version,
        "transactions": transactions,
    });
    trace.to_string().into_bytes()
}

/// Whether a transaction did something: executed, or failed with an error handler that was.
fn is_shown(receipt: &ReceiptHeader) -> bool {
    matches!(receipt.status, TransactionStatus::Executed | TransactionStatus::SoftFail)
}

/// The header of the transaction that runs onblock, whose trace is a block's first. Since NO_DUPLICATE_DEFERRED_ID it
/// refers to no block.
fn onblock_header(sealed: &SealedBlock) -> TransactionHeader {
    let header = &sealed.state.header;
    if header.activated_protocol_features.contains(&Feature::NoDuplicateDeferredId.digest()) {
        return TransactionHeader::default();
    }
    let previous = header.previous();
    // The next whole second.
    let expiration = (header.timestamp().time().0 + 999_999) / 1_000_000;
    TransactionHeader {
        expiration: TimePointSec(expiration as u32),
        ref_block_num: store::blocks::number_of(&previous) as u16,
        ref_block_prefix: block_json::ref_block_prefix(&previous),
        ..TransactionHeader::default()
    }
}

fn actions(trace: &execution::TransactionTrace) -> Value {
    let actions = trace.action_traces.iter().filter(|action| !action.context_free);
    let mut ran: Vec<_> = actions.filter_map(|action| Some((action.receipt.as_ref()?, action))).collect();
    ran.sort_by_key(|(receipt, _)| receipt.global_sequence);
    ran.iter()
        .map(|(receipt, action)| {
            let level = |level: &primitives::PermissionLevel| {
                value!({"account": level.actor.to_string(), "permission": level.permission.to_string()})
            };
            value!({
                "global_sequence": integer(receipt.global_sequence),
                "receiver": action.receiver.to_string(),
                "account": action.act.account.to_string(),
                "action": action.act.name.to_string(),
                "authorization": action.act.authorization.iter().map(level).collect::<Value>(),
                "data": hex::encode(&action.act.data[..]),
                "return_value": hex::encode(&action.return_value),
            })
        })
        .collect()
}

fn load(node: &Node, num: u32) -> Result<Option<Map<String, Value>>, ApiError> {
    let Some(bytes) = node.handle.store().traces(num)? else { return Ok(None) };
    let parsed: Result<Map<String, Value>, _> = serde_json::from_slice(&bytes);
    let mut block =
        parsed.map_err(|error| ApiError::new(FaultKind::EXCEPTION, format!("stored traces are damaged: {error}")))?;
    let irreversible = node.handle.read(|chain| chain.root().number());
    if num <= irreversible {
        block.insert("status".to_owned(), "irreversible".into());
    }
    Ok(Some(block))
}

/// Adds actions' data in the form of their contracts' ABIs.
fn decode(node: &Node, block: &mut Map<String, Value>) {
    if node.settings.trace_no_abis {
        return;
    }
    let Some(Value::Array(transactions)) = block.get_mut("transactions") else { return };
    let bounds = Bounds::new();
    for action in transactions.iter_mut().filter_map(|entry| entry.get_mut("actions")?.as_array_mut()).flatten() {
        let text = |key: &str| action.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let account: Name = text("account").parse().unwrap_or_default();
        let name: Name = text("action").parse().unwrap_or_default();
        let contract = node.abis.contract(&node.handle, account);
        let Some(abi) = contract.as_ref().and_then(|contract| contract.usable()) else { continue };
        let limits = bounds.limits();
        let decoded = |kind: Option<&str>, key: &str| abi.decode(kind?, &hex::decode(text(key)).ok()?, &limits).ok();
        let params = decoded(abi.action_type(name), "data");
        let result = decoded(abi.action_result_type(name), "return_value");
        if let Some(fields) = action.as_object_mut() {
            fields.extend(params.map(|params| ("params".to_owned(), params)));
            fields.extend(result.map(|result| ("return_data".to_owned(), result)));
        }
    }
}

/// A field of a request that must be an object.
fn asked(body: &[u8], field: &str) -> Option<Value> {
    abi::json::from_slice(body).ok()?.get_mut(field).map(Value::take)
}

/// `get_block`.
pub fn get_block(node: &Node, body: &[u8]) -> Answer {
    let number = asked(body, "block_num").and_then(|number| u64::from_variant(&number).ok());
    let number = number.and_then(|number| u32::try_from(number).ok());
    let number = number.ok_or_else(|| refuse(400, "Bad or missing block_num"))?;
    let mut block = load(node, number)?.ok_or_else(|| refuse(404, "Trace API: block trace missing"))?;
    decode(node, &mut block);
    json(200, &block)
}

/// `get_transaction_trace`.
pub fn get_transaction_trace(node: &Node, body: &[u8]) -> Answer {
    let text = asked(body, "id").and_then(|id| String::from_variant(&id).ok());
    // What is missing of an id is zero, half a byte too.
    let whole = |text: String| if text.len().is_multiple_of(2) { text } else { text + "0" };
    let text = text.filter(|text| ID_DIGITS.contains(&text.len())).map(|text| Value::from(whole(text)));
    let id = text.and_then(|text| TransactionId::from_variant(&text).ok());
    let id = id.ok_or_else(|| refuse(400, "Bad or missing transaction ID"))?;
    let missing = || refuse(404, "Trace API: transaction id missing in the transaction id log files");
    let position = node.handle.store().transaction_position(&id)?.ok_or_else(missing)?;
    let mut block = load(node, position.num)?.ok_or_else(missing)?;
    decode(node, &mut block);
    let id = id.to_string();
    let found = block.get("transactions").and_then(Value::as_array).and_then(|transactions| {
        transactions.iter().find(|entry| entry.get("id").and_then(Value::as_str) == Some(&id)).cloned()
    });
    json(200, &found.ok_or_else(|| refuse(404, "Trace API: transaction trace missing"))?)
}
