//! The command line itself: what clap cannot be told, and how its complaints reach people.

use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command};

use crate::secrets;

/// Stands for the minus of an argument like `-1.0000 SYS` while clap looks for flags. No flag begins with a digit, so
/// such an argument is a value wherever it stands; clap has a rule for plain numbers only.
const MINUS: char = '\u{e02d}';

/// Arguments with the minus of values shielded.
fn shielded(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    arguments
        .map(|argument| match argument.to_str().and_then(|text| text.strip_prefix('-')) {
            Some(rest) if rest.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
                OsString::from(format!("{MINUS}{rest}"))
            }
            _ => argument,
        })
        .collect()
}

/// The arguments as a command takes them. Values that follow the one of `-p` belong to it too, as for cleos, unless
/// nothing makes sense then.
///
/// # Errors
/// What clap says.
pub fn parsed(command: &Command, arguments: impl Iterator<Item = OsString>) -> Result<ArgMatches, clap::Error> {
    let arguments = shielded(arguments);
    let greedy = with_permissions(&arguments, |run| run.iter().all(|word| is_permission(word)));
    if greedy != arguments
        && let Ok(matches) = command.clone().try_get_matches_from(greedy)
    {
        return Ok(matches);
    }
    command.clone().try_get_matches_from(with_permissions(&arguments, |_| false))
}

/// Each value that belongs to a `-p` with a `-p` of its own: all that follow where `all` says so of them, and else those
/// with an `@`, which nothing else has.
fn with_permissions(arguments: &[OsString], all: impl Fn(&[&str]) -> bool) -> Vec<OsString> {
    let mut out = Vec::with_capacity(arguments.len());
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        out.push(argument.clone());
        at += 1;
        if argument != "-p" && argument != "--permission" {
            continue;
        }
        let run: Vec<_> =
            arguments[at..].iter().map_while(|word| word.to_str()).take_while(|word| !word.starts_with('-')).collect();
        let own = run.iter().skip(1).take_while(|word| word.contains('@') && is_permission(word)).count() + 1;
        let own = if all(&run) { run.len() } else { own.min(run.len()) };
        for (index, word) in run[..own].iter().enumerate() {
            if index > 0 {
                out.push("-p".into());
            }
            out.push(word.into());
        }
        at += own;
    }
    out
}

/// Whether a word looks like `account` or `account@permission`.
fn is_permission(word: &str) -> bool {
    let is_name = |text: &str| !text.is_empty() && text.parse::<primitives::Name>().is_ok();
    word.split_once('@').map_or_else(|| is_name(word), |(actor, permission)| is_name(actor) && is_name(permission))
}

/// The same text with its minus.
pub fn unshielded(text: &str) -> String {
    text.replace(MINUS, "-")
}

/// A command whose texts get their minus back.
pub fn prepared(command: Command) -> Command {
    let text = ValueParser::string().type_id();
    let give_back = move |argument: Arg| match argument.get_value_parser().type_id() == text {
        true => argument.value_parser(|text: &str| Ok::<_, std::convert::Infallible>(unshielded(text))),
        false => argument,
    };
    command.mut_args(give_back).mut_subcommands(prepared)
}

/// What clap says, without private keys, and the status that cleos ends with.
pub fn complaint(error: &clap::Error) -> (String, u8) {
    let text = unshielded(&error.render().to_string());
    let hidden = secrets::hidden(&text);
    let text = if hidden == text { text } else { format!("{hidden}\n{}\n", secrets::ADVICE) };
    (text, status(error))
}

/// The statuses of CLI11, by which scripts for cleos tell mistakes apart.
fn status(error: &clap::Error) -> u8 {
    let names_values =
        matches!(error.get(ContextKind::ValidValue), Some(ContextValue::Strings(names)) if !names.is_empty());
    let has_value =
        !matches!(error.get(ContextKind::InvalidValue), Some(ContextValue::String(value)) if value.is_empty());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
        ErrorKind::InvalidValue if !has_value => 114,
        ErrorKind::InvalidValue if names_values => 105,
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidUtf8 => 104,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::InvalidSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => 106,
        ErrorKind::ArgumentConflict => 108,
        ErrorKind::UnknownArgument => 109,
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            114
        }
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(line: &str, greedy: bool) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let all = |run: &[&str]| greedy && run.iter().all(|word| is_permission(word));
        let words = with_permissions(&words, all);
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn permissions_follow_one_flag() {
        assert_eq!(spread("x a -p b@owner c@active -j", false), "x a -p b@owner -p c@active -j");
        assert_eq!(spread("x a -p b c -j", true), "x a -p b -p c -j");
        assert_eq!(spread("x a -p b c -j", false), "x a -p b c -j");
        assert_eq!(spread("x -p b c@active k=v", true), "x -p b -p c@active k=v");
        assert_eq!(spread("x -p", true), "x -p");
        assert_eq!(spread("x -p -j --permission b c", true), "x -p -j --permission b -p c");
    }
}
