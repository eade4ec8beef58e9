//! What the SDK refuses to compile, and that it says why once, at the right line.
//!
//! The files of `refused/` are lists of cases, each under a line `// --- WHAT IT IS`: the inside of a contract's module
//! (or a whole file, under `// +++ bare`). Where a line ends in `//~ TEXT` the compiler must give exactly one error
//! there, with TEXT in it, and none anywhere else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const CASE: &str = "// --- ";
const BARE: &str = "// +++ bare";
const EXPECTED: &str = "//~ ";
const WRAPPED: &str = "#![no_std] #![allow(unused, missing_docs)] #[sdk::contract] pub mod c { use sdk::prelude::*;";

/// One case, with its lines where they are in its file.
struct Case {
    /// `FILE:LINE: WHAT IT IS`.
    title: String,
    source: String,
    /// By line.
    expected: BTreeMap<usize, String>,
}

fn cases(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).expect("a text");
    let name = file.file_stem().expect("a name").to_string_lossy();
    let mut cases = Vec::<Case>::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(what) = line.strip_prefix(CASE) {
            let source = format!("{WRAPPED}{}", "\n".repeat(number));
            cases.push(Case { title: format!("{name}.rs:{number}: {what}"), source, expected: BTreeMap::new() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if line == BARE {
            case.source = case.source.replace(WRAPPED, "#![allow(unused)]");
        }
        if let Some((_, message)) = line.split_once(EXPECTED) {
            case.expected.insert(number, message.to_owned());
        }
        let _ = writeln!(case.source, "{line}");
    }
    for case in cases.iter_mut().filter(|case| case.source.starts_with(WRAPPED)) {
        case.source.push('}');
    }
    cases
}

/// Checks all cases as libraries of one package; the compiler's errors, one a line.
fn compile(cases: &[Case]) -> String {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused");
    std::fs::create_dir_all(&place).expect("a folder");
    let mut manifest = format!(
        "[package]\nname = \"refused\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[features]\nlibrary = []\n[workspace]\n\
         [lib]\npath = \"lib.rs\"\n[dependencies]\nsdk = {{ path = {HERE:?} }}\n"
    );
    std::fs::write(place.join("lib.rs"), "").expect("written");
    for (number, case) in cases.iter().enumerate() {
        std::fs::write(place.join(format!("case{number}.rs")), &case.source).expect("written");
        let _ = write!(
            manifest,
            "[[example]]\nname = \"case{number}\"\npath = \"case{number}.rs\"\ncrate-type = [\"lib\"]\n"
        );
    }
    std::fs::write(place.join("Cargo.toml"), manifest).expect("written");
    std::fs::copy(Path::new(HERE).join("../Cargo.lock"), place.join("Cargo.lock")).expect("copied");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["check", "--examples", "--keep-going", "--message-format=short", "--color=never"]).current_dir(&place);
    let told = cargo.env("CARGO_TARGET_DIR", place.join("target")).output().expect("cargo runs");
    String::from_utf8_lossy(&told.stderr).into_owned()
}

/// Line and message of an error of the case with this number.
fn error(told: &str, number: usize) -> Option<(usize, &str)> {
    let (line, rest) = told.strip_prefix(&format!("case{number}.rs:"))?.split_once(':')?;
    let (_, message) = rest.split_once(": ")?;
    message.starts_with("error").then_some((line.parse().ok()?, message))
}

#[test]
fn mistakes_are_refused_and_explained_once_where_they_are() {
    let folder = std::fs::read_dir(Path::new(HERE).join("tests/refused")).expect("the folder refused");
    let mut files: Vec<PathBuf> = folder.map(|file| file.expect("an entry").path()).collect();
    files.sort();
    let cases: Vec<Case> = files.iter().flat_map(|file| cases(file)).collect();
    let told = compile(&cases);
    let mut wrong = String::new();
    for (number, case) in cases.iter().enumerate() {
        let mut expected = case.expected.clone();
        for (line, message) in told.lines().filter_map(|told| error(told, number)) {
            match expected.remove(&line) {
                Some(text) if message.contains(&text) => {}
                Some(text) => drop(writeln!(wrong, "{}: line {line}: {text:?} is not in {message:?}", case.title)),
                None => drop(writeln!(wrong, "{}: line {line}: not expected: {message}", case.title)),
            }
        }
        for (line, text) in expected {
            let _ = writeln!(wrong, "{}: line {line}: no error {text:?}", case.title);
        }
    }
    let compiled = told.contains("could not compile");
    assert!(wrong.is_empty() && compiled, "{wrong}\n{}", if compiled { "" } else { &told });
}
