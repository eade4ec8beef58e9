//! Contract code is made ready ahead and aside: a thread loads what was set, and at once what a transaction or a block
//! needs. Whoever needs it waits; the writer goes on. A second thread optimises what is used much, which runs as it is
//! meanwhile; a transaction that would take long as it is waits for that, too.

use chain::{Loaded, MissingCode, PreparedBlock, SealedBlock};
use codec::Unpack;
use execution::TransactionTrace;
use primitives::{Bytes, Checksum256, Name, Sha256, name};

use crate::command::{Reply, Submission, Verdict, answer};
use crate::writer::{Phase, Writer};
use crate::{EngineError, Refusal};

const EOSIO: Name = name!("eosio");
const SETCODE: Name = name!("setcode");

impl Writer {
    /// Has code loaded that something waits for.
    pub(crate) fn need_code(&mut self, missing: MissingCode) {
        self.compiling.need(missing);
    }

    /// Has code optimised that is used much, unless there is much to do.
    pub(crate) fn optimise_used_code(&mut self) {
        if let Some(code) = self.machine.take_hot() {
            self.compiling.optimise(code);
        }
    }

    /// Lets a dry run or a read-only transaction wait for code.
    pub(crate) fn await_code(&mut self, missing: MissingCode, submission: Submission) {
        let code_hash = missing.code_hash;
        if let Err(submission) = self.compiling.hold_transient(missing, submission) {
            answer(submission.reply, Err(Refusal::TooManyWait { code_hash }.into()));
        }
    }

    /// Lets a block from outside wait for code, and all later ones for it.
    pub(crate) fn hold_for_code(&mut self, missing: MissingCode, block: PreparedBlock, reply: Option<Reply<Verdict>>) {
        self.compiling.hold_block(missing, block, reply);
    }

    /// Has the code compiled that a transaction set.
    pub(crate) fn expect_code_of(&mut self, trace: &TransactionTrace) {
        let sets = |action: &&execution::ActionTrace| {
            action.receiver == EOSIO && action.act.account == EOSIO && action.act.name == SETCODE
        };
        for action in trace.action_traces.iter().filter(sets) {
            // Account, type and version of the VM, code.
            if let Ok((_, _, _, code)) = <(Name, u8, u8, Bytes)>::from_prefix(&action.act.data.0)
                && !code.0.is_empty()
            {
                self.compiling.expect(Sha256::of(&code.0), code.0);
            }
        }
    }

    /// Has the code compiled that the transactions of a block set.
    pub(crate) fn expect_code_in(&mut self, sealed: &SealedBlock) {
        sealed.traces.iter().filter(|trace| trace.except.is_none()).for_each(|trace| self.expect_code_of(trace));
    }

    /// Code is ready: whatever waited for it goes on.
    pub(crate) fn code_ready(&mut self, code_hash: Checksum256, loaded: Loaded) -> Result<(), EngineError> {
        self.compiling.loaded(&code_hash);
        self.machine.supply(&code_hash, loaded);
        if let Some((block, reply)) = self.compiling.release_block(&code_hash) {
            self.push_first(block, reply)?;
        }
        for waiting in self.queue.unpark(&code_hash) {
            self.run_or_queue(waiting)?;
        }
        for submission in self.compiling.release_transients(&code_hash) {
            self.answer_transient(submission)?;
        }
        if self.phase == Phase::Waiting { self.plan() } else { Ok(()) }
    }
}
