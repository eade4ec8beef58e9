//! What is printed or written instead of running the node.

use std::path::Path;

use anyhow::Context;
use codec::Unpack;
use primitives::Genesis;
use serde::Serialize;

use crate::folder::Folder;
use crate::settings::{NodeArgs, default_config};
use crate::{build, start};

/// Prints what is asked for. False when nothing is.
///
/// # Errors
/// There is no chain to tell of, or a file cannot be written.
#[allow(clippy::print_stdout, reason = "what a command found belongs on standard output")]
pub fn instead(args: &NodeArgs) -> anyhow::Result<bool> {
    let print = &args.print;
    if print.version || print.full_version {
        println!("{}", build::VERSION);
    } else if print.print_default_config {
        print!("{}", default_config());
    } else if print.print_build_info || print.extract_build_info.is_some() {
        give(&build::info(), print.print_build_info, print.extract_build_info.as_deref())?;
    } else if print.print_genesis_json || print.extract_genesis_json.is_some() {
        let genesis = genesis(&args.folders.data_dir)?;
        give(&genesis, print.print_genesis_json, print.extract_genesis_json.as_deref())?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

#[allow(clippy::print_stdout, reason = "what a command found belongs on standard output")]
fn give(value: &impl Serialize, print: bool, file: Option<&Path>) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value).context("it has no JSON form")?;
    if print {
        println!("{text}");
    }
    if let Some(file) = file {
        std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn genesis(data_dir: &Path) -> anyhow::Result<Genesis> {
    let (_folder, store) = Folder::with_chain(data_dir)?;
    let bytes = store.fact(start::GENESIS_FACT)?;
    let bytes = bytes.context("the chain began with a snapshot; its genesis is not known here")?;
    Genesis::from_bytes(&bytes).context("the stored genesis is damaged")
}
