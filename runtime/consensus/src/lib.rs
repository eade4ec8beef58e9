//! Pure decisions on block headers: who may produce, what is confirmed, what is irreversible, which branch is best.
//! Nothing here knows a table of the ledger or executes anything.

pub mod header_state;

pub use header_state::{BlockHeaderState, FeatureSet, HeaderExtensions, ScheduleInfo};
