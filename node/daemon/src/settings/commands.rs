//! The subcommands of `boreasd` and their options.

use std::path::PathBuf;

use clap::Args;

use super::args::{NodeArgs, default_data_dir};

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
    /// A chain for one test of a contract: JSON requests on standard input, answers on standard output
    ContractChain,
}

/// Options of `dev`.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// Begin anew
    #[arg(long)]
    pub reset: bool,
    /// Document of a new chain in place of the built-in one: accounts, producers, parameters
    #[arg(long, value_name = "FILE")]
    pub genesis_document: Option<PathBuf>,
    /// Running the node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Block log of nodeos, or the folder that it is in
    #[arg(long, value_name = "FILE")]
    pub blocks_log: PathBuf,
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
    /// File to write
    pub file: PathBuf,
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
