//! The door of transactions from outside: checked, authorised, run, billed, kept or reverted (nodeos: controller.cpp
//! `push_transaction`).

use std::sync::Arc;

use primitives::ensure;

use crate::authorization::Provided;
use crate::billing::initial_net_usage;
use crate::budget::{Budget, TransactionKind};
use crate::execute::AuthorizedTransaction;
use crate::executed::ExecutedTransaction;
use crate::fault::Outcome;
use crate::recovered::RecoveredTransaction;
use crate::session::Session;
use crate::settings::Settings;
use crate::world::{Machine, World};

/// 100 % in the unit of `sig_cpu_bill_pct`.
const PERCENT_100: i64 = 10_000;

/// Runs a transaction from outside in the open block. `kind` is input, dry run or read only; the latter two leave
/// nothing. A failed transaction leaves nothing either, and says why in its trace.
///
/// # Errors
/// Faults that reject the whole block.
pub fn push_transaction(
    machine: &mut Machine,
    world: &mut World,
    trx: &RecoveredTransaction,
    kind: TransactionKind,
    budget: Budget,
) -> Outcome<ExecutedTransaction> {
    world.begin_transaction(kind, trx.id, trx.id, Arc::clone(&trx.parts), budget);
    world.bill_signatures(trx);
    let mut session = Session::begin(world);
    let result = authorize(&mut session, trx).and_then(|authorized| authorized.execute(machine));
    if result.is_ok() && !kind.is_transient() {
        session.commit();
    } else {
        drop(session);
    }
    world.finish(result)
}

/// Checks an input transaction in nodeos' order: header, accounts, limits, duplicates, signatures.
fn authorize<'s>(session: &'s mut Session<'_>, trx: &RecoveredTransaction) -> Outcome<AuthorizedTransaction<'s>> {
    let world: &mut World = session;
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
    Ok(AuthorizedTransaction::new(session))
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
}
