//! `/v1/trace_api`: what the transactions of stored blocks did.

use chain::SealedBlock;
use primitives::block::ReceiptTransaction;
use primitives::{FaultKind, Name, TransactionId, TransactionStatus};
use serde::Deserialize;
use serde_json::{Map, Value, json as value};

use crate::abis::SHORT;
use crate::node::Node;
use crate::reply::{Answer, integer, json};
use crate::{ApiError, block_json};

#[derive(Deserialize)]
struct BlockParams {
    block_num: u32,
}

#[derive(Deserialize)]
struct TransactionParams {
    id: TransactionId,
}

fn refuse(status: u16, message: &'static str) -> ApiError {
    ApiError::plain(status, message)
}

/// A block's traces as the store keeps them.
pub fn encode(sealed: &SealedBlock) -> Vec<u8> {
    let Some(block) = &sealed.state.block else { return Vec::new() };
    let header = &block.signed_header.header;
    // The first trace is onblock's: it has no receipt in the block.
    let transactions: Vec<Value> = sealed
        .traces
        .iter()
        .filter(|trace| trace.receipt.is_some())
        .map(|trace| {
            let receipt = trace.receipt.as_ref().expect("filtered above");
            let of_block = block.transactions.iter().find_map(|entry| match &entry.trx {
                ReceiptTransaction::Packed(packed) => {
                    packed.transaction().ok().filter(|transaction| transaction.id() == trace.id).map(|t| (packed, t))
                }
                ReceiptTransaction::Id(_) => None,
            });
            let (signatures, header) = of_block.map_or_else(
                || (value!([]), block_json::value(&primitives::transaction::TransactionHeader::default())),
                |(packed, transaction)| (block_json::value(&packed.signatures), block_json::value(&transaction.header)),
            );
            value!({
                "id": trace.id.to_string(),
                "block_num": trace.block_num,
                "block_time": trace.block_time.to_string(),
                "producer_block_id": trace.producer_block_id.map(|id| id.to_string()),
                "actions": actions(trace),
                "status": status(receipt.status),
                "cpu_usage_us": receipt.cpu_usage_us,
                "net_usage_words": receipt.net_usage_words.0,
                "signatures": signatures,
                "transaction_header": header,
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

fn status(status: TransactionStatus) -> &'static str {
    status.name()
}

fn actions(trace: &execution::TransactionTrace) -> Value {
    let mut ran: Vec<_> =
        trace.action_traces.iter().filter_map(|action| Some((action.receipt.as_ref()?, action))).collect();
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
    let Some(Value::Array(transactions)) = block.get_mut("transactions") else { return };
    for action in transactions.iter_mut().filter_map(|entry| entry.get_mut("actions")?.as_array_mut()).flatten() {
        let text = |key: &str| action.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let account: Name = text("account").parse().unwrap_or_default();
        let name: Name = text("action").parse().unwrap_or_default();
        let Some(abi) = node.handle.read(|chain| node.abis.get(chain.ledger(), account)) else { continue };
        let decoded = |kind: Option<&str>, key: &str| abi.decode(kind?, &hex::decode(text(key)).ok()?, &SHORT).ok();
        let params = decoded(abi.action_type(name), "data");
        let result = decoded(abi.action_result_type(name), "return_value");
        if let Some(fields) = action.as_object_mut() {
            fields.extend(params.map(|params| ("params".to_owned(), params)));
            fields.extend(result.map(|result| ("return_data".to_owned(), result)));
        }
    }
}

/// `get_block`.
pub fn get_block(node: &Node, body: &[u8]) -> Answer {
    let params: BlockParams = serde_json::from_slice(body).map_err(|_| refuse(400, "Bad or missing block_num"))?;
    let mut block = load(node, params.block_num)?.ok_or_else(|| refuse(404, "Trace API: block trace missing"))?;
    decode(node, &mut block);
    json(200, &block)
}

/// `get_transaction_trace`.
pub fn get_transaction_trace(node: &Node, body: &[u8]) -> Answer {
    let params: TransactionParams =
        serde_json::from_slice(body).map_err(|_| refuse(400, "Bad or missing transaction ID"))?;
    let missing = || refuse(404, "Trace API: transaction id missing in the transaction id log files");
    let position = node.handle.store().transaction_position(&params.id)?.ok_or_else(missing)?;
    let mut block = load(node, position.num)?.ok_or_else(missing)?;
    decode(node, &mut block);
    let id = params.id.to_string();
    let found = block.get("transactions").and_then(Value::as_array).and_then(|transactions| {
        transactions.iter().find(|entry| entry.get("id").and_then(Value::as_str) == Some(&id)).cloned()
    });
    json(200, &found.ok_or_else(missing)?)
}
