//! Permissions in deltas (`permission`).

use codec::Pack;
use primitives::{Authority, Name, TimePoint};

use super::{Permission, PermissionUndo};
use crate::Ledger;
use crate::deltas::rows::{Before, BeforeOf, ChangesOf, DeltaTable, VERSION_0};
use crate::keys::PermissionId;

/// `permission`.
pub(crate) struct PermissionDelta;

/// A permission that is gone.
pub(crate) struct GonePermission<'a> {
    owner: Name,
    name: Name,
    parent: PermissionId,
    last_updated: TimePoint,
    auth: &'a Authority,
}

impl DeltaTable for PermissionDelta {
    const NAME: &'static str = "permission";
    /// Owner and name; both are empty for the reserved one.
    type Key = (Name, Name);
    type Old<'a> = ();
    type Gone<'a> = GonePermission<'a>;

    fn keys(ledger: &Ledger) -> Vec<(Name, Name)> {
        let key = |id| (ledger.permission(id).owner, ledger.permission(id).name);
        std::iter::once(PermissionId::NONE).chain(ledger.permissions()).map(key).collect()
    }

    fn write(ledger: &Ledger, (owner, name): (Name, Name), out: &mut Vec<u8>) {
        let id = ledger.find_account(owner).and_then(|account| ledger.permission_of(account, name));
        let row = ledger.permission(id.unwrap_or(PermissionId::NONE));
        write((row.owner, row.name, ledger.permission(row.parent).name), row.last_updated, &row.auth, out);
    }

    fn write_gone(ledger: &Ledger, gone: &GonePermission<'_>, before: &Before, out: &mut Vec<u8>) {
        let parent = before.permissions.get(&gone.parent).copied();
        let parent = parent.unwrap_or_else(|| ledger.permission(gone.parent).name);
        write((gone.owner, gone.name, parent), gone.last_updated, gone.auth, out);
    }
}

/// Owner, name and parent come first.
fn write(names: (Name, Name, Name), last_updated: TimePoint, auth: &Authority, out: &mut Vec<u8>) {
    (VERSION_0, names).pack(out);
    last_updated.pack(out);
    auth.pack(out);
}

impl PermissionUndo {
    /// Says which row this is of. Its use is not told.
    pub(crate) fn tell<'a>(&'a self, walk: &mut (impl ChangesOf<'a, PermissionDelta> + BeforeOf)) {
        match self {
            Self::Created(_, owner, name) => walk.created((*owner, *name)),
            // Entries come with the newest first: where the permission is gone, its parent is known.
            Self::Changed(_, key, old) => match walk.before().parents.get(key) {
                Some(&parent) => {
                    let (auth, last_updated) = (&old.0, old.1);
                    walk.changed_was(*key, GonePermission { owner: key.0, name: key.1, parent, last_updated, auth });
                }
                None => walk.changed(*key),
            },
            Self::Used(..) => {}
            Self::Removed(id, row) => {
                let Permission { owner, name, parent, last_updated, auth, .. } = &**row;
                let (owner, name, parent, last_updated) = (*owner, *name, *parent, *last_updated);
                walk.before().permissions.insert(*id, name);
                walk.before().parents.insert((owner, name), parent);
                walk.removed((owner, name), GonePermission { owner, name, parent, last_updated, auth });
            }
        }
    }
}
