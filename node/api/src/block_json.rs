//! Blocks and their transactions as JSON, actions in the form of their contracts' ABIs.

use std::sync::Arc;

use abi::{Abi, present};
use consensus::BlockHeaderState;
use primitives::block::ReceiptTransaction;
use primitives::{BlockId, Bytes, Fault, Name, SignedBlock, Transaction};
use serde::Serialize;
use serde_json::{Map, Value, json as object};

use crate::abis::AbiSet;
use crate::bounds::Bounds;

/// A value's own JSON form.
pub fn value<T: Serialize + ?Sized>(of: &T) -> Value {
    serde_json::to_value(of).expect("values have only texts as keys")
}

/// What TaPoS compares beside the number.
pub fn ref_block_prefix(id: &BlockId) -> u32 {
    u32::from_le_bytes([id.0[8], id.0[9], id.0[10], id.0[11]])
}

/// Extensions as `[id, hex]`.
pub fn extensions(list: &[(u16, Bytes)]) -> Value {
    list.iter().map(|(id, bytes)| object!([id, hex::encode(&bytes[..])])).collect()
}

/// Looks ABIs up in a set.
pub fn from_set(abis: &AbiSet) -> impl FnMut(Name) -> Result<Option<Arc<Abi>>, Fault> + '_ {
    |account| match abis.get(&account) {
        Some(Some(contract)) => contract.abi.clone(),
        _ => Ok(None),
    }
}

/// The contracts whose actions a block holds.
pub fn contracts(block: &SignedBlock) -> Vec<Name> {
    let transactions = block.transactions.iter().filter_map(|receipt| match &receipt.trx {
        ReceiptTransaction::Packed(packed) => packed.transaction().ok(),
        ReceiptTransaction::Id(_) => None,
    });
    transactions.flat_map(|transaction| contracts_of(&transaction)).collect()
}

/// The contracts whose actions a transaction holds.
pub fn contracts_of(transaction: &Transaction) -> Vec<Name> {
    transaction.context_free_actions.iter().chain(&transaction.actions).map(|action| action.account).collect()
}

/// The contracts that a client's transaction names.
pub fn contracts_of_json(transaction: &Value) -> Vec<Name> {
    ["context_free_actions", "actions"]
        .iter()
        .filter_map(|list| transaction.get(list)?.as_array())
        .flatten()
        .filter_map(|action| action.get("account")?.as_str()?.parse().ok())
        .collect()
}

/// Bytes of a block's packed transactions.
pub fn packed_bytes(block: &SignedBlock) -> usize {
    let packed = block.transactions.iter().map(|receipt| match &receipt.trx {
        ReceiptTransaction::Packed(packed) => packed.packed_trx.len() + packed.packed_context_free_data.len(),
        ReceiptTransaction::Id(_) => 0,
    });
    packed.sum()
}

/// A block as `get_block` shows it, as text.
///
/// # Errors
/// It holds extensions or transactions that do not unpack.
pub fn block(block: &SignedBlock, abis: &AbiSet) -> Result<Vec<u8>, Fault> {
    let id = block.id();
    let mut beside = Map::new();
    beside.insert("id".to_owned(), id.to_string().into());
    beside.insert("block_num".to_owned(), block.block_num().into());
    beside.insert("ref_block_prefix".to_owned(), ref_block_prefix(&id).into());
    present::block(block, beside, &mut from_set(abis), &Bounds::new().limits())
}

/// A header state as it is reflected.
pub fn header_state(state: &BlockHeaderState) -> Value {
    let nodes: Vec<String> = state.blockroot_merkle.active_nodes.iter().map(ToString::to_string).collect();
    let pairs = |map: &std::collections::BTreeMap<Name, u32>| -> Value {
        map.iter().map(|(name, number)| object!([name.to_string(), number])).collect()
    };
    let features: Vec<String> = state.activated_protocol_features.digests().iter().map(ToString::to_string).collect();
    let pending = &state.pending_schedule;
    object!({
        "block_num": state.block_num,
        "dpos_proposed_irreversible_blocknum": state.dpos_proposed_irreversible_blocknum,
        "dpos_irreversible_blocknum": state.dpos_irreversible_blocknum,
        "active_schedule": value(&*state.active_schedule),
        "blockroot_merkle": {"_active_nodes": nodes, "_node_count": state.blockroot_merkle.node_count},
        "producer_to_last_produced": pairs(&state.producer_to_last_produced),
        "producer_to_last_implied_irb": pairs(&state.producer_to_last_implied_irb),
        "valid_block_signing_authority": value(&state.valid_block_signing_authority),
        "confirm_count": state.confirm_count,
        "id": state.id.to_string(),
        "header": value(&state.header),
        "pending_schedule": {
            "schedule_lib_num": pending.schedule_lib_num,
            "schedule_hash": pending.schedule_hash.to_string(),
            "schedule": value(&*pending.schedule),
        },
        "activated_protocol_features": {"protocol_features": features},
        "additional_signatures": value(&state.additional_signatures),
    })
}
