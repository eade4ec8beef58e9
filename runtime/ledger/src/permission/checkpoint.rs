//! Permissions in checkpoints, by account and name. A parent is older than its children, but need not come before them.

use codec::{Pack, Unpack};
use primitives::{Authority, Name, TimePoint};

use super::{Permission, PermissionUndo};
use crate::Ledger;
use crate::checkpoint::error::{Result, ensure, missing, unpack};
use crate::checkpoint::key::row_key;
use crate::checkpoint::row::{CheckpointKey, Handles, HandlesBefore, RowsBefore};
use crate::keys::{AccountId, PermissionId};

row_key! {
    /// A permission.
    PermissionKey { owner: Name, name: Name }
}

#[derive(Debug, Pack, Unpack)]
struct PermissionRow {
    order: u64,
    parent: Name,
    last_updated: TimePoint,
    last_used: TimePoint,
    auth: Authority,
}

/// [`PermissionRow`] before it is packed.
pub(crate) struct PermissionImage<'a> {
    row: &'a Permission,
    auth: &'a Authority,
    last_updated: TimePoint,
    last_used: TimePoint,
}

impl<'a> From<&'a Permission> for PermissionImage<'a> {
    fn from(row: &'a Permission) -> Self {
        Self { row, auth: &row.auth, last_updated: row.last_updated, last_used: row.last_used }
    }
}

impl CheckpointKey for PermissionKey {
    type Image<'a> = PermissionImage<'a>;

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.permissions().into_iter().map(|id| {
            let permission = ledger.permission(id);
            Self { owner: permission.owner, name: permission.name }
        })
    }

    fn image(self, ledger: &Ledger) -> Option<PermissionImage<'_>> {
        Some(ledger.permission(ledger.permission_of(ledger.find_account(self.owner)?, self.name)?).into())
    }

    fn pack(image: &PermissionImage<'_>, handles: &Handles<'_>) -> Vec<u8> {
        PermissionRow {
            order: image.row.order,
            parent: handles.permission(image.row.parent),
            last_updated: image.last_updated,
            last_used: image.last_used,
            auth: image.auth.clone(),
        }
        .to_bytes()
    }

    /// Its parent must be there.
    fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        self.load_row(ledger, unpack(value)?)
    }

    fn unload(self, ledger: &mut Ledger, comes_back: bool) -> Result<()> {
        let account = ledger.find_account(self.owner).filter(|_| !comes_back);
        if let Some(id) = account.and_then(|account| ledger.permission_of(account, self.name)) {
            ledger.take_permission(id);
        }
        Ok(())
    }

    /// Its parent may come later.
    fn restore(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        let account = self.account(ledger)?;
        if ledger.permission_of(account, self.name).is_none() {
            ledger.put_permission(account, self.row(unpack(value)?, PermissionId::NONE));
        }
        Ok(())
    }

    fn restore_references(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        let row: PermissionRow = unpack(value)?;
        let account = self.account(ledger)?;
        let parent = parent(ledger, account, &row)?;
        // A parent is older than its children, so no circle can come about.
        ensure(parent == PermissionId::NONE || ledger.permission(parent).order < row.order, "a parent is younger")?;
        let id = missing(ledger.permission_of(account, self.name), "permission that was just put back")?;
        ledger.permissions.rows.row_mut(id.0).0 = self.row(row, parent);
        Ok(())
    }
}

impl PermissionKey {
    fn account(self, ledger: &Ledger) -> Result<AccountId> {
        missing(ledger.find_account(self.owner), "owner of a permission")
    }

    fn row(self, row: PermissionRow, parent: PermissionId) -> Permission {
        let PermissionRow { order, last_updated, last_used, auth, .. } = row;
        Permission { order, owner: self.owner, name: self.name, parent, last_updated, last_used, auth }
    }

    fn load_row(self, ledger: &mut Ledger, row: PermissionRow) -> Result<()> {
        let account = self.account(ledger)?;
        let parent = parent(ledger, account, &row)?;
        ledger.permissions.next_order = ledger.permissions.next_order.max(row.order.saturating_add(1));
        ledger.put_permission(account, self.row(row, parent));
        Ok(())
    }
}

fn parent(ledger: &Ledger, account: AccountId, row: &PermissionRow) -> Result<PermissionId> {
    match row.parent {
        Name(0) => Ok(PermissionId::NONE),
        parent => missing(ledger.permission_of(account, parent), "parent of a permission"),
    }
}

/// Permissions of a state that is loaded: they come by name and are stored in the order of creation.
#[derive(Debug, Default)]
pub(crate) struct PermissionsLoading {
    rows: Vec<(PermissionKey, PermissionRow)>,
}

impl PermissionsLoading {
    pub fn add(&mut self, key: PermissionKey, value: &[u8]) -> Result<()> {
        self.rows.push((key, unpack(value)?));
        Ok(())
    }

    pub fn finish(mut self, ledger: &mut Ledger) -> Result<()> {
        self.rows.sort_unstable_by_key(|(_, row)| row.order);
        self.rows.into_iter().try_for_each(|(key, row)| key.load_row(ledger, row))
    }
}

impl PermissionUndo {
    /// What the rows were before this change.
    pub(crate) fn step<'a>(&'a self, then: &mut (impl RowsBefore<'a, PermissionKey> + HandlesBefore<'a>)) {
        match self {
            Self::Created(_, owner, name) => then.set(PermissionKey { owner: *owner, name: *name }, None),
            Self::Changed(_, (owner, name), old) => {
                then.change(PermissionKey { owner: *owner, name: *name }, |image| {
                    (image.auth, image.last_updated) = (&old.0, old.1);
                });
            }
            Self::Used(_, (owner, name), old) => {
                then.change(PermissionKey { owner: *owner, name: *name }, |image| image.last_used = *old);
            }
            Self::Removed(id, row) => {
                then.handles().set_permission(*id, row.name);
                then.set(PermissionKey { owner: row.owner, name: row.name }, Some((&**row).into()));
            }
        }
    }
}
