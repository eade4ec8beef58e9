//! The whole command line of `boreasd`: its subcommands and their options.

use std::path::PathBuf;

use clap::{Args, Parser};
use engine::Blocks;
use genesis::parameters::Parameter;

use super::args::{NodeArgs, default_data_dir};

/// The options that a development chain begins with; `config.ini` and the command line come after them.
pub const DEV_DEFAULTS: [&str; 12] = [
    "--enable-stale-production",
    "--contracts-console",
    "--verbose-http-errors",
    "--enable-account-queries=true",
    "--trace-rows=true",
    "--transaction-finality-status-max-storage-size-gb=1",
    "--plugin=eosio::chain_api_plugin",
    "--plugin=eosio::db_size_api_plugin",
    "--plugin=eosio::net_api_plugin",
    "--plugin=eosio::producer_api_plugin",
    "--plugin=eosio::trace_api_plugin",
    "--plugin=eosio::prometheus_plugin",
];

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "boreasd",
    disable_version_flag = true,
    about = "A node of an Antelope chain: produces, stores and serves blocks. Speaks the HTTP API of nodeos.",
    args_override_self = true,
    infer_long_args = true,
    args_conflicts_with_subcommands = true,
    max_term_width = 120,
    after_help = "Any other option of nodeos 4.1 is accepted with a line that says why it has no effect."
)]
pub struct Cli {
    /// Running the node.
    #[command(flatten)]
    pub node: NodeArgs,
    /// Working on files instead.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,
}

/// What else `boreasd` does.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Run a development chain: all features, the system contracts, accounts with tokens whose keys are printed
    Dev(Box<DevArgs>),
    /// Replay a block log and print where the chain ends
    Replay(ReplayArgs),
    /// Write the irreversible blocks of a node as a block log of nodeos
    ExportBlocks(ExportArgs),
    /// Write the whole blocks of a damaged block log, up to the damage, into a new one
    Salvage(SalvageArgs),
    /// Read all that a node keeps, blocks, traces and state, and say what of it is damaged
    Check(CheckArgs),
    /// A chain for one test of a contract: JSON requests on standard input, answers on standard output
    ContractChain,
}

/// Options of `dev`.
#[derive(Debug, Clone, Args)]
pub struct DevArgs {
    /// Begin anew
    #[arg(long)]
    pub reset: bool,
    /// Document of a new chain in place of a built-in one: accounts, producers, parameters
    #[arg(long, alias = "document", value_name = "FILE", conflicts_with = "preset")]
    pub genesis_document: Option<PathBuf>,
    /// Built-in document of a new chain: dev has short waits, mainnet the numbers of EOS, minimal one account
    /// [default: dev]
    #[arg(long, value_name = "NAME", value_parser = ["dev", "mainnet", "minimal"])]
    pub preset: Option<String>,
    /// Accounts of a new chain
    #[arg(long, value_name = "NUM")]
    pub accounts: Option<usize>,
    /// Producers of a new chain, all of them elected
    #[arg(long, value_name = "NUM")]
    pub producers: Option<usize>,
    /// When blocks are made: each half second (interval) or each so many (interval=5s), after each transaction, or by
    /// command (manual). In the last two time stands still between blocks
    #[arg(long, value_name = "MODE", default_value = "interval", value_parser = block_mode)]
    pub block_mode: engine::Blocks,
    /// Leave out blocks that are empty and that nothing waits for, but one each five seconds
    #[arg(long)]
    pub no_empty_blocks: bool,
    /// What decides the CPU that transactions are billed: their size and number of actions (fixed), the same on every
    /// machine; or the time they take (measured)
    #[arg(long, value_name = "HOW", default_value = "fixed", value_parser = ["fixed", "measured"])]
    pub cpu_billing: String,
    /// Begin with the chain and the state of a file that boreas dev dump wrote
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "genesis_document", "preset", "accounts", "producers", "snapshot", "genesis_json", "genesis_timestamp",
        ]
    )]
    pub load: Option<PathBuf>,
    /// URL of a node of another chain that contracts are copied from, with their rows, once this node answers
    #[arg(long, value_name = "URL", requires = "contract")]
    pub fork_url: Option<String>,
    /// The contracts that are copied from --fork-url
    #[arg(long, value_name = "A,B", value_delimiter = ',', requires = "fork_url")]
    pub contract: Vec<String>,
    /// Numbers of the system contract that were given for a new chain.
    #[arg(skip)]
    pub parameters: Vec<(Parameter, String)>,
    /// Running the node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Milliseconds of a slot.
const SLOT_MS: f64 = 500.0;
/// Seconds between two blocks at most: clients' transactions live for thirty.
const BLOCK_INTERVAL_S_MAX: f64 = 20.0;

/// When blocks are made.
fn block_mode(text: &str) -> Result<Blocks, String> {
    match text {
        "interval" => Ok(Blocks::ALL_SLOTS),
        "transaction" => Ok(Blocks::OnTransaction),
        "manual" => Ok(Blocks::OnCommand),
        _ => {
            let seconds = text.strip_prefix("interval=").map(|text| text.trim_end_matches('s').parse::<f64>());
            let Some(Ok(seconds)) = seconds else {
                return Err("it must be interval, interval=SECONDS, transaction or manual".to_owned());
            };
            let every = seconds * 1000.0 / SLOT_MS;
            if !(1.0..=BLOCK_INTERVAL_S_MAX * 1000.0 / SLOT_MS).contains(&every) || every.fract() != 0.0 {
                return Err(format!("the interval must be a multiple of 0.5 seconds, {BLOCK_INTERVAL_S_MAX} at most"));
            }
            Ok(Blocks::Slots { every: every as u32, empty: true })
        }
    }
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Block log of nodeos, or its data or blocks folder, of which the parts of a split log and the reversible blocks are
    /// taken too; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub blocks_log: Vec<PathBuf>,
    /// Genesis document, to make sure that the log is of its chain
    #[arg(long, value_name = "FILE")]
    pub genesis_json: Option<PathBuf>,
    /// Snapshot to begin from, where the log does not begin with block 1 or its beginning is not wanted
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// Last block to apply
    #[arg(long, value_name = "NUM")]
    pub stop_at_block: Option<u32>,
    /// Check signatures and authorisations too
    #[arg(long)]
    pub force_all_checks: bool,
    /// Folder of a node that the blocks and the state are kept in; a chain that it has is continued
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print one JSON object on the last line
    #[arg(long)]
    pub json: bool,
}

/// Options of `export-blocks`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Folder of the node; it must not be running
    #[arg(short = 'd', long, value_name = "DIR", default_value_os_t = default_data_dir())]
    pub data_dir: PathBuf,
    /// Write over a file that exists
    #[arg(long)]
    pub overwrite: bool,
    /// File to write
    pub file: PathBuf,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder of the node; it must not be running
    #[arg(short = 'd', long, value_name = "DIR", default_value_os_t = default_data_dir())]
    pub data_dir: PathBuf,
}

/// Options of `salvage`.
#[derive(Debug, Args)]
pub struct SalvageArgs {
    /// Block log of nodeos, or the folder that it is in
    #[arg(long, value_name = "FILE")]
    pub blocks_log: PathBuf,
    /// File to write
    pub file: PathBuf,
}
