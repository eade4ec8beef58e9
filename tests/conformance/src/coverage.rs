//! Which host functions and native actions the recordings exercise, as the table of COVERAGE.md.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::recording::{Recording, names};
use crate::step::Step;

/// The native actions.
pub const NATIVE_ACTIONS: [&str; 8] =
    ["newaccount", "setcode", "setabi", "updateauth", "deleteauth", "linkauth", "unlinkauth", "canceldelay"];

/// How often one thing was exercised.
#[derive(Debug, Clone, Default)]
struct Count {
    passed: usize,
    failed: usize,
    recordings: Vec<String>,
}

/// The document. `hosts` are the host functions by topic, in the order to show them.
pub fn markdown<'a>(hosts: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let (counts, table) = count();
    let mut out = String::from(
        "# What the recordings cover\n\nMade from the recordings; `cargo test -p conformance` says when it is out of date.\n\
         *passed* counts transactions that ran and are in the blocks, *failed* those that ended in a fault.\n\n\
         ## Recordings\n\n| recording | blocks | pushes | failures | about |\n|---|---:|---:|---:|---|\n",
    );
    out.push_str(&table);
    out.push_str("\n## Native actions\n\n| action | passed | failed | recordings |\n|---|---:|---:|---|\n");
    NATIVE_ACTIONS.iter().for_each(|name| line(&mut out, name, counts.get(*name)));
    let mut shown = "";
    for (topic, name) in hosts {
        if topic != shown {
            let _ = write!(
                out,
                "\n## Host functions: {topic}\n\n| function | passed | failed | recordings |\n|---|---:|---:|---|\n"
            );
            shown = topic;
        }
        line(&mut out, name, counts.get(name));
    }
    out
}

fn line(out: &mut String, name: &str, count: Option<&Count>) {
    let none = Count::default();
    let count = count.unwrap_or(&none);
    let _ = writeln!(out, "| `{name}` | {} | {} | {} |", count.passed, count.failed, count.recordings.join(", "));
}

fn count() -> (BTreeMap<String, Count>, String) {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut table = String::new();
    for name in names() {
        let recording = Recording::load(&name);
        let expected = &recording.expected;
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} | {} |",
            expected.head_block_num, expected.pushes, expected.failures, expected.about
        );
        for step in &recording.steps {
            let Step::Push { covers, trace, .. } = step else { continue };
            for cover in covers {
                let count = counts.entry(cover.clone()).or_default();
                *if trace.failed() { &mut count.failed } else { &mut count.passed } += 1;
                if count.recordings.last() != Some(&name) {
                    count.recordings.push(name.clone());
                }
            }
        }
    }
    (counts, table)
}
