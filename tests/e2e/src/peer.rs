//! The real nodeos, cleos and keosd, from the package that `tests/peer/install` installs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::target_dir;

/// Where they are.
#[derive(Debug)]
pub struct Peer {
    folder: PathBuf,
}

impl Peer {
    /// Installs them under the target folder where they are not yet. `None`, with a line that says so, on a system
    /// whose packages have no Python 3.11: what they come in is made for that one.
    ///
    /// # Panics
    /// When the installation fails.
    pub fn find() -> Option<Self> {
        if Command::new("python3.11").args(["-c", "import ensurepip"]).output().is_ok_and(|run| !run.status.success())
            || Command::new("python3.11").arg("--version").output().is_err()
        {
            eprintln!("SKIPPED: the real cleos and nodeos need python3.11 with venv, which this system does not have");
            return None;
        }
        let folder = target_dir().join("peer");
        let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peer/install");
        let status = Command::new(install).arg(&folder).status().expect("tests/peer/install runs");
        assert!(status.success(), "nodeos could not be installed in {}", folder.display());
        Some(Self { folder })
    }

    /// `nodeos`, `cleos` or `keosd`.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.folder.join("bin").join(name))
    }

    /// The folder of a contract that CDT compiled.
    pub fn contract(&self, name: &str) -> PathBuf {
        self.folder.join("contracts").join(name)
    }
}
