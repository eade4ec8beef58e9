//! Which transactions are known, and to whom, which of them a new peer may lack; which blocks are being judged.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use codec::Pack;
use primitives::{BlockId, TimePoint, TransactionId};
use rustc_hash::FxHashMap;

use super::peer::PeerId;
use super::sync::Given;
use crate::limits::{
    HELD_MAX, KNOWN_TRANSACTIONS_MAX, OTHER_FORMS_MAX, RECENT_BYTES_MAX, RECENT_US, TRANSACTION_SECONDS_MAX,
};
use crate::wire::TransactionMessage;

/// Peers that are gone before what they had is forgotten.
const GONE_MAX: usize = 64;

/// Transactions that were seen, until they expire.
#[derive(Debug, Default)]
pub struct KnownTransactions {
    known: FxHashMap<TransactionId, Known>,
    /// By when they are forgotten.
    order: BTreeMap<(TimePoint, TransactionId), ()>,
    /// Peers that are gone and may still stand in it.
    gone: BTreeSet<PeerId>,
}

#[derive(Debug)]
struct Known {
    until: TimePoint,
    /// Who has it.
    peers: Vec<Holder>,
}

#[derive(Debug)]
struct Holder {
    peer: PeerId,
    /// Whether this node has it from that peer, too.
    gave: bool,
}

impl KnownTransactions {
    /// Notes a transaction. Whether it is new here.
    pub fn note(&mut self, id: TransactionId, expiration: TimePoint, now: TimePoint) -> bool {
        let until = expiration.min(now.plus_seconds(TRANSACTION_SECONDS_MAX));
        if self.known.contains_key(&id) {
            return false;
        }
        self.order.insert((until, id), ());
        self.known.insert(id, Known { until, peers: Vec::new() });
        if self.known.len() > KNOWN_TRANSACTIONS_MAX
            && let Some(((_, first), ())) = self.order.pop_first()
        {
            self.known.remove(&first);
        }
        true
    }

    /// Notes that a peer gave a transaction. Whether it is new here, and whether that peer gives it for the first time.
    pub fn gave(&mut self, id: TransactionId, expiration: TimePoint, peer: PeerId, now: TimePoint) -> (bool, bool) {
        let new = self.note(id, expiration, now);
        let Some(known) = self.known.get_mut(&id) else { return (new, true) };
        if let Some(holder) = known.peers.iter_mut().find(|holder| holder.peer == peer) {
            return (new, !std::mem::replace(&mut holder.gave, true));
        }
        known.peers.push(Holder { peer, gave: true });
        (new, true)
    }

    /// Notes that a peer has a transaction, because it said so or gets it now. Whether that is news.
    pub fn note_has(&mut self, id: &TransactionId, peer: PeerId) -> bool {
        let Some(known) = self.known.get_mut(id) else { return true };
        let news = known.peers.iter().all(|holder| holder.peer != peer);
        if news {
            known.peers.push(Holder { peer, gave: false });
        }
        news
    }

    /// Whether a peer has a transaction, as far as is known.
    pub fn has(&self, id: &TransactionId, peer: PeerId) -> bool {
        self.known.get(id).is_some_and(|known| known.peers.iter().any(|holder| holder.peer == peer))
    }

    /// Whether a transaction is known.
    pub fn is_known(&self, id: &TransactionId) -> bool {
        self.known.contains_key(id)
    }

    /// A peer is gone. What it had is forgotten with that of others, some later.
    pub fn part(&mut self, peer: PeerId) {
        self.gone.insert(peer);
        if self.gone.len() >= GONE_MAX {
            self.known.values_mut().for_each(|known| known.peers.retain(|holder| !self.gone.contains(&holder.peer)));
            self.gone.clear();
        }
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

    /// How many stand for one as those that have it, at most.
    #[cfg(test)]
    pub fn holders_max(&self) -> usize {
        self.known.values().map(|known| known.peers.len()).max().unwrap_or(0)
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
    by_id: FxHashMap<TransactionId, TransactionMessage>,
    bytes: usize,
}

impl Recent {
    /// Keeps a transaction. Of too many the oldest goes.
    pub fn keep(&mut self, transaction: TransactionMessage, now: TimePoint) {
        self.bytes += transaction.packed.packed_size();
        self.by_id.insert(transaction.id, transaction.clone());
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
            // One that was accepted again since stays.
            if self.by_id.get(&transaction.id).is_some_and(|kept| Arc::ptr_eq(&kept.packed, &transaction.packed)) {
                self.by_id.remove(&transaction.id);
            }
        }
    }

    /// The one with an id, if it has not expired.
    pub fn find(&self, id: &TransactionId, now: TimePoint) -> Option<&TransactionMessage> {
        self.by_id.get(id).filter(|transaction| TimePoint::from(transaction.expiration) > now)
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

/// Blocks that wait until this node's own is sealed, or were judged so: others may follow them.
#[derive(Debug, Default)]
pub struct Held(VecDeque<BlockId>);

impl Held {
    /// Notes a block. Of too many the oldest is forgotten.
    pub fn keep(&mut self, id: BlockId) {
        self.0.push_back(id);
        if self.0.len() > HELD_MAX {
            self.0.pop_front();
        }
    }

    /// Whether it may still wait.
    pub fn contains(&self, id: &BlockId) -> bool {
        self.0.contains(id)
    }
}

/// A block that is being judged.
#[derive(Debug, Default)]
pub struct Judging {
    /// Other forms of it.
    pub others: Vec<Given>,
    /// Whether its header is in order: whatever else is wrong is its producer's fault.
    pub header_good: bool,
}

/// Blocks that are being judged. Each holds a part of what its peer may have here, so there are not too many.
#[derive(Default)]
pub struct InHand(FxHashMap<BlockId, Judging>);

impl std::fmt::Debug for InHand {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

impl InHand {
    /// Notes a block.
    pub fn enter(&mut self, id: BlockId) {
        self.0.entry(id).or_default();
    }

    /// Keeps another form of a block that is being judged, should that one be a lie: an id does not say which
    /// signature belongs to it. False where there are enough of them, or one from this peer.
    pub fn keep_other(&mut self, given: Given) -> bool {
        let Some(Judging { others, .. }) = self.0.get_mut(&given.1.id) else { return false };
        let is_new = |(peer, block, _): &Given| *peer != given.0 && block.bytes != given.1.bytes;
        let keeps = others.len() < OTHER_FORMS_MAX && others.iter().all(is_new);
        if keeps {
            others.push(given);
        }
        keeps
    }

    /// The header of a block is in order.
    pub fn note_header_good(&mut self, id: &BlockId) {
        if let Some(judging) = self.0.get_mut(id) {
            judging.header_good = true;
        }
    }

    /// A block was judged.
    pub fn leave(&mut self, id: &BlockId) -> Judging {
        self.0.remove(id).unwrap_or_default()
    }

    /// Whether it is being judged.
    pub fn contains(&self, id: &BlockId) -> bool {
        self.0.contains_key(id)
    }

    /// How many other forms there are of one block, at most.
    pub fn others_max(&self) -> usize {
        self.0.values().map(|judging| judging.others.len()).max().unwrap_or(0)
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
        recent.keep(transaction.clone(), at(10));
        assert!(recent.find(&transaction.id, at(999)).is_some() && recent.find(&transaction.id, at(1000)).is_none());
        for _ in 0..RECENT_BYTES_MAX / 50_000 {
            recent.keep(transaction.clone(), at(10));
        }
        assert!(recent.bytes() <= RECENT_BYTES_MAX && recent.bytes() > RECENT_BYTES_MAX - 200_000);
        assert_eq!(recent.valid(at(999)).count(), recent.bytes() / transaction.packed.packed_size());
        assert_eq!(recent.valid(at(1000)).count(), 0);
        recent.expire(at(11 + RECENT_US / 1_000_000));
        assert_eq!((recent.bytes(), recent.accepted.len(), recent.by_id.len()), (0, 0, 0));
    }

    #[test]
    fn transactions_are_known_until_they_expire() {
        let mut known = KnownTransactions::default();
        let (id, at) = (Checksum256([1; 32]), |seconds: i64| TimePoint(seconds * 1_000_000));
        assert_eq!(known.gave(id, at(60), 1, at(0)), (true, true));
        assert_eq!(known.gave(id, at(60), 1, at(0)), (false, false));
        assert_eq!(known.gave(id, at(60), 2, at(0)), (false, true));
        // Who gets one while it gives it repeats nothing.
        assert!(known.note_has(&id, 3) && !known.note_has(&id, 3) && !known.note_has(&id, 1));
        assert_eq!(known.gave(id, at(60), 3, at(0)), (false, true));
        assert_eq!(known.gave(id, at(60), 3, at(0)), (false, false));
        assert!(known.has(&id, 2) && !known.has(&id, 4));
        known.expire(at(60));
        assert_eq!(known.count(), 1);
        known.expire(at(61));
        assert_eq!((known.count(), known.order.len()), (0, 0));
        known.note(id, at(60), at(0));
        known.forget(&id);
        assert_eq!((known.count(), known.order.len()), (0, 0));
    }

    #[test]
    fn memory_for_transactions_is_bounded() {
        let mut known = KnownTransactions::default();
        for number in 0..KNOWN_TRANSACTIONS_MAX as u32 + 100 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            known.gave(Checksum256(id), TimePoint(i64::MAX), 1, TimePoint(0));
        }
        assert_eq!((known.count(), known.order.len()), (KNOWN_TRANSACTIONS_MAX, KNOWN_TRANSACTIONS_MAX));
    }
}
