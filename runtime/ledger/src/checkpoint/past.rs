//! The rows that reversible blocks changed, as they were before those blocks.
//!
//! The journal is walked from its newest entry towards its oldest: each entry says what a row was before, so after the
//! entries of a block the last word on a row is the state before that block.

use primitives::{Name, TimePointSec, TransactionId};
use rustc_hash::FxHashMap;
use statedb::RowUndo;

use super::{AccountInfoImage, Image, RowKey, Single};
use crate::code::CodeKey;
use crate::dedup::{CHUNK_IDS, chunk_of};
use crate::secondary::{SecondaryKey, SecondaryUndo};
use crate::undo::Undo;
use crate::{AccountId, AccountMetadata, CodeId, Ledger, PermissionId, Usage};

pub(super) struct Past<'a> {
    ledger: &'a Ledger,
    /// Rows that differ from now, each with the number of blocks walked when it was last touched.
    images: FxHashMap<RowKey, (Image<'a>, u32)>,
    /// Blocks walked, and the rows that the latest of them changed.
    blocks: u32,
    touched: Vec<RowKey>,
    /// Ids of transactions by second of expiration, where they differ from now.
    buckets: FxHashMap<TimePointSec, &'a [(u64, TransactionId)]>,
    /// Handles whose owner changed, with the owner of then.
    codes: FxHashMap<CodeId, CodeKey>,
    permissions: FxHashMap<PermissionId, Name>,
    /// Number of accounts of then.
    accounts: u32,
}

impl<'a> Past<'a> {
    /// The ledger as it is now.
    pub fn new(ledger: &'a Ledger) -> Self {
        Self {
            ledger,
            images: FxHashMap::default(),
            blocks: 0,
            touched: Vec::new(),
            buckets: FxHashMap::default(),
            codes: FxHashMap::default(),
            permissions: FxHashMap::default(),
            accounts: ledger.account_count() as u32,
        }
    }

    /// Goes back over a block's entries, newest first; returns the keys of the rows that it changed, in no order.
    pub fn step_block(&mut self, entries: impl Iterator<Item = &'a Undo>) -> Vec<RowKey> {
        self.blocks += 1;
        entries.for_each(|entry| self.step(entry));
        std::mem::take(&mut self.touched)
    }

    pub fn ledger(&self) -> &'a Ledger {
        self.ledger
    }

    /// A row's packed value as of then.
    pub fn row(&self, key: RowKey) -> Option<Vec<u8>> {
        match self.images.get(&key) {
            Some((image, _)) => image.pack(self),
            None => self.ledger.present(key).pack(self),
        }
    }

    pub fn permission_then(&self, id: PermissionId) -> Option<Name> {
        self.permissions.get(&id).copied()
    }

    pub fn code_then(&self, id: CodeId) -> Option<CodeKey> {
        self.codes.get(&id).copied()
    }

    fn set(&mut self, key: RowKey, image: Image<'a>) {
        let before = self.images.insert(key, (image, self.blocks));
        if before.is_none_or(|(_, block)| block != self.blocks) {
            self.touched.push(key);
        }
    }

    fn set_row<K, V>(&mut self, key: RowKey, undo: &'a RowUndo<K, V>, image: impl FnOnce(&'a V) -> Image<'a>) {
        self.set(key, undo.old.as_ref().map_or(Image::Absent, image));
    }

    /// The image of a row that an entry changes in part.
    fn image(&mut self, key: RowKey) -> &mut Image<'a> {
        let (image, block) = self.images.entry(key).or_insert_with(|| (self.ledger.present(key), 0));
        if *block != self.blocks {
            *block = self.blocks;
            self.touched.push(key);
        }
        image
    }

    fn hot(&mut self, account: AccountId) -> &mut (AccountMetadata, Usage) {
        match self.image(RowKey::AccountHot(account.0)) {
            Image::AccountHot(image) => image,
            _ => unreachable!("an account that changes exists"),
        }
    }

    fn info(&mut self, account: AccountId) -> &mut AccountInfoImage<'a> {
        match self.image(RowKey::AccountInfo(account.0)) {
            Image::AccountInfo(image) => image,
            _ => unreachable!("an account that changes exists"),
        }
    }

    fn step(&mut self, entry: &'a Undo) {
        match entry {
            Undo::AccountCreated
            | Undo::Metadata(..)
            | Undo::RecvSequence(_)
            | Undo::AuthSequence(_)
            | Undo::Abi(..)
            | Undo::RamCorrection(..)
            | Undo::Usage(..)
            | Undo::RamUsage(..)
            | Undo::Limits(..) => self.step_account(entry),
            Undo::PendingUsage { .. }
            | Undo::ResourceState(_)
            | Undo::ResourceConfig(_)
            | Undo::GlobalSequence
            | Undo::GlobalProperty(_)
            | Undo::ProtocolState(_) => self.step_single(entry),
            Undo::CodeCreated(..)
            | Undo::CodeReferences(..)
            | Undo::CodeRemoved(..)
            | Undo::PermissionCreated(..)
            | Undo::PermissionChanged(..)
            | Undo::PermissionUsed(..)
            | Undo::PermissionRemoved(..) => self.step_named(entry),
            Undo::PendingLimits(undo) => {
                self.set_row(RowKey::PendingLimits(undo.key), undo, |old| Image::PendingLimits(*old));
            }
            Undo::BlockSummary(slot, old) => self.set(RowKey::BlockSummary(*slot), Image::BlockSummary(*old)),
            Undo::Link(undo) => self.set_row(RowKey::Link(undo.key), undo, |old| Image::Link(*old)),
            Undo::Generated(undo) => self.set_row(RowKey::Generated(undo.key), undo, Image::Generated),
            Undo::TransactionRecorded(time) => {
                let (_, before) = self.ids(*time).split_last().expect("an id was added");
                self.set_chunk(*time, before, before.len() / CHUNK_IDS);
            }
            Undo::TransactionsExpired(expired) => {
                let (time, bucket) = &**expired;
                (0..bucket.chunks() as usize).for_each(|chunk| self.set_chunk(*time, &bucket.ids, chunk));
            }
            Undo::Rows(rows) => rows.iter().for_each(|row| self.set(row.key, Image::Packed(&row.old))),
            Undo::TableCreated(_, order) => self.set(RowKey::Table(*order), Image::Absent),
            Undo::TableRemoved(table) => {
                self.set(RowKey::Table(table.order), Image::Table(table.key, table.payer));
            }
            Undo::RowInserted(_, table, primary) => self.set(RowKey::Row(*table, *primary), Image::Absent),
            Undo::RowUpdated { table, primary, payer, value, .. } => {
                self.set(RowKey::Row(*table, *primary), Image::Row(*payer, value));
            }
            Undo::RowRemoved(table, row) => {
                self.set(RowKey::Row(*table, row.primary), Image::Row(row.payer, row.value()));
            }
            Undo::Index64(undo) => self.step_secondary(undo),
            Undo::Index128(undo) => self.step_secondary(undo),
            Undo::Index256(undo) => self.step_secondary(undo),
            Undo::IndexDouble(undo) => self.step_secondary(undo),
            Undo::IndexLongDouble(undo) => self.step_secondary(undo),
        }
    }

    /// The ids that expire in a second.
    fn ids(&self, time: TimePointSec) -> &'a [(u64, TransactionId)] {
        let present = || self.ledger.dedup.buckets.get(&time).map_or(&[][..], |bucket| &bucket.ids);
        self.buckets.get(&time).copied().unwrap_or_else(present)
    }

    /// One chunk of the ids that expire in a second changed; these are all of them.
    fn set_chunk(&mut self, time: TimePointSec, ids: &'a [(u64, TransactionId)], chunk: usize) {
        self.buckets.insert(time, ids);
        let chunk = chunk as u32;
        self.set(RowKey::Transactions(time, chunk), chunk_of(ids, chunk).map_or(Image::Absent, Image::Transactions));
    }

    fn step_account(&mut self, entry: &'a Undo) {
        match entry {
            Undo::AccountCreated => {
                self.accounts -= 1;
                self.set(RowKey::AccountInfo(self.accounts), Image::Absent);
                self.set(RowKey::AccountHot(self.accounts), Image::Absent);
            }
            Undo::Metadata(account, old) => self.hot(*account).0.clone_from(old),
            Undo::RecvSequence(account) => self.hot(*account).0.recv_sequence -= 1,
            Undo::AuthSequence(account) => self.hot(*account).0.auth_sequence -= 1,
            Undo::Usage(account, net, cpu) => {
                let usage = &mut self.hot(*account).1;
                (usage.net, usage.cpu) = (*net, *cpu);
            }
            Undo::RamUsage(account, old) => self.hot(*account).1.ram = *old,
            Undo::Abi(account, old) => self.info(*account).abi = old,
            Undo::RamCorrection(account, correction, order, _) => {
                let info = self.info(*account);
                (info.ram_correction, info.ram_correction_order) = (*correction, *order);
            }
            Undo::Limits(account, old) => self.info(*account).limits = *old,
            _ => unreachable!("only entries of accounts come here"),
        }
    }

    fn step_single(&mut self, entry: &'a Undo) {
        match entry {
            Undo::GlobalProperty(old) => self.set(RowKey::Single(Single::Global), Image::Global(old)),
            Undo::ProtocolState(old) => self.set(RowKey::Single(Single::Protocol), Image::Protocol(old)),
            Undo::ResourceConfig(old) => self.set(RowKey::Single(Single::ResourceConfig), Image::ResourceConfig(old)),
            Undo::ResourceState(old) => self.set(RowKey::Single(Single::ResourceState), Image::ResourceState(**old)),
            Undo::PendingUsage { cpu, net } => {
                let Image::ResourceState(state) = self.image(RowKey::Single(Single::ResourceState)) else {
                    unreachable!("the state always exists")
                };
                (state.pending_cpu_usage, state.pending_net_usage) = (*cpu, *net);
            }
            Undo::GlobalSequence => {
                let Image::Dynamic(sequence) = self.image(RowKey::Single(Single::Dynamic)) else {
                    unreachable!("the sequence always exists")
                };
                *sequence -= 1;
            }
            _ => unreachable!("only entries of single rows come here"),
        }
    }

    fn step_named(&mut self, entry: &'a Undo) {
        match entry {
            Undo::CodeCreated(_, key) => self.set(RowKey::Code(*key), Image::Absent),
            Undo::CodeReferences(_, key, old) => {
                let Image::Code(_, count) = self.image(RowKey::Code(*key)) else {
                    unreachable!("code whose users change exists")
                };
                *count = *old;
            }
            Undo::CodeRemoved(id, code) => {
                self.codes.insert(*id, code.key());
                self.set(RowKey::Code(code.key()), Image::Code(code, code.code_ref_count));
            }
            Undo::PermissionCreated(_, owner, name) => self.set(RowKey::Permission(*owner, *name), Image::Absent),
            Undo::PermissionChanged(_, (owner, name), old) => {
                let (auth, last_updated) = self.permission(*owner, *name);
                (*auth, *last_updated) = (&old.0, old.1);
            }
            Undo::PermissionUsed(_, (owner, name), old) => {
                let Image::Permission { last_used, .. } = self.image(RowKey::Permission(*owner, *name)) else {
                    unreachable!("a permission that is used exists")
                };
                *last_used = *old;
            }
            Undo::PermissionRemoved(id, row) => {
                self.permissions.insert(*id, row.name);
                let (last_updated, last_used) = (row.last_updated, row.last_used);
                let image = Image::Permission { row, auth: &row.auth, last_updated, last_used };
                self.set(RowKey::Permission(row.owner, row.name), image);
            }
            _ => unreachable!("only entries of code and permissions come here"),
        }
    }

    fn permission(&mut self, owner: Name, name: Name) -> (&mut &'a primitives::Authority, &mut primitives::TimePoint) {
        match self.image(RowKey::Permission(owner, name)) {
            Image::Permission { auth, last_updated, .. } => (auth, last_updated),
            _ => unreachable!("a permission that changes exists"),
        }
    }

    fn step_secondary<K: SecondaryKey>(&mut self, undo: &'a SecondaryUndo<K>) {
        match undo {
            SecondaryUndo::Inserted(_, table, primary) => {
                self.set(RowKey::Secondary(K::KIND, *table, *primary), Image::Absent);
            }
            SecondaryUndo::Updated(_, table, primary, payer, key) => {
                self.set(RowKey::Secondary(K::KIND, *table, *primary), Image::Secondary(*payer, key.to_bytes()));
            }
            SecondaryUndo::Removed(table, row) => {
                let image = Image::Secondary(row.payer, row.secondary.to_bytes());
                self.set(RowKey::Secondary(K::KIND, *table, row.primary), image);
            }
        }
    }
}
