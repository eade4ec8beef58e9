//! Generated transactions: deferred by contracts or delayed by users (`generated_transaction_object`).

use codec::{Bytes, Pack, Unpack};
use primitives::{Name, TimePoint, TransactionId};
use statedb::{Epoch, OrderedTable, RowUndo};
use std::collections::{BTreeMap, BTreeSet};

use crate::Ledger;
use crate::checkpoint::error::{self, ensure, unpack};
use crate::checkpoint::key::row_key;
use crate::checkpoint::row::{CheckpointKey, Handles, RowsBefore};
use crate::deltas::rows::{Before, ChangesOf, DeltaTable, VERSION_0};
use crate::keys::GeneratedId;
use crate::snapshot::rows::TableSection;
use crate::snapshot::sections::{Result, Sections};
use crate::undo::seen::Seen;

/// A transaction that waits, in the order of its snapshot row.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct GeneratedTransaction {
    /// Its id.
    pub trx_id: TransactionId,
    /// The contract that sent it; empty for a delayed input transaction.
    pub sender: Name,
    /// The sender's own number for it.
    pub sender_id: u128,
    /// Who pays for its RAM.
    pub payer: Name,
    /// Not run before.
    pub delay_until: TimePoint,
    /// Not run afterwards.
    pub expiration: TimePoint,
    /// When it was sent.
    pub published: TimePoint,
    /// The packed transaction.
    pub packed_trx: Bytes,
}

/// Rows by order, and the indexes.
#[derive(Debug, Default)]
pub(crate) struct Generated {
    pub rows: OrderedTable<u64, GeneratedTransaction>,
    by_trx_id: BTreeMap<TransactionId, u64>,
    by_sender_id: BTreeMap<(Name, u128), u64>,
    by_expiration: BTreeSet<(TimePoint, u64)>,
    by_delay: BTreeSet<(TimePoint, u64)>,
    pub next: u64,
}

/// A waiting transaction before a change.
#[derive(Debug)]
pub struct GeneratedUndo(Box<RowUndo<u64, GeneratedTransaction>>);

impl GeneratedUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0) + self.0.old.as_ref().map_or(0, |old| old.packed_trx.len())
    }

    /// Drops a transaction that earlier entries of the block have.
    pub(crate) fn is_needed(&mut self, seen: &mut impl Seen<GeneratedKey>) -> bool {
        if !seen.first(GeneratedKey { order: self.0.key })
            && let Some(old) = &mut self.0.old
        {
            old.packed_trx = Bytes::default();
        }
        true
    }
}

impl Generated {
    fn index(&mut self, order: u64, row: &GeneratedTransaction) {
        self.by_trx_id.insert(row.trx_id, order);
        self.by_sender_id.insert((row.sender, row.sender_id), order);
        self.by_expiration.insert((row.expiration, order));
        self.by_delay.insert((row.delay_until, order));
    }

    fn unindex(&mut self, order: u64, row: &GeneratedTransaction) {
        self.by_trx_id.remove(&row.trx_id);
        self.by_sender_id.remove(&(row.sender, row.sender_id));
        self.by_expiration.remove(&(row.expiration, order));
        self.by_delay.remove(&(row.delay_until, order));
    }

    pub fn set(
        &mut self,
        epoch: Epoch,
        order: u64,
        row: GeneratedTransaction,
    ) -> (RowUndo<u64, GeneratedTransaction>, bool) {
        self.index(order, &row);
        self.rows.set(epoch, order, row)
    }

    /// Loads a row; false when an index has it already.
    pub fn load(&mut self, order: u64, row: GeneratedTransaction) -> bool {
        if self.by_trx_id.contains_key(&row.trx_id) || self.by_sender_id.contains_key(&(row.sender, row.sender_id)) {
            return false;
        }
        self.index(order, &row);
        self.rows.load(order, row)
    }

    /// Drops a row without undo and without marking it.
    pub fn unload(&mut self, order: u64) {
        if let Some(now) = self.rows.get(&order).cloned() {
            self.unindex(order, &now);
            self.rows.unload(&order);
        }
    }

    pub fn undo(&mut self, GeneratedUndo(undo): GeneratedUndo) {
        self.unload(undo.key);
        match &undo.old {
            Some(old) => self.index(undo.key, old),
            // Only the creation of a row is undone to nothing.
            None => self.next -= 1,
        }
        self.rows.undo(*undo);
    }
}

impl Ledger {
    pub(crate) fn undo_generated(&mut self, undo: GeneratedUndo) {
        self.generated.undo(undo);
    }

    /// A waiting transaction.
    pub fn generated(&self, id: GeneratedId) -> &GeneratedTransaction {
        self.generated.rows.get(&id.0).expect("the handle is of a waiting transaction")
    }

    /// Number of waiting transactions.
    pub fn generated_count(&self) -> usize {
        self.generated.rows.len()
    }

    /// The waiting transaction with this id.
    pub fn generated_by_trx_id(&self, trx_id: TransactionId) -> Option<GeneratedId> {
        self.generated.by_trx_id.get(&trx_id).copied().map(GeneratedId)
    }

    /// The waiting transaction that a contract knows by its own number.
    pub fn generated_by_sender_id(&self, sender: Name, sender_id: u128) -> Option<GeneratedId> {
        self.generated.by_sender_id.get(&(sender, sender_id)).copied().map(GeneratedId)
    }

    /// Waiting transactions by (delay_until, order of creation).
    pub fn generated_by_delay(&self) -> impl Iterator<Item = GeneratedId> {
        self.generated.by_delay.iter().map(|&(_, order)| GeneratedId(order))
    }

    /// Waiting transactions by (expiration, order of creation).
    pub fn generated_by_expiration(&self) -> impl Iterator<Item = GeneratedId> {
        self.generated.by_expiration.iter().map(|&(_, order)| GeneratedId(order))
    }

    /// Waiting transactions in the order of creation, from a handle on.
    pub fn generated_in_order(&self) -> impl DoubleEndedIterator<Item = (GeneratedId, &GeneratedTransaction)> {
        self.generated.rows.iter().map(|(&order, row)| (GeneratedId(order), row))
    }

    /// Adds a waiting transaction; `None` when its id or its sender's number is taken. The caller bills.
    pub fn create_generated(&mut self, row: GeneratedTransaction) -> Option<GeneratedId> {
        let taken = self.generated.by_trx_id.contains_key(&row.trx_id)
            || self.generated.by_sender_id.contains_key(&(row.sender, row.sender_id));
        if taken {
            return None;
        }
        let order = self.generated.next;
        self.generated.next += 1;
        self.set_generated(order, row);
        Some(GeneratedId(order))
    }

    /// Replaces a waiting transaction, which keeps its place in the order; false when the new id or sender's number is
    /// taken by another one. The caller bills.
    pub fn modify_generated(&mut self, id: GeneratedId, row: GeneratedTransaction) -> bool {
        let free = |found: Option<GeneratedId>| found.is_none_or(|found| found == id);
        if !free(self.generated_by_trx_id(row.trx_id)) || !free(self.generated_by_sender_id(row.sender, row.sender_id))
        {
            return false;
        }
        let old = self.generated(id).clone();
        self.generated.unindex(id.0, &old);
        self.set_generated(id.0, row);
        true
    }

    /// Removes a waiting transaction and returns it. The caller refunds.
    pub fn remove_generated(&mut self, id: GeneratedId) -> GeneratedTransaction {
        let row = self.generated(id).clone();
        self.generated.unindex(id.0, &row);
        let (undo, first) = self.generated.rows.remove(self.epoch, &id.0).expect("the row was just read");
        self.journal.push(GeneratedUndo(Box::new(undo)).into());
        if first {
            self.mark_dirty(GeneratedKey { order: id.0 });
        }
        row
    }

    fn set_generated(&mut self, order: u64, row: GeneratedTransaction) {
        let (undo, first) = self.generated.set(self.epoch, order, row);
        self.journal.push(GeneratedUndo(Box::new(undo)).into());
        if first {
            self.mark_dirty(GeneratedKey { order });
        }
    }
}

const SECTION_NAME: &str = "eosio::chain::generated_transaction_object";

/// Waiting transactions in snapshots, in the order of creation.
pub(crate) const SECTION: TableSection = TableSection {
    name: SECTION_NAME,
    write: |source, rows| source.ledger.generated_in_order().for_each(|(_, row)| rows.pack(row)),
    read: read_section,
};

fn read_section(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    sections.get(SECTION_NAME)?.each(|section, row: GeneratedTransaction| {
        let payer = row.payer;
        section.ensure(ledger.find_account(payer).is_some(), || format!("payer {payer} does not exist"))?;
        let order = ledger.generated.next;
        ledger.generated.next += 1;
        section.ensure(ledger.generated.load(order, row), || "a transaction is there twice".into())
    })
}

row_key! {
    /// A waiting transaction, by its order of creation.
    GeneratedKey { order: u64 }
}

impl CheckpointKey for GeneratedKey {
    type Image<'a> = &'a GeneratedTransaction;

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.generated.rows.iter().map(|(&order, _)| Self { order })
    }

    fn image(self, ledger: &Ledger) -> Option<&GeneratedTransaction> {
        ledger.generated.rows.get(&self.order)
    }

    fn pack(image: &&GeneratedTransaction, _handles: &Handles<'_>) -> Vec<u8> {
        image.to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> error::Result<()> {
        let generated = &mut ledger.generated;
        generated.next = generated.next.max(self.order.saturating_add(1));
        ensure(generated.load(self.order, unpack(value)?), "a generated transaction is there twice")
    }

    fn unload(self, ledger: &mut Ledger, _comes_back: bool) -> error::Result<()> {
        ledger.generated.unload(self.order);
        Ok(())
    }
}

impl GeneratedUndo {
    /// What the row was before this change.
    pub(crate) fn step<'a>(&'a self, then: &mut impl RowsBefore<'a, GeneratedKey>) {
        then.set_row(GeneratedKey { order: self.0.key }, &self.0, |old| old);
    }
}

/// `generated_transaction`.
pub(crate) struct GeneratedDelta;

impl DeltaTable for GeneratedDelta {
    const NAME: &'static str = "generated_transaction";
    /// Its order.
    type Key = u64;
    type Old<'a> = ();
    type Gone<'a> = &'a GeneratedTransaction;

    fn keys(ledger: &Ledger) -> Vec<u64> {
        ledger.generated_in_order().map(|(id, _)| id.0).collect()
    }

    fn write(ledger: &Ledger, order: u64, out: &mut Vec<u8>) {
        write_delta(ledger.generated(GeneratedId(order)), out);
    }

    fn write_gone(_ledger: &Ledger, gone: &&GeneratedTransaction, _before: &Before, out: &mut Vec<u8>) {
        write_delta(gone, out);
    }
}

fn write_delta(row: &GeneratedTransaction, out: &mut Vec<u8>) {
    (VERSION_0, row.sender, row.sender_id, row.payer).pack(out);
    row.trx_id.pack(out);
    row.packed_trx.pack(out);
}

impl GeneratedUndo {
    /// Says which row this is of.
    pub(crate) fn tell<'a>(&'a self, walk: &mut impl ChangesOf<'a, GeneratedDelta>) {
        let RowUndo { key, old, removed } = &*self.0;
        match old {
            None => walk.created(*key),
            Some(old) if *removed => walk.removed(*key, old),
            Some(old) => walk.changed_was(*key, old),
        }
    }
}
