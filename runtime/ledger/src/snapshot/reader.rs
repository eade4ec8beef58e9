//! Reads a snapshot from bytes that may hold anything: every length is bounded by the input, every reference between
//! tables is checked, so that execution can rely on them.

use codec::{Bytes, Unpack, VarUint32};
use primitives::{Authority, BlockId, BlockTimestamp, Checksum256, Name, TimePoint, TimePointSec, TransactionId};
use statedb::{Rows, Stamp};
use std::collections::BTreeMap;

use super::format::{CHAIN_VERSION, OLDEST_CHAIN_VERSION, section};
use super::older;
use super::sections::{Result, Section, Sections, SnapshotError, version};
use crate::account::{AccountInfo, AccountMetadata};
use crate::code::Code;
use crate::config::BLOCK_SUMMARIES;
use crate::contract::{Row, Table};
use crate::ema::Ratio;
use crate::keys::{AccountId, LinkKey, PermissionId, TableId, TableKey};
use crate::link::Link;
use crate::resource::ElasticLimit;
use crate::secondary::{Float64, Float128, Key128, Key256, SecondaryKey, SecondaryRow};
use crate::{GeneratedTransaction, Ledger, Limits, Permission, ProtocolState, ResourceConfig, ResourceState, Usage};

/// A snapshot's contents.
#[derive(Debug)]
pub struct Snapshot {
    /// The packed `block_header_state` of the head.
    pub head_state: Vec<u8>,
    /// It is in the form of version 2, which has one key for each producer.
    pub head_is_legacy: bool,
    /// The state after the head. Nothing of it can be undone.
    pub ledger: Ledger,
}

impl Snapshot {
    /// Reads a whole snapshot.
    ///
    /// # Errors
    /// What is wrong with it, and in which section.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let sections = Sections::find(bytes)?;
        let found = sections.get(section::HEADER)?.only()?;
        let version = version("chain snapshot", found, OLDEST_CHAIN_VERSION..=CHAIN_VERSION)?;
        let head = sections.get(section::HEAD)?;
        head.ensure(head.rows == 1, || "there is not exactly one head".into())?;
        let head_state = head.input.rest().to_vec();

        let mut ledger = Ledger::empty(older::read_global(&sections, version)?);
        *ledger.protocol_state = sections.get(section::PROTOCOL)?.only::<ProtocolState>()?;
        ledger.global_action_sequence = sections.get(section::DYNAMIC)?.only()?;
        read_codes(&mut ledger, sections.get(section::CODE)?)?;
        read_accounts(&mut ledger, sections.get(section::ACCOUNT)?)?;
        read_metadata(&mut ledger, sections.get(section::METADATA)?)?;
        read_ram_corrections(&mut ledger, sections.get(section::RAM_CORRECTION)?)?;
        read_transactions(&mut ledger, sections.get(section::TRANSACTION)?)?;
        read_generated(&mut ledger, sections.get(section::GENERATED)?)?;
        read_contract_tables(&mut ledger, sections.get(section::CONTRACT)?)?;
        read_permissions(&mut ledger, sections.get(section::PERMISSION)?)?;
        read_links(&mut ledger, sections.get(section::LINK)?)?;
        read_limits(&mut ledger, sections.get(section::LIMITS)?)?;
        read_usages(&mut ledger, sections.get(section::USAGE)?)?;
        ledger.resource_state = sections.get(section::STATE)?.only::<ResourceState>()?;
        ledger.resource_config = read_config(sections.get(section::CONFIG)?)?;
        read_block_summaries(&mut ledger, sections.get(section::BLOCK_SUMMARY)?)?;
        Ok(Self { head_state, head_is_legacy: version <= older::LAST_LEGACY, ledger })
    }
}

fn read_accounts(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    section.each(|section, (name, creation_date, abi): (Name, BlockTimestamp, Bytes)| {
        section.ensure(ledger.find_account(name).is_none(), || format!("account {name} is there twice"))?;
        let info = AccountInfo { name, creation_date, abi, ..AccountInfo::default() };
        ledger.accounts.push(info, AccountMetadata::default());
        Ok(())
    })
}

/// Pairs rows of a section with the accounts, which have the same order.
fn each_account<T: Unpack>(
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

#[derive(codec::Unpack)]
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

fn read_metadata(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    let mut users = BTreeMap::<_, u64>::new();
    let name = section.name;
    each_account(ledger, section, |ledger, section, account, row: MetadataRow| {
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
    let counted = ledger.codes.rows.iter().all(|(handle, code)| {
        users.get(&Some(crate::CodeId(handle))).copied().unwrap_or_default() == code.code_ref_count
    });
    let what = "code has another number of users than it says".into();
    if counted { Ok(()) } else { Err(SnapshotError::Invalid { section: name, what }) }
}

fn read_ram_corrections(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    section.each(|section, (name, ram_correction): (Name, u64)| {
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

fn read_codes(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    #[derive(codec::Unpack)]
    struct CodeRow {
        code_hash: Checksum256,
        code: Bytes,
        code_ref_count: u64,
        first_block_used: u32,
        vm_type: u8,
        vm_version: u8,
    }
    section.each(|section, row: CodeRow| {
        let CodeRow { code_hash, code, code_ref_count, first_block_used, vm_type, vm_version } = row;
        let twice = ledger.find_code(code_hash, vm_type, vm_version).is_some();
        section.ensure(!twice, || "code is there twice".into())?;
        section.ensure(primitives::Sha256::of(&code) == code_hash, || "code has another hash than it says".into())?;
        let order = ledger.codes.next_order;
        ledger.codes.next_order += 1;
        ledger.codes.put(Code { order, code_hash, code, code_ref_count, first_block_used, vm_type, vm_version });
        Ok(())
    })
}

fn read_block_summaries(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    section.ensure(section.rows == BLOCK_SUMMARIES as u64, || format!("there are not {BLOCK_SUMMARIES} rows"))?;
    let mut slots = 0..;
    section.each(|_, id: BlockId| {
        ledger.block_summaries.0[slots.next().unwrap_or_default()] = id;
        Ok(())
    })
}

fn read_transactions(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    section.each(|section, (expiration, id): (TimePointSec, TransactionId)| {
        section.ensure(ledger.dedup.load(expiration, id), || "a transaction is there twice".into())
    })
}

fn read_generated(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    section.each(|section, row: GeneratedTransaction| {
        let payer = row.payer;
        section.ensure(ledger.find_account(payer).is_some(), || format!("payer {payer} does not exist"))?;
        let order = ledger.generated.next;
        ledger.generated.next += 1;
        section.ensure(ledger.generated.load(order, row), || "a transaction is there twice".into())
    })
}

fn read_contract_tables(ledger: &mut Ledger, mut section: Section<'_>) -> Result<()> {
    while section.rows > 0 {
        let (key, payer, count): (TableKey, Name, u32) = section.row()?;
        let TableKey { code, scope, table } = key;
        section.ensure(ledger.find_table(code, scope, table).is_none(), || format!("{key:?} is there twice"))?;
        section.ensure(ledger.find_account(payer).is_some(), || format!("payer {payer} does not exist"))?;
        let order = ledger.contracts.next_order;
        ledger.contracts.next_order += 1;
        let id =
            ledger.contracts.put_table(Table { order, key, payer, count: 0, rows: Rows::default(), secondary: None });
        read_rows(ledger, id, &mut section)?;
        read_secondary::<u64>(ledger, id, &mut section)?;
        read_secondary::<Key128>(ledger, id, &mut section)?;
        read_secondary::<Key256>(ledger, id, &mut section)?;
        read_secondary::<Float64>(ledger, id, &mut section)?;
        read_secondary::<Float128>(ledger, id, &mut section)?;
        let found = ledger.table(id).count;
        section.ensure(found == count && count > 0, || format!("{key:?} has {found} rows and says {count}"))?;
    }
    section.finish()
}

fn read_rows(ledger: &mut Ledger, table: TableId, section: &mut Section<'_>) -> Result<()> {
    let VarUint32(size) = section.row()?;
    for _ in 0..size {
        let (primary, payer, value): (u64, Name, Bytes) = section.row()?;
        section.ensure(ledger.find_account(payer).is_some(), || format!("payer {payer} does not exist"))?;
        section.ensure(ledger.find_row(table, primary).is_none(), || format!("row {primary} is there twice"))?;
        let value = value.0.as_slice().into();
        ledger.contracts.put_row(Row { primary, payer, value, table, stamp: Stamp::default() });
    }
    Ok(())
}

fn read_secondary<K: SecondaryKey>(ledger: &mut Ledger, table: TableId, section: &mut Section<'_>) -> Result<()> {
    let VarUint32(size) = section.row()?;
    for _ in 0..size {
        let (primary, payer, secondary): (u64, Name, K) = section.row()?;
        section.ensure(ledger.find_account(payer).is_some(), || format!("payer {payer} does not exist"))?;
        let twice = ledger.secondary_find_primary::<K>(table, primary).is_some();
        section.ensure(!twice, || format!("row {primary} of an index is there twice"))?;
        ledger.put_secondary(SecondaryRow { primary, payer, secondary, table, stamp: Stamp::default() });
    }
    Ok(())
}

#[derive(codec::Unpack)]
struct PermissionRow {
    parent: Name,
    owner: Name,
    name: Name,
    last_updated: TimePoint,
    last_used: TimePoint,
    auth: Authority,
}

fn read_permissions(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    let mut reserved = true;
    section.each(|section, row: PermissionRow| {
        if std::mem::take(&mut reserved) {
            let empty = row.parent.0 | row.owner.0 | row.name.0 == 0
                && row.last_updated == TimePoint(0)
                && row.auth == Authority::default();
            return section.ensure(empty, || "the first permission is not the reserved one".into());
        }
        let PermissionRow { owner, name, .. } = row;
        let Some(account) = ledger.find_account(owner) else {
            return section.invalid(format!("no account {owner}"));
        };
        section.ensure(ledger.permission_of(account, name).is_none(), || format!("{owner}@{name} is there twice"))?;
        let mut parent = PermissionId::NONE;
        if row.parent != Name(0) {
            let found = ledger.permission_of(account, row.parent);
            let Some(found) = found else {
                return section.invalid(format!("no parent of {owner}@{name}"));
            };
            parent = found;
        }
        let order = ledger.permissions.next_order;
        ledger.permissions.next_order += 1;
        let (last_updated, last_used, auth) = (row.last_updated, row.last_used, row.auth);
        ledger.put_permission(account, Permission { order, owner, name, parent, last_updated, last_used, auth });
        Ok(())
    })
}

fn read_links(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    section.each(|section, (key, required_permission): (LinkKey, Name)| {
        let order = ledger.next_link_order;
        ledger.next_link_order += 1;
        let free = ledger.links.load(key, Link { order, required_permission });
        section.ensure(free, || format!("{key:?} is there twice"))
    })
}

fn read_limits(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    each_account(ledger, section, |ledger, _, account, row: Limits| {
        ledger.accounts.hot[account.index()].limits = row;
        Ok(())
    })
}

fn read_usages(ledger: &mut Ledger, section: Section<'_>) -> Result<()> {
    each_account(ledger, section, |ledger, _, account, row: Usage| {
        ledger.accounts.hot[account.index()].usage = row;
        Ok(())
    })
}

/// The parameters, none of which may be a zero that is divided by.
fn read_config(section: Section<'_>) -> Result<ResourceConfig> {
    let rate = |ratio: Ratio| ratio.denominator > 0;
    let sound = |limit: &ElasticLimit| limit.periods > 0 && rate(limit.contract_rate) && rate(limit.expand_rate);
    let name = section.name;
    let config = section.only::<ResourceConfig>()?;
    let windows = config.account_cpu_window > 0 && config.account_net_window > 0;
    if windows && sound(&config.cpu) && sound(&config.net) {
        return Ok(config);
    }
    Err(SnapshotError::Invalid { section: name, what: "a divisor is zero".into() })
}
