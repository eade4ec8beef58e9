//! `/v1/trace_api`: what the transactions of stored blocks did.

use execution::{ActionTrace, TransactionTrace};
use primitives::{TransactionId, ensure};
use serde_json::{Value, json as value};

use crate::bounds::{Bounds, READ_BYTES_MAX};
use crate::node::Node;
use crate::params::FromVariant;
use crate::reply::{Answer, Reply, integer, json};
use crate::stored_trace::{BlockTraces, StoredTransaction};
use crate::{ApiError, block_json, stored_trace, trace_json};

/// Digits that a transaction's id may have.
const ID_DIGITS: std::ops::RangeInclusive<usize> = 8..=64;

fn refuse(status: u16, message: &'static str) -> ApiError {
    ApiError::plain(status, message)
}

/// A stored block as `get_block` shows it.
fn shown_block(node: &Node, block: &BlockTraces) -> Value {
    let bounds = Bounds::new();
    let number = store::blocks::number_of(&block.id);
    let irreversible = node.handle.read(|chain| chain.root().number());
    value!({
        "id": block.id.to_string(),
        "number": number,
        "previous_id": block.previous.to_string(),
        "status": if number <= irreversible { "irreversible" } else { "pending" },
        "timestamp": format!("{}Z", block.timestamp),
        "producer": block.producer.to_string(),
        "transaction_mroot": block.transaction_mroot.to_string(),
        "action_mroot": block.action_mroot.to_string(),
        "schedule_version": block.schedule_version,
        "transactions": block.transactions.iter().filter(|each| each.did_something()).map(|each| transaction_json(node, each, &bounds)).collect::<Value>(),
    })
}

fn transaction_json(node: &Node, transaction: &StoredTransaction, bounds: &Bounds) -> Value {
    let (trace, shown) = (&transaction.trace, transaction.shown());
    let receipt = trace.receipt.as_ref();
    value!({
        "id": shown.id.to_string(),
        "block_num": trace.block_num,
        "block_time": trace.block_time.to_string(),
        "producer_block_id": trace.producer_block_id.map(|id| id.to_string()),
        "actions": actions(node, trace, bounds),
        "status": receipt.map(|receipt| receipt.status.name()),
        "cpu_usage_us": receipt.map(|receipt| receipt.cpu_usage_us),
        "net_usage_words": receipt.map(|receipt| receipt.net_usage_words.0),
        "signatures": block_json::value(&transaction.signatures),
        "transaction_header": block_json::value(&transaction.header),
    })
}

/// The actions that ran, in the order in which they did, with data in the form of their contracts' ABIs.
fn actions(node: &Node, trace: &TransactionTrace, bounds: &Bounds) -> Value {
    let actions = trace.action_traces.iter().filter(|action| !action.context_free);
    let mut ran: Vec<_> = actions.filter_map(|action| Some((action.receipt.as_ref()?, action))).collect();
    ran.sort_by_key(|(receipt, _)| receipt.global_sequence);
    ran.iter()
        .map(|(receipt, action)| {
            let level = |level: &primitives::PermissionLevel| {
                value!({"account": level.actor.to_string(), "permission": level.permission.to_string()})
            };
            let mut shown = value!({
                "global_sequence": integer(receipt.global_sequence),
                "receiver": action.receiver.to_string(),
                "account": action.act.account.to_string(),
                "action": action.act.name.to_string(),
                "authorization": action.act.authorization.iter().map(level).collect::<Value>(),
                "data": hex::encode(&action.act.data[..]),
                "return_value": hex::encode(&action.return_value),
            });
            if !node.settings.trace_no_abis {
                decode(node, action, bounds, &mut shown);
            }
            shown
        })
        .collect()
}

fn decode(node: &Node, action: &ActionTrace, bounds: &Bounds, shown: &mut Value) {
    let contract = node.abis.contract(&node.handle, action.act.account);
    let Some(abi) = contract.as_ref().and_then(|contract| contract.usable()) else { return };
    let limits = bounds.limits();
    let decoded = |kind: Option<&str>, bytes: &[u8]| abi.decode(kind?, bytes, &limits).ok();
    let params = decoded(abi.action_type(action.act.name), &action.act.data);
    let result = decoded(abi.action_result_type(action.act.name), &action.return_value);
    if let Some(fields) = shown.as_object_mut() {
        fields.extend(params.map(|params| ("params".to_owned(), params)));
        fields.extend(result.map(|result| ("return_data".to_owned(), result)));
    }
}

/// A field of a request that must be an object.
fn asked(body: &[u8], field: &str) -> Option<Value> {
    abi::json::from_slice(body).ok()?.get_mut(field).map(Value::take)
}

/// The id of a request; what is missing of it is zero, half a byte too.
fn asked_id(body: &[u8]) -> Result<TransactionId, ApiError> {
    let text = asked(body, "id").and_then(|id| String::from_variant(&id).ok());
    let whole = |text: String| if text.len().is_multiple_of(2) { text } else { text + "0" };
    let text = text.filter(|text| ID_DIGITS.contains(&text.len())).map(|text| Value::from(whole(text)));
    let id = text.and_then(|text| TransactionId::from_variant(&text).ok());
    id.ok_or_else(|| refuse(400, "Bad or missing transaction ID"))
}

fn asked_block(body: &[u8]) -> Option<u32> {
    let number = asked(body, "block_num").and_then(|number| u64::from_variant(&number).ok());
    number.and_then(|number| u32::try_from(number).ok())
}

/// `get_block`.
pub fn get_block(node: &Node, body: &[u8]) -> Answer {
    let number = asked_block(body).ok_or_else(|| refuse(400, "Bad or missing block_num"))?;
    let block = stored_trace::load(node, number)?.ok_or_else(|| refuse(404, "Trace API: block trace missing"))?;
    json(200, &shown_block(node, &block))
}

/// `get_transaction_trace`.
pub fn get_transaction_trace(node: &Node, body: &[u8]) -> Answer {
    let (block, index) = stored_trace::find(node, &asked_id(body)?, None, StoredTransaction::did_something)?;
    json(200, &transaction_json(node, &block.transactions[index], &Bounds::new()))
}

/// `get_deltas`, which nodeos does not have: what a block did to the rows of the state, in hexadecimal digits of the
/// `table_delta[]` that nodeos' state history sends, where the node keeps that (`--chain-state-history`).
pub fn get_deltas(node: &Node, body: &[u8]) -> Answer {
    let num = asked_block(body).ok_or_else(|| refuse(400, "Bad or missing block_num"))?;
    let store = node.handle.store();
    let Some((id, deltas)) = store.block_id_at(num)?.zip(store.deltas(num)?) else {
        return Err(refuse(404, "Trace API: no deltas of this block are kept (--chain-state-history)"));
    };
    let length = deltas.len();
    ensure!(
        length <= READ_BYTES_MAX,
        EXCEPTION,
        "the deltas of block {num} have {length} bytes, an answer at most {READ_BYTES_MAX}"
    );
    json(200, &value!({"block_num": num, "id": id.to_string(), "deltas": hex::encode(deltas)}))
}

/// `get_processed_transaction`, which nodeos does not have: a transaction of a block, or one that failed here lately, in
/// the form of `send_transaction`, with consoles, RAM, and where the node keeps them the rows that changed and where contracts stopped. With a
/// `block_num` that block's own transaction is found too.
pub fn get_processed_transaction(node: &Node, body: &[u8]) -> Answer {
    let id = asked_id(body)?;
    let (trace, block) = match stored_trace::find(node, &id, asked_block(body), |_| true) {
        Ok((mut block, index)) => (block.transactions.swap_remove(index).trace, Some(block.id)),
        Err(error) => (node.failures.find(&id).ok_or(error)?, None),
    };
    let abis = node.abis.set(&node.handle, trace_json::contracts(&trace));
    Ok(Reply { status: 200, body: trace_json::whole(&trace, block, &abis) })
}
