//! Dry runs and read-only transactions in a queue of their own. They run when no other command waits, or for a small
//! share of the time: a flood of them delays no transaction and no block. They wait for a bounded time, and what nobody
//! waits for any more is not run.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::command::{Reply, SubmitResult, answer};
use crate::metrics::Load;
use crate::{Refusal, Submission};

/// Dry runs and read-only transactions that wait at most.
const WAITING_MAX: usize = 512;
/// How long one waits at most.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// While other commands wait, one is run after this many times the time that the last one took.
const REST_FACTOR: u32 = 9;
/// The breaker's name, as clients see it.
pub const BREAKER: &str = "dry_runs";

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Transients {
    waiting: VecDeque<(Instant, Submission)>,
    /// When one may run though other commands wait.
    rested: Option<Instant>,
}

impl Transients {
    /// How many wait, and may.
    pub fn load(&self) -> Load {
        Load { used: self.waiting.len() as u64, limit: Some(WAITING_MAX as u64) }
    }

    /// Lets one wait, or tells whoever asked that too many do.
    pub fn add(&mut self, submission: Submission, now: Instant) {
        self.waiting.retain(|(_, waiting)| !is_abandoned(&waiting.reply));
        if self.waiting.len() >= WAITING_MAX {
            let reason = format!("{WAITING_MAX} dry runs and read-only transactions wait already");
            answer(submission.reply, Err(Refusal::Busy { breaker: BREAKER, reason }.into()));
            return;
        }
        self.waiting.push_back((now, submission));
    }

    /// The next one that somebody waits for. Those that waited too long are told so.
    pub fn next(&mut self, now: Instant) -> Option<Submission> {
        while let Some((since, submission)) = self.waiting.pop_front() {
            if is_abandoned(&submission.reply) {
                continue;
            }
            if now.duration_since(since) <= WAIT_MAX {
                return Some(submission);
            }
            let reason = format!("this one waited for {} s", WAIT_MAX.as_secs());
            answer(submission.reply, Err(Refusal::Busy { breaker: BREAKER, reason }.into()));
        }
        None
    }

    /// Whether one should run. `busy`: other commands wait.
    pub fn is_due(&self, busy: bool, now: Instant) -> bool {
        !self.waiting.is_empty() && (!busy || self.rested.is_none_or(|rested| rested <= now))
    }

    pub fn ran(&mut self, begun: Instant, now: Instant) {
        self.rested = Some(now + now.duration_since(begun) * REST_FACTOR);
    }
}

fn is_abandoned(reply: &Reply<SubmitResult>) -> bool {
    reply.is_closed()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use execution::RecoveredTransaction;
    use primitives::{Checksum256, PackedTransaction, Transaction};
    use tokio::sync::oneshot;

    use super::*;
    use crate::{Origin, Refused, SubmitKind};

    fn submission() -> (Submission, oneshot::Receiver<SubmitResult>) {
        let (reply, answer) = oneshot::channel();
        let transaction = RecoveredTransaction::new(
            PackedTransaction::default(),
            Checksum256::default(),
            Transaction::default(),
            Vec::new(),
            Vec::new(),
        );
        let transaction = Arc::new(transaction);
        (Submission { transaction, kind: SubmitKind::DryRun, origin: Origin::Api, purse: None, reply }, answer)
    }

    fn breaker_of(answer: &mut oneshot::Receiver<SubmitResult>) -> &'static str {
        match answer.try_recv() {
            Ok(Err(Refused::Node(Refusal::Busy { breaker, .. }))) => breaker,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn too_many_are_refused_and_the_abandoned_make_room() {
        let (mut queue, now) = (Transients::default(), Instant::now());
        let mut answers = Vec::new();
        for _ in 0..WAITING_MAX {
            let (one, answer) = submission();
            queue.add(one, now);
            answers.push(answer);
        }
        let (one, mut answer) = submission();
        queue.add(one, now);
        assert_eq!(breaker_of(&mut answer), "dry_runs");
        assert_eq!(queue.load(), Load { used: WAITING_MAX as u64, limit: Some(WAITING_MAX as u64) });
        answers.truncate(1);
        let (one, mut kept) = submission();
        queue.add(one, now);
        assert_eq!(queue.waiting.len(), 2);
        assert!(queue.next(now + WAIT_MAX * 2).is_none());
        assert_eq!((breaker_of(&mut answers[0]), breaker_of(&mut kept)), ("dry_runs", "dry_runs"));
    }

    #[test]
    fn they_take_a_share_of_a_busy_writer() {
        let (mut queue, now) = (Transients::default(), Instant::now());
        let (one, _answer) = submission();
        queue.add(one, now);
        assert!(queue.is_due(true, now));
        let took = Duration::from_millis(30);
        queue.ran(now, now + took);
        assert!(!queue.is_due(true, now + took * 9));
        assert!(queue.is_due(false, now + took));
        assert!(queue.is_due(true, now + took * 10));
    }
}
