//! What this node refuses for reasons of its own: no rule of the chain is broken, and another node, or this one later,
//! may do it.

use primitives::{Checksum256, Fault, FaultKind, TransactionId};

/// Why this node does not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It ends.
    #[error("the node is stopping")]
    Stopping,
    /// Too many transactions wait. In nodeos' words.
    #[error(
        "Transaction {id}, size {bytes} bytes would exceed configured incoming-transaction-queue-size-mb {max_mb}, \
         current queue size {queued_bytes} bytes"
    )]
    QueueFull {
        /// The transaction.
        id: TransactionId,
        /// Its size.
        bytes: usize,
        /// What may wait.
        max_mb: usize,
        /// What waits.
        queued_bytes: usize,
    },
    /// Failed transactions of its peer took all the time that they may.
    #[error("it is not run: failed transactions of this peer have taken too much time")]
    Spent,
    /// No block can be started to run a transaction in.
    #[error("no block can be built at this moment")]
    NoBlock,
    /// Too much waits for contract code.
    #[error("contract code {code_hash} is not ready to run yet, and too many wait for code; try again")]
    TooManyWait {
        /// The code's hash.
        code_hash: Checksum256,
    },
    /// Too much of one kind waits.
    #[error("the breaker {breaker} is open: {reason}; try again")]
    Busy {
        /// The breaker's name.
        breaker: &'static str,
        /// What it protects against.
        reason: String,
    },
    /// The system gives this node too little to run a contract.
    #[error("cannot run a contract: the system does not give {what}; try again, or give the node more memory")]
    Shortage {
        /// What was asked for.
        what: String,
    },
    /// Too many wait for the whole state.
    #[error("the whole state is being written or hashed, and too many wait for it; try again")]
    WholeStateBusy,
    /// Time and state obey on development chains alone.
    #[error("this is not a development chain: only one that boreasd dev began can be changed like that")]
    NotDev,
    /// Blocks cannot be made, or time cannot be moved, as asked.
    #[error("{0}")]
    Travel(String),
    /// A state cannot be kept, gone to, or read.
    #[error("{0}")]
    State(String),
    /// Whoever signs blocks gave no signature.
    #[error("{signer} does not sign: {reason}")]
    Signer {
        /// Who was asked.
        signer: String,
        /// Why not, and what to do.
        reason: String,
    },
}

/// Why something was not done: by a rule that every node has, or by this node alone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refused {
    /// A rule.
    #[error("{0}")]
    Rule(Box<Fault>),
    /// This node.
    #[error(transparent)]
    Node(#[from] Refusal),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Rule(Box::new(fault))
    }
}

/// The fault that nodeos shows its clients.
impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Stopping | Refusal::Signer { .. } => FaultKind::PRODUCER_EXCEPTION,
            Refusal::QueueFull { .. }
            | Refusal::Spent
            | Refusal::TooManyWait { .. }
            | Refusal::WholeStateBusy
            | Refusal::Busy { .. }
            | Refusal::Shortage { .. } => FaultKind::TX_RESOURCE_EXHAUSTION,
            Refusal::NotDev | Refusal::Travel(_) | Refusal::State(_) => FaultKind::INVALID_HTTP_REQUEST,
            Refusal::NoBlock => FaultKind::MISSING_PENDING_BLOCK_STATE,
        };
        Self::new(kind, refusal.to_string())
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rule(fault) => *fault,
            Refused::Node(refusal) => refusal.into(),
        }
    }
}
