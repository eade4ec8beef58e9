//! What a transaction did, in the layout of cleos, and how it failed.

use std::fmt;

use client::ApiFault;
use serde_json::Value;

use crate::session::{note, say};

/// Arguments and results longer than this are cut.
const PRINTED_MAX: usize = 100;

/// A transaction that was executed and failed; the status of the program tells its fault's number.
#[derive(Debug)]
pub struct FailedTransaction {
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
        let traces = processed["action_traces"].as_array().map(Vec::as_slice).unwrap_or_default();
        Some(Self { fault, action: traces.iter().rev().find_map(FailedAction::of) })
    }
}

impl FailedAction {
    fn of(trace: &Value) -> Option<Self> {
        let inside = trace["inline_traces"].as_array().into_iter().flatten().rev().find_map(Self::of);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        inside.or_else(|| {
            trace.get("except").filter(|except| except.is_object())?;
            let act = &trace["act"];
            let (contract, name) = (text(&act["account"]), text(&act["name"]));
            Some(Self { receiver: text(&trace["receiver"]), contract, name })
        })
    }
}

impl fmt::Display for FailedTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)?;
        match &self.action {
            Some(FailedAction { receiver, contract, name }) if receiver == contract => {
                write!(f, "\nin action {contract}::{name}")
            }
            Some(FailedAction { receiver, contract, name }) => {
                write!(f, "\nin the code of {receiver}, which was told of action {contract}::{name}")
            }
            None => Ok(()),
        }
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

/// Prints what a transaction did.
pub fn print_receipt(processed: &Value, verbose: bool) -> anyhow::Result<()> {
    let receipt = &processed["receipt"];
    let count = |value: Option<i64>| value.map_or("<unknown>".to_owned(), |value| value.to_string());
    note(format!(
        "{} transaction: {}  {} bytes  {} us",
        receipt["status"].as_str().unwrap_or("failed"),
        processed["id"].as_str().unwrap_or_default(),
        count(receipt["net_usage_words"].as_i64().map(|words| words * 8)),
        count(receipt["cpu_usage_us"].as_i64()),
    ));
    if !receipt.is_object() {
        return Ok(());
    }
    for trace in processed["action_traces"].as_array().into_iter().flatten() {
        print_action(trace, verbose)?;
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
