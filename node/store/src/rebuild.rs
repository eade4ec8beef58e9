//! A database whose state cannot be read: the rest of it is copied into a new one, so that the state can be built from
//! the blocks again. The damaged one stays beside it until an operator removes it.

use std::path::{Path, PathBuf};

use rocksdb::{ColumnFamilyDescriptor, DB, IteratorMode, WriteBatch};

use crate::checkpoint::belongs_to_state;
use crate::db::{BLOCKS, DELTAS, META, Store, StoreSettings, TRACES, database_options};
use crate::marks::Marks;
use crate::{StoreError, log, reach};

/// What became of a database that was rebuilt.
#[derive(Debug)]
pub struct Rebuilt {
    /// The folder in which the damaged one is now.
    pub aside: PathBuf,
    /// Why the traces of past blocks are lost, if they are.
    pub lost_traces: Option<StoreError>,
    /// The number of the last block that there was once, and of the last one now, where that is less.
    pub lost_blocks: Option<(u32, u32)>,
}

/// Bytes that are copied in one batch.
const BATCH_BYTES: usize = 1 << 20;

impl Store {
    /// Copies what is not state from the database in `path`, which nobody has open, into a new one in its place;
    /// traces, too, as far as they can be read. Where the list of files is lost all of them are looked through.
    ///
    /// # Errors
    /// The blocks cannot be read either, or the disk refuses; the database is as it was.
    pub fn rebuild_without_state(path: &Path) -> Result<Rebuilt, StoreError> {
        Self::remove_drafts(path)?;
        log::restore_current(path)?;
        let (draft, whole) = (beside(path, "draft"), beside(path, "rebuilt"));
        let aside = (0..).map(|number: u32| beside(path, &format!("damaged-{number}")));
        let aside = aside.into_iter().find(|aside| !aside.exists()).unwrap_or_else(|| beside(path, "damaged"));
        let found = beside(path, "found");
        let from = match log::has_list(path) {
            true => path,
            false => list_files(path, &found).map(|()| found.as_path())?,
        };
        let new = Self::open(&StoreSettings { path: draft.clone() })?;
        copy(from, &[META, BLOCKS], &new).map_err(|error| match from == path {
            true => error,
            false => unreadable(path, error.to_string()),
        })?;
        let noted = reach::read(path);
        let (claimed, head) = (new.head()?, new.end_before_gap()?);
        let stored = noted.as_ref().map_or(0, |noted| noted.head).max(claimed.map_or(0, |head| head.num));
        let left = head.map_or(0, |head| head.num);
        // A chain that began with a snapshot may have no block yet.
        if left == 0 && (stored > 0 || new.is_empty()) {
            return Err(unreadable(path, "the files that had them are gone or damaged".to_owned()));
        }
        // Without a list there are only the kinds of rows that were written to tables.
        let lost_traces = copy(from, &[META, TRACES, DELTAS], &new).err();
        let lost_traces = lost_traces.filter(|error| !error.to_string().contains("Column family not found"));
        let (marks, is_whole) = Marks::open(path)?;
        if !is_whole && (left < stored || noted.is_none()) {
            new.forget_signatures(stored)?;
        }
        for (producer, mark) in marks.producers().into_iter().filter_map(|name| Some((name, marks.get(name)?))) {
            new.marks.append(producer, mark)?;
        }
        new.sync()?;
        drop(new);
        rename(&draft, &whole)?;
        rename(path, &aside)?;
        Self::finish_rebuilding(path)?;
        Self::remove_drafts(path)?;
        Ok(Rebuilt { aside, lost_traces, lost_blocks: (left < stored).then_some((stored, left)) })
    }

    /// Removes what a rebuilding left that was ended half-way. The database is where it was then.
    ///
    /// # Errors
    /// The disk refuses.
    fn remove_drafts(path: &Path) -> Result<(), StoreError> {
        let drafts = ["draft", "found", "rebuilt"].map(|extension| beside(path, extension));
        drafts.iter().filter(|draft| draft.is_dir()).try_for_each(|draft| remove(draft))
    }

    /// Puts a rebuilt database in its place where the process ended before that.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish_rebuilding(path: &Path) -> Result<(), StoreError> {
        let whole = beside(path, "rebuilt");
        if whole.is_dir() && !path.exists() {
            rename(&whole, path)?;
        }
        if path.is_dir() { Self::remove_drafts(path) } else { Ok(()) }
    }

    fn is_empty(&self) -> bool {
        self.db
            .iterator_cf(self.family(META), IteratorMode::Start)
            .all(|row| row.is_ok_and(|(key, _)| Self::is_own_fact(&key)))
    }
}

/// Makes a folder with the files of a database, and a new list of all that can be read.
fn list_files(path: &Path, found: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::file("copy the files to", found, source);
    std::fs::create_dir(found).map_err(failed)?;
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (from, to) = (entry.path(), found.join(entry.file_name()));
        let extension = from.extension().and_then(|text| text.to_str()).unwrap_or_default();
        if !["sst", "log", "blob"].contains(&extension) {
            continue;
        }
        // Tables are never changed, logs are only removed; not every file system has links.
        if std::fs::hard_link(&from, &to).is_err() {
            std::fs::copy(&from, &to).map_err(failed)?;
        }
    }
    DB::repair(&database_options(), found).map_err(|source| unreadable(path, source.to_string()))
}

fn unreadable(path: &Path, reason: String) -> StoreError {
    StoreError::Unreadable { path: path.to_owned(), reason }
}

/// Copies column families; of the single facts those that are not of the state.
fn copy(from: &Path, families: &[&str], to: &Store) -> Result<(), StoreError> {
    let failed = |source| StoreError::Database { action: "read", path: from.to_owned(), source };
    let descriptors = families.iter().map(|name| ColumnFamilyDescriptor::new(*name, rocksdb::Options::default()));
    let old = DB::open_cf_descriptors_read_only(&database_options(), from, descriptors, false).map_err(failed)?;
    for name in families {
        let mut batch = WriteBatch::default();
        let family = old.cf_handle(name).ok_or_else(|| to.corrupt(format!("there are no {name}")))?;
        for row in old.iterator_cf(family, IteratorMode::Start) {
            let (key, value) = row.map_err(failed)?;
            if *name == META && belongs_to_state(&key) {
                continue;
            }
            batch.put_cf(to.family(name), key, value);
            if batch.size_in_bytes() > BATCH_BYTES {
                to.write(std::mem::take(&mut batch), false)?;
            }
        }
        to.write(batch, false)?;
    }
    Ok(())
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    path.with_added_extension(extension)
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|source| StoreError::file("rename the folder", from, source))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    std::fs::remove_dir_all(path).map_err(|source| StoreError::file("remove the folder", path, source))
}

#[cfg(test)]
mod tests {
    use primitives::BlockTimestamp;

    use super::*;
    use crate::{AcceptedBlock, CheckpointHeader, Head, Watermark};

    #[test]
    fn all_but_the_state_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let open = || Store::open(&StoreSettings { path: path.clone() }).unwrap();
        let (id, name) = (primitives::Checksum256([0; 32]), primitives::Name(5));
        let mark = Watermark { num: 1, slot: BlockTimestamp(7) };
        {
            let store = open();
            let signed = Some((name, mark));
            store
                .append_block(&AcceptedBlock { num: 0, id, bytes: b"x", head: true, irreversible: 0, signed })
                .unwrap();
            store.set_fact("genesis", b"g").unwrap();
            let mut writer = store.begin_checkpoint();
            writer.put(b"row", b"1");
            writer.put_reversible(1, b"undo");
            writer.commit(&CheckpointHeader { num: 1, id, irreversible: 0, extra: Vec::new() }).unwrap();
        }
        let rebuilt = Store::rebuild_without_state(&path).unwrap();
        assert!(rebuilt.aside.is_dir() && rebuilt.lost_traces.is_none());
        let store = open();
        assert_eq!(store.head().unwrap(), Some(Head { num: 0, id }));
        assert_eq!(store.block_at(0).unwrap(), Some(b"x".to_vec()));
        assert_eq!(store.fact("genesis").unwrap(), Some(b"g".to_vec()));
        assert_eq!(store.watermark(name).unwrap(), Some(mark));
        assert_eq!((store.checkpoint().unwrap(), store.reversible(1).unwrap()), (None, None));
        store.state_rows().each(|_, _| Err(store.corrupt("a row is left"))).unwrap();
        drop(store);
        // The process ended before the new database was in its place.
        rename(&path, &beside(&path, "rebuilt")).unwrap();
        Store::finish_rebuilding(&path).unwrap();
        assert_eq!(open().fact("genesis").unwrap(), Some(b"g".to_vec()));
    }
}
