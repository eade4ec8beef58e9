//! What must hold, at each step and at the end. It sees what no node sees: all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chain::{Applied, Chain};
use codec::Unpack;
use engine::queue::check_expiration;
use p2p::wire::message::Point;
use primitives::block::{ReceiptTransaction, SignedBlockHeader};
use primitives::{BlockId, BlockTimestamp, Checksum256, Name, SignedBlock, TimePoint, TransactionId};

/// A transaction that a client sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// To which node.
    pub node: usize,
    /// When, by the right clock.
    pub at: TimePoint,
    /// Until when it can be in a block.
    pub expiration: TimePoint,
}

/// Who looks on.
#[derive(Debug, Default)]
pub struct Watch {
    failure: Option<String>,
    irreversible: BTreeMap<u32, (BlockId, usize)>,
    /// What left honest nodes, by producer and slot.
    signed: BTreeMap<(Name, BlockTimestamp), BlockId>,
    /// The highest block of each honest producer.
    highest: BTreeMap<Name, u32>,
    states: BTreeMap<BlockId, Checksum256>,
    bad_headers: BTreeMap<BlockId, Vec<Arc<[u8]>>>,
    /// Slots that were signed twice.
    twice: BTreeSet<(Name, BlockTimestamp)>,
    /// Headers that each node found in order, of slots that were signed twice.
    headers: BTreeMap<(usize, Name, BlockTimestamp), BTreeSet<BlockId>>,
    /// What clients sent.
    pub sent: BTreeMap<TransactionId, Sent>,
    /// Nodes where a transaction ran, with when it first did in the node's present run.
    accepted: BTreeMap<TransactionId, BTreeMap<usize, TimePoint>>,
    /// The time by the right clock.
    pub now: TimePoint,
    /// What happened, for whoever wants to know whether the seeds reach everything.
    pub seen: Seen,
}

/// Numbers of what happened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a number of what it is named after")]
pub struct Seen {
    pub blocks: u64,
    pub switches: u64,
    pub undone: u64,
    pub resubmitted: u64,
    pub irreversible: u32,
    pub transactions: u64,
    pub restarts: u64,
    pub deaths: u64,
    pub from_states: u64,
    pub hashes: u64,
    pub cuts: u64,
    pub schedules: u64,
    pub majorities: u64,
    pub double_signs: u64,
    pub bans: u64,
    pub published: u64,
    pub passed_on: u64,
}

impl Watch {
    /// What went wrong first.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Something is wrong.
    pub fn fail(&mut self, what: String) {
        self.failure.get_or_insert(what);
    }

    /// Blocks became irreversible at an honest node.
    pub fn irreversible(&mut self, node: usize, blocks: impl Iterator<Item = BlockId>) {
        for id in blocks {
            let num = Point::of(id).num;
            self.seen.irreversible = self.seen.irreversible.max(num);
            let (first, by) = *self.irreversible.entry(num).or_insert((id, node));
            if first != id {
                self.fail(format!("two irreversible blocks: {first} at node {by}, {id} at node {node}"));
            }
        }
    }

    /// An honest node changed branches or went on.
    /// `offers` says which transactions wait for a block or are in one.
    pub fn switched(
        &mut self,
        node: usize,
        applied: &Applied,
        offers: impl Fn(&TransactionId) -> bool,
        now: TimePoint,
    ) {
        self.seen.blocks += applied.applied.len() as u64;
        if applied.undone.is_empty() {
            return;
        }
        self.seen.switches += 1;
        self.seen.undone += applied.undone.len() as u64;
        let joined: BTreeSet<TransactionId> = applied
            .applied
            .iter()
            .flat_map(|sealed| &sealed.state.transactions)
            .map(|transaction| transaction.id)
            .collect();
        for transaction in applied.undone.iter().flat_map(|state| &state.transactions) {
            let id = transaction.id;
            if joined.contains(&id) {
                continue;
            }
            self.seen.resubmitted += 1;
            if !offers(&id) && check_expiration(transaction, now.plus_seconds(1)).is_ok() {
                self.fail(format!("node {node} left a branch with transaction {id} and does not offer it again"));
            }
        }
    }

    /// A node stands at a block, with nothing pending: all states of one block are one.
    pub fn state_at(&mut self, id: BlockId, hash: Checksum256) {
        let first = *self.states.entry(id).or_insert(hash);
        if first != hash {
            self.fail(format!("two states at block {id}: {first} and {hash}"));
        }
    }

    /// The same of a chain.
    pub fn compare_state(&mut self, chain: &Chain) {
        self.state_at(chain.head().id(), chain.integrity_hash().expect("nothing is pending"));
    }

    /// A producer signed another block for a slot.
    pub fn signed_twice(&mut self, block: &[u8]) {
        if let Ok(header) = SignedBlockHeader::from_prefix(block) {
            self.twice.insert((header.header.producer, header.header.timestamp));
        }
    }

    /// These bytes have a header or a signature that breaks a rule.
    pub fn bad_header(&mut self, id: BlockId, bytes: &Arc<[u8]>) {
        self.bad_headers.entry(id).or_default().push(Arc::clone(bytes));
    }

    /// An honest node found a header in order.
    pub fn header_seen(&mut self, node: usize, block: &[u8]) {
        let Ok(header) = SignedBlockHeader::from_prefix(block) else { return };
        let (producer, slot) = (header.header.producer, header.header.timestamp);
        if self.twice.contains(&(producer, slot)) {
            self.headers.entry((node, producer, slot)).or_default().insert(header.header.id());
        }
    }

    /// An honest node sends a block, one of its own producer or another's.
    pub fn block_leaves(&mut self, node: usize, own: Option<Name>, id: BlockId, block: &[u8]) {
        if self.bad_headers.get(&id).is_some_and(|bad| bad.iter().any(|bytes| **bytes == *block)) {
            self.fail(format!("node {node} passes on block {id}, whose signature is false"));
        }
        let Ok(header) = SignedBlockHeader::from_prefix(block) else { return };
        let header = header.header;
        if own != Some(header.producer) {
            return;
        }
        let first = *self.signed.entry((header.producer, header.timestamp)).or_insert(id);
        if first != id {
            self.fail(format!("{} signs {first} and {id} for one slot", header.producer));
        }
    }

    /// An honest producer made a block: it confirms nothing that it confirmed before, on whatever branch.
    pub fn made(&mut self, block: &[u8]) {
        let Ok(header) = SignedBlockHeader::from_prefix(block) else { return };
        let header = header.header;
        let num = header.block_num();
        let highest = self.highest.entry(header.producer).or_default();
        let before = std::mem::replace(highest, num.max(*highest));
        if header.confirmed > 0 && num - u32::from(header.confirmed) <= before {
            self.fail(format!(
                "{} confirms {} blocks before {num}, and signed block {before} already",
                header.producer, header.confirmed
            ));
        }
    }

    /// A producer lost what it had not synced: that never left it.
    pub fn lost(&mut self, producer: Name, highest: u32) {
        self.highest.insert(producer, highest);
    }

    /// A transaction ran at a node.
    pub fn accepted(&mut self, node: usize, id: TransactionId) {
        self.accepted.entry(id).or_default().entry(node).or_insert(self.now);
    }

    /// Where a transaction ran, and when it first did.
    pub fn accepted_at(&self, id: &TransactionId) -> impl Iterator<Item = (usize, TimePoint)> {
        self.accepted.get(id).into_iter().flatten().map(|(node, at)| (*node, *at))
    }

    /// A run of a node ended, and what waited in it went with it.
    pub fn run_ended(&mut self, node: usize) {
        self.headers.retain(|(at, ..), _| *at != node);
        self.accepted.values_mut().for_each(|nodes| nodes.retain(|at, _| *at != node));
    }

    /// Every slot of which a node found two headers in order is in its list of double signs.
    pub fn check_double_signs(&mut self, node: usize, found: &BTreeSet<(Name, BlockTimestamp)>) {
        let missing = self
            .headers
            .iter()
            .find(|((at, producer, slot), ids)| *at == node && ids.len() > 1 && !found.contains(&(*producer, *slot)));
        if let Some(((_, producer, slot), _)) = missing {
            self.fail(format!("node {node} saw two blocks of {producer} for slot {} and does not say so", slot.0));
        }
        self.seen.double_signs += found.len() as u64;
    }

    /// The transactions of a chain, each of which is in it once.
    pub fn transactions_of<'a>(&mut self, blocks: impl Iterator<Item = &'a Arc<[u8]>>) -> BTreeSet<TransactionId> {
        let mut found = BTreeSet::new();
        for bytes in blocks {
            let block = SignedBlock::from_bytes(bytes).expect("it was accepted");
            for receipt in &block.transactions {
                let ReceiptTransaction::Packed(packed) = &receipt.trx else { continue };
                let id = packed.transaction().expect("it ran").id();
                if !found.insert(id) {
                    self.fail(format!("transaction {id} is in two blocks"));
                }
            }
        }
        found
    }
}
