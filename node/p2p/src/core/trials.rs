//! Transactions that are being judged, and those that failed. An id does not say which signatures belong to it: whoever
//! sends another form of a transaction first must not keep the right one out.

use std::collections::VecDeque;
use std::sync::Arc;

use primitives::{Checksum256, PackedTransaction, TransactionId};
use rustc_hash::FxHashMap;

use super::Charge;
use super::peer::PeerId;
use crate::limits::{FAILED_MAX, OTHER_TRANSACTIONS_MAX, TRIES_MAX};
use crate::wire::TransactionMessage;

/// A transaction with who sent it, and what it holds of that peer's share.
pub type Sent = (PeerId, TransactionMessage, Charge);

/// A transaction that is being judged.
#[derive(Debug)]
pub struct Trial {
    /// Who sent it.
    pub peer: PeerId,
    /// Bytes of memory that it takes.
    pub bytes: usize,
    /// Whether gossip waits to be told.
    pub by_gossip: bool,
    packed: Arc<PackedTransaction>,
    /// Other forms, which are judged should this one fail.
    pub others: Vec<Sent>,
}

/// Those that are being judged, and how often forms of others failed.
#[derive(Debug, Default)]
pub struct Trials {
    trials: FxHashMap<TransactionId, Trial>,
    bytes: usize,
    /// By the digest of all their bytes.
    failed: FxHashMap<Checksum256, u8>,
    order: VecDeque<Checksum256>,
}

impl Trials {
    /// How many are judged.
    pub fn len(&self) -> usize {
        self.trials.len()
    }

    /// Bytes of memory that they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many other forms one has, at most, and of how many forms is known that they failed.
    pub fn sizes(&self) -> (usize, usize) {
        (self.trials.values().map(|trial| trial.others.len()).max().unwrap_or(0), self.order.len())
    }

    /// One that is judged.
    pub fn get_mut(&mut self, id: &TransactionId) -> Option<&mut Trial> {
        self.trials.get_mut(id)
    }

    /// Whether one is judged.
    pub fn contains(&self, id: &TransactionId) -> bool {
        self.trials.contains_key(id)
    }

    /// Begins.
    pub fn begin(&mut self, peer: PeerId, transaction: &TransactionMessage, by_gossip: bool) {
        let packed = Arc::clone(&transaction.packed);
        self.bytes += transaction.memory_bytes;
        let trial = Trial { peer, bytes: transaction.memory_bytes, by_gossip, packed, others: Vec::new() };
        if let Some(before) = self.trials.insert(transaction.id, trial) {
            self.bytes -= before.bytes;
        }
    }

    /// Ends. A form that did not succeed counts.
    pub fn end(&mut self, id: &TransactionId, failed: bool) -> Option<Trial> {
        let trial = self.trials.remove(id)?;
        self.bytes -= trial.bytes;
        if failed {
            let form = trial.packed.packed_digest();
            let count = self.failed.entry(form).or_insert_with(|| {
                self.order.push_back(form);
                0
            });
            *count = count.saturating_add(1);
            if self.order.len() > FAILED_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.failed.remove(&oldest);
            }
        }
        Some(trial)
    }

    /// Whether this form was tried as often as a form is.
    pub fn is_hopeless(&self, transaction: &TransactionMessage) -> bool {
        !self.failed.is_empty()
            && self.failed.get(&transaction.packed.packed_digest()).is_some_and(|tries| *tries >= TRIES_MAX)
    }

    /// Whether another form of a transaction is judged.
    pub fn is_other_form(&self, transaction: &TransactionMessage) -> bool {
        self.trials.get(&transaction.id).is_some_and(|trial| *trial.packed != *transaction.packed)
    }

    /// Keeps another form of one that is judged. Of each peer one is kept.
    pub fn keep_other(&mut self, sent: Sent) {
        let Some(trial) = self.trials.get_mut(&sent.1.id) else { return };
        let is_new = |(peer, other, _): &Sent| *peer != sent.0 && other.packed != sent.1.packed;
        if trial.peer != sent.0 && trial.others.len() < OTHER_TRANSACTIONS_MAX && trial.others.iter().all(is_new) {
            trial.others.push(sent);
        }
    }
}
