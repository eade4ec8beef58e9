//! A chain for a test of a contract: up in milliseconds, one for each test, with time that can be moved.
//!
//! ```no_run
//! use sdk::prelude::*;
//! use tester::{Tester, json};
//!
//! let mut chain = Tester::bare();
//! chain.create("alice");
//! chain.deploy("eosio.token", "eosio.token");
//! let create = json!({ "issuer": "alice", "maximum_supply": "100.0000 TOK" });
//! chain.push("eosio.token", "create", "eosio.token", create).succeed();
//! chain.push("eosio.token", "close", "bob", json!({ "owner": "alice", "symbol": "4,TOK" }))
//!     .expect_fault("missing authority of alice");
//! ```
//!
//! The chain is that of the installed `boreasd`, started as `boreasd contract-chain` and driven through a pipe: one
//! process for each [`Tester`]. Every account that it creates has one key, so that any of them can be the actor of a
//! push; each push is a block of its own; time is what the test says. Calls, results and rows can be the contract's own
//! types, or JSON by the ABI of any contract.

mod json;
mod outcome;
mod pipe;
mod tester;

pub use json::{At, FromJson, ToJson, Value};
pub use outcome::{Fault, Outcome, Trace};
pub use tester::{State, Tester};
