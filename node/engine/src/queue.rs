//! Transactions that wait for a block: those of aborted blocks first, then those that came while none was built, clients'
//! and peers' by turns. Those that wait for contract code stand apart.

use std::collections::VecDeque;
use std::sync::Arc;

use chain::{BlockState, SealedBlock};
use execution::RecoveredTransaction;
use primitives::{Checksum256, Fault, FaultKind, TimePoint, TransactionId, ensure};
use rustc_hash::FxHashSet;

use crate::command::{Origin, Patience, Reply, SubmitResult};
use crate::moved::{Follows, Moved};
use crate::{Purse, Refusal, Refused};

/// Bytes that are counted for a waiting transaction beside its packed form.
const ENTRY_OVERHEAD_BYTES: usize = 512;

/// A transaction that waits.
#[derive(Debug)]
pub struct Waiting {
    /// The transaction.
    pub transaction: Arc<RecoveredTransaction>,
    /// Answer with the trace even if it fails.
    pub return_failure_trace: bool,
    /// Answer a success only when it is that safe.
    pub patience: Option<Patience>,
    /// Where it comes from.
    pub origin: Origin,
    /// What its time is charged to if it fails.
    pub purse: Option<Arc<Purse>>,
    /// Who wants to know; `None` when the answer was given before its block was aborted.
    pub reply: Option<Reply<SubmitResult>>,
}

impl Waiting {
    /// A transaction that ran before: nobody waits for it.
    fn again(transaction: Arc<RecoveredTransaction>, origin: Origin) -> Self {
        Self { transaction, return_failure_trace: false, patience: None, origin, purse: None, reply: None }
    }
}

/// The queue, bounded in bytes.
#[derive(Debug)]
pub struct Queue {
    aborted: VecDeque<Waiting>,
    incoming: VecDeque<Waiting>,
    of_peers: VecDeque<Waiting>,
    /// With the code that they wait for.
    parked: Vec<(Checksum256, Waiting)>,
    known: FxHashSet<TransactionId>,
    bytes: usize,
    bytes_max: usize,
}

impl Queue {
    /// An empty queue.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            aborted: VecDeque::new(),
            incoming: VecDeque::new(),
            of_peers: VecDeque::new(),
            parked: Vec::new(),
            known: FxHashSet::default(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Puts back the transactions of an aborted block: they were accepted, nobody waits for them.
    pub fn add_aborted(&mut self, transactions: Vec<Arc<RecoveredTransaction>>) {
        for transaction in transactions {
            self.keep_aborted(Waiting::again(transaction, Origin::Aborted));
        }
    }

    /// Puts back the transactions of blocks that left the chain (the former head first), but for those of the blocks
    /// that joined it.
    fn add_forked(&mut self, undone: &[Arc<BlockState>], applied: &[SealedBlock]) {
        if undone.is_empty() {
            return;
        }
        let joined: FxHashSet<TransactionId> =
            applied.iter().flat_map(|sealed| &sealed.state.transactions).map(|transaction| transaction.id).collect();
        let left = undone.iter().rev().flat_map(|state| &state.transactions);
        for transaction in left.filter(|transaction| !joined.contains(&transaction.id)) {
            self.keep_aborted(Waiting::again(Arc::clone(transaction), Origin::Forked));
        }
    }

    /// Tries a transaction again that fell out of the chain; one that waits anyway is left alone.
    pub fn add_forgotten(&mut self, transaction: Arc<RecoveredTransaction>) {
        self.keep_aborted(Waiting::again(transaction, Origin::Api));
    }

    /// Puts a transaction of an aborted block back for the next block.
    pub fn keep_aborted(&mut self, waiting: Waiting) {
        if self.enter(&waiting.transaction) {
            self.aborted.push_back(waiting);
        }
    }

    /// Lets a transaction wait. When it cannot, whoever asked is told.
    pub fn add_incoming(&mut self, waiting: Waiting) {
        if let Some(waiting) = self.admit(waiting) {
            let list = if waiting.origin == Origin::Network { &mut self.of_peers } else { &mut self.incoming };
            list.push_back(waiting);
        }
    }

    /// Lets a transaction wait for code. When it cannot, whoever asked is told.
    pub fn park(&mut self, code_hash: Checksum256, waiting: Waiting) {
        if let Some(waiting) = self.admit(waiting) {
            self.parked.push((code_hash, waiting));
        }
    }

    /// Takes the transactions out that waited for this code, in order.
    pub fn unpark(&mut self, code_hash: &Checksum256) -> Vec<Waiting> {
        let ready: Vec<_> = self.parked.extract_if(.., |(needed, _)| needed == code_hash).collect();
        ready.into_iter().map(|(_, waiting)| waiting).inspect(|waiting| self.leave(&waiting.transaction)).collect()
    }

    /// Counts a transaction in, or tells whoever asked why it cannot wait.
    fn admit(&mut self, waiting: Waiting) -> Option<Waiting> {
        let id = waiting.transaction.id;
        if self.bytes + size(&waiting.transaction) > self.bytes_max {
            let (bytes, max_mb) = (size(&waiting.transaction), self.bytes_max >> 20);
            refuse(waiting, Refusal::QueueFull { id, bytes, max_mb, queued_bytes: self.bytes });
            return None;
        }
        if self.enter(&waiting.transaction) {
            return Some(waiting);
        }
        refuse(waiting, Fault::new(FaultKind::TX_DUPLICATE, format!("duplicate transaction {id}")));
        None
    }

    /// Whether a transaction waits already.
    pub fn contains(&self, id: &TransactionId) -> bool {
        self.known.contains(id)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.aborted.is_empty() && self.incoming.is_empty() && self.of_peers.is_empty() && self.parked.is_empty()
    }

    /// Takes the transactions of aborted blocks out, in order.
    pub fn take_aborted(&mut self) -> VecDeque<Waiting> {
        let taken = std::mem::take(&mut self.aborted);
        taken.iter().for_each(|waiting| self.leave(&waiting.transaction));
        taken
    }

    /// Takes the next incoming transaction out that did not come from a peer, or that did.
    pub fn take_incoming(&mut self, of_peer: bool) -> Option<Waiting> {
        let taken = if of_peer { &mut self.of_peers } else { &mut self.incoming }.pop_front()?;
        self.leave(&taken.transaction);
        Some(taken)
    }

    /// Numbers of incoming transactions that did not come from peers, and that did.
    pub fn incoming_len(&self) -> (usize, usize) {
        (self.incoming.len(), self.of_peers.len())
    }

    /// Drops what expired before `time` and tells whoever waits.
    pub fn drop_expired(&mut self, time: TimePoint) {
        let alive = |waiting: &Waiting| check_expiration(&waiting.transaction, time).is_ok();
        let mut gone = Vec::new();
        for list in [&mut self.aborted, &mut self.incoming, &mut self.of_peers] {
            let (kept, expired): (VecDeque<_>, VecDeque<_>) = std::mem::take(list).into_iter().partition(alive);
            *list = kept;
            gone.extend(expired);
        }
        gone.extend(self.parked.extract_if(.., |(_, waiting)| !alive(waiting)).map(|(_, waiting)| waiting));
        for waiting in gone {
            self.leave(&waiting.transaction);
            if let Err(fault) = check_expiration(&waiting.transaction, time) {
                refuse(waiting, fault);
            }
        }
    }

    /// What waits, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Waiting> {
        let incoming = self.incoming.iter().chain(&self.of_peers);
        self.aborted.iter().chain(incoming).chain(self.parked.iter().map(|(_, waiting)| waiting))
    }

    fn enter(&mut self, transaction: &RecoveredTransaction) -> bool {
        let new = self.known.insert(transaction.id);
        if new {
            self.bytes += size(transaction);
        }
        new
    }

    fn leave(&mut self, transaction: &RecoveredTransaction) {
        self.known.remove(&transaction.id);
        self.bytes -= size(transaction);
    }
}

impl Follows for Queue {
    fn follow(&mut self, moved: &Moved<'_>) {
        self.add_forked(&moved.applied.undone, &moved.applied.applied);
    }
}

/// Fails when a transaction comes too late for a block of this time.
pub fn check_expiration(transaction: &RecoveredTransaction, block_time: TimePoint) -> Result<(), Fault> {
    let expiration = TimePoint::from(transaction.parts.header.expiration);
    ensure!(
        expiration >= block_time,
        EXPIRED_TX_EXCEPTION,
        "expired transaction {}, expiration {expiration}, block time {block_time}",
        transaction.id
    );
    Ok(())
}

fn refuse(waiting: Waiting, why: impl Into<Refused>) {
    if let Some(reply) = waiting.reply {
        // Whoever asked may be gone.
        let _ = reply.send(Err(why.into()));
    }
}

fn size(transaction: &RecoveredTransaction) -> usize {
    transaction.memory_bytes + ENTRY_OVERHEAD_BYTES
}
