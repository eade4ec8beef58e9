//! `config.ini` in nodeos' form: `name = value` lines, `#` comments, names that repeat, switches as booleans.

use clap::{Arg, ArgAction, Command};

use super::COMMAND_LINE_ONLY;

/// Values of a switch that is on; an empty one is too.
const ON: [&str; 5] = ["", "1", "true", "yes", "on"];
/// Values of a switch that is off.
const OFF: [&str; 4] = ["0", "false", "no", "off"];

/// The file's lines as command line words, in order. A switch that is set to false is left out.
///
/// # Errors
/// A line is no `name = value`, its option is unknown or not one for the file, or a switch is neither on nor off.
pub fn arguments(text: &str, command: &Command) -> anyhow::Result<Vec<String>> {
    let mut words = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            anyhow::bail!("line {number} is no \"name = value\": {line}");
        };
        let (name, value) = (name.trim(), unquoted(value.trim()));
        let Some(option) = command.get_arguments().find(|option| option.get_long() == Some(name)) else {
            anyhow::bail!("line {number}: there is no option {name}{}", nearest(name, command));
        };
        if COMMAND_LINE_ONLY.contains(&name) {
            anyhow::bail!("line {number}: {name} is an option of the command line only");
        }
        words.extend(word(option, name, value).ok_or_else(|| {
            anyhow::anyhow!("line {number}: {name} is a switch, true or false; it cannot be {value}")
        })?);
    }
    Ok(words)
}

/// The word of an option, if it has one. None for a switch that is neither on nor off.
#[allow(clippy::option_option, reason = "a switch that is off is one answer, a wrong value another")]
fn word(option: &Arg, name: &str, value: &str) -> Option<Option<String>> {
    if !matches!(option.get_action(), ArgAction::SetTrue) {
        return Some(Some(format!("--{name}={value}")));
    }
    let value = value.to_ascii_lowercase();
    if ON.contains(&value.as_str()) {
        return Some(Some(format!("--{name}")));
    }
    OFF.contains(&value.as_str()).then_some(None)
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// "; a similar one is X", as the command line would say it.
fn nearest(name: &str, command: &Command) -> String {
    use clap::error::{ContextKind, ContextValue};
    let error = command.clone().try_get_matches_from([command.get_name(), &format!("--{name}")]).err();
    match error.as_ref().and_then(|error| error.get(ContextKind::SuggestedArg)) {
        Some(ContextValue::String(similar)) => format!("; a similar one is {}", similar.trim_start_matches('-')),
        _ => String::new(),
    }
}
