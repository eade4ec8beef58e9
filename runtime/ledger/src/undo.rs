//! Every way to take one mutation back. An entry holds what the mutation replaced, and no more.
//!
//! A block that writes the same rows again and again keeps one old value of each (`squash`).

mod squash;

use primitives::{Authority, BlockId, Name, TimePoint, TimePointSec};
use statedb::{Blob, Mark, RowUndo, Stamp};

use crate::code::{Code, CodeKey};
use crate::contract::{Row, RowId, Table, TableId};
use crate::dedup::Bucket;
use crate::ema::UsageAverage;
use crate::generated::GeneratedTransaction;
use crate::global::{GlobalProperty, ProtocolState};
use crate::link::{Link, LinkKey};
use crate::permission::{Permission, PermissionId};
use crate::resource::{Limits, ResourceConfig, ResourceState};
use crate::secondary::{Float64, Float128, Key128, Key256, SecondaryUndo};
use crate::{AccountId, AccountMetadata, CheckpointError, CodeId, Ledger, RowKey};

pub(crate) use squash::Squashed;
pub use squash::UndoLimits;

/// A row before a block, as a checkpoint kept it.
#[derive(Debug)]
pub struct LoadedRow {
    pub(crate) key: RowKey,
    /// Its packed value; nothing where there was no row.
    pub(crate) old: Option<Vec<u8>>,
}

/// An entry of the journal.
#[derive(Debug)]
pub enum Undo {
    /// The newest account was created.
    AccountCreated,
    /// Metadata before a change.
    Metadata(AccountId, Box<AccountMetadata>),
    /// One action was received.
    RecvSequence(AccountId),
    /// One action was authorised.
    AuthSequence(AccountId),
    /// The ABI before a change.
    Abi(AccountId, Box<[u8]>),
    /// RAM correction, its order and the next order before a change.
    RamCorrection(AccountId, u64, Option<u64>, u64),
    /// Net and CPU usage before a change.
    Usage(AccountId, UsageAverage, UsageAverage),
    /// RAM usage before a change.
    RamUsage(AccountId, u64),
    /// Limits before a change.
    Limits(AccountId, Limits),
    /// Pending limits before a change.
    PendingLimits(RowUndo<Name, Limits>),
    /// The open block's usage before a change.
    PendingUsage {
        /// CPU.
        cpu: u64,
        /// Net.
        net: u64,
    },
    /// Totals and averages before a change.
    ResourceState(Box<ResourceState>),
    /// Limits of blocks before a change.
    ResourceConfig(Box<ResourceConfig>),
    /// One action was executed.
    GlobalSequence,
    /// Global properties before a change.
    GlobalProperty(Box<GlobalProperty>),
    /// Protocol features before a change.
    ProtocolState(Box<ProtocolState>),
    /// A ring entry before a change.
    BlockSummary(u16, BlockId),
    /// Code was stored.
    CodeCreated(CodeId, CodeKey),
    /// Number of users of code before a change.
    CodeReferences(CodeId, CodeKey, u64),
    /// Code was removed.
    CodeRemoved(CodeId, Box<Code>),
    /// A permission was created.
    PermissionCreated(PermissionId, Name, Name),
    /// Authority and time of change before a change.
    PermissionChanged(PermissionId, (Name, Name), Box<(Authority, TimePoint)>),
    /// Time of use before a use.
    PermissionUsed(PermissionId, (Name, Name), TimePoint),
    /// A permission was removed.
    PermissionRemoved(PermissionId, Box<Permission>),
    /// A link before a change.
    Link(Box<RowUndo<LinkKey, Link>>),
    /// A table was created, with this order.
    TableCreated(TableId, u64),
    /// An empty table was removed.
    TableRemoved(Box<Table>),
    /// A row was added to the table of this order, with this key.
    RowInserted(RowId, u64, u64),
    /// A row before a change.
    RowUpdated {
        /// The row.
        row: RowId,
        /// Its table's order.
        table: u64,
        /// Its key.
        primary: u64,
        /// Who paid.
        payer: Name,
        /// What was in it.
        value: Blob,
    },
    /// A row was removed from the table of this order.
    RowRemoved(u64, Row),
    /// A row of an index over u64 changed.
    Index64(Box<SecondaryUndo<u64>>),
    /// A row of an index over u128 changed.
    Index128(Box<SecondaryUndo<Key128>>),
    /// A row of an index over 256-bit keys changed.
    Index256(Box<SecondaryUndo<Key256>>),
    /// A row of an index over doubles changed.
    IndexDouble(Box<SecondaryUndo<Float64>>),
    /// A row of an index over long doubles changed.
    IndexLongDouble(Box<SecondaryUndo<Float128>>),
    /// A waiting transaction before a change.
    Generated(Box<RowUndo<u64, GeneratedTransaction>>),
    /// A transaction was noted.
    TransactionRecorded(TimePointSec),
    /// Transactions of one second were forgotten.
    TransactionsExpired(Box<(TimePointSec, Bucket)>),
    /// All rows that a block changed before a restart, as they were before it.
    Rows(Vec<LoadedRow>),
}

impl Ledger {
    /// A point to come back to inside the present block.
    #[inline]
    pub fn mark(&self) -> Mark {
        self.journal.mark()
    }

    /// Takes back everything since `mark`, newest first.
    pub fn undo_to(&mut self, mark: Mark) {
        while let Some(entry) = self.journal.pop_to(mark) {
            self.take_back(entry);
        }
    }

    /// Starts a block: until it is committed, all changes from here on can be undone together.
    ///
    /// # Panics
    /// When the number is not above those of the blocks that can still be undone.
    pub fn begin_block(&mut self, number: u32) {
        self.compact_blocks();
        self.journal.begin_block(number);
    }

    /// Takes the newest block back; returns its number, or `None` when no block can be undone.
    ///
    /// # Errors
    /// What a checkpoint kept for undoing the block does not fit the state. Blocks that were not loaded never fail.
    pub fn undo_block(&mut self) -> Result<Option<u32>, CheckpointError> {
        self.list_undone_block();
        let Some((number, start)) = self.journal.end_newest_block() else { return Ok(None) };
        while let Some(entry) = self.journal.pop_to(start) {
            match entry {
                Undo::Rows(rows) => self.put_back(rows)?,
                entry => self.take_back(entry),
            }
        }
        Ok(Some(number))
    }

    /// Makes blocks up to and including `number` final: they can no longer be undone. Blocks that are not there are
    /// nothing.
    pub fn commit_blocks_up_to(&mut self, number: u32) {
        self.journal.commit(number);
    }

    /// The newest block that can be undone (it may be open).
    pub fn newest_block(&self) -> Option<u32> {
        self.journal.newest_block()
    }

    /// The oldest block that can be undone.
    pub fn oldest_block(&self) -> Option<u32> {
        self.journal.oldest_block()
    }

    /// Number of journal entries kept: what undo could touch.
    pub fn undo_len(&self) -> usize {
        self.journal.len()
    }

    /// Bytes of memory that the journal holds: what reversible blocks cost beside the state.
    pub fn undo_bytes(&self) -> usize {
        self.journal.bytes()
    }

    fn take_back(&mut self, entry: Undo) {
        match entry {
            Undo::AccountCreated
            | Undo::Metadata(..)
            | Undo::RecvSequence(_)
            | Undo::AuthSequence(_)
            | Undo::Abi(..)
            | Undo::RamCorrection(..)
            | Undo::Usage(..)
            | Undo::RamUsage(..)
            | Undo::Limits(..) => self.take_back_account(entry),
            Undo::PendingLimits(undo) => self.pending_limits.undo(undo),
            Undo::PendingUsage { cpu, net } => {
                self.resource_state.pending_cpu_usage = cpu;
                self.resource_state.pending_net_usage = net;
            }
            Undo::ResourceState(old) => self.resource_state = *old,
            Undo::ResourceConfig(old) => self.resource_config = *old,
            Undo::GlobalSequence => self.global_action_sequence -= 1,
            Undo::GlobalProperty(old) => self.global_property = old,
            Undo::ProtocolState(old) => self.protocol_state = old,
            Undo::BlockSummary(slot, old) => self.block_summaries.0[usize::from(slot)] = old,
            Undo::Generated(undo) => self.generated.undo(*undo),
            Undo::Rows(_) => unreachable!("a block that was loaded is undone as a whole"),
            Undo::TransactionRecorded(expiration) => self.dedup.pop(expiration),
            Undo::TransactionsExpired(expired) => self.dedup.put_back(expired.0, expired.1),
            Undo::Link(undo) => {
                self.next_link_order -= u64::from(undo.old.is_none());
                self.links.undo(*undo);
            }
            Undo::CodeCreated(..) | Undo::CodeReferences(..) | Undo::CodeRemoved(..) => self.take_back_code(entry),
            Undo::PermissionCreated(..)
            | Undo::PermissionChanged(..)
            | Undo::PermissionUsed(..)
            | Undo::PermissionRemoved(..) => self.take_back_permission(entry),
            Undo::TableCreated(..)
            | Undo::TableRemoved(_)
            | Undo::RowInserted(..)
            | Undo::RowUpdated { .. }
            | Undo::RowRemoved(..) => self.take_back_contract(entry),
            Undo::Index64(undo) => self.undo_secondary(*undo),
            Undo::Index128(undo) => self.undo_secondary(*undo),
            Undo::Index256(undo) => self.undo_secondary(*undo),
            Undo::IndexDouble(undo) => self.undo_secondary(*undo),
            Undo::IndexLongDouble(undo) => self.undo_secondary(*undo),
        }
    }

    fn take_back_account(&mut self, entry: Undo) {
        let accounts = &mut self.accounts;
        match entry {
            Undo::AccountCreated => accounts.pop(),
            Undo::Metadata(account, old) => accounts.hot[account.index()].metadata = *old,
            Undo::RecvSequence(account) => accounts.hot[account.index()].metadata.recv_sequence -= 1,
            Undo::AuthSequence(account) => accounts.hot[account.index()].metadata.auth_sequence -= 1,
            Undo::Abi(account, old) => accounts.info[account.index()].abi = Vec::from(old).into(),
            Undo::RamCorrection(account, correction, order, next) => {
                let info = &mut accounts.info[account.index()];
                (info.ram_correction, info.ram_correction_order) = (correction, order);
                self.next_ram_correction = next;
            }
            Undo::Usage(account, net, cpu) => {
                let usage = &mut accounts.hot[account.index()].usage;
                (usage.net, usage.cpu) = (net, cpu);
            }
            Undo::RamUsage(account, old) => accounts.hot[account.index()].usage.ram = old,
            Undo::Limits(account, old) => accounts.hot[account.index()].limits = old,
            _ => unreachable!("only entries of accounts come here"),
        }
    }

    fn take_back_code(&mut self, entry: Undo) {
        match entry {
            Undo::CodeCreated(id, _) => {
                self.codes.take(id);
                self.codes.next_order -= 1;
            }
            Undo::CodeReferences(id, _, old) => self.codes.rows.row_mut(id.0).code_ref_count = old,
            Undo::CodeRemoved(_, code) => drop(self.codes.put(*code)),
            _ => unreachable!("only entries of code come here"),
        }
    }

    fn take_back_permission(&mut self, entry: Undo) {
        match entry {
            Undo::PermissionCreated(id, ..) => {
                self.take_permission(id);
                self.permissions.next_order -= 1;
            }
            Undo::PermissionChanged(id, _, old) => {
                let permission = &mut self.permissions.rows.row_mut(id.0).0;
                (permission.auth, permission.last_updated) = *old;
                let (owner, name) = (permission.owner, permission.name);
                self.permissions.note(owner, name);
            }
            Undo::PermissionUsed(id, _, old) => self.permissions.rows.row_mut(id.0).0.last_used = old,
            Undo::PermissionRemoved(_, row) => {
                let account = self.find_account(row.owner).expect("the owner of a permission exists");
                self.put_permission(account, *row);
            }
            _ => unreachable!("only entries of permissions come here"),
        }
    }

    fn take_back_contract(&mut self, entry: Undo) {
        match entry {
            Undo::TableCreated(id, _) => {
                self.contracts.take_table(id);
                self.contracts.next_order -= 1;
            }
            Undo::TableRemoved(table) => drop(self.contracts.put_table(*table)),
            Undo::RowInserted(id, ..) => drop(self.contracts.take_row(id)),
            Undo::RowUpdated { row, payer, value, .. } => {
                let row = self.contracts.rows.row_mut(row.0);
                (row.payer, row.value) = (payer, value);
            }
            // What comes back counts as not listed: listing a key twice does no harm.
            Undo::RowRemoved(_, row) => drop(self.contracts.put_row(Row { stamp: Stamp::default(), ..row })),
            _ => unreachable!("only entries of contract tables come here"),
        }
    }
}
