//! Commands of the system contract that are one action each: its arguments in order, the first being who acts.

use std::marker::PhantomData;

use anyhow::Context;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand};
use primitives::{Compression, Name};
use serde_json::{Value, json};

use super::action;
use crate::arguments::{asset, name};
use crate::session::Session;
use crate::transact::TransactArgs;
use crate::usage::number;

/// A command, as [`Table`]s have them.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub command: &'static str,
    /// What it does.
    pub about: &'static str,
    /// The actions that are sent, all with the same arguments.
    pub actions: &'static [&'static str],
    /// Name, sort and meaning of each argument.
    pub arguments: &'static [(&'static str, Sort, &'static str)],
    /// A flag that follows the arguments.
    pub flag: Option<bool>,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A name.
    Account,
    /// An amount of the chain's own token, with any number of its decimals.
    Token,
    /// An amount of something else.
    Asset,
    /// A number that is not negative.
    Number,
    /// A part of a whole: in percent, or as a number of parts of which the whole has [`WHOLE`].
    Share,
}

/// Parts of the whole market that `powerup` counts in.
const WHOLE: u64 = 1_000_000_000_000_000;
/// Parts of a hundredth of it.
const PERCENT: f64 = (WHOLE / 100) as f64;

/// Better names of commands that cleos has named; both are taken.
const ALIASES: [(&str, &str); 2] = [("claimrewards", "claim"), ("unregprod", "unregister")];

/// Some commands that stand in one place.
pub trait Table {
    /// The commands.
    const ROWS: &'static [Row];
}

/// One of the commands of a table, as it was typed.
pub struct Simple<T> {
    row: &'static Row,
    values: Vec<String>,
    transact: TransactArgs,
    table: PhantomData<T>,
}

impl<T: Table> Simple<T> {
    /// Sends it.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        let Self { row, values, transact, .. } = self;
        let arguments = row
            .arguments
            .iter()
            .zip(&values)
            .map(|((label, sort, _), text)| read(session, *sort, text).with_context(|| label.to_string()));
        let mut arguments: Vec<Value> = arguments.collect::<anyhow::Result<_>>()?;
        arguments.extend(row.flag.map(Value::Bool));
        let authorization = transact.authorization(name(&values[0])?)?;
        let arguments = Value::Array(arguments);
        let names = row.actions.iter().map(|text| text.parse::<Name>());
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let actions = names.into_iter().map(|name| action(session, name, &authorization, &arguments));
        let actions = actions.collect::<anyhow::Result<_>>()?;
        transact.send(session, actions, Compression::None)
    }
}

fn read(session: &Session, sort: Sort, text: &str) -> anyhow::Result<Value> {
    Ok(match sort {
        Sort::Account => json!(name(text)?),
        Sort::Token => json!(session.core_token(text)?),
        Sort::Asset => json!(asset(text)?),
        Sort::Number => json!(text),
        Sort::Share => json!(share(text)?),
    })
}

/// The parts that `1.5%`, or a number of them, is.
fn share(text: &str) -> anyhow::Result<u64> {
    let parts = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok().map(|percent| percent * PERCENT).filter(|parts| *parts >= 0.0),
        None => text.parse::<u64>().ok().map(|parts| parts as f64),
    };
    let parts = parts.map(|parts| parts.round() as u64).filter(|parts| *parts <= WHOLE);
    parts.with_context(|| {
        format!("{text:?} is not a part of a whole, which looks like 0.5% or, in parts of {WHOLE}, 5000000000000")
    })
}

impl<T: Table> FromArgMatches for Simple<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let known = matches.subcommand().and_then(|(name, matches)| {
            let row = T::ROWS.iter().find(|row| row.command == name)?;
            Some((row, matches))
        });
        let (row, matches) = known.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        let value = |(label, sort, _): &(&str, Sort, &str)| match sort {
            Sort::Number => matches.get_one::<u64>(label).map(u64::to_string).unwrap_or_default(),
            _ => matches.get_one::<String>(label).cloned().unwrap_or_default(),
        };
        let values = row.arguments.iter().map(value).collect();
        Ok(Self { row, values, transact: TransactArgs::from_arg_matches(matches)?, table: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<T: Table> Subcommand for Simple<T> {
    fn augment_subcommands(command: Command) -> Command {
        T::ROWS.iter().fold(command, |command, row| {
            let arguments = row.arguments.iter().map(|(label, sort, help)| {
                let argument = Arg::new(*label).required(true).help(*help);
                if *sort == Sort::Number { argument.value_parser(number::<u64>) } else { argument }
            });
            let alias = ALIASES.iter().find(|(command, _)| *command == row.command).map(|(_, alias)| *alias);
            let own = Command::new(row.command).visible_aliases(alias).args(arguments);
            // The flags bring a description of their own, so the command's comes last.
            command.subcommand(TransactArgs::augment_args(own).about(row.about))
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        T::ROWS.iter().any(|row| row.command == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent_or_parts() {
        let read = [("100%", WHOLE), ("0.1%", 1_000_000_000_000), ("0.0000000000001%", 1), ("0", 0), ("7", 7)];
        for (text, parts) in read {
            assert_eq!(share(text).ok(), Some(parts), "{text}");
        }
        for text in ["", "%", "-1%", "100.1%", "nan%", "1.5", "1000000000000001"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
