//! Packages of others: where they come from, under which licences, how many versions of one there are, and what is
//! known against them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use semver::{Version, VersionReq};
use serde_json::Value;
use tidy::report;

/// Where packages may come from.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// Licences that go with this project's, Apache 2.0. MPL 2.0 asks for the changes of its own files only, of which there
/// are none; CDLA is that of lists of certificates.
const LICENCES: [&str; 14] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
/// Packages of which others need several versions, and how many. The number may shrink.
const SEVERAL: [(&str, usize); 25] = [
    ("base64", 2),
    ("block-buffer", 2),
    ("chacha20", 2),
    ("cpufeatures", 2),
    ("crypto-common", 2),
    ("curve25519-dalek", 2),
    ("digest", 2),
    ("embedded-io", 2),
    ("fiat-crypto", 2),
    ("getrandom", 3),
    ("hashbrown", 2),
    ("hex-conservative", 2),
    ("itertools", 2),
    ("r-efi", 2),
    ("rand", 3),
    ("rand_chacha", 2),
    ("rand_core", 3),
    ("sha2", 2),
    ("shlex", 2),
    ("syn", 2),
    ("synstructure", 2),
    ("thiserror", 2),
    ("thiserror-impl", 2),
    ("windows-sys", 2),
    ("yasna", 2),
];
/// Advisories that do not touch this project, with the reason.
const WITHOUT_EFFECT: [(&str, &str); 1] = [(
    "RUSTSEC-2024-0436",
    "paste is not maintained; it is a macro that wasmtime and ark-ff expand when they are built",
)];

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

struct Package {
    name: String,
    version: Version,
    source: Option<String>,
}

/// What Cargo.lock has.
fn packages() -> Vec<Package> {
    let lock: toml::Table = file("../../Cargo.lock").parse().expect("Cargo.lock is TOML");
    let package = |entry: &toml::Value| {
        let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let version = text("version").expect("a version").parse().expect("a version");
        Package { name: text("name").expect("a name"), version, source: text("source") }
    };
    lock["package"].as_array().expect("packages").iter().map(package).collect()
}

/// Whether a licence's expression is met by those that are allowed. `/` is an old way to write `OR`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (allowed, read) = either(&words);
    allowed && read == words.len()
}

/// `A OR B`, with how many words were read.
fn either(words: &[&str]) -> (bool, usize) {
    let (mut allowed, mut at) = both(words);
    while words.get(at) == Some(&"OR") {
        let (other, read) = both(&words[at + 1..]);
        (allowed, at) = (allowed || other, at + 1 + read);
    }
    (allowed, at)
}

fn both(words: &[&str]) -> (bool, usize) {
    let (mut allowed, mut at) = one(words);
    while words.get(at) == Some(&"AND") {
        let (other, read) = one(&words[at + 1..]);
        (allowed, at) = (allowed && other, at + 1 + read);
    }
    (allowed, at)
}

fn one(words: &[&str]) -> (bool, usize) {
    match words {
        ["(", rest @ ..] => {
            let (allowed, read) = either(rest);
            (allowed && rest.get(read) == Some(&")"), read + 2)
        }
        [licence, "WITH", exception, ..] => (LICENCES.contains(&format!("{licence} WITH {exception}").as_str()), 3),
        [licence, ..] => (LICENCES.contains(licence), 1),
        [] => (false, 0),
    }
}

#[test]
fn licences_are_read_as_they_are_meant() {
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("MIT AND (GPL-3.0 AND ISC OR LGPL-3.0)", false),
        ("MIT OR GPL-3.0 AND ISC", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-2.0 WITH Classpath-exception-2.0", false),
        ("(MIT", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression), expected, "{expression}");
    }
}

#[test]
fn packages_have_licences_that_go_with_ours() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let found: Vec<_> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(packages.len() > 100, "{} packages", packages.len());
    report("packages whose licence is not among those that are allowed:", &found);
}

#[test]
fn packages_come_from_the_registry_and_each_in_one_version() {
    let (mut found, mut versions) = (Vec::new(), BTreeMap::<_, usize>::new());
    for Package { name, version, source } in packages() {
        if source.as_ref().is_some_and(|source| source != SOURCE) {
            found.push(format!("{name} {version} comes from {source:?}"));
        }
        *versions.entry(name).or_default() += 1;
    }
    let several: BTreeMap<_, _> = SEVERAL.into_iter().collect();
    for (name, count) in &versions {
        let allowed = several.get(name.as_str()).copied().unwrap_or(1);
        if *count != allowed {
            found.push(format!("{name} has {count} versions, not {allowed}: see SEVERAL"));
        }
    }
    found
        .extend(several.keys().filter(|name| !versions.contains_key(**name)).map(|name| format!("{name} is not used")));
    report("packages:", &found);
}

#[test]
fn nothing_is_known_against_the_packages() {
    let document: Value = serde_json::from_str(&file("advisories.json")).expect("JSON");
    let advisories = document["advisories"].as_array().expect("advisories");
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = packages();
    for advisory in advisories {
        let (id, name) = (text(&advisory["id"]), text(&advisory["package"]));
        let safe: Vec<VersionReq> = advisory["safe"]
            .as_array()
            .expect("versions")
            .iter()
            .map(|range| text(range).parse().unwrap_or_else(|error| panic!("{id}: {range}: {error}")))
            .collect();
        for package in packages.iter().filter(|package| package.name == name) {
            if safe.iter().any(|range| range.matches(&package.version)) {
                continue;
            }
            if WITHOUT_EFFECT.iter().any(|(known, _)| *known == id) {
                seen.insert(id.clone());
            } else {
                found.push(format!("{name} {}: {id}, https://rustsec.org/advisories/{id}", package.version));
            }
        }
    }
    let over = WITHOUT_EFFECT.iter().filter(|(id, _)| !seen.contains(*id));
    found.extend(over.map(|(id, _)| format!("{id} is over: strike it in WITHOUT_EFFECT")));
    assert!(advisories.len() > 100, "{} advisories", advisories.len());
    report("advisories of packages that are used:", &found);
}
