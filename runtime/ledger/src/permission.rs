//! Permissions and their use (`permission_object`, `permission_usage_object`; nodeos: authorization_manager.cpp).

mod checkpoint;
mod deltas;
mod snapshot;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use primitives::{Authority, Fault, FaultKind, Name, PermissionLevel, PublicKey, TimePoint};
use statedb::{Slab, Stamp};

use crate::Ledger;
use crate::keys::{AccountId, PermissionId};
use crate::undo::seen::Seen;

pub(crate) use checkpoint::{PermissionKey, PermissionsLoading};
pub(crate) use deltas::PermissionDelta;
pub(crate) use snapshot::SECTION;

/// Changes that are remembered: whoever keeps an index of permissions need not read all of them again.
const CHANGES_MAX: usize = 1 << 14;

/// Bits of the count of changes; above them stands the ledger's number in this process.
const CHANGES_BITS: u32 = 40;
/// Ledgers made so far.
static LEDGERS: AtomicU64 = AtomicU64::new(0);

/// A permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Order of creation.
    pub(crate) order: u64,
    /// Its account.
    pub owner: Name,
    /// Its name.
    pub name: Name,
    /// The permission above it; [`PermissionId::NONE`] for none.
    pub parent: PermissionId,
    /// Time of its last change.
    pub last_updated: TimePoint,
    /// Time of its last use.
    pub last_used: TimePoint,
    /// Who satisfies it.
    pub auth: Authority,
}

impl Permission {
    /// Its place in the order of creation.
    pub fn order(&self) -> u64 {
        self.order
    }
}

/// The permission table.
#[derive(Debug)]
pub(crate) struct Permissions {
    pub rows: Slab<(Permission, Stamp)>,
    pub next_order: u64,
    /// Counts what was created, changed, removed, and so taken back.
    changes: u64,
    /// The newest of them, the last one at the end.
    changed: VecDeque<(Name, Name)>,
}

/// How a change of permissions is undone.
#[derive(Debug)]
pub enum PermissionUndo {
    /// A permission was created.
    Created(PermissionId, Name, Name),
    /// Authority and time of change before a change.
    Changed(PermissionId, (Name, Name), Box<(Authority, TimePoint)>),
    /// Time of use before a use.
    Used(PermissionId, (Name, Name), TimePoint),
    /// A permission was removed.
    Removed(PermissionId, Box<Permission>),
}

impl PermissionUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let factors =
            |auth: &Authority| size_of_val(&*auth.keys) + size_of_val(&*auth.accounts) + size_of_val(&*auth.waits);
        match self {
            Self::Changed(_, _, old) => size_of_val(&**old) + factors(&old.0),
            Self::Removed(_, old) => size_of_val(&**old) + factors(&old.auth),
            Self::Created(..) | Self::Used(..) => 0,
        }
    }

    /// Whether this is still needed, given what earlier entries of the block say; drops authorities that they have.
    pub(crate) fn is_needed(&mut self, seen: &mut impl Seen<PermissionKey>) -> bool {
        let mut first = |owner, name| seen.first(PermissionKey { owner, name });
        match self {
            Self::Changed(_, (owner, name), _) => return first(*owner, *name),
            Self::Created(_, owner, name) => {
                first(*owner, *name);
            }
            Self::Removed(_, row) if !first(row.owner, row.name) => row.auth = Authority::default(),
            Self::Removed(..) | Self::Used(..) => {}
        }
        true
    }
}

impl Permissions {
    /// Notes a change of a permission's authority.
    pub fn note(&mut self, owner: Name, name: Name) {
        if self.changed.len() == CHANGES_MAX {
            self.changed.pop_front();
        }
        self.changed.push_back((owner, name));
        self.changes += 1;
    }
}

impl Default for Permissions {
    /// The table with its reserved row.
    fn default() -> Self {
        let mut rows = Slab::default();
        let reserved = Permission {
            order: 0,
            owner: Name(0),
            name: Name(0),
            parent: PermissionId::NONE,
            last_updated: TimePoint(0),
            last_used: TimePoint(0),
            auth: Authority::default(),
        };
        rows.insert((reserved, Stamp::default()));
        // No two ledgers count the same changes: whoever has an index of one sees that this is another.
        let changes = LEDGERS.fetch_add(1, Ordering::Relaxed) << CHANGES_BITS;
        Self { rows, next_order: 1, changes, changed: VecDeque::new() }
    }
}

/// nodeos' number of a key's kind.
fn key_type(key: &PublicKey) -> u32 {
    match key {
        PublicKey::K1(_) => 0,
        PublicKey::R1(_) => 1,
        PublicKey::WebAuthn(_) => 2,
    }
}

impl Ledger {
    /// A permission.
    #[inline]
    pub fn permission(&self, id: PermissionId) -> &Permission {
        &self.permissions.rows.row(id.0).0
    }

    /// The permission `name` of an account.
    #[inline]
    pub fn permission_of(&self, account: AccountId, name: Name) -> Option<PermissionId> {
        self.accounts.hot[account.index()].permissions.get(&name).map(PermissionId)
    }

    /// An account's permissions, ascending by name.
    pub fn permissions_of(&self, account: AccountId) -> impl Iterator<Item = PermissionId> {
        self.accounts.hot[account.index()].permissions.iter().map(|(_, id)| PermissionId(id))
    }

    /// The permission of a level (`find_permission`).
    ///
    /// # Errors
    /// `invalid_permission` for an empty name.
    pub fn find_permission(&self, level: PermissionLevel) -> Result<Option<PermissionId>, Fault> {
        if level.actor.is_empty() || level.permission.is_empty() {
            return Err(Fault::new(FaultKind::INVALID_PERMISSION, "Invalid permission").with_context(retrieval(level)));
        }
        Ok(self.find_account(level.actor).and_then(|account| self.permission_of(account, level.permission)))
    }

    /// The permission of a level (`get_permission`).
    ///
    /// # Errors
    /// `invalid_permission` for an empty name, `permission_query_exception` for a permission that does not exist.
    pub fn get_permission(&self, level: PermissionLevel) -> Result<PermissionId, Fault> {
        self.find_permission(level)?.ok_or_else(|| {
            let PermissionLevel { actor, permission } = level;
            let key = "unknown key (boost::tuples::tuple<eosio::chain::name, eosio::chain::name, \
                       boost::tuples::null_type, boost::tuples::null_type, boost::tuples::null_type, \
                       boost::tuples::null_type, boost::tuples::null_type, boost::tuples::null_type, \
                       boost::tuples::null_type, boost::tuples::null_type>)";
            Fault::new(
                FaultKind::PERMISSION_QUERY_EXCEPTION,
                format!("{} ({key}: ({actor} {permission}))", retrieval(level)),
            )
        })
    }

    /// Creates a permission. The caller bills it and has seen that the name is free.
    ///
    /// # Errors
    /// `unactivated_key_type` for a key of a kind that no feature has switched on.
    pub fn create_permission(
        &mut self,
        account: AccountId,
        name: Name,
        parent: PermissionId,
        auth: Authority,
        creation_time: TimePoint,
    ) -> Result<PermissionId, Fault> {
        self.check_key_types(&auth, "creating")?;
        let order = self.permissions.next_order;
        self.permissions.next_order += 1;
        let owner = self.account_name(account);
        let row =
            Permission { order, owner, name, parent, last_updated: creation_time, last_used: creation_time, auth };
        let id = self.put_permission(account, row);
        self.journal.push(PermissionUndo::Created(id, owner, name).into());
        self.list_permission(id);
        Ok(id)
    }

    /// Gives a permission another authority. The caller bills the difference.
    ///
    /// # Errors
    /// `unactivated_key_type` for a key of a kind that no feature has switched on.
    pub fn modify_permission(&mut self, id: PermissionId, auth: Authority, now: TimePoint) -> Result<(), Fault> {
        self.check_key_types(&auth, "modifying")?;
        self.list_permission(id);
        let permission = &mut self.permissions.rows.row_mut(id.0).0;
        let old = std::mem::replace(&mut permission.auth, auth);
        let old_time = std::mem::replace(&mut permission.last_updated, now);
        let key = (permission.owner, permission.name);
        self.permissions.note(key.0, key.1);
        self.journal.push(PermissionUndo::Changed(id, key, Box::new((old, old_time))).into());
        Ok(())
    }

    /// Removes a permission.
    ///
    /// # Errors
    /// `action_validate_exception` when it has children.
    pub fn remove_permission(&mut self, id: PermissionId) -> Result<(), Fault> {
        let owner = self.permission(id).owner;
        let account = self.find_account(owner).expect("the owner of a permission exists");
        let has_children = self.permissions_of(account).any(|child| self.permission(child).parent == id);
        primitives::ensure!(
            !has_children,
            ACTION_VALIDATE_EXCEPTION,
            "Cannot remove a permission which has children. Remove the children first."
        );
        self.list_permission(id);
        let row = self.take_permission(id);
        self.journal.push(PermissionUndo::Removed(id, Box::new(row)).into());
        Ok(())
    }

    /// Notes the use of a permission.
    #[inline]
    pub fn update_permission_usage(&mut self, id: PermissionId, now: TimePoint) {
        self.list_permission(id);
        let permission = &mut self.permissions.rows.row_mut(id.0).0;
        let old = std::mem::replace(&mut permission.last_used, now);
        let key = (permission.owner, permission.name);
        self.journal.push(PermissionUndo::Used(id, key, old).into());
    }

    /// Whether `id` is `other` or stands above it in the same account (`permission_object::satisfies`).
    pub fn permission_satisfies(&self, id: PermissionId, other: PermissionId) -> bool {
        if self.permission(id).owner != self.permission(other).owner {
            return false;
        }
        let mut at = other;
        while at != PermissionId::NONE {
            if at == id {
                return true;
            }
            at = self.permission(at).parent;
        }
        false
    }

    /// Number of permissions, without the reserved one.
    pub fn permission_count(&self) -> usize {
        self.permissions.rows.len().saturating_sub(1)
    }

    /// All permissions but the reserved one, in the order of creation.
    pub fn permissions(&self) -> Vec<PermissionId> {
        let mut ids: Vec<_> = (self.permissions.rows.iter())
            .filter(|&(handle, _)| handle != PermissionId::NONE.0)
            .map(|(handle, (row, _))| (row.order, PermissionId(handle)))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
    }

    /// A count of permissions that were created, changed or removed so far, what was taken back included. Each ledger of
    /// the process counts from another number.
    pub fn permission_changes(&self) -> u64 {
        self.permissions.changes
    }

    /// Owners and names of the permissions that were created, changed or removed since [`Self::permission_changes`] was
    /// `count`; `None` when that is so long ago that it is forgotten, or was another ledger.
    pub fn permissions_changed_since(&self, count: u64) -> Option<impl Iterator<Item = (Name, Name)>> {
        let behind = usize::try_from(self.permissions.changes.checked_sub(count)?).ok()?;
        let first = self.permissions.changed.len().checked_sub(behind)?;
        Some(self.permissions.changed.range(first..).copied())
    }

    /// A part of all permissions: those of `count` handles beginning with the one of number `first`. `None` when there are
    /// no more.
    pub fn permissions_page(&self, first: usize, count: usize) -> Option<impl Iterator<Item = &Permission>> {
        let page = self.permissions.rows.page(first, count)?;
        Some(page.filter(|(handle, _)| *handle != PermissionId::NONE.0).map(|(_, (row, _))| row))
    }

    fn check_key_types(&self, auth: &Authority, doing: &str) -> Result<(), Fault> {
        let supported = self.protocol_state.num_supported_key_types;
        primitives::ensure!(
            auth.keys.iter().all(|weight| key_type(&weight.key) < supported),
            UNACTIVATED_KEY_TYPE,
            "Unactivated key type used when {doing} permission"
        );
        Ok(())
    }

    pub(crate) fn put_permission(&mut self, account: AccountId, row: Permission) -> PermissionId {
        let name = row.name;
        self.permissions.note(row.owner, name);
        let id = self.permissions.rows.insert((row, Stamp::default()));
        self.accounts.hot[account.index()].permissions.insert(name, id);
        PermissionId(id)
    }

    pub(crate) fn take_permission(&mut self, id: PermissionId) -> Permission {
        let (row, _) = self.permissions.rows.remove(id.0);
        self.permissions.note(row.owner, row.name);
        let account = self.find_account(row.owner).expect("the owner of a permission exists");
        self.accounts.hot[account.index()].permissions.remove(&row.name);
        row
    }

    pub(crate) fn undo_permission(&mut self, undo: PermissionUndo) {
        match undo {
            PermissionUndo::Created(id, ..) => {
                self.take_permission(id);
                self.permissions.next_order -= 1;
            }
            PermissionUndo::Changed(id, _, old) => {
                let permission = &mut self.permissions.rows.row_mut(id.0).0;
                (permission.auth, permission.last_updated) = *old;
                let (owner, name) = (permission.owner, permission.name);
                self.permissions.note(owner, name);
            }
            PermissionUndo::Used(id, _, old) => self.permissions.rows.row_mut(id.0).0.last_used = old,
            PermissionUndo::Removed(_, row) => {
                let account = self.find_account(row.owner).expect("the owner of a permission exists");
                self.put_permission(account, *row);
            }
        }
    }

    fn list_permission(&mut self, id: PermissionId) {
        let (row, stamp) = self.permissions.rows.row_mut(id.0);
        let key = PermissionKey { owner: row.owner, name: row.name };
        if self.epoch.stamp(stamp) {
            self.mark_dirty(key);
        }
    }
}

fn retrieval(level: PermissionLevel) -> String {
    let PermissionLevel { actor, permission } = level;
    format!("Failed to retrieve permission: {{\"actor\":\"{actor}\",\"permission\":\"{permission}\"}}")
}
