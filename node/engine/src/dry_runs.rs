//! Runs dry runs and read-only transactions: when their turn comes, in the pending block or in one that is built for
//! them alone.

use std::sync::Arc;
use std::time::Instant;

use chain::{BlockPurpose, ChainError, StartBlock};
use execution::{RecoveredTransaction, budget::UNLIMITED_US};
use primitives::TimePoint;

use crate::command::{Submission, SubmitKind, SubmitResult, answer};
use crate::holds::Hold;
use crate::queue::check_expiration;
use crate::writer::{Phase, Writer};
use crate::{EngineError, Refusal, Refused, slots};

impl Writer {
    /// Lets a dry run or a read-only transaction wait for its turn.
    pub(crate) fn queue_transient(&mut self, submission: Submission) {
        self.transients.add(submission, Instant::now());
    }

    /// Runs the next dry run or read-only transaction, if it is time. Whether one ran.
    pub(crate) fn run_next_transient(&mut self, busy: bool) -> Result<bool, EngineError> {
        let begun = Instant::now();
        if !self.transients.is_due(busy, begun) {
            return Ok(false);
        }
        let Some(submission) = self.transients.next(begun) else { return Ok(false) };
        self.answer_transient(submission)?;
        self.transients.ran(begun, Instant::now());
        Ok(true)
    }

    /// Runs a dry run or a read-only transaction, or lets it wait for code.
    pub(crate) fn answer_transient(&mut self, submission: Submission) -> Result<(), EngineError> {
        match self.run_transient(&submission.transaction, submission.kind) {
            Ok(result) => answer(submission.reply, result),
            Err(EngineError::Chain(ChainError::NeedsCode(missing))) => self.await_code(*missing, submission),
            Err(EngineError::Chain(ChainError::Shortage(what))) => {
                answer(submission.reply, Err(Refusal::Shortage { what }.into()));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn run_transient(
        &mut self,
        transaction: &Arc<RecoveredTransaction>,
        kind: SubmitKind,
    ) -> Result<SubmitResult, EngineError> {
        // nodeos looks at the time before it runs what may write, and not at all before it only reads.
        if kind == SubmitKind::DryRun
            && let Err(fault) = check_expiration(transaction, self.pending_time())
        {
            return Ok(Err(fault.into()));
        }
        let built_for_this = self.phase == Phase::Waiting;
        if built_for_this && !self.speculate_briefly()? {
            return Ok(Err(Refusal::NoBlock.into()));
        }
        let budget = self.budget(TimePoint(UNLIMITED_US));
        let mut chain = self.shared.chain.write(Hold::Transaction);
        let result = match kind {
            SubmitKind::ReadOnly => chain.read_only(&mut self.machine, transaction, budget),
            _ => chain.dry_run(&mut self.machine, transaction, budget),
        };
        if built_for_this {
            chain.abort_block();
        }
        match result {
            Ok(executed) => Ok(match (executed.fault(), kind) {
                // nodeos shows the trace of a failure only where nothing may be changed anyway.
                (Some(fault), SubmitKind::DryRun) => Err(fault.clone().into()),
                _ => Ok(executed.trace),
            }),
            Err(ChainError::Block(fault)) => Ok(Err(Refused::Rule(fault))),
            Err(error) => Err(error.into()),
        }
    }

    /// Starts a block only to run something in it.
    fn speculate_briefly(&mut self) -> Result<bool, EngineError> {
        let mut chain = self.shared.chain.write(Hold::StartBlock);
        let slot = slots::pending_slot(self.now(), chain.head_time());
        let features = chain.preactivated_features();
        let how = StartBlock { timestamp: slot, confirmed: 0, features, purpose: BlockPurpose::Speculate };
        match chain.start_block(&mut self.machine, &how) {
            Ok(()) => Ok(true),
            Err(ChainError::Block(fault)) => {
                tracing::debug!("cannot start a block to run a transaction in: {fault}");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
