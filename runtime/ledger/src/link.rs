//! Permission links: which permission an account wants for which action (`permission_link_object`).

use codec::{Pack, Unpack};
use primitives::Name;
use statedb::RowUndo;

use crate::Ledger;
use crate::checkpoint::error::{self, ensure, unpack};
use crate::checkpoint::key::key_parts;
use crate::checkpoint::row::{CheckpointKey, Handles, RowsBefore};
use crate::deltas::rows::{Before, ChangesOf, DeltaTable, VERSION_0};
use crate::keys::LinkKey;
use crate::snapshot::rows::{Rows, Source, TableSection};
use crate::snapshot::sections::{Result, Sections};

/// A link's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack)]
pub struct Link {
    /// Order of creation.
    pub(crate) order: u64,
    /// The permission that is enough.
    pub required_permission: Name,
}

/// A link before a change.
#[derive(Debug)]
pub struct LinkUndo(Box<RowUndo<LinkKey, Link>>);

impl LinkUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// All entries are small and stay.
    pub(crate) fn is_needed<S>(&mut self, _seen: &mut S) -> bool {
        true
    }
}

impl Ledger {
    /// The link at exactly this key.
    pub fn find_link(&self, account: Name, code: Name, message_type: Name) -> Option<Name> {
        if self.links.is_empty() {
            return None;
        }
        self.links.get(&LinkKey { account, code, message_type }).map(|link| link.required_permission)
    }

    /// The permission linked to an action or to all actions of its contract (`lookup_linked_permission`).
    pub fn lookup_linked_permission(&self, account: Name, code: Name, action: Name) -> Option<Name> {
        self.find_link(account, code, action).or_else(|| self.find_link(account, code, Name(0)))
    }

    /// Stores or changes a link. The caller bills a new one.
    pub fn set_link(&mut self, key: LinkKey, required_permission: Name) {
        let order = self.links.get(&key).map(|link| link.order);
        let created = order.is_none();
        let order = order.unwrap_or(self.next_link_order);
        if created {
            self.next_link_order += 1;
        }
        let (undo, first) = self.links.set(self.epoch, key, Link { order, required_permission });
        self.journal.push(LinkUndo(Box::new(undo)).into());
        if first {
            self.mark_dirty(key);
        }
    }

    /// Removes a link; false when there is none.
    pub fn remove_link(&mut self, key: LinkKey) -> bool {
        let Some((undo, first)) = self.links.remove(self.epoch, &key) else {
            return false;
        };
        self.journal.push(LinkUndo(Box::new(undo)).into());
        if first {
            self.mark_dirty(key);
        }
        true
    }

    /// An account's links, ascending by contract and action, each with its place in the order of creation and the
    /// permission that it names.
    pub fn links_of(&self, account: Name) -> impl Iterator<Item = (u64, LinkKey, Name)> {
        let first = LinkKey { account, code: Name(0), message_type: Name(0) };
        let last = LinkKey { account, code: Name(u64::MAX), message_type: Name(u64::MAX) };
        self.links.range(first..=last).map(|(key, link)| (link.order, *key, link.required_permission))
    }

    /// The oldest of an account's links that name a permission (nodeos: index `by_permission_name`).
    pub fn first_link_to(&self, account: Name, permission: Name) -> Option<LinkKey> {
        let links = self.links_of(account).filter(|(.., named)| *named == permission);
        links.min_by_key(|(order, ..)| *order).map(|(_, key, _)| key)
    }

    pub(crate) fn undo_link(&mut self, undo: LinkUndo) {
        self.next_link_order -= u64::from(undo.0.old.is_none());
        self.links.undo(*undo.0);
    }
}

const SECTION_NAME: &str = "eosio::chain::permission_link_object";

/// Links in snapshots, in the order of creation.
pub(crate) const SECTION: TableSection = TableSection { name: SECTION_NAME, write: write_section, read: read_section };

fn write_section(source: &Source<'_>, rows: &mut Rows<'_>) {
    let mut links: Vec<_> = source.ledger.links.iter().collect();
    links.sort_unstable_by_key(|(_, link)| link.order);
    for (key, link) in links {
        rows.pack(&(*key, link.required_permission));
    }
}

fn read_section(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    sections.get(SECTION_NAME)?.each(|section, (key, required_permission): (LinkKey, Name)| {
        let order = ledger.next_link_order;
        ledger.next_link_order += 1;
        let free = ledger.links.load(key, Link { order, required_permission });
        section.ensure(free, || format!("{key:?} is there twice"))
    })
}

key_parts!(LinkKey { account, code, message_type });

impl CheckpointKey for LinkKey {
    type Image<'a> = Link;

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.links.iter().map(|(&key, _)| key)
    }

    fn image(self, ledger: &Ledger) -> Option<Link> {
        ledger.links.get(&self).copied()
    }

    fn pack(image: &Link, _handles: &Handles<'_>) -> Vec<u8> {
        image.to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> error::Result<()> {
        let row: Link = unpack(value)?;
        ledger.next_link_order = ledger.next_link_order.max(row.order.saturating_add(1));
        ensure(ledger.links.load(self, row), "a link is there twice")
    }

    fn unload(self, ledger: &mut Ledger, _comes_back: bool) -> error::Result<()> {
        ledger.links.unload(&self);
        Ok(())
    }
}

impl LinkUndo {
    /// What the row was before this change.
    pub(crate) fn step<'a>(&'a self, then: &mut impl RowsBefore<'a, LinkKey>) {
        then.set_row(self.0.key, &self.0, |old| *old);
    }
}

/// `permission_link`.
pub(crate) struct LinkDelta;

impl DeltaTable for LinkDelta {
    const NAME: &'static str = "permission_link";
    type Key = LinkKey;
    type Old<'a> = ();
    type Gone<'a> = (LinkKey, Link);

    fn keys(ledger: &Ledger) -> Vec<LinkKey> {
        let mut links: Vec<_> = ledger.links.iter().map(|(key, link)| (link.order, *key)).collect();
        links.sort_unstable();
        links.into_iter().map(|(_, key)| key).collect()
    }

    fn write(ledger: &Ledger, key: LinkKey, out: &mut Vec<u8>) {
        let link = ledger.links.get(&key).expect("a link that is there");
        (VERSION_0, key, link.required_permission).pack(out);
    }

    fn write_gone(_ledger: &Ledger, (key, link): &(LinkKey, Link), _before: &Before, out: &mut Vec<u8>) {
        (VERSION_0, *key, link.required_permission).pack(out);
    }
}

impl LinkUndo {
    /// Says which row this is of.
    pub(crate) fn tell<'a>(&'a self, walk: &mut impl ChangesOf<'a, LinkDelta>) {
        let RowUndo { key, old, removed } = &*self.0;
        match old {
            None => walk.created(*key),
            Some(old) if *removed => walk.removed(*key, (*key, *old)),
            Some(old) => walk.changed_was(*key, (*key, *old)),
        }
    }
}
