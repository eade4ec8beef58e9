//! Reading contracts' tables for other endpoints: one row, all rows of a table.

use std::sync::Arc;

use ledger::Ledger;
use primitives::{Fault, FaultKind, Name};

use crate::abis::ContractAbi;

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

/// The ABI of an account that must exist.
///
/// # Errors
/// `account_query_exception` without the account.
pub fn existing(abi: Option<&Arc<ContractAbi>>, code: Name) -> Result<&Arc<ContractAbi>, Fault> {
    let missing = || Fault::new(FaultKind::ACCOUNT_QUERY_EXCEPTION, format!("Fail to retrieve account for {code}"));
    abi.ok_or_else(missing)
}

/// Makes sure that a contract's ABI has a table, and gives its index type.
///
/// # Errors
/// `account_query_exception` without the account, `contract_table_query_exception` without the table.
pub fn index_type(abi: Option<&Arc<ContractAbi>>, code: Name, table: Name) -> Result<&str, Fault> {
    existing(abi, code)?.index_type(table)
}
