//! Traces as the store keeps them: packed and whole, so that every form of an answer can be made of them later.

use std::sync::Arc;

use chain::SealedBlock;
use codec::{Pack, Unpack};
use execution::features::Feature;
use execution::{RecoveredTransaction, TransactionTrace};
use primitives::transaction::TransactionHeader;
use primitives::{
    BlockId, BlockTimestamp, Checksum256, FaultKind, Name, Signature, TimePointSec, TransactionId, TransactionStatus,
};
use rustc_hash::FxHashMap;

use crate::ApiError;
use crate::block_json::ref_block_prefix;
use crate::node::Node;

/// The first byte of stored traces; another one is of another version of the node.
const VERSION: u8 = 3;

/// The traces of one block, with what their answers say of the block.
#[derive(Debug, Pack, Unpack)]
pub struct BlockTraces {
    /// The block's id.
    pub id: BlockId,
    /// The block before it.
    pub previous: BlockId,
    /// Its slot.
    pub timestamp: BlockTimestamp,
    /// Who made it.
    pub producer: Name,
    /// Root of its receipts.
    pub transaction_mroot: Checksum256,
    /// Root of its action receipts.
    pub action_mroot: Checksum256,
    /// Version of the schedule in force.
    pub schedule_version: u32,
    /// Onblock, and what each receipt is of: failed and expired transactions too, which nodeos' trace API does not show
    /// and its state history does.
    pub transactions: Vec<StoredTransaction>,
}

/// A transaction of a block.
#[derive(Debug, Pack, Unpack)]
pub struct StoredTransaction {
    /// Who signed it.
    pub signatures: Vec<Signature>,
    /// Its header.
    pub header: TransactionHeader,
    /// What it did.
    pub trace: Arc<TransactionTrace>,
}

impl StoredTransaction {
    /// What is shown of it: of a deferred transaction that failed, itself, with what its error handler did.
    pub fn shown(&self) -> &TransactionTrace {
        shown(&self.trace)
    }

    /// Whether it did something, and nodeos' trace API shows it: executed, or failed with an error handler that was.
    pub fn did_something(&self) -> bool {
        let status = self.trace.receipt.map(|receipt| receipt.status);
        matches!(status, Some(TransactionStatus::Executed | TransactionStatus::SoftFail))
    }
}

fn shown(trace: &TransactionTrace) -> &TransactionTrace {
    trace.failed_dtrx_trace.as_deref().unwrap_or(trace)
}

/// A block's traces, packed.
pub fn encode(sealed: &SealedBlock) -> Vec<u8> {
    let Some(block) = &sealed.state.block else { return Vec::new() };
    let header = &block.signed_header.header;
    let input: FxHashMap<TransactionId, &RecoveredTransaction> =
        sealed.state.transactions.iter().map(|transaction| (transaction.id, &**transaction)).collect();
    let in_block = sealed.traces.iter().enumerate().filter(|(_, trace)| trace.receipt.is_some());
    let transactions = in_block.map(|(index, trace)| {
        let shown = shown(trace);
        let (signatures, header) = match (input.get(&shown.id), &shown.scheduled_header) {
            (_, Some(header)) => (Vec::new(), header.clone()),
            (Some(input), None) => (input.packed.signatures.clone(), input.parts.header.clone()),
            (None, None) => {
                (Vec::new(), if index == 0 { onblock_header(sealed) } else { TransactionHeader::default() })
            }
        };
        StoredTransaction { signatures, header, trace: Arc::clone(trace) }
    });
    let traces = BlockTraces {
        id: sealed.state.id(),
        previous: header.previous,
        timestamp: header.timestamp,
        producer: header.producer,
        transaction_mroot: header.transaction_mroot,
        action_mroot: header.action_mroot,
        schedule_version: header.schedule_version,
        transactions: transactions.collect(),
    };
    let mut bytes = vec![VERSION];
    traces.pack(&mut bytes);
    bytes
}

/// The header of the transaction that runs onblock, whose trace is a block's first. Since NO_DUPLICATE_DEFERRED_ID it
/// refers to no block.
fn onblock_header(sealed: &SealedBlock) -> TransactionHeader {
    let header = &sealed.state.header;
    if header.activated_protocol_features.contains(&Feature::NoDuplicateDeferredId.digest()) {
        return TransactionHeader::default();
    }
    let previous = header.previous();
    // The next whole second.
    let expiration = (header.timestamp().time().0 + 999_999) / 1_000_000;
    TransactionHeader {
        expiration: TimePointSec(expiration as u32),
        ref_block_num: store::blocks::number_of(&previous) as u16,
        ref_block_prefix: ref_block_prefix(&previous),
        ..TransactionHeader::default()
    }
}

/// The traces of a block, where they are kept.
///
/// # Errors
/// The disk refuses, or what is stored cannot be read.
pub fn load(node: &Node, num: u32) -> Result<Option<BlockTraces>, ApiError> {
    let Some(bytes) = node.handle.store().traces(num)? else { return Ok(None) };
    let damaged = |why: String| ApiError::new(FaultKind::EXCEPTION, format!("the traces of block {num} {why}"));
    match bytes.split_first() {
        Some((&VERSION, packed)) => {
            let read = BlockTraces::from_bytes(packed);
            read.map(Some).map_err(|error| damaged(format!("are damaged ({error}). A replay makes them again")))
        }
        _ => Err(damaged("are of another version of boreasd. A replay makes them again".to_owned())),
    }
}

/// A transaction that is `wanted`, and its block's traces. Where the `block` is not said, only what was sent in is found,
/// as on nodeos: not what a block does by itself.
///
/// # Errors
/// As [`load`], or the transaction is not known.
pub fn find(
    node: &Node,
    id: &TransactionId,
    block: Option<u32>,
    wanted: fn(&StoredTransaction) -> bool,
) -> Result<(BlockTraces, usize), ApiError> {
    let position = || node.handle.store().transaction_position(id);
    let number =
        block.map_or_else(|| Ok(position()?.map(|position| position.num)), |number| Ok::<_, ApiError>(Some(number)))?;
    let number = number.ok_or_else(unknown_transaction)?;
    let block = load(node, number)?.ok_or_else(unknown_transaction)?;
    let index = block.transactions.iter().position(|transaction| wanted(transaction) && transaction.shown().id == *id);
    Ok((block, index.ok_or_else(no_trace)?))
}

/// The answer where no block has a transaction.
fn unknown_transaction() -> ApiError {
    ApiError::plain(404, "Trace API: transaction id missing in the transaction id log files")
}

/// The answer where a transaction's block has no trace of it.
fn no_trace() -> ApiError {
    ApiError::plain(404, "Trace API: transaction trace missing")
}
