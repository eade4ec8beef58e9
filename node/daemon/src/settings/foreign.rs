//! nodeos' options that have no meaning here: accepted, so that its configurations and scripts go on working, each
//! with one line that says why.

use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use super::value::{number, switch};

/// What an option takes after its name, as nodeos checks it, and what it is when it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// Any text.
    Text(&'static str),
    /// Any texts, one or more.
    Texts,
    /// Texts of the form `ACCOUNT=ABI`, one or more.
    Pairs,
    /// True or false.
    Switch(&'static str),
    /// A whole number from the least to the most.
    Number(i128, i128, &'static str),
    /// One of these.
    Choice(&'static [&'static str], &'static str),
}

const U16: i128 = u16::MAX as i128;
const U32: i128 = u32::MAX as i128;
const U64: i128 = u64::MAX as i128;
const I32: i128 = i32::MAX as i128;
const I64: i128 = i64::MAX as i128;

const REDIAL: &str = "sockets need no such care here";
const MEMORY: &str = "the state lives in memory as large as it needs";
const COMPILER: &str = "new code runs at once in a first tier, and compiled as soon as that is ready";
const HISTORY: &str = "there is no socket of state history yet; --chain-state-history keeps what blocks do to rows";
const LOG: &str = "blocks are kept in the database, all of them";
const CLOCKLESS: &str = "the bounds of answers are fixed: their bytes, and 20 ms during which the chain waits";
const THREADS: &str = "worker threads are those of --http-threads";
const WATCH: &str = "--disk-reserve-mb says below which free space nothing new is taken";
const TRACES: &str = "traces are kept in the database, all of them";
const TRACE_ABI: &str = "traces are shown with the contracts' own ABIs";
const WALLET: &str = "wallets are those of boreas and keosd";
const EFFORT: &str = "see --cpu-effort-percent";
const WINDOW: &str = "reads run between transactions";

use Takes::{Choice, Nothing, Number, Pairs, Switch, Text, Texts};

/// Name, what it takes, why it has no effect.
#[rustfmt::skip]
const FOREIGN: &[(&str, Takes, &str)] = &[
    ("blocks-log-stride", Number(1, U32, ""), LOG),
    ("max-retained-block-files", Number(0, U32, ""), LOG), ("blocks-retained-dir", Text(""), LOG),
    ("blocks-archive-dir", Text(""), LOG),
    ("state-dir", Text("state"), MEMORY), ("chain-state-db-size-mb", Number(1, U64, "1024"), MEMORY),
    ("chain-state-db-guard-size-mb", Number(0, U64, "128"), MEMORY),
    ("database-map-mode", Choice(&["mapped", "heap", "locked"], "mapped"), MEMORY),
    ("wasm-runtime", Choice(&["eos-vm-jit", "eos-vm"], "eos-vm-jit"), COMPILER), ("profile-account", Texts, "there is no profiler"),
    ("eos-vm-oc-cache-size-mb", Number(0, U64, "1024"), COMPILER), ("eos-vm-oc-compile-threads", Number(1, U64, "1"), COMPILER),
    ("eos-vm-oc-enable", Choice(&["auto", "all", "none", "on", "off", "true", "false", "1", "0", "yes", "no"], "auto"), COMPILER),
    ("abi-serializer-max-time-ms", Number(0, U32, "15"), CLOCKLESS), ("http-max-response-time-ms", Number(-1, I64, "15"), CLOCKLESS),
    ("chain-threads", Number(1, U16, "2"), THREADS), ("producer-threads", Number(1, U16, "2"), THREADS),
    ("read-only-threads", Number(0, 8, ""), THREADS),
    ("read-only-write-window-time-us", Number(0, U32, "200000"), WINDOW), ("read-only-read-window-time-us", Number(10_001, U32, "60000"), WINDOW),
    ("deep-mind", Nothing, HISTORY),
    ("disable-replay-opts", Nothing, HISTORY),
    ("p2p-auto-bp-peer", Texts, "name producers' nodes with --p2p-peer-address: they stay connected"),
    ("max-cleanup-time-msec", Number(0, I32, "10"), REDIAL), ("p2p-dedup-cache-expire-time-sec", Number(0, U32, "10"), "transactions are known until they expire"),
    ("use-socket-read-watermark", Switch("0"), REDIAL),
    ("peer-log-format", Text("[\"${_name}\" - ${_cid} ${_ip}:${_port}] "), "peers are named by the address that they tell"),
    ("produce-time-offset-us", Number(-I32, I32, "0"), EFFORT), ("last-block-time-offset-us", Number(-I32, I32, "0"), EFFORT),
    ("last-block-cpu-effort-percent", Number(0, 100, "80"), EFFORT),
    ("resource-monitor-interval-seconds", Number(1, 300, "2"), WATCH), ("resource-monitor-space-threshold", Number(6, 99, "90"), WATCH),
    ("resource-monitor-space-absolute-gb", Number(1, U64, ""), WATCH), ("resource-monitor-not-shutdown-on-threshold-exceeded", Nothing, WATCH),
    ("resource-monitor-warning-interval", Number(1, 450, "30"), WATCH),
    ("state-history-dir", Text("state-history"), HISTORY), ("state-history-retained-dir", Text(""), HISTORY),
    ("state-history-archive-dir", Text(""), HISTORY), ("state-history-stride", Number(0, U32, ""), HISTORY),
    ("max-retained-history-files", Number(0, U32, ""), HISTORY), ("trace-history", Nothing, HISTORY),
    ("state-history-endpoint", Text("127.0.0.1:8080"), HISTORY), ("state-history-unix-socket-path", Text(""), HISTORY),
    ("trace-history-debug-mode", Nothing, HISTORY), ("state-history-log-retain-blocks", Number(0, U32, ""), HISTORY),
    ("delete-state-history", Nothing, HISTORY), ("trace-dir", Text("traces"), TRACES),
    ("trace-slice-stride", Number(0, U32, "10000"), TRACES), ("trace-minimum-irreversible-history-blocks", Number(-1, I32, "-1"), TRACES),
    ("trace-minimum-uncompressed-irreversible-history-blocks", Number(-1, I32, "-1"), TRACES),
    ("trace-rpc-abi", Pairs, TRACE_ABI),
    ("wallet-dir", Text("."), WALLET), ("unlock-timeout", Number(0, I64, "900"), WALLET),
    ("logconf", Text("logging.json"), "see RUST_LOG"),
];

/// The options as arguments that no help shows.
pub fn arguments() -> impl Iterator<Item = Arg> {
    FOREIGN.iter().map(|(name, takes, _)| {
        let argument = Arg::new(*name).long(*name).hide(true).action(ArgAction::Set).allow_hyphen_values(true);
        let argument = if *name == "logconf" { argument.short('l') } else { argument };
        match *takes {
            Nothing => argument.action(ArgAction::SetTrue).allow_hyphen_values(false),
            Text(_) => argument.num_args(1),
            Texts | Pairs => {
                let list = argument.action(ArgAction::Append).num_args(1..).allow_hyphen_values(false);
                if *takes == Pairs { list.value_parser(pair) } else { list }
            }
            Switch(_) => argument.num_args(1).value_parser(|text: &str| switch(text).map(|_| text.to_owned())),
            Number(least, most, _) => {
                let read = number::<i128>(least..=most);
                argument.num_args(1).value_parser(move |text: &str| read(text).map(|number| number.to_string()))
            }
            Choice(known, _) => argument.num_args(1).value_parser(PossibleValuesParser::new(known)),
        }
    })
}

fn pair(text: &str) -> Result<String, &'static str> {
    let whole = text.split_once('=').is_some_and(|(account, abi)| !account.is_empty() && !abi.is_empty());
    if whole { Ok(text.to_owned()) } else { Err("it must be ACCOUNT=ABI, with a file or JSON for the ABI") }
}

/// What a value says, whichever way it is written.
fn meaning(takes: Takes, value: &str) -> String {
    match takes {
        Switch(_) => switch(value).unwrap_or_default().to_string(),
        _ => value.to_owned(),
    }
}

/// Whether an option was given with another value than nodeos' own.
fn is_set(matches: &ArgMatches, name: &str, takes: Takes) -> bool {
    if matches.value_source(name) != Some(ValueSource::CommandLine) {
        return false;
    }
    match takes {
        Nothing | Texts | Pairs => true,
        Text(default) | Switch(default) | Number(_, _, default) | Choice(_, default) => {
            let given = matches.get_many::<String>(name).into_iter().flatten().last();
            given.is_some_and(|given| meaning(takes, given) != meaning(takes, default))
        }
    }
}

/// One line for each reason why options that were given have no effect. Those that only say what nodeos does anyway
/// are passed over.
pub fn notices(matches: &ArgMatches) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for (name, _, why) in FOREIGN.iter().filter(|(name, takes, _)| is_set(matches, name, *takes)) {
        let named = format!("--{name}");
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, names)) => names.push(named),
            None => reasons.push((why, vec![named])),
        }
    }
    let line = |(why, names): (&str, Vec<String>)| {
        format!("{} {} no effect: {why}", names.join(", "), if names.len() == 1 { "has" } else { "have" })
    };
    reasons.into_iter().map(line).collect()
}
