//! Host functions over contract tables: primary rows and the five kinds of secondary indexes (nodeos:
//! webassembly/database.cpp, apply_context.cpp, `generic_index` of apply_context.hpp). How iterators are numbered is in
//! [`crate::cursors`].

mod primary;
mod secondary;

use ledger::config::TABLE_RAM_BYTES;
use ledger::{TableId, TableKey};
use primitives::{Name, ensure};
use wasm::{F64, F128, Intrinsics, LegacyPtr, LegacySpan};

use crate::fault::Outcome;
use crate::world::World;

/// Adds the functions to the table.
pub fn add(table: &mut Intrinsics<World>) {
    primary::add(table);
    secondary::add::<LegacyPtr<u64>>(table, "database: 64-bit secondary index", &secondary::IDX64);
    secondary::add::<LegacyPtr<u128>>(table, "database: 128-bit secondary index", &secondary::IDX128);
    secondary::add::<LegacySpan<u128>>(table, "database: 256-bit secondary index", &secondary::IDX256);
    secondary::add::<LegacyPtr<F64>>(table, "database: double secondary index", &secondary::IDX_DOUBLE);
    secondary::add::<LegacyPtr<F128>>(table, "database: long double secondary index", &secondary::IDX_LONG_DOUBLE);
}

impl World {
    /// The receiver's table, created and billed when it is not there (`find_or_create_table`).
    fn table_to_store_in(&mut self, scope: Name, table: Name, payer: Name) -> Outcome<TableId> {
        let code = self.action.receiver;
        if let Some(id) = self.ledger.find_table(code, scope, table) {
            return Ok(id);
        }
        self.update_db_usage(payer, TABLE_RAM_BYTES)?;
        Ok(self.ledger.create_table(TableKey { code, scope, table }, payer))
    }

    /// Removes a table that has no row left and refunds its payer.
    fn remove_table_when_empty(&mut self, table: TableId) -> Outcome {
        let header = self.ledger.table(table);
        if header.count == 0 {
            let payer = header.payer;
            self.update_db_usage(payer, -TABLE_RAM_BYTES)?;
            self.ledger.remove_table(table);
        }
        Ok(())
    }

    /// Only a table's own contract changes its rows.
    fn check_own_table(&self, table: TableId) -> Outcome {
        let own = self.ledger.table(table).key.code == self.action.receiver;
        ensure!(own, TABLE_ACCESS_VIOLATION, "db access violation");
        Ok(())
    }

    fn check_writable(&self, verb: &str) -> Outcome {
        let writable = !self.is_read_only();
        ensure!(
            writable,
            TABLE_OPERATION_NOT_PERMITTED,
            "cannot {verb} a db record when executing a readonly transaction"
        );
        Ok(())
    }
}

fn check_payer(payer: Name) -> Outcome {
    ensure!(!payer.is_empty(), INVALID_TABLE_PAYER, "must specify a valid account to pay for new record");
    Ok(())
}
