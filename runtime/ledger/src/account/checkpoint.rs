//! Accounts in checkpoints: a cold and a hot row each, by dense index. They carry limits and usage, which lie beside
//! them.

use codec::{Bytes, Pack, Unpack};
use primitives::{BlockTimestamp, Checksum256, Name, TimePoint};

use super::{AccountInfo, AccountMetadata, AccountUndo};
use crate::checkpoint::error::{CheckpointError, Result, ensure, missing, unpack};
use crate::checkpoint::key::row_key;
use crate::checkpoint::row::{CheckpointKey, Handles, RowsBefore};
use crate::keys::AccountId;
use crate::{Ledger, Limits, Usage};

row_key! {
    /// An account's cold part.
    AccountInfoKey { account: AccountId }
}
row_key! {
    /// An account's hot part.
    AccountHotKey { account: AccountId }
}

#[derive(Pack, Unpack)]
struct InfoRow {
    name: Name,
    creation_date: BlockTimestamp,
    abi: Bytes,
    ram_correction: u64,
    ram_correction_order: Option<u64>,
    limits: Limits,
}

/// [`InfoRow`] before it is packed.
pub(crate) struct InfoImage<'a> {
    name: Name,
    creation_date: BlockTimestamp,
    abi: &'a [u8],
    ram_correction: u64,
    ram_correction_order: Option<u64>,
    pub limits: Limits,
}

impl CheckpointKey for AccountInfoKey {
    type Image<'a> = InfoImage<'a>;

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.accounts().map(|account| Self { account })
    }

    fn image(self, ledger: &Ledger) -> Option<InfoImage<'_>> {
        let info = ledger.accounts.info.get(self.account.index())?;
        Some(InfoImage {
            name: info.name,
            creation_date: info.creation_date,
            abi: &info.abi,
            ram_correction: info.ram_correction,
            ram_correction_order: info.ram_correction_order,
            limits: ledger.accounts.hot[self.account.index()].limits,
        })
    }

    fn pack(image: &InfoImage<'_>, _handles: &Handles<'_>) -> Vec<u8> {
        InfoRow {
            name: image.name,
            creation_date: image.creation_date,
            abi: image.abi.into(),
            ram_correction: image.ram_correction,
            ram_correction_order: image.ram_correction_order,
            limits: image.limits,
        }
        .to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        let row: InfoRow = unpack(value)?;
        ensure(self.account.index() == ledger.account_count(), "accounts are not numbered without gaps")?;
        ensure(ledger.find_account(row.name).is_none(), "an account is there twice")?;
        if let Some(order) = row.ram_correction_order {
            ledger.next_ram_correction = ledger.next_ram_correction.max(order.saturating_add(1));
        }
        let info = AccountInfo {
            name: row.name,
            creation_date: row.creation_date,
            abi: row.abi,
            ram_correction: row.ram_correction,
            ram_correction_order: row.ram_correction_order,
        };
        let account = ledger.accounts.push(info, AccountMetadata::default());
        ledger.accounts.hot[account.index()].limits = row.limits;
        Ok(())
    }

    fn unload(self, ledger: &mut Ledger, comes_back: bool) -> Result<()> {
        if !comes_back {
            let hot = missing(ledger.accounts.hot.last(), "account that a block created")?;
            let newest = self.account.index() + 1 == ledger.account_count() && hot.permissions.is_empty();
            ensure(newest, "an account that a block created is not the newest")?;
            ledger.accounts.pop();
        }
        Ok(())
    }

    fn restore(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        let index = self.account.index();
        let Some(info) = ledger.accounts.info.get_mut(index) else {
            return self.load(ledger, value);
        };
        let row: InfoRow = unpack(value)?;
        ensure(info.name == row.name, "an account has another name")?;
        info.abi = row.abi;
        (info.ram_correction, info.ram_correction_order) = (row.ram_correction, row.ram_correction_order);
        ledger.accounts.hot[index].limits = row.limits;
        Ok(())
    }
}

#[derive(Pack, Unpack)]
struct HotRow {
    recv_sequence: u64,
    auth_sequence: u64,
    code_sequence: u64,
    abi_sequence: u64,
    code: Option<(Checksum256, u8, u8)>,
    last_code_update: TimePoint,
    flags: u32,
    vm_type: u8,
    vm_version: u8,
    usage: Usage,
}

/// [`HotRow`] before it is packed.
pub(crate) struct HotImage {
    metadata: AccountMetadata,
    pub usage: Usage,
}

impl CheckpointKey for AccountHotKey {
    type Image<'a> = HotImage;

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.accounts().map(|account| Self { account })
    }

    fn image(self, ledger: &Ledger) -> Option<HotImage> {
        let hot = ledger.accounts.hot.get(self.account.index())?;
        Some(HotImage { metadata: hot.metadata.clone(), usage: hot.usage })
    }

    fn pack(HotImage { metadata, usage }: &HotImage, handles: &Handles<'_>) -> Vec<u8> {
        HotRow {
            recv_sequence: metadata.recv_sequence,
            auth_sequence: metadata.auth_sequence,
            code_sequence: metadata.code_sequence,
            abi_sequence: metadata.abi_sequence,
            code: metadata.code.map(|code| handles.code(code)),
            last_code_update: metadata.last_code_update,
            flags: metadata.flags,
            vm_type: metadata.vm_type,
            vm_version: metadata.vm_version,
            usage: *usage,
        }
        .to_bytes()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        let row: HotRow = unpack(value)?;
        let find = |(hash, vm_type, vm_version)| ledger.find_code(hash, vm_type, vm_version);
        let code = row.code.map(|code| missing(find(code), "code of an account")).transpose()?;
        let hot = ledger.accounts.hot.get_mut(self.account.index());
        let hot = hot.ok_or(CheckpointError::Invalid("an account has one part only"))?;
        hot.usage = row.usage;
        hot.metadata = AccountMetadata {
            recv_sequence: row.recv_sequence,
            auth_sequence: row.auth_sequence,
            code_sequence: row.code_sequence,
            abi_sequence: row.abi_sequence,
            code,
            last_code_update: row.last_code_update,
            flags: row.flags,
            vm_type: row.vm_type,
            vm_version: row.vm_version,
        };
        Ok(())
    }

    /// It goes and comes with the cold part.
    fn unload(self, _ledger: &mut Ledger, _comes_back: bool) -> Result<()> {
        Ok(())
    }
}

/// Sees to it that every account that is loaded has both its rows.
#[derive(Debug, Default)]
pub(crate) struct AccountsLoading {
    hot: usize,
}

impl AccountsLoading {
    /// Loads a hot row, in the order of accounts.
    pub fn add(&mut self, ledger: &mut Ledger, key: AccountHotKey, value: &[u8]) -> Result<()> {
        ensure(key.account.index() == self.hot, "accounts are not numbered without gaps")?;
        self.hot += 1;
        key.load(ledger, value)
    }

    pub fn finish(self, ledger: &Ledger) -> Result<()> {
        ensure(self.hot == ledger.account_count(), "an account has one part only")
    }
}

impl AccountUndo {
    /// What the rows were before this change.
    pub(crate) fn step<'a>(&'a self, then: &mut (impl RowsBefore<'a, AccountInfoKey> + RowsBefore<'a, AccountHotKey>)) {
        match *self {
            Self::Created(account) => {
                then.set(AccountInfoKey { account }, None);
                then.set(AccountHotKey { account }, None);
            }
            Self::Metadata(account, ref old) => {
                then.change(AccountHotKey { account }, |image| image.metadata.clone_from(old));
            }
            Self::RecvSequence(account) => {
                then.change(AccountHotKey { account }, |image| image.metadata.recv_sequence -= 1);
            }
            Self::AuthSequence(account) => {
                then.change(AccountHotKey { account }, |image| image.metadata.auth_sequence -= 1);
            }
            Self::Abi(account, ref old) => then.change(AccountInfoKey { account }, |image| image.abi = old),
            Self::RamCorrection(account, correction, order, _) => then.change(AccountInfoKey { account }, |image| {
                (image.ram_correction, image.ram_correction_order) = (correction, order);
            }),
        }
    }
}
