//! Reading contracts' tables for other endpoints: one row, all rows of a table.

use ledger::Ledger;
use primitives::{Fault, FaultKind, Name, ensure};

use crate::node::Node;

/// The bytes of a row.
pub fn row(ledger: &Ledger, code: Name, scope: Name, table: Name, primary: u64) -> Option<&[u8]> {
    let table = ledger.find_table(code, scope, table)?;
    ledger.find_row(table, primary).map(|row| ledger.row(row).value())
}

/// The bytes of all rows of a table, by primary key.
pub fn rows(ledger: &Ledger, code: Name, scope: Name, table: Name) -> impl Iterator<Item = &[u8]> {
    let first = ledger.find_table(code, scope, table).and_then(|table| ledger.first_row(table));
    std::iter::successors(first, |row| ledger.next_row(*row)).map(|row| ledger.row(row).value())
}

/// Makes sure that a contract's ABI has a table, and gives its index type.
///
/// # Errors
/// `account_query_exception` without the account, `contract_table_query_exception` without the table.
pub fn index_type(node: &Node, ledger: &Ledger, code: Name, table: Name) -> Result<String, Fault> {
    ensure!(ledger.find_account(code).is_some(), ACCOUNT_QUERY_EXCEPTION, "Fail to retrieve account for {code}");
    let contract = node.abis.contract(ledger, code);
    contract.and_then(|contract| contract.index_types.get(&table).cloned()).ok_or_else(|| {
        let message = format!("Table {table} is not specified in the ABI");
        Fault::new(FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION, message)
    })
}
