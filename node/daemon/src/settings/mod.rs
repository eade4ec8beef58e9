//! Settings: defaults, then `config.ini`, then the command line. Reading order: [`args`] the options with a meaning
//! here, [`foreign`] nodeos' options without one, [`ini`] the file, [`keys`] signature providers.

pub mod args;
mod foreign;
mod ini;
pub mod keys;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches};

use args::{Cli, Subcommand};
pub use args::{ExportArgs, NodeArgs, ReplayArgs};

/// What the command line asks for.
#[derive(Debug)]
pub enum Work {
    /// Run the node.
    Node(Box<NodeArgs>),
    /// Replay a block log.
    Replay(ReplayArgs),
    /// Write a block log.
    ExportBlocks(ExportArgs),
}

/// The work, and what the user should know about the options.
#[derive(Debug)]
pub struct Parsed {
    /// What to do.
    pub work: Work,
    /// One line for each option that has no effect here.
    pub notices: Vec<String>,
}

/// Reads the command line and, for the node, `config.ini`.
///
/// # Errors
/// `config.ini` cannot be read. A wrong option ends the program with clap's own message, which names the nearest one.
pub fn parse(argv: Vec<OsString>) -> anyhow::Result<Parsed> {
    let mut notices = Vec::new();
    let words: Vec<String> = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (program, rest) = words.split_first().map_or(("boreasd", &[][..]), |(first, rest)| (first.as_str(), rest));
    let subcommand = rest.first().is_some_and(|word| Cli::command().find_subcommand(word).is_some());
    let rest = if subcommand { rest.to_vec() } else { foreign::strip(rest, "the command line", &mut notices) };
    let mut words = vec![program.to_owned()];
    if !subcommand {
        let (config, named) = config_file(&rest);
        if config.exists() {
            let text = std::fs::read_to_string(&config)
                .with_context(|| format!("cannot read the configuration {}", config.display()))?;
            let lines = ini::arguments(&text, &Cli::command())
                .with_context(|| format!("the configuration {} is not understood", config.display()))?;
            words.extend(foreign::strip(&lines, &config.display().to_string(), &mut notices));
        } else if named {
            anyhow::bail!("there is no configuration {}", config.display());
        }
    }
    words.extend(rest);
    let matches = Cli::command().get_matches_from(words);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let work = match cli.subcommand {
        None => Work::Node(Box::new(cli.node)),
        Some(Subcommand::Replay(args)) => Work::Replay(args),
        Some(Subcommand::ExportBlocks(args)) => Work::ExportBlocks(args),
    };
    Ok(Parsed { work, notices })
}

/// Where `config.ini` is, and whether the user named it.
fn config_file(words: &[String]) -> (PathBuf, bool) {
    let value = |names: &[&str]| {
        words.iter().enumerate().find_map(|(index, word)| {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            names.contains(&name).then(|| value.map(str::to_owned).or_else(|| words.get(index + 1).cloned())).flatten()
        })
    };
    let folder = value(&["--config-dir"]).map_or_else(args::default_config_dir, PathBuf::from);
    match value(&["--config", "-c"]) {
        Some(file) => (folder.join(file), true),
        None => (folder.join("config.ini"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(words: &[&str]) -> (NodeArgs, Vec<String>) {
        let argv = std::iter::once("boreasd").chain(words.iter().copied()).map(OsString::from).collect();
        let Parsed { work, notices } = parse(argv).unwrap();
        match work {
            Work::Node(args) => (*args, notices),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_lists_add_up() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# comment\nproducer-name = eosio\nmax-transaction-time=50\nenable-stale-production = true\n\
                    pause-on-startup = false\nagent-name = \"me\"\n";
        std::fs::write(folder.path().join("config.ini"), text).unwrap();
        let config = folder.path().to_str().unwrap();
        let (args, notices) = node(&["--config-dir", config, "-p", "proda", "--max-transaction-time", "60"]);
        assert_eq!(args.producer.producer_name, ["eosio", "proda"]);
        assert_eq!(args.producer.max_transaction_time, 60);
        assert!(args.producer.enable_stale_production && !args.producer.pause_on_startup);
        assert_eq!(notices.len(), 1);
    }

    #[test]
    fn nodeos_options_without_a_meaning_are_noticed() {
        let words =
            ["--config-dir", "/nonexistent", "--chain-state-db-size-mb", "4096", "--http-validate-host=false", "-e"];
        let (args, notices) = node(&words);
        assert!(!args.http.http_validate_host && args.producer.enable_stale_production);
        assert_eq!(notices.len(), 1, "{notices:?}");
    }
}
