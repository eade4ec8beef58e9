//! Ids of input transactions that are not yet expired, so that none runs twice (`transaction_object`).
//!
//! Ids lie in one bucket per second of expiration: most transactions of a moment share a few buckets, and expiry drops
//! whole buckets. A checkpoint writes chunks of a bucket: neither each id, nor all of a bucket that keeps growing.

use primitives::{TimePoint, TimePointSec, TransactionId};
use statedb::Stamp;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::Ledger;
use crate::keys::RowKey;
use crate::snapshot::rows::{Rows, Source, TableSection};
use crate::snapshot::sections::{Result, Sections};

/// Ids in one row of a checkpoint.
pub(crate) const CHUNK_IDS: usize = 256;

/// Ids that expire in one second, with their order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    pub(crate) ids: Vec<(u64, TransactionId)>,
    pub(crate) stamp: Stamp,
}

/// An id is a hash already: its first bytes serve as its hash here.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug, Default)]
pub(crate) struct Dedup {
    pub known: HashSet<TransactionId, BuildHasherDefault<IdHasher>>,
    pub buckets: BTreeMap<TimePointSec, Bucket>,
    pub next_order: u64,
}

/// How a change of known transactions is undone.
#[derive(Debug)]
pub enum DedupUndo {
    /// A transaction was noted.
    Recorded(TimePointSec),
    /// Transactions of one second were forgotten.
    Expired(Box<(TimePointSec, Bucket)>),
}

impl DedupUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Expired(expired) => size_of_val(&**expired) + size_of_val(&*expired.1.ids),
            Self::Recorded(_) => 0,
        }
    }
}

impl Bucket {
    /// Number of chunks that it has.
    pub fn chunks(&self) -> u32 {
        self.ids.len().div_ceil(CHUNK_IDS) as u32
    }
}

/// A chunk of a bucket's ids; `None` beyond its end.
pub(crate) fn chunk_of(ids: &[(u64, TransactionId)], chunk: u32) -> Option<&[(u64, TransactionId)]> {
    ids.chunks(CHUNK_IDS).nth(chunk as usize)
}

impl Dedup {
    /// Adds an id; false when it is known.
    pub fn load(&mut self, expiration: TimePointSec, id: TransactionId) -> bool {
        if !self.known.insert(id) {
            return false;
        }
        let order = self.next_order;
        self.next_order += 1;
        self.buckets.entry(expiration).or_default().ids.push((order, id));
        true
    }

    /// Undoes a change.
    pub fn undo(&mut self, undo: DedupUndo) {
        match undo {
            DedupUndo::Recorded(expiration) => self.pop(expiration),
            DedupUndo::Expired(expired) => {
                let (expiration, bucket) = *expired;
                self.known.extend(bucket.ids.iter().map(|&(_, id)| id));
                self.buckets.insert(expiration, bucket);
            }
        }
    }

    /// Undoes the newest arrival in a bucket.
    fn pop(&mut self, expiration: TimePointSec) {
        let bucket = self.buckets.get_mut(&expiration).expect("the bucket of an id that was added");
        let (_, id) = bucket.ids.pop().expect("an id was added");
        if bucket.ids.is_empty() {
            self.buckets.remove(&expiration);
        }
        self.known.remove(&id);
        self.next_order -= 1;
    }

    /// Adds a chunk behind those that are there; false when it does not follow them or has an id that is known.
    pub fn load_chunk(&mut self, expiration: TimePointSec, chunk: u32, ids: Vec<(u64, TransactionId)>) -> bool {
        let bucket = self.buckets.entry(expiration).or_default();
        let follows = bucket.ids.len() == chunk as usize * CHUNK_IDS && (1..=CHUNK_IDS).contains(&ids.len());
        let new = ids.iter().all(|&(_, id)| self.known.insert(id));
        let newest = ids.iter().map(|&(order, _)| order.saturating_add(1)).max();
        self.next_order = self.next_order.max(newest.unwrap_or(0));
        bucket.ids.extend(ids);
        follows && new
    }

    /// Forgets the ids of a chunk and of those behind it.
    pub fn drop_chunks_from(&mut self, expiration: TimePointSec, chunk: u32) {
        let Some(bucket) = self.buckets.get_mut(&expiration) else {
            return;
        };
        for (_, id) in bucket.ids.drain((chunk as usize * CHUNK_IDS).min(bucket.ids.len())..) {
            self.known.remove(&id);
        }
        if bucket.ids.is_empty() {
            self.buckets.remove(&expiration);
        }
    }

    /// Rows in the order of arrival.
    pub fn in_order(&self) -> Vec<(u64, TimePointSec, TransactionId)> {
        let buckets = self.buckets.iter();
        let mut rows: Vec<_> =
            buckets.flat_map(|(&time, bucket)| bucket.ids.iter().map(move |&(order, id)| (order, time, id))).collect();
        rows.sort_unstable();
        rows
    }
}

impl Ledger {
    /// Whether an input transaction has been seen (`is_known_unexpired_transaction`).
    #[inline]
    pub fn is_known_transaction(&self, id: &TransactionId) -> bool {
        self.dedup.known.contains(id)
    }

    /// Notes an input transaction (`record_transaction`); false when it has been seen: nodeos' `tx_duplicate`.
    #[inline]
    pub fn record_transaction(&mut self, id: TransactionId, expiration: TimePointSec) -> bool {
        if !self.dedup.known.insert(id) {
            return false;
        }
        let order = self.dedup.next_order;
        self.dedup.next_order += 1;
        let bucket = self.dedup.buckets.entry(expiration).or_default();
        let position = bucket.ids.len();
        bucket.ids.push((order, id));
        if self.epoch.list(&mut bucket.stamp) || position.is_multiple_of(CHUNK_IDS) {
            self.list(RowKey::Transactions(expiration, (position / CHUNK_IDS) as u32));
        }
        self.journal.push(DedupUndo::Recorded(expiration).into());
        true
    }

    /// Forgets transactions that have expired before `now`, the time of the block
    /// (`clear_expired_input_transactions`).
    pub fn clear_expired_transactions(&mut self, now: TimePoint) {
        while let Some(entry) = self.dedup.buckets.first_entry() {
            let expiration = *entry.key();
            if now <= TimePoint::from(expiration) {
                break;
            }
            let bucket = entry.remove();
            for (_, id) in &bucket.ids {
                self.dedup.known.remove(id);
            }
            (0..bucket.chunks()).for_each(|chunk| self.list(RowKey::Transactions(expiration, chunk)));
            self.journal.push(DedupUndo::Expired(Box::new((expiration, bucket))).into());
        }
    }
}

const SECTION_NAME: &str = "eosio::chain::transaction_object";

/// Known transactions in snapshots, in the order of arrival.
pub(crate) const SECTION: TableSection = TableSection { name: SECTION_NAME, write: write_section, read: read_section };

fn write_section(source: &Source<'_>, rows: &mut Rows<'_>) {
    for (_, expiration, id) in source.ledger.dedup.in_order() {
        if source.now <= TimePoint::from(expiration) {
            rows.pack(&(expiration, id));
        }
    }
}

fn read_section(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    sections.get(SECTION_NAME)?.each(|section, (expiration, id): (TimePointSec, TransactionId)| {
        section.ensure(ledger.dedup.load(expiration, id), || "a transaction is there twice".into())
    })
}
