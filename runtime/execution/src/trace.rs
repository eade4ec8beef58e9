//! What a transaction did, in the terms of nodeos' traces. Pure values: JSON is made by the API.

use std::sync::Arc;

use codec::{Pack, Unpack, VarUint32};
use primitives::{
    Action, BlockId, BlockTimestamp, Checksum256, Fault, Name, Sha256, TransactionHeader, TransactionId,
    TransactionStatus,
};

use crate::console::{CONSOLE_BYTES_KEPT, shorten};

/// Change of one account's RAM usage in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack)]
pub struct AccountDelta {
    /// The account.
    pub account: Name,
    /// Bytes, negative when freed.
    pub delta: i64,
}

/// How a transaction was billed: the head of its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack)]
pub struct ReceiptHeader {
    /// How it ended.
    pub status: TransactionStatus,
    /// Billed CPU in microseconds.
    pub cpu_usage_us: u32,
    /// Billed net in words of 8 bytes.
    pub net_usage_words: VarUint32,
}

impl ReceiptHeader {
    /// For net usage in whole words, as billing leaves it.
    pub(crate) fn new(status: TransactionStatus, cpu_usage_us: u32, net_usage: u64) -> Self {
        Self { status, cpu_usage_us, net_usage_words: VarUint32((net_usage / 8) as u32) }
    }
}

/// Sequence numbers of the authorizers of one action, ascending by name. Almost always there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AuthSequences {
    /// No authorizer.
    #[default]
    None,
    /// One authorizer.
    One((Name, u64)),
    /// Several authorizers, ascending.
    Many(Vec<(Name, u64)>),
}

impl AuthSequences {
    /// The pairs in ascending order.
    pub fn as_slice(&self) -> &[(Name, u64)] {
        match self {
            Self::None => &[],
            Self::One(pair) => std::slice::from_ref(pair),
            Self::Many(pairs) => pairs,
        }
    }

    /// Notes the newest sequence number of `actor`.
    pub fn set(&mut self, actor: Name, sequence: u64) {
        match self {
            Self::None => *self = Self::One((actor, sequence)),
            Self::One(pair) if pair.0 == actor => pair.1 = sequence,
            Self::One(pair) => {
                let mut pairs = vec![*pair, (actor, sequence)];
                pairs.sort_unstable();
                *self = Self::Many(pairs);
            }
            Self::Many(pairs) => match pairs.binary_search_by_key(&actor, |pair| pair.0) {
                Ok(at) => pairs[at].1 = sequence,
                Err(at) => pairs.insert(at, (actor, sequence)),
            },
        }
    }
}

impl Pack for AuthSequences {
    fn pack<S: codec::Sink + ?Sized>(&self, out: &mut S) {
        self.as_slice().pack(out);
    }
}

impl Unpack for AuthSequences {
    fn unpack(input: &mut codec::Reader<'_>) -> Result<Self, codec::DecodeError> {
        let mut pairs = Vec::<(Name, u64)>::unpack(input)?;
        Ok(match pairs.len() {
            0 => Self::None,
            1 => Self::One(pairs.remove(0)),
            _ => Self::Many(pairs),
        })
    }
}

/// Proof that a receiver ran an action; its digest is a leaf of the block's `action_mroot`.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct ActionReceipt {
    /// Who ran it.
    pub receiver: Name,
    /// Digest of the action, with its return value after ACTION_RETURN_VALUE.
    pub act_digest: Checksum256,
    /// Number of the action on the whole chain.
    pub global_sequence: u64,
    /// Number of the action at this receiver.
    pub recv_sequence: u64,
    /// Number of the action for each authorizer.
    pub auth_sequence: AuthSequences,
    /// How often the first receiver's code changed.
    pub code_sequence: VarUint32,
    /// How often the first receiver's ABI changed.
    pub abi_sequence: VarUint32,
}

impl ActionReceipt {
    /// The merkle leaf.
    pub fn digest(&self) -> Checksum256 {
        Sha256::packed(self)
    }
}

/// A row of a contract's table at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct RowImage {
    /// Who pays for it.
    pub payer: Name,
    /// The row, packed as the contract packs it.
    pub value: Vec<u8>,
}

/// What an action did to one row of its receiver's tables, secondary indexes apart.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct RowChange {
    /// The table's scope.
    pub scope: Name,
    /// The table.
    pub table: Name,
    /// The row's primary key.
    pub primary: u64,
    /// The row before; missing where it was stored.
    pub before: Option<RowImage>,
    /// The row afterwards; missing where it was removed.
    pub after: Option<RowImage>,
}

impl RowChange {
    /// Bytes of both images.
    fn bytes(&self) -> usize {
        [&self.before, &self.after].into_iter().flatten().map(|image| image.value.len()).sum()
    }
}

/// Bytes of rows and their keys that a transaction's trace holds at most; what comes after them is counted.
const ROW_CHANGES_BYTES_MAX: usize = 1 << 20;
/// What a change takes beside its rows, about.
const ROW_CHANGE_BYTES: usize = 64;

/// Which rows an action changed, in the order in which it did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct RowChanges {
    /// The changes.
    pub kept: Vec<RowChange>,
    /// How many more there were.
    pub omitted: u32,
}

impl RowChanges {
    /// Adds a change, within what is left of the transaction's `budget` of bytes.
    pub(crate) fn add(&mut self, change: RowChange, budget: &mut RowBudget) {
        match budget.0.checked_sub(change.bytes() + ROW_CHANGE_BYTES) {
            Some(left) if self.omitted == 0 => {
                budget.0 = left;
                self.kept.push(change);
            }
            _ => self.omitted = self.omitted.saturating_add(1),
        }
    }
}

/// Bytes of changed rows that a transaction's trace may still take.
#[derive(Debug)]
pub(crate) struct RowBudget(usize);

impl Default for RowBudget {
    fn default() -> Self {
        Self(ROW_CHANGES_BYTES_MAX)
    }
}

/// One receiver's run of one action.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct ActionTrace {
    /// Number in the order of scheduling, from 1.
    pub action_ordinal: u32,
    /// The action that asked for this one; 0 for actions of the transaction itself.
    pub creator_action_ordinal: u32,
    /// The nearest action up the chain that is not a notification; 0 for none.
    pub closest_unnotified_ancestor_action_ordinal: u32,
    /// Its receipt; missing where it did not finish.
    pub receipt: Option<ActionReceipt>,
    /// Who ran it.
    pub receiver: Name,
    /// The action; shared by its notifications.
    pub act: Arc<Action>,
    /// Whether it ran without state.
    pub context_free: bool,
    /// Wall-clock time in microseconds; 0 where nobody measured.
    pub elapsed_us: i64,
    /// What the contract printed: bytes, as contracts print them, within [`crate::console::CONSOLE_BYTES_MAX`].
    pub console: Vec<u8>,
    /// RAM that it moved, ascending by account.
    pub account_ram_deltas: Vec<AccountDelta>,
    /// Why it failed.
    pub except: Option<Box<Fault>>,
    /// The contract's own number of the failure, or nodeos' general one.
    pub error_code: Option<u64>,
    /// What it returned (ACTION_RETURN_VALUE).
    pub return_value: Vec<u8>,
    /// The rows that it changed, where the node wants to know ([`crate::Settings::trace_rows`]).
    pub rows: RowChanges,
    /// Where the contract's code was when it stopped, where the node wants to know
    /// ([`wasm::Engine::with_backtraces`]).
    pub backtrace: Option<Box<wasm::Backtrace>>,
}

/// A transaction's run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack)]
pub struct TransactionTrace {
    /// The transaction.
    pub id: TransactionId,
    /// The block that it ran in.
    pub block_num: u32,
    /// That block's slot.
    pub block_time: BlockTimestamp,
    /// That block's id, where it was known beforehand (applied, not produced).
    pub producer_block_id: Option<BlockId>,
    /// How it was billed; missing where it left nothing in the block.
    pub receipt: Option<ReceiptHeader>,
    /// Wall-clock time in microseconds; 0 where nobody measured.
    pub elapsed_us: i64,
    /// Billed net in bytes.
    pub net_usage: u64,
    /// Whether it came from the chain's own list of scheduled transactions.
    pub scheduled: bool,
    /// The header of one that came from there, which blocks do not hold.
    pub scheduled_header: Option<TransactionHeader>,
    /// Its actions in the order of their ordinals.
    pub action_traces: Vec<ActionTrace>,
    /// RAM that scheduling or retiring a deferred transaction moved.
    pub account_ram_delta: Option<AccountDelta>,
    /// The failed deferred transaction that this onerror handler ran for.
    pub failed_dtrx_trace: Option<Box<TransactionTrace>>,
    /// Why it failed.
    pub except: Option<Box<Fault>>,
    /// The contract's own number of the failure, or nodeos' general one.
    pub error_code: Option<u64>,
}

impl TransactionTrace {
    /// The trace as it stays with its block: where its contracts printed much, with less of that.
    pub fn kept(self: &Arc<Self>) -> Arc<Self> {
        let mut kept = Arc::clone(self);
        if self.console_bytes() > CONSOLE_BYTES_KEPT {
            Arc::make_mut(&mut kept).shorten_consoles();
        }
        kept
    }

    fn console_bytes(&self) -> usize {
        let own: usize = self.action_traces.iter().map(|action| action.console.len()).sum();
        own + self.failed_dtrx_trace.as_ref().map_or(0, |failed| failed.console_bytes())
    }

    fn shorten_consoles(&mut self) {
        let mut room = CONSOLE_BYTES_KEPT;
        for action in &mut self.action_traces {
            let printed = action.console.len();
            shorten(&mut action.console, room);
            room = room.saturating_sub(printed);
        }
        self.failed_dtrx_trace.iter_mut().for_each(|failed| failed.shorten_consoles());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_beyond_the_budget_are_counted() {
        let change = |bytes| RowChange {
            scope: Name(1),
            table: Name(2),
            primary: 3,
            before: None,
            after: Some(RowImage { payer: Name(4), value: vec![0; bytes] }),
        };
        let (mut rows, mut budget) = (RowChanges::default(), RowBudget::default());
        for bytes in [10, ROW_CHANGES_BYTES_MAX, 10] {
            rows.add(change(bytes), &mut budget);
        }
        assert_eq!((rows.kept.len(), rows.omitted), (1, 2));
        assert_eq!(RowChanges::from_bytes(&rows.to_bytes()), Ok(rows));
    }

    #[test]
    fn what_was_printed_stays_within_bounds() {
        let printed = |bytes| {
            let mut trace = TransactionTrace::default();
            for bytes in bytes {
                trace.action_traces.push(ActionTrace { console: vec![b'x'; bytes], ..ActionTrace::default() });
            }
            Arc::new(trace)
        };
        let short = printed([CONSOLE_BYTES_KEPT - 1, 1]);
        assert!(Arc::ptr_eq(&short.kept(), &short));
        let long = printed([CONSOLE_BYTES_KEPT - 3, 10]).kept();
        let consoles: Vec<_> = long.action_traces.iter().map(|action| action.console.len()).collect();
        assert_eq!(consoles[0], CONSOLE_BYTES_KEPT - 3);
        assert_eq!(long.action_traces[1].console, b"xxx... (7 bytes more)");
    }

    #[test]
    fn auth_sequences_stay_sorted_and_unique() {
        let mut sequences = AuthSequences::default();
        for (actor, sequence) in [(5, 1), (5, 2), (3, 7), (9, 8), (3, 9), (4, 1)] {
            sequences.set(Name(actor), sequence);
        }
        assert_eq!(sequences.as_slice(), [(Name(3), 9), (Name(4), 1), (Name(5), 2), (Name(9), 8)]);
        assert_eq!(AuthSequences::from_bytes(&sequences.to_bytes()), Ok(sequences));
    }
}
