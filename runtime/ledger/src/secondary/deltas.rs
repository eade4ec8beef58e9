//! Secondary indexes in deltas: `contract_index64` to `contract_index_long_double`.

use std::marker::PhantomData;

use primitives::Name;

use super::{Float64, Float128, IndexUndo, Key128, Key256, SecondaryKey, SecondaryRow, SecondaryUndo};
use crate::Ledger;
use crate::deltas::rows::{Before, ChangesOf, DeltaTable, write_head};
use crate::keys::TableKey;

/// The table of one kind.
pub(crate) struct IndexDelta<K>(PhantomData<K>);

/// A row that is gone.
pub(crate) struct GoneRow<K> {
    /// Its table's order.
    table: u64,
    primary: u64,
    payer: Name,
    secondary: K,
}

/// nodeos' names of the tables, by kind.
const NAMES: [&str; 5] = [
    "contract_index64",
    "contract_index128",
    "contract_index256",
    "contract_index_double",
    "contract_index_long_double",
];

impl<K: SecondaryKey> DeltaTable for IndexDelta<K> {
    const NAME: &'static str = NAMES[K::KIND as usize];
    /// Its table's order, and its primary key.
    type Key = (u64, u64);
    type Old<'a> = ();
    type Gone<'a> = GoneRow<K>;

    /// Table by table: the order of creation is not kept.
    fn keys(ledger: &Ledger) -> Vec<(u64, u64)> {
        let tables = ledger.contracts.tables_in_order().into_iter();
        let rows = tables.flat_map(|table| {
            let order = ledger.table(table).order;
            ledger.secondaries_by_primary::<K>(table).into_iter().map(move |row| (order, row.primary))
        });
        rows.collect()
    }

    fn write(ledger: &Ledger, (order, primary): (u64, u64), out: &mut Vec<u8>) {
        let table = ledger.contracts.by_order[&order];
        let id = ledger.secondary_find_primary::<K>(table, primary).expect("a row that is there");
        let SecondaryRow { payer, secondary, .. } = ledger.secondary::<K>(id);
        write(ledger.table(table).key, primary, *payer, *secondary, out);
    }

    fn write_gone(ledger: &Ledger, row: &GoneRow<K>, before: &Before, out: &mut Vec<u8>) {
        write(ledger.key_of_table(row.table, before), row.primary, row.payer, row.secondary, out);
    }
}

fn write<K: SecondaryKey>(table: TableKey, primary: u64, payer: Name, secondary: K, out: &mut Vec<u8>) {
    write_head(table, primary, payer, out);
    let begin = out.len();
    secondary.pack(out);
    // nodeos turns the two halves of such a key, so that their highest bytes come first.
    if K::KIND == Key256::KIND {
        out[begin..].chunks_mut(size_of::<u128>()).for_each(<[u8]>::reverse);
    }
}

impl IndexUndo {
    /// Says which row this is of.
    pub(crate) fn tell<'a>(
        &'a self,
        walk: &mut (
                 impl ChangesOf<'a, IndexDelta<u64>>
                 + ChangesOf<'a, IndexDelta<Key128>>
                 + ChangesOf<'a, IndexDelta<Key256>>
                 + ChangesOf<'a, IndexDelta<Float64>>
                 + ChangesOf<'a, IndexDelta<Float128>>
             ),
    ) {
        match self {
            Self::Index64(undo) => tell(undo, walk),
            Self::Index128(undo) => tell(undo, walk),
            Self::Index256(undo) => tell(undo, walk),
            Self::Double(undo) => tell(undo, walk),
            Self::LongDouble(undo) => tell(undo, walk),
        }
    }
}

fn tell<'a, K: SecondaryKey>(undo: &'a SecondaryUndo<K>, walk: &mut impl ChangesOf<'a, IndexDelta<K>>) {
    match undo {
        SecondaryUndo::Inserted(_, order, primary) => walk.created((*order, *primary)),
        SecondaryUndo::Updated(_, table, primary, payer, secondary) => {
            let was = GoneRow { table: *table, primary: *primary, payer: *payer, secondary: *secondary };
            walk.changed_was((*table, *primary), was);
        }
        SecondaryUndo::Removed(table, SecondaryRow { primary, payer, secondary, .. }) => {
            let gone = GoneRow { table: *table, primary: *primary, payer: *payer, secondary: *secondary };
            walk.removed((*table, *primary), gone);
        }
    }
}
