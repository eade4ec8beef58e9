//! Which transactions are known, and to whom; which blocks are being judged.

use std::collections::BTreeMap;

use primitives::{BlockId, TimePoint, TransactionId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::peer::PeerId;
use crate::limits::{KNOWN_TRANSACTIONS_MAX, TRANSACTION_SECONDS_MAX};

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

/// Blocks that are being judged. Each holds a part of what its peer may have here, so there are not too many.
#[derive(Debug, Default)]
pub struct InHand(FxHashSet<BlockId>);

impl InHand {
    /// Notes a block. False when it is there.
    pub fn enter(&mut self, id: BlockId) -> bool {
        self.0.insert(id)
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
    use primitives::Checksum256;

    use super::*;

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
