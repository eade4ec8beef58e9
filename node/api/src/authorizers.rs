//! Which permissions name an account or a key: nodeos' `account_query_db`. The index is made when it is first asked for,
//! a part at a time, and brought up to date whenever it is asked: no question reads all permissions while the writer
//! waits.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Ledger;
use primitives::{Authority, Name, PermissionLevel, PublicKey, TimePoint};

/// Handles of permissions that are read while the writer waits.
const PAGE: usize = 10_000;

/// What a permission is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authorizer {
    /// A permission of another account.
    Account(PermissionLevel),
    /// A key.
    Key(PublicKey),
}

/// What was found: a permission that an authorizer of a weight satisfies in part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// What it was found by.
    pub authorizer: Authorizer,
    /// The weight of that.
    pub weight: u16,
    /// The permission.
    pub permission: PermissionLevel,
}

/// The index.
#[derive(Debug, Default)]
pub struct Authorizers {
    /// The time of the head when the node began: what was changed until then, nodeos reads all at once.
    since: TimePoint,
    found: BTreeSet<Found>,
    /// What stands in it, by permission.
    known: BTreeMap<PermissionLevel, Authority>,
    /// Changes of permissions that are in it.
    seen: u64,
    /// Where reading goes on; `None` when all is read.
    next: Option<usize>,
    begun: bool,
}

impl Authorizers {
    /// The index of a node that began with a head of this time.
    pub fn since(since: TimePoint) -> Self {
        Self { since, ..Self::default() }
    }

    /// Takes in what changed, and a part of what was not read yet. True when the index is whole; otherwise it wants to be
    /// called again.
    pub fn catch_up(&mut self, ledger: &Ledger) -> bool {
        let changed = if self.begun { ledger.permissions_changed_since(self.seen) } else { None };
        match changed {
            Some(changed) => changed.for_each(|(actor, permission)| {
                let level = PermissionLevel { actor, permission };
                self.put(level, authority(ledger, level));
            }),
            None => *self = Self { next: Some(0), begun: true, ..Self::since(self.since) },
        }
        self.seen = ledger.permission_changes();
        let Some(first) = self.next else { return true };
        let page = ledger.permissions_page(first, PAGE);
        self.next = page.is_some().then(|| first + PAGE);
        for permission in page.into_iter().flatten() {
            let level = PermissionLevel { actor: permission.owner, permission: permission.name };
            self.put(level, Some(&permission.auth));
        }
        self.next.is_none()
    }

    fn put(&mut self, permission: PermissionLevel, authority: Option<&Authority>) {
        if self.known.get(&permission) == authority {
            return;
        }
        if let Some(old) = self.known.remove(&permission) {
            for found in entries(permission, &old) {
                self.found.remove(&found);
            }
        }
        if let Some(new) = authority {
            self.found.extend(entries(permission, new));
            self.known.insert(permission, new.clone());
        }
    }

    /// What a key, a permission, or with an empty name any permission of an account satisfies: ascending by authorizer and
    /// weight, and then as nodeos' index learned of the permissions.
    pub fn find(&self, ledger: &Ledger, authorizer: &Authorizer) -> Vec<Found> {
        let any = matches!(authorizer, Authorizer::Account(level) if level.permission.is_empty());
        let last = match authorizer {
            Authorizer::Account(PermissionLevel { actor, .. }) if any => {
                Authorizer::Account(PermissionLevel { actor: *actor, permission: Name(u64::MAX) })
            }
            one => one.clone(),
        };
        let least = PermissionLevel { actor: Name(0), permission: Name(0) };
        let most = PermissionLevel { actor: Name(u64::MAX), permission: Name(u64::MAX) };
        let first = Found { authorizer: authorizer.clone(), weight: 0, permission: least };
        let last = Found { authorizer: last, weight: u16::MAX, permission: most };
        let mut all: Vec<_> = self.found.range(first..=last).cloned().collect();
        all.sort_by_cached_key(|found| {
            // What was there at the start in the order of creation; then block by block, those of one block by name.
            let age = age(ledger, found.permission);
            let age = age.map(|(time, order)| if time > self.since { (time, 0) } else { (self.since, order) });
            (found.authorizer.clone(), found.weight, age, found.permission)
        });
        all
    }
}

/// When a permission was last changed, and its place in the order of creation.
fn age(ledger: &Ledger, level: PermissionLevel) -> Option<(TimePoint, u64)> {
    let id = ledger.find_account(level.actor).and_then(|account| ledger.permission_of(account, level.permission))?;
    let permission = ledger.permission(id);
    Some((permission.last_updated, permission.order()))
}

fn authority(ledger: &Ledger, level: PermissionLevel) -> Option<&Authority> {
    let id = ledger.find_account(level.actor).and_then(|account| ledger.permission_of(account, level.permission))?;
    Some(&ledger.permission(id).auth)
}

fn entries(permission: PermissionLevel, authority: &Authority) -> Vec<Found> {
    let accounts = authority.accounts.iter().map(|entry| (Authorizer::Account(entry.permission), entry.weight));
    let keys = authority.keys.iter().map(|entry| (Authorizer::Key(entry.key.clone()), entry.weight));
    accounts.chain(keys).map(|(authorizer, weight)| Found { authorizer, weight, permission }).collect()
}
