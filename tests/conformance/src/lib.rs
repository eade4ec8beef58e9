//! Chains recorded from nodeos 4.1, and the means to replay and compare them. See README.md beside this crate.
//!
//! In reading order:
//! - [`recording`]: the files of one recording.
//! - [`step`]: what was done to the recorded chain, one step at a time, and what nodeos said.
//! - [`compare`]: a trace of ours in the recorded form, and the first difference between the two.
//! - [`replay`]: a recorded block log applied again.
//! - [`live`]: the recorded steps done again, failures included.
//! - [`answers`]: what nodeos answered over HTTP about recorded chains.
//! - [`wanted`]: which of ours differ on purpose, and why.
//! - [`served`]: a node of ours, without sockets, that knows a recorded chain.
//! - [`coverage`]: which host functions and native actions the recordings exercise.

pub mod answers;
pub mod compare;
pub mod coverage;
pub mod live;
pub mod recording;
pub mod replay;
pub mod served;
pub mod step;
pub mod wanted;

pub use recording::Recording;
pub use step::{Outcome, RecordedFault, Step};
