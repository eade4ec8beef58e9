//! Everything that was pushed while recording is pushed again: traces, faults and blocks agree.

use conformance::recording::chosen;
use conformance::{Recording, live::rerun};

/// How many differences of one recording are shown.
const SHOWN: usize = 12;

#[test]
fn every_push_ends_as_recorded() {
    let shown = std::env::var("SHOWN").ok().and_then(|text| text.parse().ok()).unwrap_or(SHOWN);
    let mut report = Vec::new();
    for name in chosen() {
        let differences = std::panic::catch_unwind(|| wasm::with_enough_stack(|| rerun(&Recording::load(&name))))
            .unwrap_or_else(|_| Err(vec!["panicked".into()]))
            .err()
            .unwrap_or_default();
        if !differences.is_empty() {
            let some: Vec<_> = differences.iter().take(shown).map(String::as_str).collect();
            report.push(format!("== {name}: {} differences\n{}", differences.len(), some.join("\n")));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}
