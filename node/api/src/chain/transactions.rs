//! Transactions and blocks on their way in: `push_transaction(s)`, `send_transaction`, `send_transaction2`,
//! `compute_transaction`, `send_read_only_transaction`, `push_block`.

use std::sync::Arc;

use axum::body::Bytes;
use chain::{PrepareMode, PreparedBlock};
use engine::SubmitKind;
use execution::TransactionTrace;
use primitives::{Fault, FaultKind, SignedBlock, TransactionId};
use serde::Deserialize;
use serde_json::json as value;

use crate::node::Node;
use crate::recover::{self, TransactionJson};
use crate::reply::{Answer, Reply, json};
use crate::trace_json::{self, Shape};
use crate::{ApiError, params};

/// Transactions that one request may hold.
const TRANSACTIONS_MAX: usize = 1000;

const PLAIN: SubmitKind = SubmitKind::Input { return_failure_trace: false };

async fn run(node: &Node, json: TransactionJson, kind: SubmitKind) -> engine::SubmitResult {
    let packed = recover::packed(node, json)?;
    let transaction = recover::recovered(node, packed, kind != SubmitKind::ReadOnly)?;
    node.handle.submit(transaction, kind).await
}

fn shown(node: &Node, trace: &TransactionTrace, shape: Shape) -> Vec<u8> {
    let contracts = trace_json::contracts(trace);
    let abis = node.handle.read(|chain| node.abis.set(chain.ledger(), contracts));
    trace_json::processed(trace, &abis, shape)
}

/// `push_transaction`: the trace as a tree.
pub async fn push(node: Arc<Node>, body: Bytes) -> Answer {
    let json = recover::read_body(&body)?;
    let trace = run(&node, json, PLAIN).await.map_err(|fault| ApiError::of_transaction(&fault))?;
    Ok(Reply { status: 202, body: shown(&node, &trace, Shape::Tree) })
}

/// `send_transaction`: the trace as a list.
pub async fn send(node: Arc<Node>, body: Bytes) -> Answer {
    let json = recover::read_body(&body)?;
    let trace = run(&node, json, PLAIN).await.map_err(|fault| ApiError::of_transaction(&fault))?;
    Ok(Reply { status: 202, body: shown(&node, &trace, Shape::Flat) })
}

#[derive(Deserialize)]
struct Send2Params {
    #[serde(default = "yes", deserialize_with = "params::flag")]
    return_failure_trace: bool,
    #[serde(default, deserialize_with = "params::flag")]
    retry_trx: bool,
    #[serde(default)]
    transaction: TransactionJson,
}

fn yes() -> bool {
    true
}

/// `send_transaction2`: as `send_transaction`, with the trace of a failure if that is wanted.
pub async fn send2(node: Arc<Node>, body: Bytes) -> Answer {
    let params: Send2Params = recover::read_body(&body)?;
    if params.retry_trx {
        let message = "Transaction retry not enabled on node";
        return Err(ApiError::new(FaultKind::UNSUPPORTED_FEATURE, message));
    }
    let kind = SubmitKind::Input { return_failure_trace: params.return_failure_trace };
    let trace = run(&node, params.transaction, kind).await.map_err(|fault| ApiError::of_transaction(&fault))?;
    Ok(Reply { status: 202, body: shown(&node, &trace, Shape::Flat) })
}

#[derive(Deserialize)]
struct TransientParams {
    #[serde(default)]
    transaction: TransactionJson,
}

/// `compute_transaction`: what it would do, without doing it.
pub async fn compute(node: Arc<Node>, body: Bytes) -> Answer {
    let params: TransientParams = recover::read_body(&body)?;
    let trace = run(&node, params.transaction, SubmitKind::DryRun).await;
    let trace = trace.map_err(|fault| ApiError::of_transaction(&fault))?;
    Ok(Reply { status: 200, body: shown(&node, &trace, Shape::Flat) })
}

/// `send_read_only_transaction`.
pub async fn read_only(node: Arc<Node>, body: Bytes) -> Answer {
    let params: TransientParams = recover::read_body(&body)?;
    let trace = run(&node, params.transaction, SubmitKind::ReadOnly).await;
    let trace = trace.map_err(|fault| ApiError::of_transaction(&fault))?;
    Ok(Reply { status: 200, body: shown(&node, &trace, Shape::Flat) })
}

/// `push_transactions`: one after another; failures stand between the successes.
pub async fn push_many(node: Arc<Node>, body: Bytes) -> Answer {
    let list: Vec<TransactionJson> = serde_json::from_slice(&body).map_err(|error| params::unreadable(&error))?;
    if list.len() > TRANSACTIONS_MAX {
        let message = "Attempt to push too many transactions at once";
        return Err(ApiError::new(FaultKind::TOO_MANY_TX_AT_ONCE, message));
    }
    let mut out = vec![b'['];
    for (index, json) in list.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match run(&node, json, PLAIN).await {
            Ok(trace) => out.extend(shown(&node, &trace, Shape::Tree)),
            Err(fault) => {
                let entry = value!({"transaction_id": TransactionId::default().to_string(), "processed": {"error": detail(&fault)}});
                out.extend(entry.to_string().into_bytes());
            }
        }
    }
    out.push(b']');
    Ok(Reply { status: 202, body: out })
}

/// A fault as fc's `to_detail_string` writes it.
fn detail(fault: &Fault) -> String {
    format!("{} {}: {}\n{}", fault.kind.code, fault.kind.name, fault.kind.what, fault.details.join("\n"))
}

/// `push_block`: always answers with an empty object; a bad block is only logged, as nodeos does.
pub async fn push_block(node: Arc<Node>, body: Bytes) -> Answer {
    let block: SignedBlock = params::required(&body)?;
    let prepared = PreparedBlock::from_block(Arc::new(block), &node.handle.chain_id(), PrepareMode::Full);
    let pushed = match prepared {
        Ok(block) => node.handle.push_block(block).await,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = pushed {
        tracing::error!("a block that was pushed over HTTP is refused: {fault}");
    }
    json(202, &value!({}))
}
