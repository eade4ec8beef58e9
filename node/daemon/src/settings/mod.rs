//! Settings: defaults, then `config.ini`, then the command line. Reading order: [`args`] the options of the node,
//! [`net`] those of the network, [`commands`] the command line with its subcommands, [`foreign`] nodeos' options without a meaning here,
//! [`conflicts`] options that exclude each other, [`repeated`] those given twice, [`plugins`] nodeos' plugins,
//! [`ini`] the file, [`value`] values of options, [`template`] a file with the defaults.

pub mod args;
pub mod commands;
mod conflicts;
mod foreign;
mod ini;
pub mod net;
mod plugins;
mod repeated;
mod template;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};
use genesis::parameters::{PARAMETERS, Parameter, Unit};

pub use args::{NodeArgs, PrintArgs};
pub use commands::{CheckArgs, DevArgs, ExportArgs, ReplayArgs, SalvageArgs};
use commands::{Cli, DEV_DEFAULTS, Subcommand};
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
    /// Write what is whole of a block log.
    Salvage(SalvageArgs),
    /// Read all that a node keeps.
    Check(CheckArgs),
    /// Serve the chain of a contract's test.
    ContractChain,
}

/// The work, and what the user should know about the options.
#[derive(Debug)]
pub struct Parsed {
    /// What to do.
    pub work: Work,
    /// One line for each option that has no effect here.
    pub notices: Vec<String>,
}

/// The command line with nodeos' options. The usage of `dev` is said: clap's own would list the options that every
/// development chain begins with.
fn command() -> Command {
    let with_foreign = |command: Command| command.args(foreign::arguments());
    with_foreign(Cli::command())
        .mut_subcommand("dev", |dev| with_foreign(dev).args(parameters()).override_usage("boreasd dev [OPTIONS]"))
}

/// The numbers of the system contract, for new development chains.
fn parameters() -> impl Iterator<Item = Arg> {
    PARAMETERS.iter().map(|parameter| {
        let value = match parameter.unit {
            Unit::Seconds | Unit::Slots => "DURATION",
            Unit::Tokens => "TOKENS",
            Unit::Count => "NUM",
            Unit::Flag => "BOOL",
        };
        let argument = Arg::new(parameter.option).long(parameter.option).value_name(value).action(ArgAction::Set);
        argument.help(parameter.help).help_heading("Numbers of the system contract of a new chain")
    })
}

/// Reads the command line and, for the node, `config.ini`.
///
/// # Errors
/// A wrong option, with clap's own message, which names the nearest one; or `config.ini` cannot be read.
pub fn parse(argv: &[OsString]) -> anyhow::Result<Parsed> {
    let words = texts(argv);
    let kind = Kind::of(&words);
    // Scripts that begin a development chain put what the user says behind what they say themselves.
    if kind != Kind::Dev {
        repeated::on_command_line(&words, &command())?;
    }
    if kind == Kind::Tool {
        return combine(argv, None);
    }
    let (path, named) = config_file(&words, kind.config_dir());
    if path.symlink_metadata().is_err() {
        anyhow::ensure!(!named, "there is no configuration {}", path.display());
        return combine(argv, None);
    }
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| format!("cannot read the configuration {}", path.display()))?;
    combine(argv, Some(&text)).map_err(|error| match error.downcast::<ini::Mistake>() {
        Ok(mistake) => anyhow::anyhow!("{}, {mistake}", path.display()),
        Err(error) => error,
    })
}

/// Reads the command line with a `config.ini` of this text.
///
/// # Errors
/// A wrong option, or a wrong line of the file.
pub fn combine(argv: &[OsString], config: Option<&str>) -> anyhow::Result<Parsed> {
    let command = command();
    let given = texts(argv);
    let kind = Kind::of(&given);
    let own = given.get(kind.first_option()..).unwrap_or_default();
    let mut words = given[..given.len() - own.len()].to_vec();
    if kind == Kind::Dev {
        words.extend(DEV_DEFAULTS.map(str::to_owned));
        words.push(format!("--data-dir={}", args::default_folder("dev/data").display()));
        words.push(format!("--config-dir={}", kind.config_dir().display()));
    }
    let from_file = config.map(|text| ini::arguments(text, &command)).transpose()?.unwrap_or_default();
    words.extend(from_file.iter().map(|word| word.text.clone()));
    words.extend_from_slice(own);
    let matches = command.clone().try_get_matches_from(words);
    let matches = matches.map_err(|error| match (ini::blame(&from_file, &command), unknown(&error)) {
        (Some(mistake), _) => anyhow::Error::new(mistake),
        (None, Some(told)) => anyhow::anyhow!(told),
        (None, None) => error.into(),
    })?;
    let of_node = matches.subcommand_matches("dev").unwrap_or(&matches);
    let mut notices = foreign::notices(of_node);
    let mut cli = Cli::from_arg_matches(&matches)?;
    let node = match &mut cli.subcommand {
        Some(Subcommand::Dev(args)) => &mut args.node,
        _ => &mut cli.node,
    };
    if kind != Kind::Tool {
        conflicts::check(node, of_node)?;
        read_mode(node, kind, &mut notices)?;
    }
    match node.folders.block_log_retain_blocks {
        Some(0) => node.folders.blocks_dir = None,
        Some(_) => notices.push("--block-log-retain-blocks has no effect: the block log has all blocks".to_owned()),
        None => {}
    }
    node.folders.plugin = plugins::names(&node.folders.plugin, &mut notices)?;
    let work = match cli.subcommand {
        None => Work::Node(Box::new(cli.node)),
        Some(Subcommand::Dev(mut args)) => {
            let given = matches.subcommand_matches("dev");
            let value = |parameter: &Parameter| given?.get_one::<String>(parameter.option).cloned();
            args.parameters = PARAMETERS.iter().filter_map(|parameter| Some((*parameter, value(parameter)?))).collect();
            Work::Dev(args)
        }
        Some(Subcommand::Replay(args)) => Work::Replay(args),
        Some(Subcommand::ExportBlocks(args)) => Work::ExportBlocks(args),
        Some(Subcommand::Salvage(args)) => Work::Salvage(args),
        Some(Subcommand::Check(args)) => Work::Check(args),
        Some(Subcommand::ContractChain) => Work::ContractChain,
    };
    Ok(Parsed { work, notices })
}

/// Takes the options that a mode of reading decides for what it decides.
fn read_mode(node: &mut NodeArgs, kind: Kind, notices: &mut Vec<String>) -> anyhow::Result<()> {
    if node.chain.read_mode == "speculative" {
        notices.push("--read-mode speculative has no effect: the state is that of the head".to_owned());
    }
    if !node.chain.is_irreversible_only() {
        return Ok(());
    }
    anyhow::ensure!(
        kind == Kind::Node,
        "--read-mode irreversible is for nodes that follow others, and a development chain makes its own blocks; leave it \
         out and read last_irreversible_block_num of get_info, or let another boreasd follow with it"
    );
    // As nodeos does, whatever they are.
    node.chain.api_accept_transactions = false;
    node.net.p2p_accept_transactions = false;
    notices.push(
        "--read-mode irreversible: neither the API (--api-accept-transactions) nor peers (--p2p-accept-transactions) give \
         this node transactions"
            .to_owned(),
    );
    Ok(())
}

/// What is said of an unknown option of the command line that nodeos had once.
fn unknown(error: &clap::Error) -> Option<String> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = word.split('=').next()?.strip_prefix("--")?;
    (error.kind() == ErrorKind::UnknownArgument).then(|| ini::former(name))?
}

fn texts(argv: &[OsString]) -> Vec<String> {
    argv.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// What runs, as the first word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Node,
    Dev,
    /// A subcommand without a configuration.
    Tool,
}

impl Kind {
    fn of(words: &[String]) -> Self {
        match words.get(1).map(String::as_str) {
            Some("dev") => Self::Dev,
            Some(word) if !word.starts_with('-') => Self::Tool,
            _ => Self::Node,
        }
    }

    /// Where the options begin.
    fn first_option(self) -> usize {
        if self == Self::Dev { 2 } else { 1 }
    }

    fn config_dir(self) -> PathBuf {
        if self == Self::Dev { args::default_folder("dev/config") } else { args::default_config_dir() }
    }
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
                    pause-on-startup = false\nwallet-dir = \"me\"\ncontracts-console\t=\nproducer-name=proda\n";
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
    fn a_configuration_that_cannot_be_read_is_not_passed_over() {
        for make in [
            |path: &std::path::Path| std::fs::create_dir(path),
            |path: &std::path::Path| std::os::unix::fs::symlink("/nonexistent/config.ini", path),
            |path: &std::path::Path| std::fs::write(path, b"agent-name = \xff\n"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            make(&folder.path().join("config.ini")).unwrap();
            let message = parsed(&["--config-dir", folder.path().to_str().unwrap()]).unwrap_err().to_string();
            assert!(message.contains("cannot read the configuration"), "{message}");
        }
    }

    #[test]
    fn a_block_log_is_kept_unless_it_is_to_retain_nothing() {
        let kept = |words: &[&str]| {
            let (args, notices) = node(words);
            (args.folders.blocks_dir.is_some(), notices.len())
        };
        assert_eq!(kept(&["--blocks-dir", "b"]), (true, 0));
        assert_eq!(kept(&["--blocks-dir", "b", "--block-log-retain-blocks", "0"]), (false, 0));
        assert_eq!(kept(&["--blocks-dir", "b", "--block-log-retain-blocks", "10"]), (true, 1));
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
            "--p2p-auto-bp-peer",
            "a,b:1",
            "c,d:2",
            "--deep-mind",
        ];
        let (args, notices) = node(&words);
        assert!(!args.http.http_validate_host && args.producer.enable_stale_production);
        assert_eq!(notices.len(), 3, "{notices:?}");
    }

    /// Each option that has a wrong value, on the command line and in the file, with words of what is said.
    #[test]
    fn nonsense_is_refused_in_words() {
        let table = [
            ("max-transaction-time", "abc", "it is not a whole number"),
            ("max-transaction-time", "1.5", "it is not a whole number"),
            ("max-transaction-time", "4294967296", "it is too large"),
            ("http-max-bytes-in-flight-mb", "-2", "it must be from -1 to 8796093022206"),
            ("http-max-in-flight-requests", "-2", "it must be from -1 to"),
            ("http-threads", "0", "it must be at least 1"),
            ("http-threads", "65536", "it is too large"),
            ("max-body-size", "-1", "it must be from 0 to 4294967295"),
            ("cpu-effort-percent", "101", "it must be from 0 to 100"),
            ("signature-cpu-billable-pct", "-1", "it must be from 0 to 100"),
            ("greylist-limit", "0", "it must be from 1 to 1000"),
            ("max-block-cpu-usage-threshold-us", "500000", "it must be from 0 to 499999"),
            ("incoming-transaction-queue-size-mb", "0", "it must be from 1 to 65535"),
            ("incoming-defer-ratio", "-2", "it must be a number from 0 on"),
            ("incoming-defer-ratio", "nan", "it must be a number from 0 on"),
            ("transaction-retry-interval-sec", "-1", "it must be at least 0"),
            ("validation-mode", "foo", "[possible values: full, light]"),
            ("api-accept-transactions", "2", "it must be true or false"),
            ("enable-account-queries", "foo", "it must be true or false"),
            ("read-mode", "foo", "[possible values: head, irreversible, speculative]"),
            ("database-map-mode", "foo", "[possible values: mapped, heap, locked]"),
            ("wasm-runtime", "wabt", "[possible values: eos-vm-jit, eos-vm]"),
            ("chain-state-db-size-mb", "1GB", "it is not a whole number"),
            ("chain-threads", "0", "it must be from 1 to 65535"),
            ("net-threads", "-1", "it must be from 1 to 65535"),
            ("read-only-threads", "9", "it must be from 0 to 8"),
            ("http-max-response-time-ms", "-2", "it must be from -1"),
            ("resource-monitor-space-threshold", "5", "it must be from 6 to 99"),
            ("resource-monitor-interval-seconds", "301", "it must be from 1 to 300"),
            ("resource-monitor-warning-interval", "0", "it must be from 1 to 450"),
            ("p2p-keepalive-interval-ms", "0", "it must be from 1 to"),
            ("p2p-accept-transactions", "maybe", "it must be true or false"),
            ("subjective-account-decay-time-minutes", "0", "it must be from 1 to"),
            ("trace-minimum-irreversible-history-blocks", "-2", "it must be from -1 to"),
            ("eos-vm-oc-compile-threads", "0", "it must be from 1 to"),
            ("trace-rpc-abi", "eosio", "it must be ACCOUNT=ABI"),
            ("trace-rpc-abi", "=eosio.abi", "it must be ACCOUNT=ABI"),
        ];
        for (name, value, expected) in table {
            let words = ["--config-dir", "/nonexistent", &format!("--{name}"), value];
            let message = parsed(&words).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(name), "--{name} {value}: {message}");
            let message = format!("{:#}", with_file(&format!("\n\n{name} = {value}\n"), &["-e"]).unwrap_err());
            let in_file = message.contains("config.ini, line 3: ") && message.contains(expected);
            assert!(in_file && message.contains(name) && !message.contains('\n'), "{name} = {value}: {message}");
        }
    }

    /// A state to begin with is loaded before anything else is looked at, with --reset in the place of the chain that is
    /// there: what does not go with it is refused first.
    #[test]
    fn a_state_that_is_loaded_excludes_other_beginnings() {
        for other in [["--snapshot", "s"], ["--genesis-json", "g"], ["--genesis-timestamp", "now"], ["--accounts", "3"]]
        {
            let words = ["dev", "--config-dir", "/nonexistent", "--reset", "--load", "f", other[0], other[1]];
            let message = parsed(&words).unwrap_err().to_string();
            assert!(message.contains("cannot be used with") && message.contains(other[0]), "{message}");
        }
    }

    /// Values that are read later are checked while the line is known.
    #[test]
    fn names_and_keys_in_the_file_are_refused_with_their_line() {
        const PRIVATE: &str = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";
        for (name, value, expected) in [
            ("producer-name", "A", "producer-name: A is not a valid name"),
            ("actor-blacklist", "alice.", "actor-blacklist: alice. is not a valid name"),
            ("greylist-account", "thirteenletter", "greylist-account: thirteenletter is not a valid name"),
            ("key-blacklist", "EOS6", "key-blacklist: EOS6 is not a valid public key"),
            ("peer-key", PRIVATE, "peer-key: it is a private key"),
        ] {
            let message = format!("{:#}", with_file(&format!("\n{name} = {value}\n"), &[]).unwrap_err());
            assert!(message.contains(&format!("config.ini, line 2: {expected}")), "{name} = {value}: {message}");
            assert!(!message.contains(PRIVATE), "{message}");
        }
    }

    #[test]
    fn what_the_command_line_gets_wrong_is_not_blamed_on_the_file() {
        let message = format!("{:#}", with_file("http-threads = 3\n", &["--http-threads", "0"]).unwrap_err());
        assert!(!message.contains("config.ini"), "{message}");
    }

    #[test]
    fn options_of_the_past_say_what_took_their_place() {
        for (name, instead) in
            [("private-key", "signature-provider"), ("https-server-address", "a proxy"), ("filter-on", "gone")]
        {
            let message = format!("{:#}", with_file(&format!("{name} = x\n"), &[]).unwrap_err());
            assert!(message.contains("line 1") && message.contains(instead), "{message}");
            for words in [&[format!("--{name}"), "x".to_owned()][..], &[format!("--{name}=x")]] {
                let words: Vec<_> = words.iter().map(String::as_str).collect();
                let message = parsed(&words).unwrap_err().to_string();
                assert!(message.contains("no option") && message.contains(instead), "{message}");
            }
        }
    }

    /// As nodeos 4.1: by whichever name, in one place, and lists as often as one likes.
    #[test]
    fn an_option_that_is_given_twice_is_refused() {
        let twice = |words: &str| parsed(&words.split(' ').collect::<Vec<_>>());
        for (words, option) in [
            ("--http-threads 2 --http-threads 2", "--http-threads"),
            ("--http-thr 2 --http-threads=3", "--http-threads"),
            ("-e --enable-stale-production", "--enable-stale-production"),
            ("-d a --data-dir b", "--data-dir"),
            ("--read-mode head --read-mode irreversible", "--read-mode"),
            ("--chain-state-db-size-mb 1 --chain-state-db-size-mb 2", "--chain-state-db-size-mb"),
            ("--deep-mind --deep-mind", "--deep-mind"),
            ("-c a.ini -c b.ini", "--config"),
            ("--http-validate-host 0 --http-validate-host 1", "--http-validate-host"),
            ("replay --blocks-log a --data-dir b --data-dir c", "--data-dir"),
            ("export-blocks --data-dir b --data-dir c d", "--data-dir"),
        ] {
            let message = twice(words).unwrap_err().to_string();
            assert!(message.contains(option) && message.contains("more than once"), "{words}: {message}");
        }
        for text in
            ["read-mode = head\n\nread-mode = head\n", "contracts-console = false\n#\ncontracts-console = true\n"]
        {
            let message = format!("{:#}", with_file(text, &[]).unwrap_err());
            assert!(message.contains("line 3: ") && message.contains(" is given in line 1 already"), "{message}");
            assert!(message.contains(text.split(' ').next().unwrap()), "{message}");
        }
        let lists =
            "-p a b -p c --plugin chain_api_plugin --plugin net_api_plugin --trace-rpc-abi a=b --trace-rpc-abi c=d";
        assert!(twice(&format!("--config-dir /nonexistent {lists}")).is_ok());
        assert!(
            with_file("p2p-peer-address = a:1\np2p-peer-address = b:1\nhttp-threads = 2\n", &["--http-threads", "3"])
                .is_ok()
        );
        assert!(twice("dev --config-dir /nonexistent --data-dir a --data-dir b").is_ok());
    }

    /// What nodeos 4.1 refuses, each in a line of the command line and without the half of it.
    #[test]
    fn options_that_exclude_each_other_are_refused() {
        let table = [
            ("-p eosio", "--read-mode irreversible"),
            ("-p eosio", "--validation-mode light"),
            ("-p eosio", "--api-accept-transactions false --p2p-accept-transactions false"),
            ("-p eosio", "--read-only-threads 2"),
            ("--block-log-retain-blocks 0", "--blocks-log-stride 5"),
            ("--block-log-retain-blocks 5", "--blocks-archive-dir x"),
            ("--trace-no-abis", "--trace-rpc-abi eosio=eosio.abi"),
            ("--transaction-retry-max-storage-size-gb 1", "--transaction-retry-interval-sec 120"),
        ];
        for (one, other) in table {
            let line = |halves: &[&str]| {
                let words = halves.iter().flat_map(|half| half.split(' '));
                parsed(&["--config-dir", "/nonexistent"].into_iter().chain(words).collect::<Vec<_>>())
            };
            assert!(line(&[one]).is_ok() && line(&[other]).is_ok(), "{one} or {other} is refused alone");
            let message = line(&[one, other]).unwrap_err().to_string();
            let option = other.split(' ').next().unwrap();
            assert!(message.contains(option), "{one} {other}: {message}");
        }
        assert!(parsed(&["-p", "eosio", "--api-accept-transactions", "false"]).is_ok());
    }

    /// nodeos turns both off in this mode, whatever was given.
    #[test]
    fn a_state_of_irreversible_blocks_takes_no_transactions() {
        let (args, notices) = node(&["--read-mode", "irreversible", "--api-accept-transactions", "true"]);
        assert!(args.chain.is_irreversible_only());
        assert!(!args.chain.api_accept_transactions && !args.net.p2p_accept_transactions);
        assert!(notices.len() == 1 && notices[0].contains("--p2p-accept-transactions"), "{notices:?}");
        let (args, notices) = node(&["--read-mode", "speculative"]);
        assert!(args.chain.api_accept_transactions && notices[0].contains("has no effect"), "{notices:?}");
        let message = parsed(&["dev", "--config-dir", "/nonexistent", "--read-mode", "irreversible"]).unwrap_err();
        assert!(message.to_string().contains("makes its own blocks"), "{message}");
    }

    /// A configuration that says what nodeos does anyway is passed over; the rest is one line for each reason.
    #[test]
    fn defaults_of_nodeos_are_not_worth_a_line() {
        let defaults = "chain-state-db-size-mb = 1024\nread-mode = head\np2p-listen-endpoint = 0.0.0.0:9876\n\
                        wasm-runtime = eos-vm-jit\nnet-threads = 4\nagent-name = \"EOS Test Agent\"\n\
                        p2p-accept-transactions = true\nuse-socket-read-watermark = 0\ndeep-mind = false\n\
                        trace-minimum-irreversible-history-blocks = -1\nunlock-timeout = 900\n";
        assert_eq!(with_file(defaults, &[]).unwrap().1, Vec::<String>::new());
        let others = "blocks-log-stride = 5\nmax-retained-block-files = 100\nchain-threads = 8\n";
        let notices = with_file(&format!("{defaults}{others}"), &[]).unwrap().1;
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert!(
            notices
                .iter()
                .any(|line| line.contains("--blocks-log-stride") && line.contains("--max-retained-block-files")),
            "{notices:?}"
        );
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
        let work = parsed(&["dev", "--http-threads", "3", "--chain-threads", "4"]).unwrap();
        let Work::Dev(args) = work.work else { panic!("{:?}", work.work) };
        assert!(args.node.chain.contracts_console && args.node.folders.data_dir.ends_with("dev/data"));
        assert_eq!((args.node.http.http_threads, work.notices.len()), (3, 1));
    }
}
