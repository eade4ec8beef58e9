//! The write-ahead log, looked at before RocksDB reads it, and the list of files (MANIFEST), which has the same form. A
//! node that was killed leaves a log whose last record is torn, and RocksDB goes on with what is before it. It does the
//! same when a byte in the middle is wrong, and then everything behind it would be lost without a word. So a bad record
//! that is followed by good ones is refused here, and one that was whole once.
//!
//! The format (RocksDB's db/log_format.h): blocks of 32 KiB; records of checksum, length and kind in 7 bytes and a
//! payload that does not cross a block; a write that does not fit is cut into several. The payload of a write begins
//! with its sequence number and the number of its changes.

use std::path::{Path, PathBuf};

use crate::crc::crc32c;
use crate::{StoreError, extent, write_whole_file};

const BLOCK: usize = 32 << 10;
const HEADER: usize = 7;
/// A whole write.
const FULL: u8 = 1;
/// The beginning of a write.
const FIRST: u8 = 2;
/// The end of a write.
const LAST: u8 = 4;
/// What RocksDB adds to a rotated checksum, so that the checksum of a checksum is not trivial.
const MASK: u32 = 0xa282_ead8;
/// How far the sequence number of a good record can be ahead of the last good one before it: what a whole log holds.
const SEQUENCE_AHEAD_MAX: u64 = 1 << 32;

/// What a log file looks like.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reading {
    /// Sequence number of the first write.
    first: Option<u64>,
    /// Sequence number that the next write would have, after the last good one.
    next: Option<u64>,
    /// Where the first bad record begins, and whether good ones follow it.
    bad: Option<(usize, bool)>,
}

/// Whether the records of a file are writes, which are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Writes,
    Other,
}

/// The logs of a database.
#[derive(Debug, Default)]
pub struct Logs {
    /// Their numbers, ascending.
    pub numbers: Vec<u64>,
    /// Sequence number that the next write would have, after the last good one in any of them.
    pub next: Option<u64>,
}

/// Looks through the logs of a database that nobody has open.
///
/// # Errors
/// A record is bad though later ones are good, or a log cannot be read.
pub fn check(path: &Path) -> Result<Logs, StoreError> {
    if let Some(file) = manifest(path) {
        let (offset, is_hole) = end_of(&file)?;
        if is_hole || extent::noted(path, &file).is_some_and(|noted| offset < noted) {
            return Err(StoreError::LogHole { file, offset });
        }
    }
    let mut before: Option<(PathBuf, Reading)> = None;
    let mut logs = Logs { numbers: numbers(path)?, next: None };
    for number in &logs.numbers {
        let file = file(path, *number);
        let reading = read(&file, Kind::Writes)?;
        if let Some((offset, true)) = reading.bad {
            return Err(StoreError::LogHole { file, offset });
        }
        // The end of a log that is not the last one is torn when the node was killed, and the next log goes on from
        // there; when it was whole once, the next one goes on from later.
        if let (Some((torn, Reading { next: Some(next), bad: Some((offset, _)), .. })), Some(first)) =
            (before, reading.first)
            && first > next
        {
            return Err(StoreError::LogHole { file: torn, offset });
        }
        logs.next = logs.next.max(reading.next);
        before = Some((file, reading));
    }
    Ok(logs)
}

/// Whether a folder has files that only a database has that was written to.
pub fn is_there(path: &Path) -> bool {
    let holds = |file: &Path| {
        let extension = file.extension().and_then(|text| text.to_str());
        let is_log = || number_of(file).is_some() && file.metadata().is_ok_and(|data| data.len() > 0);
        extension == Some("sst") || extension == Some("log") && is_log()
    };
    std::fs::read_dir(path).into_iter().flatten().flatten().any(|entry| holds(&entry.path()))
}

/// Whether it is known which files belong to a database.
pub fn has_list(path: &Path) -> bool {
    manifest(path).is_some()
}

/// Names the list of files that is in force again where that is lost (CURRENT) and there is no doubt which one it was.
///
/// # Errors
/// The disk refuses.
pub fn restore_current(path: &Path) -> Result<(), StoreError> {
    if has_list(path) || !is_there(path) {
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|source| StoreError::file("read the folder", path, source))?;
    let is_list = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix("MANIFEST-");
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let lists: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_list).collect();
    let noted = lists.iter().find(|file| extent::noted(path, file).is_some());
    let Some(file) = noted.or(lists.first().filter(|_| lists.len() == 1)) else { return Ok(()) };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let current = path.join("CURRENT");
    write_whole_file(&current, &path.join("current.draft"), format!("{name}\n").as_bytes())
        .map_err(|source| StoreError::file("write", &current, source))
}

/// Notes how far the list of files reaches, for the next [`check`].
///
/// # Errors
/// The disk refuses.
pub fn note_extent(path: &Path) -> Result<(), StoreError> {
    let Some(file) = manifest(path) else { return Ok(()) };
    extent::note(path, &file, end_of(&file)?.0)
}

/// Where the good records of a list of files end, and whether more of them follow.
fn end_of(file: &Path) -> Result<(usize, bool), StoreError> {
    let bytes = std::fs::read(file).map_err(|source| StoreError::file("read", file, source))?;
    Ok(scan(&bytes, Kind::Other).bad.unwrap_or((bytes.len(), false)))
}

/// The list of files that is in force; RocksDB says it itself where there should be one and is not.
fn manifest(path: &Path) -> Option<PathBuf> {
    let current = std::fs::read_to_string(path.join("CURRENT")).ok()?;
    let file = path.join(current.trim_end());
    file.is_file().then_some(file)
}

/// The file of a log.
pub fn file(path: &Path, number: u64) -> PathBuf {
    path.join(format!("{number:06}.log"))
}

/// The number in the name of a log.
fn number_of(file: &Path) -> Option<u64> {
    file.file_stem()?.to_str()?.parse().ok()
}

/// The numbers of the logs in the order in which they were written.
pub fn numbers(path: &Path) -> Result<Vec<u64>, StoreError> {
    let failed = |source| StoreError::file("read the folder", path, source);
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut logs = Vec::new();
    for entry in entries {
        let file = entry.map_err(failed)?.path();
        if let (Some("log"), Some(number)) = (file.extension().and_then(|text| text.to_str()), number_of(&file)) {
            logs.push(number);
        }
    }
    logs.sort_unstable();
    Ok(logs)
}

fn read(file: &Path, kind: Kind) -> Result<Reading, StoreError> {
    let bytes = std::fs::read(file).map_err(|source| StoreError::file("read", file, source))?;
    Ok(scan(&bytes, kind))
}

/// One good record.
struct Record<'a> {
    kind: u8,
    payload: &'a [u8],
    end: usize,
}

/// The record at `at`, if it is good.
fn record(bytes: &[u8], at: usize) -> Option<Record<'_>> {
    let block_end = (at / BLOCK + 1) * BLOCK;
    let (header, rest) = bytes.get(at..block_end.min(bytes.len()))?.split_first_chunk::<HEADER>()?;
    let [a, b, c, d, low, high, kind] = *header;
    let payload = rest.get(..usize::from(u16::from_le_bytes([low, high])))?;
    // A record of kind 0 is space that was reserved and not written.
    let sum = u32::from_le_bytes([a, b, c, d]).wrapping_sub(MASK).rotate_left(15);
    let good = kind != 0 && crc32c(&[&[kind], payload]) == sum;
    good.then_some(Record { kind, payload, end: at + HEADER + payload.len() })
}

/// Sequence number and number of changes of the write that begins in a record.
fn write_in(record: &Record<'_>) -> Option<(u64, u64)> {
    let begins = matches!(record.kind, FULL | FIRST);
    let (sequence, rest) = record.payload.split_first_chunk::<8>().filter(|_| begins)?;
    Some((u64::from_le_bytes(*sequence), u64::from(u32::from_le_bytes(*rest.first_chunk()?))))
}

fn scan(bytes: &[u8], kind: Kind) -> Reading {
    let (mut reading, mut at, mut open) = (Reading::default(), 0, None);
    loop {
        if BLOCK - at % BLOCK < HEADER {
            at = (at / BLOCK + 1) * BLOCK;
        }
        if at >= bytes.len() || bytes[at..].iter().all(|byte| *byte == 0) {
            return reading;
        }
        let Some(found) = record(bytes, at) else {
            let after = (kind == Kind::Writes).then(|| reading.next.unwrap_or(0));
            reading.bad = Some((at, was_whole(bytes, at) || good_follows(bytes, at + 1, after)));
            return reading;
        };
        if let Some((sequence, changes)) = write_in(&found).filter(|_| kind == Kind::Writes) {
            reading.first = reading.first.or(Some(sequence));
            open = Some(sequence.saturating_add(changes));
        }
        if matches!(found.kind, FULL | LAST) {
            reading.next = open.take().or(reading.next);
        }
        at = found.end;
    }
}

/// Whether a bad record was whole once: a write that was cut short ends with the file before its time, or in zeros that
/// were never written over. It may also be its length that is wrong.
fn was_whole(bytes: &[u8], at: usize) -> bool {
    let Some((&[.., low, high, _], rest)) = bytes[at..].split_first_chunk::<HEADER>() else { return false };
    let Ok(length) = u16::try_from(rest.len()) else { return false };
    if u16::from_le_bytes([low, high]) == length {
        return rest.last().is_some_and(|last| *last != 0);
    }
    let mut mended = bytes[at..].to_vec();
    mended[4..6].copy_from_slice(&length.to_le_bytes());
    record(&mended, 0).is_some()
}

/// Whether a good record begins somewhere from `at` on; for writes one whose number is not before `after`, so that what
/// a client sent cannot pass for one.
fn good_follows(bytes: &[u8], at: usize, after: Option<u64>) -> bool {
    let later = |sequence: u64, after: u64| sequence >= after && sequence - after < SEQUENCE_AHEAD_MAX;
    let fits = |found: &Record<'_>| match after {
        Some(after) => write_in(found).is_some_and(|(sequence, _)| later(sequence, after)),
        None => true,
    };
    (at..bytes.len()).any(|at| {
        // Most places are told from a record by its kind alone.
        matches!(bytes.get(at + HEADER - 1), Some(&(FULL | FIRST)))
            && record(bytes, at).is_some_and(|found| fits(&found))
    })
}
