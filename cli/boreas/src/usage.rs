//! The command line itself: what clap cannot be told, and how its complaints reach people.

use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use crate::secrets;

/// Stands for the minus of an argument like `-1.0000 SYS` while clap looks for flags. No flag begins with a digit, so
/// such an argument is a value wherever it stands; clap has a rule for plain numbers only.
const MINUS: char = '\u{e02d}';

/// Arguments with the minus of values shielded.
pub fn shielded(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    arguments
        .map(|argument| match argument.to_str().and_then(|text| text.strip_prefix('-')) {
            Some(rest) if rest.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
                OsString::from(format!("{MINUS}{rest}"))
            }
            _ => argument,
        })
        .collect()
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
