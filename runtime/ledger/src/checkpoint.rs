//! Checkpoints: which rows changed since the last one, how to undo the blocks that are still reversible, and the way
//! back from both to a ledger. Where they are kept is the node's business.
//!
//! While blocks run, a changed row is listed by its key, once per checkpoint. A checkpoint has the present values of
//! the listed rows, so that a restart applies again what came later, however old the last irreversible block is. For
//! each reversible block that no checkpoint has yet, it has the rows that the block changed as they were before
//! ([`past`]); a ledger that is loaded can undo these blocks by putting the rows back ([`restore`]).

pub(crate) mod error;
mod load;
mod past;
mod restore;

use codec::{Bytes, Pack, Unpack};
use primitives::{Authority, BlockId, BlockTimestamp, Checksum256, Name, TimePoint, TransactionId};

use crate::account::AccountMetadata;
use crate::code::Code;
use crate::dedup::chunk_of;
use crate::keys::{AccountId, CodeId, CodeKey, PermissionId, RowId, RowKey, SINGLES, Single, TableKey};
use crate::link::Link;
use crate::permission::Permission;
use crate::resource::Limits;
use crate::secondary::{Float64, Float128, Key128, Key256, SecondaryKey};
use crate::{GeneratedTransaction, GlobalProperty, Ledger, ProtocolState, ResourceConfig, ResourceState, Usage};

use crate::undo::LoadedRow;
pub use error::CheckpointError;
pub use load::CheckpointLoader;
use past::Past;

/// A row's key and its packed value; `None` for a row that is gone.
pub type CheckpointRow = (Vec<u8>, Option<Vec<u8>>);

/// What changed since the last checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Rows that changed, as of the newest block.
    pub rows: Vec<CheckpointRow>,
    /// How to undo the reversible blocks that no earlier checkpoint has, or has from another branch; ascending.
    pub undo: Vec<BlockUndo>,
}

/// How to undo a block after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockUndo {
    /// The block's number.
    pub number: u32,
    /// The packed rows that it changed, as they were before it.
    pub rows: Vec<u8>,
}

/// Listed keys beyond which the list is freed of repetitions.
pub(crate) const LISTED_MAX: usize = 1 << 20;

/// A row's packed key as text, for people.
pub fn describe(key: &[u8]) -> String {
    RowKey::decode(key).map_or_else(|| format!("unknown key {key:02x?}"), |key| format!("{key:?}"))
}

#[derive(Pack, Unpack)]
struct AccountInfoRow {
    name: Name,
    creation_date: BlockTimestamp,
    abi: Bytes,
    ram_correction: u64,
    ram_correction_order: Option<u64>,
    limits: Limits,
}

#[derive(Pack, Unpack)]
struct AccountHotRow {
    recv_sequence: u64,
    auth_sequence: u64,
    code_sequence: u64,
    abi_sequence: u64,
    code: Option<(Checksum256, u8, u8)>,
    last_code_update: TimePoint,
    flags: u32,
    vm_type: u8,
    vm_version: u8,
    usage: Usage,
}

#[derive(Pack, Unpack)]
struct CodeRow {
    order: u64,
    code: Bytes,
    code_ref_count: u64,
    first_block_used: u32,
}

#[derive(Debug, Pack, Unpack)]
struct PermissionRow {
    order: u64,
    parent: Name,
    last_updated: TimePoint,
    last_used: TimePoint,
    auth: Authority,
}

/// A row at some time, borrowed from the tables or from the journal.
enum Image<'a> {
    Absent,
    Global(&'a GlobalProperty),
    Protocol(&'a ProtocolState),
    Dynamic(u64),
    ResourceConfig(&'a ResourceConfig),
    ResourceState(ResourceState),
    Code(&'a Code, u64),
    AccountInfo(AccountInfoImage<'a>),
    AccountHot(Box<(AccountMetadata, Usage)>),
    Permission {
        row: &'a Permission,
        auth: &'a Authority,
        last_updated: TimePoint,
        last_used: TimePoint,
    },
    Link(Link),
    PendingLimits(Limits),
    Table(TableKey, Name),
    Row(Name, &'a [u8]),
    /// Payer and packed key.
    Secondary(Name, Vec<u8>),
    Generated(&'a GeneratedTransaction),
    Transactions(&'a [(u64, TransactionId)]),
    BlockSummary(BlockId),
    /// As a checkpoint had it.
    Packed(&'a Option<Vec<u8>>),
}

struct AccountInfoImage<'a> {
    name: Name,
    creation_date: BlockTimestamp,
    abi: &'a [u8],
    ram_correction: u64,
    ram_correction_order: Option<u64>,
    limits: Limits,
}

impl Ledger {
    /// Notes that a row changed.
    #[inline]
    pub(crate) fn list(&mut self, key: RowKey) {
        if self.checkpointed {
            self.dirty.push(key);
            if self.dirty.len() >= self.dirty_max {
                self.forget_repetitions();
            }
        }
    }

    #[cold]
    fn forget_repetitions(&mut self) {
        self.dirty.sort_unstable();
        self.dirty.dedup();
        self.dirty_max = LISTED_MAX.max(2 * self.dirty.len());
    }

    /// What changed since the last call. The first call on a ledger from genesis or from a snapshot returns all rows.
    /// No block may be half done.
    pub fn take_checkpoint(&mut self) -> Checkpoint {
        let mut keys = if self.checkpointed { std::mem::take(&mut self.dirty) } else { self.all_keys() };
        keys.extend(SINGLES.map(RowKey::Single));
        keys.sort_unstable();
        keys.dedup();
        let present = Past::new(self);
        let rows = keys.into_iter().map(|key| (key.encode(), present.row(key))).collect();
        let undo = self.unsaved_undo();
        self.saved = self.newest_block().unwrap_or(self.saved);
        self.saved_undone = false;
        self.dirty_max = LISTED_MAX;
        self.checkpointed = true;
        self.epoch.advance();
        Checkpoint { rows, undo }
    }

    /// Whether a block that is part of the last checkpoint was undone since: that checkpoint is of a branch that may
    /// be forgotten, and the next one is due.
    pub fn is_checkpoint_undone(&self) -> bool {
        self.saved_undone
    }

    /// What takes back the blocks that no checkpoint has.
    fn unsaved_undo(&self) -> Vec<BlockUndo> {
        let mut past = Past::new(self);
        let mut undo = Vec::new();
        for (number, entries) in self.journal.newest_first().take_while(|&(number, _)| number > self.saved) {
            let mut keys = past.step_block(entries);
            keys.sort_unstable();
            let rows = keys.into_iter().map(|key| (key.encode(), past.row(key)));
            undo.push(BlockUndo { number, rows: restore::pack_rows(rows) });
        }
        undo.reverse();
        undo
    }

    /// The rows that each block changed which can be undone, as they were before it; oldest block first.
    pub(crate) fn changed_rows(&self) -> Vec<Vec<LoadedRow>> {
        let mut past = Past::new(self);
        let mut blocks = Vec::new();
        for (_, entries) in self.journal.newest_first() {
            let mut keys = past.step_block(entries);
            keys.sort_unstable();
            blocks.push(keys.into_iter().map(|key| LoadedRow { key, old: past.row(key) }).collect());
        }
        blocks.reverse();
        blocks
    }

    /// Lists what the newest block changed, when it is in the last checkpoint: undoing it changes those rows again.
    pub(crate) fn list_undone_block(&mut self) {
        let Some((number, entries)) = self.journal.newest_first().next().filter(|&(number, _)| number <= self.saved)
        else {
            return;
        };
        let keys = Past::new(self).step_block(entries);
        self.saved = number - 1;
        self.saved_undone = true;
        keys.into_iter().for_each(|key| self.list(key));
    }

    fn all_keys(&self) -> Vec<RowKey> {
        let mut keys = Vec::new();
        let accounts = 0..self.account_count() as u32;
        keys.extend(accounts.flat_map(|index| [RowKey::AccountInfo(index), RowKey::AccountHot(index)]));
        keys.extend(self.codes.rows.iter().map(|(_, code)| RowKey::Code(code.key())));
        keys.extend(self.permissions().into_iter().map(|id| {
            let permission = self.permission(id);
            RowKey::Permission(permission.owner, permission.name)
        }));
        keys.extend(self.links.iter().map(|(&key, _)| RowKey::Link(key)));
        keys.extend(self.pending_limits.iter().map(|(&name, _)| RowKey::PendingLimits(name)));
        for (_, table) in self.contracts.tables.iter() {
            keys.push(RowKey::Table(table.order));
            keys.extend(table.rows.iter().map(|(primary, _)| RowKey::Row(table.order, primary)));
            let Some(secondary) = table.secondary.as_deref() else {
                continue;
            };
            let kinds = secondary.primary_keys();
            keys.extend(kinds.map(|(kind, primary)| RowKey::Secondary(kind, table.order, primary)));
        }
        keys.extend(self.generated.rows.iter().map(|(&order, _)| RowKey::Generated(order)));
        for (&time, bucket) in &self.dedup.buckets {
            keys.extend((0..bucket.chunks()).map(|chunk| RowKey::Transactions(time, chunk)));
        }
        let known = |slot: &u16| self.block_summary(*slot) != BlockId::default();
        keys.extend((0..=u16::MAX).filter(known).map(RowKey::BlockSummary));
        keys
    }

    /// A row as it is now.
    fn present(&self, key: RowKey) -> Image<'_> {
        self.find_present(key).unwrap_or(Image::Absent)
    }

    fn find_present(&self, key: RowKey) -> Option<Image<'_>> {
        Some(match key {
            RowKey::Single(Single::Global) => Image::Global(&self.global_property),
            RowKey::Single(Single::Protocol) => Image::Protocol(&self.protocol_state),
            RowKey::Single(Single::Dynamic) => Image::Dynamic(self.global_action_sequence),
            RowKey::Single(Single::ResourceConfig) => Image::ResourceConfig(&self.resource_config),
            RowKey::Single(Single::ResourceState) => Image::ResourceState(self.resource_state),
            RowKey::Code(key) => {
                let code = self.code(*self.codes.by_key.get(&key)?);
                Image::Code(code, code.code_ref_count)
            }
            RowKey::AccountInfo(index) => {
                let info = self.accounts.info.get(index as usize)?;
                Image::AccountInfo(AccountInfoImage {
                    name: info.name,
                    creation_date: info.creation_date,
                    abi: &info.abi,
                    ram_correction: info.ram_correction,
                    ram_correction_order: info.ram_correction_order,
                    limits: self.accounts.hot[index as usize].limits,
                })
            }
            RowKey::AccountHot(index) => {
                let metadata = self.accounts.hot.get(index as usize)?.metadata.clone();
                Image::AccountHot(Box::new((metadata, *self.account_usage(AccountId(index)))))
            }
            RowKey::Permission(owner, name) => {
                let row = self.permission(self.permission_of(self.find_account(owner)?, name)?);
                Image::Permission { row, auth: &row.auth, last_updated: row.last_updated, last_used: row.last_used }
            }
            RowKey::Link(key) => Image::Link(*self.links.get(&key)?),
            RowKey::PendingLimits(name) => Image::PendingLimits(*self.pending_limits.get(&name)?),
            RowKey::Table(order) => {
                let table = self.table(*self.contracts.by_order.get(&order)?);
                Image::Table(table.key, table.payer)
            }
            RowKey::Row(order, primary) => {
                let table = self.table(*self.contracts.by_order.get(&order)?);
                let row = self.row(RowId(table.rows.get(&primary)?));
                Image::Row(row.payer, row.value())
            }
            RowKey::Secondary(kind, order, primary) => match kind {
                u64::KIND => self.present_secondary::<u64>(order, primary)?,
                Key128::KIND => self.present_secondary::<Key128>(order, primary)?,
                Key256::KIND => self.present_secondary::<Key256>(order, primary)?,
                Float64::KIND => self.present_secondary::<Float64>(order, primary)?,
                _ => self.present_secondary::<Float128>(order, primary)?,
            },
            RowKey::Generated(order) => Image::Generated(self.generated.rows.get(&order)?),
            RowKey::Transactions(time, chunk) => {
                Image::Transactions(chunk_of(&self.dedup.buckets.get(&time)?.ids, chunk)?)
            }
            RowKey::BlockSummary(slot) => Image::BlockSummary(self.block_summary(slot)),
        })
    }

    fn present_secondary<K: SecondaryKey>(&self, order: u64, primary: u64) -> Option<Image<'_>> {
        let table = *self.contracts.by_order.get(&order)?;
        let row = self.secondary::<K>(self.secondary_find_primary::<K>(table, primary)?);
        Some(Image::Secondary(row.payer, row.secondary.to_bytes()))
    }
}

impl Image<'_> {
    /// The packed row. What a row refers to by handle is named by `past`, since a handle may be another row's by now.
    fn pack(&self, past: &Past<'_>) -> Option<Vec<u8>> {
        Some(match self {
            Self::Absent => return None,
            Self::Global(row) => row.to_bytes(),
            Self::Protocol(row) => row.to_bytes(),
            Self::Dynamic(sequence) => sequence.to_bytes(),
            Self::ResourceConfig(row) => row.to_bytes(),
            Self::ResourceState(row) => row.to_bytes(),
            Self::Code(row, code_ref_count) => CodeRow {
                order: row.order,
                code: row.code.clone(),
                code_ref_count: *code_ref_count,
                first_block_used: row.first_block_used,
            }
            .to_bytes(),
            Self::AccountInfo(image) => AccountInfoRow {
                name: image.name,
                creation_date: image.creation_date,
                abi: image.abi.into(),
                ram_correction: image.ram_correction,
                ram_correction_order: image.ram_correction_order,
                limits: image.limits,
            }
            .to_bytes(),
            Self::AccountHot(image) => {
                let (metadata, usage) = &**image;
                AccountHotRow {
                    recv_sequence: metadata.recv_sequence,
                    auth_sequence: metadata.auth_sequence,
                    code_sequence: metadata.code_sequence,
                    abi_sequence: metadata.abi_sequence,
                    code: metadata.code.map(|code| past.code_key(code)),
                    last_code_update: metadata.last_code_update,
                    flags: metadata.flags,
                    vm_type: metadata.vm_type,
                    vm_version: metadata.vm_version,
                    usage: *usage,
                }
                .to_bytes()
            }
            Self::Permission { row, auth, last_updated, last_used } => PermissionRow {
                order: row.order,
                parent: past.permission_name(row.parent),
                last_updated: *last_updated,
                last_used: *last_used,
                auth: (*auth).clone(),
            }
            .to_bytes(),
            Self::Link(row) => row.to_bytes(),
            Self::PendingLimits(row) => row.to_bytes(),
            Self::Table(key, payer) => (*key, *payer).to_bytes(),
            Self::Row(payer, value) => [&payer.0.to_le_bytes(), *value].concat(),
            Self::Secondary(payer, key) => [&payer.0.to_le_bytes(), key.as_slice()].concat(),
            Self::Generated(row) => row.to_bytes(),
            Self::Transactions(ids) => ids.to_bytes(),
            Self::BlockSummary(id) => id.to_bytes(),
            Self::Packed(row) => return (*row).clone(),
        })
    }
}

impl Past<'_> {
    /// The name of a permission by its handle, as of then.
    fn permission_name(&self, id: PermissionId) -> Name {
        self.permission_then(id).unwrap_or_else(|| self.ledger().permission(id).name)
    }

    /// The key of code by its handle, as of then.
    fn code_key(&self, id: CodeId) -> CodeKey {
        self.code_then(id).unwrap_or_else(|| self.ledger().code(id).key())
    }
}
