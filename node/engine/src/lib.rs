//! The single writer. One thread owns the chain, the production schedule and the queue of transactions; everyone
//! else sends it a [`Command`] and reads through a [`Handle`].
//!
//! Reading order: [`settings`] what the node decides, [`clock`] the door to the time, [`command`] all that can make
//! the writer act, [`handle`] how others reach it, [`slots`] when whom to produce, [`queue`] transactions that wait,
//! [`writer`] the event loop, [`producing`] building and sealing blocks, `obstacles` what keeps it from that, [`accepting`] what follows an accepted
//! block, `saving` when the state is written, [`follower`] the thread behind the writer, [`snapshots`] snapshots and their
//! schedule, [`lists`] lists that change while the node runs, [`retry`] transactions whose senders wait for a block,
//! [`finality`] what became of a transaction, [`report`] log lines.

pub mod accepting;
pub mod clock;
pub mod command;
pub mod error;
pub mod finality;
pub mod follower;
pub mod handle;
pub mod lists;
mod obstacles;
pub mod producing;
pub mod queue;
mod report;
pub mod retry;
mod saving;
pub mod settings;
pub mod slots;
pub mod snapshots;
pub mod writer;

pub use clock::WallClock;
pub use command::{Command, SnapshotInfo, Submission, SubmitKind, SubmitResult};
pub use error::EngineError;
pub use finality::{FinalitySettings, FinalityTracker, TransactionState};
pub use follower::{replace_state, write_checkpoint};
pub use handle::{Handle, ProducerView};
pub use lists::{ListChange, Lists};
pub use retry::{RetrySettings, RetryUntil};
pub use settings::{BlockSigner, OptionsChange, RuntimeOptions, Settings};
pub use snapshots::{ScheduledSnapshot, SnapshotRequest};
pub use writer::{Running, start};
