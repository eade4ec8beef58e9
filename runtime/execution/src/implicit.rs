//! The door of transactions that the chain makes itself: `eosio::onblock` (nodeos: controller.cpp `start_block`), and
//! the form that `eosio::onerror` shares with it.

use std::sync::Arc;

use primitives::Action;

use crate::budget::{Budget, TransactionKind};
use crate::execute::AuthorizedTransaction;
use crate::executed::ExecutedTransaction;
use crate::fault::Outcome;
use crate::features::Feature;
use crate::recovered::TransactionParts;
use crate::session::Session;
use crate::world::{Machine, World};

/// Runs an action that the chain orders: billed as the budget says, listed in no block.
///
/// # Errors
/// Faults that reject the whole block.
pub(crate) fn push_implicit(
    machine: &mut Machine,
    world: &mut World,
    action: Action,
    budget: Budget,
) -> Outcome<ExecutedTransaction> {
    let parts = Arc::new(implicit_transaction(world, action));
    let id = parts.id();
    world.begin_transaction(TransactionKind::Implicit, id, id, parts, budget);
    let mut session = Session::begin(world);
    let result = authorize(&mut session).and_then(|authorized| authorized.execute(machine));
    if result.is_ok() {
        session.commit();
    } else {
        drop(session);
    }
    world.finish(result)
}

/// Nobody signs: the frame is all there is to check.
fn authorize<'s>(session: &'s mut Session<'_>) -> Outcome<AuthorizedTransaction<'s>> {
    // Sic: nodeos works the limits out before it lifts the lists.
    session.init_transaction(0)?;
    session.trx.enforce_lists = false;
    Ok(AuthorizedTransaction::new(session))
}

/// A transaction that the chain makes itself. Its header is empty after NO_DUPLICATE_DEFERRED_ID.
pub(crate) fn implicit_transaction(world: &World, action: Action) -> TransactionParts {
    let mut parts = TransactionParts { actions: vec![Arc::new(action)], ..TransactionParts::default() };
    if !world.is_active(Feature::NoDuplicateDeferredId) {
        parts.header.expiration = world.block.expiration();
        parts.header.set_reference_block(&world.block.previous_id);
    }
    parts
}
