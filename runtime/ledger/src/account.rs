//! Accounts: interned names, sequences, code and ABI. Accounts are never removed, so their dense index is the order of
//! creation, which is nodeos' order in snapshots.

mod checkpoint;
mod deltas;
mod snapshot;

use primitives::{BlockTimestamp, Bytes, Checksum256, Name, TimePoint};
use rustc_hash::FxHashMap;
use statedb::{Rows, Stamp};

use crate::keys::{AccountId, CodeId};
use crate::undo::seen::Seen;
use crate::{Ledger, Limits, Usage};

pub(crate) use checkpoint::{AccountHotKey, AccountInfoKey, AccountsLoading};
pub(crate) use deltas::{InfoDelta, MetadataDelta};
pub(crate) use snapshot::{INFO_SECTION, METADATA_SECTION, RAM_CORRECTION_SECTION, each_account};

/// `account_metadata_object`: what execution touches all the time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountMetadata {
    /// Actions received.
    pub recv_sequence: u64,
    /// Actions authorised.
    pub auth_sequence: u64,
    /// Code changes.
    pub code_sequence: u64,
    /// ABI changes.
    pub abi_sequence: u64,
    /// The contract, if there is one.
    pub code: Option<CodeId>,
    /// Time of the last code change.
    pub last_code_update: TimePoint,
    /// Bit 0: privileged.
    pub flags: u32,
    /// Kind of the code (0: WASM).
    pub vm_type: u8,
    /// Version of the kind.
    pub vm_version: u8,
}

const PRIVILEGED: u32 = 1;

impl AccountMetadata {
    /// Whether the account may call privileged host functions.
    pub fn is_privileged(&self) -> bool {
        self.flags & PRIVILEGED != 0
    }
}

/// `account_object`: what is seldom needed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountInfo {
    /// The name.
    pub name: Name,
    /// The slot of its creation.
    pub creation_date: BlockTimestamp,
    /// The packed ABI; empty for none.
    pub abi: Bytes,
    /// `account_ram_correction_object`: RAM bytes that REPLACE_DEFERRED will give back.
    pub ram_correction: u64,
    /// Order among the corrections, if there is one.
    pub(crate) ram_correction_order: Option<u64>,
}

/// Columns of the account table.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    pub by_name: FxHashMap<Name, AccountId>,
    pub info: Vec<AccountInfo>,
    pub hot: Vec<HotAccount>,
}

/// What a transaction touches of an account, side by side.
#[derive(Debug, Default)]
pub(crate) struct HotAccount {
    pub metadata: AccountMetadata,
    pub stamp: Stamp,
    pub info_stamp: Stamp,
    pub usage: Usage,
    pub limits: Limits,
    /// Handles of permissions by name.
    pub permissions: Rows<Name>,
}

/// How a change of accounts is undone.
#[derive(Debug)]
pub enum AccountUndo {
    /// The account, the newest, was created.
    Created(AccountId),
    /// Metadata before a change.
    Metadata(AccountId, Box<AccountMetadata>),
    /// One action was received.
    RecvSequence(AccountId),
    /// One action was authorised.
    AuthSequence(AccountId),
    /// The ABI before a change.
    Abi(AccountId, Box<[u8]>),
    /// RAM correction, its order and the next order before a change.
    RamCorrection(AccountId, u64, Option<u64>, u64),
}

impl AccountUndo {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Metadata(_, old) => size_of_val(&**old),
            Self::Abi(_, old) => old.len(),
            Self::Created(_) | Self::RecvSequence(_) | Self::AuthSequence(_) | Self::RamCorrection(..) => 0,
        }
    }

    /// Whether this is still needed, given what earlier entries of the block say: an ABI is kept once.
    pub(crate) fn is_needed(&mut self, seen: &mut impl Seen<AccountInfoKey>) -> bool {
        match self {
            Self::Abi(account, _) => seen.first(AccountInfoKey { account: *account }),
            _ => true,
        }
    }
}

impl Accounts {
    pub fn push(&mut self, info: AccountInfo, metadata: AccountMetadata) -> AccountId {
        let id = AccountId(u32::try_from(self.info.len()).expect("fewer than 2^32 accounts"));
        self.by_name.insert(info.name, id);
        self.info.push(info);
        self.hot.push(HotAccount { metadata, ..HotAccount::default() });
        id
    }

    pub fn pop(&mut self) {
        let info = self.info.pop().expect("an account was created");
        self.by_name.remove(&info.name);
        self.hot.pop();
    }
}

impl Ledger {
    /// The account called `name`.
    #[inline]
    pub fn find_account(&self, name: Name) -> Option<AccountId> {
        self.accounts.by_name.get(&name).copied()
    }

    /// Number of accounts; ids are the numbers below it.
    pub fn account_count(&self) -> usize {
        self.accounts.info.len()
    }

    /// All accounts in the order of creation.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> + use<> {
        (0..self.accounts.info.len() as u32).map(AccountId)
    }

    /// An account's name.
    #[inline]
    pub fn account_name(&self, account: AccountId) -> Name {
        self.accounts.info[account.index()].name
    }

    /// An account's cold part.
    pub fn account_info(&self, account: AccountId) -> &AccountInfo {
        &self.accounts.info[account.index()]
    }

    /// An account's hot part.
    #[inline]
    pub fn account_metadata(&self, account: AccountId) -> &AccountMetadata {
        &self.accounts.hot[account.index()].metadata
    }

    /// The hash of an account's code; zero for none.
    pub fn account_code_hash(&self, account: AccountId) -> Checksum256 {
        self.account_metadata(account).code.map_or_else(Checksum256::default, |code| self.code(code).code_hash)
    }

    /// Creates an account with empty usage and without limits (`create<account_object>`, `create<account_metadata>`,
    /// `initialize_account`). The caller has seen that the name is free and creates the permissions.
    ///
    /// # Panics
    /// When the name is taken.
    pub fn create_account(&mut self, name: Name, creation_date: BlockTimestamp) -> AccountId {
        assert!(!self.accounts.by_name.contains_key(&name), "the name of a new account is free");
        let info = AccountInfo { name, creation_date, ..AccountInfo::default() };
        let account = self.accounts.push(info, AccountMetadata::default());
        self.journal.push(AccountUndo::Created(account).into());
        self.list_account_info(account);
        self.list_account_hot(account);
        account
    }

    /// Counts an action received; returns the new number.
    #[inline]
    pub fn next_recv_sequence(&mut self, account: AccountId) -> u64 {
        self.list_account_hot(account);
        self.journal.push(AccountUndo::RecvSequence(account).into());
        let metadata = &mut self.accounts.hot[account.index()].metadata;
        metadata.recv_sequence += 1;
        metadata.recv_sequence
    }

    /// Counts an action authorised; returns the new number.
    #[inline]
    pub fn next_auth_sequence(&mut self, account: AccountId) -> u64 {
        self.list_account_hot(account);
        self.journal.push(AccountUndo::AuthSequence(account).into());
        let metadata = &mut self.accounts.hot[account.index()].metadata;
        metadata.auth_sequence += 1;
        metadata.auth_sequence
    }

    /// Changes an account's metadata.
    pub fn modify_account_metadata(&mut self, account: AccountId, change: impl FnOnce(&mut AccountMetadata)) {
        self.list_account_hot(account);
        let metadata = &mut self.accounts.hot[account.index()].metadata;
        self.journal.push(AccountUndo::Metadata(account, Box::new(metadata.clone())).into());
        change(metadata);
    }

    /// Makes an account privileged or takes the privilege.
    pub fn set_privileged(&mut self, account: AccountId, privileged: bool) {
        self.modify_account_metadata(account, |metadata| {
            metadata.flags = if privileged { metadata.flags | PRIVILEGED } else { metadata.flags & !PRIVILEGED };
        });
    }

    /// Changes an account's packed ABI. The caller counts `abi_sequence` and bills.
    pub fn set_abi(&mut self, account: AccountId, abi: Bytes) {
        self.list_account_info(account);
        let old = std::mem::replace(&mut self.accounts.info[account.index()].abi, abi);
        self.journal.push(AccountUndo::Abi(account, old.0.into_boxed_slice()).into());
    }

    /// Sets the RAM correction of an account (`account_ram_correction_object`); 0 removes it.
    pub fn set_ram_correction(&mut self, account: AccountId, ram_correction: u64) {
        self.list_account_info(account);
        let info = &mut self.accounts.info[account.index()];
        self.journal.push(
            AccountUndo::RamCorrection(
                account,
                info.ram_correction,
                info.ram_correction_order,
                self.next_ram_correction,
            )
            .into(),
        );
        info.ram_correction = ram_correction;
        if ram_correction == 0 {
            info.ram_correction_order = None;
        } else if info.ram_correction_order.is_none() {
            info.ram_correction_order = Some(self.next_ram_correction);
            self.next_ram_correction += 1;
        }
    }

    /// Accounts with a RAM correction, in the order in which the corrections were created.
    pub fn ram_corrections(&self) -> Vec<AccountId> {
        let mut found: Vec<_> = (self.accounts.info.iter().enumerate())
            .filter_map(|(index, info)| Some((info.ram_correction_order?, AccountId(index as u32))))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, account)| account).collect()
    }

    #[inline]
    pub(crate) fn list_account_hot(&mut self, account: AccountId) {
        if self.epoch.stamp(&mut self.accounts.hot[account.index()].stamp) {
            self.mark_dirty(AccountHotKey { account });
        }
    }

    pub(crate) fn list_account_info(&mut self, account: AccountId) {
        if self.epoch.stamp(&mut self.accounts.hot[account.index()].info_stamp) {
            self.mark_dirty(AccountInfoKey { account });
        }
    }
}

impl Ledger {
    pub(crate) fn undo_account(&mut self, undo: AccountUndo) {
        let accounts = &mut self.accounts;
        match undo {
            AccountUndo::Created(_) => accounts.pop(),
            AccountUndo::Metadata(account, old) => accounts.hot[account.index()].metadata = *old,
            AccountUndo::RecvSequence(account) => accounts.hot[account.index()].metadata.recv_sequence -= 1,
            AccountUndo::AuthSequence(account) => accounts.hot[account.index()].metadata.auth_sequence -= 1,
            AccountUndo::Abi(account, old) => accounts.info[account.index()].abi = Vec::from(old).into(),
            AccountUndo::RamCorrection(account, correction, order, next) => {
                let info = &mut accounts.info[account.index()];
                (info.ram_correction, info.ram_correction_order) = (correction, order);
                self.next_ram_correction = next;
            }
        }
    }
}
