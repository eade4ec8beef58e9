//! What a transaction says of itself against the chain: expiration, reference block, and everything that its actions
//! name must exist.

use std::sync::Arc;

use primitives::{Action, Fault, FaultKind, TransactionHeader, ensure};

use crate::authorization::level_text;
use crate::fault::Outcome;
use crate::world::World;

impl World {
    pub(crate) fn validate_expiration(&self, header: &TransactionHeader) -> Outcome {
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

    pub(crate) fn validate_tapos(&self, header: &TransactionHeader) -> Outcome {
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

    pub(crate) fn validate_context_free_actions(&self, actions: &[Arc<Action>]) -> Outcome {
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
