//! Settings: defaults, then `config.ini`, then the command line. Reading order: [`args`] the options of the node,
//! [`commands`] the subcommands, [`foreign`] nodeos' options without a meaning here, [`ini`] the file, [`template`]
//! a file with the defaults.

pub mod args;
pub mod commands;
mod foreign;
mod ini;
mod template;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Command, CommandFactory, FromArgMatches};

use crate::dev;
use args::Cli;
pub use args::{NodeArgs, PrintArgs};
use commands::Subcommand;
pub use commands::{DevArgs, ExportArgs, ReplayArgs};
pub use template::default_config;

/// Options that `config.ini` cannot have.
#[rustfmt::skip]
const COMMAND_LINE_ONLY: [&str; 23] = [
    "config", "config-dir", "data-dir", "delete-all-blocks", "delete-state-history", "disable-replay-opts",
    "extract-build-info", "extract-genesis-json", "force-all-checks", "full-version", "genesis-json",
    "genesis-timestamp", "hard-replay-blockchain", "help", "logconf", "print-build-info", "print-default-config",
    "print-genesis-json", "replay-blockchain", "snapshot", "terminate-at-block", "truncate-at-block",
    "version",
];

/// What the command line asks for.
#[derive(Debug)]
pub enum Work {
    /// Run the node.
    Node(Box<NodeArgs>),
    /// Run a development chain.
    Dev(Box<DevArgs>),
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

/// The command line with nodeos' options.
fn command() -> Command {
    let with_foreign = |command: Command| command.args(foreign::arguments());
    with_foreign(Cli::command()).mut_subcommand("dev", with_foreign)
}

/// Reads the command line and, for the node, `config.ini`.
///
/// # Errors
/// A wrong option, with clap's own message, which names the nearest one; or `config.ini` cannot be read.
pub fn parse(argv: &[OsString]) -> anyhow::Result<Parsed> {
    let command = command();
    let words: Vec<String> = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (program, rest) = words.split_first().map_or(("boreasd", &[][..]), |(first, rest)| (first.as_str(), rest));
    let mut words = vec![program.to_owned()];
    match rest.first().filter(|word| command.find_subcommand(word).is_some()).map(String::as_str) {
        Some("dev") => {
            words.push("dev".to_owned());
            words.extend(dev::DEFAULTS.map(str::to_owned));
            words.push(format!("--data-dir={}", args::default_folder("dev/data").display()));
            let config_dir = args::default_folder("dev/config");
            words.push(format!("--config-dir={}", config_dir.display()));
            words.extend(configuration(&rest[1..], config_dir, &command)?);
            words.extend_from_slice(&rest[1..]);
        }
        Some(_) => words.extend_from_slice(rest),
        None => {
            words.extend(configuration(rest, args::default_config_dir(), &command)?);
            words.extend_from_slice(rest);
        }
    }
    let matches = command.try_get_matches_from(words)?;
    let notices = foreign::notices(matches.subcommand_matches("dev").unwrap_or(&matches));
    let cli = Cli::from_arg_matches(&matches)?;
    let work = match cli.subcommand {
        None => Work::Node(Box::new(cli.node)),
        Some(Subcommand::Dev(args)) => Work::Dev(args),
        Some(Subcommand::Replay(args)) => Work::Replay(args),
        Some(Subcommand::ExportBlocks(args)) => Work::ExportBlocks(args),
    };
    Ok(Parsed { work, notices })
}

/// The words of `config.ini`; `words` are those of the command line, which say where it is.
fn configuration(words: &[String], default_dir: PathBuf, command: &Command) -> anyhow::Result<Vec<String>> {
    let (path, named) = config_file(words, default_dir);
    if !path.exists() {
        anyhow::ensure!(!named, "there is no configuration {}", path.display());
        return Ok(Vec::new());
    }
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read the configuration {}", path.display()))?;
    ini::arguments(&text, command).with_context(|| format!("the configuration {} is not understood", path.display()))
}

/// Where `config.ini` is, and whether the user named it.
fn config_file(words: &[String], default_dir: PathBuf) -> (PathBuf, bool) {
    let value = |names: &[&str]| {
        words.iter().enumerate().rev().find_map(|(index, word)| {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            names.contains(&name).then(|| value.map(str::to_owned).or_else(|| words.get(index + 1).cloned())).flatten()
        })
    };
    let folder = value(&["--config-dir"]).map_or(default_dir, PathBuf::from);
    match value(&["--config", "-c"]) {
        Some(file) => (folder.join(file), true),
        None => (folder.join("config.ini"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> anyhow::Result<Parsed> {
        parse(&std::iter::once("boreasd").chain(words.iter().copied()).map(OsString::from).collect::<Vec<_>>())
    }

    fn node(words: &[&str]) -> (NodeArgs, Vec<String>) {
        let Parsed { work, notices } = parsed(words).unwrap();
        match work {
            Work::Node(args) => (*args, notices),
            other => panic!("{other:?}"),
        }
    }

    fn with_file(text: &str, words: &[&str]) -> anyhow::Result<(NodeArgs, Vec<String>)> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("config.ini"), text)?;
        let config = folder.path().to_str().unwrap().to_owned();
        let Parsed { work, notices } = parsed(&[&["--config-dir", &config], words].concat())?;
        match work {
            Work::Node(args) => Ok((*args, notices)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_lists_add_up() {
        let text = "# comment\nproducer-name = eosio # the first\nmax-transaction-time=50\r\n  enable-stale-production = TRUE\n\
                    pause-on-startup = false\nagent-name = \"me\"\ncontracts-console\t=\nproducer-name=proda\n";
        let (args, notices) = with_file(text, &["-p", "prodb", "--max-transaction-time", "60"]).unwrap();
        assert_eq!(args.producer.producer_name, ["eosio", "proda", "prodb"]);
        assert_eq!(args.producer.max_transaction_time, 60);
        assert!(args.producer.enable_stale_production && !args.producer.pause_on_startup);
        assert!(args.chain.contracts_console);
        assert_eq!(notices.len(), 1);
    }

    #[test]
    fn a_wrong_file_is_told_by_line() {
        let wrong = |text: &str| format!("{:#}", with_file(text, &[]).unwrap_err());
        let message = wrong("\nproducer-nam = eosio\n");
        assert!(message.contains("line 2") && message.contains("producer-name"), "{message}");
        assert!(wrong("just words").contains("line 1"));
        assert!(wrong("delete-all-blocks = true").contains("command line only"));
        assert!(wrong("contracts-console = maybe").contains("maybe"));
        assert!(wrong("[section]\n").contains("line 1"));
    }

    #[test]
    fn nodeos_options_without_a_meaning_are_noticed() {
        let words = [
            "--config-dir",
            "/nonexistent",
            "--chain-state-db-size-mb",
            "4096",
            "--http-validate-host=false",
            "-e",
            "--trace-minimum-irreversible-history-blocks",
            "-1",
            "--p2p-peer-address",
            "a:1",
            "b:2",
            "--deep-mind",
        ];
        let (args, notices) = node(&words);
        assert!(!args.http.http_validate_host && args.producer.enable_stale_production);
        assert_eq!(notices.len(), 4, "{notices:?}");
    }

    #[test]
    fn an_unknown_option_names_the_nearest() {
        let message = parsed(&["--http-server-adress", "x"]).unwrap_err().to_string();
        assert!(message.contains("--http-server-address"), "{message}");
        let message = parsed(&["--chain-state-db-sizemb", "1"]).unwrap_err().to_string();
        assert!(message.contains("--chain-state-db-size-mb"), "{message}");
    }

    #[test]
    fn dev_has_its_own_folders_and_defaults() {
        let work = parsed(&["dev", "--http-threads", "3", "--net-threads", "2"]).unwrap();
        let Work::Dev(args) = work.work else { panic!("{:?}", work.work) };
        assert!(args.node.chain.contracts_console && args.node.folders.data_dir.ends_with("dev/data"));
        assert_eq!((args.node.http.http_threads, work.notices.len()), (3, 1));
    }
}
