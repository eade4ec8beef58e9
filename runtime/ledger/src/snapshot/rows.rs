//! What tables write their sections from and to, and what they say of a section.

use codec::{Pack, Sink, VarUint32};
use primitives::TimePoint;

use super::sections::{Result, Sections};
use crate::Ledger;

/// A section as its table knows it.
pub(crate) struct TableSection {
    /// nodeos' name of it.
    pub name: &'static str,
    /// Adds its rows; called twice, to count and to write.
    pub write: fn(&Source<'_>, &mut Rows<'_>),
    /// Reads its rows into a ledger that has those of the sections read before.
    pub read: fn(&mut Ledger, &Sections<'_>) -> Result<()>,
}

/// What a snapshot is of: the ledger, the packed `block_header_state` of its head, the head's time.
pub(crate) struct Source<'a> {
    pub ledger: &'a Ledger,
    pub head_state: &'a [u8],
    pub now: TimePoint,
}

/// Takes rows and counts them.
pub(crate) struct Rows<'a> {
    pub out: &'a mut dyn Sink,
    pub count: u64,
}

impl Rows<'_> {
    pub fn add(&mut self, write: impl FnOnce(&mut dyn Sink)) {
        write(self.out);
        self.count += 1;
    }

    pub fn pack<T: Pack>(&mut self, row: &T) {
        self.add(|out| row.pack(out));
    }
}

/// The number of rows of a group inside a section, or of bytes of a value.
pub(crate) fn size_of_group(size: usize) -> VarUint32 {
    VarUint32(u32::try_from(size).expect("a table has fewer than 2^32 rows, a row fewer bytes"))
}
