//! Who gets the whole state and when: one request after the other, the snapshots of the schedule among them. A snapshot
//! of a reversible block gets its name, and whoever asked an answer, when the block is irreversible, as on nodeos.

use std::path::PathBuf;
use std::sync::Arc;

use chain::Applied;
use primitives::{BlockId, Fault, FaultKind};

use crate::command::{Reply, ScheduledSnapshot, SnapshotInfo, SnapshotRequest, answer};
use crate::disk::Work;
use crate::obstacles::Obstacle;
use crate::snapshots::{INCOMPLETE, PENDING, PendingSnapshot};
use crate::state_task::{Request, Task};
use crate::writer::Writer;
use crate::{EngineError, Refusal, Refused};

/// Requests that wait for the whole state at most.
const WAITING_MAX: usize = 64;

impl Writer {
    /// Takes a request on, or lets it wait until the one before is done. No block may be pending.
    pub(crate) fn want_whole_state(&mut self, request: Request) -> Result<(), EngineError> {
        if self.whole_state_busy {
            if self.whole_state_waiting.len() < WAITING_MAX {
                self.whole_state_waiting.push_back(request);
            } else {
                request.refuse();
            }
            return Ok(());
        }
        match request {
            Request::Snapshot(reply) => self.create_snapshot(reply),
            Request::Hash(reply) => self.begin_whole_state(Task::Hash(reply)),
            Request::Save { name, marks, time, reply } => {
                self.begin_whole_state(Task::Save { name, marks, time, reply })
            }
        }
    }

    /// Has the state of the head written to disk, and something made of it there.
    pub(crate) fn begin_whole_state(&mut self, task: Task) -> Result<(), EngineError> {
        self.checkpoint_head()?;
        self.whole_state_busy = true;
        let head = Arc::clone(self.shared.chain.read().head());
        self.disk.follow(Work::WholeState { head, task })
    }

    /// Something was made of the whole state.
    pub(crate) fn whole_state_done(&mut self, head: BlockId, result: Result<(), String>) -> Result<(), EngineError> {
        self.whole_state_busy = false;
        self.snapshot_written(head, result)?;
        if self.whole_state_waiting.is_empty() {
            return Ok(());
        }
        self.abort();
        while !self.whole_state_busy
            && let Some(request) = self.whole_state_waiting.pop_front()
        {
            self.want_whole_state(request)?;
        }
        self.plan()
    }

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
            let (path, draft) = self.snapshots.schedule_file();
            self.disk.follow(Work::File { path, draft, bytes: self.snapshots.packed_schedule() })?;
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
        let path = self.snapshots.file(PENDING, &info);
        let draft = self.snapshots.file(INCOMPLETE, &info);
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
            let kept = self.disk.block_id_at(pending.info.head_num)?;
            let forked = kept.is_some_and(|id| id != pending.info.head_id);
            self.disk.follow(Work::FinishSnapshot { pending, forked })?;
        }
        for known in &mut self.snapshots.requests {
            known.pending.retain(|info| info.head_num > irreversible);
        }
        Ok(())
    }
}
