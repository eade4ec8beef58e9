//! Transactions that run later: sent by contracts, or delayed by their signers (nodeos: apply_context.cpp
//! `schedule_deferred_transaction`).

use std::sync::Arc;

use codec::{Bytes, Pack};
use ledger::config::{EOSIO_CODE, GENERATED_TRANSACTION_RAM_BYTES};
use ledger::{GeneratedId, GeneratedTransaction};
use primitives::transaction::DeferredContext;
use primitives::{Fault, FaultKind, Name, PermissionLevel, Sha256, TimePointSec, Transaction, TransactionId, ensure};

use crate::authorization::Provided;
use crate::billing::TRANSACTION_ID_NET_USAGE;
use crate::fault::{Outcome, uniqueness_violated};
use crate::features::Feature;
use crate::trace::AccountDelta;
use crate::world::World;

/// The number that stands for a delayed input transaction (`transaction_id_to_sender_id`).
pub(crate) fn sender_id_of(id: &TransactionId) -> u128 {
    u128::from_le_bytes(id.0[16..].try_into().expect("16 of 32 bytes"))
}

pub(crate) fn ram_bytes(packed_trx: &[u8]) -> i64 {
    GENERATED_TRANSACTION_RAM_BYTES + packed_trx.len() as i64
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
            trx.header.expiration = self.block.expiration();
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
