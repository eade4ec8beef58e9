//! Everything that happens to one transaction: it is authorised, billed and applied, and leaves a trace.
//!
//! Data goes one way: [`RecoveredTransaction`] (unpacked, keys recovered, no state needed) is authorised against the
//! ledger, executed within a [`Budget`], and becomes an executed transaction with its trace and receipt. Blocks we
//! build and blocks we are given go through the same code; [`BlockMode`] and [`Budget`] are the only difference.
//!
//! What a block is, and which block is next, does not belong here (`consensus`, `chain`).

pub mod authority_checker;
pub mod budget;
pub mod features;
pub mod recovered;
pub mod settings;
pub mod trace;

pub use budget::{BlockMode, Budget, Clock, StoppedClock, TransactionKind, UNLIMITED_US};
pub use features::{Feature, FeatureSet};
pub use recovered::{RecoveredTransaction, TransactionParts};
pub use settings::Settings;
pub use trace::{AccountDelta, ActionReceipt, ActionTrace, AuthSequences, ReceiptHeader, TransactionTrace};
