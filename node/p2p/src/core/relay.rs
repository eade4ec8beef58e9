//! Which transactions are known, and to whom, which of them a new peer may lack; which blocks are being judged.

use std::collections::{BTreeMap, VecDeque};

use codec::Pack;
use primitives::{BlockId, TimePoint, TransactionId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::peer::PeerId;
use crate::limits::{KNOWN_TRANSACTIONS_MAX, RECENT_BYTES_MAX, RECENT_US, TRANSACTION_SECONDS_MAX};
use crate::wire::TransactionMessage;

/// Transactions that were seen, until they expire.
#[derive(Debug, Default)]
pub struct KnownTransactions {
    known: FxHashMap<TransactionId, Known>,
    /// By when they are forgotten.
    order: BTreeMap<(TimePoint, TransactionId), ()>,
}

#[derive(Debug)]
struct Known {
    until: TimePoint,
    /// Who has it.
    peers: Vec<PeerId>,
}

impl KnownTransactions {
    /// Notes that somebody has a transaction. Whether it is new here, and whether that is news of this peer.
    pub fn note(
        &mut self,
        id: TransactionId,
        expiration: TimePoint,
        peer: Option<PeerId>,
        now: TimePoint,
    ) -> (bool, bool) {
        let until = expiration.min(now.plus_seconds(TRANSACTION_SECONDS_MAX));
        let new = !self.known.contains_key(&id);
        if new {
            self.order.insert((until, id), ());
        }
        let known = self.known.entry(id).or_insert(Known { until, peers: Vec::new() });
        let peer = peer.filter(|peer| !known.peers.contains(peer));
        known.peers.extend(peer);
        if self.known.len() > KNOWN_TRANSACTIONS_MAX
            && let Some(((_, first), ())) = self.order.pop_first()
        {
            self.known.remove(&first);
        }
        (new, peer.is_some())
    }

    /// Forgets a transaction, so that it may come again.
    pub fn forget(&mut self, id: &TransactionId) {
        if let Some(known) = self.known.remove(id) {
            self.order.remove(&(known.until, *id));
        }
    }

    /// Forgets what expired.
    pub fn expire(&mut self, now: TimePoint) {
        while let Some(entry) = self.order.first_entry().filter(|entry| entry.key().0 < now) {
            let ((_, id), ()) = entry.remove_entry();
            self.known.remove(&id);
        }
    }

    /// How many are known.
    pub fn count(&self) -> usize {
        self.known.len()
    }
}

/// Transactions that were accepted lately: who connects now may lack them, because nobody was there to take them, or
/// because a connection had ended without a word.
#[derive(Debug, Default)]
pub struct Recent {
    accepted: VecDeque<(TimePoint, TransactionMessage)>,
    bytes: usize,
}

impl Recent {
    /// Keeps a transaction. Of too many the oldest goes.
    pub fn keep(&mut self, transaction: TransactionMessage, now: TimePoint) {
        self.bytes += transaction.packed.packed_size();
        self.accepted.push_back((now, transaction));
        while self.bytes > RECENT_BYTES_MAX {
            self.drop_first();
        }
    }

    /// Lets go of what was accepted long ago.
    pub fn expire(&mut self, now: TimePoint) {
        while self.accepted.front().is_some_and(|(at, _)| now.us_since(*at) > RECENT_US) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, transaction)) = self.accepted.pop_front() {
            self.bytes = self.bytes.saturating_sub(transaction.packed.packed_size());
        }
    }

    /// Those that have not expired.
    pub fn valid(&self, now: TimePoint) -> impl Iterator<Item = &TransactionMessage> {
        let all = self.accepted.iter().map(|(_, transaction)| transaction);
        all.filter(move |transaction| TimePoint::from(transaction.expiration) > now)
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Blocks that are being judged. Each holds a part of what its peer may have here, so there are not too many.
#[derive(Debug, Default)]
pub struct InHand(FxHashSet<BlockId>);

impl InHand {
    /// Notes a block.
    pub fn enter(&mut self, id: BlockId) {
        self.0.insert(id);
    }

    /// A block was judged.
    pub fn leave(&mut self, id: &BlockId) {
        self.0.remove(id);
    }

    /// Whether it is being judged.
    pub fn contains(&self, id: &BlockId) -> bool {
        self.0.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use primitives::{Checksum256, Compression, PackedTransaction, SignedTransaction};

    use super::*;

    #[test]
    fn recent_transactions_are_few_and_young() {
        let mut recent = Recent::default();
        let signed = SignedTransaction { context_free_data: vec![vec![7; 100_000].into()], ..Default::default() };
        let mut transaction = TransactionMessage::read(PackedTransaction::new(&signed, Compression::None)).unwrap();
        transaction.expiration = primitives::TimePointSec(1000);
        let at = |seconds: i64| TimePoint(seconds * 1_000_000);
        for _ in 0..RECENT_BYTES_MAX / 50_000 {
            recent.keep(transaction.clone(), at(10));
        }
        assert!(recent.bytes() <= RECENT_BYTES_MAX && recent.bytes() > RECENT_BYTES_MAX - 200_000);
        assert_eq!(recent.valid(at(999)).count(), recent.bytes() / transaction.packed.packed_size());
        assert_eq!(recent.valid(at(1000)).count(), 0);
        recent.expire(at(11 + RECENT_US / 1_000_000));
        assert_eq!((recent.bytes(), recent.accepted.len()), (0, 0));
    }

    #[test]
    fn transactions_are_known_until_they_expire() {
        let mut known = KnownTransactions::default();
        let (id, at) = (Checksum256([1; 32]), |seconds: i64| TimePoint(seconds * 1_000_000));
        assert_eq!(known.note(id, at(60), Some(1), at(0)), (true, true));
        assert_eq!(known.note(id, at(60), Some(1), at(0)), (false, false));
        assert_eq!(known.note(id, at(60), Some(2), at(0)), (false, true));
        known.expire(at(60));
        assert_eq!(known.count(), 1);
        known.expire(at(61));
        assert_eq!((known.count(), known.order.len()), (0, 0));
        known.note(id, at(60), None, at(0));
        known.forget(&id);
        assert_eq!((known.count(), known.order.len()), (0, 0));
    }

    #[test]
    fn memory_for_transactions_is_bounded() {
        let mut known = KnownTransactions::default();
        for number in 0..KNOWN_TRANSACTIONS_MAX as u32 + 100 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            known.note(Checksum256(id), TimePoint(i64::MAX), Some(1), TimePoint(0));
        }
        assert_eq!((known.count(), known.order.len()), (KNOWN_TRANSACTIONS_MAX, KNOWN_TRANSACTIONS_MAX));
    }
}
