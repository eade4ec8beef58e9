//! What contracts bring: ABIs and WASM modules.

use abi::{Abi, AbiDefinition, Limits};
use codec::{Pack, Unpack};
use fuzz::run;

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
