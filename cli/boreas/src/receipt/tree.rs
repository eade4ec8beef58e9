//! What a transaction did, for people: a tree of actions with their arguments, consoles, RAM and CPU.

use serde_json::Value;

use crate::layout::Layout;
use crate::session::say;

/// Values longer than this are cut.
const VALUE_CHARS_MAX: usize = 60;
/// Lines of a console that are shown without `--verbose`.
const CONSOLE_LINES: usize = 5;

/// Colours by their meaning.
#[derive(Clone, Copy)]
enum Paint {
    Action,
    Told,
    Quiet,
    Console,
    Failure,
}

/// Prints the actions of a transaction.
pub fn print(traces: &[Value], layout: Layout) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for trace in traces {
        describe(trace, "", "", layout, &mut lines);
    }
    lines.iter().try_for_each(say)
}

/// The lines of an action: the first begins with `first`, the others with `rest`.
fn describe(trace: &Value, first: &str, rest: &str, layout: Layout, lines: &mut Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let paint = |paint, text: &str| painted(paint, text, layout.colour);
    let act = &trace["act"];
    let (contract, receiver) = (text(&act["account"]), text(&trace["receiver"]));
    let name = format!("{contract}::{}", text(&act["name"]));
    let told = receiver != contract;
    let head = if told { paint(Paint::Told, &format!("{receiver} was told")) } else { paint(Paint::Action, &name) };
    // Who is told has the arguments one line above.
    let arguments = if told { String::new() } else { arguments(&act["data"]) };
    let costs = paint(Paint::Quiet, &costs(trace));
    let parts = [head, arguments, costs].into_iter().filter(|part| !part.is_empty());
    lines.push(format!("{first}{}", parts.collect::<Vec<_>>().join("  ")));

    let inner = trace["inline_traces"].as_array().map(Vec::as_slice).unwrap_or_default();
    let bar = if inner.is_empty() { format!("{rest}   ") } else { format!("{rest}│  ") };
    if let Some(value) = returned(trace) {
        lines.push(format!("{bar}{} {value}", paint(Paint::Quiet, "=>")));
    }
    let console = text(&trace["console"]);
    let shown = if layout.verbose { usize::MAX } else { CONSOLE_LINES };
    let console_lines = console.lines().take(shown).map(|line| line.escape_default().to_string());
    lines.extend(console_lines.map(|line| format!("{bar}{}", paint(Paint::Console, &format!(">> {line}")))));
    let hidden = console.lines().count().saturating_sub(shown);
    if hidden > 0 {
        lines.push(format!("{bar}{}", paint(Paint::Quiet, &format!(">> {hidden} more lines: boreas --verbose"))));
    }
    lines.extend(changed_rows(trace).into_iter().map(|line| format!("{bar}{}", paint(Paint::Quiet, &line))));
    if trace["except"].is_object() && !inner.iter().any(|inner| inner["except"].is_object()) {
        lines.push(format!("{bar}{}", paint(Paint::Failure, "failed here")));
    }
    for (index, trace) in inner.iter().enumerate() {
        let (branch, below) = if index + 1 == inner.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        describe(trace, &format!("{rest}{branch}"), &format!("{rest}{below}"), layout, lines);
    }
}

/// Arguments as they can be typed: `name=value`, where they were decoded.
fn arguments(data: &Value) -> String {
    match data {
        Value::Object(fields) => {
            let shown = fields.iter().map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let text = cut(&text);
                if text.is_empty() || text.contains(' ') {
                    format!("{name}={text:?}")
                } else {
                    format!("{name}={text}")
                }
            });
            shown.collect::<Vec<_>>().join(" ")
        }
        Value::String(hex) => cut(hex),
        other => cut(&other.to_string()),
    }
}

fn returned(trace: &Value) -> Option<String> {
    let hex = || trace["return_value_hex_data"].as_str().filter(|hex| !hex.is_empty()).map(str::to_owned);
    trace.get("return_value_data").map(ToString::to_string).or_else(hex).map(|text| cut(&text))
}

/// The rows that an action changed, where the node kept them: what is new, what is gone, and of the others the fields
/// that differ.
fn changed_rows(trace: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for change in trace["row_changes"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (before, after) = (&change["before"], &change["after"]);
        let (sign, shown) = match (before.is_object(), after.is_object()) {
            (false, _) => ('+', arguments(&after["data"])),
            (_, false) => ('-', arguments(&before["data"])),
            _ => ('~', differences(before, after)),
        };
        let place = format!("{}/{} {}", text(&change["table"]), text(&change["scope"]), change["primary_key"]);
        lines.push(format!("{sign} {place}: {shown}"));
    }
    match trace["row_changes_omitted"].as_u64() {
        Some(omitted) if omitted > 0 => {
            lines.push(format!("and {omitted} more changes of rows that the node left out"))
        }
        _ => {}
    }
    lines
}

/// `field: old -> new` for each field that differs, the payer among them.
fn differences(before: &Value, after: &Value) -> String {
    let text = |value: &Value| cut(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let mut parts = Vec::new();
    match (before["data"].as_object(), after["data"].as_object()) {
        (Some(old), Some(new)) => {
            let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
            for name in names {
                let (old, new) = (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
                if old != new {
                    parts.push(format!("{name} {} -> {}", text(old), text(new)));
                }
            }
        }
        _ if before["data"] != after["data"] => {
            parts.push(format!("{} -> {}", text(&before["data"]), text(&after["data"])));
        }
        _ => {}
    }
    if before["payer"] != after["payer"] {
        parts.push(format!("payer {} -> {}", text(&before["payer"]), text(&after["payer"])));
    }
    if parts.is_empty() { "written again, unchanged".to_owned() } else { parts.join(", ") }
}

/// CPU in microseconds, and whose RAM changed by how many bytes.
fn costs(trace: &Value) -> String {
    let mut parts: Vec<_> = trace["elapsed"].as_i64().map(|elapsed| format!("{elapsed} us")).into_iter().collect();
    for change in trace["account_ram_deltas"].as_array().into_iter().flatten() {
        let (account, bytes) = (change["account"].as_str().unwrap_or_default(), change["delta"].as_i64());
        parts.push(format!("{account} {:+} bytes", bytes.unwrap_or_default()));
    }
    if parts.is_empty() { String::new() } else { format!("[{}]", parts.join(", ")) }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn painted(paint: Paint, text: &str, colour: bool) -> String {
    let code = match paint {
        Paint::Action => "1;36",
        Paint::Told => "34",
        Paint::Quiet => "2",
        Paint::Console => "32",
        Paint::Failure => "1;31",
    };
    if colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn drawn(trace: &Value, layout: Layout) -> String {
        let mut lines = Vec::new();
        describe(trace, "", "", layout, &mut lines);
        lines.join("\n")
    }

    fn trace(receiver: &str, name: &str, inner: Value) -> Value {
        json!({
            "receiver": receiver, "elapsed": 7, "console": "", "account_ram_deltas": [], "inline_traces": inner,
            "act": { "account": "eosio", "name": name, "data": { "payer": "alice", "memo": "", "quantity": "1.0000 SYS" } },
        })
    }

    #[test]
    fn actions_are_a_tree() {
        let mut told = trace("alice", "buyram", json!([]));
        told["console"] = json!("hello\nworld\u{1b}[0m");
        let mut inner = trace("eosio", "transfer", json!([told]));
        inner["account_ram_deltas"] = json!([{ "account": "alice", "delta": 240 }, { "account": "bob", "delta": -8 }]);
        let mut last = trace("eosio", "log", json!([]));
        last["act"]["data"] = json!("00ff");
        last["return_value_hex_data"] = json!("2a");
        let text = drawn(&trace("eosio", "buyram", json!([inner, last])), Layout::default());
        let lines = [
            "eosio::buyram  payer=alice memo=\"\" quantity=\"1.0000 SYS\"  [7 us]",
            "├─ eosio::transfer  payer=alice memo=\"\" quantity=\"1.0000 SYS\"  [7 us, alice +240 bytes, bob -8 bytes]",
            "│  └─ alice was told  [7 us]",
            "│        >> hello",
            "│        >> world\\u{1b}[0m",
            "└─ eosio::log  00ff  [7 us]",
            "      => 2a",
        ];
        assert_eq!(text, lines.join("\n"));
    }

    #[test]
    fn changed_rows_show_what_differs() {
        let row = |balance: &str, payer: &str| json!({ "payer": payer, "data": { "balance": balance, "open": true } });
        let change = |before: Value, after: Value| json!({ "scope": "alice", "table": "accounts", "primary_key": 7, "before": before, "after": after });
        let trace = json!({ "row_changes_omitted": 3, "row_changes": [
            change(Value::Null, row("1.0000 SYS", "bob")),
            change(row("1.0000 SYS", "bob"), row("2.0000 SYS", "alice")),
            change(row("2.0000 SYS", "alice"), row("2.0000 SYS", "alice")),
            change(json!({ "payer": "bob", "data": "00" }), json!({ "payer": "bob", "data": "01" })),
            change(row("2.0000 SYS", "alice"), Value::Null),
        ] });
        let lines = [
            "+ accounts/alice 7: balance=\"1.0000 SYS\" open=true",
            "~ accounts/alice 7: balance 1.0000 SYS -> 2.0000 SYS, payer bob -> alice",
            "~ accounts/alice 7: written again, unchanged",
            "~ accounts/alice 7: 00 -> 01",
            "- accounts/alice 7: balance=\"2.0000 SYS\" open=true",
            "and 3 more changes of rows that the node left out",
        ];
        assert_eq!(changed_rows(&trace), lines);
    }

    #[test]
    fn the_place_of_a_failure_is_marked_once() {
        let mut inner = trace("eosio", "transfer", json!([]));
        inner["except"] = json!({});
        let mut outer = trace("eosio", "buyram", json!([inner]));
        outer["except"] = json!({});
        let text = drawn(&outer, Layout { colour: true, ..Layout::default() });
        assert_eq!(text.matches("failed here").count(), 1);
        assert!(text.contains("\u{1b}[1;31mfailed here\u{1b}[0m"));
    }

    #[test]
    fn long_consoles_are_cut() {
        let mut chatty = trace("eosio", "x", json!([]));
        chatty["console"] = json!("line\n".repeat(8));
        assert!(drawn(&chatty, Layout::default()).ends_with(">> 3 more lines: boreas --verbose"));
        assert_eq!(drawn(&chatty, Layout { verbose: true, ..Layout::default() }).matches(">> line").count(), 8);
    }
}
