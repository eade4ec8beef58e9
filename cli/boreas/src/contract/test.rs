//! `boreas contract test`: a contract built, its tests run on the chain of `boreasd`, and what its actions cost.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args;

use super::{build, finish, scenario, with_scripts};
use crate::session::say;

/// The node's program, which has the chain of tests in it.
const BOREASD: &str = "boreasd";

/// Flags of `contract test`.
#[derive(Args)]
pub struct Test {
    /// The folder of the contract's Cargo.toml, or a scenario: a file of steps, NAME.toml
    #[arg(default_value = ".")]
    place: PathBuf,
    /// The program that has the chain [default: beside this one, or on the path]
    #[arg(long, env = "BOREASD")]
    boreasd: Option<PathBuf>,
    /// What `cargo test` gets
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Test {
    /// Builds and tests.
    pub fn run(self) -> anyhow::Result<()> {
        let boreasd = self.boreasd.unwrap_or_else(beside);
        if self.place.extension().is_some_and(|kind| kind == "toml") {
            return scenario::play(&boreasd, &self.place);
        }
        build(&self.place, None, false)?;
        let costs = std::env::temp_dir().join(format!("boreas-costs-{}", std::process::id()));
        let tested = cargo_test(&self.place, &self.arguments, &boreasd, &costs);
        let told = fs::read_to_string(&costs).unwrap_or_default();
        // Its lines are read; nobody needs the file.
        let _ = fs::remove_file(&costs);
        tested?;
        for file in scenarios(&self.place)? {
            scenario::play(&boreasd, &file)?;
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.place.join("target"), PathBuf::from);
        report(&told, &target.join("costs-of-actions"))
    }
}

/// The program beside this one, or the one that the system finds.
fn beside() -> PathBuf {
    let here = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join(BOREASD)));
    here.filter(|program| program.is_file()).unwrap_or_else(|| BOREASD.into())
}

fn cargo_test(folder: &Path, arguments: &[String], boreasd: &Path, costs: &Path) -> anyhow::Result<()> {
    let environment = with_scripts(|build| {
        let said = Command::new("bash").arg(build).arg("--environment").output().context("bash")?;
        ensure!(said.status.success(), "bash: {}", String::from_utf8_lossy(&said.stderr));
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    })?;
    let mut cargo = Command::new("cargo");
    // Not the examples in comments: rustdoc may be of another compiler than the one that the contract is built with.
    cargo.args(["test", "--tests", "--quiet", "--release", "--manifest-path"]);
    cargo.arg(folder.join("Cargo.toml")).args(arguments);
    cargo.envs(environment.lines().filter_map(|line| line.split_once('=')));
    finish(cargo.env("BOREASD", boreasd).env("BOREAS_CONTRACT_REPORT", costs))
}

/// The scenarios of a project, in the order of their names.
fn scenarios(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let tests = folder.join("tests");
    let Ok(entries) = fs::read_dir(&tests) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| tests.display().to_string())?.path();
        files.extend(Some(path).filter(|path| path.extension().is_some_and(|kind| kind == "toml")));
    }
    files.sort();
    Ok(files)
}

/// An action's runs: microseconds of CPU and bytes of RAM of each.
type Runs = BTreeMap<String, Vec<(i64, i64)>>;

/// Prints what each action cost, beside the last time, and keeps it for the next.
fn report(told: &str, last: &Path) -> anyhow::Result<()> {
    let mut runs = Runs::new();
    for line in told.lines() {
        let [action, cpu_us, ram] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
        let (Ok(cpu_us), Ok(ram)) = (cpu_us.parse(), ram.parse()) else { continue };
        runs.entry(action.to_owned()).or_default().push((cpu_us, ram));
    }
    if runs.is_empty() {
        return Ok(());
    }
    let before = fs::read_to_string(last).unwrap_or_default();
    let before: BTreeMap<&str, &str> = before.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut kept = String::new();
    say(format!("\n{:<40} {:>6} {:>9} {:>12} {:>10}", "action", "runs", "CPU us", "last time", "RAM bytes"))?;
    for (action, mut runs) in runs {
        runs.sort_unstable();
        // The lower one of two: the first run compiles the module.
        let (median, count) = (runs[(runs.len() - 1) / 2].0, runs.len());
        let ram = runs.iter().map(|(_, ram)| *ram).max().unwrap_or_default();
        let last = before.get(action.as_str()).copied().unwrap_or("-");
        say(format!("{action:<40} {count:>6} {median:>9} {last:>12} {ram:>10}"))?;
        kept.push_str(&format!("{action}\t{median}\n"));
    }
    // The next report has nothing to compare with, and that is all.
    let _ = fs::write(last, kept);
    Ok(())
}
