//! `/v1/dev`: time and state of a development chain, as its user wants them. Served by development chains alone, to
//! programs on their machine.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use engine::{Arrival, Dump, Journey, StateInfo, SubmitKind};
use execution::RecoveredTransaction;
use lines::Backtrace;
use primitives::{FaultKind, TimePoint};
use serde::Deserialize;
use serde_json::{Value, json as value};

use crate::ApiError;
use crate::chain::transactions;
use crate::node::Node;
use crate::params::{self, Fields};
use crate::recover;
use crate::reply::{Answer, Reply, json};
use crate::trace_json::Shape;

/// What a dumped chain takes along of the node's database, by name.
pub const CHAIN_FACTS: [&str; 5] = ["genesis", "chain id", "boot document", "booted", "taken over from"];

/// Microseconds of a second.
const SECOND_US: f64 = 1e6;

fn refuse(message: impl Into<String>) -> ApiError {
    ApiError::new(FaultKind::INVALID_HTTP_REQUEST, message)
}

/// `get_time`: what time it is on the chain, and how far its blocks are.
pub fn get_time(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let time = node.handle.now();
    let (head, id, head_time, irreversible) =
        node.handle.read(|chain| (chain.head().number(), chain.head().id(), chain.head_time(), chain.root().number()));
    json(
        200,
        &value!({
            "time": time.to_string(),
            "head_block_num": head,
            "head_block_id": id.to_string(),
            "head_block_time": head_time.to_string(),
            "last_irreversible_block_num": irreversible,
        }),
    )
}

/// `send_transaction`: as `send_transaction2`, but it needs no signature of anybody: whoever the actions name is taken
/// to agree.
pub async fn send_transaction(node: Arc<Node>, body: Bytes) -> Answer {
    let params = transactions::SendParams::read(&body)?;
    if !node.handle.is_dev() {
        return Err(engine::Refusal::NotDev.into());
    }
    let patience = transactions::wait_for(params.wait)?;
    let packed = recover::packed(&node, params.transaction)?;
    let recovered = recover::recovered(&node, packed, false).map_err(|fault| ApiError::of_transaction(&fault))?;
    let transaction = Arc::new(RecoveredTransaction { is_impersonation: true, ..Arc::unwrap_or_clone(recovered) });
    let kind = SubmitKind::Input { return_failure_trace: params.return_failure_trace, patience };
    let trace = node.handle.submit(transaction, kind).await;
    let trace = trace.map_err(|refused| ApiError::of_transaction(&refused.into()))?;
    node.failures.note(&trace);
    Ok(Reply { status: 202, body: transactions::shown(&node, &trace, Shape::Flat) })
}

fn name_of(body: &[u8]) -> Result<String, ApiError> {
    Fields::required(body)?.maybe("name")?.ok_or_else(|| refuse("the state's name is missing"))
}

fn shown_state(state: &StateInfo) -> Value {
    value!({
        "name": state.name,
        "head_block_num": store::blocks::number_of(&state.head),
        "head_block_id": state.head.to_string(),
        "time": state.time.to_string(),
        "bytes": state.bytes,
    })
}

/// `save`: keeps the state of the head under a `name`.
pub async fn save(node: Arc<Node>, body: Bytes) -> Answer {
    json(200, &shown_state(&node.handle.save_state(&name_of(&body)?).await?))
}

/// `restore`: goes back to the state of a `name`.
pub async fn restore(node: Arc<Node>, body: Bytes) -> Answer {
    arrived(&node, node.handle.restore_state(&name_of(&body)?).await?)
}

/// `forget`: forgets the state of a `name`.
pub async fn forget(node: Arc<Node>, body: Bytes) -> Answer {
    let name = name_of(&body)?;
    node.handle.forget_state(&name).await?;
    json(200, &value!({"forgotten": name}))
}

/// `get_states`: the states that are kept.
pub async fn get_states(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    let states = node.handle.states().await?;
    let folder = node.settings.states_dir.as_ref().map(|folder| std::path::absolute(folder).unwrap_or(folder.clone()));
    json(
        200,
        &value!({
            "states": states.iter().map(shown_state).collect::<Vec<_>>(),
            "folder": folder.map(|folder| folder.display().to_string()),
        }),
    )
}

/// `rewind`: cuts the chain back to a `block`.
pub async fn rewind(node: Arc<Node>, body: Bytes) -> Answer {
    let block: u64 = Fields::required(&body)?.get("block")?;
    let block = u32::try_from(block).map_err(|_| refuse(format!("there is no block {block}")))?;
    arrived(&node, node.handle.rewind(block).await?)
}

/// `reorganise`: replaces the last `blocks` by others with the same transactions.
pub async fn reorganise(node: Arc<Node>, body: Bytes) -> Answer {
    let blocks: u64 = Fields::required(&body)?.or("blocks", 1)?;
    arrived(&node, node.handle.reorganise(u32::try_from(blocks).unwrap_or(u32::MAX)).await?)
}

/// Characters of a file's name at most.
const FILE_NAME_MAX: usize = 64;

/// Where a state of a name is on disk: in the node's own folder, so that a call cannot write anywhere else.
fn file_of(node: &Node, name: &str) -> Result<PathBuf, ApiError> {
    let folder = node.settings.states_dir.as_ref().ok_or(engine::Refusal::NotDev)?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > FILE_NAME_MAX || name.starts_with('.') || !name.chars().all(plain) {
        return Err(refuse(format!(
            "{name:?} is not a valid name of a state's file: letters, digits, dashes, underscores and dots are, \
             {FILE_NAME_MAX} at most"
        )));
    }
    Ok(folder.join(format!("{name}.state")))
}

/// `dump`: writes the state of the head into a file of a `name`, with all blocks that lead to it. States that are kept stay
/// what they are, of that name too.
pub async fn dump(node: Arc<Node>, body: Bytes) -> Answer {
    let path = file_of(&node, &name_of(&body)?)?;
    // To its end, even if the client leaves: nothing else would forget the state.
    let dumped = tokio::spawn(async move { write_dump(&node, path).await });
    dumped.await.map_err(|_| engine::Refusal::Stopping)?
}

async fn write_dump(node: &Node, path: PathBuf) -> Answer {
    let mut dump = node.handle.dump_state().await?;
    let head = dump.state.head;
    let (store, written) = (Arc::clone(node.handle.store()), path.clone());
    let write = move || -> Result<usize, String> {
        for fact in CHAIN_FACTS {
            let value = store.fact(fact).map_err(|error| error.to_string())?;
            dump.facts.extend(value.map(|value| (fact.to_owned(), value)));
        }
        let bytes = dump.to_file();
        store::write_whole_file(&written, &written.with_extension("draft"), &bytes)
            .map_err(|error| format!("{} cannot be written: {error}", written.display()))?;
        Ok(bytes.len())
    };
    let bytes = tokio::task::spawn_blocking(write).await.map_err(|_| engine::Refusal::Stopping)?.map_err(refuse)?;
    json(200, &value!({"file": path.display().to_string(), "bytes": bytes, "head_block_id": head.to_string()}))
}

/// `load`: goes to the state in the file of a `name`, which `dump` wrote.
pub async fn load(node: Arc<Node>, body: Bytes) -> Answer {
    let path = file_of(&node, &name_of(&body)?)?;
    let read = move || {
        let bytes = std::fs::read(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Dump::from_file(&bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    let dump = tokio::task::spawn_blocking(read).await.map_err(|_| engine::Refusal::Stopping)?.map_err(refuse)?;
    arrived(&node, node.handle.load_state(dump).await?)
}

/// `produce`: so many `blocks` at once, one unless the client says otherwise; the clock goes along.
pub async fn produce(node: Arc<Node>, body: Bytes) -> Answer {
    let blocks: u64 = Fields::optional(&body)?.or("blocks", 1)?;
    let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
    arrived(&node, node.handle.travel(Journey::Blocks(blocks)).await?)
}

/// `move_time`: ahead by `seconds`, or `until` a time. What should have happened by then happens.
pub async fn move_time(node: Arc<Node>, body: Bytes) -> Answer {
    let params = Fields::required(&body)?;
    let (seconds, until): (Option<f64>, Option<String>) = (params.maybe("seconds")?, params.maybe("until")?);
    let journey = match (seconds, until) {
        (Some(seconds), None) => Journey::By((seconds * SECOND_US) as i64),
        (None, Some(text)) => Journey::Until(text.parse::<TimePoint>().map_err(|fault| {
            refuse(format!("until is not a valid time: {fault}. One looks like 2030-01-01T00:00:00"))
        })?),
        _ => return Err(refuse("give either seconds to move by, or a time to move to in until")),
    };
    arrived(&node, node.handle.travel(journey).await?)
}

/// `tell_backtrace`: where a `receiver`'s code was, in words: its `backtrace` as a trace has it, with the lines of the source
/// where this machine built the contract.
pub async fn tell_backtrace(_: Arc<Node>, body: Bytes) -> Answer {
    let params = Fields::required(&body)?;
    let (receiver, backtrace): (String, Value) = (params.get("receiver")?, params.get("backtrace")?);
    let backtrace = Backtrace::deserialize(backtrace).map_err(|why| refuse(format!("not a backtrace: {why}")))?;
    // The table of a contract is a file of some megabytes.
    let told = tokio::task::spawn_blocking(move || backtrace.told(&receiver, true)).await;
    json(200, &value!({ "lines": told.map_err(|_| engine::Refusal::Stopping)? }))
}

fn arrived(node: &Node, arrival: Arrival) -> Answer {
    let missing: Vec<String> = arrival.missing.iter().map(ToString::to_string).collect();
    json(
        200,
        &value!({
            "time": node.handle.now().to_string(),
            "head_block_num": arrival.head_num,
            "head_block_id": arrival.head_id.to_string(),
            "head_block_time": arrival.head_time.to_string(),
            "last_irreversible_block_num": arrival.irreversible,
            "blocks": arrival.blocks,
            "missing_producers": missing,
        }),
    )
}
