//! Everything that happens to one transaction: it is authorised, billed and applied, and leaves a trace.
//!
//! Data goes one way: [`RecoveredTransaction`] (unpacked, keys recovered, no state needed) is authorised against the
//! ledger, executed within a [`Budget`], and becomes an executed transaction with its trace and receipt. Blocks we
//! build and blocks we are given go through the same code; [`BlockMode`] and [`Budget`] are the only difference.
//!
//! What a block is, and which block is next, does not belong here (`consensus`, `chain`).
//!
//! In reading order, each file uses only those before it: values ([`budget`], [`settings`], [`features`], [`recovered`]
//! (input), [`console`], [`trace`] and [`executed`] (output), [`system_actions`], `fault`, `cursors`); the state (`action`, `transaction`,
//! [`world`]); rules over it (`billing`, `lists`, `context`, [`authorization`] with [`authority_checker`],
//! `validation`, `inline`, `deferred`); what runs (`native`, [`intrinsics`], `apply`); what keeps or reverts (`session`,
//! `execute`); the three doors (`input`, `implicit`, `scheduled`) and [`onblock`].

mod action;
mod apply;
pub mod authority_checker;
pub mod authorization;
mod billing;
pub mod budget;
pub mod console;
mod context;
mod cursors;
mod deferred;
mod execute;
pub mod executed;
mod fault;
pub mod features;
mod implicit;
mod inline;
mod input;
pub mod intrinsics;
mod lists;
mod native;
pub mod onblock;
pub mod recovered;
mod scheduled;
mod session;
pub mod settings;
pub mod system_actions;
pub mod trace;
mod transaction;
mod validation;
pub mod world;

pub use authorization::RequiredKeys;
pub use budget::{BlockMode, Budget, Clock, StoppedClock, TransactionKind, UNLIMITED_US};
pub use executed::{Ending, ExecutedTransaction};
pub use fault::Outcome;
pub use features::{Feature, FeatureSet};
pub use input::push_transaction;
pub use onblock::{activate_features, clear_expired_transactions, run_onblock, update_producers_authority};
pub use primitives::message::utf8_only;
pub use recovered::{RecoveredTransaction, TransactionParts};
pub use scheduled::push_scheduled;
pub use settings::Settings;
pub use trace::{
    AccountDelta, ActionReceipt, ActionTrace, AuthSequences, ReceiptHeader, RowChange, RowChanges, RowImage,
    TransactionTrace,
};
pub use wasm::Backtrace;
pub use world::{BlockContext, Machine, World};
