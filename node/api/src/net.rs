//! `/v1/net`: peers, as nodeos' net_api_plugin shows and changes them; and what this node alone tells of them.

use std::sync::Arc;

use axum::body::Bytes;
use p2p::shell::Stopped;
use p2p::wire::Handshake;
use p2p::{ConnectionStatus, DoubleSign, NetworkHandle};
use primitives::block::SignedBlockHeader;
use serde_json::{Value, json as value};

use crate::ApiError;
use crate::node::Node;
use crate::params;
use crate::reply::{Answer, json, signed};

/// The network, unless this node has none.
fn network(node: &Node) -> Result<&NetworkHandle, ApiError> {
    node.network.as_ref().ok_or_else(|| stopped(Stopped))
}

fn stopped(_: Stopped) -> ApiError {
    engine::Refusal::Stopping.into()
}

/// `connect`: dials an address from now on.
pub async fn connect(node: Arc<Node>, body: Bytes) -> Answer {
    let address = params::required::<String>(&body)?;
    json(201, &network(&node)?.connect(address).await.map_err(stopped)?)
}

/// `disconnect`: dials an address no more.
pub async fn disconnect(node: Arc<Node>, body: Bytes) -> Answer {
    let address = params::required::<String>(&body)?;
    json(201, &network(&node)?.disconnect(address).await.map_err(stopped)?)
}

/// `status` of one connection; null where it is not known.
pub async fn status(node: Arc<Node>, body: Bytes) -> Answer {
    let address = params::required::<String>(&body)?;
    let status = network(&node)?.status(address).await.map_err(stopped)?;
    json(201, &status.as_ref().map_or(Value::Null, shown))
}

/// `connections`: all of them.
pub async fn connections(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    let connections = network(&node)?.connections().await.map_err(stopped)?;
    json(201, &connections.iter().map(shown).collect::<Vec<_>>())
}

/// `/v1/node/double_signs`: who signed two blocks for a slot, with both signed headers as the proof.
pub async fn double_signs(node: Arc<Node>, body: Bytes) -> Answer {
    params::none(&body)?;
    let found = network(&node)?.double_signs().await.map_err(stopped)?;
    json(200, &found.iter().map(shown_double_sign).collect::<Vec<_>>())
}

fn shown_double_sign(found: &DoubleSign) -> Value {
    let header = |signed: &SignedBlockHeader| {
        value!({
            "block_num": signed.header.block_num(),
            "id": signed.header.id().to_string(),
            "signed_block_header": signed,
        })
    };
    let DoubleSign { first, second } = found;
    value!({
        "producer": first.header.producer,
        "timestamp": first.header.timestamp,
        "headers": [header(first), header(second)],
    })
}

fn shown(status: &ConnectionStatus) -> Value {
    value!({
        "peer": status.peer,
        "connecting": status.connecting,
        "syncing": status.syncing,
        "is_bp_peer": false,
        "last_handshake": shown_handshake(&status.last_handshake),
    })
}

fn shown_handshake(handshake: &Handshake) -> Value {
    value!({
        "network_version": handshake.network_version,
        "chain_id": handshake.chain_id.to_string(),
        "node_id": handshake.node_id.to_string(),
        "key": handshake.key.to_string(),
        "time": signed(handshake.time),
        "token": handshake.token.to_string(),
        "sig": handshake.sig.to_string(),
        "p2p_address": handshake.p2p_address.shown(),
        "last_irreversible_block_num": handshake.irreversible.num,
        "last_irreversible_block_id": handshake.irreversible.id.to_string(),
        "head_num": handshake.head.num,
        "head_id": handshake.head.id.to_string(),
        "os": handshake.os.shown(),
        "agent": handshake.agent.shown(),
        "generation": handshake.generation,
    })
}
