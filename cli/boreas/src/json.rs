//! JSON as cleos prints it, and JSON arguments from text or file.

use anyhow::Context;
use serde_json::Value;

/// The layout of cleos: two spaces, and brackets of nested objects joined to their neighbours.
pub fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push_str("{\n");
            for (index, (key, field)) in fields.iter().enumerate() {
                indent(depth + 1, out);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(": ");
                write(field, depth + 1, out);
                out.push_str(if index + 1 < fields.len() { ",\n" } else { "\n" });
            }
            indent(depth, out);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => write_list(items, depth, out),
        other => out.push_str(&other.to_string()),
    }
}

/// Items that are objects or lists open on the line of the bracket or comma before them.
fn write_list(items: &[Value], depth: usize, out: &mut String) {
    let joined = |item: &Value| item.is_object() || item.is_array();
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if !joined(item) {
            out.push('\n');
            indent(depth + 1, out);
        }
        write(item, depth + 1, out);
    }
    out.push('\n');
    indent(depth, out);
    out.push(']');
}

fn indent(depth: usize, out: &mut String) {
    (0..depth).for_each(|_| out.push_str("  "));
}

/// A JSON value from the text itself or from the file that it names.
pub fn text_or_file(argument: &str) -> anyhow::Result<Value> {
    let inline = argument.trim_start().starts_with(['{', '[']);
    let text = if inline {
        argument.to_owned()
    } else {
        std::fs::read_to_string(argument).with_context(|| format!("{argument} is neither JSON nor a file to read"))?
    };
    let place = if inline { "string" } else { argument };
    serde_json::from_str(&text).with_context(|| format!("Fail to parse JSON from {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn layout_of_cleos() {
        let value = json!({"rows": [{"a": 1}, {"b": []}], "names": ["x", "y"], "pair": [0, {"c": {}}]});
        let text = "{\n  \"rows\": [{\n      \"a\": 1\n    },{\n      \"b\": []\n    }\n  ],\n  \"names\": [\n    \
                    \"x\",\n    \"y\"\n  ],\n  \"pair\": [\n    0,{\n      \"c\": {}\n    }\n  ]\n}";
        assert_eq!(pretty(&value), text);
    }

    #[test]
    fn json_that_is_none_says_so() {
        assert!(text_or_file("{\"a\":").is_err());
        assert!(text_or_file("no such file").is_err());
        assert_eq!(text_or_file(" [1]").expect("a list"), json!([1]));
    }
}
