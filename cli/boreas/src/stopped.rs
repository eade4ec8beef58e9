//! In which of its functions a contract was when it failed, as a node tells that keeps such traces.

use lines::Backtrace;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::receipt::FailedTransaction;
use crate::session::Session;

/// What is known of where a transaction failed that was just sent: lines to print; none where the node does not tell.
pub fn of_failed(session: &Session, failed: &FailedTransaction) -> Vec<String> {
    // What no action did stopped in no contract.
    let Some(id) = failed.id.as_deref().filter(|_| failed.action.is_some()) else { return Vec::new() };
    let answer = session.node.call("/v1/trace_api/get_processed_transaction", &json!({ "id": id }));
    // Not every node has such traces, and the failure itself is told already.
    answer.map_or_else(|_| Vec::new(), |answer| told_of(&answer["processed"], false))
}

/// Where the contracts of a trace stopped, the innermost function first.
pub fn lines(processed: &Value) -> Vec<String> {
    told_of(processed, true)
}

/// The same; with mere numbers of functions only where they are asked for.
fn told_of(processed: &Value, with_numbers: bool) -> Vec<String> {
    let traces = processed["action_traces"].as_array().map(Vec::as_slice).unwrap_or_default();
    let stopped = traces.iter().filter_map(|trace| {
        let backtrace = Backtrace::deserialize(trace.get("backtrace")?).ok()?;
        Some(backtrace.told(trace["receiver"].as_str().unwrap_or_default(), with_numbers))
    });
    stopped.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contract_that_stopped_is_told() {
        let stopped = json!({ "code_hash": "", "frames": [{ "function": 7, "name": "deal::close", "offset": 1 }] });
        let processed = json!({ "action_traces": [
            { "receiver": "alice" }, { "receiver": "bob", "backtrace": stopped },
            { "receiver": "carol", "backtrace": { "frames": [], "omitted": 0 } }, { "receiver": "dave", "backtrace": 7 },
        ] });
        assert_eq!(lines(&processed), ["the code of bob stopped in", "  deal::close"]);
        assert!(lines(&json!({})).is_empty());
    }
}
