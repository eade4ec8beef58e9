//! The chain of a test.

use std::path::Path;

use sdk::action::Call;
use sdk::codec::unpack;
use sdk::name::Name;
use sdk::ordered::Scope;
use sdk::table::Row;
use sdk::text;
use sdk::time::TimePoint;

use crate::json::{FromJson, Value};
use crate::outcome::unhex;
use crate::pipe::Pipe;
use crate::{Outcome, json};

/// A chain, and the keys of its accounts.
pub struct Tester {
    pipe: Pipe,
}

/// A chain as it was, to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State(u64);

impl Tester {
    /// A chain with all protocol features and `eosio.bios`; accounts have no limits.
    #[track_caller]
    pub fn bare() -> Self {
        Self::begin(&json!({ "do": "bare" }))
    }

    /// A chain with the system contracts running: tokens, an elected producer, and ten accounts (`alice`, `bob`, ...)
    /// with tokens, stake and RAM.
    #[track_caller]
    pub fn system() -> Self {
        Self::begin(&json!({ "do": "system" }))
    }

    /// A chain booted from a document, as `boreasd dev --genesis-document` takes it.
    #[track_caller]
    pub fn from_document(document: &Value) -> Self {
        Self::begin(&json!({ "do": "system", "document": document }))
    }

    #[track_caller]
    fn begin(request: &Value) -> Self {
        let pipe = Pipe::open().unwrap_or_else(|error| panic!("{error}"));
        let mut tester = Self { pipe };
        tester.ask(request);
        tester
    }

    #[track_caller]
    fn ask(&mut self, request: &Value) -> Value {
        self.pipe.ask(request).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn told<T: FromJson>(&mut self, request: &Value) -> T {
        let answer = self.ask(request);
        T::from_json(answer).unwrap_or_else(|error| panic!("what boreasd answers: {error}"))
    }

    // --- accounts and contracts

    /// Creates an account, with the right to act through its own code (`eosio.code`). On a bare chain it has no limits,
    /// on one with the system contracts it has nothing.
    #[track_caller]
    pub fn create(&mut self, account: &str) {
        self.ask(&json!({ "do": "create", "account": account }));
    }

    /// Creates an account that can work: on a chain with the system contracts it has RAM, and stake for net and CPU.
    #[track_caller]
    pub fn account(&mut self, account: &str) -> Name {
        self.ask(&json!({ "do": "account", "account": account }));
        Name::new(account)
    }

    /// Deploys `NAME.wasm` and `NAME.abi` of a folder NAME.
    ///
    /// # Panics
    /// When a file cannot be read or the contract is refused.
    #[track_caller]
    pub fn deploy_folder(&mut self, account: &str, folder: impl AsRef<Path>) {
        let folder = folder.as_ref();
        let folder = folder.to_str().unwrap_or_else(|| panic!("{} is not text", folder.display()));
        self.ask(&json!({ "do": "deploy_folder", "account": account, "folder": folder }));
    }

    /// Deploys an embedded system contract (`eosio.token`, `eosio.msig`, ...).
    #[track_caller]
    pub fn deploy(&mut self, account: &str, contract: &str) {
        self.ask(&json!({ "do": "deploy", "account": account, "contract": contract }));
    }

    /// Bytes of RAM that an account uses.
    #[track_caller]
    pub fn ram_bytes(&mut self, account: &str) -> u64 {
        self.told(&json!({ "do": "ram", "account": account }))
    }

    // --- transactions

    /// Pushes a typed call, as a contract's module makes it: `chain.call("alice", counter::calls::hello(COUNTER, ALICE))`.
    #[track_caller]
    #[must_use = "a test says what it expects: succeed(), refuse() or expect_fault()"]
    pub fn call(&mut self, actor: &str, call: Call) -> Outcome {
        self.calls(&[(actor, call)])
    }

    /// Pushes one transaction of several typed calls.
    #[track_caller]
    #[must_use = "a test says what it expects: succeed(), refuse() or expect_fault()"]
    pub fn calls(&mut self, calls: &[(&str, Call)]) -> Outcome {
        let actions = calls.iter().map(|(actor, call)| {
            let action = call.authorized(&[]);
            let (contract, name) = (text!(action.account), text!(action.name));
            json!({ "contract": contract, "action": name, "by": [actor], "data": text!(action.data[..]) })
        });
        let actions: Vec<_> = actions.collect();
        self.told(&json!({ "do": "push", "actions": actions }))
    }

    /// Pushes one action with JSON arguments. `actor` is `account` or `account@permission`.
    #[track_caller]
    #[must_use = "a test says what it expects: succeed(), refuse() or expect_fault()"]
    pub fn push(&mut self, contract: &str, action: &str, actor: &str, arguments: Value) -> Outcome {
        self.push_by(contract, action, &[actor], arguments)
    }

    /// Pushes one action that several authorise.
    #[track_caller]
    #[must_use = "a test says what it expects: succeed(), refuse() or expect_fault()"]
    pub fn push_by(&mut self, contract: &str, action: &str, actors: &[&str], arguments: Value) -> Outcome {
        let action = json!({ "contract": contract, "action": action, "by": actors, "arguments": arguments });
        self.told(&json!({ "do": "push", "actions": [action] }))
    }

    // --- rows

    /// The rows of a table in the order of their primary keys, as the contract's own type.
    ///
    /// # Panics
    /// When the contract has no ABI, the ABI has no such table, or a row is not of its type.
    #[track_caller]
    pub fn table<R: Row>(&mut self, code: &str, scope: impl Scope) -> Vec<R> {
        let rows = self.rows_told(code, &scope.scope().to_string(), &text!(R::TABLE)).take_field("packed");
        let rows: Vec<String> = Vec::from_json(rows).unwrap_or_else(|error| panic!("rows: {error}"));
        rows.iter()
            .map(|row| unpack(&unhex(row).unwrap_or_else(|| panic!("a row is not hexadecimal: {row}"))))
            .collect()
    }

    /// The rows of a table in the order of their primary keys, as JSON.
    ///
    /// # Panics
    /// As [`Tester::table`].
    #[track_caller]
    pub fn rows_json(&mut self, code: &str, scope: &str, table: &str) -> Vec<Value> {
        match self.rows_told(code, scope, table).take_field("json") {
            Value::Array(rows) => rows,
            other => panic!("rows that are {other}"),
        }
    }

    /// The rows of a table as values of the test.
    ///
    /// # Panics
    /// As [`Tester::table`], and when a row does not fit `T`.
    #[track_caller]
    pub fn rows<T: FromJson>(&mut self, code: &str, scope: &str, table: &str) -> Vec<T> {
        let rows = self.rows_json(code, scope, table).into_iter();
        rows.map(|row| T::from_json(row).unwrap_or_else(|error| panic!("row of {table}: {error}"))).collect()
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

    #[track_caller]
    fn rows_told(&mut self, code: &str, scope: &str, table: &str) -> Value {
        self.ask(&json!({ "do": "rows", "code": code, "scope": scope, "table": table }))
    }

    /// The scopes in which a table has rows, ascending.
    #[track_caller]
    pub fn scopes(&mut self, code: &str, table: &str) -> Vec<String> {
        self.told(&json!({ "do": "scopes", "code": code, "table": table }))
    }

    /// An account's balance of a token, as text; `None` when it has no row.
    #[track_caller]
    pub fn balance(&mut self, token: &str, account: &str, symbol_code: &str) -> Option<String> {
        let balances = self.rows_json(token, account, "accounts").into_iter();
        let mut texts = balances.filter_map(|row| Some(row["balance"].as_str()?.to_owned()));
        texts.find(|text| text.ends_with(&format!(" {symbol_code}")))
    }

    // --- time and states

    /// The time of the head block.
    #[track_caller]
    pub fn now(&mut self) -> TimePoint {
        TimePoint(self.told(&json!({ "do": "now" })))
    }

    /// Produces blocks in the next slots.
    #[track_caller]
    pub fn produce(&mut self, blocks: u32) {
        self.ask(&json!({ "do": "produce", "blocks": blocks }));
    }

    /// Moves time: the next block is so many seconds later.
    #[track_caller]
    pub fn advance(&mut self, seconds: u32) {
        self.ask(&json!({ "do": "advance", "seconds": seconds }));
    }

    /// Remembers the chain as it is.
    #[track_caller]
    pub fn save(&mut self) -> State {
        State(self.told(&json!({ "do": "save" })))
    }

    /// Goes back to a remembered chain, as often as wanted. States that were saved after it are forgotten.
    #[track_caller]
    pub fn restore(&mut self, state: State) {
        self.ask(&json!({ "do": "restore", "state": state.0 }));
    }
}
