//! `boreas contract`: a project for a contract, its module and ABI, its tests. It needs neither node nor wallet.
//!
//! What builds a contract is `contracts/build` of the source tree; it travels inside this binary, so that there is one
//! way of building and not two.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};

use crate::session::{note, say};

/// The scripts as they stand in the source tree.
const BUILD: &str = include_str!("../../../contracts/build");
const TOOLCHAIN: &str = include_str!("../../../contracts/toolchain");
/// The files of a new project.
const TEMPLATE: [(&str, &str); 3] = [
    ("Cargo.toml", include_str!("../../../contracts/template/Cargo.toml.in")),
    ("src/lib.rs", include_str!("../../../contracts/template/lib.rs.in")),
    ("tests/chain.rs", include_str!("../../../contracts/template/chain.rs.in")),
];
/// Where this binary was built; its SDK is used unless another is named.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What is done with a contract.
#[derive(Subcommand)]
pub enum Contract {
    /// Make a project that builds and tests at once
    New(New),
    /// Build the module and the ABI of a contract
    Build(Build),
    /// Build a contract and run its tests
    Test(Test),
}

/// Flags of `contract new`.
#[derive(Args)]
pub struct New {
    /// The folder of the project; its last part is the contract's name
    folder: PathBuf,
    /// The source tree of Boreas, for the SDK and the tester
    #[arg(long, env = "BOREAS_SOURCE", default_value = SOURCE)]
    source: PathBuf,
}

/// Flags of `contract build`.
#[derive(Args)]
pub struct Build {
    /// The folder of the contract's Cargo.toml
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Where module and ABI go [default: FOLDER/dist/NAME]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Use the pinned compiler even where rustup has the target
    #[arg(long)]
    pinned: bool,
}

/// Flags of `contract test`.
#[derive(Args)]
pub struct Test {
    /// The folder of the contract's Cargo.toml
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// What `cargo test` gets
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Contract {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::New(new) => make(&new.folder, &new.source),
            Self::Build(Build { folder, out, pinned }) => build(&folder, out.as_deref(), pinned),
            Self::Test(Test { folder, arguments }) => {
                build(&folder, None, false)?;
                if !folder.join("target/debug").exists() {
                    note(
                        "The chain that tests run on is compiled now, once for this project; that takes some minutes.",
                    );
                }
                let manifest = folder.join("Cargo.toml");
                finish(Command::new("cargo").arg("test").arg("--manifest-path").arg(manifest).args(arguments))
            }
        }
    }
}

fn make(folder: &Path, source: &Path) -> anyhow::Result<()> {
    let name = folder.file_name().and_then(|name| name.to_str()).context("the folder has no name")?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    ensure!(
        name.bytes().all(is_plain) && name.starts_with(|first: char| first.is_ascii_lowercase()),
        "a project is named with small letters, digits, - and _, a letter first: not {name:?}"
    );
    ensure!(!folder.exists(), "{} is there already", folder.display());
    let source = source.canonicalize().with_context(|| format!("the source tree {}", source.display()))?;
    ensure!(source.join("contracts/sdk").is_dir(), "{} has no contracts/sdk: name one with --source", source.display());
    let source = source.to_str().context("the path of the source tree is no text")?;
    for (path, text) in TEMPLATE {
        let path = folder.join(path);
        let parent = path.parent().context("a file is in a folder")?;
        fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        let text = text.replace("NAME", name).replace("SOURCE", source);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    fs::write(folder.join(".gitignore"), "target/\ndist/\n").with_context(|| folder.display().to_string())?;
    // The versions that the SDK and the tester were tested with; what the project does not need of them, cargo drops.
    let lock = Path::new(source).join("Cargo.lock");
    fs::copy(&lock, folder.join("Cargo.lock")).with_context(|| lock.display().to_string())?;
    say(format!("{0}: `boreas contract test {0}` builds and tests it", folder.display()))
}

fn build(folder: &Path, out: Option<&Path>, pinned: bool) -> anyhow::Result<()> {
    let is_project = folder.join("Cargo.toml").is_file();
    ensure!(is_project, "{} has no Cargo.toml: name the folder of a contract", folder.display());
    let scripts = std::env::temp_dir().join(format!("boreas-build-{}", std::process::id()));
    // Not one that is there already: on a shared machine it could be another's.
    fs::DirBuilder::new().mode(0o700).create(&scripts).with_context(|| scripts.display().to_string())?;
    let done = write_scripts(&scripts).and_then(|()| {
        let mut command = Command::new("bash");
        command.arg(scripts.join("build")).arg(folder).args(out);
        // Whoever asks for a build wants the compiler fetched where rustup lacks the target.
        command.env("FETCH", "1");
        if pinned {
            command.env("PINNED", "1");
        }
        finish(&mut command)
    });
    // Two small files in the folder for temporary ones; the build's own error matters more than theirs.
    let _ = fs::remove_dir_all(&scripts);
    done
}

fn write_scripts(folder: &Path) -> anyhow::Result<()> {
    for (name, text) in [("build", BUILD), ("toolchain", TOOLCHAIN)] {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn finish(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| program.clone())?;
    if !status.success() {
        bail!("{program} ended with {status}");
    }
    Ok(())
}
