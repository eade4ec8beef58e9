//! Blocks: `get_block`, `get_raw_block`, `get_block_header`, `get_block_info`, `get_block_header_state`.

use chain::{BlockState, Chain};
use codec::Unpack;
use primitives::{BlockId, FaultKind, SignedBlock, number};
use serde_json::{Map, Value};

use crate::node::Node;
use crate::params::Fields;
use crate::reply::{Answer, Reply, json};
use crate::{ApiError, block_json, large};

/// Characters that a block's number or id may have.
const BLOCK_NUM_OR_ID_MAX: usize = 64;

enum Which {
    Number(u64),
    Id(BlockId),
}

fn which(text: &str) -> Result<Which, ApiError> {
    if text.is_empty() || text.len() > BLOCK_NUM_OR_ID_MAX {
        let message = "Invalid Block number or ID, must be greater than 0 and less than 65 characters";
        return Err(ApiError::new(FaultKind::BLOCK_ID_TYPE_EXCEPTION, message));
    }
    if let Some(number) = number::unsigned(text) {
        return Ok(Which::Number(number));
    }
    block_id(text).map(Which::Id)
}

fn block_id(text: &str) -> Result<BlockId, ApiError> {
    text.parse::<BlockId>().map_err(|fault| {
        let kind = FaultKind::BLOCK_ID_TYPE_EXCEPTION;
        ApiError::of(&fault.rethrown_as(kind, format!("Invalid block ID: {text}")))
    })
}

fn is_reversible(chain: &Chain, state: &BlockState) -> bool {
    state.number() > chain.root().number()
}

/// The packed block that is asked for, if the node has it.
pub(crate) fn find(node: &Node, text: &str) -> Result<Option<SignedBlock>, ApiError> {
    let store = node.handle.store();
    let bytes = match which(text)? {
        Which::Number(number) => match u32::try_from(number) {
            Ok(number) => store.block_at(number)?,
            Err(_) => None,
        },
        Which::Id(id) => store.block_by_id(&id)?,
    };
    let unpack = |bytes: Vec<u8>| {
        SignedBlock::from_bytes(&bytes).map_err(|error| {
            ApiError::new(FaultKind::BLOCK_LOG_EXCEPTION, format!("a stored block is damaged: {error}"))
        })
    };
    bytes.map(unpack).transpose()
}

fn unknown(message: String) -> ApiError {
    ApiError::new(FaultKind::UNKNOWN_BLOCK_EXCEPTION, message)
}

fn asked(node: &Node, body: &[u8]) -> Result<SignedBlock, ApiError> {
    let which: String = Fields::required(body)?.get("block_num_or_id")?;
    let missing = || unknown(format!("Could not find block: {which}")).at("chain_plugin.cpp", 1958, "get_raw_block");
    find(node, &which)?.ok_or_else(missing)
}

/// `get_block`: with actions in the form of their contracts' ABIs.
pub fn get_block(node: &Node, body: &[u8]) -> Answer {
    let block = asked(node, body)?;
    large::works_on(block_json::packed_bytes(&block))?;
    let contracts = block_json::contracts(&block);
    let abis = node.abis.set(&node.handle, contracts);
    Ok(Reply { status: 200, body: block_json::block(&block, &abis)? })
}

/// `get_raw_block`: as the block is reflected.
pub fn get_raw_block(node: &Node, body: &[u8]) -> Answer {
    json(200, &asked(node, body)?)
}

/// `get_block_header`.
pub fn get_block_header(node: &Node, body: &[u8]) -> Answer {
    let params = Fields::required(body)?;
    let which: String = params.get("block_num_or_id")?;
    let include_extensions: bool = params.get("include_extensions")?;
    let missing = || unknown(format!("Could not find block header: {which}"));
    let block = find(node, &which)?.ok_or_else(missing)?;
    let mut answer = Map::new();
    answer.insert("id".to_owned(), block.id().to_string().into());
    answer.insert("signed_block_header".to_owned(), block_json::value(&block.signed_header));
    if include_extensions {
        answer.insert("block_extensions".to_owned(), block_json::extensions(&block.block_extensions));
    }
    json(200, &answer)
}

/// `get_block_info`.
pub fn get_block_info(node: &Node, body: &[u8]) -> Answer {
    let number: u32 = Fields::required(body)?.get("block_num")?;
    let missing = || unknown(format!("Could not find block: {number}"));
    let block = find(node, &number.to_string())?.ok_or_else(missing)?;
    let header = &block.signed_header.header;
    let id = block.id();
    let number = store::blocks::number_of(&id);
    let mut answer = Map::new();
    let mut set = |key: &str, value: Value| answer.insert(key.to_owned(), value);
    set("block_num", number.into());
    set("ref_block_num", (number as u16).into());
    set("id", id.to_string().into());
    set("timestamp", header.timestamp.to_string().into());
    set("producer", header.producer.to_string().into());
    set("confirmed", header.confirmed.into());
    set("previous", header.previous.to_string().into());
    set("transaction_mroot", header.transaction_mroot.to_string().into());
    set("action_mroot", header.action_mroot.to_string().into());
    set("schedule_version", header.schedule_version.into());
    set("producer_signature", block.signed_header.producer_signature.to_string().into());
    set("ref_block_prefix", block_json::ref_block_prefix(&id).into());
    json(200, &answer)
}

/// `get_block_header_state`: of reversible blocks only.
pub fn get_block_header_state(node: &Node, body: &[u8]) -> Answer {
    let text: String = Fields::required(body)?.get("block_num_or_id")?;
    let text = text.as_str();
    let found = match number::unsigned(text) {
        Some(number) => {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            node.handle
                .read(|chain| chain.fork_block_by_num(number).filter(|state| is_reversible(chain, state)).cloned())
        }
        None if text.is_empty() => None,
        None => {
            let id = block_id(text)?;
            node.handle.read(|chain| chain.fork_block(&id).filter(|state| is_reversible(chain, state)).cloned())
        }
    };
    let state = found.ok_or_else(|| unknown(format!("Could not find reversible block: {text}")))?;
    json(200, &block_json::header_state(&state.header))
}
