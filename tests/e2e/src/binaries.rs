//! Where the binaries and contracts are.

use std::path::{Path, PathBuf};

/// The folder of build results: `target/` or what `CARGO_TARGET_DIR` names.
pub fn target_dir() -> PathBuf {
    profile_dir().parent().expect("the profile's folder is inside the target folder").to_owned()
}

fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a test runs from a file");
    test.ancestors().nth(2).expect("tests are built into PROFILE/deps").to_owned()
}

/// A built binary of this workspace.
///
/// # Panics
/// When it is not built.
pub fn binary(name: &str) -> PathBuf {
    let path = profile_dir().join(name);
    assert!(path.exists(), "{} is missing: cargo build --release --bins", path.display());
    path
}

/// The folder of a contract in `contracts/dist`.
pub fn contract(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/dist").join(name)
}
