//! What a push did, and what a test may demand of it.

use std::sync::Arc;

use abi::Limits;
use execution::{ActionTrace, TransactionTrace};
use primitives::Fault;
use serde::de::DeserializeOwned;

use crate::Tester;

/// A pushed transaction's trace.
#[derive(Debug, Clone)]
pub struct Outcome(pub Arc<TransactionTrace>);

impl Outcome {
    /// Demands success.
    ///
    /// # Panics
    /// With the contract, the action and the messages of the fault.
    #[track_caller]
    pub fn succeed(self) -> Self {
        if let Some(fault) = self.fault() {
            panic!("{} failed: {fault}", self.path());
        }
        self
    }

    /// Demands a fault of this number with `message` in one of its messages.
    ///
    /// # Panics
    /// When the push succeeded or failed otherwise.
    #[track_caller]
    pub fn fail(self, code: u32, message: &str) {
        let Some(fault) = self.fault() else { panic!("{} succeeded, fault {code} was expected", self.path()) };
        let found = fault.details.iter().any(|detail| detail.contains(message));
        assert!(fault.kind.code == code && found, "expected {code} with {message:?}, but: {fault}");
    }

    /// Demands that the contract refused with exactly this message (`check`, `eosio_assert`).
    ///
    /// # Panics
    /// As [`Outcome::fail`].
    #[track_caller]
    pub fn refuse(self, message: &str) {
        let wanted = format!("assertion failure with message: {message}");
        let Some(fault) = self.fault() else { panic!("{} succeeded, {message:?} was expected", self.path()) };
        assert!(fault.details.first() == Some(&wanted), "expected {message:?}, but: {fault}");
    }

    /// Why it failed.
    pub fn fault(&self) -> Option<&Fault> {
        self.0.except.as_deref()
    }

    /// Actions in the order of their ordinals, notifications and inline actions among them.
    pub fn actions(&self) -> &[ActionTrace] {
        &self.0.action_traces
    }

    /// What the first action printed.
    pub fn console(&self) -> String {
        self.0
            .action_traces
            .first()
            .map(|trace| String::from_utf8_lossy(&trace.console).into_owned())
            .unwrap_or_default()
    }

    /// The packed return value of the first action.
    pub fn return_value(&self) -> &[u8] {
        self.0.action_traces.first().map(|trace| trace.return_value.as_slice()).unwrap_or_default()
    }

    /// What the first action returned, by the ABI that its contract has now: as JSON (`Value`, with large numbers as
    /// texts, as nodeos prints them) or as a value of the test.
    ///
    /// # Panics
    /// When the ABI does not tell of a result, the value is not of its type, or it does not fit `T`.
    #[track_caller]
    pub fn result<T: DeserializeOwned>(&self, chain: &mut Tester) -> T {
        let first = self.0.action_traces.first().expect("a transaction has an action");
        let (contract, action) = (first.act.account, first.act.name);
        let abi = chain.abi(contract);
        let kind = abi.action_result_type(action);
        let kind = kind.unwrap_or_else(|| panic!("{contract} has no result of {action} in its ABI"));
        let value = abi.decode(kind, &first.return_value, &Limits::default());
        let value = value.unwrap_or_else(|fault| panic!("result of {contract}::{action}: {fault}"));
        serde_json::from_value(value).unwrap_or_else(|error| panic!("result of {contract}::{action}: {error}"))
    }

    /// `contract::action > contract::action`: the way to the action that failed, else the first.
    pub(crate) fn path(&self) -> String {
        let traces = &self.0.action_traces;
        let mut names = Vec::new();
        let mut next = traces.iter().rev().find(|trace| trace.except.is_some()).or(traces.first());
        while let Some(trace) = next {
            let at =
                if trace.receiver == trace.act.account { String::new() } else { format!(" at {}", trace.receiver) };
            names.push(format!("{}::{}{at}", trace.act.account, trace.act.name));
            next = (trace.creator_action_ordinal as usize).checked_sub(1).and_then(|index| traces.get(index));
        }
        names.reverse();
        names.join(" > ")
    }
}
