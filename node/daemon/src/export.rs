//! `boreasd export-blocks`: the irreversible blocks of a node as a block log of nodeos.

use anyhow::Context;
use chain::block_log::{BlockLogWriter, ChainContext};
use codec::Unpack;
use primitives::{Checksum256, Genesis};
use store::Store;

use crate::folder::Folder;
use crate::log_file;
use crate::settings::ExportArgs;
use crate::start::{CHAIN_ID_FACT, GENESIS_FACT};

/// What a log of this chain says of it.
///
/// # Errors
/// The store cannot be read.
pub fn context(store: &Store) -> anyhow::Result<ChainContext> {
    Ok(match store.fact(GENESIS_FACT)? {
        Some(bytes) if store.earliest_block_num()? == Some(1) => {
            ChainContext::Genesis(Genesis::from_bytes(&bytes).context("the stored genesis is damaged")?)
        }
        _ => {
            let id = store.fact(CHAIN_ID_FACT)?.context("the node does not know its chain")?;
            ChainContext::Id(Checksum256::from_bytes(&id).context("the stored chain id is damaged")?)
        }
    })
}

/// Writes the log and says what is in it.
///
/// # Errors
/// The node's data cannot be read, the file exists already, or it cannot be written.
#[allow(clippy::print_stdout, reason = "what a command found belongs on standard output")]
pub fn export(args: &ExportArgs) -> anyhow::Result<()> {
    anyhow::ensure!(!args.file.is_dir(), "{} is a folder. Name a file", args.file.display());
    if !args.overwrite {
        log_file::must_be_new(&args.file, "Name a file that does not, or give --overwrite too")?;
    }
    let (_folder, store) = Folder::with_chain(&args.data_dir)?;
    let first = store.earliest_block_num()?.context("the node has no blocks yet")?;
    let last = store.irreversible()?;
    anyhow::ensure!(first <= last, "no block of the node is irreversible yet: the first one is {first}");
    let context = context(&store)?;
    log_file::write(&args.file, |out| {
        let mut buffer = Vec::new();
        let mut log = BlockLogWriter::begin(&context, first, &mut buffer);
        for num in first..=last {
            let block = store.block_at(num).map_err(std::io::Error::other)?;
            let missing = || std::io::Error::other(format!("block {num} is missing in the database"));
            log.append(&block.ok_or_else(missing)?, &mut buffer);
            out.write_all(&buffer)?;
            buffer.clear();
        }
        out.write_all(&buffer)
    })?;
    println!("wrote blocks {first} to {last} of chain {} to {}", context.chain_id(), args.file.display());
    Ok(())
}
