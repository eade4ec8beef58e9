//! Permissions in snapshots: in the order of creation, parents before their children, the reserved one first.

use codec::{Pack, Unpack};
use primitives::{Authority, Name, TimePoint};

use super::Permission;
use crate::Ledger;
use crate::keys::PermissionId;
use crate::snapshot::rows::{Rows, Source, TableSection};
use crate::snapshot::sections::{Result, Sections};

const NAME: &str = "eosio::chain::permission_object";

/// Permissions with their use.
pub(crate) const SECTION: TableSection = TableSection { name: NAME, write, read };

fn write(source: &Source<'_>, rows: &mut Rows<'_>) {
    let ledger = source.ledger;
    let ids = ledger.permissions();
    // The reserved permission shares the record of use with the first real one.
    let first_use = ids.first().map_or(TimePoint(0), |&first| ledger.permission(first).last_used);
    for id in std::iter::once(PermissionId::NONE).chain(ids) {
        let permission = ledger.permission(id);
        rows.add(|out| {
            ledger.permission(permission.parent).name.pack(out);
            permission.owner.pack(out);
            permission.name.pack(out);
            permission.last_updated.pack(out);
            if id == PermissionId::NONE {
                first_use.pack(out)
            } else {
                permission.last_used.pack(out)
            }
            permission.auth.pack(out);
        });
    }
}

#[derive(Unpack)]
struct PermissionRow {
    parent: Name,
    owner: Name,
    name: Name,
    last_updated: TimePoint,
    last_used: TimePoint,
    auth: Authority,
}

fn read(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    let mut reserved = true;
    sections.get(NAME)?.each(|section, row: PermissionRow| {
        if std::mem::take(&mut reserved) {
            let empty = row.parent.0 | row.owner.0 | row.name.0 == 0
                && row.last_updated == TimePoint(0)
                && row.auth == Authority::default();
            return section.ensure(empty, || "the first permission is not the reserved one".into());
        }
        let PermissionRow { owner, name, .. } = row;
        let Some(account) = ledger.find_account(owner) else {
            return section.invalid(format!("no account {owner}"));
        };
        section.ensure(ledger.permission_of(account, name).is_none(), || format!("{owner}@{name} is there twice"))?;
        let mut parent = PermissionId::NONE;
        if row.parent != Name(0) {
            let found = ledger.permission_of(account, row.parent);
            let Some(found) = found else {
                return section.invalid(format!("no parent of {owner}@{name}"));
            };
            parent = found;
        }
        let order = ledger.permissions.next_order;
        ledger.permissions.next_order += 1;
        let (last_updated, last_used, auth) = (row.last_updated, row.last_used, row.auth);
        ledger.put_permission(account, Permission { order, owner, name, parent, last_updated, last_used, auth });
        Ok(())
    })
}
