//! From the rows of checkpoints back to a ledger. The rows are the node's own; damage is found, not repaired.

use codec::{Reader, Unpack};
use primitives::Name;
use statedb::{Rows, Stamp};

use super::error::{CheckpointError, Result, damaged, ensure, missing, unpack};
use super::{AccountHotRow, AccountInfoRow, CodeRow, PermissionRow};
use crate::Ledger;
use crate::account::{AccountInfo, AccountMetadata};
use crate::code::Code;
use crate::contract::{Row, Table};
use crate::dedup::CHUNK_IDS;
use crate::keys::{AccountId, PermissionId, RowKey, SINGLES, Single, TableId, TableKey};
use crate::permission::Permission;
use crate::secondary::{Float64, Float128, Key128, Key256, SecondaryKey, SecondaryRow};

/// Makes a ledger of the rows that checkpoints left, the latest of each key, given one after the other in ascending order
/// of keys. The next checkpoint goes on from it.
#[derive(Debug, Default)]
pub struct CheckpointLoader {
    /// Once the first row has come.
    ledger: Option<Ledger>,
    last: Vec<u8>,
    /// Tables with one row that have come.
    singles: usize,
    hot: u32,
    /// The parent of a permission is older, but need not come first by name.
    permissions: Vec<(Name, Name, PermissionRow)>,
    /// How many ids there are is known in the end.
    transactions: Vec<(RowKey, Vec<u8>)>,
    /// Order and handle of the table to which the last row belongs.
    table: Option<(u64, TableId)>,
}

impl CheckpointLoader {
    /// Takes rows that are at hand, in any order.
    ///
    /// # Errors
    /// One is damaged, or there twice.
    pub fn of_rows<K: AsRef<[u8]>, V: AsRef<[u8]>>(rows: impl IntoIterator<Item = (K, V)>) -> Result<Self> {
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by(|left, right| left.0.as_ref().cmp(right.0.as_ref()));
        let mut loader = Self::default();
        rows.iter().try_for_each(|(key, value)| loader.add(key.as_ref(), value.as_ref()))?;
        Ok(loader)
    }

    /// Takes a row.
    ///
    /// # Errors
    /// It is damaged, or does not follow the one before it.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let Some(decoded) = RowKey::decode(key) else {
            return Err(CheckpointError::Key(key.to_owned()));
        };
        ensure(self.last.is_empty() || *self.last < *key, "a key is there twice, or out of its order")?;
        self.last.clear();
        self.last.extend_from_slice(key);
        if let Some(&single) = SINGLES.get(self.singles) {
            if decoded != RowKey::Single(single) {
                return Err(CheckpointError::Missing(single.describe()));
            }
            self.singles += 1;
        }
        let ledger = match &mut self.ledger {
            Some(ledger) => ledger,
            empty => empty.insert(Ledger::empty()),
        };
        match decoded {
            RowKey::AccountHot(index) => {
                ensure(index == self.hot, "accounts are not numbered without gaps")?;
                self.hot += 1;
                ledger.load_row(decoded, value)?;
            }
            RowKey::Permission(owner, name) => self.permissions.push((owner, name, unpack(decoded, value)?)),
            RowKey::Transactions(..) => self.transactions.push((decoded, value.to_owned())),
            // Most of all rows. They are found by their keys when all have come.
            RowKey::Row(order, primary) => {
                let table = match self.table {
                    Some((last, table)) if last == order => table,
                    _ => ledger.table_of_order(order)?,
                };
                self.table = Some((order, table));
                ledger.contracts.rows.insert(contract_row(table, primary, decoded, value)?);
            }
            _ => ledger.load_row(decoded, value)?,
        }
        Ok(())
    }

    /// The ledger. [`Ledger::load_undo`] brings the blocks that can be undone.
    ///
    /// # Errors
    /// Rows are missing, or contradict each other.
    pub fn finish(self) -> Result<Ledger> {
        if let Some(single) = SINGLES.get(self.singles) {
            return Err(CheckpointError::Missing(single.describe()));
        }
        let mut ledger = missing(self.ledger, Single::Global.describe())?;
        ensure(self.hot as usize == ledger.account_count(), "an account has one part only")?;
        ledger.load_permissions(self.permissions)?;
        ledger.dedup.known.reserve(self.transactions.len() * CHUNK_IDS);
        self.transactions.iter().try_for_each(|(key, value)| ledger.load_row(*key, value))?;
        ledger.contracts.index_loaded();
        ledger.checkpointed = true;
        Ok(ledger)
    }
}

impl Ledger {
    pub(super) fn load_row(&mut self, key: RowKey, value: &[u8]) -> Result<()> {
        match key {
            RowKey::Single(single) => self.load_single(single, value),
            RowKey::AccountHot(index) => self.load_hot(index, unpack(key, value)?),
            RowKey::Permission(..) => Err(CheckpointError::Invalid("a permission comes before its parent")),
            RowKey::Code(code) => self.load_code(code, unpack(key, value)?),
            RowKey::AccountInfo(index) => self.load_info(index, unpack(key, value)?),
            RowKey::Link(link) => {
                let row: crate::link::Link = unpack(key, value)?;
                self.next_link_order = self.next_link_order.max(row.order.saturating_add(1));
                ensure(self.links.load(link, row), "a link is there twice")
            }
            RowKey::PendingLimits(name) => {
                ensure(self.find_account(name).is_some(), "limits are of no account")?;
                ensure(self.pending_limits.load(name, unpack(key, value)?), "limits are there twice")
            }
            RowKey::Table(order) => self.load_table(order, unpack(key, value)?),
            RowKey::Row(order, primary) => self.load_contract_row(order, primary, key, value),
            RowKey::Secondary(kind, order, primary) => match kind {
                u64::KIND => self.load_secondary::<u64>(order, primary, unpack(key, value)?),
                Key128::KIND => self.load_secondary::<Key128>(order, primary, unpack(key, value)?),
                Key256::KIND => self.load_secondary::<Key256>(order, primary, unpack(key, value)?),
                Float64::KIND => self.load_secondary::<Float64>(order, primary, unpack(key, value)?),
                Float128::KIND => self.load_secondary::<Float128>(order, primary, unpack(key, value)?),
                _ => Err(CheckpointError::Key(key.encode())),
            },
            RowKey::Generated(order) => {
                self.generated.next = self.generated.next.max(order.saturating_add(1));
                ensure(self.generated.load(order, unpack(key, value)?), "a generated transaction is there twice")
            }
            RowKey::Transactions(time, chunk) => ensure(
                self.dedup.load_chunk(time, chunk, unpack(key, value)?),
                "transactions of a second are incomplete or there twice",
            ),
            RowKey::BlockSummary(slot) => {
                self.block_summaries.0[usize::from(slot)] = unpack(key, value)?;
                Ok(())
            }
        }
    }

    fn load_single(&mut self, single: Single, value: &[u8]) -> Result<()> {
        let key = RowKey::Single(single);
        match single {
            Single::Global => *self.global_property = unpack(key, value)?,
            Single::Protocol => *self.protocol_state = unpack(key, value)?,
            Single::Dynamic => self.global_action_sequence = unpack(key, value)?,
            Single::ResourceConfig => self.resource_config = unpack(key, value)?,
            Single::ResourceState => self.resource_state = unpack(key, value)?,
        }
        Ok(())
    }

    fn load_code(&mut self, (code_hash, vm_type, vm_version): crate::keys::CodeKey, row: CodeRow) -> Result<()> {
        let CodeRow { order, code, code_ref_count, first_block_used } = row;
        self.codes.next_order = self.codes.next_order.max(order.saturating_add(1));
        self.codes.put(Code { order, code_hash, code, code_ref_count, first_block_used, vm_type, vm_version });
        Ok(())
    }

    fn load_info(&mut self, index: u32, row: AccountInfoRow) -> Result<()> {
        ensure(index as usize == self.account_count(), "accounts are not numbered without gaps")?;
        ensure(self.find_account(row.name).is_none(), "an account is there twice")?;
        if let Some(order) = row.ram_correction_order {
            self.next_ram_correction = self.next_ram_correction.max(order.saturating_add(1));
        }
        let info = AccountInfo {
            name: row.name,
            creation_date: row.creation_date,
            abi: row.abi,
            ram_correction: row.ram_correction,
            ram_correction_order: row.ram_correction_order,
        };
        let account = self.accounts.push(info, AccountMetadata::default());
        self.accounts.hot[account.index()].limits = row.limits;
        Ok(())
    }

    fn load_hot(&mut self, index: u32, row: AccountHotRow) -> Result<()> {
        let code = match row.code {
            Some((hash, vm_type, vm_version)) => {
                Some(missing(self.find_code(hash, vm_type, vm_version), "code of an account")?)
            }
            None => None,
        };
        let account = AccountId(index);
        ensure(account.index() < self.account_count(), "an account has one part only")?;
        self.accounts.hot[account.index()].usage = row.usage;
        self.accounts.hot[account.index()].metadata = AccountMetadata {
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

    fn load_permissions(&mut self, mut rows: Vec<(Name, Name, PermissionRow)>) -> Result<()> {
        rows.sort_unstable_by_key(|(_, _, row)| row.order);
        for (owner, name, row) in rows {
            let account = missing(self.find_account(owner), "owner of a permission")?;
            let parent = match row.parent {
                Name(0) => PermissionId::NONE,
                parent => missing(self.permission_of(account, parent), "parent of a permission")?,
            };
            self.permissions.next_order = self.permissions.next_order.max(row.order.saturating_add(1));
            let PermissionRow { order, last_updated, last_used, auth, .. } = row;
            self.put_permission(account, Permission { order, owner, name, parent, last_updated, last_used, auth });
        }
        Ok(())
    }

    fn load_table(&mut self, order: u64, (key, payer): (TableKey, Name)) -> Result<()> {
        ensure(!self.contracts.by_key.contains_key(&key), "a table is there twice")?;
        self.contracts.next_order = self.contracts.next_order.max(order.saturating_add(1));
        self.contracts.put_table(Table { order, key, payer, count: 0, rows: Rows::default(), secondary: None });
        Ok(())
    }

    fn table_of_order(&self, order: u64) -> Result<TableId> {
        missing(self.contracts.by_order.get(&order).copied(), "table of a row")
    }

    fn load_contract_row(&mut self, order: u64, primary: u64, key: RowKey, value: &[u8]) -> Result<()> {
        let table = self.table_of_order(order)?;
        self.contracts.put_row(contract_row(table, primary, key, value)?);
        Ok(())
    }

    fn load_secondary<K: SecondaryKey>(
        &mut self,
        order: u64,
        primary: u64,
        (payer, secondary): (Name, K),
    ) -> Result<()> {
        let table = self.table_of_order(order)?;
        self.put_secondary(SecondaryRow { primary, payer, secondary, table, stamp: Stamp::default() });
        Ok(())
    }
}

fn contract_row(table: TableId, primary: u64, key: RowKey, value: &[u8]) -> Result<Row> {
    let mut input = Reader::new(value);
    let payer = Name::unpack(&mut input).map_err(|cause| damaged(key, cause))?;
    Ok(Row { primary, payer, value: input.rest().into(), table, stamp: Stamp::default() })
}
