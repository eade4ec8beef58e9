//! `boreasd`, as a library: what its `main` runs, and what tests of its settings reach.
//!
//! Reading order: [`settings`] options, [`translate`] options as the parts want them, [`signing`] and [`keosd`] who
//! signs blocks, [`start`] from files to a chain, [`listen`] where the API is served, [`run`] the node, [`dev`] the
//! development chain, [`print`](mod@print) what is printed instead, [`replay`] and [`export`] block logs, [`log`]
//! lines on standard error.

pub mod build;
pub mod code_cache;
pub mod dev;
pub mod export;
pub mod keosd;
pub mod listen;
pub mod log;
pub mod print;
pub mod replay;
pub mod run;
pub mod settings;
pub mod signing;
pub mod start;
pub mod translate;
