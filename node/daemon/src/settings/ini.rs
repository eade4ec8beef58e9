//! `config.ini` in nodeos' form: `name = value` lines, `#` comments, names that repeat, switches as booleans.

use clap::{Arg, ArgAction, Command};

use super::COMMAND_LINE_ONLY;
use super::repeated::Lines;
use super::value::switch;
use crate::words;

/// Options of nodeos' past and what is said of them: nodeos itself refuses them too.
const FORMER: [(&str, &str); 10] = [
    ("private-key", "signature-provider = PUBLIC=KEY:PRIVATE has taken its place"),
    ("block-signing-private-key", "signature-provider = PUBLIC=KEY:PRIVATE has taken its place"),
    ("https-server-address", "a proxy in front of the node serves TLS"),
    ("https-certificate-chain-file", "a proxy in front of the node serves TLS"),
    ("https-private-key-file", "a proxy in front of the node serves TLS"),
    ("reversible-blocks-db-size-mb", "reversible blocks need no database of their own any more"),
    ("reversible-blocks-db-guard-size-mb", "reversible blocks need no database of their own any more"),
    ("filter-on", "it was an option of the history plugin, which is gone"),
    ("filter-out", "it was an option of the history plugin, which is gone"),
    ("network-version-match", "it was an option of a network of the past"),
];

/// Options whose values are names.
const OF_NAMES: [&str; 9] = [
    "producer-name",
    "trusted-producer",
    "greylist-account",
    "sender-bypass-whiteblacklist",
    "actor-whitelist",
    "actor-blacklist",
    "contract-whitelist",
    "contract-blacklist",
    "disable-subjective-account-billing",
];
/// Options whose values are public keys.
const OF_PUBLIC_KEYS: [&str; 2] = ["key-blacklist", "peer-key"];

/// A line as a word of the command line.
#[derive(Debug, Clone)]
pub struct Word {
    /// The number of the line.
    line: usize,
    /// The word.
    pub text: String,
}

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
/// A line is not a `name = value`, its option is unknown, not one for the file or has a line already, or a switch is
/// neither on nor off.
pub fn arguments(text: &str, command: &Command) -> Result<Vec<Word>, Mistake> {
    let (mut words, mut lines) = (Vec::new(), Lines::default());
    for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if !text.is_empty() {
            let (option, value) = setting(text, command).map_err(|what| Mistake { line, what })?;
            let word = word(option, value).and_then(|word| {
                lines.note(option.get_long().unwrap_or_default(), option.get_action(), line)?;
                Ok(word)
            });
            words.extend(word.map_err(|what| Mistake { line, what })?.map(|text| Word { line, text }));
        }
    }
    Ok(words)
}

/// The line that the command line's refusal is about, if one of the file's is refused by itself.
pub fn blame(words: &[Word], command: &Command) -> Option<Mistake> {
    words.iter().find_map(|Word { line, text }| {
        let refused = command.clone().try_get_matches_from([command.get_name(), text]).err()?.to_string();
        // The rest of clap's message tells of --help.
        let what = refused.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        Some(Mistake { line: *line, what: what.split_whitespace().collect::<Vec<_>>().join(" ") })
    })
}

/// What is said of an option that nodeos had once.
pub fn former(name: &str) -> Option<String> {
    let (_, instead) = FORMER.iter().find(|(former, _)| *former == name)?;
    Some(format!("there is no option {name} any more: {instead}"))
}

/// The option of a line and its value.
fn setting<'a, 'b>(text: &'a str, command: &'b Command) -> Result<(&'b Arg, &'a str), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("it is not of the form \"name = value\": {text}"))?;
    let (name, value) = (name.trim(), unquoted(value.trim()));
    let Some(option) = command.get_arguments().find(|option| option.get_long() == Some(name)) else {
        return Err(former(name).unwrap_or_else(|| format!("there is no option {name}{}", nearest(name, command))));
    };
    if COMMAND_LINE_ONLY.contains(&name) {
        return Err(format!("{name} is an option of the command line only"));
    }
    check_later_kinds(name, value)?;
    Ok((option, value))
}

/// Values that are read once all options are known. What is wrong with them is said here too, where the line is known.
fn check_later_kinds(name: &str, value: &str) -> Result<(), String> {
    let read = match name {
        _ if OF_NAMES.contains(&name) => words::name(value).map(|_| ()),
        _ if OF_PUBLIC_KEYS.contains(&name) => words::public_key(value).map(|_| ()),
        _ => Ok(()),
    };
    read.map_err(|error| format!("{name}: {error}"))
}

/// The word of an option, if it has one.
fn word(option: &Arg, value: &str) -> Result<Option<String>, String> {
    let name = option.get_long().unwrap_or_default();
    if !matches!(option.get_action(), ArgAction::SetTrue) {
        return Ok(Some(format!("--{name}={value}")));
    }
    let on = switch(value).map_err(|_| format!("{name} is a switch, true or false; it cannot be {value}"))?;
    Ok(on.then(|| format!("--{name}")))
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
