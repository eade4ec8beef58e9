//! What the SDK refuses to compile, and that it says why: each file of `refused/` is a contract with mistakes, and every
//! line `//~ TEXT` in it is part of an error that the compiler must give for that file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// The contracts: name, source, and the errors that are expected.
fn contracts() -> Vec<(String, String, Vec<String>)> {
    let folder = std::fs::read_dir(Path::new(HERE).join("tests/refused")).expect("the folder refused");
    let mut files: Vec<PathBuf> = folder.map(|file| file.expect("an entry").path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let source = std::fs::read_to_string(path).expect("a text");
        let expected = source.lines().filter_map(|line| line.trim().strip_prefix("//~ ")).map(str::to_owned).collect();
        (path.file_stem().expect("a name").to_string_lossy().into_owned(), source, expected)
    };
    files.iter().map(read).collect()
}

/// Checks all contracts as programs of one package; the compiler's errors, one a line.
fn compile(contracts: &[(String, String, Vec<String>)]) -> String {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused");
    std::fs::create_dir_all(&place).expect("a folder");
    let mut manifest = format!(
        "[package]\nname = \"refused\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\nsdk = {{ path = {HERE:?} }}\n"
    );
    for (name, source, _) in contracts {
        std::fs::write(place.join(format!("{name}.rs")), format!("{source}\nfn main() {{}}\n")).expect("written");
        let _ = write!(manifest, "[[bin]]\nname = \"{name}\"\npath = \"{name}.rs\"\n");
    }
    std::fs::write(place.join("Cargo.toml"), manifest).expect("written");
    std::fs::copy(Path::new(HERE).join("../Cargo.lock"), place.join("Cargo.lock")).expect("copied");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["check", "--bins", "--keep-going", "--message-format=short", "--color=never"]).current_dir(&place);
    let told = cargo.env("CARGO_TARGET_DIR", place.join("target")).output().expect("cargo runs");
    String::from_utf8_lossy(&told.stderr).into_owned()
}

#[test]
fn mistakes_are_refused_and_explained() {
    let contracts = contracts();
    let told = compile(&contracts);
    for (name, _, expected) in &contracts {
        let errors: Vec<_> =
            told.lines().filter(|line| line.starts_with(&format!("{name}.rs:")) && line.contains("error")).collect();
        assert_eq!(errors.is_empty(), expected.is_empty(), "{name}: {errors:#?}\n{told}");
        for message in expected {
            assert!(errors.iter().any(|error| error.contains(message)), "{name}: {message:?} is not in {errors:#?}");
        }
    }
}
