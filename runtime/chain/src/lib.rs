//! The conductor: builds, applies and replays blocks, switches forks, advances irreversibility. [`Chain`] is the only
//! facade of the runtime for `node/`. No clock, no files, no threads: bytes, times and signers are handed in.
//!
//! In reading order:
//! - [`settings`]: what the node decides for its chain.
//! - [`error`]: the three kinds of failure at this seam.
//! - [`prepared`]: blocks as other threads prepare them for the writer.
//! - [`block_state`]: blocks as the chain keeps and hands them out.
//! - [`api`]: the methods of [`Chain`].
//! - [`block_log`]: nodeos' block log, over bytes.

pub mod api;
pub mod block_log;
pub mod block_state;
pub mod error;
pub mod prepared;
pub mod settings;
#[cfg(test)]
mod system_abi;

pub use api::{Chain, PendingView, StartBlock};
pub use block_state::{Applied, BlockState, SealedBlock};
pub use error::ChainError;
pub use prepared::{PrepareMode, PreparedBlock};
pub use settings::{BlockPurpose, Checks, Settings};
