//! Transactions that run later: sent by contracts, or delayed by their signers (nodeos: apply_context.cpp
//! `schedule_deferred_transaction`, controller.cpp `push_scheduled_transaction`).

use std::sync::Arc;

use codec::{Bytes, Pack, Unpack};
use ledger::config::{ACTIVE, GENERATED_TRANSACTION_RAM_BYTES, SYSTEM_ACCOUNT};
use ledger::{GeneratedId, GeneratedTransaction};
use primitives::transaction::DeferredContext;
use primitives::{
    Action, Fault, FaultKind, Name, PermissionLevel, Sha256, TimePoint, TimePointSec, Transaction, TransactionId,
    TransactionStatus, VarUint32, ensure, name,
};

use crate::apply::{error_code, execute_action};
use crate::authorization::{EOSIO_CODE, Provided, unpack_prefix};
use crate::budget::{Budget, TransactionKind};
use crate::execute::{rejects_block, run_actions};
use crate::features::Feature;
use crate::recovered::TransactionParts;
use crate::trace::{AccountDelta, ReceiptHeader, TransactionTrace};
use crate::transaction::TRANSACTION_ID_NET_USAGE;
use crate::world::{Machine, Outcome, World};

/// Makes an expiration of the next full second out of a block's time.
const ROUND_UP_US: i64 = 999_999;

/// Arguments of `eosio::onerror`: what failed, delivered to its sender.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack)]
pub struct OnError {
    /// The sender's own number of the transaction.
    pub sender_id: u128,
    /// The packed transaction.
    pub sent_trx: Bytes,
}

/// The number that stands for a delayed input transaction (`transaction_id_to_sender_id`).
pub(crate) fn sender_id_of(id: &TransactionId) -> u128 {
    u128::from_le_bytes(id.0[16..].try_into().expect("16 of 32 bytes"))
}

fn ram_bytes(packed_trx: &[u8]) -> i64 {
    GENERATED_TRANSACTION_RAM_BYTES + packed_trx.len() as i64
}

/// What nodeos' tables throw where a unique index has the key already.
#[cold]
fn uniqueness_violated() -> Fault {
    Fault::standard("could not insert object, most likely a uniqueness constraint was violated")
}

impl World {
    /// Schedules a transaction for a contract.
    pub(crate) fn schedule_deferred(
        &mut self,
        sender_id: u128,
        payer: Name,
        mut trx: Transaction,
        replace_existing: bool,
    ) -> Outcome {
        ensure!(
            !self.is_read_only(),
            TRANSACTION_EXCEPTION,
            "cannot schedule a deferred transaction from within a readonly transaction"
        );
        ensure!(
            trx.context_free_actions.is_empty(),
            CFA_INSIDE_GENERATED_TX,
            "context free actions are not currently allowed in generated transactions"
        );
        let sender = self.action.receiver;
        let enforce_lists = self.trx.enforce_lists
            && self.block.is_speculative()
            && !self.settings.sender_bypass_whiteblacklist.contains(&sender);
        self.validate_referenced_accounts(&trx.actions, enforce_lists)?;
        self.set_deferred_header(&mut trx, sender_id)?;
        self.add_net_usage(self.retirement_net_usage())?;
        if self.trx.checks && !self.action.privileged {
            self.authorize_deferred(&trx, payer)?;
        }
        let packed_trx = Bytes(trx.to_bytes());
        let ram = ram_bytes(&packed_trx);
        let delay_until = self.block.time().plus_seconds(i64::from(trx.header.delay_sec.0));
        let mut row = GeneratedTransaction {
            trx_id: Sha256::of(&packed_trx),
            sender,
            sender_id,
            payer,
            delay_until,
            expiration: delay_until.plus_seconds(i64::from(self.config().v0.deferred_trx_expiration_window)),
            published: self.block.time(),
            packed_trx,
        };
        if let Some(existing) = self.ledger.generated_by_sender_id(sender, sender_id) {
            row.trx_id = self.replace_deferred(existing, row.trx_id, replace_existing)?;
        }
        self.ledger.create_generated(row).ok_or_else(uniqueness_violated)?;
        ensure!(
            self.is_active(Feature::RamRestrictions)
                || self.is_ram_billing_in_notify_allowed()
                || sender == self.action.act.account
                || sender == payer
                || self.action.privileged,
            SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION,
            "Cannot charge RAM to other accounts during notify."
        );
        self.add_ram_usage(payer, ram)
    }

    /// Net bytes charged ahead for the receipt that retires the transaction, however it ends.
    fn retirement_net_usage(&self) -> u64 {
        u64::from(self.config().v0.base_per_transaction_net_usage) + TRANSACTION_ID_NET_USAGE
    }

    /// Expiration and reference block need no check later; after NO_DUPLICATE_DEFERRED_ID they are empty, and an
    /// extension makes the id unique.
    fn set_deferred_header(&self, trx: &mut Transaction, sender_id: u128) -> Outcome {
        if !self.is_active(Feature::NoDuplicateDeferredId) {
            trx.header.expiration = self.block.time().plus_us(ROUND_UP_US).seconds();
            trx.header.set_reference_block(&self.block.previous_id);
            return Ok(());
        }
        let expected = DeferredContext { sender_trx_id: self.trx.packed_id, sender_id, sender: self.action.receiver };
        match trx.deferred_context()? {
            Some(context) => check_context(&context, &expected)?,
            None => trx.set_deferred_context(&expected),
        }
        trx.header.expiration = TimePointSec(0);
        trx.header.ref_block_num = 0;
        trx.header.ref_block_prefix = 0;
        Ok(())
    }

    fn authorize_deferred(&self, trx: &Transaction, payer: Name) -> Outcome {
        let sender = self.action.receiver;
        if payer != sender && self.is_active(Feature::RamRestrictions) {
            ensure!(
                sender == self.action.act.account,
                ACTION_VALIDATE_EXCEPTION,
                "cannot bill RAM usage of deferred transactions to another account within notify context"
            );
            ensure!(
                self.has_authorization(payer),
                ACTION_VALIDATE_EXCEPTION,
                "cannot bill RAM usage of deferred transaction to another account that has not authorized the action: \
                 {payer}"
            );
        } else if payer != sender {
            self.require_authorization(payer)?;
        }
        let strict =
            self.is_active(Feature::RestrictActionToSelf) || trx.actions.iter().any(|action| action.account != sender);
        let own_code = [PermissionLevel { actor: sender, permission: EOSIO_CODE }];
        let delay_us = i64::from(trx.header.delay_sec.0) * 1_000_000;
        let provided = Provided { permissions: &own_code, delay_us, ..Provided::default() };
        self.forgive_self(
            self.check_authorization(&trx.actions, provided),
            strict,
            "Authorization failure with sent deferred transaction consisting only of actions to self",
        )
    }

    /// Removes the transaction that is replaced; returns the id of the new one. Before REPLACE_DEFERRED its RAM was
    /// not given back and its id was kept.
    fn replace_deferred(
        &mut self,
        existing: GeneratedId,
        new_id: TransactionId,
        replace_existing: bool,
    ) -> Outcome<TransactionId> {
        ensure!(
            replace_existing,
            DEFERRED_TX_DUPLICATE,
            "deferred transaction with the same sender_id and payer already exists"
        );
        let fixed = self.is_active(Feature::ReplaceDeferred);
        ensure!(
            fixed || !self.block.is_speculative() || self.settings.disable_all_subjective_mitigations,
            SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION,
            "Replacing a deferred transaction is temporarily disabled."
        );
        let old = self.ledger.generated(existing);
        let (old_id, payer, ram) = (old.trx_id, old.payer, ram_bytes(&old.packed_trx));
        if fixed {
            self.add_ram_usage(payer, -ram)?;
        } else {
            let account = self.known_account(payer)?;
            let correction = self.ledger.account_info(account).ram_correction.wrapping_add(ram as u64);
            self.ledger.set_ram_correction(account, correction);
        }
        self.ledger.remove_generated(existing);
        Ok(if fixed { new_id } else { old_id })
    }

    /// Takes a waiting transaction back (`cancel_deferred_transaction`); false where there is none.
    pub(crate) fn cancel_deferred(&mut self, sender_id: u128, sender: Name) -> Outcome<bool> {
        ensure!(
            !self.is_read_only(),
            TRANSACTION_EXCEPTION,
            "cannot cancel a deferred transaction from within a readonly transaction"
        );
        let Some(found) = self.ledger.generated_by_sender_id(sender, sender_id) else { return Ok(false) };
        let generated = self.ledger.remove_generated(found);
        self.add_ram_usage(generated.payer, -ram_bytes(&generated.packed_trx))?;
        Ok(true)
    }

    /// Puts the delayed input transaction that runs now into the list (`schedule_transaction`).
    pub(crate) fn schedule_delayed_input(&mut self) -> Outcome {
        let parts = Arc::clone(&self.trx.parts);
        if parts.header.delay_sec.0 == 0 {
            self.add_net_usage(self.retirement_net_usage())?;
        }
        let payer = parts.first_authorizer();
        let packed_trx = Bytes(parts.to_bytes());
        let ram = ram_bytes(&packed_trx);
        let id = self.trx.trace.id;
        let delay_until = self.block.time().plus_us(self.trx.delay_us);
        let row = GeneratedTransaction {
            trx_id: id,
            sender: Name(0),
            sender_id: sender_id_of(&id),
            payer,
            delay_until,
            expiration: delay_until.plus_seconds(i64::from(self.config().v0.deferred_trx_expiration_window)),
            published: self.block.time(),
            packed_trx,
        };
        self.ledger.create_generated(row).ok_or_else(uniqueness_violated)?;
        self.add_transaction_ram_usage(payer, ram)?;
        self.trx.trace.account_ram_delta = Some(AccountDelta { account: payer, delta: ram });
        Ok(())
    }
}

fn check_context(context: &DeferredContext, expected: &DeferredContext) -> Outcome {
    let mismatch = if context.sender != expected.sender {
        "sender"
    } else if context.sender_id != expected.sender_id {
        "sender_id"
    } else if context.sender_trx_id != expected.sender_trx_id {
        "sender_trx_id"
    } else {
        return Ok(());
    };
    // Sic: nodeos writes "generaction".
    let message = format!("deferred transaction generaction context contains mismatching {mismatch}");
    Err(Fault::new(FaultKind::ILL_FORMED_DEFERRED_TRANSACTION_GENERATION_CONTEXT, message))
}

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

/// Runs a waiting transaction in the open block and retires it. Its receipt is in the trace; a trace without one left
/// nothing behind, and the transaction waits on.
///
/// # Errors
/// Faults of the order itself (no such transaction, not ready), and those that reject a whole block.
pub fn push_scheduled(
    machine: &mut Machine,
    world: &mut World,
    id: &TransactionId,
    budget: Budget,
) -> Outcome<TransactionTrace> {
    let mark = world.ledger.mark();
    let result = Retirement::begin(world, id, budget).and_then(|retirement| retirement.run(machine, world));
    if !matches!(&result, Ok(trace) if trace.receipt.is_some()) {
        world.ledger.undo_to(mark);
    }
    result
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

    fn run(self, machine: &mut Machine, world: &mut World) -> Outcome<TransactionTrace> {
        let trx: Transaction = unpack_prefix(&self.generated.packed_trx)?;
        if self.generated.expiration < world.block.time() {
            return Ok(self.expire(world));
        }
        let mark = world.ledger.mark();
        let digests = world.action_digests.len();
        let Err(fault) = self.execute(machine, world, trx) else {
            return Ok(self.retired(world, TransactionStatus::Executed, world.billed_cpu_us()));
        };
        if rejects_block(&fault) {
            return Err(fault);
        }
        let cpu_us = world.update_billed_cpu(world.clock.now_us());
        self.fail(world, fault);
        world.ledger.undo_to(mark);
        world.action_digests.truncate(digests);
        let speculative = world.block.is_speculative();
        let subjective = self.failure(world).is_some_and(|fault| failure_is_subjective(fault, speculative));
        if self.generated.sender.is_empty() || subjective {
            return if subjective { Ok(std::mem::take(&mut world.trx.trace)) } else { self.hard_fail(world, cpu_us) };
        }
        self.handle_error(machine, world)
    }

    fn expire(&self, world: &World) -> TransactionTrace {
        TransactionTrace {
            id: self.generated.trx_id,
            block_num: world.block.number,
            block_time: world.block.time,
            producer_block_id: world.block.producer_block_id,
            scheduled: true,
            receipt: Some(receipt(TransactionStatus::Expired, self.budget.billed_cpu_us, 0)),
            account_ram_delta: Some(self.ram_delta),
            elapsed_us: world.clock.now_us() - self.start_us,
            ..TransactionTrace::default()
        }
    }

    fn enforce_lists(&self, world: &World) -> bool {
        let sender = self.generated.sender;
        sender.is_empty() || !world.settings.sender_bypass_whiteblacklist.contains(&sender)
    }

    fn execute(&self, machine: &mut Machine, world: &mut World, trx: Transaction) -> Outcome {
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
        run_actions(machine, world, false)?;
        world.finalize_transaction()
    }

    /// Notes a failure in the current trace.
    fn fail(&self, world: &mut World, fault: Fault) {
        let elapsed_us = world.clock.now_us() - self.start_us;
        let trace = &mut world.trx.trace;
        trace.elapsed_us = elapsed_us;
        trace.error_code = error_code(&fault);
        trace.except = Some(Box::new(fault));
    }

    fn failure<'w>(&self, world: &'w World) -> Option<&'w Fault> {
        world.trx.trace.except.as_deref()
    }

    fn retired(&self, world: &mut World, status: TransactionStatus, cpu_us: u32) -> TransactionTrace {
        let mut trace = std::mem::take(&mut world.trx.trace);
        trace.receipt = Some(receipt(status, cpu_us, trace.net_usage));
        trace.account_ram_delta = Some(self.ram_delta);
        trace
    }

    /// Lets the sender's onerror handler have a try; without success the transaction has failed hard.
    fn handle_error(&self, machine: &mut Machine, world: &mut World) -> Outcome<TransactionTrace> {
        let speculative = world.block.is_speculative();
        let failed_bill_to = world.trx.bill_to.clone();
        let failed_limit_us = world.trx.limits.initial_objective_us;
        let pseudo_start_us = world.trx.pseudo_start_us;
        let failed = Box::new(std::mem::take(&mut world.trx.trace));
        let mark = world.ledger.mark();
        let digests = world.action_digests.len();
        let result = self.run_onerror(machine, world, pseudo_start_us);
        world.trx.trace.failed_dtrx_trace = Some(failed);
        let Err(fault) = result else {
            let cpu_us = world.billed_cpu_us();
            let mut trace = self.retired(world, TransactionStatus::SoftFail, cpu_us);
            trace.elapsed_us = world.clock.now_us() - self.start_us;
            return Ok(trace);
        };
        if rejects_block(&fault) {
            return Err(fault);
        }
        let cpu_us = world.update_billed_cpu(world.clock.now_us());
        self.fail(world, fault);
        world.ledger.undo_to(mark);
        world.action_digests.truncate(digests);
        if self.failure(world).is_some_and(|fault| failure_is_subjective(fault, speculative)) {
            return Ok(std::mem::take(&mut world.trx.trace));
        }
        world.trx.bill_to = failed_bill_to;
        world.trx.limits.initial_objective_us = failed_limit_us;
        self.hard_fail(world, cpu_us)
    }

    /// Delivers `eosio::onerror` to the sender (`apply_onerror`).
    fn run_onerror(&self, machine: &mut Machine, world: &mut World, start_us: i64) -> Outcome {
        let data = OnError { sender_id: self.generated.sender_id, sent_trx: self.generated.packed_trx.clone() };
        let action = Action {
            account: SYSTEM_ACCOUNT,
            name: name!("onerror"),
            authorization: vec![PermissionLevel { actor: self.generated.sender, permission: ACTIVE }],
            data: Bytes(data.to_bytes()),
        };
        let parts = Arc::new(world.implicit_transaction(action));
        let id = parts.id();
        world.begin_transaction(TransactionKind::Implicit, id, id, Arc::clone(&parts), self.budget);
        world.set_transaction_start(start_us);
        world.trx.enforce_lists = self.enforce_lists(world);
        world.init_transaction(0)?;
        world.trx.published = self.generated.published;
        let act = Arc::clone(&parts.actions[0]);
        let ordinal = world.schedule_action(act, self.generated.sender, false, 0, 0);
        execute_action(machine, world, ordinal)?;
        world.finalize_transaction()
    }

    /// Bills a transaction that failed, its handler too.
    fn hard_fail(&self, world: &mut World, mut cpu_us: u32) -> Outcome<TransactionTrace> {
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
        trace.receipt = Some(receipt(TransactionStatus::HardFail, cpu_us, 0));
        trace.account_ram_delta = Some(self.ram_delta);
        Ok(trace)
    }
}

pub(crate) fn receipt(status: TransactionStatus, cpu_usage_us: u32, net_usage: u64) -> ReceiptHeader {
    ReceiptHeader { status, cpu_usage_us, net_usage_words: VarUint32((net_usage / 8) as u32) }
}

impl World {
    /// A transaction that the chain makes itself. Its header is empty after NO_DUPLICATE_DEFERRED_ID.
    pub(crate) fn implicit_transaction(&self, action: Action) -> TransactionParts {
        let mut parts = TransactionParts { actions: vec![Arc::new(action)], ..TransactionParts::default() };
        if !self.is_active(Feature::NoDuplicateDeferredId) {
            parts.header.expiration = TimePoint::from(self.block.time).plus_us(ROUND_UP_US).seconds();
            parts.header.set_reference_block(&self.block.previous_id);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delayed_transaction_is_numbered_by_the_second_half_of_its_id() {
        let mut id = TransactionId::default();
        id.0[16] = 1;
        id.0[31] = 2;
        assert_eq!(sender_id_of(&id), 1 | 2 << 120);
    }
}
