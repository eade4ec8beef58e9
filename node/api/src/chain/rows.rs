//! Reading contracts' tables for other endpoints: one row, all rows of a table.

use abi::AbiDefinition;
use codec::Unpack;
use ledger::Ledger;
use primitives::{Fault, FaultKind, Name, TimePoint};

use crate::ApiError;
use crate::node::Node;
use crate::params::Fields;

/// The end of the time that a client gives an answer (`time_limit_ms`); without one it takes as long as it takes.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<TimePoint>);

impl Deadline {
    /// As a request says.
    ///
    /// # Errors
    /// `invalid_http_request` when the field is no number.
    pub fn of(params: &Fields) -> Result<Self, ApiError> {
        let limit: Option<u32> = params.maybe("time_limit_ms")?;
        Ok(Self(limit.map(|limit| TimePoint(engine::clock::now().0 + i64::from(limit) * 1000))))
    }

    /// Whether it is over.
    pub fn is_over(self) -> bool {
        self.0.is_some_and(|end| engine::clock::now() >= end)
    }
}

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

/// Makes sure that an account exists and that its ABI, if it has one, can be read.
///
/// # Errors
/// `account_query_exception` without the account, or the fault of the ABI.
pub fn check_abi(ledger: &Ledger, code: Name) -> Result<(), Fault> {
    let missing = || Fault::new(FaultKind::ACCOUNT_QUERY_EXCEPTION, format!("Fail to retrieve account for {code}"));
    let account = ledger.find_account(code).ok_or_else(missing)?;
    let bytes = &ledger.account_info(account).abi;
    if !bytes.is_empty() {
        AbiDefinition::from_prefix(bytes)?;
    }
    Ok(())
}

/// Makes sure that a contract's ABI has a table, and gives its index type.
///
/// # Errors
/// `account_query_exception` without the account, `contract_table_query_exception` without the table.
pub fn index_type(node: &Node, ledger: &Ledger, code: Name, table: Name) -> Result<String, Fault> {
    check_abi(ledger, code)?;
    let contract = node.abis.contract(ledger, code);
    contract.and_then(|contract| contract.index_types.get(&table).cloned()).ok_or_else(|| {
        let message = format!("Table {table} is not specified in the ABI");
        Fault::new(FaultKind::CONTRACT_TABLE_QUERY_EXCEPTION, message)
    })
}
