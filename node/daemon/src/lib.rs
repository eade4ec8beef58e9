//! `boreasd`, as a library: what its `main` runs, and what tests of its settings reach.
//!
//! Reading order: [`settings`] options, [`translate`] options as the parts want them, [`words`] names and keys, [`protocol_features`] which
//! features may be activated, [`signing`] and [`keosd`] who signs blocks, [`folder`] the data folder, [`genesis_file`]
//! the document, [`beginning`] how a start begins, [`start`] from files to a chain, [`listen`] where the API is
//! served, [`network`] peers, [`run`] the node, [`dev`] the development chain, [`print`](mod@print) what is printed instead, [`replay`],
//! [`export`] and [`salvage`] block logs, [`log_file`] where they are, [`import`] what nodeos leaves, [`contract_chain`] the chain of a contract's
//! test, [`log`] lines on standard error.

pub mod beginning;
pub mod build;
pub mod check;
pub mod code_cache;
pub mod contract_chain;
pub mod dev;
pub mod export;
pub mod folder;
pub mod fork;
pub mod genesis_file;
pub mod import;
pub mod keosd;
pub mod key_file;
pub mod listen;
pub mod log;
pub mod log_file;
pub mod network;
pub mod print;
pub mod protocol_features;
pub mod replay;
pub mod run;
pub mod salvage;
pub mod settings;
pub mod signing;
pub mod start;
pub mod translate;
pub mod words;
