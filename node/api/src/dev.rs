//! `/v1/dev`: time and state of a development chain, as its user wants them. Served by development chains alone, to
//! programs on their machine.

use std::sync::Arc;

use axum::body::Bytes;
use engine::{Arrival, Journey};
use primitives::{FaultKind, TimePoint};
use serde_json::json as value;

use crate::ApiError;
use crate::node::Node;
use crate::params::{self, Fields};
use crate::reply::{Answer, json};

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
