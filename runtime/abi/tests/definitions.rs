//! Definitions that nodeos takes and refuses, and what it says of them.

use abi::{Abi, Limits};
use serde_json::Value;

#[test]
fn definitions_are_judged_as_recorded() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("definitions.json")).expect("the cases are JSON");
    for case in cases {
        let definition = serde_json::from_value(case["abi"].clone()).expect("definition");
        let found = Abi::new(definition, &Limits::default());
        match (found, case.get("fault")) {
            (Ok(_), None) => {}
            (Err(fault), Some(expected)) => {
                assert_eq!(expected["code"], fault.kind.code, "{case}\n{fault:?}");
                let message = expected["messages"][0].as_str().expect("a message");
                // A message that is empty was dropped by the tool that recorded it.
                assert!(message == fault.details[0] || fault.details[0].is_empty(), "{case}\n{fault:?}");
            }
            (found, _) => panic!("{case}\n{:?}", found.err()),
        }
    }
}
