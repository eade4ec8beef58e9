//! The rows that reversible blocks changed, as they were before those blocks.
//!
//! The journal is walked from its newest entry towards its oldest: each entry says what a row was before, so after the
//! entries of a block the last word on a row is the state before that block.

use primitives::{Name, TimePointSec, TransactionId};
use rustc_hash::FxHashMap;
use statedb::RowUndo;

use super::{AccountInfoImage, Image};
use crate::Ledger;
use crate::account::{AccountMetadata, AccountUndo};
use crate::code::CodeUndo;
use crate::contract::ContractUndo;
use crate::dedup::{CHUNK_IDS, DedupUndo, chunk_of};
use crate::global::GlobalUndo;
use crate::keys::{AccountId, CodeId, CodeKey, PermissionId, RowKey, Single};
use crate::permission::PermissionUndo;
use crate::resource::{ResourceUndo, Usage};
use crate::secondary::{IndexUndo, SecondaryKey, SecondaryUndo};
use crate::undo::Undo;

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
            Undo::Account(undo) => self.step_account(undo),
            Undo::Resource(undo) => self.step_resource(undo),
            Undo::Global(undo) => self.step_global(undo),
            Undo::Code(undo) => self.step_code(undo),
            Undo::Permission(undo) => self.step_permission(undo),
            Undo::Link(undo) => self.set_row(RowKey::Link(undo.key), undo, |old| Image::Link(*old)),
            Undo::Contract(undo) => self.step_contract(undo),
            Undo::Index(undo) => match undo {
                IndexUndo::Index64(undo) => self.step_secondary(undo),
                IndexUndo::Index128(undo) => self.step_secondary(undo),
                IndexUndo::Index256(undo) => self.step_secondary(undo),
                IndexUndo::Double(undo) => self.step_secondary(undo),
                IndexUndo::LongDouble(undo) => self.step_secondary(undo),
            },
            Undo::Generated(undo) => self.set_row(RowKey::Generated(undo.key), undo, Image::Generated),
            Undo::Dedup(undo) => self.step_dedup(undo),
            Undo::Rows(rows) => rows.iter().for_each(|row| self.set(row.key, Image::Packed(&row.old))),
        }
    }

    fn step_dedup(&mut self, undo: &'a DedupUndo) {
        match undo {
            DedupUndo::Recorded(time) => {
                let (_, before) = self.ids(*time).split_last().expect("an id was added");
                self.set_chunk(*time, before, before.len() / CHUNK_IDS);
            }
            DedupUndo::Expired(expired) => {
                let (time, bucket) = &**expired;
                (0..bucket.chunks() as usize).for_each(|chunk| self.set_chunk(*time, &bucket.ids, chunk));
            }
        }
    }

    fn step_contract(&mut self, undo: &'a ContractUndo) {
        match undo {
            ContractUndo::TableCreated(_, order) => self.set(RowKey::Table(*order), Image::Absent),
            ContractUndo::TableRemoved(table) => {
                self.set(RowKey::Table(table.order), Image::Table(table.key, table.payer));
            }
            ContractUndo::RowInserted(_, table, primary) => self.set(RowKey::Row(*table, *primary), Image::Absent),
            ContractUndo::RowUpdated { table, primary, payer, value, .. } => {
                self.set(RowKey::Row(*table, *primary), Image::Row(*payer, value));
            }
            ContractUndo::RowRemoved(table, row) => {
                self.set(RowKey::Row(*table, row.primary), Image::Row(row.payer, row.value()));
            }
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

    fn step_account(&mut self, undo: &'a AccountUndo) {
        match undo {
            AccountUndo::Created => {
                self.accounts -= 1;
                self.set(RowKey::AccountInfo(self.accounts), Image::Absent);
                self.set(RowKey::AccountHot(self.accounts), Image::Absent);
            }
            AccountUndo::Metadata(account, old) => self.hot(*account).0.clone_from(old),
            AccountUndo::RecvSequence(account) => self.hot(*account).0.recv_sequence -= 1,
            AccountUndo::AuthSequence(account) => self.hot(*account).0.auth_sequence -= 1,
            AccountUndo::Abi(account, old) => self.info(*account).abi = old,
            AccountUndo::RamCorrection(account, correction, order, _) => {
                let info = self.info(*account);
                (info.ram_correction, info.ram_correction_order) = (*correction, *order);
            }
        }
    }

    fn step_resource(&mut self, undo: &'a ResourceUndo) {
        match undo {
            ResourceUndo::Usage(account, net, cpu) => {
                let usage = &mut self.hot(*account).1;
                (usage.net, usage.cpu) = (*net, *cpu);
            }
            ResourceUndo::Ram(account, old) => self.hot(*account).1.ram = *old,
            ResourceUndo::Limits(account, old) => self.info(*account).limits = *old,
            ResourceUndo::PendingLimits(undo) => {
                self.set_row(RowKey::PendingLimits(undo.key), undo, |old| Image::PendingLimits(*old));
            }
            ResourceUndo::PendingUsage { cpu, net } => {
                let Image::ResourceState(state) = self.image(RowKey::Single(Single::ResourceState)) else {
                    unreachable!("the state always exists")
                };
                (state.pending_cpu_usage, state.pending_net_usage) = (*cpu, *net);
            }
            ResourceUndo::State(old) => self.set(RowKey::Single(Single::ResourceState), Image::ResourceState(**old)),
            ResourceUndo::Config(old) => self.set(RowKey::Single(Single::ResourceConfig), Image::ResourceConfig(old)),
        }
    }

    fn step_global(&mut self, undo: &'a GlobalUndo) {
        match undo {
            GlobalUndo::Property(old) => self.set(RowKey::Single(Single::Global), Image::Global(old)),
            GlobalUndo::Protocol(old) => self.set(RowKey::Single(Single::Protocol), Image::Protocol(old)),
            GlobalUndo::BlockSummary(slot, old) => self.set(RowKey::BlockSummary(*slot), Image::BlockSummary(*old)),
            GlobalUndo::Sequence => {
                let Image::Dynamic(sequence) = self.image(RowKey::Single(Single::Dynamic)) else {
                    unreachable!("the sequence always exists")
                };
                *sequence -= 1;
            }
        }
    }

    fn step_code(&mut self, undo: &'a CodeUndo) {
        match undo {
            CodeUndo::Created(_, key) => self.set(RowKey::Code(*key), Image::Absent),
            CodeUndo::References(_, key, old) => {
                let Image::Code(_, count) = self.image(RowKey::Code(*key)) else {
                    unreachable!("code whose users change exists")
                };
                *count = *old;
            }
            CodeUndo::Removed(id, code) => {
                self.codes.insert(*id, code.key());
                self.set(RowKey::Code(code.key()), Image::Code(code, code.code_ref_count));
            }
        }
    }

    fn step_permission(&mut self, undo: &'a PermissionUndo) {
        match undo {
            PermissionUndo::Created(_, owner, name) => self.set(RowKey::Permission(*owner, *name), Image::Absent),
            PermissionUndo::Changed(_, (owner, name), old) => {
                let (auth, last_updated) = self.permission(*owner, *name);
                (*auth, *last_updated) = (&old.0, old.1);
            }
            PermissionUndo::Used(_, (owner, name), old) => {
                let Image::Permission { last_used, .. } = self.image(RowKey::Permission(*owner, *name)) else {
                    unreachable!("a permission that is used exists")
                };
                *last_used = *old;
            }
            PermissionUndo::Removed(id, row) => {
                self.permissions.insert(*id, row.name);
                let (last_updated, last_used) = (row.last_updated, row.last_used);
                let image = Image::Permission { row, auth: &row.auth, last_updated, last_used };
                self.set(RowKey::Permission(row.owner, row.name), image);
            }
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
