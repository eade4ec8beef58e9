//! Which crate uses which: the table in `runtime/README.md` is the drawing, the manifests must be as drawn.

use std::collections::BTreeMap;

use tidy::{Repository, report};

/// The page with the drawing.
const MAP: &str = "runtime/README.md";
/// The groups in the order in which they may use each other: each only itself and those before it.
const ORDER: [&str; 5] = ["runtime", "genesis", "node", "cli", "tests"];
/// Edges against the order, with their reasons.
const AGAINST: [(&str, &str, &str); 3] = [
    ("daemon", "client", "boreasd dev --fork-url copies contracts from a running chain, as boreas dev fork does"),
    ("daemon", "tester", "contract-chain serves the tester's chain to contract tests"),
    ("daemon", "wallet", "signing keys that are added to a node are kept in the sealed form of wallets"),
];
/// What runs or keeps a chain, which a client must not link.
const NOT_IN_CLIENTS: [&str; 9] =
    ["wasm", "statedb", "ledger", "execution", "consensus", "chain", "store", "engine", "api"];
/// Crates of the world that nothing under `runtime/` may name.
const NOT_IN_RUNTIME: [&str; 12] = [
    "tokio",
    "hyper",
    "hyper-util",
    "axum",
    "libp2p",
    "rocksdb",
    "ureq",
    "rand",
    "memmap2",
    "parking_lot",
    "tracing",
    "tempfile",
];

/// Crate name and what the drawing says it uses, in order.
fn drawn(repository: &Repository) -> BTreeMap<String, Vec<String>> {
    let rows = repository.text(MAP).lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let named = |cell: &str| {
        let names = cell.split(',').map(|name| name.trim().trim_matches('`').to_owned());
        names.filter(|name| !name.is_empty() && name != "-").collect::<Vec<_>>()
    };
    let crates = cells.filter(|cells| cells.len() == 3);
    crates.map(|cells| (cells[0].trim_end_matches('`').to_owned(), named(cells[1]))).collect()
}

fn group(folder: &str) -> usize {
    let top = folder.split('/').next();
    ORDER.iter().position(|group| Some(*group) == top).unwrap_or_else(|| panic!("{folder} is in no group"))
}

#[test]
fn crates_use_each_other_as_drawn() {
    let repository = Repository::read();
    let mut drawn = drawn(&repository);
    let mut found = Vec::new();
    for one in &repository.crates {
        let own = |name: &&String| repository.crates.iter().any(|other| other.name == **name);
        let mut used: Vec<_> = one.dependencies.iter().filter(own).cloned().collect();
        used.sort();
        match drawn.remove(&one.name) {
            None => found.push(format!("{} is not drawn; it uses {}", one.name, used.join(", "))),
            Some(mut said) => {
                said.sort();
                if said != used {
                    found.push(format!("{} uses {}, drawn is {}", one.name, used.join(", "), said.join(", ")));
                }
            }
        }
    }
    found.extend(drawn.into_keys().map(|name| format!("{name} is drawn and is not a crate")));
    report(&format!("the manifests and the drawing in {MAP} must agree:"), &found);
}

#[test]
fn groups_use_what_stands_before_them() {
    let repository = Repository::read();
    let mut found = Vec::new();
    for one in &repository.crates {
        for name in &one.dependencies {
            let Some(other) = repository.crates.iter().find(|other| other.name == *name) else { continue };
            let excused = AGAINST.iter().any(|(user, used, _)| *user == one.name && used == name);
            if group(&other.folder) > group(&one.folder) && !excused {
                found.push(format!("{} uses {}", one.folder, other.folder));
            }
            if one.folder.starts_with("cli/") && NOT_IN_CLIENTS.contains(&name.as_str()) {
                found.push(format!("{} is a client and uses {name}", one.folder));
            }
        }
    }
    report(&format!("dependencies run {}:", ORDER.join(" -> ")), &found);
}

#[test]
fn the_runtime_names_no_crate_of_the_world() {
    let repository = Repository::read();
    let runtime = repository.crates.iter().filter(|one| one.folder.starts_with("runtime/"));
    let found: Vec<_> = runtime
        .flat_map(|one| one.dependencies.iter().map(move |name| (one, name)))
        .filter(|(_, name)| NOT_IN_RUNTIME.contains(&name.as_str()))
        .map(|(one, name)| format!("{} uses {name}", one.folder))
        .collect();
    report("the runtime is a function of its arguments:", &found);
}
