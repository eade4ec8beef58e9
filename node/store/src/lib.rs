//! The durable home of a node: blocks, state checkpoints, signing watermarks, traces and compiled code.
//!
//! Reading order: [`db`] opens the database, after `log` has looked through its write-ahead log, [`blocks`] holds accepted blocks and what was signed (which `marks` keeps a second time), [`checkpoint`]
//! the state as of a block, [`traces`] what executed transactions did, [`deltas`] what blocks did to rows, [`code`] compiled contracts, [`rebuild`] a database whose state is
//! damaged, `reach` how far it reached; `whole_file` is for files of others. No rules of the
//! chain live here: keys and values are bytes given by others.

pub mod blocks;
pub mod checkpoint;
pub mod code;
mod crc;
pub mod db;
pub mod deltas;
pub mod error;
mod extent;
mod log;
mod marks;
mod reach;
pub mod rebuild;
pub mod traces;
mod whole_file;

pub use blocks::{AcceptedBlock, Change, Head, Rewind};
pub use checkpoint::{CheckpointHeader, CheckpointWriter, StateRows};
pub use code::CodeFolder;
pub use db::{Losses, Store, StoreSettings};
pub use error::StoreError;
pub use marks::{EVERYBODY, Watermark, later};
pub use traces::{BlockTraces, TransactionPosition};
pub use whole_file::write_whole_file;
