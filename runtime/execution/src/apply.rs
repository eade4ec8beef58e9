//! One action at its receivers: native handler, code, RAM rules, receipt; then what it sent inline (nodeos:
//! apply_context.cpp).

use std::sync::Arc;

use codec::{Pack, VarUint32};
use ledger::AccountId;
use ledger::config::SYSTEM_ACCOUNT;
use primitives::{Action, Checksum256, Fault, FaultKind, Name, PermissionLevel, PublicKey, Sha256, ensure};
use wasm::{Apply, RunLimits};

use crate::authorization::{EOSIO_CODE, Provided, level_text};
use crate::budget::TransactionKind;
use crate::features::Feature;
use crate::native;
use crate::trace::{AccountDelta, ActionReceipt, ActionTrace, AuthSequences, RowChanges};
use crate::world::{Machine, Outcome, World};
use primitives::message::{Part, message};

/// `generic_system_error`: the error code of every fault that is not a contract's own.
const GENERIC_SYSTEM_ERROR: u64 = 10_000_000_000_000_000_000;
/// RAM deltas that are looked at between two looks at the clock.
const RAM_DELTAS_PER_CHECKTIME: usize = 10;

/// The error code that a trace shows for a fault.
pub(crate) fn error_code(fault: &Fault) -> Option<u64> {
    fault.kind.is_a(FaultKind::CHAIN_EXCEPTION).then(|| fault.error_code.unwrap_or(GENERIC_SYSTEM_ERROR))
}

/// The fault of C++ code that looked up a missing row.
#[cold]
pub(crate) fn unknown_key(name: Name) -> Fault {
    Fault::standard(format!("unknown key (eosio::chain::name): {name}"))
}

/// Parts of an action's digest that its receivers share.
#[derive(Debug, Default)]
pub(crate) struct ActionDigests {
    /// Of the whole action, where nothing was returned.
    without_return: Option<Checksum256>,
    /// Of account, name and authorization.
    base: Option<Checksum256>,
}

impl ActionDigests {
    /// The digest for the receipt; `with_return_value` after ACTION_RETURN_VALUE.
    fn of(&mut self, act: &Action, return_value: &[u8], with_return_value: bool, buffer: &mut Vec<u8>) -> Checksum256 {
        if return_value.is_empty()
            && let Some(digest) = self.without_return
        {
            return digest;
        }
        let digest = if with_return_value {
            self.with_return(act, return_value, buffer)
        } else {
            hash(buffer, |buffer| act.pack(buffer))
        };
        if return_value.is_empty() {
            self.without_return = Some(digest);
        }
        digest
    }

    fn with_return(&mut self, act: &Action, return_value: &[u8], buffer: &mut Vec<u8>) -> Checksum256 {
        let base = *self.base.get_or_insert_with(|| {
            hash(buffer, |buffer| {
                act.account.pack(buffer);
                act.name.pack(buffer);
                act.authorization.pack(buffer);
            })
        });
        let values = hash(buffer, |buffer| {
            act.data.pack(buffer);
            return_value.pack(buffer);
        });
        hash(buffer, |buffer| (base, values).pack(buffer))
    }
}

/// Hashes what is packed, all at once: many small updates of a hash cost more than a copy.
fn hash(buffer: &mut Vec<u8>, pack: impl FnOnce(&mut Vec<u8>)) -> Checksum256 {
    buffer.clear();
    pack(buffer);
    Sha256::of(buffer)
}

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
            let fault = with_pending_console(fault, &world.action.console);
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
    let is_setcode = receiver == SYSTEM_ACCOUNT && act_account == SYSTEM_ACCOUNT && act_name == native::SETCODE;
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
        let console = std::mem::take(&mut self.action.console);
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

    /// Puts an action into the trace, to be run; returns its ordinal.
    pub(crate) fn schedule_action(
        &mut self,
        act: Arc<Action>,
        receiver: Name,
        context_free: bool,
        creator: u32,
        closest_unnotified_ancestor: u32,
    ) -> u32 {
        let traces = &mut self.trx.trace.action_traces;
        let ordinal = u32::try_from(traces.len() + 1).expect("fewer than 2^32 actions");
        traces.push(ActionTrace {
            action_ordinal: ordinal,
            creator_action_ordinal: creator,
            closest_unnotified_ancestor_action_ordinal: closest_unnotified_ancestor,
            receipt: None,
            receiver,
            act,
            context_free,
            elapsed_us: 0,
            console: Vec::new(),
            account_ram_deltas: Vec::new(),
            except: None,
            error_code: None,
            return_value: Vec::new(),
            rows: RowChanges::default(),
            backtrace: None,
        });
        ordinal
    }

    fn schedule_from_current(&mut self, act: Arc<Action>, receiver: Name, context_free: bool) -> u32 {
        self.schedule_action(act, receiver, context_free, self.action.ordinal, self.action.first_receiver_ordinal)
    }

    /// The account called `name`.
    ///
    /// # Errors
    /// nodeos' "unknown key" where there is none.
    pub fn known_account(&self, name: Name) -> Outcome<AccountId> {
        self.ledger.find_account(name).ok_or_else(|| unknown_key(name))
    }

    // --- what actions and contracts ask for

    /// The action that runs.
    pub fn act(&self) -> &Arc<Action> {
        &self.action.act
    }

    /// Whether `account` authorized the action (`has_authorization`).
    pub fn has_authorization(&self, account: Name) -> bool {
        self.action.act.authorization.iter().any(|level| level.actor == account)
    }

    /// Fails unless `account` authorized the action.
    ///
    /// # Errors
    /// `missing_auth_exception`.
    pub fn require_authorization(&self, account: Name) -> Outcome {
        ensure!(self.has_authorization(account), MISSING_AUTH_EXCEPTION, "missing authority of {account}");
        Ok(())
    }

    /// Fails unless this very permission authorized the action.
    ///
    /// # Errors
    /// `missing_auth_exception`.
    pub fn require_permission(&self, level: PermissionLevel) -> Outcome {
        let PermissionLevel { actor, permission } = level;
        ensure!(
            self.action.act.authorization.contains(&level),
            MISSING_AUTH_EXCEPTION,
            "missing authority of {actor}/{permission}"
        );
        Ok(())
    }

    /// Notifies an account of the action, once.
    pub(crate) fn require_recipient(&mut self, recipient: Name) {
        if self.action.notified.iter().all(|(notified, _)| *notified != recipient) {
            let act = Arc::clone(&self.action.act);
            let ordinal = self.schedule_from_current(act, recipient, false);
            self.action.notified.push((recipient, ordinal));
        }
    }

    /// Bills RAM of a row to its payer (`update_db_usage`).
    ///
    /// # Errors
    /// Where the receiver may not bill the payer.
    pub fn update_db_usage(&mut self, payer: Name, delta: i64) -> Outcome {
        if delta > 0
            && !(self.action.privileged || payer == self.action.receiver || self.is_active(Feature::RamRestrictions))
        {
            ensure!(
                self.is_ram_billing_in_notify_allowed() || self.action.receiver == self.action.act.account,
                SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION,
                "Cannot charge RAM to other accounts during notify."
            );
            self.require_authorization(payer)?;
        }
        self.add_ram_usage(payer, delta)
    }

    pub(crate) fn is_ram_billing_in_notify_allowed(&self) -> bool {
        self.settings.disable_all_subjective_mitigations
            || !self.block.is_speculative()
            || self.settings.allow_ram_billing_in_notify
    }

    /// Bills RAM and notes it for the action's trace.
    ///
    /// # Errors
    /// "unknown key" for an unknown account, `transaction_exception` for a number out of range.
    pub fn add_ram_usage(&mut self, account: Name, delta: i64) -> Outcome {
        self.add_transaction_ram_usage(account, delta)?;
        let deltas = &mut self.action.ram_deltas;
        match deltas.binary_search_by_key(&account, |delta| delta.account) {
            Ok(at) => deltas[at].delta += delta,
            Err(at) => deltas.insert(at, AccountDelta { account, delta }),
        }
        Ok(())
    }

    /// Bills RAM to the transaction alone.
    pub(crate) fn add_transaction_ram_usage(&mut self, account: Name, delta: i64) -> Outcome {
        let account = self.known_account(account)?;
        self.ledger.add_pending_ram_usage(account, delta)?;
        if delta > 0 {
            self.must_verify_ram(account);
        }
        Ok(())
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

    /// The contract that sent the current action inline; the empty name for none (`get_sender`).
    pub(crate) fn sender(&self) -> Name {
        let traces = &self.trx.trace.action_traces;
        match traces[self.action.ordinal as usize - 1].creator_action_ordinal {
            0 => Name(0),
            creator => traces[creator as usize - 1].receiver,
        }
    }

    /// Sends an action inline (`execute_inline`).
    pub(crate) fn execute_inline(&mut self, act: Action) -> Outcome {
        self.check_inline_code(&act)?;
        let restricted = self.is_active(Feature::RestrictActionToSelf);
        let to_self = act.account == self.action.receiver;
        let inherits =
            !restricted && to_self && self.action.receiver == self.action.act.account && self.block.is_speculative();
        let mut actors = Vec::new();
        let mut inherited = Vec::new();
        for &level in &act.authorization {
            self.check_inline_level(level)?;
            actors.push(level.actor);
            if inherits && self.action.act.authorization.contains(&level) {
                inherited.push(level);
            }
        }
        if self.trx.enforce_lists && self.block.is_speculative() {
            self.check_actor_list(actors)?;
        }
        self.check_inline_size(&act)?;
        if self.trx.checks && !self.action.privileged && !self.is_read_only() {
            self.authorize_inline(&act, &inherited, restricted || !to_self)?;
        }
        let receiver = act.account;
        let ordinal = self.schedule_from_current(Arc::new(act), receiver, false);
        self.action.inline_actions.push(ordinal);
        Ok(())
    }

    fn check_inline_code(&self, act: &Action) -> Outcome {
        let exists = self.ledger.find_account(act.account).is_some();
        ensure!(exists, ACTION_VALIDATE_EXCEPTION, "inline action's code account {} does not exist", act.account);
        Ok(())
    }

    fn check_inline_level(&self, level: PermissionLevel) -> Outcome {
        let exists = self.ledger.find_account(level.actor).is_some();
        ensure!(exists, ACTION_VALIDATE_EXCEPTION, "inline action's authorizing actor {} does not exist", level.actor);
        let exists = self.ledger.find_permission(level)?.is_some();
        ensure!(
            exists,
            ACTION_VALIDATE_EXCEPTION,
            "inline action's authorizations include a non-existent permission: {}",
            level_text(level)
        );
        Ok(())
    }

    fn check_inline_size(&self, act: &Action) -> Outcome {
        if !self.action.privileged && self.block.is_speculative() {
            let limit = self.config().v0.max_inline_action_size.min(self.settings.max_nonprivileged_inline_action_size);
            ensure!(
                act.data.len() < limit as usize,
                INLINE_ACTION_TOO_BIG_NONPRIVILEGED,
                "inline action too big for nonprivileged account {}",
                act.account
            );
        }
        Ok(())
    }

    fn authorize_inline(&self, act: &Action, inherited: &[PermissionLevel], strict: bool) -> Outcome {
        let own_code = [PermissionLevel { actor: self.action.receiver, permission: EOSIO_CODE }];
        let result = self.check_authorization(
            [act],
            Provided {
                permissions: &own_code,
                delay_us: self.block.time().us_since(self.trx.published),
                check_but_dont_fail: self.trx.kind == TransactionKind::DryRun,
                satisfied: inherited,
                ..Provided::default()
            },
        );
        self.forgive_self(result, strict, "Authorization failure with inline action sent to self")
    }

    /// Before RESTRICT_ACTION_TO_SELF a contract could send itself anything; producers do not take that part.
    pub(crate) fn forgive_self(&self, result: Outcome, strict: bool, message: &str) -> Outcome {
        match result {
            Err(fault) if strict => Err(fault),
            Err(fault) if self.block.is_speculative() => {
                let mut own = Fault::new(FaultKind::SUBJECTIVE_BLOCK_PRODUCTION_EXCEPTION, message);
                own.details.extend(fault.details);
                Err(own)
            }
            _ => Ok(()),
        }
    }

    /// Sends a context-free action inline (`execute_context_free_inline`).
    pub(crate) fn execute_context_free_inline(&mut self, act: Action) -> Outcome {
        self.check_inline_code(&act)?;
        ensure!(
            act.authorization.is_empty(),
            ACTION_VALIDATE_EXCEPTION,
            "context-free actions cannot have authorizations"
        );
        self.check_inline_size(&act)?;
        let receiver = act.account;
        let ordinal = self.schedule_from_current(Arc::new(act), receiver, true);
        self.action.context_free_inline_actions.push(ordinal);
        Ok(())
    }

    // --- this node's own lists

    fn check_contract_lists(&self) -> Outcome {
        if !(self.trx.enforce_lists && self.block.is_speculative()) {
            return Ok(());
        }
        let (settings, receiver, act) = (&self.settings, self.action.receiver, &self.action.act);
        if !settings.contract_whitelist.is_empty() {
            ensure!(
                settings.contract_whitelist.contains(&receiver),
                CONTRACT_WHITELIST_EXCEPTION,
                "account '{receiver}' is not on the contract whitelist"
            );
        } else {
            ensure!(
                !settings.contract_blacklist.contains(&receiver),
                CONTRACT_BLACKLIST_EXCEPTION,
                "account '{receiver}' is on the contract blacklist"
            );
        }
        ensure!(
            settings.action_blacklist.is_empty() || !settings.action_blacklist.contains(&(act.account, act.name)),
            ACTION_BLACKLIST_EXCEPTION,
            "action '{}::{}' is on the action blacklist",
            act.account,
            act.name
        );
        Ok(())
    }

    /// Fails when actors are not on the whitelist, or on the blacklist where there is no whitelist.
    pub(crate) fn check_actor_list(&self, mut actors: Vec<Name>) -> Outcome {
        let (white, black) = (&self.settings.actor_whitelist, &self.settings.actor_blacklist);
        if white.is_empty() && black.is_empty() {
            return Ok(());
        }
        actors.sort_unstable();
        actors.dedup();
        if !white.is_empty() {
            actors.retain(|actor| !white.contains(actor));
            ensure!(
                actors.is_empty(),
                ACTOR_WHITELIST_EXCEPTION,
                "authorizing actor(s) in transaction are not on the actor whitelist: {}",
                names_text(&actors)
            );
        } else {
            actors.retain(|actor| black.contains(actor));
            ensure!(
                actors.is_empty(),
                ACTOR_BLACKLIST_EXCEPTION,
                "authorizing actor(s) in transaction are on the actor blacklist: {}",
                names_text(&actors)
            );
        }
        Ok(())
    }

    pub(crate) fn check_key_list(&self, key: &PublicKey) -> Outcome {
        let black = &self.settings.key_blacklist;
        ensure!(
            black.is_empty() || !black.contains(key),
            KEY_BLACKLIST_EXCEPTION,
            "public key '{key}' is on the key blacklist"
        );
        Ok(())
    }
}

fn names_text(names: &[Name]) -> String {
    format!("[{}]", names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_shared_by_receivers_unless_they_return_something() {
        let act = Action { account: Name(1), name: Name(2), authorization: vec![], data: vec![7, 8].into() };
        let buffer = &mut Vec::new();
        let mut digests = ActionDigests::default();
        assert_eq!(digests.of(&act, &[], false, buffer), Sha256::packed(&act));
        let mut digests = ActionDigests::default();
        let (silent, returned) = (digests.of(&act, &[], true, buffer), digests.of(&act, &[1], true, buffer));
        assert_ne!(silent, returned);
        assert_eq!(digests.of(&act, &[], true, buffer), silent);
        assert_eq!(ActionDigests::default().of(&act, &[1], true, buffer), returned);
    }
}
