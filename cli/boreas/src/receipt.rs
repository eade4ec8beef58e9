//! What a transaction did, in the layout of cleos, and how it failed.

mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use client::ApiFault;
use serde_json::Value;

use crate::layout::Layout;
use crate::session::{note, say};

/// Arguments and results longer than this are cut.
const PRINTED_MAX: usize = 100;

/// A transaction that was executed and failed; the status of the program tells its fault's number.
#[derive(Debug)]
pub struct FailedTransaction {
    /// The transaction, where the node said so.
    pub id: Option<String>,
    /// Why, as if the node had answered with it.
    pub fault: ApiFault,
    /// The action that failed, when it came to actions.
    pub action: Option<FailedAction>,
}

/// Where a transaction failed.
#[derive(Debug, PartialEq, Eq)]
pub struct FailedAction {
    /// Whose code ran.
    pub receiver: String,
    /// Whose action it is.
    pub contract: String,
    /// The action.
    pub name: String,
    /// Who authorized it first.
    pub actor: String,
    /// Its arguments, where they could be decoded.
    pub arguments: Value,
    /// The actions that sent it, the outermost first.
    pub path: Vec<String>,
}

impl FailedTransaction {
    /// The failure that a trace tells of; `None` when it tells of success.
    pub fn of(processed: &Value) -> Option<Self> {
        let except = processed.get("except").filter(|except| except.is_object())?;
        let stack = except["stack"].as_array().map(Vec::as_slice).unwrap_or_default();
        let details = stack.iter().map(|frame| fill(frame["format"].as_str().unwrap_or_default(), &frame["data"]));
        let text = |key: &str| except[key].as_str().unwrap_or_default().to_owned();
        let fault = ApiFault {
            status: 202,
            code: except["code"].as_u64().unwrap_or_default(),
            name: text("name"),
            what: text("message"),
            details: details.filter(|line| !line.is_empty()).collect(),
        };
        let id = processed["id"].as_str().map(str::to_owned);
        Some(Self { id, fault, action: nested(traces(processed)).iter().rev().find_map(FailedAction::of) })
    }
}

impl FailedAction {
    fn of(trace: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let act = &trace["act"];
        let (contract, name) = (text(&act["account"]), text(&act["name"]));
        let inside = trace["inline_traces"].as_array().into_iter().flatten().rev().find_map(Self::of);
        if let Some(mut inside) = inside {
            inside.path.insert(0, format!("{contract}::{name}"));
            return Some(inside);
        }
        trace.get("except").filter(|except| except.is_object())?;
        let actor = text(&act["authorization"][0]["actor"]);
        let arguments = act["data"].clone();
        Some(Self { receiver: text(&trace["receiver"]), contract, name, actor, arguments, path: Vec::new() })
    }
}

impl fmt::Display for FailedTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)?;
        let Some(FailedAction { receiver, contract, name, path, .. }) = &self.action else { return Ok(()) };
        if receiver == contract {
            write!(f, "\nin action {contract}::{name}")?;
        } else {
            write!(f, "\nin the code of {receiver}, which was told of action {contract}::{name}")?;
        }
        // One that is told of an action is below that action in the trace.
        let outer = path.iter().filter(|outer| receiver == contract || **outer != format!("{contract}::{name}"));
        outer.rev().try_for_each(|outer| write!(f, ", sent by {outer}"))
    }
}

impl std::error::Error for FailedTransaction {}

/// Puts the values of a log message into its format: `${key}`.
fn fill(format: &str, data: &Value) -> String {
    let mut out = format.to_owned();
    for (key, value) in data.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out = out.replace(&format!("${{{key}}}"), &text);
    }
    out
}

fn traces(processed: &Value) -> &[Value] {
    processed["action_traces"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Actions below those that sent them or told of them. Nodes list them in the order of their execution, with the number of
/// each and of its creator; old endpoints have made a tree of them already.
fn nested(traces: &[Value]) -> Vec<Value> {
    let number = |trace: &Value, key: &str| trace[key].as_u64().unwrap_or_default();
    let known: BTreeSet<_> = traces.iter().map(|trace| number(trace, "action_ordinal")).collect();
    let mut below: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for trace in traces {
        let creator = number(trace, "creator_action_ordinal");
        // A creator that is not known, or comes later, is of no use.
        let usable = known.contains(&creator) && creator < number(trace, "action_ordinal");
        below.entry(if usable { creator } else { 0 }).or_default().push(trace);
    }
    below.values_mut().for_each(|list| list.sort_by_key(|trace| number(trace, "action_ordinal")));
    gather(&mut below, 0)
}

/// Takes out what is below an action.
fn gather(below: &mut BTreeMap<u64, Vec<&Value>>, creator: u64) -> Vec<Value> {
    let mut gathered = Vec::new();
    for trace in below.remove(&creator).unwrap_or_default() {
        let mut trace = trace.clone();
        let inner = trace["action_ordinal"].as_u64().filter(|own| *own > 0).map(|own| gather(below, own));
        if let Some(inner) = inner.filter(|inner| !inner.is_empty()) {
            trace["inline_traces"] = Value::Array(inner);
        }
        gathered.push(trace);
    }
    gathered
}

/// Prints the actions of a transaction as a tree.
pub fn print_tree(processed: &Value, layout: Layout) -> anyhow::Result<()> {
    tree::print(&nested(traces(processed)), layout)
}

/// Prints what a transaction did.
pub fn print_receipt(processed: &Value, layout: Layout) -> anyhow::Result<()> {
    let receipt = &processed["receipt"];
    let count = |value: Option<i64>| value.map_or("<unknown>".to_owned(), |value| value.to_string());
    note(format!(
        "{} transaction: {}  {} bytes  {} us",
        receipt["status"].as_str().unwrap_or("failed"),
        processed["id"].as_str().unwrap_or_default(),
        count(receipt["net_usage_words"].as_i64().map(|words| words * 8)),
        count(receipt["cpu_usage_us"].as_i64()),
    ));
    if layout.tree {
        return print_tree(processed, layout);
    }
    if !receipt.is_object() {
        return Ok(());
    }
    for trace in traces(processed) {
        print_action(trace, layout.verbose)?;
    }
    note("warning: transaction executed locally, but may not be confirmed by the network yet");
    Ok(())
}

fn print_action(trace: &Value, verbose: bool) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let call = format!("{}::{}", text(&trace["act"]["account"]), text(&trace["act"]["name"]));
    let arguments = cut(trace["act"]["data"].to_string());
    say(format!("#{:>14} <= {call:<28} {arguments}", text(&trace["receiver"])))?;
    let returned = match (trace.get("return_value_data"), trace["return_value_hex_data"].as_str()) {
        (Some(value), _) => Some(("return value: ", value.to_string())),
        (None, Some(hex)) if !hex.is_empty() => Some(("return value (hex): ", hex.to_owned())),
        _ => None,
    };
    if let Some((label, value)) = returned {
        say(format!("=>{label:>46}{}", cut(value)))?;
    }
    let console = text(&trace["console"]);
    let lines = if verbose { usize::MAX } else { 1 };
    console.lines().take(lines).try_for_each(|line| say(format!(">> {}", line.escape_default())))?;
    trace["inline_traces"].as_array().into_iter().flatten().try_for_each(|inline| print_action(inline, verbose))
}

/// The beginning of a text too long for a line.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(PRINTED_MAX) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listed(number: u64, creator: u64, name: &str) -> Value {
        let act = json!({ "account": "c", "name": name, "authorization": [{ "actor": "alice" }] });
        json!({ "action_ordinal": number, "creator_action_ordinal": creator, "receiver": "c", "act": act })
    }

    /// The names of actions, each with those below it.
    fn shape(trace: &Value) -> String {
        let inner = trace["inline_traces"].as_array().into_iter().flatten().map(shape);
        format!("{}({})", trace["act"]["name"].as_str().unwrap_or_default(), inner.collect::<String>())
    }

    #[test]
    fn lists_of_actions_become_trees() {
        let traces = [listed(1, 0, "a"), listed(3, 1, "b"), listed(2, 1, "d"), listed(4, 3, "e"), listed(5, 9, "f")];
        assert_eq!(nested(&traces).iter().map(shape).collect::<String>(), "a(d()b(e()))f()");
        // Without numbers, as they are; and no circle can be made.
        assert_eq!(nested(&[json!({}), json!({ "inline_traces": [1] })]), [json!({}), json!({ "inline_traces": [1] })]);
        assert_eq!(nested(&[listed(1, 2, "a"), listed(2, 1, "b")]).len(), 1);
    }

    #[test]
    fn a_failure_tells_who_sent_what_failed() {
        let mut traces = vec![listed(1, 0, "outer"), listed(2, 1, "middle"), listed(3, 2, "inner")];
        traces[2]["except"] = json!({});
        let except = json!({ "code": 3_050_003, "name": "n", "message": "m", "stack": [] });
        let failed = FailedTransaction::of(&json!({ "except": except, "action_traces": traces })).expect("it failed");
        assert_eq!(failed.to_string(), "Error 3050003: m\nin action c::inner, sent by c::middle, sent by c::outer");
        assert_eq!(failed.action.expect("an action").actor, "alice");
    }
}
