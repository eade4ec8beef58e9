//! `boreas contract new` and `update`: a project with all it needs but a few ordinary crates, to be handed on as it is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;

use crate::session::say;

/// The files of a new project.
const TEMPLATE: [(&str, &str); 3] = [
    ("Cargo.toml", include_str!("../../../../contracts/template/Cargo.toml.in")),
    ("src/lib.rs", include_str!("../../../../contracts/template/lib.rs.in")),
    ("tests/chain.rs", include_str!("../../../../contracts/template/chain.rs.in")),
];
/// The SDK, its macros and the client of the test chain: path below [`SDK_FOLDER`] and text.
const SDK_FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));
/// The workspace that they were tested in; theirs in a project is the same without its other members.
const WORKSPACE: &str = include_str!("../../../../contracts/Cargo.toml");
/// The versions that they were tested with; what a project does not need of them, cargo drops.
const LOCK: &str = include_str!("../../../../contracts/Cargo.lock");
/// Where a project has its copy of them.
const SDK_FOLDER: &str = "boreas";

/// Flags of `contract new`.
#[derive(Args)]
pub struct New {
    /// The folder of the project; its last part is the contract's name
    folder: PathBuf,
}

/// Flags of `contract update`.
#[derive(Args)]
pub struct Update {
    /// The folder of the project
    #[arg(default_value = ".")]
    folder: PathBuf,
}

impl New {
    /// Makes the project.
    pub fn run(self) -> anyhow::Result<()> {
        let folder = self.folder;
        let name = folder.file_name().and_then(|name| name.to_str()).context("the folder has no name")?;
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        ensure!(
            name.bytes().all(is_plain) && name.starts_with(|first: char| first.is_ascii_lowercase()),
            "a project is named with small letters, digits, - and _, a letter first: not {name:?}"
        );
        ensure!(!folder.exists(), "{} is there already", folder.display());
        for (path, text) in TEMPLATE {
            let text = text.replace("CRATE", &name.replace('-', "_")).replace("NAME", name);
            write(&folder.join(path), &text)?;
        }
        write(&folder.join(".gitignore"), "target/\ndist/\n")?;
        write(&folder.join("Cargo.lock"), LOCK)?;
        unpack(&folder)?;
        say(format!("{0}: `boreas contract test {0}` builds and tests it", folder.display()))
    }
}

impl Update {
    /// Replaces the project's copy of the SDK.
    pub fn run(self) -> anyhow::Result<()> {
        let sdk = self.folder.join(SDK_FOLDER);
        ensure!(sdk.join("sdk").is_dir(), "{} has no SDK: it is not a project of boreas", sdk.display());
        let before = fs::read_to_string(sdk.join("VERSION")).unwrap_or_default();
        fs::remove_dir_all(&sdk).with_context(|| sdk.display().to_string())?;
        unpack(&self.folder)?;
        say(format!("{}: version {}, was {}", sdk.display(), env!("CARGO_PKG_VERSION"), before.trim()))
    }
}

/// Writes the SDK into a project.
fn unpack(project: &Path) -> anyhow::Result<()> {
    let folder = project.join(SDK_FOLDER);
    for (path, text) in SDK_FILES {
        write(&folder.join(path), text)?;
    }
    write(&folder.join("Cargo.toml"), &workspace())?;
    write(&folder.join("VERSION"), concat!(env!("CARGO_PKG_VERSION"), "\n"))
}

/// The manifest of the SDK's own workspace inside a project.
fn workspace() -> String {
    let mut text = String::from(
        "# The contract SDK, as `boreas contract new` unpacked it; `boreas contract update` replaces it.\n",
    );
    let lines = WORKSPACE.lines().skip_while(|line| !line.starts_with("[workspace]"));
    for line in lines.take_while(|line| !line.starts_with("# Speed first") && !line.starts_with("[profile")) {
        let line = if line.starts_with("members") { "members = [\"sdk\", \"sdk/macros\", \"tester\"]" } else { line };
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let parent = path.parent().context("a file is in a folder")?;
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    fs::write(path, text).with_context(|| path.display().to_string())
}
