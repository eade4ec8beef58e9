//! The single writer. One thread owns the chain, the production schedule and the queue of transactions; everyone
//! else sends it a [`Command`] and reads through a [`Handle`].
//!
//! Reading order: [`settings`] what the node decides, [`signer`] who signs its blocks, [`clock`] the door to the time,
//! [`command`] all that can make the writer act, [`refusal`] what it does not do, [`handle`] how others reach it,
//! [`holds`] the lock of the chain and what it is held for, [`slots`] when whom to produce, [`rules`] which blocks are taken and
//! when none is made, [`queue`] transactions that
//! wait, `transients` those that leave nothing behind, [`writer`] the event loop, `producing` building blocks, `dry_runs`
//! runs that are taken back, `compiling` contract code ahead and aside, `sealing`
//! their end and their signatures, `obstacles` what keeps the node from that, `console` what contracts print, [`preparing`] blocks before it, `accepting` blocks from outside and what
//! follows an accepted block, [`durable`] what is written before anyone hears of it, [`events`] what they hear then, [`block_log`] a log of nodeos beside
//! the database, `saving` when the state is written, [`follower`] the thread behind the writer, [`snapshots`] snapshots
//! and their schedule, [`whole_state`] what needs all of the state, [`lists`] lists that change while the node runs,
//! [`retry`] transactions whose senders wait for a block, [`finality`] what became of a transaction, [`subjective`] what
//! only this node bills, [`journey`] and `travel` blocks on demand and time that is moved, [`saved_state`] and `state` states that
//! are gone back to, [`turn`] ending at a producer's turn, `report` log lines, [`metrics`] counters, [`health`] what they
//! say of the node, `absent` who lets turns pass, `probe` who looks after all that.

mod absent;
mod accepting;
pub mod block_log;
pub mod clock;
pub mod command;
mod compiling;
mod console;
mod dry_runs;
pub mod durable;
pub mod error;
pub mod events;
pub mod finality;
pub mod follower;
pub mod handle;
pub mod health;
pub mod holds;
pub mod journey;
pub mod lists;
pub mod metrics;
mod obstacles;
pub mod preparing;
mod probe;
mod producing;
pub mod queue;
pub mod refusal;
mod report;
pub mod retry;
pub mod rules;
pub mod saved_state;
mod saving;
mod sealing;
pub mod settings;
pub mod signer;
pub mod slots;
pub mod snapshots;
mod state;
pub mod subjective;
mod transients;
mod travel;
pub mod turn;
pub mod whole_state;
pub mod writer;

pub use block_log::LogSettings;
pub use clock::Clock;
pub use command::{Command, SnapshotInfo, Submission, SubmitKind, SubmitResult, Verdict};
pub use durable::ingest;
pub use error::EngineError;
pub use events::Position;
pub use finality::{FinalitySettings, FinalityTracker, TransactionState};
pub use follower::{replace_state, write_checkpoint};
pub use handle::{Handle, ProducerView};
pub use health::{Disk, Obstacle, Peers, Standing};
pub use holds::{Hold, HoldTime};
pub use journey::{Arrival, Journey};
pub use lists::{ListChange, Lists};
pub use metrics::Metrics;
pub use queue::Origin;
pub use refusal::{Refusal, Refused};
pub use retry::{Patience, RetrySettings, RetryUntil, WaitFor};
pub use saved_state::{Dump, NewChain, StateInfo, StoredBlocks};
pub use settings::{Blocks, CpuBilling, OptionsChange, RuntimeOptions, Settings};
pub use signer::{RemoteSigner, SignatureReply, Signer};
pub use snapshots::{ScheduledSnapshot, SnapshotRequest};
pub use subjective::SubjectiveSettings;
pub use turn::EndAtTurn;
pub use writer::{Running, start};
