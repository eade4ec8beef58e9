//! What users write and hand over: `config.ini`, command lines, genesis documents, block logs.

use std::ffi::OsString;
use std::path::Path;

use chain::block_log::{BlockLog, BlockLogWriter, ChainContext};
use chain::{Doors, LiveChain, PrepareMode, PreparedBlock, Settings};
use codec::Pack;
use daemon::settings::{self, Work};
use daemon::{listen, signing};
use fuzz::run;
use genesis::{Document, LocalProducer, Plan};
use primitives::{Checksum256, Genesis};

/// Reads options and what the parts of the node make of them.
fn read_options(words: &[OsString], file: Option<&str>) {
    let Ok(parsed) = settings::combine(words, file) else { return };
    let (Work::Node(args), _) = (parsed.work, parsed.notices) else { return };
    let _ = listen::places(&args.http, Path::new("/nonexistent"));
    for text in &args.producer.signature_provider {
        let _ = signing::provider(text);
    }
    let _ = daemon::translate::engine_settings(&args, signing::Keyring::default());
    let _ = daemon::translate::api_settings(&args);
    let _ = daemon::translate::http_settings(&args, false);
}

#[test]
fn configuration_files() {
    let template = settings::default_config();
    let set = template.replace("# http", "http").replace("# max", "max").replace("# contracts", "contracts");
    let own = "producer-name = eosio\nproducer-name=proda # two\nenable-stale-production = true\n\
               signature-provider = EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV=KEOSD:http://[::1]:8900/x\n\
               plugin = eosio::http_plugin eosio::trace_api_plugin\nagent-name = \"me\"\nhttp-max-body-size=\n\
               checkpoint = [2,\"00000002aa\"]\naction-blacklist = eosio::setcode\nhttp-category-address = chain_ro,:1\n";
    run("config.ini", &[template.into_bytes(), set.into_bytes(), own.into()], |input| {
        read_options(&["boreasd".into()], Some(&String::from_utf8_lossy(input)));
    });
}

#[test]
fn command_lines() {
    let seeds = [
        "-e\n-p\neosio\n--data-dir\nx\n--max-transaction-time=-1\n--http-category-address\nchain_ro,./x.sock",
        "dev\n--reset\n--genesis-document\nx\n--http-threads=3\n--p2p-peer-address\na:1\nb:2",
        "replay\n--blocks-log\nx\n--stop-at-block\n7\n--json",
        "--checkpoint\n[1,\"00\"]\n--validation-mode\nlight\n--greylist-limit=1000\n-l\nlogging.json",
    ];
    run("command line", &seeds.map(|seed| seed.as_bytes().to_vec()), |input| {
        let words = String::from_utf8_lossy(input);
        let words: Vec<_> = std::iter::once("boreasd").chain(words.lines()).map(OsString::from).collect();
        read_options(&words, None);
    });
}

#[test]
fn genesis_documents() {
    let dev = serde_json::to_vec(&Document::dev()).expect("a document has a JSON form");
    let genesis = serde_json::to_vec(&Genesis::default()).expect("a genesis has a JSON form");
    run("genesis document", &[dev, genesis], |input| {
        let _ = serde_json::from_slice::<Genesis>(input).map(|genesis| genesis.chain_id());
        let Ok(document) = Document::parse(&String::from_utf8_lossy(input)) else { return };
        let key = Genesis::default().initial_key;
        let _ = LocalProducer::slots_of(&document, &key);
        let _ = Plan::new(&document, &key, Checksum256::default(), &[]);
    });
}

fn new_chain(genesis: &Genesis) -> Option<LiveChain> {
    let (engine, code_cache) = (wasm::Engine::new(), Box::new(wasm::NoCache));
    let doors = Doors { clock: Box::new(execution::StoppedClock), engine, code_cache };
    LiveChain::from_genesis(genesis, Settings::default(), doors).ok()
}

/// A log of a few blocks, as a node writes it.
fn log() -> Vec<u8> {
    let genesis = Genesis::default();
    let mut chain = new_chain(&genesis).expect("the default genesis is sound");
    let mut producer = LocalProducer::after(chain.head().header.timestamp());
    producer.know("5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3".parse().expect("a key")).expect("a valid key");
    let mut bytes = Vec::new();
    let mut writer = BlockLogWriter::begin(&ChainContext::Genesis(genesis), 1, &mut bytes);
    for _ in 0..4 {
        let block = chain.head().block.clone().expect("a new chain has its blocks");
        writer.append(&block.to_bytes(), &mut bytes);
        producer.block(&mut chain, Vec::new(), &[]).expect("an empty block");
    }
    bytes
}

#[test]
fn block_logs() {
    run("block log", &[log()], |input| {
        if let Ok(log) = BlockLog::salvage(input) {
            log.iter().for_each(|(number, _)| drop(log.block(number)));
        }
        let Ok(log) = BlockLog::open(input) else { return };
        let ChainContext::Genesis(genesis) = log.context() else { return };
        let Some(mut chain) = new_chain(genesis) else { return };
        let chain_id = chain.chain_id();
        for (_, packed) in log.iter().skip(1) {
            let Ok(block) = PreparedBlock::from_bytes(packed, &chain_id, PrepareMode::Full) else { return };
            if chain.replay_block(block).is_err() {
                return;
            }
        }
    });
}
