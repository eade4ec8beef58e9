//! A `config.ini` with every option and its default, in the form of nodeos' own.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, CommandFactory};

use super::COMMAND_LINE_ONLY;
use super::commands::Cli;

/// The text that `--print-default-config` prints.
pub fn default_config() -> String {
    let mut text = String::new();
    let command = Cli::command();
    for option in command.get_arguments() {
        let Some(name) = option.get_long().filter(|name| !COMMAND_LINE_ONLY.contains(name)) else { continue };
        if let Some(help) = option.get_help() {
            // Writing into memory does not fail.
            let _ = writeln!(text, "# {help}");
        }
        let _ = writeln!(text, "# {name} = {}\n", default_of(option));
    }
    text
}

fn default_of(option: &Arg) -> String {
    if matches!(option.get_action(), ArgAction::SetTrue) {
        return "false".to_owned();
    }
    let values: Vec<_> = option.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    values.join(" ")
}
