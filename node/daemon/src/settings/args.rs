//! The options of `boreasd`, with nodeos' names where nodeos has them, one struct for each part of the node.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::net::NetArgs;
use super::value::{number, ratio, switch};

/// nodeos' development key, public and private: whoever sets nothing else produces with it.
pub const DEVELOPMENT_PROVIDER: &str =
    "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV=KEY:5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";
/// Microseconds between two blocks.
const BLOCK_INTERVAL_US: i128 = 500_000;
/// Megabytes of requests that can be counted, as nodeos has it.
const IN_FLIGHT_MB_MAX: i128 = 8_796_093_022_206;

/// Options of the node.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// Folders and files.
    #[command(flatten, next_help_heading = "Application Config Options")]
    pub folders: FolderArgs,
    /// The chain.
    #[command(flatten, next_help_heading = "Config Options for eosio::chain_plugin")]
    pub chain: ChainArgs,
    /// Production.
    #[command(flatten, next_help_heading = "Config Options for eosio::producer_plugin")]
    pub producer: ProducerArgs,
    /// HTTP.
    #[command(flatten, next_help_heading = "Config Options for eosio::http_plugin")]
    pub http: HttpArgs,
    /// Peers.
    #[command(flatten, next_help_heading = "Config Options for eosio::net_plugin")]
    pub net: NetArgs,
    /// What to print instead.
    #[command(flatten, next_help_heading = "Application Command Line Options")]
    pub print: PrintArgs,
}

/// What is printed instead of running the node.
#[derive(Debug, Clone, Args)]
pub struct PrintArgs {
    /// Print the version
    #[arg(short = 'v', long)]
    pub version: bool,
    /// Print the version with what it was built from
    #[arg(long)]
    pub full_version: bool,
    /// Print a config.ini with every option and its default
    #[arg(long)]
    pub print_default_config: bool,
    /// Print how the program was built, as JSON
    #[arg(long)]
    pub print_build_info: bool,
    /// Write how the program was built into a file, as JSON
    #[arg(long, value_name = "FILE")]
    pub extract_build_info: Option<PathBuf>,
    /// Print the genesis of the chain in the data folder, as JSON
    #[arg(long)]
    pub print_genesis_json: bool,
    /// Write the genesis of the chain in the data folder into a file, as JSON
    #[arg(long, value_name = "FILE")]
    pub extract_genesis_json: Option<PathBuf>,
}

/// Where things are.
#[derive(Debug, Clone, Args)]
pub struct FolderArgs {
    /// Folder of blocks and state
    #[arg(short = 'd', long, value_name = "DIR", default_value_os_t = default_data_dir())]
    pub data_dir: PathBuf,
    /// Folder of config.ini
    #[arg(long, value_name = "DIR", default_value_os_t = default_config_dir())]
    pub config_dir: PathBuf,
    /// Configuration file in the configuration folder
    #[arg(short = 'c', long, value_name = "FILE", default_value = "config.ini")]
    pub config: PathBuf,
    /// Folder of snapshots, in the data folder unless absolute
    #[arg(long, value_name = "DIR", default_value = "snapshots")]
    pub snapshots_dir: PathBuf,
    /// Folder to keep a block log of nodeos in too, blocks.log and blocks.index, up to the last irreversible block; in
    /// the data folder unless absolute
    #[arg(long, value_name = "DIR")]
    pub blocks_dir: Option<PathBuf>,
    /// 0 keeps no block log, whatever --blocks-dir says; otherwise it has all blocks
    #[arg(long, value_name = "NUM", allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub block_log_retain_blocks: Option<u32>,
    /// Folder of files that say which protocol features may be activated, in the configuration folder unless absolute
    #[arg(long, value_name = "DIR", default_value = "protocol_features")]
    pub protocol_features_dir: PathBuf,
    /// APIs to serve, by the plugin of nodeos: chain_api_plugin, db_size_api_plugin, net_api_plugin, producer_api_plugin,
    /// prometheus_plugin, test_control_api_plugin, trace_api_plugin; without any there is no HTTP server
    #[arg(long, value_name = "NAME", action = ArgAction::Append, num_args = 1..)]
    pub plugin: Vec<String>,
    /// Show what traces hold as bytes only, without the contracts' ABIs
    #[arg(long)]
    pub trace_no_abis: bool,
    /// Keep with each trace which rows of contracts' tables changed, before and after, and in which of its functions a
    /// contract failed, for boreas trace; a development chain does it unless told =false
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = false)]
    pub trace_rows: bool,
    /// Keep what each block did to the rows of the state, as nodeos' state history has it, for
    /// /v1/trace_api/get_deltas. A history begins with all rows: with block 2, or with the head of a chain that has
    /// blocks already
    #[arg(long)]
    pub chain_state_history: bool,
}

/// How the chain begins and what it allows.
#[derive(Debug, Clone, Args)]
pub struct ChainArgs {
    /// Genesis document of a new chain
    #[arg(long, value_name = "FILE")]
    pub genesis_json: Option<PathBuf>,
    /// Start time of a new chain in place of the document's: a time, or "now"
    #[arg(long, value_name = "TIME")]
    pub genesis_timestamp: Option<String>,
    /// Snapshot to begin from
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// Forget blocks and state first
    #[arg(long)]
    pub delete_all_blocks: bool,
    /// Forget the state and apply all blocks again
    #[arg(long)]
    pub replay_blockchain: bool,
    /// Forget the state and apply all blocks again, as far as they are whole
    #[arg(long)]
    pub hard_replay_blockchain: bool,
    /// With --hard-replay-blockchain: forget the blocks after this one; 0 for none
    #[arg(long, value_name = "NUM", default_value_t = 0, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub truncate_at_block: u32,
    /// Check everything again while replaying
    #[arg(long)]
    pub force_all_checks: bool,
    /// End after this block; 0 for no end
    #[arg(long, value_name = "NUM", default_value_t = 0, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub terminate_at_block: u32,
    /// Log the hash of the state when the node has started
    #[arg(long)]
    pub integrity_hash_on_start: bool,
    /// Log the hash of the state when the node stops
    #[arg(long)]
    pub integrity_hash_on_stop: bool,
    /// Blocks that received ones must be: [NUMBER,ID]
    #[arg(long, value_name = "[NUM,ID]", action = ArgAction::Append, num_args = 1..)]
    pub checkpoint: Vec<String>,
    /// How far received blocks are checked: full, or light, which takes their transactions on trust
    #[arg(long, value_name = "MODE", default_value = "full", value_parser = ["full", "light"])]
    pub validation_mode: String,
    /// Which block the state is of: the head, or the last irreversible one, where nothing is taken over the API and no
    /// transactions from peers
    #[arg(long, value_name = "MODE", default_value = "head", value_parser = ["head", "irreversible", "speculative"])]
    pub read_mode: String,
    /// Run transactions that come over the API
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = true)]
    pub api_accept_transactions: bool,
    /// Tell in traces and in the log what contracts print
    #[arg(long)]
    pub contracts_console: bool,
    /// Microseconds that a transaction may overrun its account's CPU limit
    #[arg(long, value_name = "US", default_value_t = 31_000, allow_hyphen_values = true, value_parser = number::<i64>(i128::from(i32::MIN)..=i128::from(i32::MAX)))]
    pub subjective_cpu_leeway_us: i64,
    /// Percentage of the time of signature recovery that is billed
    #[arg(long, value_name = "PERCENT", default_value_t = 50, allow_hyphen_values = true, value_parser = number::<u32>(0..=100))]
    pub signature_cpu_billable_pct: u32,
    /// Bytes of an inline action that an unprivileged contract may send
    #[arg(long, value_name = "BYTES", default_value_t = 4096, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub max_nonprivileged_inline_action_size: u32,
    /// Bytes that the variable parts of a signature may have
    #[arg(long, value_name = "BYTES", default_value_t = 16_384, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub maximum_variable_signature_length: u32,
    /// Let contracts bill others for RAM in notifications
    #[arg(long)]
    pub disable_ram_billing_notify_checks: bool,
    /// Only these accounts may authorize
    #[arg(long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub actor_whitelist: Vec<String>,
    /// These accounts may not authorize
    #[arg(long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub actor_blacklist: Vec<String>,
    /// Only these contracts may run
    #[arg(long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub contract_whitelist: Vec<String>,
    /// These contracts may not run
    #[arg(long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub contract_blacklist: Vec<String>,
    /// These actions (contract::action) may not run
    #[arg(long, value_name = "ACTION", action = ArgAction::Append, num_args = 1..)]
    pub action_blacklist: Vec<String>,
    /// These keys may not enter an authority
    #[arg(long, value_name = "KEY", action = ArgAction::Append, num_args = 1..)]
    pub key_blacklist: Vec<String>,
    /// Accounts whose deferred transactions the lists do not bind
    #[arg(long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub sender_bypass_whiteblacklist: Vec<String>,
    /// Producers whose blocks are taken on trust
    #[arg(long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub trusted_producer: Vec<String>,
    /// Answer which permissions name a key or account (get_accounts_by_authorizers)
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = false)]
    pub enable_account_queries: bool,
    /// Gigabytes for remembering what became of transactions (get_transaction_status); 0 for none
    #[arg(long, value_name = "GB", default_value_t = 0, allow_hyphen_values = true, value_parser = number::<u64>(0..))]
    pub transaction_finality_status_max_storage_size_gb: u64,
    /// Seconds that the status of a transaction that ran is remembered
    #[arg(long, value_name = "SECONDS", default_value_t = 180, allow_hyphen_values = true, value_parser = number::<u64>(0..))]
    pub transaction_finality_status_success_duration_sec: u64,
    /// Seconds that the status of a transaction that failed is remembered
    #[arg(long, value_name = "SECONDS", default_value_t = 180, allow_hyphen_values = true, value_parser = number::<u64>(0..))]
    pub transaction_finality_status_failure_duration_sec: u64,
    /// Gigabytes for transactions that are tried again until they are in the chain (retry_trx); 0 for none
    #[arg(long, value_name = "GB", default_value_t = 0, allow_hyphen_values = true, value_parser = number::<u64>(0..))]
    pub transaction_retry_max_storage_size_gb: u64,
    /// Seconds between two tries
    #[arg(long, value_name = "SECONDS", default_value_t = 20, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub transaction_retry_interval_sec: u32,
    /// Seconds that the expiration of a transaction that is tried again may lie ahead
    #[arg(long, value_name = "SECONDS", default_value_t = 120, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub transaction_retry_max_expiration_sec: u32,
}

impl ChainArgs {
    /// Whether the state is to stand at the last irreversible block.
    pub fn is_irreversible_only(&self) -> bool {
        self.read_mode == "irreversible"
    }
}

/// Who produces, and within what limits.
#[derive(Debug, Clone, Args)]
pub struct ProducerArgs {
    /// Produce even if the chain is stale
    #[arg(short = 'e', long)]
    pub enable_stale_production: bool,
    /// Start with production paused
    #[arg(short = 'x', long)]
    pub pause_on_startup: bool,
    /// Producer that this node produces for
    #[arg(short = 'p', long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub producer_name: Vec<String>,
    /// Key to sign with: PUBLIC=KEY:PRIVATE, or PUBLIC=KEOSD:URL to let keosd sign (http://HOST:PORT/PATH or
    /// unix:///SOCKET/PATH) [default: nodeos' development key]
    #[arg(long, value_name = "PROVIDER", action = ArgAction::Append, num_args = 1.., default_value = DEVELOPMENT_PROVIDER, hide_default_value = true)]
    pub signature_provider: Vec<String>,
    /// Milliseconds that keosd has for a signature
    #[arg(long, value_name = "MS", default_value_t = 5, allow_hyphen_values = true, value_parser = number::<i32>(..))]
    pub keosd_provider_timeout: i32,
    /// Milliseconds that a transaction may run; -1 for no limit
    #[arg(long, value_name = "MS", default_value_t = 30, allow_hyphen_values = true, value_parser = number::<i32>(..))]
    pub max_transaction_time: i32,
    /// Seconds of age of the last irreversible block beyond which nothing is produced; -1 for no limit
    #[arg(long, value_name = "SECONDS", default_value_t = -1, allow_hyphen_values = true, value_parser = number::<i32>(..))]
    pub max_irreversible_block_age: i32,
    /// Percentage of a slot that a producer works on a block
    #[arg(long, value_name = "PERCENT", default_value_t = 90, allow_hyphen_values = true, value_parser = number::<u32>(0..=100))]
    pub cpu_effort_percent: u32,
    /// Microseconds of a block's CPU that are too few to go on with it
    #[arg(long, value_name = "US", default_value_t = 5000, allow_hyphen_values = true, value_parser = number::<u64>(0..=BLOCK_INTERVAL_US - 1))]
    pub max_block_cpu_usage_threshold_us: u64,
    /// Bytes of a block's net that are too few to go on with it
    #[arg(long, value_name = "BYTES", default_value_t = 1024, allow_hyphen_values = true, value_parser = number::<u64>(0..))]
    pub max_block_net_usage_threshold_bytes: u64,
    /// Milliseconds of a block that scheduled transactions may take; -1 for no limit
    #[arg(long, value_name = "MS", default_value_t = 100, allow_hyphen_values = true, value_parser = number::<i32>(..))]
    pub max_scheduled_transaction_time_per_block_ms: i32,
    /// Incoming transactions run for each scheduled one while both wait
    #[arg(long, value_name = "RATIO", default_value_t = 1.0, allow_hyphen_values = true, value_parser = ratio)]
    pub incoming_defer_ratio: f64,
    /// Megabytes of transactions that may wait
    #[arg(long, value_name = "MB", default_value_t = 1024, allow_hyphen_values = true, value_parser = number::<usize>(1..=u16::MAX.into()))]
    pub incoming_transaction_queue_size_mb: usize,
    /// Megabytes that the disk of the data folder keeps: with less left no transactions are taken and no snapshots
    /// written
    #[arg(long, value_name = "MB", default_value_t = 512, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub disk_reserve_mb: u32,
    /// False switches on what the next two switch on
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = true)]
    pub disable_subjective_billing: bool,
    /// Count CPU of transactions that come over the API and fail, or are not in a block yet, against their accounts:
    /// false switches it on
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = true)]
    pub disable_subjective_api_billing: bool,
    /// The same for transactions that come another way
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = true)]
    pub disable_subjective_p2p_billing: bool,
    /// Accounts that are not billed so
    #[arg(long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub disable_subjective_account_billing: Vec<String>,
    /// Failed transactions of an account that is billed so, after which more are refused until the window is over
    #[arg(long, value_name = "NUM", default_value_t = 3, allow_hyphen_values = true, value_parser = number::<u32>(0..))]
    pub subjective_account_max_failures: u32,
    /// Blocks of that window
    #[arg(long, value_name = "BLOCKS", default_value_t = 1, allow_hyphen_values = true, value_parser = number::<u32>(1..))]
    pub subjective_account_max_failures_window_size: u32,
    /// Minutes until nothing is left of what was counted
    #[arg(long, value_name = "MINUTES", default_value_t = 1440, allow_hyphen_values = true, value_parser = number::<u32>(1..=u32::MAX.into()))]
    pub subjective_account_decay_time_minutes: u32,
    /// Accounts that get no elastic resources
    #[arg(long, value_name = "ACCOUNT", action = ArgAction::Append, num_args = 1..)]
    pub greylist_account: Vec<String>,
    /// Multiplier of resources that accounts get at most
    #[arg(long, value_name = "LIMIT", default_value_t = 1000, allow_hyphen_values = true, value_parser = number::<u32>(1..=1000))]
    pub greylist_limit: u32,
}

/// How the API is served.
#[derive(Debug, Clone, Args)]
pub struct HttpArgs {
    /// Address and port of the API; empty for none
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    pub http_server_address: String,
    /// Unix socket that the API is served on too, in the data folder unless absolute; empty for none
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    pub unix_socket_path: String,
    /// Serve a part of the API at an address of its own: CATEGORY,ADDRESS. Takes --http-server-address
    /// http-category-address
    #[arg(long, value_name = "CATEGORY,ADDRESS", action = ArgAction::Append, num_args = 1..)]
    pub http_category_address: Vec<String>,
    /// Access-Control-Allow-Origin of answers
    #[arg(long, value_name = "ORIGIN")]
    pub access_control_allow_origin: Option<String>,
    /// Access-Control-Allow-Headers of answers
    #[arg(long, value_name = "HEADERS")]
    pub access_control_allow_headers: Option<String>,
    /// Access-Control-Max-Age of answers
    #[arg(long, value_name = "AGE")]
    pub access_control_max_age: Option<String>,
    /// Send Access-Control-Allow-Credentials: true
    #[arg(long)]
    pub access_control_allow_credentials: bool,
    /// Bytes that a request may have
    #[arg(long, value_name = "BYTES", default_value_t = 2 << 20, allow_hyphen_values = true, value_parser = number::<usize>(0..=u32::MAX.into()))]
    pub max_body_size: usize,
    /// Answer with all messages of a failure
    #[arg(long)]
    pub verbose_http_errors: bool,
    /// Turn away requests whose Host header is neither the address that was connected to nor an --http-alias
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = true)]
    pub http_validate_host: bool,
    /// Further name of this machine that a Host header may have; ports do not count
    #[arg(long, value_name = "HOST", action = ArgAction::Append)]
    pub http_alias: Vec<String>,
    /// Megabytes of requests and answers under way; 429 beyond; -1 for no limit
    #[arg(long, value_name = "MB", default_value_t = 500, allow_hyphen_values = true, value_parser = number::<i64>(-1..=IN_FLIGHT_MB_MAX))]
    pub http_max_bytes_in_flight_mb: i64,
    /// Requests under way; 429 beyond; -1 for no limit
    #[arg(long, value_name = "NUM", default_value_t = -1, allow_hyphen_values = true, value_parser = number::<i64>(-1..=i32::MAX.into()))]
    pub http_max_in_flight_requests: i64,
    /// Keep connections open for further requests
    #[arg(long, value_parser = switch, action = ArgAction::Set, default_value_t = true)]
    pub http_keep_alive: bool,
    /// Threads that serve requests
    #[arg(long, value_name = "NUM", default_value_t = 2, allow_hyphen_values = true, value_parser = number::<u16>(1..))]
    pub http_threads: u16,
}

/// What the options are when none is given.
impl Default for ChainArgs {
    fn default() -> Self {
        let matches = ChainArgs::augment_args(clap::Command::new("boreasd")).get_matches_from(["boreasd"]);
        <Self as clap::FromArgMatches>::from_arg_matches(&matches).expect("every option has a default")
    }
}

/// A folder of this program in the user's home.
pub fn default_folder(name: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    home.join(".local/share/boreas").join(name)
}

/// Folder of blocks and state unless told otherwise.
pub fn default_data_dir() -> PathBuf {
    default_folder("data")
}

/// Folder of `config.ini` unless told otherwise.
pub fn default_config_dir() -> PathBuf {
    default_folder("config")
}
