//! Reads a snapshot from bytes that may hold anything: every length is bounded by the input, every reference between
//! tables is checked, so that execution can rely on them.

use codec::{Bytes, DecodeError, Reader, Unpack, VarUint32};
use primitives::{Authority, BlockId, BlockTimestamp, Checksum256, Name, TimePoint, TimePointSec, TransactionId};
use statedb::{Rows, Stamp};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{CHAIN_VERSION, END, FORMAT_VERSION, MAGIC, OLDEST_CHAIN_VERSION, older, section};
use crate::account::{AccountInfo, AccountMetadata};
use crate::code::Code;
use crate::config::BLOCK_SUMMARIES;
use crate::contract::{Row, Table};
use crate::ema::Ratio;
use crate::link::Link;
use crate::resource::ElasticLimit;
use crate::secondary::{Float64, Float128, Key128, Key256, SecondaryKey, SecondaryRow};
use crate::{
    AccountId, GeneratedTransaction, Ledger, Limits, LinkKey, Permission, PermissionId, ProtocolState, ResourceConfig,
    ResourceState, TableId, TableKey, Usage,
};

/// Why a snapshot cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is something else.
    #[error("not a snapshot: the magic number is {0:#010x}")]
    Magic(u32),
    /// It is of another version.
    #[error("{what} version {found} cannot be read, only versions {oldest} to {newest}")]
    Version {
        /// Which version.
        what: &'static str,
        /// The one in the file.
        found: u32,
        /// The oldest one that can be read.
        oldest: u32,
        /// The newest one that can be read.
        newest: u32,
    },
    /// A section is not there.
    #[error("the snapshot has no section {0}")]
    Missing(&'static str),
    /// Bytes of a section are not what they should be.
    #[error("snapshot section {section}: {cause}")]
    Decode {
        /// The section.
        section: &'static str,
        /// What is wrong.
        cause: DecodeError,
    },
    /// Rows contradict each other.
    #[error("snapshot section {section}: {what}")]
    Invalid {
        /// The section.
        section: &'static str,
        /// What is wrong.
        what: String,
    },
}

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

/// Rows of one section.
pub(super) struct Section<'a> {
    name: &'static str,
    rows: u64,
    input: Reader<'a>,
}

pub(super) type Result<T> = std::result::Result<T, SnapshotError>;

impl Section<'_> {
    fn invalid<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(SnapshotError::Invalid { section: self.name, what: what.into() })
    }

    fn ensure(&self, condition: bool, what: impl FnOnce() -> String) -> Result<()> {
        if condition { Ok(()) } else { self.invalid(what()) }
    }

    fn value<T: Unpack>(&mut self) -> Result<T> {
        T::unpack(&mut self.input).map_err(|cause| SnapshotError::Decode { section: self.name, cause })
    }

    /// The next row, counted.
    fn row<T: Unpack>(&mut self) -> Result<T> {
        self.ensure(self.rows > 0, || "more rows are needed than there are".into())?;
        self.rows -= 1;
        self.value()
    }

    /// The one row of a section.
    pub(super) fn only<T: Unpack>(mut self) -> Result<T> {
        let row = self.row()?;
        self.finish()?;
        Ok(row)
    }

    fn finish(self) -> Result<()> {
        self.ensure(self.rows == 0, || format!("{} rows are left over", self.rows))?;
        let section = self.name;
        self.input.finish().map_err(|cause| SnapshotError::Decode { section, cause })
    }

    /// Reads all rows.
    fn each<T: Unpack>(mut self, mut take: impl FnMut(&Self, T) -> Result<()>) -> Result<()> {
        while self.rows > 0 {
            let row = self.row()?;
            take(&self, row)?;
        }
        self.finish()
    }
}

/// The sections of a file by name; of two with one name the first counts, as in nodeos.
pub(super) struct Sections<'a>(BTreeMap<&'a [u8], (u64, &'a [u8])>);

impl<'a> Sections<'a> {
    fn find(bytes: &'a [u8]) -> Result<Self> {
        let decode = |cause| SnapshotError::Decode { section: "(file)", cause };
        let mut input = Reader::new(bytes);
        let magic = u32::unpack(&mut input).map_err(decode)?;
        if magic != MAGIC {
            return Err(SnapshotError::Magic(magic));
        }
        version("snapshot format", u32::unpack(&mut input).map_err(decode)?, FORMAT_VERSION..=FORMAT_VERSION)?;
        let mut found = BTreeMap::new();
        loop {
            let size = u64::unpack(&mut input).map_err(decode)?;
            if size == END {
                return Ok(Self(found));
            }
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let mut section = Reader::new(input.take(size).map_err(decode)?);
            let rows = u64::unpack(&mut section).map_err(decode)?;
            let rest = section.rest();
            let end = rest.iter().position(|&byte| byte == 0);
            let end = end.ok_or(decode(DecodeError::Invalid("a section's name does not end")))?;
            found.entry(&rest[..end]).or_insert((rows, &rest[end + 1..]));
        }
    }

    pub(super) fn get(&self, name: &'static str) -> Result<Section<'a>> {
        let &(rows, bytes) = self.0.get(name.as_bytes()).ok_or(SnapshotError::Missing(name))?;
        Ok(Section { name, rows, input: Reader::new(bytes) })
    }
}

fn version(what: &'static str, found: u32, known: RangeInclusive<u32>) -> Result<u32> {
    let (&oldest, &newest) = (known.start(), known.end());
    if known.contains(&found) { Ok(found) } else { Err(SnapshotError::Version { what, found, oldest, newest }) }
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
        let Some(account) = account else { return section.invalid(format!("{name} is not in the order of accounts")) };
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
        let Some(account) = ledger.find_account(name) else { return section.invalid(format!("no account {name}")) };
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
        let Some(account) = ledger.find_account(owner) else { return section.invalid(format!("no account {owner}")) };
        section.ensure(ledger.permission_of(account, name).is_none(), || format!("{owner}@{name} is there twice"))?;
        let mut parent = PermissionId::NONE;
        if row.parent != Name(0) {
            let found = ledger.permission_of(account, row.parent);
            let Some(found) = found else { return section.invalid(format!("no parent of {owner}@{name}")) };
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
