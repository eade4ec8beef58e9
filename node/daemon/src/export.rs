//! `boreasd export-blocks`: the irreversible blocks of a node as a block log of nodeos.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::Context;
use chain::block_log::{BlockLogWriter, ChainContext};
use codec::Unpack;
use primitives::{Checksum256, Genesis};

use crate::settings::ExportArgs;
use crate::start::{self, GENESIS_FACT};

/// Writes the log and says what is in it.
///
/// # Errors
/// The node's data cannot be read, or the file cannot be written.
#[allow(clippy::print_stdout, reason = "what a command found belongs on standard output")]
pub fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let store = start::open_existing_store(&args.data_dir)?;
    let first = store.earliest_block_num()?.context("the node has no blocks yet")?;
    let last = store.irreversible()?;
    let context = match store.fact(GENESIS_FACT)? {
        Some(bytes) if first == 1 => {
            ChainContext::Genesis(Genesis::from_bytes(&bytes).context("the stored genesis is damaged")?)
        }
        _ => {
            let id = store.fact("chain id")?.context("the node does not know its chain")?;
            ChainContext::Id(Checksum256::from_bytes(&id).context("the stored chain id is damaged")?)
        }
    };
    let cannot_write = || format!("cannot write {}", args.file.display());
    let mut file = BufWriter::new(File::create(&args.file).with_context(cannot_write)?);
    let mut buffer = Vec::new();
    let mut log = BlockLogWriter::begin(&context, first, &mut buffer);
    for num in first..=last {
        let bytes = store.block_at(num)?.with_context(|| format!("block {num} is missing in the database"))?;
        log.append(&bytes, &mut buffer);
        file.write_all(&buffer).with_context(cannot_write)?;
        buffer.clear();
    }
    file.write_all(&buffer).and_then(|()| file.flush()).with_context(cannot_write)?;
    println!("wrote blocks {first} to {last} of chain {} to {}", context.chain_id(), args.file.display());
    Ok(())
}
