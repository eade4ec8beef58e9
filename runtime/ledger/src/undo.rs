//! Every way to revert one mutation. An entry holds what the mutation replaced, and no more; each table says what its
//! entries are and how they are undone, here they come together.
//!
//! A block that writes the same rows again and again keeps one old value of each (`squash`).

mod squash;

use statedb::{Mark, RowUndo};

use crate::Ledger;
use crate::account::AccountUndo;
use crate::checkpoint::error::CheckpointError;
use crate::code::CodeUndo;
use crate::contract::ContractUndo;
use crate::dedup::DedupUndo;
use crate::generated::GeneratedTransaction;
use crate::global::GlobalUndo;
use crate::keys::{LinkKey, RowKey};
use crate::link::Link;
use crate::permission::PermissionUndo;
use crate::resource::ResourceUndo;
use crate::secondary::IndexUndo;

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
    /// Of accounts.
    Account(AccountUndo),
    /// Of limits and usage.
    Resource(ResourceUndo),
    /// Of tables with one row.
    Global(GlobalUndo),
    /// Of stored code.
    Code(CodeUndo),
    /// Of permissions.
    Permission(PermissionUndo),
    /// A link before a change.
    Link(Box<RowUndo<LinkKey, Link>>),
    /// Of contract tables and primary rows.
    Contract(ContractUndo),
    /// Of secondary indexes.
    Index(IndexUndo),
    /// A waiting transaction before a change.
    Generated(Box<RowUndo<u64, GeneratedTransaction>>),
    /// Of known transactions.
    Dedup(DedupUndo),
    /// All rows that a block changed before a restart, as they were before it.
    Rows(Vec<LoadedRow>),
}

/// Every action makes several entries: one fits into a cache line.
const _: () = assert!(size_of::<Undo>() <= 64);

macro_rules! entries {
    ($($of:ty, $variant:ident;)*) => {$(
        impl From<$of> for Undo {
            #[inline]
            fn from(undo: $of) -> Self {
                Self::$variant(undo)
            }
        }
    )*};
}
entries! {
    AccountUndo, Account;
    ResourceUndo, Resource;
    GlobalUndo, Global;
    CodeUndo, Code;
    PermissionUndo, Permission;
    ContractUndo, Contract;
    IndexUndo, Index;
    DedupUndo, Dedup;
}

impl From<RowUndo<LinkKey, Link>> for Undo {
    fn from(undo: RowUndo<LinkKey, Link>) -> Self {
        Self::Link(Box::new(undo))
    }
}

impl From<RowUndo<u64, GeneratedTransaction>> for Undo {
    fn from(undo: RowUndo<u64, GeneratedTransaction>) -> Self {
        Self::Generated(Box::new(undo))
    }
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
            self.revert(entry);
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
        let Some((number, start)) = self.journal.end_newest_block() else {
            return Ok(None);
        };
        while let Some(entry) = self.journal.pop_to(start) {
            match entry {
                Undo::Rows(rows) => self.put_back(rows)?,
                entry => self.revert(entry),
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

    fn revert(&mut self, entry: Undo) {
        match entry {
            Undo::Account(undo) => self.undo_account(undo),
            Undo::Resource(undo) => self.undo_resource(undo),
            Undo::Global(undo) => self.undo_global(undo),
            Undo::Code(undo) => self.undo_code(undo),
            Undo::Permission(undo) => self.undo_permission(undo),
            Undo::Link(undo) => self.undo_link(*undo),
            Undo::Contract(undo) => self.undo_contract(undo),
            Undo::Index(undo) => self.undo_index(undo),
            Undo::Generated(undo) => self.generated.undo(*undo),
            Undo::Dedup(undo) => self.dedup.undo(undo),
            Undo::Rows(_) => unreachable!("a block that was loaded is undone as a whole"),
        }
    }
}
