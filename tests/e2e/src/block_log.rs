//! Block logs that a stopped node writes and that another one replays.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::binary;

/// Exports the blocks of a stopped node and returns the log's path.
///
/// # Panics
/// When `boreasd` refuses.
pub fn export_blocks(data_dir: &Path) -> PathBuf {
    let folder = data_dir.join("exported");
    std::fs::create_dir_all(&folder).expect("the folder can be written");
    let log = folder.join("blocks.log");
    run(Command::new(binary("boreasd")).args(["export-blocks", "--overwrite", "--data-dir"]).args([data_dir, &log]));
    log
}

/// Replays a log; returns what `boreasd replay --json` says.
///
/// # Panics
/// When `boreasd` refuses.
pub fn replay(log: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(binary("boreasd"));
    let text = run(command.args(["replay", "--json"]).args(arguments).arg("--blocks-log").arg(log));
    serde_json::from_str(text.lines().last().expect("a line")).expect("the last line is JSON")
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("boreasd runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}
