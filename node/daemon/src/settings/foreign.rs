//! nodeos' options that have no meaning here: accepted, so that its configurations and scripts go on working, each
//! with one line that says why.

/// What an option takes after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
}

const NETWORK: &str = "there is no peer-to-peer network yet";
const MEMORY: &str = "the state lives in memory as large as it needs";
const COMPILER: &str = "contracts always run compiled";
const HISTORY: &str = "there is no state history yet";
const LOG: &str = "blocks are kept in the database, all of them";
const CLOCKLESS: &str = "answers are never cut by time";
const BILLING: &str = "API transactions are not billed subjectively";
const THREADS: &str = "worker threads are those of --http-threads";
const RETRY: &str = "transactions are not sent again";
const WATCH: &str = "disk space is not watched";

use Takes::{Nothing, Value};

/// Name, what it takes, why it has no effect.
#[rustfmt::skip]
const FOREIGN: &[(&str, Takes, &str)] = &[
    ("blocks-dir", Value, LOG), ("blocks-log-stride", Value, LOG), ("max-retained-block-files", Value, LOG),
    ("blocks-retained-dir", Value, LOG), ("blocks-archive-dir", Value, LOG), ("block-log-retain-blocks", Value, LOG),
    ("state-dir", Value, MEMORY), ("chain-state-db-size-mb", Value, MEMORY), ("chain-state-db-guard-size-mb", Value, MEMORY),
    ("database-map-mode", Value, MEMORY), ("protocol-features-dir", Value, "all built-in protocol features are known"),
    ("checkpoint", Value, "blocks are checked by their own rules"), ("wasm-runtime", Value, COMPILER),
    ("eos-vm-oc-cache-size-mb", Value, COMPILER), ("eos-vm-oc-compile-threads", Value, COMPILER),
    ("eos-vm-oc-enable", Value, COMPILER), ("profile-account", Value, COMPILER),
    ("abi-serializer-max-time-ms", Value, CLOCKLESS), ("http-max-response-time-ms", Value, CLOCKLESS),
    ("chain-threads", Value, THREADS), ("producer-threads", Value, THREADS), ("net-threads", Value, NETWORK),
    ("deep-mind", Nothing, HISTORY), ("read-mode", Value, "the state is always that of the head"),
    ("api-accept-transactions", Value, "the API always takes transactions"),
    ("validation-mode", Value, "blocks are always checked in full"),
    ("transaction-retry-max-storage-size-gb", Value, RETRY), ("transaction-retry-interval-sec", Value, RETRY),
    ("transaction-retry-max-expiration-sec", Value, RETRY),
    ("transaction-finality-status-success-duration-sec", Value, "transactions are remembered for 180 seconds"),
    ("transaction-finality-status-failure-duration-sec", Value, "transactions are remembered for 180 seconds"),
    ("integrity-hash-on-stop", Nothing, "ask /v1/producer/get_integrity_hash before the node stops"),
    ("print-genesis-json", Nothing, LOG), ("extract-genesis-json", Value, LOG),
    ("print-build-info", Nothing, "see --version"), ("extract-build-info", Value, "see --version"),
    ("disable-replay-opts", Nothing, HISTORY), ("truncate-at-block", Value, "see boreasd replay --stop-at-block"),
    ("unix-socket-path", Value, "the API is served over TCP only"), ("http-category-address", Value, "the API is served at one address"),
    ("http-max-bytes-in-flight-mb", Value, "requests are bounded one by one"),
    ("http-max-in-flight-requests", Value, "requests are bounded one by one"),
    ("http-keep-alive", Value, "connections live as long as the client wants"),
    ("p2p-listen-endpoint", Value, NETWORK), ("p2p-server-address", Value, NETWORK), ("p2p-peer-address", Value, NETWORK),
    ("p2p-max-nodes-per-host", Value, NETWORK), ("p2p-accept-transactions", Value, NETWORK), ("p2p-auto-bp-peer", Value, NETWORK),
    ("agent-name", Value, NETWORK), ("allowed-connection", Value, NETWORK), ("peer-key", Value, NETWORK),
    ("peer-private-key", Value, NETWORK), ("max-clients", Value, NETWORK), ("connection-cleanup-period", Value, NETWORK),
    ("max-cleanup-time-msec", Value, NETWORK), ("p2p-dedup-cache-expire-time-sec", Value, NETWORK),
    ("sync-fetch-span", Value, NETWORK), ("sync-peer-limit", Value, NETWORK), ("use-socket-read-watermark", Value, NETWORK),
    ("peer-log-format", Value, NETWORK), ("p2p-keepalive-interval-ms", Value, NETWORK),
    ("produce-time-offset-us", Value, "see --cpu-effort-percent"), ("last-block-time-offset-us", Value, "see --cpu-effort-percent"),
    ("last-block-cpu-effort-percent", Value, "see --cpu-effort-percent"),
    ("subjective-account-max-failures", Value, BILLING), ("subjective-account-max-failures-window-size", Value, BILLING),
    ("subjective-account-decay-time-minutes", Value, BILLING), ("disable-subjective-billing", Value, BILLING),
    ("disable-subjective-account-billing", Value, BILLING), ("disable-subjective-p2p-billing", Value, BILLING),
    ("disable-subjective-api-billing", Value, BILLING), ("read-only-threads", Value, THREADS),
    ("read-only-write-window-time-us", Value, "reads run between transactions"),
    ("read-only-read-window-time-us", Value, "reads run between transactions"),
    ("resource-monitor-interval-seconds", Value, WATCH), ("resource-monitor-space-threshold", Value, WATCH),
    ("resource-monitor-space-absolute-gb", Value, WATCH), ("resource-monitor-not-shutdown-on-threshold-exceeded", Nothing, WATCH),
    ("resource-monitor-warning-interval", Value, WATCH), ("keosd-provider-timeout", Value, "keys are given as KEY:"),
    ("state-history-dir", Value, HISTORY), ("state-history-retained-dir", Value, HISTORY),
    ("state-history-archive-dir", Value, HISTORY), ("state-history-stride", Value, HISTORY),
    ("max-retained-history-files", Value, HISTORY), ("trace-history", Nothing, HISTORY), ("chain-state-history", Nothing, HISTORY),
    ("state-history-endpoint", Value, HISTORY), ("state-history-unix-socket-path", Value, HISTORY),
    ("trace-history-debug-mode", Nothing, HISTORY), ("state-history-log-retain-blocks", Value, HISTORY),
    ("delete-state-history", Nothing, HISTORY), ("trace-dir", Value, "traces are kept in the database"),
    ("trace-slice-stride", Value, "traces are kept in the database"),
    ("trace-minimum-irreversible-history-blocks", Value, "all traces are kept"),
    ("trace-minimum-uncompressed-irreversible-history-blocks", Value, "all traces are kept"),
    ("trace-rpc-abi", Value, "the contracts' own ABIs are used"), ("trace-no-abis", Nothing, "the contracts' own ABIs are used"),
    ("wallet-dir", Value, "wallets are those of boreas"), ("unlock-timeout", Value, "wallets are those of boreas"),
    ("logconf", Value, "see RUST_LOG"), ("full-version", Nothing, "see --version"),
];

/// The words without nodeos' options that have no meaning here; each that was there gets a line in `notices`.
pub fn strip(words: &[String], place: &str, notices: &mut Vec<String>) -> Vec<String> {
    let mut kept = Vec::with_capacity(words.len());
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let name = if word == "-l" { Some("logconf") } else { word.strip_prefix("--") };
        let known = name.and_then(|option| {
            let option = option.split('=').next().unwrap_or_default();
            FOREIGN.iter().find(|(name, ..)| *name == option)
        });
        let Some((name, takes, why)) = known else {
            kept.push(word.clone());
            continue;
        };
        if *takes == Value && !word.contains('=') {
            while words.next_if(|next| !next.starts_with('-')).is_some() {}
        }
        notices.push(format!("--{name} of {place} has no effect: {why}"));
    }
    kept
}
