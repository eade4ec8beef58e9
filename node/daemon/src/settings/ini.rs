//! `config.ini` in nodeos' form: `name = value` lines, `#` comments, names that repeat, switches as booleans.

use clap::{Arg, ArgAction, Command};

use super::COMMAND_LINE_ONLY;

/// Values of a switch that is on; an empty one is too.
const ON: [&str; 5] = ["", "1", "true", "yes", "on"];
/// Values of a switch that is off.
const OFF: [&str; 4] = ["0", "false", "no", "off"];

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Mistake {
    line: usize,
    what: String,
}

/// The file's lines as command line words, in order. A switch that is set to false is left out.
///
/// # Errors
/// A line is no `name = value`, its option is unknown or not one for the file, or a switch is neither on nor off.
pub fn arguments(text: &str, command: &Command) -> Result<Vec<String>, Mistake> {
    let mut words = Vec::new();
    for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if !text.is_empty() {
            words.extend(argument(text, command).map_err(|what| Mistake { line, what })?);
        }
    }
    Ok(words)
}

fn argument(text: &str, command: &Command) -> Result<Option<String>, String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("it is no \"name = value\": {text}"))?;
    let (name, value) = (name.trim(), unquoted(value.trim()));
    let Some(option) = command.get_arguments().find(|option| option.get_long() == Some(name)) else {
        return Err(format!("there is no option {name}{}", nearest(name, command)));
    };
    if COMMAND_LINE_ONLY.contains(&name) {
        return Err(format!("{name} is an option of the command line only"));
    }
    word(option, name, value).ok_or_else(|| format!("{name} is a switch, true or false; it cannot be {value}"))
}

/// The word of an option, if it has one. None for a switch that is neither on nor off.
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

/// "; a similar one is X": what the name begins, or else what the command line would suggest.
fn nearest(name: &str, command: &Command) -> String {
    use clap::error::{ContextKind, ContextValue};
    let mut names = command.get_arguments().filter_map(Arg::get_long);
    if let Some(longer) = names.find(|known| !name.is_empty() && known.starts_with(name)) {
        return format!("; a similar one is {longer}");
    }
    let error = command.clone().try_get_matches_from([command.get_name(), &format!("--{name}")]).err();
    match error.as_ref().and_then(|error| error.get(ContextKind::SuggestedArg)) {
        Some(ContextValue::String(similar)) => format!("; a similar one is {}", similar.trim_start_matches('-')),
        _ => String::new(),
    }
}
