//! Actions that contracts send inline (nodeos: apply_context.cpp `execute_inline`).

use std::sync::Arc;

use ledger::config::EOSIO_CODE;
use primitives::{Action, Fault, FaultKind, PermissionLevel, ensure};

use crate::authorization::{Provided, level_text};
use crate::budget::TransactionKind;
use crate::fault::Outcome;
use crate::features::Feature;
use crate::world::World;

impl World {
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
}
