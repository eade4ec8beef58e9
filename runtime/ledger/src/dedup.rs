//! Ids of input transactions that are not yet expired, so that none runs twice (`transaction_object`).
//!
//! Ids lie in one bucket per second of expiration: most transactions of a moment share a few buckets, and expiry drops
//! whole buckets. A checkpoint writes chunks of a bucket: neither each id, nor all of a bucket that keeps growing.

use codec::Pack;
use primitives::{TimePoint, TimePointSec, TransactionId};
use statedb::Stamp;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::Ledger;
use crate::checkpoint::error::{self, ensure, unpack};
use crate::checkpoint::key::row_key;
use crate::checkpoint::row::{CheckpointKey, Handles, RowsBefore};
use crate::snapshot::rows::{Rows, Source, TableSection};
use crate::snapshot::sections::{Result, Sections};

/// Ids in one row of a checkpoint.
const CHUNK_IDS: usize = 256;

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
    /// A transaction was noted, at this place among those of its second.
    Recorded(TimePointSec, u32),
    /// Transactions of one second were forgotten.
    Expired(Box<(TimePointSec, Bucket)>),
}

impl DedupUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Expired(expired) => size_of_val(&**expired) + size_of_val(&*expired.1.ids),
            Self::Recorded(..) => 0,
        }
    }

    /// Transactions that are remembered are not told in deltas.
    pub(crate) fn tell<W>(&self, _walk: &mut W) {}

    /// No two entries of a block say the same.
    pub(crate) fn is_needed<S>(&mut self, _seen: &mut S) -> bool {
        true
    }
}

impl Bucket {
    /// Number of chunks that it has.
    pub fn chunks(&self) -> u32 {
        self.ids.len().div_ceil(CHUNK_IDS) as u32
    }
}

/// A chunk of a bucket's ids; `None` beyond its end.
fn chunk_of(ids: &[(u64, TransactionId)], chunk: u32) -> Option<&[(u64, TransactionId)]> {
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
            DedupUndo::Recorded(expiration, _) => self.pop(expiration),
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
    pub(crate) fn undo_dedup(&mut self, undo: DedupUndo) {
        self.dedup.undo(undo);
    }

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
        if self.epoch.stamp(&mut bucket.stamp) || position.is_multiple_of(CHUNK_IDS) {
            self.mark_dirty(TransactionsKey { expiration, chunk: (position / CHUNK_IDS) as u32 });
        }
        self.journal.push(DedupUndo::Recorded(expiration, position as u32).into());
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
            (0..bucket.chunks()).for_each(|chunk| self.mark_dirty(TransactionsKey { expiration, chunk }));
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

row_key! {
    /// A chunk of the ids that expire in one second.
    TransactionsKey { expiration: TimePointSec, chunk: u32 }
}

impl CheckpointKey for TransactionsKey {
    type Image<'a> = &'a [(u64, TransactionId)];

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger
            .dedup
            .buckets
            .iter()
            .flat_map(|(&expiration, bucket)| (0..bucket.chunks()).map(move |chunk| Self { expiration, chunk }))
    }

    fn image(self, ledger: &Ledger) -> Option<&[(u64, TransactionId)]> {
        chunk_of(&ledger.dedup.buckets.get(&self.expiration)?.ids, self.chunk)
    }

    fn pack(image: &&[(u64, TransactionId)], _handles: &Handles<'_>) -> Vec<u8> {
        image.to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> error::Result<()> {
        ensure(
            ledger.dedup.load_chunk(self.expiration, self.chunk, unpack(value)?),
            "transactions of a second are incomplete or there twice",
        )
    }

    fn unload(self, ledger: &mut Ledger, _comes_back: bool) -> error::Result<()> {
        ledger.dedup.drop_chunks_from(self.expiration, self.chunk);
        Ok(())
    }
}

/// Known transactions of a state that is loaded: how many there are is known in the end.
#[derive(Debug, Default)]
pub(crate) struct TransactionsLoading {
    chunks: Vec<(TransactionsKey, Vec<u8>)>,
}

impl TransactionsLoading {
    pub fn add(&mut self, key: TransactionsKey, value: &[u8]) {
        self.chunks.push((key, value.to_owned()));
    }

    /// Loads them all; an error comes with the key of its row.
    pub fn finish(self, ledger: &mut Ledger) -> std::result::Result<(), (TransactionsKey, error::CheckpointError)> {
        ledger.dedup.known.reserve(self.chunks.len() * CHUNK_IDS);
        self.chunks.iter().try_for_each(|(key, value)| key.load(ledger, value).map_err(|error| (*key, error)))
    }
}

impl DedupUndo {
    /// What the rows were before this change.
    pub(crate) fn step<'a>(&'a self, then: &mut impl RowsBefore<'a, TransactionsKey>) {
        match self {
            Self::Recorded(expiration, position) => {
                let key = TransactionsKey { expiration: *expiration, chunk: position / CHUNK_IDS as u32 };
                let chunk = then.entry(key);
                let before = chunk.and_then(|ids| ids.split_last()).map(|(_, before)| before);
                *chunk = before.filter(|before| !before.is_empty());
            }
            Self::Expired(expired) => {
                let (expiration, bucket) = &**expired;
                for chunk in 0..bucket.chunks() {
                    then.set(TransactionsKey { expiration: *expiration, chunk }, chunk_of(&bucket.ids, chunk));
                }
            }
        }
    }
}
