//! Rows of secondary indexes in checkpoints, all kinds in one key.

use primitives::Name;
use statedb::Stamp;

use super::{Float64, Float128, IndexUndo, Key128, Key256, SecondaryKey, SecondaryRow, SecondaryUndo};
use crate::Ledger;
use crate::checkpoint::error::{CheckpointError, Result, missing, unpack};
use crate::checkpoint::key::row_key;
use crate::checkpoint::row::{CheckpointKey, Handles, RowsBefore};
use crate::keys::SecondaryId;

row_key! {
    /// A row of an index of the table with this order.
    IndexRowKey { kind: u8, table: u64, primary: u64 }
}

/// Calls a method of [`IndexRowKey`] for the type of its kind.
macro_rules! of_kind {
    ($key:ident.$method:ident($($argument:expr),*), $unknown:expr) => {
        match $key.kind {
            u64::KIND => $key.$method::<u64>($($argument),*),
            Key128::KIND => $key.$method::<Key128>($($argument),*),
            Key256::KIND => $key.$method::<Key256>($($argument),*),
            Float64::KIND => $key.$method::<Float64>($($argument),*),
            Float128::KIND => $key.$method::<Float128>($($argument),*),
            _ => $unknown,
        }
    };
}

impl CheckpointKey for IndexRowKey {
    /// Who paid for it, and its packed key.
    type Image<'a> = (Name, Vec<u8>);

    fn all(ledger: &Ledger) -> impl Iterator<Item = Self> {
        ledger.contracts.tables.iter().flat_map(|(_, table)| {
            let keys = table.secondary.as_deref().into_iter().flat_map(|rows| rows.primary_keys());
            keys.map(|(kind, primary)| Self { kind, table: table.order, primary })
        })
    }

    fn image(self, ledger: &Ledger) -> Option<(Name, Vec<u8>)> {
        of_kind!(self.image_of(ledger), None)
    }

    fn pack((payer, key): &(Name, Vec<u8>), _handles: &Handles<'_>) -> Vec<u8> {
        [&payer.0.to_le_bytes(), key.as_slice()].concat()
    }

    fn load(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        of_kind!(self.load_of(ledger, value), Err(CheckpointError::Key(Vec::new())))
    }

    fn unload(self, ledger: &mut Ledger, _comes_back: bool) -> Result<()> {
        of_kind!(self.unload_of(ledger), Err(CheckpointError::Key(Vec::new())))
    }
}

impl IndexRowKey {
    fn find<K: SecondaryKey>(self, ledger: &Ledger) -> Option<SecondaryId> {
        let table = *ledger.contracts.by_order.get(&self.table)?;
        ledger.secondary_find_primary::<K>(table, self.primary)
    }

    fn image_of<K: SecondaryKey>(self, ledger: &Ledger) -> Option<(Name, Vec<u8>)> {
        let row = ledger.secondary::<K>(self.find::<K>(ledger)?);
        Some((row.payer, row.secondary.to_bytes()))
    }

    fn load_of<K: SecondaryKey>(self, ledger: &mut Ledger, value: &[u8]) -> Result<()> {
        let (payer, secondary) = unpack::<(Name, K)>(value)?;
        let table = missing(ledger.contracts.by_order.get(&self.table).copied(), "table of a row")?;
        let primary = self.primary;
        ledger.put_secondary(SecondaryRow { primary, payer, secondary, table, stamp: Stamp::default() });
        Ok(())
    }

    fn unload_of<K: SecondaryKey>(self, ledger: &mut Ledger) -> Result<()> {
        if let Some(row) = self.find::<K>(ledger) {
            ledger.take_secondary::<K>(row);
        }
        Ok(())
    }
}

impl IndexUndo {
    /// What the rows were before this change.
    pub(crate) fn step<'a>(&'a self, then: &mut impl RowsBefore<'a, IndexRowKey>) {
        match self {
            Self::Index64(undo) => undo.step(then),
            Self::Index128(undo) => undo.step(then),
            Self::Index256(undo) => undo.step(then),
            Self::Double(undo) => undo.step(then),
            Self::LongDouble(undo) => undo.step(then),
        }
    }
}

impl<K: SecondaryKey> SecondaryUndo<K> {
    fn step<'a>(&'a self, then: &mut impl RowsBefore<'a, IndexRowKey>) {
        let key = |table: u64, primary| IndexRowKey { kind: K::KIND, table, primary };
        match self {
            Self::Inserted(_, table, primary) => then.set(key(*table, *primary), None),
            Self::Updated(_, table, primary, payer, secondary) => {
                then.set(key(*table, *primary), Some((*payer, secondary.to_bytes())));
            }
            Self::Removed(table, row) => {
                then.set(key(*table, row.primary), Some((row.payer, row.secondary.to_bytes())));
            }
        }
    }
}
