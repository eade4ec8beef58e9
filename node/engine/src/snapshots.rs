//! The schedule of snapshots, which outlives the process, and the snapshots of blocks that are still reversible. When
//! they are made is in [`crate::whole_state`].

use std::fs;
use std::path::PathBuf;

use primitives::{Fault, FaultKind, ensure};
use serde_json::{Value, json};

use crate::command::{Reply, ScheduledSnapshot, SnapshotInfo, SnapshotRequest, answer};
use crate::{EngineError, Refused};

/// The file that keeps the schedule, as nodeos names and writes it.
const SCHEDULE_FILE: &str = "snapshot-schedule.json";
/// How the names of files begin that are no snapshots yet, or no schedule: only the node that writes them needs them.
pub const UNFINISHED: [&str; 2] = [PENDING, INCOMPLETE];
/// A snapshot whose block is still reversible.
pub(crate) const PENDING: &str = ".pending-snapshot-";
/// A snapshot that is being written.
pub(crate) const INCOMPLETE: &str = ".incomplete-snapshot-";
/// Requests that are kept at most: each is looked at with every block.
const REQUESTS_MAX: usize = 1024;

/// A snapshot of a block that is still reversible.
#[derive(Debug)]
pub struct PendingSnapshot {
    /// Where it is now.
    pub path: PathBuf,
    /// What it will be.
    pub info: SnapshotInfo,
    /// Who waits for it.
    pub replies: Vec<Reply<Result<SnapshotInfo, Refused>>>,
    /// Whether the file is there.
    pub written: bool,
}

/// What becomes of the pending snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    pub folder: PathBuf,
    pub requests: Vec<ScheduledSnapshot>,
    /// The id of the next request: no two have the same while the node runs, also when the first is done.
    next_id: u32,
    pub pending: Vec<PendingSnapshot>,
}

impl SnapshotRequest {
    /// Whether one of the blocks from `first` to `last` is among those that are asked for.
    pub(crate) fn wants(&self, first: u32, last: u32) -> bool {
        let first = first.max(self.start_block_num);
        if self.block_spacing == 0 {
            return first == self.start_block_num && first <= last;
        }
        let beyond = (first - self.start_block_num) % self.block_spacing;
        let next = if beyond == 0 { Some(first) } else { first.checked_add(self.block_spacing - beyond) };
        next.is_some_and(|next| next <= last)
    }

    /// Whether nothing more is to come at a head of number `head`.
    pub(crate) fn is_over(&self, head: u32) -> bool {
        head >= self.end_block_num || (self.block_spacing == 0 && head >= self.start_block_num)
    }
}

impl Snapshots {
    /// With the schedule that is kept in `folder`.
    ///
    /// # Errors
    /// There is a schedule that cannot be read.
    pub fn open(folder: PathBuf) -> Result<Self, EngineError> {
        let path = folder.join(SCHEDULE_FILE);
        let requests = match fs::read(&path) {
            Ok(text) => read_schedule(&text).ok_or(EngineError::SnapshotSchedule { path })?,
            Err(_) => Vec::new(),
        };
        let next_id = requests.iter().map(|known| known.id).max().map_or(0, |last| last.wrapping_add(1));
        Ok(Self { folder, requests, next_id, pending: Vec::new() })
    }

    /// Whether snapshots wait for their blocks to become irreversible.
    pub(crate) fn are_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Removes what will never be a snapshot, as the node ends: nobody would look for it.
    pub(crate) fn discard_pending(&mut self) {
        for pending in self.pending.drain(..) {
            // One that stays is removed by the next start.
            let _ = fs::remove_file(&pending.path);
        }
    }

    /// The schedule.
    pub fn requests(&self) -> &[ScheduledSnapshot] {
        &self.requests
    }

    /// Adds a request.
    pub fn add(&mut self, request: SnapshotRequest) -> Result<ScheduledSnapshot, Fault> {
        let SnapshotRequest { block_spacing, start_block_num, end_block_num, .. } = request;
        let same = |known: &ScheduledSnapshot| {
            let known = &known.request;
            (known.block_spacing, known.start_block_num, known.end_block_num)
                == (block_spacing, start_block_num, end_block_num)
        };
        ensure!(!self.requests.iter().any(same), DUPLICATE_SNAPSHOT_REQUEST, "Duplicate snapshot request");
        ensure!(
            start_block_num <= end_block_num,
            INVALID_SNAPSHOT_REQUEST,
            "End block number should be greater or equal to start block number"
        );
        ensure!(
            start_block_num.wrapping_add(block_spacing) <= end_block_num,
            INVALID_SNAPSHOT_REQUEST,
            "Block spacing exceeds defined by start and end range"
        );
        ensure!(
            self.requests.len() < REQUESTS_MAX,
            INVALID_SNAPSHOT_REQUEST,
            "There are {REQUESTS_MAX} snapshot requests already; unschedule one of them first"
        );
        let scheduled = ScheduledSnapshot { id: self.next_id, request, pending: Vec::new() };
        self.next_id = self.next_id.wrapping_add(1);
        self.requests.push(scheduled.clone());
        Ok(scheduled)
    }

    /// Takes a request out.
    pub fn remove(&mut self, id: u32) -> Result<ScheduledSnapshot, Fault> {
        let at = self.requests.iter().position(|known| known.id == id);
        let missing = || Fault::new(FaultKind::SNAPSHOT_REQUEST_NOT_FOUND, "Snapshot request not found");
        at.map(|at| self.requests.remove(at)).ok_or_else(missing)
    }

    /// The name of a snapshot's file.
    pub fn file(&self, prefix: &str, info: &SnapshotInfo) -> PathBuf {
        self.folder.join(format!("{prefix}{}.bin", info.head_id))
    }

    /// Where the schedule is kept: its name, and its name while it is written.
    pub fn schedule_file(&self) -> (PathBuf, PathBuf) {
        (self.folder.join(SCHEDULE_FILE), self.folder.join(format!(".incomplete-{SCHEDULE_FILE}")))
    }

    /// What is kept there.
    pub fn packed_schedule(&self) -> Vec<u8> {
        write_schedule(&self.requests)
    }
}

impl PendingSnapshot {
    /// Gives the file its name, or removes that of a block that is not in the chain, and tells whoever waits.
    pub(crate) fn finish(self, forked: bool) {
        let Self { path, info, replies, .. } = self;
        let result = if forked {
            // A file that stays is in nobody's way.
            let _ = fs::remove_file(&path);
            Err(format!("Snapshotted block was forked out of the chain.  ID: {}", info.head_id))
        } else {
            fs::rename(&path, &info.path).map_err(|error| {
                let (num, code) = (info.head_num, error.raw_os_error().unwrap_or_default());
                format!("Unable to finalize valid snapshot of block number {num}: [code: {code}] {error}")
            })
        };
        if let Err(message) = &result {
            tracing::error!("{message}");
        }
        let result =
            result.map(|()| info).map_err(|message| Fault::new(FaultKind::SNAPSHOT_FINALIZATION_EXCEPTION, message));
        for reply in replies {
            answer(reply, result.clone().map_err(Refused::from));
        }
    }
}

fn write_schedule(requests: &[ScheduledSnapshot]) -> Vec<u8> {
    // nodeos writes numbers as strings.
    let entry = |known: &ScheduledSnapshot| {
        let request = &known.request;
        json!({
            "snapshot_request_id": known.id.to_string(),
            "snapshot_description": request.description,
            "block_spacing": request.block_spacing.to_string(),
            "start_block_num": request.start_block_num.to_string(),
            "end_block_num": request.end_block_num.to_string(),
        })
    };
    let document = json!({"snapshot_requests": requests.iter().map(entry).collect::<Vec<_>>()});
    format!("{document:#}\n").into_bytes()
}

fn read_schedule(text: &[u8]) -> Option<Vec<ScheduledSnapshot>> {
    let document: Value = serde_json::from_slice(text).ok()?;
    let entry = |entry: &Value| {
        let number = |key: &str| match entry.get(key)? {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        let request = SnapshotRequest {
            block_spacing: number("block_spacing")?,
            start_block_num: number("start_block_num")?,
            end_block_num: number("end_block_num")?,
            description: entry.get("snapshot_description")?.as_str()?.to_owned(),
        };
        Some(ScheduledSnapshot { id: number("snapshot_request_id")?, request, pending: Vec::new() })
    };
    match document.get("snapshot_requests")? {
        Value::Array(entries) => entries.iter().map(entry).collect(),
        // What nodeos writes when nothing is scheduled.
        Value::String(empty) if empty.is_empty() => Some(Vec::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(block_spacing: u32, start_block_num: u32, end_block_num: u32) -> SnapshotRequest {
        SnapshotRequest { block_spacing, start_block_num, end_block_num, description: "a/\"b\"".to_owned() }
    }

    #[test]
    fn a_single_snapshot_is_wanted_once() {
        let single = request(0, 10, u32::MAX);
        assert!(!single.wants(9, 9) && single.wants(10, 10) && single.wants(8, 12) && !single.wants(11, 11));
        assert!(!single.is_over(9) && single.is_over(10));
    }

    #[test]
    fn recurring_snapshots_begin_at_their_start_and_end_at_their_end() {
        let recurring = request(5, 10, 21);
        let wanted: Vec<u32> = (0..30).filter(|num| recurring.wants(*num, *num)).collect();
        assert_eq!(wanted, [10, 15, 20, 25]);
        assert!(recurring.wants(11, 15) && !recurring.wants(11, 14));
        assert!(!recurring.is_over(20) && recurring.is_over(21));
        assert!(!request(u32::MAX, u32::MAX, u32::MAX).wants(3, 9));
    }

    #[test]
    fn requests_are_checked_as_nodeos_does() {
        let mut snapshots = Snapshots { folder: PathBuf::new(), requests: Vec::new(), next_id: 0, pending: Vec::new() };
        let mut code = |request| snapshots.add(request).map_or_else(|fault| fault.kind.code, |added| added.id);
        assert_eq!(code(request(2, 10, 20)), 0);
        assert_eq!(code(request(2, 10, 20)), FaultKind::DUPLICATE_SNAPSHOT_REQUEST.code);
        assert_eq!(code(request(2, 10, 9)), FaultKind::INVALID_SNAPSHOT_REQUEST.code);
        assert_eq!(code(request(6, 10, 15)), FaultKind::INVALID_SNAPSHOT_REQUEST.code);
        assert_eq!(code(request(u32::MAX, u32::MAX, u32::MAX)), 1);
        assert_eq!(snapshots.remove(7).map_err(|fault| fault.kind), Err(FaultKind::SNAPSHOT_REQUEST_NOT_FOUND));
        assert!(snapshots.remove(0).is_ok());
        let again = read_schedule(&write_schedule(&snapshots.requests));
        assert_eq!(again.as_deref(), Some(snapshots.requests()));
        // nodeos gives no id twice, not that of a request which is done either.
        assert!(snapshots.remove(1).is_ok());
        assert_eq!(snapshots.add(request(0, 10, 10)).map(|added| added.id), Ok(2));
    }

    #[test]
    fn a_schedule_is_read_as_nodeos_writes_it() {
        let text = br#"{"snapshot_requests": [{"snapshot_request_id": "2", "snapshot_description": "a\/\"b\"",
            "block_spacing": "3", "start_block_num": "1000", "end_block_num": "2000"}]}"#;
        let read = read_schedule(text).expect("a schedule");
        assert_eq!((read[0].id, &read[0].request), (2, &request(3, 1000, 2000)));
        assert_eq!(read_schedule(br#"{"snapshot_requests": ""}"#), Some(Vec::new()));
        assert_eq!(read_schedule(b"{}"), None);
    }
}
