//! Opening the database: its column families and their small buffers. What is in them belongs to the other files.

use std::path::{Path, PathBuf};

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBRecoveryMode, Options, ReadOptions,
    WriteBatch, WriteOptions,
};

use crate::marks::{EVERYBODY, Marks, Watermark};
use crate::reach::{self, Found, Noted, Standing};
use crate::{StoreError, extent, log};

/// Column family of single facts: head, genesis, checkpoint, watermarks.
pub(crate) const META: &str = "default";
/// In [`META`]: number and id of the last block.
pub(crate) const HEAD: &[u8] = b"head";
/// In [`META`]: since this is there, how far the database reaches is noted beside it.
const IS_NOTED: &str = "reach is noted";
/// In [`META`]: what was signed may be lost; the number of the last block that was stored, 0 where that is not known.
const FORGOT_SIGNATURES: &str = "signatures are forgotten";
/// Column family of blocks by number and id.
pub(crate) const BLOCKS: &str = "blocks";
/// Column family of state rows as of the checkpoint.
pub(crate) const STATE: &str = "state";
/// Column family of what undoes reversible blocks, by number. It is large where much is rewritten, and mostly never read.
pub(crate) const UNDO: &str = "undo";
/// Column family of traces by block number.
pub(crate) const TRACES: &str = "traces";
/// Column family of deltas by block number.
pub(crate) const DELTAS: &str = "deltas";
/// All of them.
const FAMILIES: [&str; 6] = [META, BLOCKS, STATE, UNDO, TRACES, DELTAS];

/// Bytes that RocksDB gathers for one column family before it writes a file.
const WRITE_BUFFER_BYTES: usize = 4 << 20;
/// File beside the database's while these are removed.
const REMOVING: &str = "REMOVING";
/// Bytes of write buffer for state rows: checkpoints come in bulk.
const STATE_WRITE_BUFFER_BYTES: usize = 16 << 20;
/// Bytes of a value from which on it is written once, into a file of its own kind, and not again with its neighbours: what
/// undoes blocks is written with every checkpoint and dropped minutes later, deltas are never written again.
const BLOB_BYTES: u64 = 4 << 10;
/// Bytes of the cache of read blocks, shared by all column families.
const BLOCK_CACHE_BYTES: usize = 4 << 20;
/// Files held open at once.
const OPEN_FILES_MAX: i32 = 64;
/// Bytes of write-ahead log after which the oldest buffers are written out: a restart reads all of it.
const WAL_BYTES_MAX: u64 = 16 << 20;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The database's folder; made if it does not exist.
    pub path: PathBuf,
}

/// What an open database lost since it was last synced, as far as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// The number of the last block that was stored, where the log was torn before it.
    pub stored: Option<u32>,
    /// Whether what says so is itself lost.
    pub reach_unknown: bool,
    /// Whether the second record of what was signed was lost. It is made from the database.
    pub signed: bool,
}

/// The node's database.
pub struct Store {
    pub(crate) db: DB,
    pub(crate) marks: Marks,
    noted: Noted,
    losses: Losses,
    pub(crate) path: PathBuf,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// The folder cannot be made, is in use by another process, or holds something that RocksDB cannot read.
    pub fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        let path = settings.path.clone();
        std::fs::create_dir_all(&path).map_err(|source| StoreError::file("make the folder", &path, source))?;
        if Self::is_half_removed(&path) {
            Self::destroy(&path)?;
            std::fs::create_dir_all(&path).map_err(|source| StoreError::file("make the folder", &path, source))?;
        }
        let was_there = log::is_there(&path);
        log::restore_current(&path)?;
        if (was_there || path.join("CURRENT").exists()) && !log::has_list(&path) {
            return Err(StoreError::ListMissing { path });
        }
        let logs = log::check(&path)?;
        let standing = reach::check(&path, &logs, || look(&path))?;
        let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
        let families = FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, family_options(name, &cache)));
        let db = DB::open_cf_descriptors(&database_options(), &path, families)
            .map_err(|source| StoreError::Database { action: "open files", path: path.clone(), source })?;
        let (marks, signed) = Marks::open(&path)?;
        log::note_extent(&path)?;
        let noted = Noted::open(&path)?;
        let losses = Losses { signed: was_there && !signed, ..Losses::default() };
        let mut store = Self { db, marks, noted, losses, path };
        store.settle_losses(standing)?;
        Ok(store)
    }

    /// Keeps what a start must know of what is lost until it has made up for it.
    fn settle_losses(&mut self, standing: Standing) -> Result<(), StoreError> {
        let is_noted = self.fact(IS_NOTED)?.is_some();
        self.losses.reach_unknown = standing == Standing::Unknown && is_noted;
        if self.losses.signed {
            let known = self.signers()?.into_iter().map(|name| Ok((name, self.watermark(name)?)));
            let known = known.collect::<Result<Vec<_>, StoreError>>()?;
            let known: Vec<_> = known.into_iter().filter_map(|(name, mark)| Some((name, mark?))).collect();
            // Before that is on the disk nobody takes the new record for whole.
            if standing != Standing::Whole {
                let stored = if let Standing::Short(stored) = standing { stored } else { 0 };
                self.forget_signatures(stored)?;
            }
            self.marks.replace(&known)?;
        }
        if !is_noted {
            self.set_fact(IS_NOTED, &[1])?;
        }
        let (sequence, head) = (self.db.latest_sequence_number(), self.head_num()?);
        match standing {
            // It is told at each start until something new is stored.
            Standing::Short(stored) => {
                self.losses.stored = Some(stored);
                let noted = reach::read(&self.path).map_or(0, |noted| noted.sequence);
                self.noted.note(noted.max(sequence), stored)
            }
            _ => {
                self.db.flush_wal(true).map_err(|source| self.failed("sync", source))?;
                self.noted.note(sequence, head)
            }
        }
    }

    /// What was lost before the database was opened.
    pub fn losses(&self) -> Losses {
        self.losses
    }

    /// Whether a database has something in [`META`] from its beginning.
    pub(crate) fn is_own_fact(key: &[u8]) -> bool {
        key == fact_key(IS_NOTED)
    }

    fn head_num(&self) -> Result<u32, StoreError> {
        Ok(self.head()?.map_or(0, |head| head.num))
    }

    /// Whether it is not known what this node signed: then the number of the last block that was stored, 0 where that is
    /// not known either.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn forgot_signatures(&self) -> Result<Option<u32>, StoreError> {
        let fact = self.fact(FORGOT_SIGNATURES)?.filter(|fact| !fact.is_empty());
        Ok(fact.map(|fact| fact.try_into().map_or(0, u32::from_be_bytes)))
    }

    pub(crate) fn forget_signatures(&self, stored: u32) -> Result<(), StoreError> {
        self.set_fact(FORGOT_SIGNATURES, &stored.to_be_bytes())
    }

    /// Makes up for what was forgotten: nobody signs up to `mark` ([`crate::EVERYBODY`]).
    ///
    /// # Errors
    /// The disk refuses.
    pub fn bar_signing(&self, mark: Watermark) -> Result<(), StoreError> {
        self.marks.append(EVERYBODY, mark)?;
        self.marks.sync()?;
        self.set_fact(FORGOT_SIGNATURES, &[])
    }

    /// Whether there is a database in a folder, or what is left of one.
    pub fn is_there(path: &Path) -> bool {
        (path.join("CURRENT").is_file() || log::is_there(path)) && !Self::is_half_removed(path)
    }

    /// Removes the files of a database that nobody has open. The folder stays where it cannot be removed, as one on
    /// which a disk is mounted, and so does what is in it that the database did not write.
    ///
    /// # Errors
    /// A file cannot be removed, or another process has the database open; nothing is removed then.
    pub fn destroy(path: &Path) -> Result<(), StoreError> {
        if !path.exists() {
            return Ok(());
        }
        // Who is ended half-way has it finished by the next one that opens the folder: some of a database's files without
        // the others are a database that cannot be opened.
        let marker = path.join(REMOVING);
        std::fs::write(&marker, []).map_err(|source| StoreError::file("write", &marker, source))?;
        let failed = |source| StoreError::Database { action: "remove files", path: path.to_owned(), source };
        DB::destroy(&database_options(), path).map_err(failed).inspect_err(|_| drop(std::fs::remove_file(&marker)))?;
        Marks::remove(path)?;
        extent::remove(path)?;
        reach::remove(path)?;
        std::fs::remove_file(&marker).map_err(|source| StoreError::file("remove", &marker, source))?;
        // What is not the database's keeps the folder.
        let _ = std::fs::remove_dir(path);
        Ok(())
    }

    /// Whether a removal of the files in this folder was begun and not finished: they are no database any more, and the
    /// next one that opens the folder has it finished.
    pub fn is_half_removed(path: &Path) -> bool {
        path.join(REMOVING).exists()
    }

    /// The database's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts what was written so far on the disk itself, so that it survives a loss of power.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.marks.sync()?;
        // What is written meanwhile may not be on the disk yet.
        let (sequence, head) = (self.db.latest_sequence_number(), self.head_num()?);
        self.db.flush_wal(true).map_err(|source| self.failed("sync", source))?;
        self.noted.note(sequence, head)
    }

    /// Bytes of the database's files.
    pub fn size_bytes(&self) -> u64 {
        let bytes = |family, of| self.db.property_int_value_cf(family, of).ok().flatten().unwrap_or(0);
        let files =
            |family| bytes(family, "rocksdb.total-sst-files-size") + bytes(family, "rocksdb.total-blob-file-size");
        FAMILIES.iter().map(|name| files(self.family(name))).sum()
    }

    pub(crate) fn family(&self, name: &str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("every column family is made when the database is opened")
    }

    pub(crate) fn failed(&self, action: &'static str, source: rocksdb::Error) -> StoreError {
        StoreError::Database { action, path: self.path.clone(), source }
    }

    pub(crate) fn corrupt(&self, what: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: self.path.clone(), what: what.into() }
    }

    /// Writes a batch into the write-ahead log: it survives the end of the process, and with `sync` a loss of power.
    pub(crate) fn write(&self, batch: WriteBatch, sync: bool) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        self.db.write_opt(batch, &options).map_err(|source| self.failed("write", source))
    }

    pub(crate) fn get(&self, family: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(family), key).map_err(|source| self.failed("read", source))
    }

    /// A value that may be large and is seldom read, by a block's number.
    pub(crate) fn get_large(&self, family: &str, num: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        let found = self.db.get_cf_opt(self.family(family), num.to_be_bytes(), &options);
        found.map_err(|source| self.failed("read", source))
    }

    /// A single fact that others keep here, by its name.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn fact(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(META, &fact_key(name))
    }

    /// Keeps a single fact under a name, synced.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn set_fact(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(META), fact_key(name), value);
        self.write(batch, true)
    }
}

/// What RocksDB finds in a database that nobody has open; nothing is changed. `None` where it cannot be read.
fn look(path: &Path) -> Option<Found> {
    let meta = ColumnFamilyDescriptor::new(META, Options::default());
    let db = DB::open_cf_descriptors_read_only(&database_options(), path, [meta], false).ok()?;
    let oldest_log = db.property_int_value("rocksdb.min-log-number-to-keep").ok().flatten().unwrap_or(0);
    let head = db.get(HEAD).ok()?.and_then(|head| head.first_chunk().map(|num| u32::from_be_bytes(*num)));
    Some(Found { sequence: db.latest_sequence_number(), head: head.unwrap_or(0), oldest_log })
}

fn fact_key(name: &str) -> Vec<u8> {
    [b"fact/", name.as_bytes()].concat()
}

pub(crate) fn database_options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_background_jobs(2);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    // A torn end of the log is what a killed process leaves; everything before it is whole, see `log`.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // Opening must not look into every file of a long chain.
    options.set_skip_stats_update_on_db_open(true);
    options.set_keep_log_file_num(2);
    options.set_log_level(rocksdb::LogLevel::Warn);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

fn family_options(name: &str, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_block_size(16 << 10);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(if name == STATE { STATE_WRITE_BUFFER_BYTES } else { WRITE_BUFFER_BYTES });
    options.set_max_write_buffer_number(2);
    options.set_arena_block_size(64 << 10);
    options.set_compression_type(rocksdb::DBCompressionType::None);
    if [UNDO, DELTAS].contains(&name) {
        options.set_enable_blob_files(true);
        options.set_min_blob_size(BLOB_BYTES);
        options.set_enable_blob_gc(true);
    }
    options
}
