//! The single writer. One thread owns the chain, the production schedule and the queue of transactions; everyone
//! else sends it a [`Command`] and reads through a [`Handle`].
//!
//! Reading order, each file uses only those before it: [`settings`] what the node decides, [`options`] what changes while it runs, [`signer`] who signs its
//! blocks, [`clock`] the door to the time, [`command`] all that can make the writer act, [`refusal`] what it does not do,
//! [`handle`] how others reach it, [`holds`] the lock of the chain and what it is held for.
//!
//! Parts that know nothing of the writer: `slots` when whom to produce, [`rules`] which blocks are taken and when none
//! is made, `purse` what those of peers may cost, [`queue`] transactions that wait, `transients` those that leave nothing behind, `compile_queue` the threads
//! that make code ready, `signing` a block that waits for signatures, `obstacles` what keeps the node from blocks,
//! `console` what contracts print, `put_off` scheduled transactions that
//! this node leaves out, `stuck` when blocks are tried again whose start takes too long, [`recovered`] transactions whose blocks are still to come, [`preparing`] blocks before the
//! writer, [`durable`] what is written before anyone hears of it, [`events`] what they hear then, [`disk`] the door to the
//! disk, [`block_log`] a log of nodeos beside the database, [`snapshots`] their schedule, [`state_task`] what is made of
//! all of the state, [`follower`] the real disk with the thread behind the writer, [`lists`] lists that change while the
//! node runs, [`journey`] blocks on demand and time that is moved, [`saved_state`] states that are gone back to, `report`
//! log lines, [`memory`] what nothing uses any more, `probe` who looks after the node's health.
//!
//! `moved` is a change of the chain. Who keeps account of it for the writer: [`retry`] of transactions whose senders wait
//! for a block, [`finality`] of what became of each, [`subjective`] of what only this node bills, [`turn`] of the
//! producer's turn at which to end, `attendance` and `absent` of slots without a block, `awaited` of blocks that somebody
//! waits for, `unsaved` of what no checkpoint has, [`metrics`] counts, [`health`] says how the node stands.
//!
//! [`writer`] is the state of the one that owns the chain. What it does, by topic: `producing` building blocks, `dry_runs`
//! runs that are reverted, `compiling` what waits for code, `sealing` the end of blocks and their signatures, `accepting`
//! blocks from outside, `publishing` the one place that tells of a change, `saving` when the state is written,
//! `whole_state` who gets all of it, `travel` and `state` journeys and going back. [`step`](Writer::step) is what it does
//! with a command and with the time: a machine without a thread. `event_loop` is the thread that carries it in a node,
//! [`carried`] is for others, [`planted`] bugs that they look for.

mod absent;
mod accepting;
mod atomic_file;
mod attendance;
mod awaited;
pub mod block_log;
pub mod carried;
pub mod clock;
pub mod command;
mod compile_queue;
mod compiling;
mod console;
pub mod disk;
mod dry_runs;
pub mod durable;
pub mod error;
mod event_loop;
pub mod events;
pub mod finality;
pub mod follower;
pub mod handle;
pub mod health;
pub mod holds;
pub mod journey;
pub mod lists;
pub mod memory;
pub mod metrics;
mod moved;
mod obstacles;
pub mod options;
pub mod planted;
pub mod preparing;
mod probe;
mod producing;
mod publishing;
mod purse;
mod put_off;
pub mod queue;
pub mod recovered;
pub mod refusal;
mod report;
pub mod retry;
pub mod rules;
pub mod saved_state;
mod saving;
mod sealing;
pub mod settings;
pub mod signer;
mod signing;
mod slots;
pub mod snapshots;
mod state;
pub mod state_task;
mod step;
mod stuck;
pub mod subjective;
pub mod transients;
mod travel;
pub mod turn;
mod unsaved;
mod whole_state;
pub mod writer;

pub use block_log::LogSettings;
pub use clock::Clock;
pub use command::{
    Command, Origin, Patience, RetryUntil, ScheduledSnapshot, SnapshotInfo, SnapshotRequest, Submission, SubmitKind,
    SubmitResult, Verdict, WaitFor,
};
pub use compile_queue::yield_to_others;
pub use console::CONSOLE_TARGET;
pub use disk::{Disk, Work};
pub use durable::ingest;
pub use error::EngineError;
pub use event_loop::{Running, start};
pub use events::Position;
pub use finality::{FinalitySettings, FinalityTracker, TransactionState};
pub use follower::{replace_state, write_checkpoint};
pub use handle::{Handle, ProducerView};
pub use health::{Obstacle, Peers, Standing};
pub use holds::{Hold, HoldTime};
pub use journey::{Arrival, Journey};
pub use lists::{ListChange, Lists};
pub use metrics::Metrics;
pub use options::{OptionsChange, RuntimeOptions};
pub use purse::{PEER_FAILURES_US, PEERS_FAILURES_US, Purse};
pub use refusal::{Refusal, Refused};
pub use retry::RetrySettings;
pub use saved_state::{Dump, NewChain, StateInfo, StoredBlocks};
pub use settings::{Blocks, CpuBilling, Settings};
pub use signer::{RemoteSigner, SignatureReply, Signer};
pub use subjective::SubjectiveSettings;
pub use turn::EndAtTurn;
pub use writer::Writer;
