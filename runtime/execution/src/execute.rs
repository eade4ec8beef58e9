//! What all three doors share: a transaction's frame is set up, its actions run in order, it is billed, and its trace
//! closes (nodeos: transaction_context.cpp `exec`). The doors are `input`, `scheduled` and `implicit`.

use std::sync::Arc;

use primitives::{Fault, FaultKind, Name, TransactionId, TransactionStatus};

use crate::apply::execute_action;
use crate::budget::{BlockMode, Budget, TransactionKind};
use crate::executed::ExecutedTransaction;
use crate::fault::{Outcome, error_code, rejects_block};
use crate::recovered::TransactionParts;
use crate::session::Session;
use crate::settings::SUBJECTIVE_CPU_LEEWAY_US;
use crate::trace::{ReceiptHeader, TransactionTrace};
use crate::transaction::TransactionState;
use crate::world::{Machine, World};

/// Proof that a transaction may run: its frame is set up and its declared authorities hold. Only the doors make one,
/// each in a session of its own, which the door keeps or drops by what [`Self::execute`] says before it closes the
/// trace: that makes an [`ExecutedTransaction`].
#[must_use]
pub(crate) struct AuthorizedTransaction<'s> {
    world: &'s mut World,
    context_free: bool,
    receiver: Option<Name>,
}

impl<'s> AuthorizedTransaction<'s> {
    /// For a door that has checked the transaction whose frame is set up.
    pub(crate) fn new(session: &'s mut Session<'_>) -> Self {
        Self { world: session, context_free: true, receiver: None }
    }

    /// Without its context-free actions: they run when a transaction is scheduled.
    pub(crate) fn without_context_free(self) -> Self {
        Self { context_free: false, ..self }
    }

    /// With `receiver` as who runs its actions, instead of the accounts that they name.
    pub(crate) fn at(self, receiver: Name) -> Self {
        Self { receiver: Some(receiver), ..self }
    }

    /// Runs the transaction's own actions in order, or schedules it when it is delayed, and bills it.
    pub(crate) fn execute(self, machine: &mut Machine) -> Outcome {
        let Self { world, context_free, receiver } = self;
        let parts = Arc::clone(&world.trx.parts);
        if context_free {
            for act in &parts.context_free_actions {
                world.schedule_action(Arc::clone(act), act.account, true, 0, 0);
            }
        }
        let delayed = world.trx.delay_us != 0;
        if !delayed {
            world.trx.trace.action_traces.reserve(parts.actions.len() * 3);
            for act in &parts.actions {
                world.schedule_action(Arc::clone(act), receiver.unwrap_or(act.account), false, 0, 0);
            }
        }
        for ordinal in 1..=world.trx.trace.action_traces.len() as u32 {
            execute_action(machine, world, ordinal)?;
        }
        if delayed {
            world.schedule_delayed_input()?;
        }
        world.finalize_transaction()
    }
}

impl World {
    /// Starts a transaction's frame; nothing of the ledger changes yet.
    pub(crate) fn begin_transaction(
        &mut self,
        kind: TransactionKind,
        id: TransactionId,
        packed_id: TransactionId,
        parts: Arc<TransactionParts>,
        budget: Budget,
    ) {
        let now_us = self.clock.now_us();
        let trace = TransactionTrace {
            id,
            block_num: self.block.number,
            block_time: self.block.time,
            producer_block_id: self.block.producer_block_id,
            ..TransactionTrace::default()
        };
        let trx = &mut self.trx;
        let (mut bill_to, mut validate_ram) = (std::mem::take(&mut trx.bill_to), std::mem::take(&mut trx.validate_ram));
        bill_to.clear();
        validate_ram.clear();
        *trx = TransactionState {
            kind,
            parts,
            packed_id,
            trace,
            published: self.block.time.time(),
            enforce_lists: true,
            checks: !(self.block.mode == BlockMode::Trusted && kind == TransactionKind::Input),
            leeway_us: SUBJECTIVE_CPU_LEEWAY_US,
            start_us: now_us,
            pseudo_start_us: now_us,
            billed_cpu_us: i64::from(budget.billed_cpu_us),
            budget,
            bill_to,
            validate_ram,
            ..TransactionState::default()
        };
    }

    /// Closes the trace of an input or implicit transaction.
    pub(crate) fn finish(&mut self, result: Outcome) -> Outcome<ExecutedTransaction> {
        let mut trace = std::mem::take(&mut self.trx.trace);
        match result {
            Ok(()) => {
                let delayed = self.trx.delay_us != 0 && self.trx.kind == TransactionKind::Input;
                let status = if delayed { TransactionStatus::Delayed } else { TransactionStatus::Executed };
                let receipt = ReceiptHeader::new(status, self.billed_cpu_us(), trace.net_usage);
                Ok(ExecutedTransaction::done(trace, receipt))
            }
            Err(fault) if rejects_block(&fault) => Err(fault),
            Err(fault) => {
                trace.elapsed_us = self.clock.now_us() - self.transaction_start_us();
                trace.error_code = error_code(&fault);
                trace.except = Some(Box::new(fault));
                Ok(ExecutedTransaction::failed(trace))
            }
        }
    }

    /// No transaction extension is known for this door; in a received block that makes the block invalid.
    pub(crate) fn transaction_extensions_disallowed(&self, door: &str) -> Fault {
        let kind = if self.block.is_speculative() {
            FaultKind::SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION
        } else {
            FaultKind::DISALLOWED_TRANSACTION_EXTENSIONS_BAD_BLOCK_EXCEPTION
        };
        Fault::new(kind, format!("no transaction extensions supported yet for {door} transactions"))
    }
}
