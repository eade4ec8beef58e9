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
        .prop_map(|(name, kind)| FieldDefinition { name: name.into(), kind: kind.into() });
    let structs = prop::collection::vec(
        (
            prop::sample::select(vec!["a", "b"]),
            prop::sample::select(vec!["", "", "b", "c"]),
            prop::collection::vec(field, 0..4),
        )
            .prop_map(|(name, base, fields)| StructDefinition { name: name.into(), base: base.into(), fields }),
        0..3,
    );
    let variant = prop::collection::vec(kind(), 0..3).prop_map(|types| {
        vec![VariantDefinition { name: "c".into(), types: types.into_iter().map(Into::into).collect() }]
    });
    let types = prop::option::of(kind()).prop_map(|kind| {
        kind.into_iter().map(|kind| TypeDefinition { new_type_name: "d".into(), kind: kind.into() }).collect()
    });
    (structs, variant, types).prop_map(|(structs, variants, types)| AbiDefinition {
        version: "eosio::abi/1.1".into(),
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
        version: "eosio::abi/1.0".into(),
        structs: vec![StructDefinition {
            name: "row".into(),
            fields: vec![FieldDefinition { name: "x".repeat(100_000).into(), kind: "uint8".into() }],
            ..StructDefinition::default()
        }],
        types: vec![TypeDefinition { new_type_name: "rows".into(), kind: "row[]".into() }],
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

/// Definitions that refer to each other in a row of so many.
const CHAINED: usize = 20_000;
/// Generous: what grows with the square of the row takes minutes.
const CHAINED_SECONDS_MAX: u64 = 10;

#[test]
fn chained_definitions_cost_what_they_are_long() {
    let begin = std::time::Instant::now();
    let name = |number: usize| format!("t{number}");
    let type_of = |number| TypeDefinition { new_type_name: name(number).into(), kind: name(number + 1).into() };
    let struct_of = |number: usize| StructDefinition {
        name: name(number).into(),
        base: if number + 1 < CHAINED { name(number + 1) } else { String::new() }.into(),
        fields: vec![],
    };
    let base = AbiDefinition { version: "eosio::abi/1.1".into(), ..AbiDefinition::default() };
    let types = AbiDefinition { types: (0..CHAINED).map(type_of).collect(), ..base.clone() };
    assert!(Abi::new(types.clone(), &Limits::default()).is_err(), "the last type is not known");
    let mut circle = types;
    circle.types[CHAINED - 1].kind = name(0).into();
    let fault = Abi::new(circle, &Limits::default()).expect_err("a circle");
    assert_eq!(fault.kind, primitives::FaultKind::ABI_CIRCULAR_DEF_EXCEPTION);
    let structs = AbiDefinition { structs: (0..CHAINED).map(struct_of).collect(), ..base };
    Abi::new(structs, &Limits::default()).expect("bases may be many, only what uses them has a depth");
    assert!(begin.elapsed().as_secs() < CHAINED_SECONDS_MAX, "took {:?}", begin.elapsed());
}

#[test]
fn conversions_of_one_request_share_a_budget() {
    let abi =
        Abi::new(AbiDefinition { version: "eosio::abi/1.1".into(), ..AbiDefinition::default() }, &Limits::default())
            .expect("an empty ABI");
    let bytes = vec![7u8; 1000].to_bytes();
    let budget = abi::Budget::new(100_000);
    let limits = Limits { budget: Some(&budget), ..Limits::default() };
    let made = (0..100).take_while(|_| abi.decode("uint8[]", &bytes, &limits).is_ok()).count();
    assert!((1..10).contains(&made), "{made} of them fit");
    assert!(budget.is_spent());
}
