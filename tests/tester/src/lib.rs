//! A chain in the test process: up in milliseconds, one for each test, with time that can be moved.
//!
//! ```no_run
//! use tester::{Tester, json};
//!
//! let mut chain = Tester::bare();
//! chain.create("alice");
//! chain.deploy_folder("alice", "contracts/dist/eosio.token");
//! chain.push("alice", "create", "alice", json!({"issuer": "alice", "maximum_supply": "100.0000 TOK"})).succeed();
//! chain.push("alice", "issue", "bob", json!({"to": "alice", "quantity": "1.0000 TOK", "memo": ""}))
//!     .fail(3090004, "missing authority of alice");
//! ```
//!
//! Every account that the tester creates has the tester's key, so that any of them can be the actor of a push. Each
//! push is a block of its own. Nothing here reads the clock: time is what the test says.

mod compiled;
mod outcome;
mod rows;
mod serve;
mod states;
mod tester;

pub use outcome::Outcome;
// By the names that the client of contracts/tester has for them: a contract's tests run with either.
pub use serde_json::{Value, json};
pub use serve::serve;
pub use tester::Tester;
