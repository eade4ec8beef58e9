//! In-memory tables with one linear undo journal: the engine under `ledger`. Knows no table of the chain, no bytes of
//! rows, no disk.
//!
//! - [`Journal`]: one entry per mutation, holding the old value by move. A mark is a length; undo pops; squash is
//!   free; a block is a recorded length; commit drops the oldest entries.
//! - [`Slab`]: rows at stable handles; undo in reverse order gives every row its handle back.
//! - [`Rows`]: an ordered map from a 64-bit key to a handle, small where there is little.
//! - [`OrderedTable`]: an ordered table for what is seldom changed: each change returns what undoes it.
//! - [`Epoch`] and [`Stamp`]: change capture: which rows changed since the last checkpoint, without a set on the way.

mod blob;
mod epoch;
mod journal;
mod ordered;
mod rows;
mod slab;

pub use blob::Blob;
pub use epoch::{Epoch, Stamp};
pub use journal::{Journal, Mark, Weigh};
pub use ordered::{OrderedTable, RowUndo};
pub use rows::Rows;
pub use slab::Slab;
