//! Any ABI and any bytes: an answer or a fault, never a panic, and what decodes encodes to what decodes the same.

use abi::{Abi, AbiDefinition, FieldDefinition, Limits, StructDefinition, TypeDefinition, VariantDefinition};
use codec::{Pack, Unpack};
use proptest::prelude::*;
use serde_json::Value;

const NAMES: &[&str] = &[
    "a",
    "b",
    "c",
    "d",
    "bool",
    "uint8",
    "int64",
    "uint128",
    "varuint32",
    "varint32",
    "name",
    "bytes",
    "string",
    "asset",
    "symbol_code",
    "public_key",
    "signature",
    "time_point_sec",
    "checksum256",
    "float64",
    "extended_asset",
];

fn kind() -> impl Strategy<Value = String> {
    (prop::sample::select(NAMES), prop::sample::select(vec!["", "", "[]", "?", "$", "[]$", "?$"]))
        .prop_map(|(name, suffix)| format!("{name}{suffix}"))
}

fn definition() -> impl Strategy<Value = AbiDefinition> {
    let field = (prop::sample::select(vec!["x", "y", "z"]), kind())
        .prop_map(|(name, kind)| FieldDefinition { name: name.to_owned(), kind });
    let structs = prop::collection::vec(
        (
            prop::sample::select(vec!["a", "b"]),
            prop::sample::select(vec!["", "", "b", "c"]),
            prop::collection::vec(field, 0..4),
        )
            .prop_map(|(name, base, fields)| StructDefinition {
                name: name.to_owned(),
                base: base.to_owned(),
                fields,
            }),
        0..3,
    );
    let variant =
        prop::collection::vec(kind(), 0..3).prop_map(|types| vec![VariantDefinition { name: "c".to_owned(), types }]);
    let types = prop::option::of(kind())
        .prop_map(|kind| kind.into_iter().map(|kind| TypeDefinition { new_type_name: "d".to_owned(), kind }).collect());
    (structs, variant, types).prop_map(|(structs, variants, types)| AbiDefinition {
        version: "eosio::abi/1.1".to_owned(),
        structs,
        variants,
        types,
        ..AbiDefinition::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_abi_converts_or_faults(
        definition in definition(),
        kind in kind(),
        bytes in prop::collection::vec(prop_oneof![4 => 0u8..4, 1 => any::<u8>()], 0..200),
    ) {
        prop_assert_eq!(AbiDefinition::from_bytes(&definition.to_bytes()), Ok(definition.clone()));
        let Ok(abi) = Abi::new(definition, &Limits::default()) else { return Ok(()) };
        let Ok(value) = abi.decode(&kind, &bytes, &Limits::default()) else { return Ok(()) };
        if let Ok(packed) = abi.encode(&kind, &value, &Limits::default())
            && let Ok(again) = abi.decode(&kind, &packed, &Limits::default())
        {
            prop_assert_eq!(again, value);
        }
    }

    #[test]
    fn any_json_encodes_or_faults(definition in definition(), kind in kind(), number: i64, text in "[a-z0-9. ]{0,14}") {
        let Ok(abi) = Abi::new(definition, &Limits::default()) else { return Ok(()) };
        for value in [
            Value::from(number),
            Value::from(text.clone()),
            serde_json::json!([number, text]),
            serde_json::json!({ "x": number, "y": text, "z": [[text, null]] }),
            Value::Null,
        ] {
            let _ = abi.encode(&kind, &value, &Limits { short_path: true, ..Limits::default() });
        }
    }
}

#[test]
fn a_small_row_cannot_fill_the_memory() {
    let definition = AbiDefinition {
        version: "eosio::abi/1.0".to_owned(),
        structs: vec![StructDefinition {
            name: "row".to_owned(),
            fields: vec![FieldDefinition { name: "x".repeat(100_000), kind: "uint8".to_owned() }],
            ..StructDefinition::default()
        }],
        types: vec![TypeDefinition { new_type_name: "rows".to_owned(), kind: "row[]".to_owned() }],
        ..AbiDefinition::default()
    };
    let abi = Abi::new(definition, &Limits::default()).expect("abi");
    let bytes = vec![1u8; 1_000_000].to_bytes();
    assert!(abi.decode("rows", &bytes, &Limits::default()).is_err());
}

#[test]
fn time_ends_a_conversion() {
    let bytes = primitives::system_abi();
    let limits = Limits { out_of_time: Some(&|| true), ..Limits::default() };
    assert!(Abi::from_account(&bytes, &limits).is_err());
}
