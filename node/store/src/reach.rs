//! How far the database reached when it was last synced, beside it: a whole log that is gone looks like one that was
//! never written, and blocks would be lost without a word. A small file names the last write that is on the disk, the
//! head then and the logs that there were. It is written after each sync and not synced itself: it may say too little
//! after a loss of power, never too much.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::StoreError;
use crate::crc::crc32c;
use crate::log::{self, Logs};

const FILE: &str = "stored";
/// Logs that are named at most, the newest ones.
const LOGS_MAX: usize = 64;
/// Sequence number, head, number of logs.
const FIXED: usize = 13;

/// How far a database reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The number of its last write.
    pub sequence: u64,
    /// The number of the chain's head; 0 without one.
    pub head: u32,
    /// The numbers of its logs, ascending.
    pub logs: Vec<u64>,
}

/// How a database that nobody has open stands to what was noted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// All is there.
    Whole,
    /// Nothing was noted, or it cannot be read.
    Unknown,
    /// The log was torn before what had been synced; the head was this one.
    Short(u32),
}

/// What RocksDB finds in a database that nobody has open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// The number of the last write.
    pub sequence: u64,
    /// The number of the chain's head; 0 without one.
    pub head: u32,
    /// The number of the oldest log that has writes which are nowhere else.
    pub oldest_log: u64,
}

/// Compares what can be read of a database with what was noted. `look` reads it without a change.
///
/// # Errors
/// A log is not there though it has writes that are nowhere else.
pub(crate) fn check(folder: &Path, logs: &Logs, look: impl FnOnce() -> Option<Found>) -> Result<Standing, StoreError> {
    let Some(noted) = read(folder) else { return Ok(Standing::Unknown) };
    let gone: Vec<u64> = noted.logs.iter().copied().filter(|number| !logs.numbers.contains(number)).collect();
    if gone.is_empty() && logs.next.is_some_and(|next| next > noted.sequence) {
        return Ok(Standing::Whole);
    }
    // What is not in the logs may be in tables. What RocksDB cannot read it refuses when it is opened.
    let Some(found) = look() else { return Ok(Standing::Unknown) };
    let is_short = found.sequence < noted.sequence;
    let newest = noted.logs.last();
    // The newest log may have been empty.
    match gone.iter().rfind(|number| **number >= found.oldest_log && (is_short || Some(*number) != newest)) {
        Some(number) => {
            let (stored, left) = (noted.head, found.head);
            Err(StoreError::LogMissing { file: log::file(folder, *number), stored, left })
        }
        None if is_short => Ok(Standing::Short(noted.head)),
        None => Ok(Standing::Whole),
    }
}

/// What was noted of a database, if that can be read.
pub(crate) fn read(folder: &Path) -> Option<Reach> {
    decode(&std::fs::read(folder.join(FILE)).ok()?)
}

/// Removes the note of a database that is removed.
///
/// # Errors
/// The disk refuses.
pub(crate) fn remove(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(FILE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::file("remove", &path, error)),
        _ => Ok(()),
    }
}

/// The file of an open database.
#[derive(Debug)]
pub(crate) struct Noted {
    path: PathBuf,
    file: File,
    /// The logs at the last note, and how large the newest was.
    seen: Mutex<(Vec<u64>, u64)>,
}

impl Noted {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|source| StoreError::file("open", &path, source))?;
        Ok(Self { path, file, seen: Mutex::default() })
    }

    /// Notes the last write and the head, with the logs that are there.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn note(&self, sequence: u64, head: u32) -> Result<(), StoreError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (logs, bytes) = &mut *seen;
        let size = |number: &u64| std::fs::metadata(log::file(folder, *number)).map_or(0, |data| data.len());
        // A log that did not grow has a successor.
        if logs.last().map_or(0, size) <= *bytes {
            *logs = log::numbers(folder)?;
            logs.drain(..logs.len().saturating_sub(LOGS_MAX));
        }
        *bytes = logs.last().map_or(0, size);
        let record = encode(&Reach { sequence, head, logs: logs.clone() });
        let written = self.file.write_all_at(&record, 0);
        written.map_err(|source| StoreError::file("write", &self.path, source))
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        // Without it the note of an earlier time counts.
        let _ = self.file.sync_data();
    }
}

fn encode(reach: &Reach) -> Vec<u8> {
    let mut bytes = reach.sequence.to_be_bytes().to_vec();
    bytes.extend(reach.head.to_be_bytes());
    bytes.push(u8::try_from(reach.logs.len()).unwrap_or(u8::MAX));
    reach.logs.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
    let sum = crc32c(&[&bytes]);
    bytes.extend(sum.to_be_bytes());
    bytes
}

/// What is behind the record is of an earlier one.
fn decode(bytes: &[u8]) -> Option<Reach> {
    let count = usize::from(*bytes.get(FIXED - 1)?);
    let (body, rest) = bytes.split_at_checked(FIXED + count * 8)?;
    if rest.first_chunk()? != &crc32c(&[body]).to_be_bytes() {
        return None;
    }
    let (sequence, body) = body.split_first_chunk()?;
    let (head, body) = body.split_first_chunk()?;
    let logs = body.get(1..)?.chunks_exact(8).filter_map(|number| number.try_into().ok()).map(u64::from_be_bytes);
    Some(Reach { sequence: u64::from_be_bytes(*sequence), head: u32::from_be_bytes(*head), logs: logs.collect() })
}
