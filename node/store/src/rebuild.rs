//! A database whose state cannot be read: the rest of it is copied into a new one, so that the state can be built from
//! the blocks again. The damaged one stays beside it until an operator removes it.

use std::path::{Path, PathBuf};

use rocksdb::{ColumnFamilyDescriptor, DB, IteratorMode, WriteBatch};

use crate::StoreError;
use crate::checkpoint::belongs_to_state;
use crate::db::{BLOCKS, DELTAS, META, Store, StoreSettings, TRACES, database_options};
use crate::marks::Marks;

/// What became of a database that was rebuilt.
#[derive(Debug)]
pub struct Rebuilt {
    /// The folder in which the damaged one is now.
    pub aside: PathBuf,
    /// Why the traces of past blocks are lost, if they are.
    pub lost_traces: Option<StoreError>,
}

/// Bytes that are copied in one batch.
const BATCH_BYTES: usize = 1 << 20;

impl Store {
    /// Copies what is not state from the database in `path`, which nobody has open, into a new one in its place;
    /// traces, too, as far as they can be read.
    ///
    /// # Errors
    /// The blocks cannot be read either, or the disk refuses; the database is as it was.
    pub fn rebuild_without_state(path: &Path) -> Result<Rebuilt, StoreError> {
        let (draft, whole) = (beside(path, "draft"), beside(path, "rebuilt"));
        let aside = (0..).map(|number: u32| beside(path, &format!("damaged-{number}")));
        let aside = aside.into_iter().find(|aside| !aside.exists()).unwrap_or_else(|| beside(path, "damaged"));
        if draft.exists() {
            remove(&draft)?;
        }
        let new = Self::open(&StoreSettings { path: draft.clone() })?;
        copy(path, &[META, BLOCKS], &new)?;
        let lost_traces = copy(path, &[META, TRACES, DELTAS], &new).err();
        let marks = Marks::open(path)?;
        for (producer, mark) in marks.producers().into_iter().filter_map(|name| Some((name, marks.get(name)?))) {
            new.marks.append(producer, mark)?;
        }
        new.sync()?;
        drop(new);
        rename(&draft, &whole)?;
        rename(path, &aside)?;
        Self::finish_rebuilding(path)?;
        Ok(Rebuilt { aside, lost_traces })
    }

    /// Puts a rebuilt database in its place where the process ended before that.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish_rebuilding(path: &Path) -> Result<(), StoreError> {
        let whole = beside(path, "rebuilt");
        if whole.is_dir() && !path.exists() { rename(&whole, path) } else { Ok(()) }
    }
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
