//! nodeos' options that have no meaning here: accepted, so that its configurations and scripts go on working, each
//! with one line that says why.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

/// What an option takes after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Values,
}

const NETWORK: &str = "there is no peer-to-peer network yet";
const MEMORY: &str = "the state lives in memory as large as it needs";
const COMPILER: &str = "contracts always run compiled";
const HISTORY: &str = "there is no state history yet";
const LOG: &str = "blocks are kept in the database, all of them";
const CLOCKLESS: &str = "answers are never cut by time";
const BILLING: &str = "transactions are not billed subjectively";
const THREADS: &str = "worker threads are those of --http-threads";
const WATCH: &str = "disk space is not watched";
const TRACES: &str = "traces are kept in the database, all of them";
const TRACE_ABI: &str = "traces are shown with the contracts' own ABIs";
const WALLET: &str = "wallets are those of boreas and keosd";
const EFFORT: &str = "see --cpu-effort-percent";
const WINDOW: &str = "reads run between transactions";

use Takes::{Nothing, Value, Values};

/// Name, what it takes, why it has no effect.
#[rustfmt::skip]
const FOREIGN: &[(&str, Takes, &str)] = &[
    ("blocks-dir", Value, LOG), ("blocks-log-stride", Value, LOG), ("max-retained-block-files", Value, LOG),
    ("blocks-retained-dir", Value, LOG), ("blocks-archive-dir", Value, LOG), ("block-log-retain-blocks", Value, LOG),
    ("state-dir", Value, MEMORY), ("chain-state-db-size-mb", Value, MEMORY), ("chain-state-db-guard-size-mb", Value, MEMORY),
    ("database-map-mode", Value, MEMORY), ("protocol-features-dir", Value, "all built-in protocol features are known"),
    ("wasm-runtime", Value, COMPILER), ("profile-account", Values, "there is no profiler"),
    ("eos-vm-oc-cache-size-mb", Value, COMPILER), ("eos-vm-oc-compile-threads", Value, COMPILER),
    ("eos-vm-oc-enable", Value, COMPILER),
    ("abi-serializer-max-time-ms", Value, CLOCKLESS), ("http-max-response-time-ms", Value, CLOCKLESS),
    ("chain-threads", Value, THREADS), ("producer-threads", Value, THREADS), ("net-threads", Value, THREADS),
    ("read-only-threads", Value, THREADS), ("read-only-write-window-time-us", Value, WINDOW),
    ("read-only-read-window-time-us", Value, WINDOW),
    ("deep-mind", Nothing, HISTORY), ("read-mode", Value, "the state is always that of the head"),
    ("disable-replay-opts", Nothing, HISTORY),
    ("p2p-listen-endpoint", Value, NETWORK), ("p2p-server-address", Value, NETWORK), ("p2p-peer-address", Values, NETWORK),
    ("p2p-max-nodes-per-host", Value, NETWORK), ("p2p-accept-transactions", Value, NETWORK), ("p2p-auto-bp-peer", Values, NETWORK),
    ("agent-name", Value, NETWORK), ("allowed-connection", Values, NETWORK), ("peer-key", Values, NETWORK),
    ("peer-private-key", Values, NETWORK), ("max-clients", Value, NETWORK), ("connection-cleanup-period", Value, NETWORK),
    ("max-cleanup-time-msec", Value, NETWORK), ("p2p-dedup-cache-expire-time-sec", Value, NETWORK),
    ("sync-fetch-span", Value, NETWORK), ("sync-peer-limit", Value, NETWORK), ("use-socket-read-watermark", Value, NETWORK),
    ("peer-log-format", Value, NETWORK), ("p2p-keepalive-interval-ms", Value, NETWORK),
    ("produce-time-offset-us", Value, EFFORT), ("last-block-time-offset-us", Value, EFFORT),
    ("last-block-cpu-effort-percent", Value, EFFORT),
    ("subjective-account-max-failures", Value, BILLING), ("subjective-account-max-failures-window-size", Value, BILLING),
    ("subjective-account-decay-time-minutes", Value, BILLING), ("disable-subjective-billing", Value, BILLING),
    ("disable-subjective-account-billing", Values, BILLING), ("disable-subjective-p2p-billing", Value, BILLING),
    ("disable-subjective-api-billing", Value, BILLING),
    ("resource-monitor-interval-seconds", Value, WATCH), ("resource-monitor-space-threshold", Value, WATCH),
    ("resource-monitor-space-absolute-gb", Value, WATCH), ("resource-monitor-not-shutdown-on-threshold-exceeded", Nothing, WATCH),
    ("resource-monitor-warning-interval", Value, WATCH),
    ("state-history-dir", Value, HISTORY), ("state-history-retained-dir", Value, HISTORY),
    ("state-history-archive-dir", Value, HISTORY), ("state-history-stride", Value, HISTORY),
    ("max-retained-history-files", Value, HISTORY), ("trace-history", Nothing, HISTORY), ("chain-state-history", Nothing, HISTORY),
    ("state-history-endpoint", Value, HISTORY), ("state-history-unix-socket-path", Value, HISTORY),
    ("trace-history-debug-mode", Nothing, HISTORY), ("state-history-log-retain-blocks", Value, HISTORY),
    ("delete-state-history", Nothing, HISTORY), ("trace-dir", Value, TRACES),
    ("trace-slice-stride", Value, TRACES), ("trace-minimum-irreversible-history-blocks", Value, TRACES),
    ("trace-minimum-uncompressed-irreversible-history-blocks", Value, TRACES),
    ("trace-rpc-abi", Values, TRACE_ABI),
    ("wallet-dir", Value, WALLET), ("unlock-timeout", Value, WALLET),
    ("logconf", Value, "see RUST_LOG"),
];

/// The options as arguments that no help shows.
pub fn arguments() -> impl Iterator<Item = Arg> {
    FOREIGN.iter().map(|(name, takes, _)| {
        let argument = Arg::new(*name).long(*name).hide(true);
        let argument = if *name == "logconf" { argument.short('l') } else { argument };
        match takes {
            Nothing => argument.action(ArgAction::SetTrue),
            Value => argument.action(ArgAction::Append).num_args(1).allow_hyphen_values(true),
            Values => argument.action(ArgAction::Append).num_args(1..),
        }
    })
}

/// One line for each of the options that was given.
pub fn notices(matches: &ArgMatches) -> Vec<String> {
    let given = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let given = FOREIGN.iter().filter(|(name, ..)| given(name));
    given.map(|(name, _, why)| format!("--{name} has no effect: {why}")).collect()
}
