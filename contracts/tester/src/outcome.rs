//! What a push did, and what a test may demand of it.

use std::collections::BTreeMap;
use std::fmt;

use sdk::codec::{Unpack, unpack};

use crate::Tester;
use crate::json::{FromJson, Value};

/// A pushed transaction.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Why it failed.
    fault: Option<Fault>,
    /// `contract::action > contract::action`: the way to the action that failed, else the first.
    path: String,
    traces: Vec<Trace>,
    /// Billed net in bytes.
    pub net_bytes: u64,
}

/// Why a transaction failed.
#[derive(Debug, Clone)]
pub struct Fault {
    /// nodeos' number.
    pub code: u32,
    /// nodeos' name of it.
    pub name: String,
    /// The messages, the first one from where it was found.
    pub details: Vec<String>,
    text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One action's run, or one notification's.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Who ran it.
    pub receiver: String,
    /// The contract called.
    pub contract: String,
    /// The action.
    pub action: String,
    /// Who authorised it: `account@permission`.
    pub by: Vec<String>,
    /// The packed arguments.
    pub data: Vec<u8>,
    /// Place of the action that sent it in the list of traces, counted from 1; 0 for actions of the transaction itself.
    pub creator: usize,
    /// What it printed.
    pub console: String,
    /// What it returned, packed.
    pub returned: Vec<u8>,
    /// What it returned, as JSON by the contract's ABI.
    pub result: Value,
    /// Bytes of RAM that it took (or gave back), by account.
    pub ram: BTreeMap<String, i64>,
    /// Microseconds of CPU time, those of its host functions included.
    pub cpu_us: i64,
}

impl Outcome {
    /// Demands success.
    ///
    /// # Panics
    /// With the contract, the action and the messages of the fault.
    #[track_caller]
    pub fn succeed(self) -> Self {
        if let Some(fault) = &self.fault {
            panic!("{} failed: {fault}", self.path);
        }
        self
    }

    /// Demands a fault with `message` in one of its messages.
    ///
    /// # Panics
    /// When the push succeeded or failed otherwise.
    #[track_caller]
    pub fn expect_fault(self, message: &str) {
        let Some(fault) = &self.fault else { panic!("{} succeeded, {message:?} was expected", self.path) };
        let found = fault.details.iter().any(|detail| detail.contains(message));
        assert!(found, "{message:?} was expected, but: {fault}");
    }

    /// Demands a fault of this number with `message` in one of its messages.
    ///
    /// # Panics
    /// When the push succeeded or failed otherwise.
    #[track_caller]
    pub fn fail(self, code: u32, message: &str) {
        let Some(fault) = &self.fault else { panic!("{} succeeded, fault {code} was expected", self.path) };
        let found = fault.details.iter().any(|detail| detail.contains(message));
        assert!(fault.code == code && found, "{code} with {message:?} was expected, but: {fault}");
    }

    /// Demands that the contract refused with exactly this message (`check`, `eosio_assert`).
    ///
    /// # Panics
    /// As [`Outcome::fail`].
    #[track_caller]
    pub fn refuse(self, message: &str) {
        let wanted = format!("assertion failure with message: {message}");
        let Some(fault) = &self.fault else { panic!("{} succeeded, {message:?} was expected", self.path) };
        assert!(fault.details.first() == Some(&wanted), "{message:?} was expected, but: {fault}");
    }

    /// Why it failed.
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// Actions in the order of their ordinals, notifications and inline actions among them.
    pub fn actions(&self) -> &[Trace] {
        &self.traces
    }

    /// What the first action printed.
    pub fn console(&self) -> &str {
        &self.first().console
    }

    /// What the first action returned, as the contract's own type.
    ///
    /// # Panics
    /// When it is not of that type.
    #[track_caller]
    pub fn returned<T: for<'a> Unpack<'a>>(&self) -> T {
        unpack(&self.first().returned)
    }

    /// What the first action returned, by the contract's ABI: as JSON (`Value`, with large numbers as texts, as nodeos
    /// prints them) or as a value of the test.
    ///
    /// # Panics
    /// When the ABI does not tell of a result, or it does not fit `T`.
    #[track_caller]
    pub fn result<T: FromJson>(&self, _: &mut Tester) -> T {
        let Trace { contract, action, result, .. } = self.first();
        T::from_json(result.clone()).unwrap_or_else(|error| panic!("result of {contract}::{action}: {error}"))
    }

    fn first(&self) -> &Trace {
        self.traces.first().expect("a transaction has an action")
    }
}

fn field<T: FromJson>(object: &mut Value, name: &str) -> Result<T, String> {
    T::from_json(object.take_field(name)).map_err(|error| format!("{name}: {error}"))
}

fn bytes(object: &mut Value, name: &str) -> Result<Vec<u8>, String> {
    unhex(&field::<String>(object, name)?).ok_or_else(|| format!("{name} is not hexadecimal"))
}

/// Bytes from hexadecimal text.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok()).collect()
}

impl FromJson for Outcome {
    fn from_json(mut told: Value) -> Result<Self, String> {
        let told = &mut told;
        let (fault, path) = (field(told, "fault")?, field(told, "path")?);
        Ok(Self { fault, path, traces: field(told, "traces")?, net_bytes: field(told, "net_bytes")? })
    }
}

impl FromJson for Fault {
    fn from_json(mut told: Value) -> Result<Self, String> {
        let told = &mut told;
        let (code, name) = (field(told, "code")?, field(told, "name")?);
        Ok(Self { code, name, details: field(told, "details")?, text: field(told, "text")? })
    }
}

impl FromJson for Trace {
    fn from_json(mut told: Value) -> Result<Self, String> {
        let told = &mut told;
        Ok(Self {
            receiver: field(told, "receiver")?,
            contract: field(told, "contract")?,
            action: field(told, "action")?,
            by: field(told, "by")?,
            data: bytes(told, "data")?,
            creator: field(told, "creator")?,
            console: field(told, "console")?,
            returned: bytes(told, "returned")?,
            result: field(told, "result")?,
            ram: field(told, "ram")?,
            cpu_us: field(told, "cpu_us")?,
        })
    }
}
