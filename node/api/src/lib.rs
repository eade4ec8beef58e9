//! The HTTP API of nodeos, field for field. Handlers run on any thread: they read through the engine's handle, send
//! it commands, and make JSON before or after.
//!
//! Reading order: [`error`] answers of failure, [`params`] request bodies, [`reply`] answers of success, [`node`] what
//! handlers reach, [`abis`] contracts' ABIs, [`authorizers`] who may use what,
//! [`failures`] what failed lately, [`health`] how the node stands, [`stored_trace`] what the store keeps of blocks' traces,
//! [`bounds`] what an answer may take, [`large`] what happens to those that take much, [`breakers`] what
//! is refused before something runs out, [`endpoints`] the table of all paths,
//! [`category`] which of them go together, [`connection`] how long clients may take, `in_flight` what is under way,
//! [`server`] sockets. Then one file for each group of endpoints: [`chain`], [`producer`], [`trace_api`], [`dev`],
//! [`net`], [`small_groups`];
//! [`trace_json`] and [`block_json`] are the long JSON forms.

pub mod abis;
pub mod authorizers;
pub mod block_json;
pub mod bounds;
pub mod breakers;
pub mod category;
pub mod chain;
pub mod connection;
pub mod dev;
pub mod endpoints;
pub mod error;
pub mod failures;
pub mod health;
mod in_flight;
pub mod large;
pub mod net;
pub mod node;
mod page;
pub mod params;
pub mod producer;
pub mod recover;
pub mod reply;
pub mod server;
pub mod small_groups;
pub mod stored_trace;
pub mod table_keys;
pub mod trace_api;
pub mod trace_json;

pub use category::{Api, Category};
pub use connection::Connections;
pub use error::ApiError;
pub use node::{ApiSettings, KeyKeeper, Node};
pub use server::{HttpSettings, Shared, Socket, serve};
