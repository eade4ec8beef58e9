//! `contracts/sdk/src/raw.rs` declares the host functions of the chain: all of them, with their types, and no others.

use std::collections::BTreeMap;

/// Parameters and result, each `i32`, `i64`, `f32` or `f64`.
type Signature = (Vec<String>, Vec<String>);

/// What the runtime offers.
fn offered() -> BTreeMap<String, Signature> {
    let lowered = |types: &[_]| types.iter().map(|each| format!("{each:?}").to_lowercase()).collect();
    let table = execution::intrinsics::table().iter();
    table
        .map(|each| (each.name.to_owned(), (lowered(&each.signature.params), lowered(&each.signature.results))))
        .collect()
}

/// What the SDK declares, lowered as the compiler lowers it for the module.
fn declared(source: &str) -> BTreeMap<String, Signature> {
    let mut declared = BTreeMap::new();
    let mut link_name = None;
    for line in source.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("#[link_name = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            link_name = Some(name.to_owned());
        } else if let Some((name, rest)) = line.strip_prefix("fn ").and_then(|line| line.split_once('(')) {
            let (arguments, result) = rest.split_once(')').expect("a closed list of arguments");
            let kinds = arguments.split(", ").filter_map(|argument| argument.split_once(": "));
            let parameters = kinds.map(|(_, kind)| lowered(kind)).collect();
            let result = result.trim_end_matches(';').strip_prefix(" -> ").map(lowered);
            let name = link_name.take().unwrap_or_else(|| name.to_owned());
            assert!(
                declared.insert(name.clone(), (parameters, result.into_iter().collect())).is_none(),
                "{name} twice"
            );
        }
    }
    declared
}

fn lowered(kind: &str) -> String {
    match kind {
        "u64" | "i64" => "i64",
        "u32" | "i32" => "i32",
        "f32" | "f64" => kind,
        _ if kind.starts_with('*') => "i32",
        _ => panic!("{kind} does not cross the border of a module as it is"),
    }
    .to_owned()
}

#[test]
fn the_sdk_reaches_every_host_function() {
    let source = include_str!("../../../contracts/sdk/src/raw.rs");
    let (declared, offered) = (declared(source), offered());
    assert!(offered.len() > 100, "the runtime offers {} host functions", offered.len());
    for (name, signature) in &offered {
        assert_eq!(declared.get(name), Some(signature), "{name} in contracts/sdk/src/raw.rs");
    }
    for name in declared.keys() {
        assert!(offered.contains_key(name), "contracts/sdk/src/raw.rs has {name}, the runtime has not");
    }
}
