//! A block log of nodeos beside the database, for tools that read one: `blocks.log` and `blocks.index` in a folder, kept
//! up to the last irreversible block by the thread behind the writer.
//!
//! The blocks of the database are the truth. A log that a crash tore is mended from them; a log that has blocks which
//! they lack is never touched.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use chain::block_log::{BlockLogWriter, ChainContext};
use store::{Store, StoreError};

use crate::EngineError;

/// nodeos' name for the log.
pub const LOG_NAME: &str = "blocks.log";
/// nodeos' name for the index beside it.
pub const INDEX_NAME: &str = "blocks.index";
/// Bytes of an entry of the index: where a block begins in the log.
const ENTRY_BYTES: u64 = 8;
/// Blocks at the end of a log that are compared with the database until one is whole: what a crash can tear.
const TORN_BLOCKS_MAX: u64 = 10_000;
/// Bytes that are gathered before they are written.
const CHUNK_BYTES: usize = 1 << 20;
/// Why a log is not the chain's.
const UNKNOWN_BLOCKS: &str = "has blocks that the database does not have";
const OTHER_BLOCKS: &str = "does not hold the blocks of this chain, or its index is missing";

/// Where a log is kept, and of what chain.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// The folder.
    pub folder: PathBuf,
    /// What chain it is of.
    pub context: ChainContext,
    /// Whether blocks that the database has forgotten may be forgotten here too: the operator went back to an earlier one.
    pub may_cut: bool,
}

/// Makes sure that the log in a folder, if there is one, can be kept for the chain that `of` names; `None` is one that
/// only begins, which has no blocks yet. Nothing is written.
///
/// # Errors
/// It cannot be read, or holds blocks that the chain does not have.
pub fn check(folder: &Path, of: Option<(&LogSettings, &Store)>) -> Result<(), EngineError> {
    let path = folder.join(LOG_NAME);
    if path.metadata().map_or(0, |file| file.len()) == 0 {
        return Ok(());
    }
    if !folder.join(INDEX_NAME).exists() {
        return Err(EngineError::BlockLog { path, why: OTHER_BLOCKS.to_owned() });
    }
    let files = Files::open(folder, OpenOptions::new().read(true))?;
    match of {
        None if files.entries()? > 0 => Err(files.foreign(UNKNOWN_BLOCKS)),
        None => Ok(()),
        Some((settings, store)) => files.compare(settings, store).map(|_| ()),
    }
}

/// A log and its index.
#[derive(Debug)]
struct Files {
    log: File,
    index: File,
    path: PathBuf,
}

/// How far a log holds the blocks of a store.
struct Kept {
    /// What the log begins with.
    head: Vec<u8>,
    /// The number of the first block.
    first: u32,
    /// Bytes of the log.
    bytes: u64,
    /// Blocks.
    entries: u64,
}

impl Files {
    fn open(folder: &Path, how: &OpenOptions) -> Result<Self, EngineError> {
        let failed = |source| StoreError::file("open the block log in", folder, source);
        let path = folder.join(LOG_NAME);
        let log = how.open(&path).map_err(failed)?;
        Ok(Self { log, index: how.open(folder.join(INDEX_NAME)).map_err(failed)?, path })
    }

    fn entries(&self) -> Result<u64, EngineError> {
        let failed = |source| StoreError::file("read the index of", &self.path, source);
        Ok(self.index.metadata().map_err(failed)?.len() / ENTRY_BYTES)
    }

    fn compare(&self, settings: &LogSettings, store: &Store) -> Result<Kept, EngineError> {
        let failed = |source| StoreError::file("read", &self.path, source);
        let first = store.earliest_block_num()?.unwrap_or(1);
        let mut head = Vec::new();
        BlockLogWriter::begin(&settings.context, first, &mut head);
        let length = self.log.metadata().map_err(failed)?.len();
        if length > 0 && !self.begins_with(&head) {
            return Err(self.foreign("is the log of another chain, or begins with another block"));
        }
        let (bytes, entries) = self.whole_blocks(head.len() as u64, first, settings.may_cut, store)?;
        Ok(Kept { head, first, bytes, entries })
    }

    fn begins_with(&self, head: &[u8]) -> bool {
        let mut found = vec![0; head.len()];
        self.log.read_exact_at(&mut found, 0).is_ok() && found == head
    }

    /// How far log and index hold the store's blocks: bytes of the log, entries of the index.
    fn whole_blocks(&self, head: u64, first: u32, may_cut: bool, store: &Store) -> Result<(u64, u64), EngineError> {
        let failed = |source| StoreError::file("read the index of", &self.path, source);
        let entries = self.entries()?;
        let known = u64::from((store.irreversible()? + 1).saturating_sub(first));
        if entries > known && !may_cut {
            return Err(self.foreign(UNKNOWN_BLOCKS));
        }
        let last = entries.min(known);
        for entry in (last.saturating_sub(TORN_BLOCKS_MAX)..last).rev() {
            let mut bytes = [0; ENTRY_BYTES as usize];
            self.index.read_exact_at(&mut bytes, entry * ENTRY_BYTES).map_err(failed)?;
            let offset = u64::from_le_bytes(bytes);
            let number = first + u32::try_from(entry).unwrap_or(u32::MAX);
            let Some(block) = store.block_at(number)? else { break };
            let mut expected = block;
            expected.extend_from_slice(&offset.to_le_bytes());
            let mut found = vec![0; expected.len()];
            if self.log.read_exact_at(&mut found, offset).is_ok() && found == expected {
                return Ok((offset + expected.len() as u64, entry + 1));
            }
        }
        // Without an index nothing is known of the blocks; a log with nothing but its head has none.
        if self.log.metadata().map_err(failed)?.len() <= head {
            return Ok((head, 0));
        }
        Err(self.foreign(OTHER_BLOCKS))
    }

    fn foreign(&self, why: &str) -> EngineError {
        EngineError::BlockLog { path: self.path.clone(), why: why.to_owned() }
    }
}

/// Keeps one log.
#[derive(Debug)]
pub(crate) struct LogKeeper {
    files: Files,
    writer: BlockLogWriter,
    /// Bytes of the log and of the index.
    lengths: (u64, u64),
    /// The number of the block that comes next.
    next: u32,
    /// Whether a write failed: then the log stays as it is until the next start.
    failed: bool,
}

impl LogKeeper {
    /// Opens the log of the chain in the store, or begins it.
    ///
    /// # Errors
    /// The files cannot be opened, or hold blocks that the store does not have.
    pub fn open(settings: &LogSettings, store: &Store) -> Result<Self, EngineError> {
        let folder = &settings.folder;
        let failed = |source| StoreError::file("keep the block log in", folder, source);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let files = Files::open(folder, OpenOptions::new().read(true).write(true).create(true).truncate(false))?;
        let Kept { head, first, bytes, entries } = files.compare(settings, store)?;
        let lengths = (bytes, entries * ENTRY_BYTES);
        files.log.set_len(lengths.0).map_err(failed)?;
        files.index.set_len(lengths.1).map_err(failed)?;
        files.log.write_all_at(&head, 0).map_err(failed)?;
        let next = first + u32::try_from(entries).unwrap_or(u32::MAX);
        Ok(Self { files, writer: BlockLogWriter::resume(bytes), lengths, next, failed: false })
    }

    /// Writes what has become irreversible. A disk that refuses is reported once; the node does not depend on the log.
    pub fn follow(&mut self, store: &Store) {
        if self.failed {
            return;
        }
        if let Err(error) = self.extend(store) {
            self.failed = true;
            tracing::error!(
                "{} stays at block {}: {error}. It is mended at the next start",
                self.files.path.display(),
                self.next.saturating_sub(1)
            );
        }
    }

    fn extend(&mut self, store: &Store) -> Result<(), StoreError> {
        let last = store.irreversible()?;
        while self.next <= last {
            let (mut blocks, mut entries) = (Vec::new(), Vec::new());
            while self.next <= last && blocks.len() < CHUNK_BYTES {
                let Some(block) = store.block_at(self.next)? else { return Ok(()) };
                entries.extend_from_slice(&self.writer.append(&block, &mut blocks).to_le_bytes());
                self.next += 1;
            }
            let failed = |source| StoreError::file("write", &self.files.path, source);
            self.files.log.write_all_at(&blocks, self.lengths.0).map_err(failed)?;
            self.files.index.write_all_at(&entries, self.lengths.1).map_err(failed)?;
            self.lengths.0 += blocks.len() as u64;
            self.lengths.1 += entries.len() as u64;
        }
        Ok(())
    }
}
