//! A disk that forgets what was not synced, under a real process.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use crate::Dice;

/// Notes each sync of a process.
const NOTING: &str = include_str!("forgetful.c");
/// What a node's folder holds that is the test's.
const KEPT: [&str; 2] = ["node.log", "genesis.json"];

/// The disk of one folder.
#[derive(Debug)]
pub struct ForgetfulDisk {
    folder: PathBuf,
    notes: PathBuf,
    library: PathBuf,
}

/// What a loss of power takes of what was not synced.
#[derive(Debug)]
pub enum Loss<'a> {
    /// All of it.
    All,
    /// Of each file something else: nothing, all, or the end of it.
    Some(&'a mut Dice),
}

impl Loss<'_> {
    /// Whether something goes that may go or stay.
    fn takes(&mut self) -> bool {
        match self {
            Self::All => true,
            Self::Some(dice) => dice.once_in(2),
        }
    }
}

impl ForgetfulDisk {
    /// A disk that holds `folder`, and keeps its notes in another one.
    ///
    /// # Panics
    /// Without a C compiler.
    pub fn new(folder: &Path, notes: &Path) -> Self {
        let (source, library) = (notes.join("forgetful.c"), notes.join("forgetful.so"));
        fs::write(&source, NOTING).expect("the folder can be written");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).status();
        assert!(compiled.expect("a C compiler, which the build needs too").success());
        let folder = folder.canonicalize().expect("the folder is there");
        Self { folder, notes: notes.join("notes"), library }
    }

    /// What a shell has to do before it starts the process.
    pub fn enter(&self) -> String {
        let (folder, notes, library) = (self.folder.display(), self.notes.display(), self.library.display());
        format!("export FORGETFUL_FOLDER={folder} FORGETFUL_NOTES={notes} LD_PRELOAD={library}")
    }

    /// The power goes, while no process has the folder open.
    ///
    /// # Panics
    /// When a file cannot be written.
    pub fn lose_power(&self, mut loss: Loss<'_>) {
        let sure = self.sure();
        let mut there = BTreeMap::new();
        listed(&self.folder, &self.folder, &mut there);
        there.retain(|name, _| !KEPT.contains(&name.as_str()));
        // What is later in the log reaches the disk later: after a part that lost its end there is nothing.
        let mut log_is_torn = false;
        for (name, key) in &there {
            let path = self.folder.join(name);
            let is_log = name.ends_with(".log");
            let is_named = sure.get(name) == Some(key);
            let now = fs::read(&path).expect("readable");
            // Without a sync it has nothing that is sure to be there.
            let synced = fs::read(self.content(key)).unwrap_or_default();
            // A name that was given to another file has either of the two.
            let before = sure.get(name).filter(|sure| *sure != key).map(|key| self.content(key));
            let before = before.filter(|_| loss.takes());
            let left = match (&mut loss, before) {
                (_, Some(before)) => Some(fs::read(before).expect("it was synced")),
                (Loss::Some(dice), None) if !(is_log && log_is_torn) => {
                    let is_there = sure.contains_key(name) || dice.once_in(2);
                    let (length, left) = (now.len(), is_there.then(|| some_of(synced, now, dice)));
                    log_is_torn |= is_log && left.as_ref().is_none_or(|left| left.len() < length);
                    left
                }
                _ => is_named.then_some(synced),
            };
            match left {
                Some(bytes) => fs::write(&path, bytes).expect("writable"),
                None => fs::remove_file(&path).expect("removable"),
            }
        }
        for (name, key) in sure.iter().filter(|(name, _)| !there.contains_key(*name)) {
            // It was removed, and that is not sure to be so.
            let is_back = loss.takes();
            if is_back && !KEPT.contains(&name.as_str()) {
                fs::copy(self.content(key), self.folder.join(name)).expect("it was synced");
            }
        }
        // What is there now is on the disk.
        let _ = fs::remove_dir_all(&self.notes);
        self.note_all();
    }

    /// Notes everything that is there as synced.
    fn note_all(&self) {
        let mut there = BTreeMap::new();
        listed(&self.folder, &self.folder, &mut there);
        for (name, key) in &there {
            let (noted, content) = (self.notes.join("names").join(name), self.content(key));
            for path in [&noted, &content] {
                fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the notes can be written");
            }
            fs::write(noted, key).expect("the notes can be written");
            fs::copy(self.folder.join(name), content).expect("the notes can be written");
        }
    }

    fn content(&self, key: &str) -> PathBuf {
        self.notes.join("content").join(key)
    }

    /// Names that are sure to be there, with the key of the file that each has.
    fn sure(&self) -> BTreeMap<String, String> {
        let (folder, mut found) = (self.notes.join("names"), BTreeMap::new());
        listed(&folder, &folder, &mut found);
        for (name, key) in &mut found {
            *key = fs::read_to_string(folder.join(name)).expect("readable");
        }
        found
    }
}

/// What may be left of a file of which `synced` is sure and `now` was written.
fn some_of(synced: Vec<u8>, now: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    match now.strip_prefix(&*synced) {
        Some(rest) => now[..synced.len() + dice.below(rest.len() + 1)].to_vec(),
        None => {
            if dice.once_in(2) {
                synced
            } else {
                now
            }
        }
    }
}

/// The files of a folder and those in it, by their path below `root`, each with its key as `forgetful.c` makes it.
fn listed(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, data) = (entry.path(), entry.metadata().expect("it is there"));
        if data.is_dir() {
            listed(root, &path, found);
        } else if data.is_file() {
            let born =
                data.created().expect("the file system keeps it").duration_since(UNIX_EPOCH).expect("after 1970");
            let name = path.strip_prefix(root).expect("it is in there").to_string_lossy().into_owned();
            found.insert(name, format!("{}-{}-{}", data.ino(), born.as_secs(), born.subsec_nanos()));
        }
    }
}
