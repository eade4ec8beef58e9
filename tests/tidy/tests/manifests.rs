//! Manifest lines: what is named is used, and says why it is there.

use tidy::{Crate, Repository, report};

/// Whether the sources of a crate name a dependency. Macros of `derive` features are reached through their crate.
fn is_named(repository: &Repository, one: &Crate, name: &str) -> bool {
    let identifier = name.replace('-', "_");
    let path = format!("{identifier}::");
    let words = [format!("use {identifier};"), format!("use {identifier} as"), format!("extern crate {identifier}")];
    // Members inside of this folder have manifests of their own.
    let inner = |path: &str| {
        let inside =
            |other: &&Crate| other.folder.len() > one.folder.len() && path.starts_with(&format!("{}/", other.folder));
        repository.crates.iter().any(|other| inside(&other))
    };
    repository.rust_of(&one.folder).filter(|file| !inner(&file.path)).any(|file| {
        let whole = |at: usize| {
            let before = file.text[..at].chars().next_back();
            before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
        };
        file.text.match_indices(&path).any(|(at, _)| whole(at))
            || words.iter().any(|word| file.text.contains(word.as_str()))
    })
}

#[test]
fn dependencies_are_used() {
    let repository = Repository::read();
    let mut found = Vec::new();
    for one in &repository.crates {
        for name in one.dependencies.iter().chain(&one.dev_dependencies) {
            if !is_named(&repository, one, name) {
                found.push(format!("{}/Cargo.toml: {name}", one.folder));
            }
        }
    }
    report("manifests name what no source uses:", &found);
}

#[test]
fn shared_dependencies_are_used_and_say_why() {
    let repository = Repository::read();
    let mut found = Vec::new();
    for (name, line) in repository.shared_dependencies() {
        let names = |one: &Crate| one.dependencies.iter().chain(&one.dev_dependencies).any(|used| used == name);
        if !repository.crates.iter().any(names) {
            found.push(format!("{name}: no member uses it"));
        }
        if !line.contains("path =") && !line.contains("# ") {
            found.push(format!("{name}: its line has no reason"));
        }
    }
    report("Cargo.toml, [workspace.dependencies]:", &found);
}
