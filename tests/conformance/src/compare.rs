//! A trace of ours in the recorded form, and the first difference between the two. Knows no chain.

use execution::{ActionTrace, TransactionTrace};
use primitives::{Fault, Name};

use crate::step::{ActionOutcome, Outcome, RecordedFault};

/// nodeos' number for faults that are C++ standard exceptions; their names are mangled type names there.
const STD_EXCEPTION: u32 = 13;
/// nodeos cuts messages to this many bytes in its answers.
const MESSAGE_BYTES_MAX: usize = 1024;

/// Our trace, as it would have been recorded.
pub fn outcome(trace: &TransactionTrace) -> Outcome {
    Outcome {
        id: hex::encode(trace.id.0),
        net: trace.net_usage,
        receipt: trace
            .receipt
            .map(|receipt| (receipt.status.name().to_owned(), receipt.cpu_usage_us, receipt.net_usage_words.0)),
        ram: trace.account_ram_delta.map(|delta| (delta.account.to_string(), delta.delta)),
        actions: trace.action_traces.iter().map(action).collect(),
        failed: trace.failed_dtrx_trace.as_deref().map(|failed| Box::new(outcome(failed))),
        fault: trace.except.as_deref().map(fault),
    }
}

fn action(trace: &ActionTrace) -> ActionOutcome {
    ActionOutcome {
        ordinal: trace.action_ordinal,
        creator: trace.creator_action_ordinal,
        ancestor: trace.closest_unnotified_ancestor_action_ordinal,
        receiver: trace.receiver.to_string(),
        account: trace.act.account.to_string(),
        name: trace.act.name.to_string(),
        receipt: trace.receipt.as_ref().map(|receipt| {
            let sequence = |(account, number): &(Name, u64)| (account.to_string(), *number);
            (
                hex::encode(receipt.act_digest.0),
                receipt.global_sequence,
                receipt.recv_sequence,
                receipt.auth_sequence.as_slice().iter().map(sequence).collect(),
                receipt.code_sequence.0,
                receipt.abi_sequence.0,
            )
        }),
        context_free: trace.context_free,
        console: execution::utf8_only(&trace.console),
        ram: trace.account_ram_deltas.iter().map(|delta| (delta.account.to_string(), delta.delta)).collect(),
        returned: hex::encode(&trace.return_value),
        fault: trace.except.as_ref().map(|fault| fault.kind.code),
        error_code: trace.error_code.map(|code| code.to_string()),
    }
}

/// Our fault, as it would have been recorded.
pub fn fault(fault: &Fault) -> RecordedFault {
    RecordedFault {
        code: fault.kind.code,
        name: fault.kind.name.to_owned(),
        what: fault.what().to_owned(),
        message: fault.details.first().cloned().unwrap_or_default(),
    }
}

/// The first difference between two traces, in words; `None` when they agree.
pub fn difference(ours: &Outcome, theirs: &Outcome) -> Option<String> {
    faults(ours.fault.as_ref(), theirs.fault.as_ref())
        .or_else(|| field("id", &ours.id, &theirs.id))
        .or_else(|| field("receipt", &ours.receipt, &theirs.receipt))
        .or_else(|| field("net", &ours.net, &theirs.net))
        .or_else(|| actions(&ours.actions, &theirs.actions))
        .or_else(|| field("ram of the payer", &ours.ram, &theirs.ram))
        .or_else(|| match (&ours.failed, &theirs.failed) {
            (Some(ours), Some(theirs)) => difference(ours, theirs).map(|text| format!("failed transaction: {text}")),
            (ours, theirs) => field("failed transaction", &ours.is_some(), &theirs.is_some()),
        })
}

fn faults(ours: Option<&RecordedFault>, theirs: Option<&RecordedFault>) -> Option<String> {
    let (Some(our), Some(their)) = (ours, theirs) else {
        return field("fault", &ours, &theirs);
    };
    let same_type =
        our.code == their.code && our.what == their.what && (our.code == STD_EXCEPTION || our.name == their.name);
    let both_cut = || cut(&our.message).is_some_and(|message| Some(message) == cut(&their.message));
    let same_message = our.message == their.message || both_cut();
    (!same_type || !same_message).then(|| format!("fault: ours {our:?}, nodeos {their:?}"))
}

/// A message without what nodeos may cut off its end.
fn cut(message: &str) -> Option<&str> {
    (message.len() >= MESSAGE_BYTES_MAX / 2)
        .then(|| message.trim_end_matches("..."))
        .and_then(|message| message.get(..MESSAGE_BYTES_MAX / 2))
}

fn actions(ours: &[ActionOutcome], theirs: &[ActionOutcome]) -> Option<String> {
    for (our, their) in ours.iter().zip(theirs) {
        let text = field("creator", &our.creator, &their.creator)
            .or_else(|| field("ordinal", &our.ordinal, &their.ordinal))
            .or_else(|| field("ancestor", &our.ancestor, &their.ancestor))
            .or_else(|| field("receiver", &our.receiver, &their.receiver))
            .or_else(|| field("account", &our.account, &their.account))
            .or_else(|| field("name", &our.name, &their.name))
            .or_else(|| field("fault", &our.fault, &their.fault))
            .or_else(|| field("error_code", &our.error_code, &their.error_code))
            .or_else(|| field("console", &our.console, &their.console))
            .or_else(|| field("return value", &our.returned, &their.returned))
            .or_else(|| field("receipt", &our.receipt, &their.receipt))
            .or_else(|| field("context_free", &our.context_free, &their.context_free))
            .or_else(|| field("ram", &our.ram, &their.ram));
        if let Some(text) = text {
            return Some(format!(
                "action {} ({}::{} at {}): {text}",
                their.ordinal, their.account, their.name, their.receiver
            ));
        }
    }
    field("number of actions", &ours.len(), &theirs.len())
}

fn field<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, theirs: &T) -> Option<String> {
    (ours != theirs).then(|| format!("{what}: ours {ours:?}, nodeos {theirs:?}"))
}
