//! `config.ini` in nodeos' form: `name = value` lines, `#` comments, names that repeat.

use clap::{ArgAction, Command};

/// The file's lines as command line words, in order. A switch that is set to false is left out.
///
/// # Errors
/// A line is neither blank, comment, section nor `name = value`.
pub fn arguments(text: &str, command: &Command) -> anyhow::Result<Vec<String>> {
    let mut words = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';', '[']) {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            anyhow::bail!("line {number} is no \"name = value\": {line}");
        };
        let (name, value) = (name.trim(), unquoted(value.trim()));
        let switch = command
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name))
            .is_some_and(|argument| matches!(argument.get_action(), ArgAction::SetTrue));
        match (switch, value) {
            (true, "0" | "false" | "no" | "off") => {}
            (true, _) => words.push(format!("--{name}")),
            (false, value) => words.push(format!("--{name}={value}")),
        }
    }
    Ok(words)
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}
