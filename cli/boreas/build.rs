//! Puts the SDK, its macros and the client of the test chain into the binary: a project gets its own copy of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Folders of `contracts/` whose Rust files and manifests a project gets.
const PARTS: [&str; 3] = ["sdk", "sdk/macros", "tester"];

fn main() {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts");
    let mut listed = String::from("&[\n");
    for part in PARTS {
        let folder = contracts.join(part);
        println!("cargo::rerun-if-changed={}", folder.join("src").display());
        let mut files = vec![folder.join("Cargo.toml")];
        gather(&folder.join("src"), &mut files);
        files.sort();
        for file in files {
            let name = file.strip_prefix(&contracts).expect("below contracts").to_path_buf();
            let _ = writeln!(listed, "    ({name:?}, include_str!({:?})),", absolute(&file));
        }
    }
    listed.push(']');
    let out = std::env::var_os("OUT_DIR").expect("cargo says where");
    std::fs::write(Path::new(&out).join("sdk_files.rs"), listed).expect("written");
}

/// The files of a folder and of those in it.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { gather(&path, files) } else { files.push(path) }
    }
}

fn absolute(file: &Path) -> PathBuf {
    file.canonicalize().expect("a file that was listed")
}
