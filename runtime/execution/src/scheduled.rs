//! The door of the chain's own list: transactions that were deferred or delayed are run and retired (nodeos:
//! controller.cpp `push_scheduled_transaction`).

use std::sync::Arc;

use codec::{Bytes, Pack};
use ledger::GeneratedTransaction;
use ledger::config::{ACTIVE, SYSTEM_ACCOUNT};
use primitives::{Action, Fault, FaultKind, PermissionLevel, Transaction, TransactionId, TransactionStatus, ensure};

use crate::budget::{Budget, TransactionKind};
use crate::deferred::ram_bytes;
use crate::execute::AuthorizedTransaction;
use crate::executed::ExecutedTransaction;
use crate::fault::{Outcome, error_code, rejects_block, unpack_prefix};
use crate::implicit::implicit_transaction;
use crate::recovered::TransactionParts;
use crate::session::Session;
use crate::system_actions::{ONERROR, OnError};
use crate::trace::{AccountDelta, ReceiptHeader, TransactionTrace};
use crate::world::{Machine, World};

/// Whether a failure says something of this node alone, so that the transaction may run another time.
fn failure_is_subjective(fault: &Fault, speculative: bool) -> bool {
    const SUBJECTIVE: [FaultKind; 15] = [
        FaultKind::SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION,
        FaultKind::BLOCK_NET_USAGE_EXCEEDED,
        FaultKind::GREYLIST_NET_USAGE_EXCEEDED,
        FaultKind::BLOCK_CPU_USAGE_EXCEEDED,
        FaultKind::GREYLIST_CPU_USAGE_EXCEEDED,
        FaultKind::DEADLINE_EXCEPTION,
        FaultKind::LEEWAY_DEADLINE_EXCEPTION,
        FaultKind::ACTOR_WHITELIST_EXCEPTION,
        FaultKind::ACTOR_BLACKLIST_EXCEPTION,
        FaultKind::CONTRACT_WHITELIST_EXCEPTION,
        FaultKind::CONTRACT_BLACKLIST_EXCEPTION,
        FaultKind::ACTION_BLACKLIST_EXCEPTION,
        FaultKind::KEY_BLACKLIST_EXCEPTION,
        FaultKind::SIG_VARIABLE_SIZE_LIMIT_EXCEPTION,
        FaultKind::INLINE_ACTION_TOO_BIG_NONPRIVILEGED,
    ];
    SUBJECTIVE.contains(&fault.kind) || (speculative && fault.kind == FaultKind::TX_CPU_USAGE_EXCEEDED)
}

/// Runs a waiting transaction in the open block and retires it. One that left nothing behind waits on.
///
/// # Errors
/// Faults of the order itself (no such transaction, not ready), and those that reject a whole block.
pub fn push_scheduled(
    machine: &mut Machine,
    world: &mut World,
    id: &TransactionId,
    budget: Budget,
) -> Outcome<ExecutedTransaction> {
    let mut session = Session::begin(world);
    let retirement = Retirement::begin(&mut session, id, budget)?;
    let executed = retirement.run(machine, &mut session)?;
    if executed.receipt().is_some() {
        session.commit();
    }
    Ok(executed)
}

/// A waiting transaction on its way out of the list.
struct Retirement {
    generated: GeneratedTransaction,
    budget: Budget,
    start_us: i64,
    ram_delta: AccountDelta,
}

impl Retirement {
    /// Takes the transaction out of the list.
    fn begin(world: &mut World, id: &TransactionId, budget: Budget) -> Outcome<Self> {
        let Some(found) = world.ledger.generated_by_trx_id(*id) else {
            return Err(Fault::new(FaultKind::UNKNOWN_TRANSACTION_EXCEPTION, "unknown transaction"));
        };
        ensure!(
            world.block.is_speculative() || budget.explicit_billed_cpu,
            TRANSACTION_EXCEPTION,
            "validating requires explicit billing"
        );
        let start_us = world.clock.now_us();
        let generated = world.ledger.remove_generated(found);
        let ram_delta = AccountDelta { account: generated.payer, delta: -ram_bytes(&generated.packed_trx) };
        let payer = world.known_account(generated.payer)?;
        world.ledger.add_pending_ram_usage(payer, ram_delta.delta)?;
        let ready = generated.delay_until <= world.block.time();
        ensure!(ready, TRANSACTION_EXCEPTION, "this transaction isn't ready");
        Ok(Self { generated, budget, start_us, ram_delta })
    }

    fn run(self, machine: &mut Machine, world: &mut World) -> Outcome<ExecutedTransaction> {
        let trx: Transaction = unpack_prefix(&self.generated.packed_trx)?;
        if self.generated.expiration < world.block.time() {
            return Ok(self.expire(world));
        }
        let mut session = Session::begin(world);
        let result = self.authorize(&mut session, trx).and_then(|authorized| authorized.execute(machine));
        let Err(fault) = result else {
            session.commit();
            return Ok(self.retired(std::mem::take(&mut world.trx.trace), TransactionStatus::Executed, world));
        };
        let cpu_us = self.fail(session, fault)?;
        let speculative = world.block.is_speculative();
        let subjective = self.failure(world).is_some_and(|fault| failure_is_subjective(fault, speculative));
        if self.generated.sender.is_empty() || subjective {
            return if subjective { Ok(left_waiting(world)) } else { self.hard_fail(world, cpu_us) };
        }
        self.handle_error(machine, world)
    }

    fn expire(&self, world: &World) -> ExecutedTransaction {
        let trace = TransactionTrace {
            id: self.generated.trx_id,
            block_num: world.block.number,
            block_time: world.block.time,
            producer_block_id: world.block.producer_block_id,
            scheduled: true,
            account_ram_delta: Some(self.ram_delta),
            elapsed_us: world.clock.now_us() - self.start_us,
            ..TransactionTrace::default()
        };
        ExecutedTransaction::done(trace, ReceiptHeader::new(TransactionStatus::Expired, self.budget.billed_cpu_us, 0))
    }

    fn enforce_lists(&self, world: &World) -> bool {
        let sender = self.generated.sender;
        sender.is_empty() || !world.settings.sender_bypass_whiteblacklist.contains(&sender)
    }

    /// Sets the frame up: who ordered it was checked when it was scheduled.
    fn authorize<'s>(&self, session: &'s mut Session<'_>, trx: Transaction) -> Outcome<AuthorizedTransaction<'s>> {
        let world: &mut World = session;
        let parts = Arc::new(TransactionParts::from(trx));
        let packed_id = parts.id();
        let id = self.generated.trx_id;
        world.begin_transaction(TransactionKind::Scheduled, id, packed_id, Arc::clone(&parts), self.budget);
        world.trx.leeway_us = 0;
        world.trx.enforce_lists = self.enforce_lists(world);
        world.trx.published = self.generated.published;
        world.trx.trace.scheduled = true;
        world.trx.trace.scheduled_header = Some(parts.header.clone());
        if parts.header.expiration.0 != 0 && !parts.extensions.is_empty() {
            return Err(world.transaction_extensions_disallowed("deferred"));
        }
        world.init_transaction(0)?;
        if world.trx.enforce_lists && world.block.is_speculative() {
            let actors = parts.actions.iter().flat_map(|action| &action.authorization).map(|level| level.actor);
            world.check_actor_list(actors.collect())?;
        }
        Ok(AuthorizedTransaction::new(session).without_context_free())
    }

    /// Reverts what failed and notes it in the current trace, unless it rejects the block; returns the CPU to bill.
    fn fail(&self, mut session: Session<'_>, fault: Fault) -> Outcome<u32> {
        if rejects_block(&fault) {
            return Err(fault);
        }
        let now_us = session.clock.now_us();
        // By the parameters that the transaction may have changed: it is not reverted yet.
        let cpu_us = session.update_billed_cpu(now_us);
        let elapsed_us = now_us - self.start_us;
        let trace = &mut session.trx.trace;
        trace.elapsed_us = elapsed_us;
        trace.error_code = error_code(&fault);
        trace.except = Some(Box::new(fault));
        Ok(cpu_us)
    }

    fn failure<'w>(&self, world: &'w World) -> Option<&'w Fault> {
        world.trx.trace.except.as_deref()
    }

    fn retired(&self, mut trace: TransactionTrace, status: TransactionStatus, world: &World) -> ExecutedTransaction {
        trace.account_ram_delta = Some(self.ram_delta);
        let receipt = ReceiptHeader::new(status, world.billed_cpu_us(), trace.net_usage);
        ExecutedTransaction::done(trace, receipt)
    }

    /// Lets the sender's onerror handler have a try; without success the transaction has failed hard.
    fn handle_error(&self, machine: &mut Machine, world: &mut World) -> Outcome<ExecutedTransaction> {
        let speculative = world.block.is_speculative();
        let failed_bill_to = world.trx.bill_to.clone();
        let failed_limit_us = world.trx.limits.initial_objective_us;
        let pseudo_start_us = world.trx.pseudo_start_us;
        let failed = Box::new(std::mem::take(&mut world.trx.trace));
        let mut session = Session::begin(world);
        let result = self.authorize_onerror(&mut session, pseudo_start_us);
        let result = result.and_then(|authorized| authorized.execute(machine));
        session.trx.trace.failed_dtrx_trace = Some(failed);
        let Err(fault) = result else {
            session.commit();
            let mut trace = std::mem::take(&mut world.trx.trace);
            trace.elapsed_us = world.clock.now_us() - self.start_us;
            return Ok(self.retired(trace, TransactionStatus::SoftFail, world));
        };
        let cpu_us = self.fail(session, fault)?;
        if self.failure(world).is_some_and(|fault| failure_is_subjective(fault, speculative)) {
            return Ok(left_waiting(world));
        }
        world.trx.bill_to = failed_bill_to;
        world.trx.limits.initial_objective_us = failed_limit_us;
        self.hard_fail(world, cpu_us)
    }

    /// Sets the frame up that delivers `eosio::onerror` to the sender (`apply_onerror`).
    fn authorize_onerror<'s>(&self, session: &'s mut Session<'_>, start_us: i64) -> Outcome<AuthorizedTransaction<'s>> {
        let world: &mut World = session;
        let data = OnError { sender_id: self.generated.sender_id, sent_trx: self.generated.packed_trx.clone() };
        let action = Action {
            account: SYSTEM_ACCOUNT,
            name: ONERROR,
            authorization: vec![PermissionLevel { actor: self.generated.sender, permission: ACTIVE }],
            data: Bytes(data.to_bytes()),
        };
        let parts = Arc::new(implicit_transaction(world, action));
        let id = parts.id();
        world.begin_transaction(TransactionKind::Implicit, id, id, parts, self.budget);
        world.set_transaction_start(start_us);
        world.trx.enforce_lists = self.enforce_lists(world);
        world.init_transaction(0)?;
        world.trx.published = self.generated.published;
        Ok(AuthorizedTransaction::new(session).at(self.generated.sender))
    }

    /// Bills a transaction that failed, its handler too.
    fn hard_fail(&self, world: &mut World, mut cpu_us: u32) -> Outcome<ExecutedTransaction> {
        let slot = world.block.time.0;
        let bill_to = std::mem::take(&mut world.trx.bill_to);
        if world.block.is_speculative() {
            bill_to.iter().try_for_each(|account| world.ledger.update_account_usage(*account, slot))?;
            world.trx.bill_to.clone_from(&bill_to);
            let limit_us = world.affordable_cpu_us()?.min(world.trx.limits.initial_objective_us);
            let limited = i64::from(cpu_us).min(limit_us) as u32;
            ensure!(
                !self.budget.explicit_billed_cpu || cpu_us == limited,
                TRANSACTION_EXCEPTION,
                "cpu to bill {cpu_us} != limited {limited}"
            );
            cpu_us = limited;
        }
        world.ledger.add_transaction_usage(&bill_to, u64::from(cpu_us), 0, slot)?;
        world.trx.bill_to = bill_to;
        let mut trace = std::mem::take(&mut world.trx.trace);
        trace.account_ram_delta = Some(self.ram_delta);
        Ok(ExecutedTransaction::hard_failed(trace, ReceiptHeader::new(TransactionStatus::HardFail, cpu_us, 0)))
    }
}

/// The transaction whose trace is open failed for a reason of this node: it waits on.
fn left_waiting(world: &mut World) -> ExecutedTransaction {
    ExecutedTransaction::failed(std::mem::take(&mut world.trx.trace))
}
