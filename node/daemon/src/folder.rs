//! The data folder: who may use it, where its database is, and whose chain it holds.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use engine::snapshots::UNFINISHED;
use store::rebuild::Rebuilt;
use store::{Store, StoreError, StoreSettings};

/// The file that a running node holds locked.
const LOCK_FILE: &str = "boreasd.lock";
/// The file that it holds locked beside the block log that it keeps.
const LOG_LOCK_FILE: &str = "blocks.lock";
/// What brings lost blocks back.
pub const BLOCKS_ADVICE: &str = "peers give those that were sent to others, and a copy of the folder may have them; \
                                 producers of this node wait until the chain has passed what they signed";
/// The folder of compiled code.
pub const CODE_FOLDER: &str = "code";
/// The folder of states that a development chain wrote to files.
pub const STATES_FOLDER: &str = "states";
/// Files of nodeos, each of which shows that the folder is one of its.
const NODEOS_FILES: [&str; 3] = ["blocks/blocks.log", "blocks/reversible/fork_db.dat", "state/shared_memory.bin"];

/// The data folder of this process, for as long as this lives: no other process uses it meanwhile.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Checks that what an option names is a folder, or not there yet.
///
/// # Errors
/// It is something else, or in something else.
pub fn check(path: &Path, option: &str) -> anyhow::Result<()> {
    match path.ancestors().find(|part| part.symlink_metadata().is_ok()) {
        Some(part) if !part.is_dir() => anyhow::bail!("{} is not a folder; see {option}", part.display()),
        _ => Ok(()),
    }
}

/// Takes the folder of a block log, which is written by one node alone.
///
/// # Errors
/// Another process has it, or it cannot be written.
pub fn lock_block_log(path: &Path) -> anyhow::Result<File> {
    take(path, LOG_LOCK_FILE, "--blocks-dir")?.with_context(|| {
        format!(
            "the block log in {} is in use. Another boreasd may keep it; choose another --blocks-dir",
            path.display()
        )
    })
}

/// Makes the folder that an option names if there is none, and locks a file in it. `None` where another process has it.
fn take(path: &Path, name: &str, option: &str) -> anyhow::Result<Option<File>> {
    check(path, option)?;
    std::fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
    let file = path.join(name);
    let lock = File::options().create(true).append(true).open(&file);
    let lock = lock.with_context(|| {
        let (file, folder) = (file.display(), path.display());
        format!("cannot write {file}. The user that runs the node must be able to write in {folder}")
    })?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", file.display())),
    }
}

impl Folder {
    /// Makes the folder if there is none and takes it.
    ///
    /// # Errors
    /// Another process has it, or it cannot be written.
    pub fn lock(path: &Path) -> anyhow::Result<Self> {
        let lock = take(path, LOCK_FILE, "--data-dir")?.with_context(|| {
            format!(
                "the data folder {} is in use. Another boreasd may be running on this folder; stop it, or choose another \
                 --data-dir",
                path.display()
            )
        })?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Takes the folder of a command that looks into the database, which must be there.
    ///
    /// # Errors
    /// There is no chain, a node is running on it, or the database cannot be opened.
    pub fn with_chain(path: &Path) -> anyhow::Result<(Self, Arc<Store>)> {
        let missing = || format!("there is no chain in {}", path.display());
        anyhow::ensure!(has_database(path), missing());
        let folder = Self::lock(path)?;
        let store = folder.open_existing()?.with_context(missing)?;
        Ok((folder, store))
    }

    /// Removes what a node that was ended left half-written in this folder: nobody needs it, and it takes room. What lies
    /// elsewhere, by a link too, may be another node's.
    pub fn remove_drafts(&self, snapshots: &Path) {
        let is_draft = |name: &str| name.ends_with(".draft");
        let is_unfinished = |name: &str| UNFINISHED.iter().any(|prefix| name.starts_with(prefix));
        self.remove_files(&self.path.join(CODE_FOLDER), is_draft);
        self.remove_files(&self.path.join(STATES_FOLDER), is_draft);
        self.remove_files(&self.path.join(snapshots), is_unfinished);
    }

    fn remove_files(&self, folder: &Path, wanted: impl Fn(&str) -> bool) {
        let inside = || Some(folder.canonicalize().ok()?.starts_with(self.path.canonicalize().ok()?));
        if inside() != Some(true) {
            return;
        }
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_name().to_str().is_some_and(&wanted) {
                continue;
            }
            let path = entry.path();
            match std::fs::remove_file(&path) {
                Ok(()) => tracing::info!("removed {}, which an ended node had not finished", path.display()),
                Err(error) => tracing::warn!("{} cannot be removed: {error}", path.display()),
            }
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the database, or makes one.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&self) -> anyhow::Result<Arc<Store>> {
        let started = Instant::now();
        let store = Store::open(&StoreSettings { path: store_path(&self.path) })?;
        tell_losses(&store)?;
        tracing::debug!("the database is open after {} ms", started.elapsed().as_millis());
        Ok(Arc::new(store))
    }

    /// Opens the database if there is one.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open_existing(&self) -> anyhow::Result<Option<Arc<Store>>> {
        Store::finish_rebuilding(&store_path(&self.path))?;
        has_database(&self.path).then(|| self.open()).transpose()
    }

    /// As [`Self::open_existing`], for a start that does not use the state that is there: where that is damaged, all
    /// else is rescued.
    ///
    /// # Errors
    /// The blocks are damaged too.
    pub fn open_for_replay(&self) -> anyhow::Result<Option<Arc<Store>>> {
        let damage = match self.open_existing() {
            Ok(Some(store)) => {
                let damage = store.state_rows().each(|_, _| Ok(())).err().filter(StoreError::is_damage);
                let Some(damage) = damage else { return Ok(Some(store)) };
                damage.into()
            }
            Err(error) if error.downcast_ref::<StoreError>().is_some_and(StoreError::is_damage) => error,
            other => return other,
        };
        tracing::warn!("the state is damaged and will be built anew: {damage}");
        let Rebuilt { aside, lost_traces, lost_blocks } = Store::rebuild_without_state(&store_path(&self.path))?;
        if let Some(error) = lost_traces {
            tracing::warn!("the traces of past blocks are lost: {error}");
        }
        if let Some((stored, left)) = lost_blocks {
            tracing::warn!("blocks {} to {stored} are lost here: {BLOCKS_ADVICE}", left.saturating_add(1));
        }
        tracing::warn!("the damaged database is kept in {}; remove it when the node runs", aside.display());
        self.open_existing()
    }

    /// Deletes the database, which must not be open.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn delete(&self) -> anyhow::Result<()> {
        Ok(Store::destroy(&store_path(&self.path))?)
    }

    /// Whether there is a database.
    pub fn has_database(&self) -> bool {
        has_database(&self.path)
    }

    /// The file that shows that nodeos keeps a chain here.
    pub fn nodeos(&self) -> Option<PathBuf> {
        NODEOS_FILES.iter().map(|file| self.path.join(file)).find(|file| file.is_file())
    }
}

fn store_path(data_dir: &Path) -> PathBuf {
    data_dir.join("db")
}

fn has_database(data_dir: &Path) -> bool {
    Store::is_there(&store_path(data_dir))
}

/// Says what a database lost since it was synced.
fn tell_losses(store: &Store) -> anyhow::Result<()> {
    let losses = store.losses();
    if let Some(stored) = losses.stored {
        let left = store.head()?.map_or(0, |head| head.num);
        tracing::warn!(
            "the log of the database ends too early: blocks {} to {stored} are lost here: {BLOCKS_ADVICE}",
            left.saturating_add(1)
        );
    }
    if losses.reach_unknown {
        tracing::warn!(
            "{} is missing or damaged, which says how far the database reaches: if other files were lost with it, blocks \
             are missing behind the head, without a way to tell",
            store.path().join("stored").display()
        );
    }
    if losses.signed {
        tracing::warn!(
            "{} is missing or damaged, which says what was signed here: it is made anew from the database",
            store.path().join("signed").display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_used_by_one_process_and_nodeos_folders_are_recognised() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::lock(data.path()).unwrap();
        let second = Folder::lock(data.path()).unwrap_err().to_string();
        assert!(second.contains("Another boreasd may be running"), "{second}");
        assert!(folder.open_existing().unwrap().is_none() && folder.nodeos().is_none());
        std::fs::create_dir_all(data.path().join("blocks/reversible")).unwrap();
        assert_eq!(folder.nodeos(), None);
        std::fs::write(data.path().join("blocks/reversible/fork_db.dat"), "").unwrap();
        assert!(folder.nodeos().is_some());
        drop(folder);
        assert!(Folder::lock(data.path()).is_ok());
    }

    #[test]
    fn what_was_not_finished_is_removed_where_it_is_this_folders() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = Folder::lock(data.path()).unwrap();
        folder.remove_drafts(Path::new("snapshots"));
        let made = |path: PathBuf| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "x").unwrap();
            path
        };
        let names = [
            "code/ab.1.draft",
            "states/a.draft",
            "snapshots/.pending-snapshot-0.bin",
            "snapshots/.incomplete-snapshot-0.bin",
        ];
        let drafts = names.map(|name| made(data.path().join(name)));
        let kept = ["code/ab", "states/a.state", "snapshots/snapshot-0.bin", "notes.draft"]
            .map(|name| made(data.path().join(name)));
        let foreign = made(other.path().join(".pending-snapshot-1.bin"));
        std::os::unix::fs::symlink(other.path(), data.path().join("linked")).unwrap();
        ["snapshots", "linked"].iter().for_each(|name| folder.remove_drafts(Path::new(name)));
        folder.remove_drafts(other.path());
        assert_eq!(drafts.map(|path| path.exists()), [false; 4]);
        assert_eq!(kept.map(|path| path.exists()), [true; 4]);
        assert!(foreign.exists());
    }

    #[test]
    fn what_the_database_did_not_write_is_not_deleted() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::lock(data.path()).unwrap();
        folder.delete().unwrap();
        drop(folder.open().unwrap());
        let other = data.path().join("db/lost+found");
        std::fs::create_dir(&other).unwrap();
        let open = folder.open().unwrap();
        assert!(folder.delete().is_err(), "an open database is not deleted");
        drop(open);
        assert!(folder.open_existing().unwrap().is_some());
        folder.delete().unwrap();
        assert!(other.is_dir() && folder.open_existing().unwrap().is_none());
        folder.open().unwrap();
    }
}
