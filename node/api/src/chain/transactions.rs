//! Transactions and blocks on their way in: `push_transaction(s)`, `send_transaction`, `send_transaction2`,
//! `compute_transaction`, `send_read_only_transaction`, `push_block`.

use std::sync::Arc;

use axum::body::Bytes;
use engine::{Patience, Refusal, Refused, RetrySettings, RetryUntil, SubmitKind, Verdict, WaitFor};
use execution::TransactionTrace;
use primitives::{Fault, FaultKind, SignedBlock, TimePoint, TimePointSec, TransactionId, ensure};
use serde::Deserialize;
use serde_json::{Value, json as value};

use crate::ApiError;
use crate::node::Node;
use crate::params::{self, Fields, FromVariant};
use crate::recover::{self, TransactionJson};
use crate::reply::{Answer, Reply, json};
use crate::trace_json::{self, Shape};

/// The field of our own that says what to wait for, as it stands in JSON.
const WAIT: &str = "\"wait\"";
/// Transactions that one request may hold.
const TRANSACTIONS_MAX: usize = 1000;

const PLAIN: SubmitKind = SubmitKind::Input { return_failure_trace: false, patience: None };

async fn run(node: &Node, json: TransactionJson, kind: SubmitKind) -> Result<Arc<TransactionTrace>, Refused> {
    let packed = recover::packed(node, json)?;
    let transaction = recover::recovered(node, packed, kind != SubmitKind::ReadOnly)?;
    node.handle.submit(transaction, kind).await
}

/// Why a transaction was not taken, as clients see it.
fn refused(refused: Refused) -> ApiError {
    match refused {
        Refused::Node(ref busy @ Refusal::Busy { breaker, .. }) => ApiError::busy(breaker, busy.to_string()),
        other => ApiError::of_transaction(&other.into()),
    }
}

/// What a request of `send_transaction` asks to wait for: a field beside those of the transaction.
fn wait_beside(body: &[u8]) -> Result<Option<Patience>, ApiError> {
    if !body.windows(WAIT.len()).any(|part| part == WAIT.as_bytes()) {
        return Ok(None);
    }
    wait_for(Fields::required(body)?.maybe("wait")?)
}

/// Reads our own `wait`.
pub(crate) fn wait_for(wait: Option<String>) -> Result<Option<Patience>, ApiError> {
    let until = match wait.as_deref() {
        None => return Ok(None),
        Some("block") => WaitFor::Block,
        Some("stored") => WaitFor::Stored,
        Some("irreversible") => WaitFor::Irreversible,
        Some(other) => {
            let message = format!("wait is \"block\", \"stored\" or \"irreversible\", not \"{other}\"");
            return Err(ApiError::new(FaultKind::INVALID_HTTP_REQUEST, message));
        }
    };
    Ok(Some(Patience::Wait(until)))
}

pub(crate) fn shown(node: &Node, trace: &TransactionTrace, shape: Shape) -> Vec<u8> {
    let contracts = trace_json::contracts(trace);
    let abis = node.abis.set(&node.handle, contracts);
    node.aside.show(|| trace_json::processed(trace, &abis, shape))
}

/// `push_transaction`: the trace as a tree.
pub async fn push(node: Arc<Node>, body: Bytes) -> Answer {
    let json = recover::read_body(&body)?;
    let trace = run(&node, json, PLAIN).await.map_err(refused)?;
    Ok(Reply { status: 202, body: shown(&node, &trace, Shape::Tree) })
}

/// `send_transaction`: the trace as a list.
pub async fn send(node: Arc<Node>, body: Bytes) -> Answer {
    let json = recover::read_body(&body)?;
    let kind = SubmitKind::Input { return_failure_trace: false, patience: wait_beside(&body)? };
    let trace = run(&node, json, kind).await.map_err(refused)?;
    Ok(Reply { status: 202, body: shown(&node, &trace, Shape::Flat) })
}

/// The request of `send_transaction2`; those of `compute_transaction` and `send_read_only_transaction` have less.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendParams {
    #[serde(default = "yes")]
    pub(crate) return_failure_trace: bool,
    #[serde(default)]
    retry_trx: bool,
    #[serde(default)]
    retry_trx_num_blocks: Option<u16>,
    /// Our own.
    #[serde(default)]
    pub(crate) wait: Option<String>,
    pub(crate) transaction: TransactionJson,
}

fn yes() -> bool {
    true
}

impl SendParams {
    pub(crate) fn read(body: &[u8]) -> Result<Self, ApiError> {
        if let Some(read) = recover::strict::<Self>(body).filter(|read| read.transaction.is_whole()) {
            return Ok(read);
        }
        let mut fields = Fields::required(body)?;
        Ok(Self {
            return_failure_trace: fields.or("return_failure_trace", true)?,
            retry_trx: fields.get("retry_trx")?,
            retry_trx_num_blocks: fields.maybe("retry_trx_num_blocks")?,
            wait: fields.maybe("wait")?,
            transaction: TransactionJson::read(&fields.take("transaction"))?,
        })
    }
}

/// `send_transaction2`: as `send_transaction`, with the trace of a failure if that is wanted, and if that is wanted
/// only once the transaction is deep enough in the chain.
pub async fn send2(node: Arc<Node>, body: Bytes) -> Answer {
    let params = SendParams::read(&body)?;
    let retry = params.retry_trx.then_some(match params.retry_trx_num_blocks {
        Some(depth) => RetryUntil::Blocks(depth),
        None => RetryUntil::Irreversible,
    });
    let wait = wait_for(params.wait)?;
    if retry.is_some() && wait.is_some() {
        let message = "retry_trx and wait exclude each other: wait tries again, too, until the transaction expires";
        return Err(ApiError::new(FaultKind::INVALID_HTTP_REQUEST, message));
    }
    let packed = recover::packed(&node, params.transaction)?;
    let transaction = recover::recovered(&node, packed, true).map_err(|fault| ApiError::of_transaction(&fault))?;
    if retry.is_some() {
        check_retry(node.handle.retry(), transaction.parts.header.expiration, node.handle.now())?;
    }
    let patience = retry.map(Patience::Retry).or(wait);
    let kind = SubmitKind::Input { return_failure_trace: params.return_failure_trace, patience };
    let trace = node.handle.submit(transaction, kind).await.map_err(refused)?;
    node.failures.note(&trace);
    Ok(Reply { status: 202, body: shown(&node, &trace, Shape::Flat) })
}

/// Whether a transaction can be tried again until it expires; it is `now`.
fn check_retry(retry: RetrySettings, expiration: TimePointSec, now: TimePoint) -> Result<(), Fault> {
    ensure!(
        retry.bytes_max > 0,
        UNSUPPORTED_FEATURE,
        "Transaction retry not enabled on node. transaction-retry-max-storage-size-gb is 0"
    );
    // Seconds are rounded up, so that the longest allowed expiration is allowed.
    let last = TimePointSec(((now.0 + retry.expiration_max_us + 999_999) / 1_000_000) as u32);
    ensure!(
        expiration <= last,
        TX_EXP_TOO_FAR_EXCEPTION,
        "retry transaction expiration {expiration} larger than allowed {last}"
    );
    Ok(())
}

/// `compute_transaction`: what it would do, without doing it.
pub async fn compute(node: Arc<Node>, body: Bytes) -> Answer {
    transient(&node, &body, SubmitKind::DryRun).await
}

/// `send_read_only_transaction`.
pub async fn read_only(node: Arc<Node>, body: Bytes) -> Answer {
    transient(&node, &body, SubmitKind::ReadOnly).await
}

async fn transient(node: &Node, body: &[u8], kind: SubmitKind) -> Answer {
    let params = SendParams::read(body)?;
    let trace = run(node, params.transaction, kind).await.map_err(refused)?;
    node.failures.note(&trace);
    Ok(Reply { status: 200, body: shown(node, &trace, Shape::Flat) })
}

/// `push_transactions`: one after another; failures stand between the successes.
pub async fn push_many(node: Arc<Node>, body: Bytes) -> Answer {
    let list = read_list(&body)?;
    if list.len() > TRANSACTIONS_MAX {
        let message = "Attempt to push too many transactions at once";
        return Err(ApiError::new(FaultKind::TOO_MANY_TX_AT_ONCE, message));
    }
    let mut out = vec![b'['];
    for (index, json) in list.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let pushed = match json {
            Ok(json) => run(&node, json, PLAIN).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        };
        match pushed {
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

fn read_list(body: &[u8]) -> Result<Vec<Result<TransactionJson, Fault>>, ApiError> {
    if let Ok(list) = serde_json::from_slice::<Vec<TransactionJson>>(body)
        && list.iter().all(TransactionJson::is_whole)
    {
        return Ok(list.into_iter().map(Ok).collect());
    }
    let value = params::value(body)?;
    // A list of objects, whatever is in them.
    Vec::<Fields>::from_variant(&value).map_err(params::unreadable)?;
    Ok(value.as_array().into_iter().flatten().map(TransactionJson::read).collect())
}

/// A fault as fc's `to_detail_string` writes it.
fn detail(fault: &Fault) -> String {
    format!("{} {}: {}\n{}", fault.kind.code, fault.kind.name, fault.what(), fault.details.join("\n"))
}

/// `push_block`: always answers with an empty object; a bad block is only logged, as nodeos does.
pub async fn push_block(node: Arc<Node>, body: Bytes) -> Answer {
    let value = params::value(&body)?;
    Fields::from_variant(&value).map_err(params::unreadable)?;
    let block = match SignedBlock::deserialize(&value) {
        Ok(block) => block,
        Err(error) => return bad_block(&error, &value),
    };
    let prepared = node.handle.prepare_block(Arc::new(block));
    let verdict = match prepared {
        Ok(block) => node.handle.push_block(block).await,
        Err(fault) => Ok(Verdict::Refused(Box::new(fault))),
    };
    match verdict {
        Ok(Verdict::Refused(fault)) => tracing::error!("a block that was pushed over HTTP is refused: {fault}"),
        Ok(Verdict::Busy) => tracing::warn!("a block that was pushed over HTTP is dropped: too many blocks wait"),
        Ok(Verdict::Joined | Verdict::Held | Verdict::Known) => {}
        Err(refusal) => tracing::error!("a block that was pushed over HTTP is dropped: {refusal}"),
    }
    json(202, &value!({}))
}

/// An object that is no block: one with values of other kinds is refused, one with parts missing is a bad block.
fn bad_block(error: &serde_json::Error, block: &Value) -> Answer {
    if let Some(timestamp) = block.get("timestamp") {
        String::from_variant(timestamp).and_then(|text| text.parse::<TimePoint>()).map_err(params::unreadable)?;
    }
    let text = error.to_string();
    if !text.starts_with("missing field") {
        let fault = Fault::recognise(&text).unwrap_or_else(|| Fault::new(FaultKind::PARSE_ERROR_EXCEPTION, text));
        return Err(params::unreadable(fault));
    }
    tracing::error!("a block that was pushed over HTTP cannot be read: {text}");
    json(202, &value!({}))
}
