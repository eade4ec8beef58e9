//! `boreas contract`: a project for a contract, its module and ABI, its tests, none of which need a node or a wallet; and
//! the way onto a chain.
//!
//! What builds a contract is `contracts/build` of the source tree; it travels inside this binary, so that there is one
//! way of building and not two. So do the SDK and the client of the test chain, of which a project gets its own copy.
//! The chain of tests is that of `boreasd`.

mod deploy;
mod new;
mod scenario;
mod table;
mod test;

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};

use crate::session::Session;

/// The scripts as they stand in the source tree.
const BUILD: &str = include_str!("../../../contracts/build");
const TOOLCHAIN: &str = include_str!("../../../contracts/toolchain");

/// What is done with a contract.
#[derive(Subcommand)]
pub enum Contract {
    /// Make a project that builds and tests at once
    New(new::New),
    /// Bring the SDK of a project to the version of this program
    Update(new::Update),
    /// Build the module and the ABI of a contract
    Build(Build),
    /// Build a contract and run its tests, or play a scenario
    Test(test::Test),
    /// Where a module's code comes from: of the build
    #[command(subcommand, hide = true)]
    Lines(table::Lines),
    /// Put a contract on an account, with RAM, stake and eosio.code, and the account itself if asked
    Deploy(deploy::Deploy),
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

impl Contract {
    /// Runs the command.
    pub fn run(self, session: &mut Session) -> anyhow::Result<()> {
        match self {
            Self::New(new) => new.run(),
            Self::Update(update) => update.run(),
            Self::Build(Build { folder, out, pinned }) => build(&folder, out.as_deref(), pinned),
            Self::Test(test) => test.run(),
            Self::Lines(lines) => lines.run(),
            Self::Deploy(deploy) => deploy.run(session),
        }
    }
}

fn build(folder: &Path, out: Option<&Path>, pinned: bool) -> anyhow::Result<()> {
    let is_project = folder.join("Cargo.toml").is_file();
    ensure!(is_project, "{} has no Cargo.toml: name the folder of a contract", folder.display());
    with_scripts(|build| {
        let mut command = Command::new("bash");
        command.arg(build).arg(folder).args(out);
        // Whoever asks for a build wants the compiler fetched where rustup lacks the target.
        command.env("FETCH", "1");
        // Symbols may change the order of functions: bytes that others are to make again come without.
        match std::env::current_exe() {
            _ if pinned => drop(command.env("PINNED", "1")),
            Ok(this) => drop(command.env("LINES_BY", this)),
            Err(_) => {}
        }
        finish(&mut command)
    })
}

/// Calls `work` with the path of the build script, which is there until it returns.
fn with_scripts<T>(work: impl FnOnce(&Path) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let scripts = std::env::temp_dir().join(format!("boreas-build-{}", std::process::id()));
    // Not one that is there already: on a shared machine it could be another's.
    fs::DirBuilder::new().mode(0o700).create(&scripts).with_context(|| scripts.display().to_string())?;
    let done = write_scripts(&scripts).and_then(|()| work(&scripts.join("build")));
    // Two small files in the folder for temporary ones; the work's own error matters more than theirs.
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
