//! Options that are given twice in one place although one value counts: nodeos refuses them, as nobody can tell which
//! one was meant. The command line still wins over `config.ini`.

use std::collections::HashMap;

use clap::error::{ContextKind, ErrorKind};
use clap::{ArgAction, Command};

/// Checks the words of the command line, the program's name first.
///
/// # Errors
/// An option that has one value is there twice.
pub fn on_command_line(words: &[String], command: &Command) -> anyhow::Result<()> {
    let Err(error) = command.clone().args_override_self(false).try_get_matches_from(words) else { return Ok(()) };
    // An option that excludes itself; what else is wrong is said when the options are read.
    let (one, other) = (error.get(ContextKind::InvalidArg), error.get(ContextKind::PriorArg));
    match (error.kind(), one) {
        (ErrorKind::ArgumentConflict, Some(option)) if one == other => {
            anyhow::bail!("{option} is given more than once; leave one of them out")
        }
        _ => Ok(()),
    }
}

/// The lines of a file, by the options that they have set.
#[derive(Debug, Default)]
pub struct Lines<'a>(HashMap<&'a str, usize>);

impl<'a> Lines<'a> {
    /// Notes an option of a line.
    ///
    /// # Errors
    /// The option has one value, and an earlier line gives it.
    pub fn note(&mut self, name: &'a str, action: &ArgAction, line: usize) -> Result<(), String> {
        match self.0.insert(name, line) {
            Some(first) if !matches!(action, ArgAction::Append) => {
                Err(format!("{name} is given in line {first} already; leave one of them out"))
            }
            _ => Ok(()),
        }
    }
}
