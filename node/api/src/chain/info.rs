//! The chain as a whole: `get_info`, `get_consensus_parameters`, `get_transaction_status`.

use primitives::{BlockId, ChainConfig, ChainId, FaultKind, Name, TimePoint, TransactionId, WasmConfig};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ApiError;
use crate::node::Node;
use crate::params::{self, FromVariant};
use crate::reply::{Answer, json};

#[derive(Serialize)]
struct Info<'a> {
    server_version: &'a str,
    chain_id: ChainId,
    head_block_num: u32,
    last_irreversible_block_num: u32,
    last_irreversible_block_id: BlockId,
    head_block_id: BlockId,
    head_block_time: TimePoint,
    head_block_producer: Name,
    #[serde(with = "primitives::json::integer")]
    virtual_block_cpu_limit: u64,
    #[serde(with = "primitives::json::integer")]
    virtual_block_net_limit: u64,
    #[serde(with = "primitives::json::integer")]
    block_cpu_limit: u64,
    #[serde(with = "primitives::json::integer")]
    block_net_limit: u64,
    server_version_string: &'a str,
    fork_db_head_block_num: u32,
    fork_db_head_block_id: BlockId,
    server_full_version_string: &'a str,
    #[serde(with = "primitives::json::integer")]
    total_cpu_weight: u64,
    #[serde(with = "primitives::json::integer")]
    total_net_weight: u64,
    earliest_available_block_num: u32,
    last_irreversible_block_time: TimePoint,
}

/// `get_info`.
pub fn get_info(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let earliest = node.handle.store().earliest_block_num()?.unwrap_or(1);
    let settings = &node.settings;
    let info = node.handle.read(|chain| {
        let (head, best, root, ledger) = (chain.head(), chain.best(), chain.root(), chain.ledger());
        let state = ledger.resource_state();
        Info {
            server_version: &settings.version_id,
            chain_id: node.handle.chain_id(),
            head_block_num: head.number(),
            last_irreversible_block_num: root.number(),
            last_irreversible_block_id: root.id(),
            head_block_id: head.id(),
            head_block_time: chain.head_time(),
            head_block_producer: head.header.block_header().producer,
            virtual_block_cpu_limit: state.virtual_cpu_limit,
            virtual_block_net_limit: state.virtual_net_limit,
            block_cpu_limit: ledger.block_cpu_limit(),
            block_net_limit: ledger.block_net_limit(),
            server_version_string: &settings.version,
            fork_db_head_block_num: best.number(),
            fork_db_head_block_id: best.id(),
            server_full_version_string: &settings.full_version,
            total_cpu_weight: state.total_cpu_weight,
            total_net_weight: state.total_net_weight,
            earliest_available_block_num: earliest,
            last_irreversible_block_time: root.header.timestamp().time(),
        }
    });
    json(200, &info)
}

#[derive(Serialize)]
struct Parameters {
    chain_config: ChainConfig,
    wasm_config: WasmConfig,
}

/// `get_consensus_parameters`.
pub fn get_consensus_parameters(node: &Node, body: &[u8]) -> Answer {
    params::none(body)?;
    let parameters = node.handle.read(|chain| {
        let property = chain.ledger().global_property();
        Parameters { chain_config: property.configuration.clone(), wasm_config: property.wasm_configuration.clone() }
    });
    json(200, &parameters)
}

/// `get_transaction_status`.
pub fn get_transaction_status(node: &Node, body: &[u8]) -> Answer {
    if body.is_empty() {
        return Err(params::missing());
    }
    let refuse = || ApiError::new(FaultKind::INVALID_HTTP_REQUEST, "Invalid transaction id");
    let read = abi::json::from_slice(body).ok().and_then(|read| TransactionId::from_variant(read.get("id")?).ok());
    let id = read.filter(|id| *id != TransactionId::default()).ok_or_else(refuse)?;
    let (tracked, state) = node.handle.finality().look_up(&id);
    let mut answer = Map::new();
    let mut set = |key: &str, value: Value| answer.insert(key.to_owned(), value);
    let name = match &state {
        None => "UNKNOWN",
        Some(state) if !state.is_in_block() => {
            if node.handle.now() >= TimePoint::from(state.expiration) {
                "FAILED"
            } else if state.forked_out {
                "FORKED_OUT"
            } else {
                "LOCALLY_APPLIED"
            }
        }
        Some(state) => match state.block {
            Some(block) if number(block.id) > number(tracked.irreversible.id) => "IN_BLOCK",
            _ => "IRREVERSIBLE",
        },
    };
    set("state", name.into());
    if let Some(block) = state.and_then(|state| state.block) {
        set("block_number", number(block.id).into());
        set("block_id", block.id.to_string().into());
        set("block_timestamp", block.time.time().to_string().into());
    }
    if let Some(state) = state {
        set("expiration", TimePoint::from(state.expiration).to_string().into());
    }
    set("head_number", number(tracked.head.id).into());
    set("head_id", tracked.head.id.to_string().into());
    set("head_timestamp", tracked.head.time.time().to_string().into());
    set("irreversible_number", number(tracked.irreversible.id).into());
    set("irreversible_id", tracked.irreversible.id.to_string().into());
    set("irreversible_timestamp", tracked.irreversible.time.time().to_string().into());
    set("earliest_tracked_block_id", tracked.earliest.to_string().into());
    set("earliest_tracked_block_number", number(tracked.earliest).into());
    json(200, &answer)
}

fn number(id: BlockId) -> u32 {
    store::blocks::number_of(&id)
}
