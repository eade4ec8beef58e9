//! What native actions and host functions ask of the action that runs: its authorizers, its notifications, who pays
//! for RAM (nodeos: apply_context.cpp).

use std::sync::Arc;

use primitives::{Action, Name, PermissionLevel, ensure};

use crate::fault::Outcome;
use crate::features::Feature;
use crate::trace::{AccountDelta, ActionTrace, RowChanges};
use crate::world::World;

impl World {
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

    /// The contract that sent the current action inline; the empty name for none (`get_sender`).
    pub(crate) fn sender(&self) -> Name {
        let traces = &self.trx.trace.action_traces;
        match traces[self.action.ordinal as usize - 1].creator_action_ordinal {
            0 => Name(0),
            creator => traces[creator as usize - 1].receiver,
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

    /// Puts an action into the trace that the current one asked for; returns its ordinal.
    pub(crate) fn schedule_from_current(&mut self, act: Arc<Action>, receiver: Name, context_free: bool) -> u32 {
        self.schedule_action(act, receiver, context_free, self.action.ordinal, self.action.first_receiver_ordinal)
    }
}
