//! Every case that nodeos' own serializer was asked: the same bytes, the same JSON, the same faults.

use abi::{Abi, AbiDefinition, Limits};
use codec::{Pack, Unpack};
use primitives::{Fault, FaultKind};
use serde_json::Value;

/// Faults that are not of the chain were given this code by the tool that recorded them.
const RECODED: u64 = 3_010_006;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).expect("the vectors are JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a string")
}

#[test]
fn the_definition_packs_to_the_stored_bytes() {
    let vectors = vectors();
    let definition: AbiDefinition = serde_json::from_value(vectors["abi"].clone()).expect("definition");
    let bytes = hex::decode(text(&vectors, "packed")).expect("hex");
    assert_eq!(definition.to_bytes(), bytes);
    assert_eq!(AbiDefinition::from_bytes(&bytes), Ok(definition));
    assert_eq!(primitives::Sha256::of(&bytes).to_string(), text(&vectors, "hash"));
}

/// What differs between a fault and the recorded one.
fn difference(fault: &Fault, expected: &Value) -> Option<String> {
    let messages = expected["messages"].as_array().expect("messages");
    let of_chain = fault.kind.is_a(FaultKind::CHAIN_EXCEPTION);
    let code = if of_chain { u64::from(fault.kind.code) } else { RECODED };
    let known = messages.iter().filter_map(Value::as_str).any(|message| {
        let message = message.trim_end();
        fault.details.iter().any(|detail| message == detail.trim_end())
    });
    (expected["code"] != code || !known).then(|| format!("{fault:?}"))
}

#[test]
fn every_case_ends_as_recorded() {
    let vectors = vectors();
    let definition = serde_json::from_value(vectors["abi"].clone()).expect("definition");
    let abi = Abi::new(definition, &Limits::default()).expect("abi");
    let mut wrong = Vec::new();
    let cases = vectors["cases"].as_array().expect("cases");
    for case in cases {
        let kind = text(case, "kind");
        let found = if case["decode"] == true {
            let bytes = hex::decode(text(case, "bytes")).expect("hex");
            abi.decode(kind, &bytes, &Limits::default()).map(|value| (value == case["json"], value.to_string()))
        } else {
            abi.encode(kind, &case["json"], &Limits::default())
                .map(|bytes| (case["bytes"] == hex::encode(&bytes), hex::encode(bytes)))
        };
        let difference = match (found, case.get("fault")) {
            (Ok((true, _)), None) => None,
            (Ok((_, found)), _) => Some(found),
            (Err(fault), Some(expected)) => difference(&fault, expected),
            (Err(fault), None) => Some(format!("{fault:?}")),
        };
        wrong.extend(difference.map(|found| format!("{case}\n  found {found}")));
    }
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_definition_prints_as_recorded() {
    let vectors = vectors();
    let definition: AbiDefinition = serde_json::from_value(vectors["abi"].clone()).expect("definition");
    assert_eq!(serde_json::to_value(&definition).expect("json").to_string(), vectors["abi"].to_string());
}
