//! Bugs that the simulator plants in the core, to see that it finds each of them. The feature `planted` is for it alone:
//! without it there is no setting that could plant one.

use super::Core;

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// Two blocks of a producer for one slot are not noticed.
    EquivocationAccepted,
    /// Blocks of a range that do not follow each other are handed on.
    WrongRangeKept,
    /// A ban does not end.
    BannedForEver,
    /// A block travels on before its header was checked.
    RelayBeforeCheck,
    /// What one peer says is irreversible is believed, however far ahead it is.
    IrreversibleOfOnePeer,
    /// A range is waited for though its peer sends nothing, or is gone.
    WaitsForDeadPeer,
}

impl Core {
    /// Whether the bug that is planted is one of ranges: then nothing comes beside them, which would make good for it.
    pub(super) fn plants_ranges_alone(&self) -> bool {
        let of_ranges = [Planted::WrongRangeKept, Planted::IrreversibleOfOnePeer, Planted::WaitsForDeadPeer];
        of_ranges.into_iter().any(|bug| self.plants(bug))
    }

    /// Whether a bug was planted.
    #[cfg(feature = "planted")]
    pub(super) fn plants(&self, bug: Planted) -> bool {
        self.settings.planted == Some(bug)
    }

    /// Whether a bug was planted: never.
    #[cfg(not(feature = "planted"))]
    pub(super) fn plants(&self, _: Planted) -> bool {
        false
    }
}
