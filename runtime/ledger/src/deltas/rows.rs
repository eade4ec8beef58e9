//! What tables say of their rows in deltas, and how what a block did to them is gathered and put in order.

use std::hash::Hash;

use codec::{Bytes, Pack, VarUint32};
use primitives::Name;
use rustc_hash::FxHashMap;

use crate::Ledger;
use crate::keys::{CodeId, CodeKey, PermissionId, TableKey};

/// A table of deltas.
pub(crate) trait DeltaTable: Sized {
    /// nodeos' name of it.
    const NAME: &'static str;
    /// What a row is found by while deltas are made.
    type Key: Copy + Eq + Hash;
    /// What a row was before the block, as far as it matters.
    type Old<'a>;
    /// A row that is gone, as it was before the block.
    type Gone<'a>;

    /// All rows, in the order of their creation as far as that is known.
    fn keys(ledger: &Ledger) -> Vec<Self::Key>;

    /// Whether a row that was changed is told: nodeos leaves some out that did not change in what it tells.
    fn is_told(_ledger: &Ledger, _key: Self::Key, _old: Option<&Self::Old<'_>>, _before: &Before) -> bool {
        true
    }

    /// Writes a row that is there, its version included.
    fn write(ledger: &Ledger, key: Self::Key, out: &mut Vec<u8>);

    /// Writes one that is gone.
    fn write_gone(ledger: &Ledger, gone: &Self::Gone<'_>, before: &Before, out: &mut Vec<u8>);
}

/// For tables whose rows stay.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Never {}

/// nodeos' number of the first version of a structure.
pub(crate) const VERSION_0: VarUint32 = VarUint32(0);
/// That of the second one.
pub(crate) const VERSION_1: VarUint32 = VarUint32(1);

/// What handles and orders were of when the block began, where that is gone.
#[derive(Debug, Default)]
pub(crate) struct Before {
    pub codes: FxHashMap<CodeId, CodeKey>,
    pub permissions: FxHashMap<PermissionId, Name>,
    /// Parents of permissions that are gone, by owner and name.
    pub parents: FxHashMap<(Name, Name), PermissionId>,
    pub tables: FxHashMap<u64, TableKey>,
}

/// What contract rows of all kinds begin with.
pub(crate) fn write_head(table: TableKey, primary: u64, payer: Name, out: &mut Vec<u8>) {
    VERSION_0.pack(out);
    table.pack(out);
    (primary, payer).pack(out);
}

/// An entry of the journal, as the table of its row sees it.
enum Told<K, G> {
    Created(K),
    /// With what the row was before, where that may be wanted.
    Changed(K, Option<G>),
    /// With what it was in the end.
    Removed(K, G),
}

/// What the entries of a block say of one table; they come with the newest first.
pub(crate) struct Changes<'a, T: DeltaTable> {
    told: Vec<Told<T::Key, T::Gone<'a>>>,
    old: FxHashMap<T::Key, T::Old<'a>>,
}

impl<T: DeltaTable> Default for Changes<'_, T> {
    fn default() -> Self {
        Self { told: Vec::new(), old: FxHashMap::default() }
    }
}

/// Where a table finds its changes while entries are walked.
pub(crate) trait ChangesOf<'a, T: DeltaTable> {
    fn changes(&mut self) -> &mut Changes<'a, T>;

    fn created(&mut self, key: T::Key) {
        self.changes().told.push(Told::Created(key));
    }

    fn changed(&mut self, key: T::Key) {
        self.changes().told.push(Told::Changed(key, None));
    }

    /// The row was changed, and was this before, should it be gone by now.
    fn changed_was(&mut self, key: T::Key, gone: T::Gone<'a>) {
        self.changes().told.push(Told::Changed(key, Some(gone)));
    }

    /// The row was changed, and was this before, for [`DeltaTable::is_told`].
    fn changed_from(&mut self, key: T::Key, old: T::Old<'a>) {
        let changes = self.changes();
        changes.told.push(Told::Changed(key, None));
        changes.old.insert(key, old);
    }

    fn removed(&mut self, key: T::Key, gone: T::Gone<'a>) {
        self.changes().told.push(Told::Removed(key, gone));
    }
}

/// Where what is gone is noted.
pub(crate) trait BeforeOf {
    fn before(&mut self) -> &mut Before;
}

/// Rows of one table, packed.
#[derive(Default)]
pub(crate) struct DeltaRows {
    pub count: u32,
    pub bytes: Vec<u8>,
}

impl DeltaRows {
    fn add(&mut self, present: bool, write: impl FnOnce(&mut Vec<u8>)) {
        let mut row = Vec::new();
        write(&mut row);
        present.pack(&mut self.bytes);
        Bytes(row).pack(&mut self.bytes);
        self.count += 1;
    }

    /// All rows of a table.
    pub fn of_all<T: DeltaTable>(ledger: &Ledger) -> Self {
        let mut rows = Self::default();
        T::keys(ledger).into_iter().for_each(|key| rows.add(true, |out| T::write(ledger, key, out)));
        rows
    }

    /// The rows that a block changed, then those that it removed as they were before it, each in the reverse order of
    /// their first change, then those that it made, in the order of their creation.
    pub fn of_block<T: DeltaTable>(ledger: &Ledger, changes: &Changes<'_, T>, before: &Before) -> Self {
        /// Where a row is by now, and at which place there.
        enum Now<'a, G> {
            Changed(usize, Option<&'a G>),
            New(usize),
            Gone,
        }
        let (mut changed, mut removed, mut created) = (Vec::new(), Vec::new(), Vec::new());
        let mut now: FxHashMap<T::Key, Now<'_, T::Gone<'_>>> = FxHashMap::default();
        for told in changes.told.iter().rev() {
            match told {
                Told::Created(key) => {
                    now.insert(*key, Now::New(created.len()));
                    created.push(Some(*key));
                }
                Told::Changed(key, was) => {
                    now.entry(*key).or_insert_with(|| {
                        changed.push(Some(*key));
                        Now::Changed(changed.len() - 1, was.as_ref())
                    });
                }
                Told::Removed(key, gone) => match now.insert(*key, Now::Gone) {
                    // It came and went within the block: nobody hears of it.
                    Some(Now::New(at)) => created[at] = None,
                    Some(Now::Changed(at, was)) => {
                        changed[at] = None;
                        removed.push(was.unwrap_or(gone));
                    }
                    Some(Now::Gone) | None => removed.push(gone),
                },
            }
        }
        let mut rows = Self::default();
        for key in changed.into_iter().rev().flatten() {
            if T::is_told(ledger, key, changes.old.get(&key), before) {
                rows.add(true, |out| T::write(ledger, key, out));
            }
        }
        removed.into_iter().rev().for_each(|gone| rows.add(false, |out| T::write_gone(ledger, gone, before, out)));
        created.into_iter().flatten().for_each(|key| rows.add(true, |out| T::write(ledger, key, out)));
        rows
    }
}
