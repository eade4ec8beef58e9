//! `boreasd salvage`: the whole blocks of a damaged block log, up to the damage, as a new log.

use std::path::Path;

use anyhow::Context;
use chain::block_log::{BlockLog, BlockLogWriter};

use crate::log_file;
use crate::settings::SalvageArgs;

/// Writes the log and says what is in it.
///
/// # Errors
/// The log cannot be read, has no whole block, or the new one cannot be written.
#[allow(clippy::print_stdout, reason = "what a command found belongs on standard output")]
pub fn salvage(args: &SalvageArgs) -> anyhow::Result<()> {
    log_file::must_be_new(&args.file, "Name a file that does not")?;
    let path = log_file::path(&args.blocks_log);
    let bytes = log_file::map(&path)?;
    let log = BlockLog::salvage(&bytes).with_context(|| format!("cannot read the block log {}", path.display()))?;
    let (first, chain) = (log.first_block_num(), log.context().chain_id());
    let last = log.last_block_num();
    let last = last.with_context(|| format!("{} has no whole block: its first one is damaged", path.display()))?;
    write(&log, &args.file)?;
    println!("wrote blocks {first} to {last} of chain {chain} to {}", args.file.display());
    Ok(())
}

fn write(log: &BlockLog<'_>, file: &Path) -> anyhow::Result<()> {
    log_file::write(file, |out| {
        let mut buffer = Vec::new();
        let mut writer = BlockLogWriter::begin(log.context(), log.first_block_num(), &mut buffer);
        for (_, packed) in log.iter() {
            writer.append(packed, &mut buffer);
            out.write_all(&buffer)?;
            buffer.clear();
        }
        out.write_all(&buffer)
    })
}
