//! What a table says of its rows in checkpoints, and the rows as they were at the end of earlier blocks.

use std::collections::hash_map::Entry;
use std::hash::Hash;

use primitives::Name;
use rustc_hash::FxHashMap;
use statedb::RowUndo;

use super::error::Result;
use super::key::KeyPart;
use crate::Ledger;
use crate::keys::{CodeId, CodeKey, PermissionId};

/// The key of a kind of rows, with all that checkpoints do with rows of the kind.
pub(crate) trait CheckpointKey: KeyPart + Copy + Eq + Hash + 'static {
    /// A row at some time, borrowed from the tables or from the journal.
    type Image<'a>;

    /// The keys of all rows, in no order.
    fn all(ledger: &Ledger) -> impl Iterator<Item = Self>;

    /// The row as it is now.
    fn image(self, ledger: &Ledger) -> Option<Self::Image<'_>>;

    /// The packed row. What it refers to by handle is named by `handles`.
    fn pack(image: &Self::Image<'_>, handles: &Handles<'_>) -> Vec<u8>;

    /// Stores a packed row that is not there. Rows with smaller keys are there.
    fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()>;

    /// Drops a row that is not to stay as it is; one that came and went within a block is not there. A row that others
    /// refer to stays when it `comes_back`: [`Self::restore`] changes it in place.
    fn unload(self, ledger: &mut Ledger, comes_back: bool) -> Result<()>;

    /// Gives a row back what it was before a block, after [`Self::unload`].
    fn restore(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        self.load(ledger, value)
    }

    /// The same for what a row refers to in its own table, once all rows are back.
    fn restore_references(self, _ledger: &mut Ledger, _value: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// What handles were of at the end of an earlier block: a handle may be another row's by now.
pub(crate) struct Handles<'a> {
    ledger: &'a Ledger,
    codes: FxHashMap<CodeId, CodeKey>,
    permissions: FxHashMap<PermissionId, Name>,
}

impl<'a> Handles<'a> {
    pub fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, codes: FxHashMap::default(), permissions: FxHashMap::default() }
    }

    /// The handle was of this code, which is gone.
    pub fn set_code(&mut self, id: CodeId, key: CodeKey) {
        self.codes.insert(id, key);
    }

    /// The handle was of a permission with this name, which is gone.
    pub fn set_permission(&mut self, id: PermissionId, name: Name) {
        self.permissions.insert(id, name);
    }

    pub fn code(&self, id: CodeId) -> CodeKey {
        self.codes.get(&id).copied().unwrap_or_else(|| self.ledger.code(id).key())
    }

    pub fn permission(&self, id: PermissionId) -> Name {
        self.permissions.get(&id).copied().unwrap_or_else(|| self.ledger.permission(id).name)
    }
}

/// Rows of one kind that differ from now, as they were at the end of an earlier block.
pub(crate) struct OldRows<'a, K: CheckpointKey> {
    ledger: &'a Ledger,
    /// Each with the number of blocks walked when it was last touched.
    images: FxHashMap<K, (Option<K::Image<'a>>, u32)>,
    /// Blocks walked, and the rows that the latest of them changed.
    blocks: u32,
    touched: Vec<K>,
}

impl<'a, K: CheckpointKey> OldRows<'a, K> {
    pub fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, images: FxHashMap::default(), blocks: 0, touched: Vec::new() }
    }

    /// Begins with the next older block.
    pub fn step_block(&mut self) {
        self.blocks += 1;
    }

    /// The keys of the rows that the block changed.
    pub fn take_touched(&mut self) -> impl Iterator<Item = K> + use<'a, K> {
        std::mem::take(&mut self.touched).into_iter()
    }

    /// A row's packed value as of then.
    pub fn pack(&self, key: K, handles: &Handles<'_>) -> Option<Vec<u8>> {
        let old = self.images.get(&key).map(|(image, _)| image.as_ref().map(|image| K::pack(image, handles)));
        old.unwrap_or_else(|| key.image(self.ledger).map(|image| K::pack(&image, handles)))
    }

    fn entry(&mut self, key: K) -> &mut Option<K::Image<'a>> {
        let (image, block) = match self.images.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert((key.image(self.ledger), 0)),
        };
        if *block != self.blocks {
            *block = self.blocks;
            self.touched.push(key);
        }
        image
    }

    fn set(&mut self, key: K, image: Option<K::Image<'a>>) {
        let before = self.images.insert(key, (image, self.blocks));
        if before.is_none_or(|(_, block)| block != self.blocks) {
            self.touched.push(key);
        }
    }
}

/// The rows of one kind in the walk over the journal from its newest entry towards its oldest. Each entry says what a
/// row was before: after those of a block, the last word on a row is the state before that block.
pub(crate) trait RowsBefore<'a, K: CheckpointKey> {
    fn rows(&mut self) -> &mut OldRows<'a, K>;

    /// The row was this, or was not there.
    fn set(&mut self, key: K, image: Option<K::Image<'a>>) {
        self.rows().set(key, image);
    }

    /// The row was there and differed in part.
    fn change(&mut self, key: K, change: impl FnOnce(&mut K::Image<'a>)) {
        change(self.entry(key).as_mut().expect("a row that changed was there"));
    }

    /// The row as it was after the entry that is walked.
    fn entry<'b>(&'b mut self, key: K) -> &'b mut Option<K::Image<'a>>
    where
        'a: 'b,
    {
        self.rows().entry(key)
    }

    /// The row was what the entry of an ordered table says.
    fn set_row<U, V>(&mut self, key: K, undo: &'a RowUndo<U, V>, image: impl FnOnce(&'a V) -> K::Image<'a>) {
        self.set(key, undo.old.as_ref().map(image));
    }
}

/// The handles in the same walk.
pub(crate) trait HandlesBefore<'a> {
    fn handles(&mut self) -> &mut Handles<'a>;
}

/// Declares the key of a table with one row, which is always there: where it lies, and of what type it is.
macro_rules! single_row {
    ($(#[$doc:meta])* $name:ident: $of:ty, $ledger:ident => $place:expr) => {
        $crate::checkpoint::key::row_key! {
            $(#[$doc])*
            $name {}
        }

        impl $crate::checkpoint::row::CheckpointKey for $name {
            type Image<'a> = std::borrow::Cow<'a, $of>;

            fn all(_ledger: &$crate::Ledger) -> impl Iterator<Item = Self> {
                std::iter::once(Self {})
            }

            fn image(self, $ledger: &$crate::Ledger) -> Option<Self::Image<'_>> {
                Some(std::borrow::Cow::Borrowed(&$place))
            }

            fn pack(image: &Self::Image<'_>, _handles: &$crate::checkpoint::row::Handles<'_>) -> Vec<u8> {
                codec::Pack::to_bytes(&**image)
            }

            fn load(self, $ledger: &mut $crate::Ledger, value: &[u8]) -> $crate::checkpoint::error::Result<()> {
                $place = $crate::checkpoint::error::unpack(value)?;
                Ok(())
            }

            fn unload(
                self,
                _ledger: &mut $crate::Ledger,
                _comes_back: bool,
            ) -> $crate::checkpoint::error::Result<()> {
                Ok(())
            }
        }
    };
}
pub(crate) use single_row;
