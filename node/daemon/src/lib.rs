//! `boreasd`, as a library: what its `main` runs, and what tests of its settings reach.
//!
//! Reading order: [`settings`] options, [`translate`] options as the parts want them, [`signing`] and [`keosd`] who
//! signs blocks, [`start`] from files to a chain, [`run`] the node, [`dev`] the development chain, [`replay`] and
//! [`export`] block logs, [`log`] lines on standard error.

pub mod build;
pub mod code_cache;
pub mod dev;
pub mod export;
pub mod keosd;
pub mod log;
pub mod replay;
pub mod run;
pub mod settings;
pub mod signing;
pub mod start;
pub mod translate;
