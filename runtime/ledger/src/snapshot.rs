//! nodeos' portable snapshots, written in version 6 and read since version 2, and the integrity hash over the same rows
//! (nodeos: snapshot.hpp, chain_snapshot.hpp, `add_to_snapshot` of controller, authorisation and resource limits).
//!
//! File: magic number, format version, sections, end mark. Section: size in bytes, number of rows, name with a zero,
//! rows. The hash goes over the rows alone, in the same order. Each table says in its own file how its sections are
//! written and read; `tables` has their order.

pub(crate) mod format;
mod reader;
pub(crate) mod rows;
pub(crate) mod sections;
mod writer;

pub use reader::Snapshot;
pub use sections::SnapshotError;
