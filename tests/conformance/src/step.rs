//! What was done to a recorded chain, one step at a time, and what nodeos answered: the JSON of `NAME.steps.jsonl`.

use serde::{Deserialize, Deserializer};

/// One step.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A block begins on the head.
    Begin {
        /// Its number.
        number: u32,
        /// Its slot: half seconds since 2000.
        slot: u32,
        /// How many earlier blocks it confirms.
        confirm: u16,
        /// Digests in hex of the features that it activates.
        features: Vec<String>,
    },
    /// A packed transaction is pushed into the pending block.
    Push {
        /// Its bytes in hex.
        trx: String,
        /// CPU billed explicitly, in microseconds.
        cpu: u32,
        /// What became of it.
        trace: Outcome,
        /// Host functions and native actions that it is there for.
        #[serde(default)]
        covers: Vec<String>,
        /// What the case is about.
        #[serde(default)]
        note: String,
    },
    /// A generated transaction is run in the pending block.
    Scheduled {
        /// Its id in hex.
        id: String,
        /// CPU that was asked to be billed; what was billed is in the receipt.
        cpu: u32,
        /// What became of it.
        trace: Outcome,
    },
    /// The pending block is signed and becomes the head.
    Seal {
        /// Its id in hex.
        id: String,
        /// The last irreversible block afterwards.
        irreversible: u32,
        /// nodeos' hash of the whole state in hex.
        integrity: String,
    },
}

/// A trace: everything in it must agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// The transaction's id in hex; empty where it could not even be unpacked.
    pub id: String,
    /// Billed net in bytes.
    pub net: u64,
    /// Status, CPU in microseconds, net in words.
    pub receipt: Option<(String, u32, u32)>,
    /// RAM of the payer of a generated transaction.
    pub ram: Option<(String, i64)>,
    /// The actions in the order of their ordinals.
    pub actions: Vec<ActionOutcome>,
    /// The failed transaction that this onerror handler ran for.
    pub failed: Option<Box<Outcome>>,
    /// Why it failed.
    pub fault: Option<RecordedFault>,
}

/// One action of a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ActionOutcome {
    /// Its number.
    pub ordinal: u32,
    /// The action that asked for it.
    pub creator: u32,
    /// The nearest one up that is not a notification.
    pub ancestor: u32,
    /// Who ran it.
    pub receiver: String,
    /// The contract it was for.
    pub account: String,
    /// Its name.
    pub name: String,
    /// Act digest, global, recv and auth sequences, code and ABI sequence.
    pub receipt: Option<(String, u64, u64, Vec<(String, u64)>, u32, u32)>,
    /// Whether it ran without state.
    pub context_free: bool,
    /// What it printed.
    pub console: String,
    /// RAM it moved.
    pub ram: Vec<(String, i64)>,
    /// What it returned, in hex.
    #[serde(rename = "return")]
    pub returned: String,
    /// The code of the fault that ended it.
    pub fault: Option<u32>,
    /// Its `error_code`, as text: nodeos prints large ones in quotes.
    #[serde(deserialize_with = "number_or_text")]
    pub error_code: Option<String>,
}

/// A fault as nodeos reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct RecordedFault {
    /// Its number.
    pub code: u32,
    /// Its name; for C++ standard exceptions the mangled name of the type.
    pub name: String,
    /// The sentence of the exception type.
    pub what: String,
    /// The first entry of its log.
    pub message: String,
}

impl Outcome {
    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.fault.is_some()
    }
}

fn number_or_text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    Ok(Some(match Either::deserialize(input)? {
        Either::Number(number) => number.to_string(),
        Either::Text(text) => text,
    }))
}
