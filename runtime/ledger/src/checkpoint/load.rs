//! From the rows of checkpoints back to a ledger. The rows are the node's own; damage is found, not repaired.

use super::error::{CheckpointError, Result, ensure, missing};
use crate::Ledger;
use crate::account::AccountsLoading;
use crate::contract::ContractRowsLoading;
use crate::dedup::TransactionsLoading;
use crate::permission::PermissionsLoading;
use crate::tables::{RowKey, SINGLES};

/// Makes a ledger of the rows that checkpoints left, the latest of each key, given one after the other in ascending order
/// of keys. The next checkpoint goes on from it.
#[derive(Debug, Default)]
pub struct CheckpointLoader {
    /// Once the first row has come.
    ledger: Option<Ledger>,
    last: Vec<u8>,
    /// Tables with one row that have come.
    singles: usize,
    accounts: AccountsLoading,
    permissions: PermissionsLoading,
    contract_rows: ContractRowsLoading,
    transactions: TransactionsLoading,
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
        if let Some(&(single, name)) = SINGLES.get(self.singles) {
            if decoded != single {
                return Err(CheckpointError::Missing(name));
            }
            self.singles += 1;
        }
        let ledger = self.ledger.get_or_insert_with(Ledger::empty);
        match decoded {
            RowKey::AccountHot(key) => decoded.name_row(self.accounts.add(ledger, key, value)),
            RowKey::Permission(key) => decoded.name_row(self.permissions.add(key, value)),
            RowKey::Row(key) => decoded.name_row(self.contract_rows.add(ledger, key, value)),
            RowKey::Transactions(key) => {
                self.transactions.add(key, value);
                Ok(())
            }
            _ => decoded.load(ledger, value),
        }
    }

    /// The ledger. [`Ledger::load_undo`] brings the blocks that can be undone.
    ///
    /// # Errors
    /// Rows are missing, or contradict each other.
    pub fn finish(self) -> Result<Ledger> {
        if let Some(&(_, name)) = SINGLES.get(self.singles) {
            return Err(CheckpointError::Missing(name));
        }
        let [(_, first), ..] = SINGLES;
        let mut ledger = missing(self.ledger, first)?;
        self.accounts.finish(&ledger)?;
        self.permissions.finish(&mut ledger)?;
        let transactions = self.transactions.finish(&mut ledger);
        transactions.or_else(|(key, error)| RowKey::from(key).name_row(Err(error)))?;
        self.contract_rows.finish(&mut ledger);
        ledger.checkpointed = true;
        Ok(ledger)
    }
}
