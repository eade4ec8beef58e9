//! One action at its receivers: native handler, code, RAM rules, receipt; then what it sent inline (nodeos:
//! apply_context.cpp `exec`).

use std::sync::Arc;

use codec::{Pack, VarUint32};
use ledger::AccountId;
use ledger::config::SYSTEM_ACCOUNT;
use primitives::message::{Part, message};
use primitives::{Fault, FaultKind, ensure};
use wasm::{Apply, RunLimits};

use crate::action::{ActionDigests, hash};
use crate::fault::{Outcome, error_code};
use crate::features::Feature;
use crate::native;
use crate::system_actions::SETCODE;
use crate::trace::{ActionReceipt, ActionTrace, AuthSequences, RowChanges};
use crate::world::{Machine, World};

/// RAM deltas that are looked at between two looks at the clock.
const RAM_DELTAS_PER_CHECKTIME: usize = 10;

/// Runs an action of the transaction and everything that it sends inline, depth first.
pub(crate) fn execute_action(machine: &mut Machine, world: &mut World, ordinal: u32) -> Outcome {
    let mut waiting = Vec::new();
    let mut next = Some((ordinal, 0u16));
    while let Some((ordinal, depth)) = next {
        run_at_all_receivers(machine, world, ordinal)?;
        let action = &world.action;
        if !(action.inline_actions.is_empty() && action.context_free_inline_actions.is_empty()) {
            ensure!(
                depth < world.config().v0.max_inline_action_depth,
                TRANSACTION_EXCEPTION,
                "max inline action depth per transaction reached"
            );
            // Last in, first out: the context-free ones run first, each kind in the order of sending.
            waiting.extend(action.inline_actions.iter().rev().map(|ordinal| (*ordinal, depth + 1)));
            waiting.extend(action.context_free_inline_actions.iter().rev().map(|ordinal| (*ordinal, depth + 1)));
        }
        next = waiting.pop();
    }
    Ok(())
}

fn run_at_all_receivers(machine: &mut Machine, world: &mut World, ordinal: u32) -> Outcome {
    world.begin_action(ordinal);
    let mut at = 0;
    while let Some(&(receiver, ordinal)) = world.action.notified.get(at) {
        world.action.receiver = receiver;
        world.action.ordinal = ordinal;
        run_at_receiver(machine, world)?;
        at += 1;
    }
    Ok(())
}

fn run_at_receiver(machine: &mut Machine, world: &mut World) -> Outcome {
    let start_us = world.clock.now_us();
    world.action.return_value.clear();
    match run_code(machine, world) {
        Ok(account) => {
            world.count_action(account)?;
            world.finish_action_trace(start_us, None);
            Ok(())
        }
        Err(fault) => {
            let fault = with_pending_console(fault, world.action.console.text());
            world.finish_action_trace(start_us, Some(&fault));
            world.current_trace().backtrace = machine.take_backtrace().map(Box::new);
            Err(fault)
        }
    }
}

/// nodeos adds what the contract printed so far; exceptions that are not its own it wraps.
fn with_pending_console(mut fault: Fault, console: &[u8]) -> Fault {
    let console = ("console", Part::Text(console));
    if fault.kind == FaultKind::STD_EXCEPTION && fault.details.is_empty() {
        let what = ("what", Part::Text(fault.what().as_bytes()));
        let text = message("${what}: pending console output: ${console}", &[console, what]);
        fault.details.push(text);
        return fault;
    }
    fault.with_context(message("pending console output: ${console}", &[console]))
}

/// Runs the native handler and the code of the current receiver; returns the receiver.
fn run_code(machine: &mut Machine, world: &mut World) -> Outcome<AccountId> {
    let receiver = world.action.receiver;
    let account = world.known_account(receiver)?;
    if world.action.context_free && !world.trx.checks {
        // Trusted replay: context-free actions had their say, and their data may be pruned.
        return Ok(account);
    }
    let metadata = world.ledger.account_metadata(account);
    world.action.privileged = metadata.is_privileged();
    let (act_account, act_name) = (world.action.act.account, world.action.act.name);
    if let Some(handler) = native::handler(receiver, act_account, act_name) {
        world.check_contract_lists()?;
        let act = Arc::clone(&world.action.act);
        handler(machine, world, &act.data)?;
    }
    let is_setcode = receiver == SYSTEM_ACCOUNT && act_account == SYSTEM_ACCOUNT && act_name == SETCODE;
    if let Some(code) = world.ledger.account_metadata(account).code
        && (!is_setcode || world.is_active(Feature::ForwardSetcode))
    {
        world.check_contract_lists()?;
        let code_hash = world.ledger.code(code).code_hash;
        let apply = Apply { receiver, account: act_account, action: act_name };
        let wasm = &world.ledger.global_property().wasm_configuration;
        let limits = RunLimits { max_pages: wasm.max_pages, max_call_depth: wasm.max_call_depth };
        machine.run(&code_hash, apply, limits, world)?;
    }
    if !world.action.privileged && world.is_active(Feature::RamRestrictions) {
        world.check_ram_restrictions()?;
    }
    Ok(account)
}

impl World {
    /// Turns to the action with this ordinal.
    fn begin_action(&mut self, ordinal: u32) {
        let trace = &self.trx.trace.action_traces[ordinal as usize - 1];
        let action = &mut self.action;
        action.act = Arc::clone(&trace.act);
        action.receiver = trace.receiver;
        action.ordinal = ordinal;
        action.first_receiver_ordinal = ordinal;
        action.context_free = trace.context_free;
        action.privileged = false;
        action.notified.clear();
        action.notified.push((trace.receiver, ordinal));
        action.inline_actions.clear();
        action.context_free_inline_actions.clear();
        action.ram_deltas.clear();
        action.rows = RowChanges::default();
        action.console.clear();
        action.return_value.clear();
        action.digests = ActionDigests::default();
        action.first_receiver = None;
        action.authorizers.clear();
        action.tables.clear();
    }

    /// Counts the action for chain, receiver and authorizers, and makes its receipt.
    fn count_action(&mut self, account: AccountId) -> Outcome {
        let with_return_value = self.is_active(Feature::ActionReturnValue);
        let action = &mut self.action;
        let act_digest = action.digests.of(&action.act, &action.return_value, with_return_value, &mut action.buffer);
        let read_only = self.is_read_only();
        let global_sequence = if read_only { 0 } else { self.ledger.next_global_sequence() };
        let recv_sequence = if read_only { 0 } else { self.ledger.next_recv_sequence(account) };
        self.find_parties()?;
        let first = self.action.first_receiver.expect("found above");
        let metadata = self.ledger.account_metadata(first);
        let (code_sequence, abi_sequence) = (metadata.code_sequence as u32, metadata.abi_sequence as u32);
        let mut auth_sequence = AuthSequences::default();
        let action = &mut self.action;
        for (level, actor) in action.act.authorization.iter().zip(&action.authorizers) {
            auth_sequence.set(level.actor, self.ledger.next_auth_sequence(*actor));
        }
        let receipt = ActionReceipt {
            receiver: action.receiver,
            act_digest,
            global_sequence,
            recv_sequence,
            auth_sequence,
            code_sequence: VarUint32(code_sequence),
            abi_sequence: VarUint32(abi_sequence),
        };
        self.action_digests.push(hash(&mut action.buffer, |buffer| receipt.pack(buffer)));
        let return_value = std::mem::take(&mut action.return_value);
        let trace = self.current_trace();
        trace.receipt = Some(receipt);
        trace.return_value = return_value;
        Ok(())
    }

    /// Looks the contract and the authorizers up, once for all receivers.
    fn find_parties(&mut self) -> Outcome {
        if self.action.first_receiver.is_some() {
            return Ok(());
        }
        self.action.first_receiver = Some(self.known_account(self.action.act.account)?);
        for at in 0..self.action.act.authorization.len() {
            let actor = self.known_account(self.action.act.authorization[at].actor)?;
            self.action.authorizers.push(actor);
        }
        Ok(())
    }

    fn current_trace(&mut self) -> &mut ActionTrace {
        &mut self.trx.trace.action_traces[self.action.ordinal as usize - 1]
    }

    fn finish_action_trace(&mut self, start_us: i64, fault: Option<&Fault>) {
        let elapsed_us = self.clock.now_us() - start_us;
        let deltas = std::mem::take(&mut self.action.ram_deltas);
        let console = self.action.console.take();
        let rows = std::mem::take(&mut self.action.rows);
        let trace = self.current_trace();
        trace.account_ram_deltas = deltas;
        trace.console = console;
        trace.rows = rows;
        trace.elapsed_us = elapsed_us;
        if let Some(fault) = fault {
            trace.error_code = error_code(fault);
            trace.except = Some(Box::new(fault.clone()));
        }
    }

    /// RAM_RESTRICTIONS: nobody else's RAM may grow without their consent.
    fn check_ram_restrictions(&self) -> Outcome {
        let action = &self.action;
        for (at, delta) in action.ram_deltas.iter().enumerate() {
            if at > 0 && at % RAM_DELTAS_PER_CHECKTIME == 0 {
                self.checktime()?;
            }
            let account = delta.account;
            if delta.delta <= 0 || account == action.receiver {
                continue;
            }
            ensure!(
                action.receiver == action.act.account,
                UNAUTHORIZED_RAM_USAGE_INCREASE,
                "unprivileged contract cannot increase RAM usage of another account within a notify context: {account}"
            );
            ensure!(
                self.has_authorization(account),
                UNAUTHORIZED_RAM_USAGE_INCREASE,
                "unprivileged contract cannot increase RAM usage of another account that has not authorized the action: \
                 {account}"
            );
        }
        Ok(())
    }
}
