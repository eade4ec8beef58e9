//! The command line itself: what clap cannot be told, and how its complaints reach people.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::secrets;
use crate::similar::best;

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
    let arguments = switched(command, shielded(arguments));
    let greedy = with_permissions(&arguments, |run| run.iter().all(|word| is_permission(word)));
    if greedy != arguments
        && let Ok(matches) = command.clone().try_get_matches_from(greedy)
    {
        return Ok(matches);
    }
    let words = with_permissions(&arguments, |_| false);
    command.clone().try_get_matches_from(&words).map_err(|error| with_suggestion(command, &words, error))
}

/// An error with the command that is meant, where clap offers none: short names differ by one letter of few.
fn with_suggestion(command: &Command, words: &[OsString], mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let (mut at, is_offered) = (command, error.get(ContextKind::SuggestedSubcommand).is_some());
    for word in words.iter().take_while(|word| *word != wrong.as_str()) {
        at = at.find_subcommand(word).unwrap_or(at);
    }
    let meant = best(wrong, at.get_subcommands().map(Command::get_name)).map(str::to_owned);
    if let Some(meant) = meant.filter(|_| !is_offered) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![meant]));
    }
    error
}

/// The arguments with flags that have a value, as CLI11 takes them: `--json=true` is `--json`, `--json=false` nothing.
fn switched(command: &Command, arguments: Vec<OsString>) -> Vec<OsString> {
    let (mut flags, mut valued) = (BTreeSet::new(), BTreeSet::new());
    long_names(command, &mut flags, &mut valued);
    let flag = |text: &str| {
        let (name, value) = text.strip_prefix("--")?.split_once('=')?;
        Some((name.to_owned(), switch(value)?)).filter(|(name, _)| flags.contains(name) && !valued.contains(name))
    };
    let spelled = |argument: OsString| match argument.to_str().and_then(flag) {
        Some((name, on)) => on.then(|| OsString::from(format!("--{name}"))),
        None => Some(argument),
    };
    arguments.into_iter().filter_map(spelled).collect()
}

/// The long names of a command's options and of all below it: those without a value, and those with one.
fn long_names(command: &Command, flags: &mut BTreeSet<String>, valued: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        let names = match argument.get_action() {
            ArgAction::SetTrue => &mut *flags,
            _ => &mut *valued,
        };
        names.extend(argument.get_long().map(str::to_owned));
    }
    command.get_subcommands().for_each(|command| long_names(command, flags, valued));
}

/// Whether the value of a flag switches it on; `None` for what is not such a value.
fn switch(value: &str) -> Option<bool> {
    match &*value.to_lowercase() {
        "true" | "on" | "yes" | "enable" | "t" | "y" | "+" => Some(true),
        "false" | "off" | "no" | "disable" | "f" | "n" | "-" => Some(false),
        number => unshielded(number).parse().ok().map(|number: i64| number > 0),
    }
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

/// A command that takes what CLI11 takes: its texts get their minus back, its flags may be there again, its numbers may
/// be hexadecimal or octal.
pub fn prepared(command: Command) -> Command {
    let is = |argument: &Arg, kind: ValueParser| argument.get_value_parser().type_id() == kind.type_id();
    let prepare = move |argument: Arg| match argument.get_action() {
        ArgAction::SetTrue => {
            let own = argument.get_id().clone();
            argument.overrides_with(own)
        }
        _ if is(&argument, ValueParser::string()) => {
            argument.value_parser(|text: &str| Ok::<_, std::convert::Infallible>(unshielded(text)))
        }
        _ if is(&argument, clap::value_parser!(u8).into()) => argument.value_parser(number::<u8>),
        _ if is(&argument, clap::value_parser!(u16).into()) => argument.value_parser(number::<u16>),
        _ if is(&argument, clap::value_parser!(u32).into()) => argument.value_parser(number::<u32>),
        _ => argument,
    };
    command.mut_args(prepare).mut_subcommands(prepared)
}

/// A number without a sign, as CLI11 reads it: hexadecimal after `0x`, octal after another `0`.
///
/// # Errors
/// What is wrong with the text.
pub fn number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    let plain = !digits.starts_with('+');
    let value = plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten();
    let value = value.ok_or_else(|| "a whole number without a sign is expected".to_owned())?;
    T::try_from(value).map_err(|_| "the number is too large".to_owned())
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
        // The same option again. Where one excludes another cleos looks itself, not CLI11.
        ErrorKind::ArgumentConflict if error.get(ContextKind::InvalidArg) == error.get(ContextKind::PriorArg) => 114,
        ErrorKind::ArgumentConflict => 1,
        ErrorKind::UnknownArgument => 109,
        ErrorKind::TooManyValues => 104,
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => 114,
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
    fn numbers_are_read_as_cli11_reads_them() {
        let read = [("0", 0), ("10", 10), ("+5", 5), ("010", 8), ("0x1F", 31), ("0Xff", 255), ("255", 255)];
        for (text, value) in read {
            assert_eq!(number::<u8>(text), Ok(value), "{text}");
        }
        for text in
            ["", "+", "-1", "08", "0x", "0b1", "1e3", "1_0", "1.5", "256", "++1", "0x+1", "18446744073709551616"]
        {
            assert!(number::<u8>(text).is_err(), "{text}");
        }
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
