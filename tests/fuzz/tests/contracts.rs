//! What contracts bring: ABIs and WASM modules.

use std::sync::Arc;

use abi::{Abi, AbiDefinition, Limits};
use codec::{Pack, Unpack};
use fuzz::run;
use primitives::block::SignedBlock;

fn dist(file: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/dist").join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn token_abi() -> AbiDefinition {
    serde_json::from_slice(&dist("eosio.token/eosio.token.abi")).expect("the token's ABI is one")
}

/// A type that holds two of itself: what it decodes to doubles with every level.
fn doubling() -> AbiDefinition {
    let text = r#"{"version":"eosio::abi/1.1","types":[],"structs":[
        {"name":"a","base":"","fields":[{"name":"l","type":"a[]"},{"name":"r","type":"a?"}]},
        {"name":"e","base":"","fields":[{"name":"x","type":"uint8$"}]}],
        "actions":[{"name":"go","type":"a","ricardian_contract":""}],"tables":[],"variants":[{"name":"v","types":["a","e"]}]}"#;
    serde_json::from_str(text).expect("an ABI")
}

#[test]
fn abi_definitions() {
    let seeds = [token_abi().to_bytes(), doubling().to_bytes()];
    run("ABI", &seeds, |input| {
        let _ = Abi::from_account(input, &Limits::default());
        if let Ok(definition) = AbiDefinition::from_bytes(input) {
            let _ = Abi::new(definition, &Limits::default());
        }
    });
}

#[test]
fn abi_documents() {
    let seeds = [dist("eosio.token/eosio.token.abi")];
    run("ABI in JSON", &seeds, |input| {
        if let Ok(definition) = serde_json::from_slice::<AbiDefinition>(input) {
            let _ = Abi::new(definition, &Limits::default());
        }
    });
}

/// Every built-in type, with each of the suffixes.
fn everything() -> AbiDefinition {
    let kinds = "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 int128 uint128 varint32 varuint32 float32 \
                 float64 float128 time_point time_point_sec block_timestamp_type name bytes string checksum160 \
                 checksum256 checksum512 public_key signature symbol symbol_code asset extended_asset";
    let field = |(index, kind): (usize, &str)| {
        let suffix = ["", "?", "[]"][index % 3];
        format!(r#"{{"name":"f{index}","type":"{kind}{suffix}"}}"#)
    };
    let fields: Vec<_> = kinds.split_whitespace().chain(kinds.split_whitespace()).enumerate().map(field).collect();
    let text = format!(
        r#"{{"version":"eosio::abi/1.2","structs":[{{"name":"all","base":"","fields":[{}]}}]}}"#,
        fields.join(",")
    );
    serde_json::from_str(&text).expect("an ABI")
}

/// What was decoded can be encoded again, and never to more than it came from.
#[test]
fn all_types_there_and_back() {
    let abi = Abi::new(everything(), &Limits::default()).expect("valid");
    let seeds = [vec![0; 600], vec![1; 600], (0..=255).cycle().take(900).collect()];
    run("all types", &seeds, |input| {
        if let Ok(json) = abi.decode("all", input, &Limits::default()) {
            let text = serde_json::to_vec(&json).expect("JSON can be written");
            let again = serde_json::from_slice(&text).expect("what was written can be read");
            let _ = abi.encode("all", &again, &Limits::default());
        }
    });
}

/// Transactions and blocks in JSON, their actions by an ABI, there and back.
#[test]
fn presented_blocks_and_transactions() {
    let abi = Arc::new(Abi::new(token_abi(), &Limits::default()).expect("valid"));
    let mut abis = |_: primitives::Name| Ok(Some(Arc::clone(&abi)));
    let block = include_bytes!("../seeds/block.bin").to_vec();
    let parsed = SignedBlock::from_bytes(&block).expect("the seed is a block");
    let limits = Limits::default();
    let text = abi::present::block(&parsed, serde_json::Map::new(), &mut abis, &limits).expect("it has a JSON form");
    let json: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
    let seeds = [block, serde_json::to_vec(&json["transactions"][0]["trx"]).expect("JSON can be written")];
    run("presented block", &seeds, |input| {
        if let Ok(block) = SignedBlock::from_bytes(input) {
            let shown = abi::present::block(&block, serde_json::Map::new(), &mut abis, &limits);
            shown.iter().for_each(|text| drop(serde_json::from_slice::<serde_json::Value>(text).expect("it is JSON")));
        }
        if let Ok(json) = serde_json::from_slice(input) {
            let _ = abi::present::transaction_from(&json, &mut abis, &limits);
            let _ = abi::present::packed_transaction_from(&json, &mut abis, &limits);
        }
    });
}

#[test]
fn rows_and_arguments() {
    let abis = [token_abi(), doubling()].map(|definition| Abi::new(definition, &Limits::default()).expect("valid"));
    let transfer = r#"{"from":"alice","to":"bob","quantity":"1.0000 SYS","memo":"m"}"#;
    let json = serde_json::from_str(transfer).expect("JSON");
    let packed = abis[0].encode("transfer", &json, &Limits::default()).expect("a transfer");
    let seeds = [packed, vec![2, 0, 1, 0, 0, 1, 1, 0], transfer.as_bytes().to_vec(), vec![0xff; 200]];
    run("arguments", &seeds, |input| {
        for (abi, kind) in [(&abis[0], "transfer"), (&abis[1], "a"), (&abis[1], "v"), (&abis[1], "e[]")] {
            let _ = abi.decode(kind, input, &Limits::default());
            if let Ok(json) = serde_json::from_slice(input) {
                let _ = abi.encode(kind, &json, &Limits::default());
            }
        }
    });
}
