//! The way of a transaction, from the order to its trace: checked, authorised, run, billed, kept or taken back
//! (nodeos: controller.cpp `push_transaction`).

use std::sync::Arc;

use primitives::{Action, Fault, FaultKind, TransactionHeader, TransactionStatus, ensure};

use crate::apply::{error_code, execute_action};
use crate::authorization::{Provided, level_text};
use crate::budget::{Budget, TransactionKind};
use crate::deferred::receipt;
use crate::recovered::{RecoveredTransaction, TransactionParts};
use crate::settings::Settings;
use crate::trace::TransactionTrace;
use crate::transaction::initial_net_usage;
use crate::world::{Machine, Outcome, World};

/// 100 % in the unit of `sig_cpu_bill_pct`.
const PERCENT_100: i64 = 10_000;

/// Proof that a transaction may run: its frame is set up and its declared authorities hold. Only the doors of this
/// crate make one: input ([`push_transaction`]), scheduled and implicit transactions.
#[must_use]
pub(crate) struct AuthorizedTransaction {
    context_free: bool,
}

/// Whether a failure rejects the block it happens in, not the transaction alone.
pub(crate) fn rejects_block(fault: &Fault) -> bool {
    [FaultKind::DISALLOWED_TRANSACTION_EXTENSIONS_BAD_BLOCK_EXCEPTION, FaultKind::PROTOCOL_FEATURE_BAD_BLOCK_EXCEPTION]
        .contains(&fault.kind)
}

/// Runs a transaction from outside in the open block. `kind` is input, dry run or read only; the latter two leave
/// nothing. A failed transaction leaves nothing either, and says why in its trace; a trace with a receipt of an input
/// transaction belongs into the block.
///
/// # Errors
/// Faults that reject the whole block.
pub fn push_transaction(
    machine: &mut Machine,
    world: &mut World,
    trx: &RecoveredTransaction,
    kind: TransactionKind,
    budget: Budget,
) -> Outcome<TransactionTrace> {
    let mark = world.ledger.mark();
    let digests = world.action_digests.len();
    world.begin_transaction(kind, trx.id, trx.id, Arc::clone(&trx.parts), budget);
    world.bill_signatures(trx);
    let result = authorize(world, trx).and_then(|authorized| {
        authorized.run(machine, world)?;
        world.finalize_transaction()
    });
    if result.is_err() || kind.is_transient() {
        world.ledger.undo_to(mark);
        world.action_digests.truncate(digests);
    }
    world.finish_trace(result)
}

/// Runs a transaction that the chain makes itself (onblock): billed as the budget says, listed in no block.
///
/// # Errors
/// Faults that reject the whole block.
pub(crate) fn push_implicit(
    machine: &mut Machine,
    world: &mut World,
    parts: TransactionParts,
    budget: Budget,
) -> Outcome<TransactionTrace> {
    let mark = world.ledger.mark();
    let digests = world.action_digests.len();
    let parts = Arc::new(parts);
    let id = parts.id();
    world.begin_transaction(TransactionKind::Implicit, id, id, parts, budget);
    // Sic: nodeos works the limits out before it lifts the lists.
    let result = world.init_transaction(0).and_then(|()| {
        world.trx.enforce_lists = false;
        run_actions(machine, world, true)?;
        world.finalize_transaction()
    });
    if result.is_err() {
        world.ledger.undo_to(mark);
        world.action_digests.truncate(digests);
    }
    world.finish_trace(result)
}

/// Checks an input transaction in nodeos' order: header, accounts, limits, duplicates, signatures.
fn authorize(world: &mut World, trx: &RecoveredTransaction) -> Outcome<AuthorizedTransaction> {
    let kind = world.trx.kind;
    let parts = &trx.parts;
    let delayed = parts.header.delay_sec.0 > 0;
    ensure!(
        !(kind.is_transient() && delayed),
        TRANSACTION_EXCEPTION,
        "dry-run or read-only transaction cannot be delayed"
    );
    if !parts.extensions.is_empty() {
        return Err(world.transaction_extensions_disallowed("input"));
    }
    let net_usage = initial_net_usage(world.config(), trx.unprunable_size(), trx.prunable_size(), delayed);
    world.trx.is_input = true;
    if world.trx.checks {
        if kind != TransactionKind::ReadOnly {
            world.validate_expiration(&parts.header)?;
            world.validate_tapos(&parts.header)?;
        }
        let lists = world.trx.enforce_lists && world.block.is_speculative();
        world.validate_context_free_actions(&parts.context_free_actions)?;
        world.validate_referenced_accounts(parts.actions.iter().map(|action| &**action), lists)?;
    }
    world.init_transaction(net_usage)?;
    if kind != TransactionKind::ReadOnly {
        let new = world.ledger.record_transaction(trx.id, parts.header.expiration);
        ensure!(new, TX_DUPLICATE, "duplicate transaction {}", trx.id);
    }
    world.trx.delay_us = i64::from(parts.header.delay_sec.0) * 1_000_000;
    if world.trx.checks && kind != TransactionKind::ReadOnly {
        world.check_authorization(
            parts.actions.iter().map(|action| &**action),
            Provided {
                keys: &trx.keys,
                delay_us: world.trx.delay_us,
                check_but_dont_fail: kind == TransactionKind::DryRun || trx.is_impersonation,
                ..Provided::default()
            },
        )?;
    }
    Ok(AuthorizedTransaction { context_free: true })
}

impl AuthorizedTransaction {
    fn run(self, machine: &mut Machine, world: &mut World) -> Outcome {
        run_actions(machine, world, self.context_free)
    }
}

/// Runs the transaction's own actions in order, or schedules it when it is delayed.
pub(crate) fn run_actions(machine: &mut Machine, world: &mut World, context_free: bool) -> Outcome {
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
            world.schedule_action(Arc::clone(act), act.account, false, 0, 0);
        }
    }
    for ordinal in 1..=world.trx.trace.action_traces.len() as u32 {
        execute_action(machine, world, ordinal)?;
    }
    if delayed { world.schedule_delayed_input() } else { Ok(()) }
}

impl World {
    /// Counts a share of the time that recovering the keys took, and takes this node's own leeway.
    fn bill_signatures(&mut self, trx: &RecoveredTransaction) {
        let Settings { sig_cpu_bill_pct, subjective_cpu_leeway_us, .. } = self.settings;
        if self.block.is_speculative() {
            self.trx.leeway_us = subjective_cpu_leeway_us;
        }
        if !self.trx.budget.explicit_billed_cpu {
            let spent_us = i64::from(trx.signature_cpu_us) * i64::from(sig_cpu_bill_pct) / PERCENT_100;
            self.set_transaction_start(self.transaction_start_us() - spent_us);
        }
    }

    /// Closes the trace of an input or implicit transaction.
    fn finish_trace(&mut self, result: Outcome) -> Outcome<TransactionTrace> {
        let mut trace = std::mem::take(&mut self.trx.trace);
        match result {
            Ok(()) => {
                let delayed = self.trx.delay_us != 0 && self.trx.kind == TransactionKind::Input;
                let status = if delayed { TransactionStatus::Delayed } else { TransactionStatus::Executed };
                trace.receipt = Some(receipt(status, self.billed_cpu_us(), trace.net_usage));
            }
            Err(fault) if rejects_block(&fault) => return Err(fault),
            Err(fault) => {
                trace.elapsed_us = self.clock.now_us() - self.transaction_start_us();
                trace.error_code = error_code(&fault);
                trace.except = Some(Box::new(fault));
            }
        }
        Ok(trace)
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

    fn validate_expiration(&self, header: &TransactionHeader) -> Outcome {
        let now = self.block.time();
        let lifetime = self.config().v0.max_transaction_lifetime;
        let expiration = header.expiration;
        let expired = expiration.time() < now;
        let too_far = expiration.time() > now.plus_seconds(i64::from(lifetime));
        if expired {
            let message =
                format!("transaction has expired, expiration is {expiration} and pending block time is {now}");
            return Err(Fault::new(FaultKind::EXPIRED_TX_EXCEPTION, message).with_context(""));
        }
        if too_far {
            let message = format!(
                "Transaction expiration is too far in the future relative to the reference time of {now}, expiration is \
                 {expiration} and the maximum transaction lifetime is {lifetime} seconds"
            );
            return Err(Fault::new(FaultKind::TX_EXP_TOO_FAR_EXCEPTION, message).with_context(""));
        }
        Ok(())
    }

    fn validate_tapos(&self, header: &TransactionHeader) -> Outcome {
        let id = self.ledger.block_summary(header.ref_block_num);
        if header.refers_to(&id) {
            return Ok(());
        }
        let message = "Transaction's reference block did not match. Is this transaction from a different fork?";
        Err(Fault::new(FaultKind::INVALID_REF_BLOCK_EXCEPTION, message).with_context(""))
    }

    fn validate_code_account(&self, action: &Action) -> Outcome {
        let exists = self.ledger.find_account(action.account).is_some();
        ensure!(exists, TRANSACTION_EXCEPTION, "action's code account '{}' does not exist", action.account);
        Ok(())
    }

    fn validate_context_free_actions(&self, actions: &[Arc<Action>]) -> Outcome {
        for action in actions {
            self.validate_code_account(action)?;
            ensure!(
                action.authorization.is_empty(),
                TRANSACTION_EXCEPTION,
                "context-free actions cannot have authorizations"
            );
        }
        Ok(())
    }

    /// Everything that actions name must exist (`validate_referenced_accounts`).
    pub(crate) fn validate_referenced_accounts<'a>(
        &self,
        actions: impl IntoIterator<Item = &'a Action>,
        enforce_lists: bool,
    ) -> Outcome {
        let mut actors = Vec::new();
        let mut authorized = false;
        for action in actions {
            self.validate_code_account(action)?;
            ensure!(
                !self.is_read_only() || action.authorization.is_empty(),
                TRANSACTION_EXCEPTION,
                "read-only action '{}' cannot have authorizations",
                action.name
            );
            for &level in &action.authorization {
                authorized = true;
                let exists = self.ledger.find_account(level.actor).is_some();
                ensure!(exists, TRANSACTION_EXCEPTION, "action's authorizing actor '{}' does not exist", level.actor);
                let exists = self.ledger.find_permission(level)?.is_some();
                ensure!(
                    exists,
                    TRANSACTION_EXCEPTION,
                    "action's authorizations include a non-existent permission: {}",
                    level_text(level)
                );
                if enforce_lists {
                    actors.push(level.actor);
                }
            }
        }
        ensure!(
            authorized || self.trx.kind.is_transient(),
            TX_NO_AUTHS,
            "transaction must have at least one authorization"
        );
        self.check_actor_list(actors)
    }
}
