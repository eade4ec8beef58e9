//! What this node signed, a second time: the database may lose its end, and a producer must not sign again what it
//! signed there. A file of small records beside the database's own, appended after each block that was signed here and
//! synced before that block leaves the node. A record that does not read is left out: the database has its mark, too.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use primitives::{BlockTimestamp, Name};

use crate::StoreError;
use crate::crc::crc32c;

const FILE: &str = "signed";
/// In whose name the mark stands that bars every producer: who signed is not known.
pub const EVERYBODY: Name = Name(0);
/// Producer, number, slot, checksum.
const RECORD: usize = 20;
/// Bytes from which the file is written anew with one record for each producer.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// The highest block that this node signed for a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// Its number.
    pub num: u32,
    /// Its slot.
    pub slot: BlockTimestamp,
}

/// The marks of all producers of this node.
#[derive(Debug)]
pub(crate) struct Marks {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    bytes: u64,
    highest: BTreeMap<Name, Watermark>,
}

impl Marks {
    /// Opens the file in a database's folder, or makes it; and whether it was there and could be read.
    pub fn open(folder: &Path) -> Result<(Self, bool), StoreError> {
        let path = folder.join(FILE);
        let mut highest = BTreeMap::new();
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            read => Some(read.map_err(|source| StoreError::file("read", &path, source))?),
        };
        let records: Vec<_> = bytes.iter().flat_map(|bytes| bytes.chunks(RECORD)).map(decode).collect();
        for (producer, mark) in records.iter().flatten() {
            raise(&mut highest, *producer, *mark);
        }
        let is_whole = bytes.is_some() && records.iter().all(Option::is_some);
        let (file, bytes) = match bytes {
            Some(bytes) if is_whole => {
                let file = File::options().append(true).open(&path);
                (file.map_err(|source| StoreError::file("open", &path, source))?, bytes.len() as u64)
            }
            _ => write_anew(folder, &highest)?,
        };
        Ok((Self { folder: folder.to_owned(), state: Mutex::new(State { file, bytes, highest }) }, is_whole))
    }

    /// Removes the file of a database that is removed.
    pub fn remove(folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(FILE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::file("remove", &path, error)),
            _ => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The highest mark of a producer.
    pub fn get(&self, producer: Name) -> Option<Watermark> {
        self.state().highest.get(&producer).copied()
    }

    /// Everybody for whom something was signed.
    pub fn producers(&self) -> Vec<Name> {
        self.state().highest.keys().copied().collect()
    }

    /// Notes what was signed.
    pub fn append(&self, producer: Name, mark: Watermark) -> Result<(), StoreError> {
        let mut state = self.state();
        raise(&mut state.highest, producer, mark);
        if state.bytes > FILE_BYTES_MAX {
            (state.file, state.bytes) = write_anew(&self.folder, &state.highest)?;
            return Ok(());
        }
        let written = state.file.write_all(&encode(producer, mark));
        written.map_err(|source| StoreError::file("write", &self.folder.join(FILE), source))?;
        state.bytes += RECORD as u64;
        Ok(())
    }

    /// Puts other marks in place of all.
    pub fn replace(&self, marks: &[(Name, Watermark)]) -> Result<(), StoreError> {
        let mut state = self.state();
        state.highest = marks.iter().copied().collect();
        (state.file, state.bytes) = write_anew(&self.folder, &state.highest)?;
        Ok(())
    }

    /// Puts what was noted on the disk itself.
    pub fn sync(&self) -> Result<(), StoreError> {
        let synced = self.state().file.sync_data();
        synced.map_err(|source| StoreError::file("sync", &self.folder.join(FILE), source))
    }
}

/// The later of two marks, by number and by slot.
pub fn later(left: Option<Watermark>, right: Option<Watermark>) -> Option<Watermark> {
    let (Some(a), Some(b)) = (left, right) else { return left.or(right) };
    Some(Watermark { num: a.num.max(b.num), slot: BlockTimestamp(a.slot.0.max(b.slot.0)) })
}

fn raise(highest: &mut BTreeMap<Name, Watermark>, producer: Name, mark: Watermark) {
    let known = highest.get(&producer).copied();
    highest.extend(later(known, Some(mark)).map(|mark| (producer, mark)));
}

/// Writes one record for each producer into a file that takes the other's place, synced.
fn write_anew(folder: &Path, marks: &BTreeMap<Name, Watermark>) -> Result<(File, u64), StoreError> {
    let (path, draft) = (folder.join(FILE), folder.join("signed.draft"));
    let bytes: Vec<u8> = marks.iter().flat_map(|(producer, mark)| encode(*producer, *mark)).collect();
    let write = || {
        let mut file = File::create(&draft)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        std::fs::rename(&draft, &path)?;
        File::open(folder)?.sync_all()?;
        Ok(file)
    };
    let file = write().map_err(|source| StoreError::file("write", &path, source))?;
    Ok((file, bytes.len() as u64))
}

fn encode(producer: Name, mark: Watermark) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..8].copy_from_slice(&producer.0.to_be_bytes());
    record[8..12].copy_from_slice(&mark.num.to_be_bytes());
    record[12..16].copy_from_slice(&mark.slot.0.to_be_bytes());
    let sum = crc32c(&[&record[..16]]);
    record[16..].copy_from_slice(&sum.to_be_bytes());
    record
}

fn decode(record: &[u8]) -> Option<(Name, Watermark)> {
    let (body, sum) = record.split_first_chunk::<16>()?;
    if crc32c(&[body]).to_be_bytes() != *sum {
        return None;
    }
    let (name, rest) = body.split_first_chunk::<8>()?;
    let (num, slot) = rest.split_first_chunk::<4>()?;
    let slot = BlockTimestamp(u32::from_be_bytes(slot.try_into().ok()?));
    Some((Name(u64::from_be_bytes(*name)), Watermark { num: u32::from_be_bytes(*num), slot }))
}
