//! Tables, through the ABI of their contract.

use abi::Limits;
use ledger::TableKey;
use primitives::Name;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Tester;
use crate::tester::name;

impl Tester {
    /// The rows of a table in the order of their primary keys, as JSON.
    ///
    /// # Panics
    /// When the contract has no ABI, the ABI has no such table, or a row is not of its type.
    #[track_caller]
    pub fn rows_json(&mut self, code: &str, scope: &str, table: &str) -> Vec<Value> {
        let (code, scope, table) = (name(code), name(scope), name(table));
        let abi = self.abi(code);
        let kind = abi.table_type(table).unwrap_or_else(|| panic!("{code} has no table {table} in its ABI")).to_owned();
        let ledger = self.chain().ledger();
        let Some(place) = ledger.find_table(code, scope, table) else { return Vec::new() };
        let mut next = ledger.first_row(place);
        let mut rows = Vec::new();
        while let Some(id) = next {
            let row = abi.decode(&kind, ledger.row(id).value(), &Limits::default());
            rows.push(row.unwrap_or_else(|fault| panic!("row of {code} {scope} {table}: {fault}")));
            next = ledger.next_row(id);
        }
        rows
    }

    /// The packed rows of a table in the order of their primary keys.
    pub fn rows_packed(&self, code: &str, scope: &str, table: &str) -> Vec<Vec<u8>> {
        let ledger = self.chain().ledger();
        let place = ledger.find_table(name(code), name(scope), name(table));
        let mut next = place.and_then(|place| ledger.first_row(place));
        let mut rows = Vec::new();
        while let Some(id) = next {
            rows.push(ledger.row(id).value().to_vec());
            next = ledger.next_row(id);
        }
        rows
    }

    /// The scopes in which a table has rows, ascending.
    pub fn scopes(&self, code: &str, table: &str) -> Vec<Name> {
        let (code, table) = (name(code), name(table));
        let first = TableKey { code, scope: Name(0), table: Name(0) };
        let last = TableKey { code, scope: Name(u64::MAX), table: Name(u64::MAX) };
        let tables = self.chain().ledger().tables_between(first, last);
        tables.filter(|(key, _)| key.table == table).map(|(key, _)| key.scope).collect()
    }

    /// The rows of a table as values of the test.
    ///
    /// # Panics
    /// As [`Tester::rows_json`], and when a row does not fit `T`.
    #[track_caller]
    pub fn rows<T: DeserializeOwned>(&mut self, code: &str, scope: &str, table: &str) -> Vec<T> {
        let rows = self.rows_json(code, scope, table).into_iter();
        rows.map(|row| serde_json::from_value(row).unwrap_or_else(|error| panic!("row of {table}: {error}"))).collect()
    }

    /// The only row of a table and scope; `None` when there is none.
    ///
    /// # Panics
    /// When there are several.
    #[track_caller]
    pub fn row(&mut self, code: &str, scope: &str, table: &str) -> Option<Value> {
        let mut rows = self.rows_json(code, scope, table);
        assert!(rows.len() <= 1, "{code} {scope} {table} has {} rows", rows.len());
        rows.pop()
    }

    /// An account's balance of a token, as text; `None` when it has no row.
    #[track_caller]
    pub fn balance(&mut self, token: &str, account: &str, symbol_code: &str) -> Option<String> {
        let balances = self.rows_json(token, account, "accounts").into_iter();
        let mut texts = balances.filter_map(|row| Some(row["balance"].as_str()?.to_owned()));
        texts.find(|text| text.ends_with(&format!(" {symbol_code}")))
    }
}
