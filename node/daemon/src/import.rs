//! What nodeos leaves: its block log, the older parts of it where it was split (`--blocks-log-stride`), and the blocks
//! that were reversible when it stopped.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chain::block_log::{BlockLog, ChainContext};
use chain::fork_database::ForkDatabase;
use memmap2::Mmap;

use crate::log_file;

/// The folder of the log in nodeos' data folder.
const BLOCKS_FOLDER: &str = "blocks";
/// Folders beside the log in which nodeos may keep older parts.
const PART_FOLDERS: [&str; 3] = ["", "retained", "archive"];
/// Where the reversible blocks are, from the log's folder.
const REVERSIBLE: &str = "reversible/fork_db.dat";

/// Where the blocks are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Block logs.
    pub logs: Vec<PathBuf>,
    /// The fork database.
    pub reversible: Option<PathBuf>,
}

impl Sources {
    /// What was named: block logs, folders with them, or data folders of nodeos.
    ///
    /// # Errors
    /// A folder has no log, or cannot be read.
    pub fn find(named: &[PathBuf]) -> anyhow::Result<Self> {
        let mut found = Self::default();
        for path in named {
            if !path.is_dir() {
                found.logs.push(path.clone());
                continue;
            }
            let folder = match path.join(BLOCKS_FOLDER) {
                inner if inner.is_dir() => inner,
                _ => path.clone(),
            };
            let before = found.logs.len();
            found.logs.extend(parts(&folder)?);
            found.logs.extend(Some(log_file::path(&folder)).filter(|log| log.is_file()));
            anyhow::ensure!(found.logs.len() > before, "there is no block log in {}", folder.display());
            let reversible = folder.join(REVERSIBLE);
            if reversible.is_file() {
                found.reversible = Some(reversible);
            }
        }
        Ok(found)
    }
}

/// The parts of a log that was split, `blocks-FIRST-LAST.log`.
fn parts(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for inner in PART_FOLDERS.iter().map(|name| folder.join(name)).filter(|inner| inner.is_dir()) {
        let cannot = || format!("cannot read the folder {}", inner.display());
        for entry in inner.read_dir().with_context(cannot)? {
            let path = entry.with_context(cannot)?.path();
            let numbers =
                path.file_name().and_then(|name| name.to_str()?.strip_prefix("blocks-")?.strip_suffix(".log"));
            let numbers = numbers.and_then(|numbers| numbers.split_once('-'));
            if numbers.is_some_and(|(first, last)| first.parse::<u32>().is_ok() && last.parse::<u32>().is_ok()) {
                parts.push(path);
            }
        }
    }
    Ok(parts)
}

/// Logs of one chain that follow each other.
#[derive(Debug)]
pub struct Logs<'a> {
    /// Ascending by their first blocks; those without blocks are last.
    logs: Vec<BlockLog<'a>>,
}

impl<'a> Logs<'a> {
    /// Opens all of them.
    ///
    /// # Errors
    /// One cannot be read, is of another chain, or does not follow the one before it.
    pub fn open(files: &'a [(PathBuf, Mmap)]) -> anyhow::Result<Self> {
        let mut logs = Vec::new();
        for (path, bytes) in files {
            let log = BlockLog::open(bytes).with_context(|| format!("cannot read the block log {}", path.display()))?;
            logs.push((log, path));
        }
        logs.sort_by_key(|(log, _)| (log.is_empty(), log.first_block_num()));
        for [(log, path), (next, next_path)] in logs.array_windows() {
            let (chain, next_chain) = (log.context().chain_id(), next.context().chain_id());
            anyhow::ensure!(
                chain == next_chain,
                "{} is of chain {chain}, {} of chain {next_chain}",
                path.display(),
                next_path.display()
            );
            let last = log.last_block_num().unwrap_or_default();
            anyhow::ensure!(
                next.is_empty() || next.first_block_num() <= last.saturating_add(1),
                "{} ends with block {last} and {} begins with block {}: what is between them is missing",
                path.display(),
                next_path.display(),
                next.first_block_num()
            );
        }
        Ok(Self { logs: logs.into_iter().map(|(log, _)| log).collect() })
    }

    /// The chain that the logs are of.
    ///
    /// # Panics
    /// Never: there is a log.
    pub fn context(&self) -> &ChainContext {
        self.logs.first().expect("an option names a log at least").context()
    }

    /// The number of the first block.
    pub fn first_block_num(&self) -> u32 {
        self.logs.first().map_or(0, BlockLog::first_block_num)
    }

    /// The number of the last block, if there is one.
    pub fn last_block_num(&self) -> Option<u32> {
        self.logs.iter().filter_map(BlockLog::last_block_num).max()
    }

    /// Whether there are no blocks.
    pub fn is_empty(&self) -> bool {
        self.logs.iter().all(BlockLog::is_empty)
    }

    /// The packed block with a number.
    pub fn packed(&self, number: u32) -> Option<&'a [u8]> {
        self.logs.iter().find_map(|log| log.packed(number))
    }
}

/// Reads a fork database.
///
/// # Errors
/// It cannot be read, or is something else.
pub fn fork_database(path: &Path) -> anyhow::Result<ForkDatabase> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ForkDatabase::read(&bytes).with_context(|| format!("the reversible blocks of {} cannot be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_folders_and_data_folders_are_searched() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for name in [
            "blocks/blocks.log",
            "blocks/blocks-1-10.log",
            "blocks/blocks-1-10.index",
            "blocks/retained/blocks-11-20.log",
            "blocks/blocks-bad-tail-2024.log",
            "blocks/reversible/fork_db.dat",
        ] {
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            std::fs::write(path(name), "").unwrap();
        }
        let logs =
            ["blocks/blocks-1-10.log", "blocks/retained/blocks-11-20.log", "blocks/blocks.log"].map(path).to_vec();
        let whole = Sources { logs, reversible: Some(path("blocks/reversible/fork_db.dat")) };
        assert_eq!(Sources::find(&[path("")]).unwrap(), whole);
        assert_eq!(Sources::find(&[path("blocks")]).unwrap(), whole);
        let one = Sources::find(&[path("blocks/blocks.log")]).unwrap();
        assert_eq!(one, Sources { logs: vec![path("blocks/blocks.log")], reversible: None });
        let retained = Sources::find(&[path("blocks/retained"), path("blocks/blocks.log")]).unwrap();
        assert_eq!(retained.logs.len(), 2);
        let none = Sources::find(&[path("blocks/reversible")]).unwrap_err().to_string();
        assert!(none.contains("there is no block log in"), "{none}");
    }
}
