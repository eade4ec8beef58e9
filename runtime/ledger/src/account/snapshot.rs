//! Accounts in snapshots: three sections, two of them with a row for each account in the order of creation.

use codec::{Bytes, Pack, Unpack};
use primitives::{BlockTimestamp, Checksum256, Name, TimePoint};
use std::collections::BTreeMap;

use super::{AccountInfo, AccountMetadata};
use crate::Ledger;
use crate::keys::{AccountId, CodeId};
use crate::snapshot::rows::{Rows, Source, TableSection};
use crate::snapshot::sections::{Result, Section, Sections, SnapshotError};

const INFO: &str = "eosio::chain::account_object";
const METADATA: &str = "eosio::chain::account_metadata_object";
const RAM_CORRECTIONS: &str = "eosio::chain::account_ram_correction_object";

/// Names, times of creation and ABIs.
pub(crate) const INFO_SECTION: TableSection = TableSection { name: INFO, write: write_info, read: read_info };
/// Sequences and code.
pub(crate) const METADATA_SECTION: TableSection =
    TableSection { name: METADATA, write: write_metadata, read: read_metadata };
/// RAM corrections, in the order of their creation.
pub(crate) const RAM_CORRECTION_SECTION: TableSection =
    TableSection { name: RAM_CORRECTIONS, write: write_ram_corrections, read: read_ram_corrections };

fn write_info(source: &Source<'_>, rows: &mut Rows<'_>) {
    for info in &source.ledger.accounts.info {
        rows.add(|out| {
            info.name.pack(out);
            info.creation_date.pack(out);
            info.abi.pack(out);
        });
    }
}

fn read_info(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    sections.get(INFO)?.each(|section, (name, creation_date, abi): (Name, BlockTimestamp, Bytes)| {
        section.ensure(ledger.find_account(name).is_none(), || format!("account {name} is there twice"))?;
        let info = AccountInfo { name, creation_date, abi, ..AccountInfo::default() };
        ledger.accounts.push(info, AccountMetadata::default());
        Ok(())
    })
}

/// Pairs rows of a section with the accounts, which have the same order.
pub(crate) fn each_account<T: Unpack>(
    ledger: &mut Ledger,
    section: Section<'_>,
    mut take: impl FnMut(&mut Ledger, &Section<'_>, AccountId, T) -> Result<()>,
) -> Result<()> {
    let count = ledger.account_count() as u64;
    section.ensure(section.rows == count, || format!("{} rows for {count} accounts", section.rows))?;
    let mut accounts = ledger.accounts();
    section.each(|section, (name, row): (Name, T)| {
        let account = accounts.next().filter(|&account| ledger.account_name(account) == name);
        let Some(account) = account else {
            return section.invalid(format!("{name} is not in the order of accounts"));
        };
        take(ledger, section, account, row)
    })
}

fn write_metadata(source: &Source<'_>, rows: &mut Rows<'_>) {
    for account in source.ledger.accounts() {
        let metadata = source.ledger.account_metadata(account);
        rows.add(|out| {
            source.ledger.account_name(account).pack(out);
            metadata.recv_sequence.pack(out);
            metadata.auth_sequence.pack(out);
            metadata.code_sequence.pack(out);
            metadata.abi_sequence.pack(out);
            source.ledger.account_code_hash(account).pack(out);
            metadata.last_code_update.pack(out);
            metadata.flags.pack(out);
            metadata.vm_type.pack(out);
            metadata.vm_version.pack(out);
        });
    }
}

#[derive(Unpack)]
struct MetadataRow {
    recv_sequence: u64,
    auth_sequence: u64,
    code_sequence: u64,
    abi_sequence: u64,
    code_hash: Checksum256,
    last_code_update: TimePoint,
    flags: u32,
    vm_type: u8,
    vm_version: u8,
}

fn read_metadata(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    let mut users = BTreeMap::<_, u64>::new();
    each_account(ledger, sections.get(METADATA)?, |ledger, section, account, row: MetadataRow| {
        let mut code = None;
        if row.code_hash != Checksum256::default() {
            code = ledger.find_code(row.code_hash, row.vm_type, row.vm_version);
            section.ensure(code.is_some(), || "an account's code is not there".into())?;
            *users.entry(code).or_default() += 1;
        }
        ledger.accounts.hot[account.index()].metadata = AccountMetadata {
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
    })?;
    let counted = ledger
        .codes
        .rows
        .iter()
        .all(|(handle, code)| users.get(&Some(CodeId(handle))).copied().unwrap_or_default() == code.code_ref_count);
    let what = "code has another number of users than it says".into();
    if counted { Ok(()) } else { Err(SnapshotError::Invalid { section: METADATA, what }) }
}

fn write_ram_corrections(source: &Source<'_>, rows: &mut Rows<'_>) {
    for account in source.ledger.ram_corrections() {
        let info = source.ledger.account_info(account);
        rows.pack(&(info.name, info.ram_correction));
    }
}

fn read_ram_corrections(ledger: &mut Ledger, sections: &Sections<'_>) -> Result<()> {
    sections.get(RAM_CORRECTIONS)?.each(|section, (name, ram_correction): (Name, u64)| {
        let Some(account) = ledger.find_account(name) else {
            return section.invalid(format!("no account {name}"));
        };
        let order = ledger.next_ram_correction;
        ledger.next_ram_correction += 1;
        let info = &mut ledger.accounts.info[account.index()];
        section.ensure(info.ram_correction_order.is_none(), || format!("{name} is there twice"))?;
        (info.ram_correction, info.ram_correction_order) = (ram_correction, Some(order));
        Ok(())
    })
}
