//! Every table of the chain, as nodeos has them: rows, order of creation, RAM bill, resource limits. Execution knows
//! what a rule wants; this crate knows what the state is, how each change is undone, and what it looks like in
//! snapshots and checkpoints. It knows no WASM, no blocks, no disk.
//!
//! In reading order: [`config`], [`keys`], [`account`], [`permission`], [`link`], [`code`], [`contract`], [`secondary`],
//! [`generated`], [`dedup`], [`global`], [`ema`], [`resource`], `tables`, `undo`, [`genesis`], [`snapshot`],
//! [`checkpoint`], `deltas`.
//!
//! All of a table stands in its file (or in the folder beside it): rows and keys; what its journal entries are, how each
//! is undone, and which of them a block needs to keep; its sections of snapshots; its rows in checkpoints, now, before a
//! change, and loaded; its rows in deltas. `undo`, [`snapshot`], [`checkpoint`] and `deltas` are the machinery, which knows no table; `tables` is the one
//! list, from which the cases for all tables are made.
//!
//! To add a table: write its file (`link` is a small one to begin from), name it here with its place in [`Ledger`], and
//! add its lines to `tables`. A change of a row pushes an entry to the journal and lists the row's key for the next
//! checkpoint; `tests/undo_and_checkpoint.rs` then has to learn to change it.
//!
//! A change inside a block is taken back with [`Ledger::mark`] and [`Ledger::undo_to`], a whole block with
//! [`Ledger::begin_block`] and [`Ledger::undo_block`]; [`Ledger::commit_blocks_up_to`] makes blocks final.

use primitives::Name;
use statedb::{Epoch, Journal, OrderedTable};

use tables::RowKey;

pub mod account;
pub mod checkpoint;
pub mod code;
pub mod config;
pub mod contract;
pub mod dedup;
mod deltas;
pub mod ema;
pub mod generated;
pub mod genesis;
pub mod global;
pub mod keys;
pub mod link;
pub mod permission;
pub mod resource;
pub mod secondary;
pub mod snapshot;
mod tables;
mod undo;

pub use account::{AccountInfo, AccountMetadata};
pub use checkpoint::{BlockUndo, Checkpoint, CheckpointError, CheckpointLoader, CheckpointRow};
pub use code::Code;
pub use contract::{Row, Table};
pub use generated::GeneratedTransaction;
pub use global::{ActivatedFeature, GlobalProperty, ProtocolState};
pub use keys::{AccountId, CodeId, GeneratedId, LinkKey, PermissionId, RowId, SecondaryId, TableId, TableKey};
pub use permission::Permission;
pub use resource::{AccountResourceLimit, Limits, ResourceConfig, ResourceState, Usage};
pub use secondary::{Float64, Float128, Key128, Key256, SecondaryKey, SecondaryRow};
pub use snapshot::{Snapshot, SnapshotError};
pub use statedb::Mark;
pub use undo::UndoLimits;

/// The state of a chain.
#[derive(Debug)]
pub struct Ledger {
    journal: Journal<tables::Undo>,
    squashed: undo::Squashed,
    epoch: Epoch,
    /// Rows changed since the last checkpoint; a key may be there more than once.
    dirty: Vec<RowKey>,
    /// Number of dirty keys at which repetitions are taken out.
    dirty_max: usize,
    /// Whether a checkpoint has been taken; the first one has all rows, and nothing is marked before it.
    checkpointed: bool,
    /// The newest block that the last checkpoint has, as far as it was not undone since.
    saved: u32,
    /// Whether a block of the last checkpoint was undone since.
    saved_undone: bool,
    accounts: account::Accounts,
    next_ram_correction: u64,
    pending_limits: OrderedTable<Name, Limits>,
    codes: code::Codes,
    permissions: permission::Permissions,
    links: OrderedTable<LinkKey, link::Link>,
    next_link_order: u64,
    contracts: contract::Contracts,
    generated: generated::Generated,
    dedup: dedup::Dedup,
    block_summaries: global::BlockSummaries,
    global_property: Box<GlobalProperty>,
    global_action_sequence: u64,
    protocol_state: Box<ProtocolState>,
    resource_config: ResourceConfig,
    resource_state: ResourceState,
}
