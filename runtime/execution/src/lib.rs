//! Everything that happens to one transaction: it is authorised, billed and applied, and leaves a trace.
//!
//! Data goes one way: [`RecoveredTransaction`] (unpacked, keys recovered, no state needed) is authorised against the
//! ledger, executed within a [`Budget`], and becomes an executed transaction with its trace and receipt. Blocks we
//! build and blocks we are given go through the same code; [`BlockMode`] and [`Budget`] are the only difference.
//!
//! What a block is, and which block is next, does not belong here (`consensus`, `chain`).

//!
//! In reading order: [`recovered`] (input), [`budget`] and [`settings`] (limits), [`world`] (state), [`execute`]
//! (the way of a transaction), [`transaction`] (its frame), [`authorization`] with [`authority_checker`], [`apply`]
//! (actions), [`native`], [`intrinsics`] (host functions), [`deferred`], [`onblock`], [`features`], [`trace`] (output).

pub mod apply;
pub mod authority_checker;
pub mod authorization;
pub mod budget;
pub mod deferred;
pub mod execute;
pub mod features;
pub mod intrinsics;
pub mod native;
pub mod onblock;
pub mod recovered;
pub mod settings;
pub mod trace;
pub mod transaction;
pub mod world;

pub use authorization::get_required_keys;
pub use budget::{BlockMode, Budget, Clock, StoppedClock, TransactionKind, UNLIMITED_US};
pub use deferred::push_scheduled;
pub use execute::push_transaction;
pub use features::{Feature, FeatureSet};
pub use onblock::{activate_features, clear_expired_transactions, run_onblock, update_producers_authority};
pub use primitives::message::utf8_only;
pub use recovered::{RecoveredTransaction, TransactionParts};
pub use settings::Settings;
pub use trace::{
    AccountDelta, ActionReceipt, ActionTrace, AuthSequences, ReceiptHeader, RowChange, RowChanges, RowImage,
    TransactionTrace,
};
pub use wasm::Backtrace;
pub use world::{BlockContext, Machine, Outcome, World};
