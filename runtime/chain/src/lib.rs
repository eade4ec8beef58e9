//! The conductor: builds, applies and replays blocks, switches forks, advances irreversibility. [`Chain`] is the only
//! facade of the runtime for `node/`. No clock, no files, no threads: bytes, times and signers are handed in.
//!
//! In reading order:
//! - [`settings`]: what the node decides for its chain, and the doors it hands in.
//! - [`error`]: the failures at this seam.
//! - [`prepared`]: blocks and transactions as other threads prepare them for the writer.
//! - [`key_guesses`]: which keys probably signed, so that many signatures are checked at once.
//! - [`block_state`]: blocks as the chain keeps and hands them out.
//! - `brought`: what the node is asked for before a push.
//! - [`conductor`]: [`Chain`] itself and its views.
//! - `genesis`, [`restore`]: how a chain begins, and what is kept of it.
//! - `start`: the first steps of every block, up to onblock and the producers' authority.
//! - `building`: transactions into the pending block.
//! - [`sealing`]: its end, and its signatures.
//! - `applying`: a received or logged block through the same steps.
//! - `receiving`: the fork tree, branch switching, irreversibility.
//! - `ahead`: what a change of branches needs that is not in memory.
//! - `irreversible`: a state that stands at the last irreversible block.
//! - [`live`]: a chain with the machine that its contracts run in.
//! - [`block_log`], [`fork_database`]: nodeos' block log and its reversible blocks, over bytes.

mod ahead;
mod applying;
pub mod block_log;
pub mod block_state;
mod brought;
mod building;
pub mod conductor;
pub mod error;
mod features;
pub mod fork_database;
mod genesis;
mod irreversible;
pub mod key_guesses;
pub mod live;
mod other_branches;
mod pending;
pub mod prepared;
mod receiving;
pub mod restore;
pub mod sealing;
pub mod settings;
mod start;

pub use block_state::{Applied, BlockState, SealedBlock};
pub use brought::{Absent, Brought};
pub use conductor::{Chain, KeptBlocks, PendingView, ScheduledTransaction};
pub use error::ChainError;
pub use execution::Machine;
pub use key_guesses::KeyGuesses;
pub use ledger::{CheckpointError, CheckpointLoader};
pub use live::LiveChain;
pub use other_branches::TWINS_MAX;
pub use pending::StartBlock;
pub use prepared::{
    PrepareMode, PreparedBlock, packed_transactions, recover_transaction, recover_transactions, unpacks_beyond,
};
pub use receiving::{CheckedBlock, check_unprepared};
pub use restore::{ChainCheckpoint, LoadedState, SavedBlock, SavedChain, StateImage};
pub use sealing::{NotSigned, UnsignedBlock};
pub use settings::{BlockPurpose, Checks, Doors, Settings};
pub use wasm::{Bounds, Compiler, Loaded, MissingCode};
