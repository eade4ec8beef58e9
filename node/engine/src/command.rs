//! All that can make the writer act, one closed enum.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chain::{Loaded, PreparedBlock};
use execution::{RecoveredTransaction, TransactionTrace};
use primitives::{BlockId, Checksum256, Fault, PrivateKey, PublicKey, Signature, TimePoint};
use tokio::sync::oneshot;

use crate::saved_state::{Kept, SavedState, StateInfo, Target};
use crate::{Arrival, EndAtTurn, Journey, ListChange, OptionsChange, Purse, Refusal, Refused};

/// Where an answer goes. A client that is gone does not matter.
pub type Reply<T> = oneshot::Sender<T>;

/// Sends an answer; whoever asked may be gone.
pub(crate) fn answer<T>(reply: Reply<T>, value: T) {
    let _ = reply.send(value);
}

/// Where a transaction comes from (`trx_enum_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A block that left the chain.
    Forked,
    /// A block that was never sealed.
    Aborted,
    /// A client of the API.
    Api,
    /// A peer.
    Network,
}

impl Origin {
    /// nodeos' name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forked => "forked",
            Self::Aborted => "aborted",
            Self::Api => "incoming_api",
            Self::Network => "incoming_p2p",
        }
    }
}

/// When the sender is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryUntil {
    /// As many blocks after its own.
    Blocks(u16),
    /// Its block is irreversible.
    Irreversible,
}

/// How long the sender waits, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As nodeos' `retry_trx`: within the operator's limits.
    Retry(RetryUntil),
    /// As our own `wait`.
    Wait(WaitFor),
}

/// What the sender of a transaction waits for (`wait`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// Its block is part of the chain.
    Block,
    /// Its block is on the disk of this node, safe from a loss of power.
    Stored,
    /// Its block is irreversible.
    Irreversible,
}

/// How a transaction is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitKind {
    /// Into the block.
    Input {
        /// Answer with the trace even if it failed.
        return_failure_trace: bool,
        /// Answer a success only when it is that safe, and try again what falls out of the chain.
        patience: Option<Patience>,
    },
    /// As an input transaction, then undone (`compute_transaction`).
    DryRun,
    /// Without any change (`send_read_only_transaction`).
    ReadOnly,
}

/// What became of a transaction: its trace, or why it was refused.
pub type SubmitResult = Result<Arc<TransactionTrace>, Refused>;

/// A transaction on its way in.
#[derive(Debug)]
pub struct Submission {
    /// The transaction.
    pub transaction: Arc<RecoveredTransaction>,
    /// How to run it.
    pub kind: SubmitKind,
    /// Where it comes from.
    pub origin: Origin,
    /// What the time that it takes is charged to if it fails.
    pub purse: Option<Arc<Purse>>,
    /// Where the answer goes.
    pub reply: Reply<SubmitResult>,
}

/// What became of a block from outside.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It is in the chain, or on another branch of the fork tree.
    Joined,
    /// This node makes a block just now; the block is taken when that is sealed.
    Held,
    /// It was there before.
    Known,
    /// Too much waits already: offer it again later.
    Busy,
    /// It breaks a rule, or this node's own.
    Refused(Box<Fault>),
}

/// A snapshot that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// The head it was taken at.
    pub head_id: BlockId,
    /// The head's number.
    pub head_num: u32,
    /// The head's time.
    pub head_time: TimePoint,
    /// The file.
    pub path: PathBuf,
}

/// Which blocks to take snapshots of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Blocks from one snapshot to the next; 0 for a single snapshot.
    pub block_spacing: u32,
    /// The first block.
    pub start_block_num: u32,
    /// The last block.
    pub end_block_num: u32,
    /// For whoever reads the schedule.
    pub description: String,
}

/// A request of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledSnapshot {
    /// Its number.
    pub id: u32,
    /// What is asked for.
    pub request: SnapshotRequest,
    /// Its snapshots of blocks that are still reversible.
    pub pending: Vec<SnapshotInfo>,
}

/// All that can make the writer act.
#[derive(Debug)]
pub enum Command {
    /// Run a transaction.
    Submit(Submission),
    /// Take a block from outside.
    PushBlock {
        /// The block.
        block: Box<PreparedBlock>,
        /// What became of it.
        reply: Reply<Verdict>,
    },
    /// The compiler made code ready.
    CodeReady {
        /// The code's hash.
        code_hash: Checksum256,
        /// The code.
        loaded: Loaded,
    },
    /// The disk has more changes of the chain.
    Synced,
    /// A signer answers.
    Signed {
        /// The block.
        block: BlockId,
        /// Which of its signers.
        at: usize,
        /// The signature, or why there is none.
        result: Result<Signature, Refusal>,
    },
    /// Stop producing.
    Pause(Reply<()>),
    /// Produce again.
    Resume(Reply<()>),
    /// Change options.
    ChangeOptions(OptionsChange, Reply<()>),
    /// Change this node's own lists.
    ChangeLists(ListChange, Reply<()>),
    /// Activate features that need no preactivation with the next block of this node.
    ScheduleFeatures(Vec<Checksum256>, Reply<()>),
    /// The hash of the whole state at the head.
    IntegrityHash(Reply<Result<(BlockId, Checksum256), Refused>>),
    /// Write a snapshot of the head; the answer comes when the head is irreversible.
    Snapshot(Reply<Result<SnapshotInfo, Refused>>),
    /// What was to be made of the whole state of a block is made, or not.
    WholeStateDone {
        /// The block.
        head: BlockId,
        /// Why not.
        result: Result<(), String>,
    },
    /// Write snapshots of later blocks.
    ScheduleSnapshot(SnapshotRequest, Reply<Result<ScheduledSnapshot, Fault>>),
    /// Take a request, by its number, out of the schedule of snapshots.
    UnscheduleSnapshot(u32, Reply<Result<ScheduledSnapshot, Fault>>),
    /// End the node at a turn of a producer.
    EndAtTurn(EndAtTurn, Reply<()>),
    /// Make blocks at once, or go to another time.
    Travel(Journey, Reply<Result<Arrival, Refusal>>),
    /// Keep the state of the head under a name.
    SaveState {
        /// The name.
        name: String,
        /// Where the answer goes.
        reply: Reply<Result<StateInfo, Refused>>,
    },
    /// A state was read, or not.
    StateSaved {
        /// Its name.
        name: String,
        /// The state.
        state: Box<Result<SavedState, String>>,
        /// Who wants to know.
        reply: Reply<Result<StateInfo, Refused>>,
    },
    /// The states that are kept.
    States(Reply<BTreeMap<String, Kept>>),
    /// Forget a state; the answer says whether there was one.
    ForgetState {
        /// Its name.
        name: String,
        /// Where the answer goes.
        reply: Reply<bool>,
    },
    /// Have another state, and other blocks.
    SetState {
        /// The state.
        target: Box<Target>,
        /// Where the answer goes.
        reply: Reply<Result<Arrival, Refused>>,
    },
    /// Sign with one more key, for whoever is scheduled with it.
    AddKey {
        /// Its public half.
        public: PublicKey,
        /// The key.
        key: PrivateKey,
        /// Whether it was not there before.
        reply: Reply<bool>,
    },
    /// Do not sign any more with a key that was added.
    RemoveKey {
        /// Its public half.
        public: PublicKey,
        /// Whether it was there.
        reply: Reply<bool>,
    },
    /// The keys that are signed with, and which of them were added.
    Keys(Reply<Vec<(PublicKey, bool)>>),
    /// Finish.
    Stop,
}
