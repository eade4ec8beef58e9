//! Which permissions name an account or a key: nodeos' `account_query_db`. The index is made when it is first asked for,
//! a part at a time, and brought up to date whenever it is asked: while the writer waits, authorities are only copied.

use std::collections::{BTreeMap, BTreeSet};

use codec::Pack;
use ledger::{Ledger, Permission};
use primitives::{Authority, Name, PermissionLevel, PublicKey, TimePoint};

use crate::bounds::Deadline;

/// Handles of permissions that are read between two looks at the clock while the writer waits.
const PAGE: usize = 16;

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
    known: BTreeMap<PermissionLevel, Known>,
    /// Changes of permissions that are in it.
    seen: u64,
    /// Where reading goes on; `None` when all is read.
    next: Option<usize>,
    begun: bool,
}

/// A permission as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    auth: Authority,
    /// When it was last changed, and its place in the order of creation.
    age: (TimePoint, u64),
}

impl Known {
    fn of(permission: &Permission) -> Self {
        Self { auth: permission.auth.clone(), age: (permission.last_updated, permission.order()) }
    }
}

/// What the index learns at a time, as it is on the chain.
#[derive(Debug)]
pub struct News {
    /// What was known is of another ledger.
    is_beginning: bool,
    seen: u64,
    next: Option<usize>,
    permissions: Vec<(PermissionLevel, Option<Known>)>,
}

impl News {
    fn add(&mut self, level: PermissionLevel, permission: Option<&Permission>) -> usize {
        self.permissions.push((level, permission.map(Known::of)));
        permission.map_or(0, |permission| permission.auth.packed_size())
    }
}

impl Authorizers {
    /// The index of a node that began with a head of this time.
    pub fn since(since: TimePoint) -> Self {
        Self { since, ..Self::default() }
    }

    /// Copies what changed, and a part of what was not read yet, for as long as a question may hold up the chain.
    pub fn news(&self, ledger: &Ledger) -> News {
        let changed = if self.begun { ledger.permissions_changed_since(self.seen) } else { None };
        let (deadline, mut bytes) = (Deadline::from_now(), 0);
        let (is_beginning, next) = if changed.is_some() { (false, self.next) } else { (true, Some(0)) };
        let mut news = News { is_beginning, seen: self.seen, next, permissions: Vec::new() };
        if let Some(changed) = changed {
            for (actor, permission) in changed {
                if deadline.is_cut(news.permissions.len(), bytes) {
                    return news;
                }
                let level = PermissionLevel { actor, permission };
                bytes += news.add(level, find(ledger, level));
                news.seen += 1;
            }
        }
        news.seen = ledger.permission_changes();
        while let Some(first) = news.next {
            if deadline.is_cut(news.permissions.len(), bytes) {
                break;
            }
            let page = ledger.permissions_page(first, PAGE);
            news.next = page.is_some().then(|| first + PAGE);
            for permission in page.into_iter().flatten() {
                let level = PermissionLevel { actor: permission.owner, permission: permission.name };
                bytes += news.add(level, Some(permission));
            }
        }
        news
    }

    /// Takes that in. True when the index is whole; otherwise it wants to hear more.
    pub fn learn(&mut self, news: News) -> bool {
        let is_whole = news.next.is_none();
        if news.is_beginning {
            *self = Self { begun: true, ..Self::since(self.since) };
        }
        (self.seen, self.next) = (news.seen, news.next);
        for (level, known) in news.permissions {
            self.put(level, known);
        }
        is_whole
    }

    fn put(&mut self, permission: PermissionLevel, new: Option<Known>) {
        if let Some(old) = self.known.remove(&permission) {
            if let Some(new) = new.as_ref().filter(|new| new.auth == old.auth) {
                self.known.insert(permission, new.clone());
                return;
            }
            for found in entries(permission, &old.auth) {
                self.found.remove(&found);
            }
        }
        if let Some(new) = new {
            self.found.extend(entries(permission, &new.auth));
            self.known.insert(permission, new);
        }
    }

    /// What a key, a permission, or with an empty name any permission of an account satisfies, with the thresholds:
    /// ascending by authorizer and weight, and then as nodeos' index learned of the permissions. Where there are more than
    /// `max` it is some of them.
    pub fn find(&self, authorizer: &Authorizer, max: usize) -> Vec<(Found, u32)> {
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
        let mut all: Vec<_> = self.found.range(first..=last).take(max).cloned().collect();
        all.sort_by_cached_key(|found| {
            // What was there at the start in the order of creation; then block by block, those of one block by name.
            let age = self.known.get(&found.permission).map(|known| known.age);
            let age = age.map(|(time, order)| if time > self.since { (time, 0) } else { (self.since, order) });
            (found.authorizer.clone(), found.weight, age, found.permission)
        });
        let threshold = |found: &Found| self.known.get(&found.permission).map_or(0, |known| known.auth.threshold);
        all.into_iter().map(|found| (threshold(&found), found)).map(|(threshold, found)| (found, threshold)).collect()
    }
}

fn find(ledger: &Ledger, level: PermissionLevel) -> Option<&Permission> {
    let id = ledger.find_account(level.actor).and_then(|account| ledger.permission_of(account, level.permission))?;
    Some(ledger.permission(id))
}

fn entries(permission: PermissionLevel, authority: &Authority) -> Vec<Found> {
    let accounts = authority.accounts.iter().map(|entry| (Authorizer::Account(entry.permission), entry.weight));
    let keys = authority.keys.iter().map(|entry| (Authorizer::Key(entry.key.clone()), entry.weight));
    accounts.chain(keys).map(|(authorizer, weight)| Found { authorizer, weight, permission }).collect()
}
