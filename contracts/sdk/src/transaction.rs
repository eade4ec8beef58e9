//! Transactions as data: what multisig and wrap carry, and the one being executed.

use crate::Record;
use crate::action::Action;
use crate::alloc;
use crate::alloc::vec::Vec;
use crate::codec::{VarUint32, Writer, unpack};
use crate::raw;
use crate::time::TimePointSec;

/// The header of a transaction.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct TransactionHeader {
    /// From then on it is no longer valid.
    pub expiration: TimePointSec,
    /// Low bits of a recent block's number.
    pub ref_block_num: u16,
    /// Four bytes of that block's id.
    pub ref_block_prefix: u32,
    /// Most eight-byte words of network use; 0 for no limit.
    pub max_net_usage_words: VarUint32,
    /// Most milliseconds of CPU; 0 for no limit.
    pub max_cpu_usage_ms: u8,
    /// Seconds it wants to be delayed.
    pub delay_sec: VarUint32,
}

/// A typed extension of a transaction.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
#[abi(name = "extension")]
pub struct TransactionExtension {
    /// Its kind.
    #[abi(name = "type")]
    pub kind: u16,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// A transaction without signatures.
#[derive(Record, Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The header.
    #[abi(base)]
    pub header: TransactionHeader,
    /// Actions without access to state.
    pub context_free_actions: Vec<Action>,
    /// The actions.
    pub actions: Vec<Action>,
    /// Extensions.
    pub transaction_extensions: Vec<TransactionExtension>,
}

/// The transaction being executed, packed.
pub fn current_transaction() -> Vec<u8> {
    // SAFETY: the buffer has the size the host asked for.
    unsafe {
        let mut packed = alloc::vec![0; raw::transaction_size() as usize];
        raw::read_transaction(packed.as_mut_ptr(), packed.len() as u32);
        packed
    }
}

/// When the transaction being executed expires.
pub fn expiration() -> TimePointSec {
    // SAFETY: no pointers.
    TimePointSec(unsafe { raw::expiration() } as u32)
}

/// Low bits of the number of the block the transaction refers to.
pub fn tapos_block_num() -> u32 {
    // SAFETY: no pointers.
    unsafe { raw::tapos_block_num() as u32 }
}

/// Four bytes of the id of the block the transaction refers to.
pub fn tapos_block_prefix() -> u32 {
    // SAFETY: no pointers.
    unsafe { raw::tapos_block_prefix() as u32 }
}

/// The transaction's action at this place of its list. Nothing when the list is shorter.
pub fn action(at: u32) -> Option<Action> {
    listed_action(1, at)
}

/// The transaction's context-free action at this place of its list. Nothing when the list is shorter.
pub fn context_free_action(at: u32) -> Option<Action> {
    listed_action(0, at)
}

fn listed_action(list: u32, at: u32) -> Option<Action> {
    // SAFETY: the host writes at most the length it is given.
    let packed = sized(|start, length| unsafe { raw::get_action(list, at, start, length) })?;
    Some(unpack(&packed))
}

/// What the transaction carries for its context-free actions at this place; only they may ask. Nothing when there is
/// less.
pub fn context_free_data(at: u32) -> Option<Vec<u8>> {
    // SAFETY: the host writes at most the length it is given.
    sized(|start, length| unsafe { raw::get_context_free_data(at, start, length) }).map(|data| Vec::from(&*data))
}

/// Asks for a size and then for as many bytes; a negative size is nothing.
fn sized(ask: impl Fn(*mut u8, u32) -> i32) -> Option<Writer> {
    let size = usize::try_from(ask(core::ptr::null_mut(), 0)).ok()?;
    let mut bytes = Writer::with_capacity(size);
    // SAFETY: `ask` fills the room of the size that it said.
    unsafe { bytes.fill(size, |start| ask(start, size as u32) as usize) };
    Some(bytes)
}
