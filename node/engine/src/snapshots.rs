//! Snapshots of the head, when somebody asks for one and by a schedule that outlives the process. They are made aside
//! ([`crate::whole_state`]). A snapshot of a reversible block gets its name, and whoever asked an
//! answer, when the block is irreversible, as on nodeos.

use std::fs;
use std::path::{Path, PathBuf};

use chain::Applied;
use primitives::{BlockId, Fault, FaultKind, ensure};
use serde_json::{Value, json};

use crate::command::{Reply, SnapshotInfo, answer};
use crate::follower::Work;
use crate::obstacles::Obstacle;
use crate::whole_state::Task;
use crate::writer::Writer;
use crate::{EngineError, Refusal, Refused};

/// The file that keeps the schedule, as nodeos names and writes it.
const SCHEDULE_FILE: &str = "snapshot-schedule.json";
/// Requests that are kept at most: each is looked at with every block.
const REQUESTS_MAX: usize = 1024;

/// Which blocks to take snapshots of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Blocks from one snapshot to the next; 0 for a single snapshot.
    pub block_spacing: u32,
    /// The first block.
    pub start_block_num: u32,
    /// The last block.
    pub end_block_num: u32,
    /// For whoever reads the schedule.
    pub description: String,
}

/// A request of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledSnapshot {
    /// Its number.
    pub id: u32,
    /// What is asked for.
    pub request: SnapshotRequest,
    /// Its snapshots of blocks that are still reversible.
    pub pending: Vec<SnapshotInfo>,
}

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
    folder: PathBuf,
    requests: Vec<ScheduledSnapshot>,
    /// The id of the next request: no two have the same while the node runs, also when the first is done.
    next_id: u32,
    pending: Vec<PendingSnapshot>,
}

impl SnapshotRequest {
    /// Whether one of the blocks from `first` to `last` is among those that are asked for.
    fn wants(&self, first: u32, last: u32) -> bool {
        let first = first.max(self.start_block_num);
        if self.block_spacing == 0 {
            return first == self.start_block_num && first <= last;
        }
        let beyond = (first - self.start_block_num) % self.block_spacing;
        let next = if beyond == 0 { Some(first) } else { first.checked_add(self.block_spacing - beyond) };
        next.is_some_and(|next| next <= last)
    }

    /// Whether nothing more is to come at a head of number `head`.
    fn is_over(&self, head: u32) -> bool {
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

    /// The schedule.
    pub fn requests(&self) -> &[ScheduledSnapshot] {
        &self.requests
    }

    fn add(&mut self, request: SnapshotRequest) -> Result<ScheduledSnapshot, Fault> {
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

    fn remove(&mut self, id: u32) -> Result<ScheduledSnapshot, Fault> {
        let at = self.requests.iter().position(|known| known.id == id);
        let missing = || Fault::new(FaultKind::SNAPSHOT_REQUEST_NOT_FOUND, "Snapshot request not found");
        at.map(|at| self.requests.remove(at)).ok_or_else(missing)
    }

    fn file(&self, prefix: &str, info: &SnapshotInfo) -> PathBuf {
        self.folder.join(format!("{prefix}{}.bin", info.head_id))
    }

    fn schedule_work(&self) -> Work {
        let path = self.folder.join(SCHEDULE_FILE);
        let draft = self.folder.join(format!(".incomplete-{SCHEDULE_FILE}"));
        Work::File { path, draft, bytes: write_schedule(&self.requests) }
    }
}

impl Writer {
    /// Adds a request to the schedule.
    pub(crate) fn schedule_snapshot(
        &mut self,
        request: SnapshotRequest,
    ) -> Result<Result<ScheduledSnapshot, Fault>, EngineError> {
        let added = self.snapshots.add(request);
        self.keep_schedule(added.is_ok())?;
        Ok(added)
    }

    /// Takes a request out of the schedule.
    pub(crate) fn unschedule_snapshot(&mut self, id: u32) -> Result<Result<ScheduledSnapshot, Fault>, EngineError> {
        let removed = self.snapshots.remove(id);
        self.keep_schedule(removed.is_ok())?;
        Ok(removed)
    }

    fn keep_schedule(&mut self, changed: bool) -> Result<(), EngineError> {
        if changed {
            self.publish_snapshots();
            self.follower.send(self.snapshots.schedule_work())?;
        }
        Ok(())
    }

    fn publish_snapshots(&self) {
        self.shared.producer.write().snapshot_requests = self.snapshots.requests().to_vec();
    }

    /// A snapshot of the head; `reply` hears of it when the head is irreversible. No block may be pending.
    pub(crate) fn create_snapshot(&mut self, reply: Reply<Result<SnapshotInfo, Refused>>) -> Result<(), EngineError> {
        match self.snapshot_head()? {
            Ok(at) => self.snapshots.pending[at].replies.push(reply),
            Err(refused) => answer(reply, Err(refused)),
        }
        self.promote_settled()
    }

    /// Begins a snapshot of the head unless there is one, and gives its place among the pending ones.
    fn snapshot_head(&mut self) -> Result<Result<usize, Refused>, EngineError> {
        if let Err(refusal) = self.shared.health.check_room() {
            return Ok(Err(refusal.into()));
        }
        let mut info = {
            let chain = self.shared.chain.read();
            let (head_id, head_num, head_time) = (chain.head().id(), chain.head().number(), chain.head_time());
            SnapshotInfo { head_id, head_num, head_time, path: PathBuf::new() }
        };
        info.path = self.snapshots.file("snapshot-", &info);
        if info.path.is_file() {
            let message = format!("snapshot named {} already exists", self.snapshots.folder.display());
            return Ok(Err(Fault::new(FaultKind::SNAPSHOT_EXISTS_EXCEPTION, message).into()));
        }
        if let Some(at) = self.snapshots.pending.iter().position(|pending| pending.info.head_id == info.head_id) {
            return Ok(Ok(at));
        }
        if self.whole_state_busy {
            return Ok(Err(Refusal::WholeStateBusy.into()));
        }
        let path = self.snapshots.file(".pending-snapshot-", &info);
        let draft = self.snapshots.file(".incomplete-snapshot-", &info);
        self.begin_whole_state(Task::Snapshot { path: path.clone(), draft })?;
        self.snapshots.pending.push(PendingSnapshot { path, info, replies: Vec::new(), written: false });
        Ok(Ok(self.snapshots.pending.len() - 1))
    }

    /// The file of a snapshot is written, or cannot be.
    pub(crate) fn snapshot_written(&mut self, head: BlockId, result: Result<(), String>) -> Result<(), EngineError> {
        let Some(at) = self.snapshots.pending.iter().position(|pending| pending.info.head_id == head) else {
            return Ok(());
        };
        let Err(cause) = result else {
            self.snapshots.pending[at].written = true;
            return self.promote_settled();
        };
        tracing::error!("the snapshot of block {head} cannot be written: {cause}");
        for reply in self.snapshots.pending.remove(at).replies {
            let fault = Fault::new(FaultKind::SNAPSHOT_FINALIZATION_EXCEPTION, cause.clone());
            answer(reply, Err(fault.into()));
        }
        Ok(())
    }

    /// What a changed chain means for snapshots: blocks became irreversible, and the schedule may want the head.
    pub(crate) fn follow_snapshots(&mut self, applied: &Applied) -> Result<(), EngineError> {
        if !self.snapshots.pending.is_empty() {
            self.promote_settled()?;
        }
        let heads = (applied.applied.first(), applied.applied.last());
        let (Some(first), Some(last)) = heads else { return Ok(()) };
        let (first, head) = (first.state.number(), last.state.number());
        if self.snapshots.requests.is_empty() {
            return Ok(());
        }
        if let Some(wanting) = self.snapshots.requests.iter().position(|known| known.request.wants(first, head)) {
            match self.snapshot_head()? {
                Ok(at) => {
                    let pending = &self.snapshots.pending[at];
                    let shown = SnapshotInfo { path: pending.path.clone(), ..pending.info.clone() };
                    self.snapshots.requests[wanting].pending.push(shown);
                }
                Err(refused) => {
                    let slot = last.state.header.timestamp();
                    self.obstacles.meet(slot, &Obstacle::NoSnapshot { block_num: head, refused });
                }
            }
        }
        let before = self.snapshots.requests.len();
        self.snapshots.requests.retain(|known| !known.request.is_over(head));
        self.keep_schedule(self.snapshots.requests.len() < before)?;
        self.promote_settled()?;
        self.publish_snapshots();
        Ok(())
    }

    /// Gives the snapshots of irreversible blocks their names, behind the writer; those of other branches are dropped.
    fn promote_settled(&mut self) -> Result<(), EngineError> {
        let irreversible = self.shared.chain.read().root().number();
        let settled = |pending: &mut PendingSnapshot| pending.written && pending.info.head_num <= irreversible;
        for pending in self.snapshots.pending.extract_if(.., settled) {
            // A chain that began with a snapshot does not have that block.
            let kept = self.shared.store.block_id_at(pending.info.head_num)?;
            let forked = kept.is_some_and(|id| id != pending.info.head_id);
            self.follower.send(Work::FinishSnapshot { pending, forked })?;
        }
        for known in &mut self.snapshots.requests {
            known.pending.retain(|info| info.head_num > irreversible);
        }
        Ok(())
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

/// Writes a file under another name first, so that it is whole or not there.
pub(crate) fn write_file(path: &Path, draft: &Path, bytes: &[u8]) {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written =
        fs::create_dir_all(folder).and_then(|()| fs::write(draft, bytes)).and_then(|()| fs::rename(draft, path));
    if let Err(error) = written {
        tracing::error!("cannot write {}: {error}", path.display());
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
