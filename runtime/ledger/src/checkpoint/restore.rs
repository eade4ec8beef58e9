//! Undoing blocks of before a restart: the rows that such a block changed are put back as they were before it.
//!
//! Rows go in the reverse order of their keys and come in the order of their keys, because a row depends only on rows
//! with smaller keys. What others refer to by handle (accounts, code, permissions, tables) is changed in place.

use codec::{Bytes, Pack, Reader, Unpack};
use primitives::{BlockId, Name};

use super::error::{CheckpointError, Result, ensure, missing, unpack};
use super::{AccountInfoRow, BlockUndo, CheckpointRow, CodeRow, PermissionRow};
use crate::Ledger;
use crate::code::Code;
use crate::keys::{AccountId, PermissionId, RowId, RowKey};
use crate::permission::Permission;
use crate::secondary::{Float64, Float128, Key128, Key256, SecondaryKey};
use crate::undo::{LoadedRow, Undo};

/// The form in which the rows of [`BlockUndo`] are kept.
pub(super) fn pack_rows(rows: impl Iterator<Item = CheckpointRow>) -> Vec<u8> {
    let mut packed = Vec::new();
    rows.for_each(|(key, value)| (Bytes(key), value.map(Bytes)).pack(&mut packed));
    packed
}

fn unpack_rows(packed: &[u8]) -> Result<Vec<LoadedRow>> {
    let mut reader = Reader::new(packed);
    let mut rows = Vec::new();
    while reader.remaining() > 0 {
        let row = <(Bytes, Option<Bytes>)>::unpack(&mut reader);
        let (key, value) = row.map_err(|cause| CheckpointError::Value { key: Vec::new(), cause })?;
        let Some(decoded) = RowKey::decode(&key) else {
            return Err(CheckpointError::Key(key.0));
        };
        rows.push(LoadedRow { key: decoded, old: value.map(|value| value.0) });
    }
    ensure(rows.is_sorted_by(|left, right| left.key < right.key), "a block's rows are not in order")?;
    Ok(rows)
}

impl Ledger {
    /// Brings the reversible blocks of a ledger that was just loaded, in ascending order.
    ///
    /// # Errors
    /// They are damaged, or not in order.
    pub fn load_undo(&mut self, blocks: impl IntoIterator<Item = BlockUndo>) -> Result<()> {
        for BlockUndo { number, rows } in blocks {
            ensure(self.newest_block().is_none_or(|newest| newest < number), "blocks are not in order")?;
            self.journal.begin_block(number);
            self.journal.push(Undo::Rows(unpack_rows(&rows)?));
            self.saved = number;
        }
        Ok(())
    }

    /// Puts back the rows that a block changed.
    pub(crate) fn put_back(&mut self, rows: Vec<LoadedRow>) -> Result<()> {
        rows.iter().rev().try_for_each(|row| self.unload_row(row.key, row.old.is_some()))?;
        let mut permissions = Vec::new();
        for (key, value) in rows.iter().filter_map(|row| Some((row.key, row.old.as_deref()?))) {
            match key {
                RowKey::Code(code) => match self.codes.by_key.get(&code) {
                    Some(id) => {
                        let CodeRow { order, code_ref_count, first_block_used, .. } = unpack(key, value)?;
                        let row = self.codes.rows.row_mut(id.0);
                        *row = Code { order, code_ref_count, first_block_used, ..row.clone() };
                    }
                    None => self.load_row(key, value)?,
                },
                RowKey::AccountInfo(index) if (index as usize) < self.account_count() => {
                    self.put_back_info(index, unpack(key, value)?)?;
                }
                RowKey::Permission(owner, name) => permissions.push((owner, name, unpack(key, value)?)),
                RowKey::Table(order) if self.contracts.by_order.contains_key(&order) => {}
                _ => self.load_row(key, value)?,
            }
        }
        self.put_back_permissions(permissions)
    }

    /// Drops a row that is not to stay as it is. A row that others refer to stays where it will be changed; one that
    /// came and went within the block is not there.
    fn unload_row(&mut self, key: RowKey, comes_back: bool) -> Result<()> {
        match key {
            RowKey::Single(_) | RowKey::AccountHot(_) => {}
            RowKey::Code(_) | RowKey::AccountInfo(_) | RowKey::Permission(..) | RowKey::Table(_) if comes_back => {}
            RowKey::Code((hash, vm_type, vm_version)) => {
                if let Some(id) = self.find_code(hash, vm_type, vm_version) {
                    self.codes.take(id);
                }
            }
            RowKey::AccountInfo(index) => {
                let hot = missing(self.accounts.hot.last(), "account that a block created")?;
                let newest = index as usize + 1 == self.account_count() && hot.permissions.is_empty();
                ensure(newest, "an account that a block created is not the newest")?;
                self.accounts.pop();
            }
            RowKey::Permission(owner, name) => {
                let account = self.find_account(owner);
                if let Some(id) = account.and_then(|account| self.permission_of(account, name)) {
                    self.take_permission(id);
                }
            }
            RowKey::Table(order) => {
                if let Some(&id) = self.contracts.by_order.get(&order) {
                    ensure(self.table(id).count == 0, "a table that a block created has rows from before")?;
                    self.contracts.take_table(id);
                }
            }
            RowKey::Link(link) => self.links.unload(&link),
            RowKey::PendingLimits(name) => self.pending_limits.unload(&name),
            RowKey::Row(order, primary) => {
                let table = self.contracts.by_order.get(&order);
                if let Some(row) = table.and_then(|table| self.table(*table).rows.get(&primary)) {
                    self.contracts.take_row(RowId(row));
                }
            }
            RowKey::Secondary(kind, order, primary) => match kind {
                u64::KIND => self.unload_secondary::<u64>(order, primary),
                Key128::KIND => self.unload_secondary::<Key128>(order, primary),
                Key256::KIND => self.unload_secondary::<Key256>(order, primary),
                Float64::KIND => self.unload_secondary::<Float64>(order, primary),
                Float128::KIND => self.unload_secondary::<Float128>(order, primary),
                _ => return Err(CheckpointError::Key(key.encode())),
            },
            RowKey::Generated(order) => self.generated.unload(order),
            RowKey::Transactions(time, chunk) => self.dedup.drop_chunks_from(time, chunk),
            RowKey::BlockSummary(slot) => self.block_summaries.0[usize::from(slot)] = BlockId::default(),
        }
        Ok(())
    }

    fn unload_secondary<K: SecondaryKey>(&mut self, order: u64, primary: u64) {
        let table = self.contracts.by_order.get(&order).copied();
        if let Some(row) = table.and_then(|table| self.secondary_find_primary::<K>(table, primary)) {
            self.take_secondary::<K>(row);
        }
    }

    fn put_back_info(&mut self, index: u32, row: AccountInfoRow) -> Result<()> {
        let account = AccountId(index).index();
        let info = &mut self.accounts.info[account];
        ensure(info.name == row.name, "an account has another name")?;
        info.abi = row.abi;
        (info.ram_correction, info.ram_correction_order) = (row.ram_correction, row.ram_correction_order);
        self.accounts.hot[account].limits = row.limits;
        Ok(())
    }

    /// Permissions refer to each other: all must be there before their parents are looked up.
    fn put_back_permissions(&mut self, rows: Vec<(Name, Name, PermissionRow)>) -> Result<()> {
        for (owner, name, row) in &rows {
            let account = missing(self.find_account(*owner), "owner of a permission")?;
            if self.permission_of(account, *name).is_none() {
                let (order, owner, name, parent) = (row.order, *owner, *name, PermissionId::NONE);
                let (last_updated, last_used, auth) = (row.last_updated, row.last_used, row.auth.clone());
                let row = Permission { order, owner, name, parent, last_updated, last_used, auth };
                self.put_permission(account, row);
            }
        }
        for (owner, name, row) in rows {
            let account = missing(self.find_account(owner), "owner of a permission")?;
            let parent = match row.parent {
                Name(0) => PermissionId::NONE,
                parent => missing(self.permission_of(account, parent), "parent of a permission")?,
            };
            // A parent is older than its children, so no circle can come about.
            ensure(parent == PermissionId::NONE || self.permission(parent).order < row.order, "a parent is younger")?;
            let id = missing(self.permission_of(account, name), "permission that was just put back")?;
            let (last_updated, last_used, auth) = (row.last_updated, row.last_used, row.auth);
            let row = Permission { order: row.order, owner, name, parent, last_updated, last_used, auth };
            self.permissions.rows.row_mut(id.0).0 = row;
        }
        Ok(())
    }
}
