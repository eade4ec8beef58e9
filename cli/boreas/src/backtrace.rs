//! In which of its functions a contract was when it failed, as a node tells that keeps such traces.

use serde_json::{Value, json};

use crate::lines::Table;
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

/// The same; of contracts whose functions have no names only if `unnamed`: numbers are for those who ask.
fn told_of(processed: &Value, unnamed: bool) -> Vec<String> {
    let traces = processed["action_traces"].as_array().map(Vec::as_slice).unwrap_or_default();
    let stopped = traces.iter().filter(|trace| trace["backtrace"].is_object());
    stopped.flat_map(|trace| backtrace(&trace["receiver"], &trace["backtrace"], unnamed)).collect()
}

fn backtrace(receiver: &Value, backtrace: &Value, unnamed: bool) -> Vec<String> {
    let frames = backtrace["frames"].as_array().map(Vec::as_slice).unwrap_or_default();
    if frames.is_empty() {
        return Vec::new();
    }
    let table = backtrace["code_hash"].as_str().and_then(Table::find);
    // What every module exports tells nothing.
    let is_named = |frame: &Value| frame["name"].as_str().is_some_and(|name| name != "apply");
    if !unnamed && table.is_none() && !frames.iter().any(is_named) {
        return Vec::new();
    }
    let mut lines = vec![format!("the code of {} stopped in", receiver.as_str().unwrap_or_default())];
    for frame in frames {
        lines.extend(told(frame, table.as_ref()).into_iter().map(|line| format!("  {line}")));
    }
    if table.is_none() && frames.iter().any(|frame| frame["name"].is_null()) {
        lines.push("  (functions and lines are known where boreas contract build made the module)".to_owned());
    }
    match backtrace["omitted"].as_u64() {
        Some(omitted) if omitted > 0 => lines.push(format!("  and {omitted} functions around these")),
        _ => {}
    }
    lines
}

/// What a frame is called in the source, if that is known here, or in the module.
fn told(frame: &Value, table: Option<&Table>) -> Vec<String> {
    let number = |key: &str| frame[key].as_u64().unwrap_or_default();
    let lines = table.map(|table| table.at(number("function"), number("offset"))).unwrap_or_default();
    if !lines.is_empty() {
        return lines;
    }
    vec![frame["name"].as_str().map_or_else(|| format!("function {}", number("function")), str::to_owned)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_listed_from_the_innermost_out() {
        let frames = json!([{ "function": 7, "name": "counter::hello" }, { "function": 2, "name": null }]);
        let stopped = json!({ "frames": frames, "omitted": 3 });
        let processed = json!({ "action_traces": [
            { "receiver": "alice" }, { "receiver": "bob", "backtrace": stopped },
            { "receiver": "carol", "backtrace": { "frames": [], "omitted": 0 } },
        ] });
        let expected = [
            "the code of bob stopped in",
            "  counter::hello",
            "  function 2",
            "  (functions and lines are known where boreas contract build made the module)",
            "  and 3 functions around these",
        ];
        assert_eq!(lines(&processed), expected);
        assert_eq!(told_of(&processed, false), expected);
        assert!(lines(&json!({})).is_empty());
        let numbers = json!({ "frames": [{ "function": 7, "name": null }, { "function": 2, "name": "apply" }] });
        let processed = json!({ "action_traces": [{ "receiver": "bob", "backtrace": numbers }] });
        assert!(told_of(&processed, false).is_empty() && lines(&processed).len() == 4);
    }
}
