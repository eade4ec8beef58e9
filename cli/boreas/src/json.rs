//! JSON as cleos prints it, and JSON arguments from text or file.

mod lenient;

use std::io::Read;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::output::note;

pub use lenient::Grammar;

/// Larger files are not JSON for a transaction.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

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

/// A JSON value from the text itself, from the file that it names, or from standard input for `-`.
pub fn text_or_file(argument: &str, grammar: Grammar) -> anyhow::Result<Value> {
    let inline = argument.trim_start().starts_with(['{', '[']);
    if inline {
        return parse(argument, grammar).context("the text is not valid JSON");
    }
    if argument == "-" {
        return parse(&read(std::io::stdin().lock(), "standard input")?, grammar)
            .context("standard input is not valid JSON");
    }
    let file = match std::fs::File::open(argument) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let escaped =
                if argument.contains(['"', ':']) { ": were its quotes lost in the shell? Put it in '...'" } else { "" };
            bail!("{argument:?} is neither JSON, which begins with [ or {{, nor a file that is there{escaped}");
        }
        Err(error) => return Err(error).with_context(|| format!("{argument} cannot be read")),
    };
    ensure!(!file.metadata().is_ok_and(|data| data.is_dir()), "{argument} is a folder, not a file with JSON");
    parse(&read(file, argument)?, grammar).with_context(|| format!("{argument} is not valid JSON"))
}

fn read(input: impl Read, name: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    input.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| format!("{name} cannot be read"))?;
    ensure!(bytes.len() as u64 <= FILE_BYTES_MAX, "{name} has more than {FILE_BYTES_MAX} bytes");
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name} is not UTF-8 text, so it is not JSON"))
}

/// A JSON value from a text. What follows the value is left out, as by cleos, which then says nothing.
pub fn parse(text: &str, grammar: Grammar) -> anyhow::Result<Value> {
    let (value, rest) = lenient::parse(text, grammar)?;
    if !rest.is_empty() {
        note(format!("warning: left out after the end of the JSON: {rest}"));
    }
    Ok(value)
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

    fn told(argument: &str) -> String {
        format!("{:#}", text_or_file(argument, Grammar::Plain).expect_err("refused"))
    }

    #[test]
    fn text_that_is_not_json_says_so() {
        assert_eq!(text_or_file(" [1]", Grammar::Plain).expect("a list"), json!([1]));
        assert!(told("{\"a\":").starts_with("the text is not valid JSON: a value is expected, not the end"));
        assert!(told("alice").starts_with("\"alice\" is neither JSON, which begins with [ or {, nor a file"));
        assert!(told("from:alice").ends_with("Put it in '...'"));
        assert!(told("/").contains("is a folder"));
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), b"[\"\xff\"]").expect("a file");
        assert!(told(&file.path().to_string_lossy()).contains("is not UTF-8"));
    }
}
